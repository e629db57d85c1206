"""What an encoder that reads codes is given of a post: words put right, and which of them at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.readable import Readable
from classifiers.encoder.windows import sentence_starts, sentences, windows
from classifiers.gender import GENDERED, one_gender
from classifiers.roster_names import NOBODY, RosterNames
from classifiers.spelling import Spelling
from hustings.roster import Person, Roster
from hustings.text import analyse

WORDS = Spelling(["ballot", "monday", "vote", "fraud", "came", "tanto", "tonto"])
ROSTER = RosterNames(Roster(version="1", people=(Person(id="p", name="Oona Vell", handles=("@oonavell",)),)))


def readable(*parts: str, language: str = "en", names: RosterNames = NOBODY) -> Readable:
    return Readable(*parts, language=language, spelling=WORDS, names=names)


# ── words ──


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("The fr*ud, on Modnay!!!", "the fraud, on monday."),
        ("a ball0t?? #fraud #Blalot", "a ballot? fraud ballot"),
        ("the v.te. Vote…", "the vote. vote…"),
        ("vote?!! vote!", "vote? vote."),
        ("the fr ud, the fr, ud", "the fr ud, the fr, ud"),  # a blank hides nothing
        ("@fr*ud @monady fr*ud", "ud they fraud"),
        ("", ""),
    ],
)
def test_careless_spellings_are_read_as_the_words_that_they_stand_for_and_marks_once_and_quietly(
    text: str, read: str
) -> None:
    assert readable(text).text(0, 99) == read


def test_a_title_and_a_text_are_never_joined() -> None:
    assert readable("fr", "ud came").text(0, 9) == "fr ud came"


@pytest.mark.parametrize("word", ["tonta", "tonto"])
def test_a_word_that_agrees_with_a_gender_is_a_word_and_is_read_as_of_men(word: str) -> None:
    assert readable(f"qué {word}", language="es").text(0, 9) == "que tonto"


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(GENDERED))
def test_without_words_to_put_right_it_is_what_the_analyser_wrote_read_as_of_men(
    title: str, text: str, language: str
) -> None:
    read = Readable(title, text, language=language, spelling=Spelling([])).text(0, 999)
    assert read == one_gender(read, language)
    assert readable(title, text, language=language).text(0, 0) == ""


# ── which of them at once ──

LONG = "Oona Vell came by with tea and cake and stories of the sea. " * 2
CLAIM = "The vote is moved to Monday, says Oona Vell."


def test_of_a_long_post_each_sentence_is_read_by_itself_whoever_is_named() -> None:
    title, text = "Good morning from the old harbour, everybody", LONG + CLAIM
    post = readable(title, text, names=ROSTER)
    tokens = ROSTER.said(analyse(title).tokens, analyse(text).tokens).tokens
    read = [post.text(*window) for window in post.windows(tokens)]
    assert read == [
        "good morning from the old harbour, everybody",
        "they came by with tea and cake and stories of the sea.",
        "they came by with tea and cake and stories of the sea.",
        "the vote is moved to monday, says they.",
    ]


def test_a_short_post_is_read_as_a_whole() -> None:
    assert readable(CLAIM, "Yes. Really.").windows(["word"] * 11) == [(0, 11)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("The vote is moved to Monday #Vote2026 #Debate", ["the vote is moved to monday"]),
        ("#Debate: the vote is moved to Monday!", ["the vote is moved to monday."]),
        ("#Debate @kestrel_77 the vote is moved to Monday @harbourlight #Vote", ["the vote is moved to monday"]),
        ("The #vote is moved from today to #Monday", ["the vote is moved from today to"]),
        ("Tell them: #VoteOnMonday", []),
        ("#VoteOnMonday #PassItOn", []),
    ],
)
def test_hashtags_around_a_post_are_read_with_it_and_it_is_read_without_them(text: str, read: list[str]) -> None:
    post = readable(text)
    tokens = ROSTER.said(analyse(text).tokens).tokens
    whole, *others = post.windows(tokens)
    assert whole == (0, len(tokens))
    assert [post.text(*window) for window in others] == read


@pytest.mark.parametrize(
    ("text", "signs", "read"),
    [
        ("🇺🇸 You lie whenever you speak 🇺🇸🇺🇸", True, ["you lie whenever you speak"]),
        ("You lie whenever you speak 😭😭 #Vote2026 💯", True, ["you lie whenever you speak"]),
        ("You lie 😭 whenever you speak", True, []),
        ("You lie whenever you speak 😂😂", False, []),
        ("😭😭 liar 😭", True, []),
    ],
)
def test_signs_around_a_post_are_read_with_it_and_for_abuse_it_is_read_without_them(
    text: str, signs: bool, read: list[str]
) -> None:
    post = readable(text)
    tokens = ROSTER.said(analyse(text).tokens).tokens
    whole, *others = post.windows(tokens, signs=signs)
    assert whole == (0, len(tokens))
    assert [post.text(*window) for window in others] == read


def test_of_a_long_post_the_last_sentence_is_read_with_its_hashtags_and_without() -> None:
    text = f"{LONG}{CLAIM.removesuffix('.')} #Vote2026 #Debate"
    post = readable(text, names=ROSTER)
    read = [post.text(*window) for window in post.windows(ROSTER.said(analyse(text).tokens).tokens)]
    sentence = "the vote is moved to monday, says they"
    assert read[-2:] == [f"{sentence} vote 2026 debate", sentence]


@given(st.integers(0, 400))
def test_windows_hold_all_of_a_post_that_is_read(many: int) -> None:
    places = windows(many)
    assert {place for begin, end in places for place in range(begin, end)} == set(range(min(many, 240)))


@given(st.integers(37, 300), st.lists(st.integers(0, 299), max_size=40))
def test_sentences_hold_all_of_a_post_that_is_read_and_none_is_a_word_or_two(many: int, starts: list[int]) -> None:
    places = sentences(many, starts)
    assert {place for begin, end in places for place in range(begin, end)} == set(range(min(many, 240)))
    assert all(3 <= end - begin <= 36 for begin, end in places)


def test_a_sentence_begins_behind_a_mark_and_a_blank_or_a_line_and_with_each_part() -> None:
    assert sentence_starts("One two. Three\nfour, five", "", "six? Seven #eight") == [0, 2, 3, 5, 6]
    assert sentence_starts("वोट कल है।मत जाना आप") == [0, 3]
    assert sentence_starts("Some 3.5 in N.Y.C, “now.” Then") == [0, 6]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("See you on Thursday 🤔", "see you on thursday"),
        ("Thanks 🙏🏽 to all ❤️, see you", "thanks to all, see you"),
        ("We will find you 🔪", "we will find you 🔪"),
        ("so clever 😂", "so clever 😂"),
    ],
)
def test_signs_of_who_thinks_greets_and_cheers_are_not_read_but_those_that_mock_and_threaten_are(
    text: str, read: str
) -> None:
    readable = Readable(text, language="en", spelling=Spelling(()))
    assert readable.text(0, len(analyse(text).tokens)) == read
