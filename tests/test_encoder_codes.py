"""An encoder that reads narratives: what its outputs mean, which encoder is asked, and by whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.asked import OpenEncoder
from classifiers.encoder.codes import CodeReader, code_reader_finder, load_code_reader, load_code_readers, pack_codes
from classifiers.linear.features import HASH_SEED, HashKey, word_features
from classifiers.linear.model import pack
from classifiers.manifest import Calibration
from classifiers.narratives.sense import Sense, SenseSettings
from classifiers.signing import ANYBODY
from classifiers.spelling import Spelling
from hustings.errors import ModelError
from tests.tiny_encoder import CODE_WEIGHTS, EVEN_WORTH, READ_AS, head, write_embedder, write_encoder, write_reader


@pytest.fixture
def reader(tmp_path: Path) -> CodeReader:
    return load_code_reader(write_reader(tmp_path / "encoder-mul@1"), signers=ANYBODY)


@pytest.mark.parametrize("text", ["kill", "love women", "kill kill love", "zebra", ""])
def test_how_likely_each_code_is_adds_up_to_one(reader: CodeReader, text: str) -> None:
    shares = reader.shares(text)
    logits = sum((np.array(CODE_WEIGHTS.get(word, CODE_WEIGHTS["unknown"])) for word in text.split()), np.zeros(3))
    assert shares.tolist() == pytest.approx((np.exp(logits) / np.exp(logits).sum()).tolist(), abs=1e-6)
    assert shares.sum() == pytest.approx(1.0)
    assert reader.codes == READ_AS


def test_only_those_that_read_codes_are_loaded_as_such(tmp_path: Path) -> None:
    folders = [
        write_embedder(tmp_path / "embed-en"),
        write_reader(tmp_path / "encoder-mul"),
        write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0),)),
    ]
    assert [one.manifest.name for one in load_code_readers(folders, signers=ANYBODY)] == ["encoder-mul"]
    with pytest.raises(ModelError, match="a reader of codes has the files"):
        load_code_reader(folders[0], signers=ANYBODY)
    with pytest.raises(ModelError, match="kind is 'encoder'"):
        load_code_reader(folders[2], signers=ANYBODY)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (b"", "codes.json"),
        (b'{"N": 1}', "Expected `array`"),
        (b"[1, 2]", "Expected `str`"),
        (pack_codes([]), "needs two codes or more, each once"),
        (pack_codes(["N"]), "needs two codes or more, each once"),
        (pack_codes(["N", "X", "N"]), "needs two codes or more, each once"),
        (pack_codes(["N", "X"]), "2 codes, the network has 3 outputs"),
        (pack_codes(["N", "X", "G", "A"]), "4 codes, the network has 3 outputs"),
    ],
)
def test_codes_that_are_no_codes_of_this_network_are_refused(tmp_path: Path, codes: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        load_code_reader(write_reader(tmp_path / "encoder-mul", codes=codes), signers=ANYBODY)


def test_a_head_for_worth_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"worth-abuse\.i16\.zlib"):
        load_code_reader(write_reader(tmp_path / "encoder-mul", abuse=b"none"), signers=ANYBODY)


# ── which encoder ──


def test_the_encoder_with_that_network_is_found_whatever_its_version(tmp_path: Path, reader: CodeReader) -> None:
    folders = [
        write_encoder(tmp_path / "encoder-en@1", (head("G", "G-en", 0),)),
        *(write_reader(tmp_path / name) for name in ("encoder-mul@2", "encoder-mul@3")),
    ]
    find = code_reader_finder(folders, signers=ANYBODY)
    found = find(reader.network)
    assert found is not None
    assert found.manifest.tag == "encoder-mul@2"
    assert find("0" * 64) is None
    assert code_reader_finder((), signers=ANYBODY)(reader.network) is None


def test_a_bad_encoder_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = write_reader(tmp_path / "encoder-mul")
    sha256 = load_code_reader(folder, signers=ANYBODY).network
    unsigned = code_reader_finder([folder])
    with pytest.raises(ModelError, match="not signed"):
        unsigned(sha256)
    (folder / "codes.json").write_bytes(pack_codes(["N", "X"]))
    find = code_reader_finder([folder], signers=ANYBODY)
    with pytest.raises(ModelError, match=r"codes\.json"):
        find(sha256)


def test_a_spoilt_folder_beside_it_keeps_nobody_from_it(tmp_path: Path, reader: CodeReader) -> None:
    spoilt, good = write_reader(tmp_path / "other"), write_reader(tmp_path / "encoder-mul@2")
    (spoilt / "manifest.json").write_bytes(b"{")
    found = code_reader_finder([spoilt, good], signers=ANYBODY)(reader.network)
    assert found is not None
    assert found.manifest.tag == "encoder-mul@2"


# ── asking it ──


def sense(open_encoder: OpenEncoder, codes: tuple[str, ...] = READ_AS) -> Sense:
    even = Calibration(slope=1.0, intercept=0.0)
    settings = SenseSettings("encoder-mul", "5" * 64, 0.5, 1.0, 2.0, 0.5, even, even, 0.5)
    return Sense(settings, codes, open_encoder, spelling=Spelling([]))


@pytest.mark.parametrize(
    ("margin", "worth", "asked"),
    [(1.0, 0.0, True), (0.0, 2.0, True), (0.9, 0.1, False), (-1.0, 3.9, False), (None, 2.0, True), (None, 1.9, False)],
)
def test_columns_and_worth_say_together_what_is_asked_about_and_worth_alone_where_columns_know_nothing(
    margin: float | None, worth: float, asked: bool
) -> None:
    assert sense(lambda network: None).asks(margin, worth) is asked


def test_posts_are_worth_what_the_encoder_s_head_says(tmp_path: Path) -> None:
    by_bucket = EVEN_WORTH.by_bucket.copy()
    by_bucket[word_features(["kill"], HashKey.from_seed(HASH_SEED)).words] = 7
    folder = write_reader(tmp_path / "encoder-mul", elections=pack(EVEN_WORTH._replace(by_bucket=by_bucket))[0])
    reader = load_code_reader(folder, signers=ANYBODY)
    asked = sense(lambda network: reader)
    found = asked.worth([["kill"], ["kill", "zebra"], ["zebra"], []])
    assert found is not None
    assert found[0] > found[1] > found[2] == found[3] == 0
    assert asked.most_telling([["zebra"], ["kill"], ["love", "kill"]]) == 1
    assert sense(lambda network: None).worth([["kill"]]) is None


def test_an_answer_has_the_order_of_the_codes_that_are_asked_about(reader: CodeReader) -> None:
    asked = ("X-COUNTER", "N-PROC-DATE")
    shares = sense(lambda network: reader, asked).shares("kill")
    assert shares is not None
    assert shares.tolist() == reader.shares("kill")[[1, 0]].tolist()


def test_the_encoder_is_opened_by_its_network_with_the_first_question_alone(reader: CodeReader) -> None:
    opened: list[str] = []

    def open_encoder(network: str) -> CodeReader | None:
        opened.append(network)
        return reader if len(opened) == 1 else None

    asked = sense(open_encoder)
    assert opened == []
    assert [asked.shares(text) is None for text in ("kill", "love")] == [False, False]
    assert opened == ["5" * 64]


def test_without_an_encoder_nobody_can_tell() -> None:
    asked = sense(lambda network: None)
    assert [asked.shares(text) for text in ("kill", "love")] == [None, None]


def test_an_encoder_that_does_not_know_a_code_is_refused(reader: CodeReader) -> None:
    with pytest.raises(ModelError, match=r"asked about \['N-INCITE'\]; it knows \('N-PROC-DATE'"):
        sense(lambda network: reader, ("N-PROC-DATE", "N-INCITE")).shares("kill")
