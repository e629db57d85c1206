"""What an encoder learns from in an epoch: which rows, read how, and which rows it never sees."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers.encoder.reading import SOMEBODY
from classifiers.gender import GENDERED
from classifiers.narratives.concepts import concept_languages
from classifiers.narratives.seeds import load_seeds
from classifiers.training.code_rows import code_rows, codes_of
from classifiers.training.encoder.careless import Said, Spoilt, read_otherwise
from classifiers.training.encoder.fit import FitSettings, Progress
from classifiers.training.encoder.lesson import NO_CODE, Lesson, lesson_of
from classifiers.training.encoder.network import Network
from classifiers.training.encoder.recipes import ENCODERS, EncoderRecipe
from classifiers.training.encoder.tasks import Labelled, gather
from classifiers.training.encoder.teachers import ask_teachers, probabilities
from classifiers.training.seed_rows import held_out, is_harm, seed_rows
from classifiers.training.train_encoder import staged
from hustings.errors import ConfigError
from tests.near_copies import near_pairs
from tests.tiny_encoder import tokenizer

WORDS = st.lists(
    st.text(alphabet="abcdeios .,!?नामहم", min_size=1, max_size=9).map(str.strip).filter(bool), max_size=12
)
LANGUAGES = st.sampled_from([*GENDERED, "ta", ""])
EVERYTHING = Spoilt(careless=1.0, nameless=1.0, other_gender=1.0)


def words_only(words: list[str]) -> tuple[str, ...]:
    return tuple(part for word in words for part in word.split())


# ── how a row is read ──


@settings(max_examples=200)
@given(WORDS, LANGUAGES, st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_same_draw_reads_a_row_the_same(
    words: list[str], language: str, seed: int, careless: float, nameless: float, other_gender: float
) -> None:
    said = Said(words_only(words), tuple(range(0, len(words_only(words)), 3)), language)
    spoilt = Spoilt(careless, nameless, other_gender)
    one, again = (read_otherwise(said, spoilt, np.random.default_rng(seed)) for _ in range(2))
    assert one == again
    if not careless:
        assert len(one.split(" ")) == max(1, len(said.words)), "no word is lost and none is added"


@given(WORDS, LANGUAGES, st.integers(0, 2**32))
def test_without_shares_a_row_is_read_as_it_is(words: list[str], language: str, seed: int) -> None:
    said = Said(words_only(words), tuple(range(len(words_only(words)))), language)
    assert read_otherwise(said, Spoilt(), np.random.default_rng(seed)) == said.text


@pytest.mark.parametrize(
    ("words", "names", "read"),
    [
        (("oona", "vell,", "won."), (0, 1), "they they, won."),
        (("said", "vell...”"), (1,), "said they...”"),
        (("nobody", "won"), (), "nobody won"),
    ],
)
def test_a_name_becomes_somebody_with_its_marks(words: tuple[str, ...], names: tuple[int, ...], read: str) -> None:
    assert SOMEBODY == "they"
    assert read_otherwise(Said(words, names, "en"), Spoilt(nameless=1.0), np.random.default_rng(1)) == read


def test_a_row_is_read_of_the_other_gender_where_that_is_known() -> None:
    draw, spoilt = np.random.default_rng(1), Spoilt(other_gender=1.0)
    assert read_otherwise(Said(("she", "lost", "her", "seat"), (), "en"), spoilt, draw) == "he lost his seat"
    assert read_otherwise(Said(("she", "lost"), (), "ta"), spoilt, draw) == "she lost"


TOWN = Said(("it", "is", "no", "vote", "for", "the", "mayor", "of", "this", "town."), (), "en")


def read_carelessly(many: int) -> list[str]:
    return [read_otherwise(TOWN, Spoilt(careless=1.0), np.random.default_rng(seed)) for seed in range(many)]


def test_a_careless_row_differs_in_some_words_and_short_words_stay() -> None:
    read = [text.split() for text in read_carelessly(200)]
    changed = [sum(word not in words for word in TOWN.words) for words in read]
    assert 1 < np.mean(changed) < 4
    assert all(words[:3] == ["it", "is", "no"] and "of" in words for words in read)


def test_a_careless_row_is_read_as_the_analyser_reads_it_and_hidden_letters_are_gaps() -> None:
    read = read_carelessly(200)
    assert not any(sign in text for text in read for sign in "*_")
    assert any(gap in f" {text}" for text in read for gap in (" m yor", " ma or", " may r", " v te", " vo e", " f r "))


def test_every_third_careless_row_is_shouted() -> None:
    assert 0.2 < np.mean([text.endswith("!") for text in read_carelessly(200)]) < 0.4


# ── which rows an epoch has ──

MANY, CODED = 23, (0, 7, 20)


def lesson(
    *,
    share: float = 0.3,
    spoilt: Spoilt = EVERYTHING,
    coded: tuple[int, ...] = CODED,
    familiar: tuple[int, ...] | None = None,
    among: tuple[int, ...] | None = None,
) -> Lesson:
    said = [Said(("women", "kill", "love"), (), "en")] * MANY
    codes = np.full(MANY, NO_CODE)
    codes[list(coded)] = 1
    labels = np.full((MANY, 1), np.nan, dtype=np.float32)
    network = Network(None, Tokenizer.from_buffer(tokenizer()))
    known, some = (None if rows is None else np.isin(np.arange(MANY), rows) for rows in (familiar, among))
    return lesson_of(
        network,
        said,
        labels,
        [1.0],
        codes if coded else None,
        share=share,
        spoilt=spoilt,
        seed=5,
        familiar=known,
        among=some,
    )


@settings(max_examples=50)
@given(st.floats(0.05, 1), st.sampled_from([(), CODED, tuple(range(MANY - 1))]))
def test_all_rows_with_a_code_are_read_in_each_epoch_and_the_others_by_turns(
    share: float, coded: tuple[int, ...]
) -> None:
    taught = lesson(share=share, coded=coded)
    others = MANY - len(coded)
    many = taught.rows_an_epoch - len(coded)
    assert many == round(share * others)
    epochs = [taught.read(epoch).rows for epoch in range(6)]
    assert all(len(rows) == taught.rows_an_epoch and set(coded) <= set(rows) for rows in epochs)
    turns = Counter(row for rows in epochs for row in rows if row not in coded)
    assert max(turns.values(), default=0) - min([*turns.values(), *[0] * (others - len(turns))], default=0) <= 1


def test_rows_that_a_former_network_has_learnt_are_read_by_turns_and_new_ones_in_each_epoch() -> None:
    taught = lesson(share=0.5, coded=tuple(range(MANY)), familiar=tuple(range(3, MANY)))
    epochs = [taught.read(epoch).rows for epoch in range(4)]
    assert all(len(rows) == 3 + 10 and {0, 1, 2} <= set(rows) for rows in epochs)
    assert Counter(row for rows in epochs for row in rows if row > 2) == dict.fromkeys(range(3, MANY), 2)


@given(st.floats(0.05, 1), st.sets(st.integers(0, MANY - 1), min_size=1), st.sampled_from([(), CODED]))
def test_a_teacher_never_reads_a_row_that_it_is_asked_about(
    share: float, among: set[int], coded: tuple[int, ...]
) -> None:
    taught = lesson(share=share, coded=coded, among=tuple(among))
    for epoch in range(4):
        rows = taught.read(epoch).rows
        assert set(coded) & among <= set(rows) <= among
        assert len(rows) == taught.rows_an_epoch


@pytest.mark.parametrize("spoilt", [Spoilt(), EVERYTHING])
def test_an_epoch_is_the_same_whenever_it_is_asked(spoilt: Spoilt) -> None:
    one, again = lesson(spoilt=spoilt), lesson(spoilt=spoilt)
    later = [again.read(epoch) for epoch in (3, 1, 2)]
    assert [one.read(epoch) for epoch in (3, 1, 2)] == later
    assert one.read(1).rows != one.read(2).rows


def test_rows_are_spelt_anew_in_each_epoch_or_always_as_they_are() -> None:
    plain = [piece for epoch in range(4) for piece in lesson(share=1.0, spoilt=Spoilt()).read(epoch).pieces]
    spoilt = [tuple(piece) for epoch in range(4) for piece in lesson(share=1.0).read(epoch).pieces]
    assert plain == [plain[0]] * len(plain)
    assert len(set(spoilt)) > 3


# ── teachers ──


@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(0, 4)), elements=st.floats(-50, 50)), st.integers(0, 4)
)
def test_tasks_are_likely_each_by_itself_and_codes_together(found: NDArray[np.float64], tasks: int) -> None:
    tasks = min(tasks, found.shape[1])
    likely = probabilities(found, tasks=tasks)
    assert likely.shape == found.shape
    assert ((likely >= 0) & (likely <= 1)).all()
    assert np.allclose(likely[:, :tasks], 1 / (1 + np.exp(-found[:, :tasks])), atol=1e-6)
    if tasks < found.shape[1]:
        assert np.allclose(likely[:, tasks:].sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("count", "said"), [(1, "1 teachers"), (3, "3 teachers")])
def test_too_few_teachers_and_too_few_rows_for_them_are_refused_before_any_is_trained(count: int, said: str) -> None:
    said_twice = [Said(("close", "the", "harbour", "now"), (), "en")] * 4 + [Said(("votes", "count"), (), "en")]
    rows = Labelled(said_twice, np.zeros((5, 1), dtype=np.float32), None, np.zeros(5, dtype=bool), ())
    with pytest.raises(ConfigError, match=f"{said}: each is asked about rows that it did not learn; 2 to 2"):
        ask_teachers(
            lambda number: pytest.fail("one was opened"),
            rows,
            [1.0],
            FitSettings(teachers=count),
            seed=1,
            of="",
            checkpoint=Path("never"),
            progress=Progress(step=lambda done, of, loss: None, epoch=lambda epoch: None),
        )


# ── seeds ──


@pytest.mark.parametrize("language", concept_languages())
def test_a_fifth_of_the_seeds_is_held_out_of_harm_and_of_the_rest(language: str) -> None:
    rows, held = seed_rows(language).rows, held_out(language)
    assert len(rows) == len(held)
    for kind in (True, False):
        chosen = np.array([is_harm(one.code) == kind for one in rows])
        assert 0.15 < held[chosen].mean() < 0.25
    held_out.cache_clear()
    assert np.array_equal(held, held_out(language))


def test_near_copies_among_seeds_are_held_out_together() -> None:
    rows, held = seed_rows("en").rows, held_out("en").tolist()
    side: dict[str, set[bool]] = {}
    for one, is_held in zip(rows, held, strict=True):
        side.setdefault(one.text, set()).add(is_held)
    pairs = near_pairs([one.text for one in rows])
    assert pairs
    assert [(one, other) for one, other in pairs if side[one] | side[other] not in ({True}, {False})] == []


def test_an_encoder_learns_every_seed_that_is_not_held_out_with_its_code() -> None:
    found = gather((), lambda name, use: pytest.fail(f"no task asks for {name}"), "mul", coded=code_rows(["es", "hi"]))
    learnt = {
        language: [one for one, held in zip(seed_rows(language).rows, held_out(language), strict=True) if not held]
        for language in ("es", "hi")
    }
    assert found.codes is not None
    names = codes_of(code_rows(["es", "hi"]))
    assert [names[place] for place in found.codes] == [one.code for rows in learnt.values() for one in rows]
    assert Counter(one.language for one in found.said) == {language: len(rows) for language, rows in learnt.items()}
    assert [one.file for one in found.datasets] == ["classifiers/seeds/es.toml", "classifiers/seeds/hi.toml"]
    assert found.labels.shape == (len(found.said), 0)


# ── corpora of which a fifth is held out ──

POSTS = list(load_seeds("hi").ordinary[:60])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two corpora of the same 60 posts, as they are staged; every third post is abuse."""
    for name, columns in (("uli/hi_train.csv.gz", ("text", "l1")), ("edos/dev.csv", ("text", "label_sexist"))):
        rows = io.StringIO(newline="")
        writer = csv.writer(rows)
        writer.writerow(columns)
        for number, post in enumerate(POSTS):
            is_abuse = number % 3 == 0
            writer.writerow([post, int(is_abuse) if columns[1] == "l1" else "sexist" if is_abuse else "not sexist"])
        raw = rows.getvalue().encode()
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return tmp_path


