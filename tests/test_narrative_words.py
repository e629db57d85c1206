"""What is known of words is looked up once and remembered; it says the same as asking about every word anew."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.memory import Memory
from classifiers.narratives.concepts import Firsts, Part, load_concepts
from classifiers.narratives.lexicon import NO_PAIR, Lexicon, hashed
from classifiers.narratives.subject import load_subjects
from classifiers.roster_names import NAME
from classifiers.spelling import NOTHING, Spelling

LANGUAGES = ("en", "ar", "hi")
CONCEPTS = {language: load_concepts(language) for language in LANGUAGES}
VOCABULARY = {language: sorted(concepts.whole_words) for language, concepts in CONCEPTS.items()}
SPELLINGS = {language: Spelling(words) for language, words in VOCABULARY.items()}
CORES = {language: load_subjects(concepts).core for language, concepts in CONCEPTS.items()}
LEXICONS = {language: Lexicon(CONCEPTS[language], SPELLINGS[language], CORES[language]) for language in LANGUAGES}


def parts(language: str) -> list[str]:
    """The words that stand for concepts, and those that must follow others for that."""
    words = CONCEPTS[language].whole_words
    phrases = [part.word for word in words for entry in CONCEPTS[language].entries(word) for part in entry.rest]
    return sorted({*words, *phrases})


def posts(language: str) -> st.SearchStrategy[list[str]]:
    word = st.sampled_from(parts(language))
    cut = st.tuples(st.sampled_from(VOCABULARY[language]), st.integers(1, 4)).map(lambda at: at[0][: at[1]])
    rest = st.tuples(st.sampled_from(VOCABULARY[language]), st.integers(1, 4)).map(lambda at: at[0][at[1] :])
    odd = st.text(min_size=1, max_size=6) | st.just(NAME) | cut | rest.filter(bool)
    return st.lists(word | word | odd, max_size=12)


POSTS = st.sampled_from(LANGUAGES).flatmap(lambda language: st.tuples(st.just(language), posts(language)))


@settings(max_examples=300)
@given(POSTS)
def test_concepts_are_those_of_every_word_and_of_what_follows_it(given_post: tuple[str, list[str]]) -> None:
    language, tokens = given_post
    concepts, spelling = CONCEPTS[language], SPELLINGS[language]
    joined = spelling.rejoin(tokens)
    words = [NOTHING if token in (NOTHING, NAME) else spelling.word(token) for token in joined]
    expected = [
        (place, concept)
        for place, word in enumerate(words)
        if word
        for concept, rest in concepts.entries(word, careless=not spelling.knows(word))
        if concepts.goes_on(words, place + 1, rest)
    ]
    terms = LEXICONS[language].terms(tokens)
    assert list(zip(terms.places, terms.concepts, strict=True)) == expected
    assert terms.pairs == tuple(
        hashed(f"{one.stem} {other.stem}") if one and other else NO_PAIR for one, other in pairwise(terms.forms)
    )


@settings(max_examples=300)
@given(POSTS)
def test_a_post_speaks_of_the_matter_if_a_word_does_alone_or_with_those_behind_it(
    given_post: tuple[str, list[str]],
) -> None:
    language, tokens = given_post
    assert LEXICONS[language].speaks(tokens) == any(speaks_at(language, tokens, place) for place in range(len(tokens)))


def speaks_at(language: str, tokens: list[str], place: int) -> bool:
    concepts, spelling, core = CONCEPTS[language], SPELLINGS[language], CORES[language]
    token = tokens[place]
    if token == NAME:
        return False
    word = spelling.word(token)
    entries = concepts.entries(word, careless=not spelling.knows(word))
    if any(concepts.goes_on(tokens, place + 1, entry.rest) for entry in entries if entry.concept in core):
        return True
    if entries or spelling.knows(word) or place + 1 == len(tokens):
        return False
    return any(end.matches(tokens[place + 1]) for end, entry in concepts.ends_of(token) if entry.concept in core)


@settings(max_examples=300)
@given(POSTS)
def test_two_pieces_are_one_word_where_a_word_begins_and_ends_with_them_round_a_hidden_letter(
    given_post: tuple[str, list[str]],
) -> None:
    language, tokens = given_post
    spelling = SPELLINGS[language]
    expected = list(tokens)
    for place in range(len(tokens) - 1):
        one, other = expected[place : place + 2]
        if one and not (spelling.knows(one) and spelling.knows(other)):
            most_hidden = 4 if one[0] >= "\u0900" else 1
            ends = Part(one, True), other
            around = [
                word
                for hidden in range(1, most_hidden + 1)
                for word in VOCABULARY[language]
                if len(word) >= 4 and len(word) == len(one) + len(other) + hidden
                if ends[0].matches(word) and word.endswith(ends[1])
            ]
            if around:
                expected[place : place + 2] = around[0], NOTHING
    assert spelling.rejoin(tokens) == expected


@given(st.lists(st.builds(Part, st.text("ab", min_size=1, max_size=3), st.booleans())), st.text("ab", max_size=4))
def test_parts_asked_all_at_once_match_what_one_of_them_matches(parts: list[Part], token: str) -> None:
    assert Firsts.of(parts).match(token) == any(part.matches(token) for part in parts)


def test_a_memory_asks_once_about_a_word() -> None:
    asked: list[str] = []

    def length(word: str) -> int:
        asked.append(word)
        return len(word)

    lengths = Memory(length)
    assert [*map(lengths.__getitem__, ["vote", "the", "vote"])] == [4, 3, 4]
    assert asked == ["vote", "the"]


def test_a_stream_of_new_words_does_not_fill_a_memory() -> None:
    memory: Memory[int, int] = Memory(lambda number: number + 1)
    assert [memory[number] for number in range(70_000)] == list(range(1, 70_001))
    assert len(memory) < 1 << 16
