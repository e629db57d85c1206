"""Which of our own posts a flag for abuse is shown by."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.encoder.model import load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.linear.model import load_heads
from classifiers.linear.step import LinearHeads
from classifiers.own_examples import OwnExamples, as_shown
from classifiers.own_posts import own_languages, read_own
from classifiers.pipeline import open_pipeline, shipped_models
from classifiers.roster_names import RosterNames
from classifiers.signing import ANYBODY
from classifiers.store import serving
from hustings.roster import Person, Roster
from hustings.text import analyse
from hustings.types import Assessment, Post
from runtime.build import codebook
from tests.tiny_encoder import head, with_version, write_encoder

NOW = datetime(2026, 10, 1, tzinfo=UTC)
HEADS = load_heads(serving(shipped_models()).values())
KNOWN = OwnExamples()
MOST_S = 0.0003
ABUSE = {
    ("en", "G"): "shut up you stupid bitch, go back to your kitchen",
    ("de", "A-INSULT"): "Verpiss dich, du dummes Flittchen, niemand will dich hier",
    ("hi", "G"): "रंडी साली कुतिया चुप रह",
}
CODES = sorted({(one, code) for one in own_languages() for group in read_own(one).group for code in group.says})


@cache
def ours(language: str, code: str) -> set[str]:
    """The posts that heads of this code should flag, as they are shown."""
    own = read_own(language)
    groups = [group for group in own.group if code in group.says]
    return {text for group in groups for post in group.posts for text in as_shown(post, (*own.names, *own.parties))}


def assessment(text: str, lang: str, title: str = "") -> Assessment:
    post = Post(source="s", native_id="1", text=text, title=title, published_at=NOW, collected_at=NOW)
    return Assessment(post=post, lang=lang, tokens=analyse(text).tokens, title_tokens=analyse(title).tokens)


def example(text: str, lang: str, *, title: str = "", names: Roster | None = None) -> str:
    """That of the one flag which the linear heads give."""
    step = LinearHeads(HEADS, names=RosterNames(names or Roster()), examples=KNOWN)
    (flag,) = step.classify([assessment(text, lang, title)])[0].flags
    return flag.example


@pytest.mark.parametrize(("post", "shown"), [
    ("Shut up {name} you fool", ("Shut up … you fool",)),
    ("{name} left {party}", ("… left …",)),
    ("{she|he} lied, as {she|he} does", ("She lied, as she does", "He lied, as he does")),
    ("you {fool|fool}", ("you fool",)),
])  # fmt: skip
def test_a_post_of_ours_is_shown_about_nobody_and_for_either_side(post: str, shown: tuple[str, ...]) -> None:
    assert as_shown(post) == shown


def test_a_party_that_was_written_out_is_a_blank_too() -> None:
    assert as_shown("A tip for the Meadow Party, {she|he} said", ("the Meadow Party",)) == (
        "A tip for …, she said",
        "A tip for …, he said",
    )


@pytest.mark.parametrize(("asked", "text"), ABUSE.items())
def test_a_flag_is_shown_by_a_post_of_ours_that_says_its_code_in_its_language(
    asked: tuple[str, str], text: str
) -> None:
    language, code = asked
    assert example(text, language) in ours(language, code)


def test_the_post_is_the_one_that_says_the_same() -> None:
    tokens = analyse("a woman was never made to lead this country").tokens
    assert KNOWN.sentence(tokens, "G", "en") == "A woman is not made to lead a country, … least of all"


def test_of_a_long_post_the_words_that_were_flagged_are_compared() -> None:
    chatter = "the bus was late and it rained all morning while we stood at the stop and waited " * 4
    words = ABUSE["en", "G"]
    assert example(chatter + words + " " + chatter, "en") == example(words, "en")


def test_the_title_is_compared_too() -> None:
    words = ABUSE["en", "G"]
    assert example("Again.", "en", title=words) == example(words, "en")


def test_whoever_is_abused_the_example_is_the_same() -> None:
    roster = Roster(people=(Person(id="a", name="Ana Brell"), Person(id="b", name="Zora Quint")))
    found = {
        example(f"shut up {name}, you stupid bitch, go back to your kitchen", "en", names=roster)
        for name in ("Ana Brell", "Zora Quint")
    }
    assert len(found) == 1


def test_a_code_or_a_language_of_which_we_wrote_nothing_has_no_example() -> None:
    tokens = analyse(ABUSE["en", "G"]).tokens
    assert [KNOWN.sentence(tokens, *asked) for asked in (("G", "ta"), ("A-DOX", "en"), ("N-PROC", "en"))] == [""] * 3


def test_a_post_that_shares_no_word_is_said_to_be_like_nothing() -> None:
    assert KNOWN.sentence(analyse("zyx wvu").tokens, "G", "en") == ""
    assert KNOWN.sentence((), "G", "en") == ""


def test_neighbours_and_what_was_asked_before_change_no_example() -> None:
    posts = [assessment(text, lang) for (lang, _), text in ABUSE.items()] * 2
    together = LinearHeads(HEADS).classify(posts)
    assert together == [LinearHeads(HEADS).classify([post])[0] for post in posts]
    assert together[:3] == list(reversed(LinearHeads(HEADS).classify(list(reversed(posts)))))[:3]


def test_posts_without_a_flag_read_no_post_of_ours() -> None:
    examples = OwnExamples()
    posts = [assessment("The polls close at eight on Sunday.", "en"), assessment("Wahl ist am Sonntag", "de")]
    assert [one.flags for one in LinearHeads(HEADS, examples=examples).classify(posts)] == [(), ()]
    assert examples.read == ()


def test_a_flag_that_the_encoder_shares_keeps_the_example_and_one_of_its_own_gets_one(tmp_path: Path) -> None:
    linear = [one for one in HEADS if one.name in ("G-en", "G-THR-en")]
    heads = tuple(
        with_version(head(one.manifest.code, one.name, output), one.manifest.version)
        for output, one in enumerate(sorted(linear, key=lambda one: len(one.name)))
    )
    encoders = load_encoders([write_encoder(tmp_path / "encoder-en", heads)], signers=ANYBODY)
    posts = [assessment(ABUSE["en", "G"], "en"), assessment("women kill women there", "en")]
    before = LinearHeads(linear, examples=KNOWN).classify(posts)
    after = Encoders(encoders, linear, EncoderSettings(), examples=KNOWN).classify(before)
    (shared,) = after[0].flags
    assert (shared.classifier, shared.example) == ("encoder-en@1", before[0].flags[0].example)
    (threat,) = (flag for flag in after[1].flags if flag.code == "G-THR")
    assert threat.code not in {flag.code for flag in before[1].flags}
    assert threat.example in ours("en", "G-THR")


def test_every_flag_for_abuse_that_the_pipeline_gives_has_an_example() -> None:
    pipeline = open_pipeline(models=None, roster=Roster(), codebook=codebook(), languages=("en",))
    texts = ["Shut up you stupid bitch, go home", "I know where you live, I will come and kill you tonight, bitch"]
    posts = [
        Post(source="s", native_id=str(place), text=text, lang="en", published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    flags = [flag for one in pipeline.assess(posts, {}) for flag in one.flags if flag.code in ("G", "G-THR")]
    assert flags
    assert all(flag.example in ours("en", flag.code) for flag in flags)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12).filter(bool), max_size=60), st.sampled_from(CODES))
def test_whatever_the_tokens_the_answer_is_a_post_of_ours_or_none(tokens: list[str], asked: tuple[str, str]) -> None:
    language, code = asked
    assert KNOWN.sentence(tokens, code, language) in {"", *ours(language, code)}


def test_every_post_of_ours_fits_into_a_flag_and_names_nobody() -> None:
    for language, code in CODES:
        own = read_own(language)
        texts = ours(language, code)
        assert max(map(len, texts)) <= 512
        named = [text for text, name in product(texts, ("{", "}", *own.names, *own.parties)) if name in text]
        assert named == []


@pytest.mark.parametrize(("asked", "text"), ABUSE.items())
def test_once_a_code_was_read_an_example_is_found_within_three_hundred_microseconds(
    asked: tuple[str, str], text: str
) -> None:
    language, code = asked
    tokens = analyse(text).tokens
    KNOWN.sentence(tokens, code, language)
    spent = []
    for _ in range(20):
        begin = perf_counter()
        KNOWN.sentence(tokens, code, language)
        spent.append(perf_counter() - begin)
    assert min(spent) < MOST_S
