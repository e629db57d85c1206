from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.roster_links import RosterLinks, outermost
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post, Span
from tests.counted_steps import steps_of

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


SAME_HANDLE = RosterLinks(
    Roster(people=(Person(id="p1", name="A", handles=("x:@ana",)), Person(id="p2", name="B", handles=("y:@ana",))))
)


@pytest.mark.parametrize(
    ("mention", "people"), [("@ana", []), ("ana", []), ("x:@ana", ["p1"]), ("Y:@Ana", ["p2"]), ("p1", ["p1"])]
)
def test_a_handle_that_two_people_have_on_two_platforms_means_one_of_them_only_with_its_platform(
    mention: str, people: list[str]
) -> None:
    post = Post(source="s", native_id="1", text="", mentions=(mention,), published_at=NOW, collected_at=NOW)
    (found,) = SAME_HANDLE.classify([Assessment(post=post, tokens=())])
    assert [target.id for target in found.targets] == people


def test_a_listed_id_is_the_person_whose_id_it_is_though_it_is_somebody_elses_handle() -> None:
    people = (Person(id="ana", name="A"), Person(id="p2", name="B", handles=("x:@ana",)))
    post = Post(source="s", native_id="1", text="", mentions=("ana",), published_at=NOW, collected_at=NOW)
    (found,) = RosterLinks(Roster(people=people)).classify([Assessment(post=post, tokens=())])
    assert [target.id for target in found.targets] == ["ana"]


places = st.integers(min_value=0, max_value=12)
spans = st.builds(
    lambda one, other, part: Span(start=min(one, other), end=max(one, other), part=part),
    places,
    places,
    st.sampled_from(["text", "title"]),
)


@given(found=st.lists(spans, max_size=12))
def test_the_outermost_spans_are_those_that_no_other_one_of_their_part_holds(found: list[Span]) -> None:
    assert outermost(found) == tuple(
        span
        for span in dict.fromkeys(found)
        if not any(
            other != span and other.part == span.part and other.start <= span.start and span.end <= other.end
            for other in found
        )
    )


def test_a_name_said_twice_as_often_is_twice_the_work_and_no_more() -> None:
    few, many = (
        steps_of(lambda times=times: linked("Jon Velde " * times, title="Jon Velde " * times), inside="roster_links")
        for times in (100, 200)
    )
    assert many < 2.5 * few


def test_an_empty_roster_changes_nothing() -> None:
    given = [assessed("Ana Velde")]
    assert RosterLinks(Roster()).classify(given) == given


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(lambda: RosterLinks(ROSTER))
