"""How narratives are read: careless spellings, features, windows of a long post, and what a sentence means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.encoder.asked import OpenEncoder
from classifiers.encoder.codes import CodeReader, load_code_readers
from classifiers.encoder.readable import ASIDES, Readable
from classifiers.encoder.reading import SOMEBODY, quietly, read_words
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.worth import Topic, Worth
from classifiers.narratives.columns import Network, pack_columns, unpack_columns
from classifiers.narratives.concepts import concept_languages
from classifiers.narratives.decision import Told
from classifiers.narratives.evidence import evidence_of, features_in, places_of
from classifiers.narratives.lexicon import Form, Terms
from classifiers.narratives.reader import Reading
from classifiers.narratives.sense import Sense
from classifiers.narratives.teller import Teller, load_tellers
from classifiers.pipeline import open_pipeline, shipped_models
from classifiers.roster_names import NAME, RosterNames
from classifiers.spelling import NOTHING, Spelling
from classifiers.store import serving
from classifiers.training.given_names import given_names
from classifiers.training.narrative_network import fit_network
from hustings.roster import Person, Roster
from hustings.text import analyse
from runtime.build import codebook

FOLDERS = serving(shipped_models())
TELLERS = {teller.manifest.language: teller for teller in load_tellers(FOLDERS.values())}
SPELLING = Spelling(["ballot", "monday", "vote", "fraud", "मतदान", "the", "form", "from"])
NO_WORDS = Spelling([])


def readable(text: str, language: str = "en", spelling: Spelling = NO_WORDS) -> Readable:
    return Readable(text, language=language, spelling=spelling)


# ── spelling ──


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ("blalot", "ballot"),
        ("b4110t", "b4110t"),
        ("8allot", "8allot"),
        ("ball0t", "ballot"),
        ("v0t3", "vote"),
        ("vtoe", "vote"),
    ],
)
def test_a_careless_spelling_is_read_as_the_word_that_has_its_letters(token: str, word: str) -> None:
    assert SPELLING.word(token) == word


@pytest.mark.parametrize("token", ["form", "from", "the", "teh", "1234", "zebra", "ballots", ""])
def test_words_short_words_figures_and_unknown_words_stay(token: str) -> None:
    assert SPELLING.word(token) == token


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("the fr*ud", ["the", "fraud", NOTHING]),
        ("the mo*day vote", ["the", "monday", NOTHING, "vote"]),
        ("म*न", ["मतदान", NOTHING]),
        ("the vote from monday", ["the", "vote", "from", "monday"]),
    ],
)
def test_a_word_with_a_letter_behind_a_sign_is_put_together_again(text: str, read: list[str]) -> None:
    assert SPELLING.rejoin(analyse(text).tokens) == read


@settings(max_examples=200)
@given(st.lists(st.text(min_size=1, max_size=9), max_size=30))
def test_no_text_breaks_the_spelling_and_no_token_moves(tokens: list[str]) -> None:
    assert len(SPELLING.rejoin(tokens)) == len(tokens)
    assert [SPELLING.word(SPELLING.word(token)) for token in tokens] == [SPELLING.word(token) for token in tokens]


# ── features ──

MANY = 7
FORMS = st.none() | st.builds(
    Form,
    stem=st.sampled_from("abcdef"),
    hashed=st.integers(0, 9),
    word=st.integers(10, 19),
    ends=st.sampled_from([(), (20, 21), (22, 9)]),
)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, MANY - 1)), max_size=25), st.lists(FORMS, max_size=12))
def test_every_feature_stands_somewhere(found: list[tuple[int, int]], forms: list[Form | None]) -> None:
    ordered = sorted(set(found))
    pairs = tuple(40 + place for place in range(len(forms) - 1))
    terms = Terms([place for place, _ in ordered], [concept for _, concept in ordered], tuple(forms), pairs)
    numbers, values = evidence_of(MANY, terms)
    assert len(numbers) == len(values)
    assert set(numbers.tolist()) <= set(places_of(MANY, terms))
    assert numbers.max(initial=0) < features_in(MANY)
    assert (values > 0).all()
    assert float(values @ values) < 1.5 + 1e-5


@pytest.mark.parametrize(("one", "other"), [("morta", "morto"), ("चुकी", "चुका")])
def test_a_woman_and_a_man_are_read_alike(one: str, other: str) -> None:
    lexicon = TELLERS["hi"].reader.lexicon
    assert lexicon.terms([one]).forms == lexicon.terms([other]).forms


# ── columns ──


def network(seed: int = 1) -> Network:
    from scipy.sparse import random as sparse

    rows = sparse(80, 30, density=0.3, format="csr", rng=np.random.default_rng(3))
    codes = np.array(["N-INCITE", "X-REPORT"] * 40)
    return fit_network(rows, codes, np.ones(80), seed=seed)


def test_the_same_rows_give_the_same_network_and_packing_keeps_it_nearly() -> None:
    one, again = network(), network()
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    files = pack_columns(one, {"N-INCITE": 0.25})
    columns = unpack_columns(*files.values(), "here", features=64)
    assert columns.codes == ("N-INCITE", "X-REPORT")
    assert columns.thresholds == (0.25, 0.0)
    known = columns.row_of[one.numbers]
    assert np.abs(columns.inner[known] - one.inner).max() <= np.abs(one.inner).max() / 127
    assert not columns.inner[columns.row_of[63]].any(), "a feature without weights says nothing"


def test_words_that_are_only_names_are_known_by_their_capital_letters() -> None:
    posts = ["They say Oona Vell is out", "Ask Oona Vell about the vote", "The vote is for Oona", "WE ASK WHY"]
    assert given_names(posts) == {"oona", "vell"}


# ── long posts ──

CHATTER = "good morning everyone what lovely weather we have today I baked bread and the children went to the park "


def harm(text: str, language: str = "en") -> float:
    found = told(TELLERS[language], text)
    return found.score if found else 0.0


def test_chatter_around_a_claim_hides_little_of_it() -> None:
    claim = "The election was cancelled, the president signed the decree last night."
    assert harm(claim) - harm(f"{CHATTER * 2}. {claim} {CHATTER * 2}") < 0.15


def test_chatter_alone_says_nothing() -> None:
    assert harm(CHATTER * 6) < 0.2


# ── meaning ──

CLAIM = "The election was cancelled, the president signed the decree last night"
FAR = ["My brother is cooking rice and fish tonight", "I voted this morning and the queue was short"]


def told(teller: Teller, text: str) -> Told | None:
    tokens = analyse(text).tokens
    (worth,) = teller.worth([tokens])
    return teller.tell(tokens, readable(text, teller.manifest.language), worth)


def beside(language: str, open_encoder: OpenEncoder) -> Teller:
    """The shipped teller, with what was settled for it and another way to its encoder."""
    teller = TELLERS[language]
    assert teller.sense is not None
    codes, spelling = teller.reader.columns.codes, teller.reader.lexicon.spelling
    sense = Sense(teller.sense.settings, codes, open_encoder, language=language, spelling=spelling)
    return teller._replace(sense=sense)


@pytest.fixture(scope="module")
def shipped() -> CodeReader:
    (found,) = load_code_readers(FOLDERS.values())
    return found


@pytest.mark.parametrize(("language", "text"), [("en", CLAIM), ("fr", "Le scrutin est annulé, restez chez vous")])
def test_posts_near_a_flag_are_read_by_an_encoder_too(shipped: CodeReader, language: str, text: str) -> None:
    both, alone = told(beside(language, lambda network: shipped), text), told(TELLERS[language], text)
    assert both is not None
    assert alone is not None
    assert both.score != alone.score
    assert (both.reading.begin, both.reading.end) == (alone.reading.begin, alone.reading.end)


class Unasked(NamedTuple):
    """An encoder that knows which posts it is worth asking about, and must not be asked."""

    worth: Mapping[Topic, Worth]
    codes: tuple[str, ...]

    def early(self, text: str, topic: Topic, worth: float) -> float:
        raise AssertionError(f"asked about {text!r}")

    def shares(self, text: str) -> NDArray[np.float32]:
        raise AssertionError(f"asked about {text!r}")


@pytest.mark.parametrize("text", FAR)
def test_other_posts_are_not(shipped: CodeReader, text: str) -> None:
    unasked = cast(CodeReader, Unasked(shipped.worth, shipped.codes))
    found = told(beside("en", lambda network: unasked), text)
    assert found is None or found.score < found.threshold
    with pytest.raises(AssertionError, match="asked about"):
        told(beside("en", lambda network: unasked), CLAIM)


SPEAKS_OF_NOTHING = "show up and you lose your pension"
AMID_CHATTER = " ".join(
    [*["the bread was warm and the sea was calm this morning"] * 3, SPEAKS_OF_NOTHING, "and your job"]
)


def test_a_post_that_speaks_of_nothing_that_columns_know_is_read_by_the_encoder_alone(shipped: CodeReader) -> None:
    assert TELLERS["en"].reader.read(analyse(SPEAKS_OF_NOTHING).tokens, readable(SPEAKS_OF_NOTHING)) is None
    assert told(TELLERS["en"]._replace(sense=None), SPEAKS_OF_NOTHING) is None
    both = told(beside("en", lambda network: shipped), SPEAKS_OF_NOTHING)
    assert both is not None
    assert both.score >= both.threshold
    assert both.reading.code in {"N-PART-CONSEQ", "N-PART"}


def test_of_a_long_one_the_window_is_read_that_is_worth_most(shipped: CodeReader) -> None:
    found = told(beside("en", lambda network: shipped), AMID_CHATTER)
    assert found is not None
    assert found.reading.end - found.reading.begin <= 24
    read = analyse(AMID_CHATTER).tokens[found.reading.begin : found.reading.end]
    assert {"lose", "pension"} <= set(read)


@pytest.mark.parametrize("text", [CLAIM, *FAR])
def test_where_there_is_no_encoder_columns_decide_alone(text: str) -> None:
    alone, without = told(beside("en", lambda network: None), text), told(TELLERS["en"]._replace(sense=None), text)
    assert (alone is None) == (without is None)
    if alone is not None and without is not None:
        assert (alone.score, alone.threshold, alone.reading.code) == (
            without.score,
            without.threshold,
            without.reading.code,
        )


def test_every_teller_asks_the_network_that_is_shipped_which_knows_its_codes(shipped: CodeReader) -> None:
    for teller in TELLERS.values():
        assert teller.sense is not None
        assert teller.sense.settings.network == shipped.network
        assert set(teller.reader.columns.codes) <= set(shipped.codes)


def test_a_pipeline_without_the_network_says_which_models_miss_it() -> None:
    alone = {name: folder for name, folder in FOLDERS.items() if name.startswith("N-")}

    def stale(models: dict[str, Path], *, on: bool = True) -> tuple[str, ...]:
        settings = EncoderSettings(on=on)
        return open_pipeline(
            models=models, roster=Roster(), codebook=codebook(), languages=("en",), encoder=settings
        ).stale

    missing = [f"{teller.label} without the network of encoder-mul" for teller in TELLERS.values()]
    assert list(stale(alone)) == missing
    assert not set(stale(FOLDERS)) & set(missing)
    assert stale(alone, on=False) == (), "nobody is told what they switched off"


# ── two opinions about the same columns ──

READER = TELLERS["en"].reader
PEACEFUL = "The election was cancelled"
"""Names no violence, without which columns may not tell a call to it."""


def only(code: str) -> NDArray[np.float32]:
    return np.array([one == code for one in READER.columns.codes], dtype=np.float32)


def reading(text: str) -> Reading:
    found = READER.read(analyse(text).tokens, readable(text))
    assert found is not None
    return found


def test_what_a_code_must_speak_of_binds_columns_alone() -> None:
    columns_say = reading(PEACEFUL)._replace(shares=only("N-INCITE"))
    assert READER.weighed(columns_say, only("ordinary"), 0.5).margin < -4
    meaning_says = READER.weighed(reading(PEACEFUL)._replace(shares=only("ordinary")), only("N-INCITE"), 0.5)
    assert (meaning_says.code, meaning_says.margin) == ("N-INCITE", pytest.approx(0.0))


def test_each_opinion_has_its_share_of_the_say() -> None:
    own = reading(CLAIM)
    assert READER.weighed(own, only("X-REPORT"), 0.0).margin == pytest.approx(own.margin)
    other = READER.weighed(own, only("X-REPORT"), 1.0)
    assert (other.protected, other.protected_share) == ("X-REPORT", 1.0)
    assert other.margin < -4
    margins = [READER.weighed(own, only("N-PROC-DATE"), share).margin for share in (0.0, 0.3, 0.6, 0.9)]
    assert margins == sorted(margins)


def test_a_code_that_is_half_sure_of_its_list_gives_way_to_the_coarser_one() -> None:
    pair = only("N-PROC-DATE") * 0.45 + only("N-PROC-PLACE") * 0.3 + only("N-PROC-HOW") * 0.25
    found = READER.weighed(reading(CLAIM), pair.astype(np.float32), 1.0)
    assert (found.code, READER.columns.codes[found.column]) == ("N-PROC", "N-PROC-DATE")


# ── what the encoder reads of a post ──

NAMES = ("Oona Vell", "Ibrahim Tessaro", "Dead Poll", "मीना देवी")
ROSTER = RosterNames(
    Roster(people=tuple(Person(id=f"p{place}", name=name, handles=("x:@oona",)) for place, name in enumerate(NAMES)))
)
SAID = st.lists(
    st.sampled_from(
        [*NAMES, "vell", "@oona", "#VoteNow", "b1tch", "https://a.org/x", "the", "…", "وصوّت", "wo\u200bmen"]
    )
    | st.text(st.characters(codec="utf-8", exclude_characters=ASIDES), max_size=9),
    max_size=14,
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("😀", ""),
        ("See you at the poll 👋🏽 ❤️ on Sunday", "see you at the poll on sunday"),
        ("They lied 😂 to us", "they lied 😂 to us"),
        ("🐷 again", "🐷 again"),
    ],
)
def test_a_sign_of_who_greets_or_cheers_is_not_read_but_one_that_mocks_or_likens_is(text: str, read: str) -> None:
    many = len(read_words("", text).tokens)
    assert Readable("", text, language="en", spelling=NO_WORDS).text(0, many) == read


@settings(max_examples=200)
@given(SAID, SAID)
def test_the_encoder_reads_the_tokens_that_the_step_reads(title: str, text: str) -> None:
    words = read_words(title, text, names=ROSTER)
    assert words.tokens == ROSTER.said(analyse(title).tokens, analyse(text).tokens).tokens
    assert len(words.read) == len(words.tokens)
    read = Readable(title, text, language="ta", spelling=NO_WORDS, names=ROSTER)
    assert read.text(0, len(words.tokens)) == quietly(words.text())
    assert [word.text for token, word in zip(words.tokens, words.read, strict=True) if token == NAME] == (
        [SOMEBODY] * words.tokens.count(NAME)
    )


@pytest.mark.parametrize("name", NAMES)
def test_whatever_somebody_who_is_watched_is_called_the_encoder_reads_the_same(name: str) -> None:
    read = Readable(
        f"A warning about {name}!",
        f"It says that {name}, a liar, withdrew",
        language="en",
        spelling=NO_WORDS,
        names=ROSTER,
    )
    assert read.text(0, 99) == "a warning about they. it says that they, a liar, withdrew"
    assert read.text(0, 4) == "a warning about they."


@pytest.mark.parametrize(
    ("language", "woman", "man"),
    [("en", "She lost her seat", "He lost his seat"), ("pt", "A prefeita foi cassada", "O prefeito foi cassado")],
)
def test_the_encoder_reads_of_a_woman_what_it_reads_of_a_man(language: str, woman: str, man: str) -> None:
    assert readable(woman, language).text(0, 9) == readable(man, language).text(0, 9) == man.lower()


@pytest.mark.parametrize("language", concept_languages())
def test_names_of_the_roster_are_nothing_to_read(language: str) -> None:
    lexicon = TELLERS[language].reader.lexicon
    assert lexicon.terms([NAME]).forms == (None,)
    assert not lexicon.speaks([NAME, NAME])