def recipe() -> EncoderRecipe:
    served = {"uli-hi": "G-hi", "edos-sexist": "G-en"}
    whole = ENCODERS["encoder-mul"]
    tasks = [task for task in whole.tasks if task.corpus in served]
    return whole._replace(tasks=tuple(task._replace(head=served[task.corpus]) for task in tasks))


def test_of_a_corpus_on_which_its_own_task_is_measured_a_fifth_is_held_out(data: Path) -> None:
    material = staged(recipe(), data, {}, seed=1)
    learnt, measured = material.read("uli-hi", "training"), material.read("uli-hi", "measuring")
    assert sorted([*learnt.texts, *measured.texts]) == sorted(POSTS)
    assert len(measured.texts) == pytest.approx(len(POSTS) / 5, abs=2)
    assert (learnt.dataset.use, learnt.dataset.file) == ("training", "uli/hi_train.csv.gz")
    assert (measured.dataset.use, measured.dataset.file) == ("measuring", "uli/hi_train.csv.gz (held-out fifth)")
    for half in (learnt, measured):
        assert (half.dataset.rows, half.dataset.positives) == (len(half.texts), sum(half.labels))
        assert half.labels == [int(POSTS.index(text) % 3 == 0) for text in half.texts]


def test_another_corpus_stays_whole(data: Path) -> None:
    assert staged(recipe(), data, {}, seed=1).read("edos-sexist-dev", "measuring").texts == POSTS
