"""Vectors of texts: what is read, and that neighbours change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.embed import Embedder, load_embedder, words_of
from classifiers.signing import ANYBODY
from hustings.errors import ModelError
from tests.tiny_encoder import head, write_embedder, write_encoder


@pytest.fixture
def embedder(tmp_path: Path) -> Embedder:
    """The tiny network: `women` points along the first dimension, `kill` mostly along the second."""
    found = load_embedder([write_embedder(tmp_path / "embed-en")], "en", signers=ANYBODY)
    assert found is not None
    return found


def test_texts_of_one_meaning_are_near_and_others_are_not(embedder: Embedder) -> None:
    women, more_women, kill = embedder.vectors(["women", "Women, WOMEN!", "kill"])
    assert women @ more_women == pytest.approx(1.0)
    assert women @ kill < 0.5


def test_vectors_have_length_one_and_an_empty_text_has_none(embedder: Embedder) -> None:
    assert np.linalg.norm(embedder.vectors(["women kill", "", "love"]), axis=1) == pytest.approx([1.0, 0.0, 1.0])
    assert embedder.vectors([]).shape == (0, 2)


def test_neighbours_never_change_a_vector(embedder: Embedder) -> None:
    texts = ["women", "kill kill", "love bitch women"]
    alone = [embedder.vectors([text])[0] for text in texts]
    assert np.array_equal(embedder.vectors(texts), np.stack(alone))


def test_disguises_are_repaired_and_names_within_handles_are_read() -> None:
    assert words_of("@ana_lima v0te https://example.org/x #StopTheCount") == "ana lima vote stop the count"


def test_another_language_or_kind_is_not_taken(tmp_path: Path) -> None:
    folders = [write_embedder(tmp_path / "embed-en"), write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0),))]
    assert load_embedder(folders, "hi", signers=ANYBODY) is None
    assert load_embedder(folders[1:], "en", signers=ANYBODY) is None


def test_an_unsigned_embedder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not signed"):
        load_embedder([write_embedder(tmp_path / "embed-en")], "en")
