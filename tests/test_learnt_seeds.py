"""Which seeds are held out when seeds are added: never one that the shipped encoder has learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.codes import load_code_readers, pack_codes
from classifiers.pipeline import shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import serving
from classifiers.training.code_rows import ABUSE, code_rows
from classifiers.training.continue_code_reader import continue_code_reader
from classifiers.training.encoder.fit import Progress
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.learnt_seeds import (
    NOTHING,
    RECORD,
    Divided,
    LearntSeeds,
    divide,
    is_known,
    pack_record,
    read_record,
    recorded,
)
from classifiers.training.make_code_reader import settle_code_reader
from classifiers.training.order import Order
from classifiers.training.settled_beside import encoder_that_learnt
from hustings.errors import ConfigError, ModelError
from tests.tiny_encoder import write_reader

RECIPE = ENCODERS["encoder-mul"]
KEYS = [*RECIPE.narratives, *(f"{ABUSE}{language}" for language in RECIPE.abuse)]
WORDS = ["harbour", "ballot", "garden", "river", "clerk", "school", "lantern", "window", "copper", "violin"]
SENTENCES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=4, max_size=8).map(" ".join), min_size=1, max_size=12, unique=True
)
QUIET = Progress(step=lambda done, of, loss: None, epoch=lambda epoch: None)


def record(texts: list[str], held: list[bool]) -> Divided:
    return read_record(pack_record("5" * 64, {"en": (texts, np.array(held))}), "a test").of("en")


@given(SENTENCES, st.data())
def test_what_was_learnt_is_never_held_out_whatever_is_added(texts: list[str], data: st.DataObject) -> None:
    held = divide(texts, NOTHING).tolist()
    known = record(texts, held)
    added = data.draw(SENTENCES)
    whole = data.draw(st.permutations([*texts, *(one for one in added if one not in texts)]))
    later = dict(zip(whole, divide(whole, known).tolist(), strict=True))
    assert [one for one, is_held in zip(texts, held, strict=True) if later[one] and not is_held] == []


@given(SENTENCES)
def test_nothing_changes_while_nothing_is_added(texts: list[str]) -> None:
    held = divide(texts, NOTHING)
    for known in (NOTHING, record(texts, held.tolist())):
        assert np.array_equal(divide(texts, known), held)
        assert np.array_equal(divide(texts[::-1], known), held[::-1])


def test_a_near_copy_goes_where_what_it_is_like_went() -> None:
    learnt, held = "the harbour clerk lost every ballot of the school", "nobody counts by the light of a copper lantern"
    known = record([learnt, held], [False, True])
    copies = [f"{learnt} today", f"{held} today"]
    assert divide([*copies, learnt, held], known).tolist() == [False, True, False, True]
    bridge = f"{held} {learnt}"
    assert divide([held, bridge, learnt], known).tolist() == [False, False, False]
    assert [is_known(one, known) for one in (learnt, held, copies[0])] == [True, False, False]


def test_of_what_is_new_a_fifth_is_held_out_by_itself() -> None:
    texts = [f"{number * 7919} {number * 104729} {number * 1299709}" for number in range(3000)]
    held = divide(texts, NOTHING)
    assert held.mean() == pytest.approx(0.2, abs=0.03)
    assert np.array_equal(divide(texts[::3], NOTHING), held[::3])


def test_the_record_is_of_the_shipped_encoder() -> None:
    (reader,) = load_code_readers(serving(shipped_models()).values())
    assert recorded().network == reader.network
    assert set(recorded().seeds) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_shipped_encoder_learnt_nothing_that_is_held_out_now(key: str) -> None:
    (part,) = code_rows([], [key.removeprefix(ABUSE)]) if key.startswith(ABUSE) else code_rows([key])
    known = recorded().of(key)
    assert known.learnt
    assert not known.learnt & known.held_out
    held = part.held.tolist()
    texts = part.recorded
    assert [text for text, is_held in zip(texts, held, strict=True) if is_held and is_known(text, known)] == []
    kept = Divided(known.held_out, frozenset())
    still = [is_held for text, is_held in zip(texts, held, strict=True) if is_known(text, kept)]
    assert np.mean(still) > 0.99, "what was held out stays so, but for near-copies of what was learnt"


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'{"network": "5"}', b'{"network": "5", "seeds": {"en": {"learnt": ["abcdefg"], "held_out": []}}}'],
)
def test_a_record_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^a test: "):
        read_record(raw, "a test")


def test_a_language_without_a_record_has_learnt_nothing() -> None:
    assert LearntSeeds("", {}).of("de") == NOTHING


# ── what cannot be trained on ──


def trained_on(name: str, former: Path, folder: Path) -> None:
    continue_code_reader(
        ENCODERS[name],
        former,
        lambda name, use: pytest.fail(f"nothing need be read to refuse it, least of all {name}"),
        folder / "encoder-mul",
        Order(folder, folder, "2", "a test", "2026-11-26", seed=1),
        checkpoint=folder / "checkpoint",
        progress=QUIET,
        signers=ANYBODY if former.parent == folder else None,
    )


def test_an_encoder_of_a_code_that_no_seed_has_is_not_trained_on(tmp_path: Path) -> None:
    former = write_reader(tmp_path / "encoder-mul", codes=pack_codes(("N-PROC-DATE", "X-OLD", "ordinary")))
    with pytest.raises(ConfigError, match=r"reads 3 codes, of which the seeds no longer give X-OLD\. Train it from"):
        trained_on("encoder-mul", former, tmp_path)


def test_an_encoder_that_speaks_beside_linear_heads_is_not_trained_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="encoder-en: no recipe to train it on"):
        trained_on("encoder-en", shipped_models() / "encoder-en", tmp_path)


def test_an_encoder_of_other_codes_is_not_settled_anew(tmp_path: Path) -> None:
    former = write_reader(tmp_path / "encoder-mul", codes=pack_codes(("N-PROC-DATE", "X-OLD", "ordinary")))
    order = Order(tmp_path, tmp_path, "2", "a test", "2026-11-28", seed=1)
    with pytest.raises(ConfigError, match=r"encoder-mul: reads other codes than the seeds give; train it on: --base "):
        settle_code_reader(
            ENCODERS["encoder-mul"],
            former,
            lambda name, use: pytest.fail(f"nothing need be read to refuse it, least of all {name}"),
            tmp_path / "anew",
            order,
            signers=ANYBODY,
        )
    assert not (tmp_path / "anew").exists()


def test_an_encoder_that_nobody_vouches_for_is_not_trained_on(tmp_path: Path) -> None:
    former = write_reader(tmp_path / "strangers" / "encoder-mul")
    with pytest.raises(ModelError, match=r"signature|signed"):
        trained_on("encoder-mul", former, tmp_path)


def test_without_the_record_of_a_network_it_is_not_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = LearntSeeds("5" * 64, recorded().seeds)
    monkeypatch.setattr("classifiers.training.learnt_seeds.recorded", lambda: other)
    refused = pytest.raises(ConfigError, match=rf"{RECORD} is the record of a network with SHA-256 5{{64}}")
    with refused:
        trained_on("encoder-mul", shipped_models() / "encoder-mul", tmp_path)
    with refused:  # nor is anything settled beside it
        encoder_that_learnt([])
