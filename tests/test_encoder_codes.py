"""An encoder that reads narratives: what its last outputs mean, which encoder is asked, and by whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.heads import pack_heads
from classifiers.encoder.model import Encoder, encoder_finder, load_encoder, pack_codes
from classifiers.manifest import Calibration
from classifiers.narratives.sense import OpenEncoder, Sense, SenseSettings
from classifiers.signing import ANYBODY
from hustings.errors import ModelError
from tests.tiny_encoder import CODE_WEIGHTS, READ_AS, head, write_encoder, write_reader


@pytest.fixture
def reader(tmp_path: Path) -> Encoder:
    return load_encoder(write_reader(tmp_path / "encoder-mul@1"), signers=ANYBODY)


@pytest.mark.parametrize("text", ["kill", "love women", "kill kill love", "zebra", ""])
def test_how_likely_each_code_is_adds_up_to_one_and_no_head_counts(reader: Encoder, text: str) -> None:
    shares = reader.shares(text)
    logits = sum((np.array(CODE_WEIGHTS.get(word, CODE_WEIGHTS["unknown"])[1:]) for word in text.split()), np.zeros(3))
    assert shares.tolist() == pytest.approx((np.exp(logits) / np.exp(logits).sum()).tolist(), abs=1e-6)
    assert shares.sum() == pytest.approx(1.0)
    assert reader.codes == READ_AS


def test_an_encoder_without_codes_knows_none(tmp_path: Path) -> None:
    assert load_encoder(write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0),)), signers=ANYBODY).codes == ()


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (b"", "codes.json"),
        (b'{"N": 1}', "Expected `array`"),
        (b"[1, 2]", "Expected `str`"),
        (pack_codes([]), "needs two codes or more, each once"),
        (pack_codes(["N"]), "needs two codes or more, each once"),
        (pack_codes(["N", "X", "N"]), "needs two codes or more, each once"),
        (pack_codes(["N", "X", "G", "A"]), "1 heads and 4 codes, the network has 4 outputs"),
    ],
)
def test_codes_that_are_no_codes_of_this_network_are_refused(tmp_path: Path, codes: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        load_encoder(write_reader(tmp_path / "encoder-mul", codes=codes), signers=ANYBODY)


def test_a_head_may_not_speak_by_the_output_of_a_code(tmp_path: Path) -> None:
    folder = write_reader(tmp_path / "encoder-mul", heads=pack_heads((head("G", "G-en", 3),))[0])
    with pytest.raises(ModelError, match="G is output 3, the network has 4, the last 3 are codes"):
        load_encoder(folder, signers=ANYBODY)


# ── which encoder ──


def test_the_encoder_with_that_network_is_found_whatever_its_version(tmp_path: Path, reader: Encoder) -> None:
    folders = [
        write_encoder(tmp_path / "encoder-en@1", (head("G", "G-en", 0),)),
        *(write_reader(tmp_path / name) for name in ("encoder-mul@2", "encoder-mul@3")),
    ]
    find = encoder_finder(folders, signers=ANYBODY)
    found = find(reader.network)
    assert found is not None
    assert found.label == "encoder-mul@2"
    assert find("0" * 64) is None
    assert encoder_finder((), signers=ANYBODY)(reader.network) is None


def test_a_bad_encoder_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = write_reader(tmp_path / "encoder-mul")
    sha256 = load_encoder(folder, signers=ANYBODY).network
    (folder / "codes.json").write_bytes(pack_codes(["N", "X"]))
    find = encoder_finder([folder], signers=ANYBODY)
    with pytest.raises(ModelError, match=r"codes\.json"):
        find(sha256)
    unsigned = encoder_finder([folder])
    with pytest.raises(ModelError, match="not signed"):
        unsigned(sha256)


# ── asking it ──


def sense(open_encoder: OpenEncoder, codes: tuple[str, ...] = READ_AS) -> Sense:
    calibration = Calibration(slope=1.0, intercept=0.0)
    return Sense(SenseSettings("encoder-mul@1", "5" * 64, 0.5, 0.1, calibration, 0.5), codes, open_encoder)


def test_an_answer_has_the_order_of_the_codes_that_are_asked_about(reader: Encoder) -> None:
    asked = ("X-COUNTER", "N-PROC-DATE")
    shares = sense(lambda network: reader, asked).shares("kill")
    assert shares is not None
    assert shares.tolist() == reader.shares("kill")[[1, 0]].tolist()


def test_the_encoder_is_opened_by_its_network_with_the_first_question_alone(reader: Encoder) -> None:
    opened: list[str] = []

    def open_encoder(network: str) -> Encoder | None:
        opened.append(network)
        return reader if len(opened) == 1 else None

    asked = sense(open_encoder)
    assert opened == []
    assert [asked.shares(text) is None for text in ("kill", "love")] == [False, False]
    assert opened == ["5" * 64]


def test_without_an_encoder_nobody_can_tell() -> None:
    asked = sense(lambda network: None)
    assert [asked.shares(text) for text in ("kill", "love")] == [None, None]


def test_an_encoder_that_does_not_know_a_code_is_refused(reader: Encoder) -> None:
    with pytest.raises(ModelError, match=r"asked about \['N-INCITE'\]; it knows \('N-PROC-DATE'"):
        sense(lambda network: reader, ("N-PROC-DATE", "N-INCITE")).shares("kill")
