from datetime import UTC, datetime

import pytest

from classifiers.roster_links import RosterLinks
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)

ROSTER = Roster(
    version="7",
    people=(
        Person(
            id="ana",
            name="Ana Velde",
            names=("آنا فيلدي", "Ана Велде"),
            aliases=("Velde",),
            handles=("mastodon:@ana_velde@vel.example",),
        ),
        Person(
            id="jon",
            name="Jon Velde",
            aliases=("Velde", "the Ferryman"),
            context=("harbour", "Unity Party"),
            handles=("chatter:jonvelde",),
        ),
        Person(id="rosa", name="Rosa Stone", aliases=("Stone",), ambiguous=("Stone",), context=("senator",)),
        Person(id="petrova", name="Ирина Петрова"),
        Person(id="hakim", name="الحكيم سعيد", aliases=("الحكيم",)),
        Person(id="lin", name="林小明"),
    ),
)
LINKS = RosterLinks(ROSTER)


def linked(text: str, *, title: str = "", mentions: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Person → the pieces of the post that name them."""
    return {
        target.id: [(text if span.part == "text" else title)[span.start : span.end] for span in target.spans]
        for target in assessed(text, title=title, mentions=mentions).targets
    }


def assessed(text: str, *, title: str = "", mentions: tuple[str, ...] = ()) -> Assessment:
    post = Post(
        source="s", native_id="1", text=text, title=title, mentions=mentions, published_at=NOW, collected_at=NOW
    )
    given = Assessment(post=post, tokens=analyse(text).tokens, title_tokens=analyse(title).tokens)
    return LINKS.classify([given])[0]


def role(text: str, person: str, *, mentions: tuple[str, ...] = ()) -> str:
    return next(target.role for target in assessed(text, mentions=mentions).targets if target.id == person)


@pytest.mark.parametrize(
    ("text", "person", "named"),
    [
        ("I will vote for Ana Velde.", "ana", ["Ana Velde"]),
        ("ANA VELDE wins", "ana", ["ANA VELDE"]),
        ("Ana Velde's plan", "ana", ["Ana Velde"]),
        ("A\u200bna V\u00e9lde", "ana", ["A\u200bna V\u00e9lde"]),
        ("the ferryman promised a bridge", "jon", ["the ferryman"]),
        ("vote #AnaVelde now", "ana", ["#AnaVelde"]),
        ("read @ana_velde@vel.example", "ana", ["@ana_velde@vel.example"]),
        ("وآنا فيلدي قالت", "ana", ["وآنا فيلدي"]),
        ("صوتوا للحكيم", "hakim", ["للحكيم"]),
        ("والحكيم سعيد", "hakim", ["والحكيم سعيد"]),
        ("я за Ирину Петрову", "petrova", ["Ирину Петрову"]),
        ("我支持林小明先生", "lin", ["林小明"]),
    ],
)
def test_a_name_is_found_in_every_script_and_form(text: str, person: str, named: list[str]) -> None:
    assert linked(text)[person] == named


@pytest.mark.parametrize("text", ["Anabel Veldenberg", "a stone fell", "", "anavelde without a hash sign", "小林明"])
def test_parts_of_words_and_other_words_name_nobody(text: str) -> None:
    assert linked(text) == {}


def test_a_longer_name_is_not_also_its_part() -> None:
    assert linked("Jon Velde spoke") == {"jon": ["Jon Velde"]}


def test_a_shared_surname_alone_names_nobody() -> None:
    assert linked("Velde will win") == {}


def test_a_shared_surname_means_the_one_who_is_named_in_full_elsewhere() -> None:
    assert linked("Ana Velde spoke. Velde was brilliant.") == {"ana": ["Ana Velde", "Velde"]}


def test_a_shared_surname_means_the_one_whose_context_is_near() -> None:
    assert linked("Velde of the Unity Party promised a new harbour") == {"jon": ["Velde"]}


def test_context_far_away_does_not_count() -> None:
    assert linked("Velde " + "and then some more words that say nothing at all " * 2 + "harbour") == {}


def test_an_ambiguous_alias_needs_context() -> None:
    assert linked("Stone is hard") == {}
    assert linked("senator Stone is hard") == {"rosa": ["Stone"]}


def test_names_are_found_in_the_title_too() -> None:
    found = assessed("No name here", title="Ana Velde leads").targets
    assert [(target.id, target.spans[0].part) for target in found] == [("ana", "title")]


@pytest.mark.parametrize(
    "text",
    [
        "@jonvelde you promised a bridge",
        "look at this, @jonvelde",
        "Jon Velde, where is the bridge?",
        "Hey Jon Velde where is the bridge",
        "Where is the bridge, Jon Velde!",
    ],
)
def test_a_handle_or_a_call_addresses(text: str) -> None:
    assert role(text, "jon") == "addressed"


@pytest.mark.parametrize(
    "text", ["RT @jonvelde: vote on Sunday", "I saw Jon Velde, the ferry and the sea", "Jon Velde won"]
)
def test_passing_on_and_speaking_about_only_mention(text: str) -> None:
    assert role(text, "jon") == "mentioned"


def test_an_account_that_the_source_lists_as_mentioned_is_addressed() -> None:
    assert role("you promised a bridge", "jon", mentions=("@JonVelde",)) == "addressed"
    assert role("you promised a bridge", "jon", mentions=("jon",)) == "addressed"


def test_an_empty_roster_changes_nothing() -> None:
    given = [assessed("Ana Velde")]
    assert RosterLinks(Roster()).classify(given) == given


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(lambda: RosterLinks(ROSTER))
