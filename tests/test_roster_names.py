"""What those are called who are watched counts for nothing: heads and encoder never see their names."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from classifiers.checks.watched import watched
from classifiers.encoder.reading import read_words
from classifiers.linear.features import NOTHING, HashKey, features
from classifiers.linear.model import load_heads
from classifiers.linear.repeats import as_scored
from classifiers.linear.step import LinearHeads
from classifiers.own_examples import OwnExamples
from classifiers.pipeline import shipped_models
from classifiers.roster_names import NAME, NOBODY, RosterNames
from classifiers.store import serving
from classifiers.training import linear_rows
from hustings.roster import Person, Roster
from hustings.text import analyse
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
HEADS = load_heads(serving(shipped_models()).values())
EXAMPLES = OwnExamples()
ROSTER = Roster(
    people=(
        Person(
            id="ana",
            name="Ana Velde",
            aliases=("Velde",),
            handles=("chatter:ana_velde",),
            attributes={"party": "Harbour League"},
        ),
        Person(id="xi", name="Xi He"),
        Person(id="jon", name="Jon Velde", aliases=("Velde",), attributes={"party": "independent"}),
        Person(
            id="rosa", name="Rosa Clown", ambiguous=("Clown",), context=("senator",), attributes={"party": "पहाड़ी संघ"}
        ),
    )
)
NAMES = RosterNames(ROSTER)
LETTERS = st.text("abcdefghijklmnoprstuvwyzáéñöüğçış", min_size=3, max_size=9)
NAME_OF_TWO_WORDS = st.tuples(LETTERS, LETTERS).map(lambda words: " ".join(words).title())


def seen(text: str) -> str:
    """What a head sees, with `*` for a name."""
    return " ".join(NAMES.without(analyse(text).tokens).tokens).replace(NAME, "*")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ana Velde lied", "* lied"),
        ("Ana Velde's lies", "* s lies"),
        ("Velde lied", "* lied"),  # whichever of the two
        ("@ana_velde lied", "* lied"),
        ("RT @ana_velde: Ana Velde lied", "rt * lied"),
        ("#AnaVelde lied", "* lied"),
        ("#VoteAnaVelde now", "* vote * now"),
        ("The Harbour League lied", "the * lied"),
        ("#HarbourLeague lied", "* lied"),
        ("the harbour and its league", "the harbour and its league"),
        ("an independent inquiry", "an independent inquiry"),
        ("पहाड़ी संघ झूठा है", "* झूठा है"),
        ("what a clown", "what a clown"),
        ("senator Clown lied", "senator * lied"),
        ("Rosa Clown is a clown", "* is a *"),
        ("", ""),
    ],
)
def test_a_name_is_hidden_where_it_is_used_as_one(text: str, left: str) -> None:
    assert seen(text) == left


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@user1 @ana_velde you lied", "* you lied"),
        ("@kestrel_77 you lied", "you lied"),
        ("@kestrel_77 @harbourlight you lied @kestrel_77", "you lied"),
        ("RT @kestrel_77: you lied", "you lied"),
        ("RT @ana_velde: you lied", "rt * you lied"),
        ("rt you lied", "rt you lied"),
        ("you and @kestrel_77 lied", "you and * lied"),
        ("you, @kestrel_77 and @harbourlight lied", "you * and * lied"),
        ("you, @kestrel_77, @harbourlight lied", "you * lied"),
        ("#Debate @kestrel_77 you lied #Vote2026 @harbourlight", "#debate debate you lied #vote2026 vote 2026"),
        ("@kestrel_77", ""),
        ("@fr33_j0hn and @soooo_x said @m4r1a", "and * said"),
        ("5 @ 3", "5 3"),
        ("", ""),
    ],
)
def test_whom_a_post_answers_is_not_said(text: str, said: str) -> None:
    assert " ".join(NAMES.said(analyse(text).tokens).tokens).replace(NAME, "*") == said


def test_linear_heads_learn_what_they_score() -> None:
    texts = ["@kestrel_77 you lied", "RT @kestrel_77: she said @harbourlight lied @m4r1a", "lied"]
    learnt = linear_rows.tokens(texts)
    assert learnt == [("you", "lied"), ("she", "said", NAME, "lied"), ("lied",)]
    assert learnt == [as_scored(analyse(text).tokens) for text in texts]


def test_what_is_said_stands_where_it_stood_in_title_and_text() -> None:
    read = NAMES.said(("@k", "k", "about", "@k", "k"), ("so", "@l", "l", "lied", "@k", "k"))
    assert read.tokens == ("about", "so", NAME, "lied")
    assert list(read.origins) == [2, 5, 7, 8]


HANDLE = st.from_regex(r"@[a-z][a-z0-9_]{1,14}", fullmatch=True)


@given(st.lists(HANDLE, max_size=3), st.lists(LETTERS, min_size=1, max_size=8), st.lists(HANDLE, max_size=3))
def test_handles_around_a_post_are_as_if_they_were_not_there(
    before: list[str], words: list[str], behind: list[str]
) -> None:
    plain = analyse(" ".join(words)).tokens
    framed = analyse(" ".join((*before, *words, *behind))).tokens
    assert NOBODY.said(framed).tokens == NOBODY.said(plain).tokens


def test_names_are_told_in_title_and_text_apart() -> None:
    read = NAMES.without(("about", "ana"), ("velde", "lied"))
    assert read.tokens == ("about", "ana", NAME, "lied")
    assert list(read.origins) == [0, 1, 2, 3]


def test_without_a_roster_nothing_is_hidden() -> None:
    tokens = analyse("Ana Velde of the Harbour League lied").tokens
    assert NOBODY.without(tokens).tokens == tokens


def test_a_name_has_no_bucket_but_takes_its_room() -> None:
    found = features([["she", NAME, "lied"], [NAME]], HashKey.from_seed(1))
    silent = [int((buckets[found.starts[1] : found.starts[2]] != NOTHING).sum()) for buckets in found.characters]
    assert silent == [0, 0, 0, 0]
    assert (found.words == NOTHING).tolist() == [False, True, False, True]
    assert (found.pairs == NOTHING).all()
    assert found.sizes[1] == 4 * len(NAME)


def assessed(roster: Roster, text: str, *, title: str = "", lang: str = "en") -> Assessment:
    post = Post(source="s", native_id="1", text=text, title=title, published_at=NOW, collected_at=NOW)
    one = Assessment(post=post, lang=lang, tokens=analyse(text).tokens, title_tokens=analyse(title).tokens)
    return LinearHeads(HEADS, names=RosterNames(roster), examples=EXAMPLES).classify([one])[0]


@settings(max_examples=40, deadline=None)
@given(
    name=NAME_OF_TWO_WORDS,
    party=NAME_OF_TWO_WORDS,
    post=st.sampled_from(
        [
            ("en", "{name} of the {party} is a stupid bitch, women belong in the kitchen"),
            ("en", "I will burn the house of {name} down, the {party} will see"),
            ("de", "{name} ist ein Idiot, und nur ein Idiot wählt {party}"),
        ]
    ),
)
def test_a_post_scores_the_same_whatever_candidate_and_party_are_called(
    name: str, party: str, post: tuple[str, str]
) -> None:
    assume(len(analyse(f"{name} {party}").tokens) == 4)
    lang, text = post
    scores = []
    for person, group in ((name, party), ("Edrik Wallobein", "Hafenliga")):
        roster = Roster(people=(Person(id="one", name=person, attributes={"party": group}),))
        found = assessed(roster, text.format(name=person, party=group), title=person, lang=lang)
        scores.append((found.scores, [flag.code for flag in found.flags]))
    assert scores[0] == scores[1]


def test_the_words_that_spoke_for_a_flag_are_never_a_name_and_stand_where_they_stood() -> None:
    roster = Roster(people=(Person(id="one", name="Bitch Kitchen", handles=("chatter:bitchkitchen",)),))
    text = "@bitchkitchen you stupid bitch, Bitch Kitchen and women like you belong in the kitchen"
    found = assessed(roster, text)
    words = {text[span.start : span.end] for flag in found.flags for span in flag.spans}
    places = {span.start for flag in found.flags for span in flag.spans}
    assert "bitch" in " ".join(words)
    assert not any(span.start <= text.index("Bitch Kitchen") < span.end for flag in found.flags for span in flag.spans)
    assert min(places) > text.index("you")
    assert found.tokens == analyse(text).tokens


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("You idiot, Ana Velde, go!", "you idiot, they, go!"),
        ("@ana_velde lied", "they lied"),
        ("@somebody lied", "lied"),
        ("The Harbour League... liars", "the they... liars"),
        ("Xi He! He lies to Xi He.", "they! he lies to they."),
    ],
)
def test_an_encoder_reads_one_word_for_every_name(text: str, read: str) -> None:
    assert read_words("", text, names=NAMES).text() == read


def test_the_suites_are_run_beside_a_roster_of_all_whom_they_swap() -> None:
    names = RosterNames(watched())
    for text in ("Hafenliga", "Bergunion", "the Hill Union", "Yazin al-Murhaf", "Greta Hallowin", "सुनयना वेलोद्रा"):
        assert NAME in names.without(analyse(text).tokens).tokens, text
    assert len({person.name for person in watched().people}) == len(watched().people)


def test_names_are_found_in_posts_too_long_to_be_remembered_and_in_posts_seen_before() -> None:
    chatter = ("the", "queue", "was", "long") * 60
    for tokens in (("ana", "velde", "lied"), ("ana", "velde", "lied"), (*chatter, "ana", "velde", "lied")):
        assert NAMES.without(tokens).tokens == (*tokens[:-3], NAME, "lied")


def test_names_within_names_stand_where_they_are_written() -> None:
    roster = Roster(
        people=(Person(id="a", name="Ana Velde Ruiz"), Person(id="b", name="Velde"), Person(id="c", name="Ruiz Ana"))
    )
    tokens = analyse("Velde, say Ana Velde Ruiz Ana and Ruiz Ana Velde Ruiz").tokens
    found = RosterNames(roster).people(tokens)
    assert [(who, one.first, one.last) for who, one in found] == [
        ("b", 0, 0),
        ("a", 2, 4),
        ("c", 4, 5),
        ("c", 7, 8),
        ("a", 8, 10),
    ]


def test_names_are_found_in_time_that_grows_with_the_text() -> None:
    def cost(times: int) -> float:
        tokens = ("ana", "velde") * times
        costs = []
        for _ in range(3):
            began = time.process_time()
            NAMES.people(tokens)
            costs.append(time.process_time() - began)
        return min(costs)

    assert cost(40_000) < 40 * cost(4_000)
