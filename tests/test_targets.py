from datetime import UTC, datetime

import pytest

from classifiers.roster_links import RosterLinks
from classifiers.targets.step import Targets
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Span

NOW = datetime(2026, 10, 1, tzinfo=UTC)
LINKS = RosterLinks(
    Roster(
        people=(
            Person(id="ana", name="Ana Velde", handles=("chatter:ana_velde",)),
            Person(id="jon", name="Jon Riker", handles=("chatter:jon_riker",)),
        )
    )
)


def aimed_at(text: str, *, lang: str = "en", code: str = "G", because: str = "", extra: str = "") -> set[str]:
    """Whom the rule takes as attacked, given a flag for the words `because`."""
    post = Post(source="s", native_id="1", text=text, published_at=NOW, collected_at=NOW)
    start = text.find(because) if because else 0
    spans = (Span(start=start, end=start + len(because)),) if because else ()
    flags = [Flag(code=code, score=0.9, spans=spans)] if code else []
    flags += [Flag(code=extra, score=0.9)] if extra else []
    linked = LINKS.classify([Assessment(post=post, lang=lang, tokens=analyse(text).tokens, flags=tuple(flags))])
    return {target.id for target in Targets().classify(linked)[0].targets if target.role == "aimed_at"}


@pytest.mark.parametrize("code", ["G", "G-THR-KILL", "A-INSULT", "A-THREAT", "N-PART-THREAT"])
def test_the_only_person_named_in_an_abusive_post_is_attacked(code: str) -> None:
    assert aimed_at("Ana Velde is a fat cow", code=code) == {"ana"}


@pytest.mark.parametrize("code", ["", "N-DELEG-FRAUD", "X-SATIRE"])
def test_nobody_is_attacked_without_a_flag_of_abuse(code: str) -> None:
    assert aimed_at("Ana Velde is a fat cow", code=code) == set()


def test_of_two_the_one_in_the_sentence_of_the_abuse_is_attacked() -> None:
    assert aimed_at("Jon Riker gave a speech. Ana Velde is a fat cow.", because="fat cow") == {"ana"}


def test_of_two_the_one_who_is_spoken_to_is_attacked() -> None:
    assert aimed_at("@ana_velde you cow, Jon Riker will win", because="cow") == {"ana"}


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Stop calling her a fat cow. I stand with Ana Velde"),
        ("es", "Dejen de insultar a Ana Velde, gorda dicen"),
        ("ar", "كفى إهانات Ana Velde"),
    ],
)
def test_standing_up_for_somebody_is_no_attack(lang: str, text: str) -> None:
    assert aimed_at(text, lang=lang) == set()


def test_an_answer_is_no_attack() -> None:
    assert aimed_at("Ana Velde is a fat cow? That says a lot about you", extra="X-COUNTER") == set()


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(Targets)
