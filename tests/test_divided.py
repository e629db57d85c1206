"""An encoder whose first layers guess what the whole will say: who is read to the end, and who is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.encoder.codes import CodeReader, load_code_reader, pack_codes
from classifiers.encoder.divided import F64, Begun, DividedSession
from classifiers.encoder.opinions import Opinions
from classifiers.encoder.readable import Readable
from classifiers.manifest import Calibration
from classifiers.meaning.model import MeaningHead, load_meaning_head
from classifiers.narratives.sense import Sense, SenseSettings
from classifiers.signing import ANYBODY
from classifiers.spelling import Spelling
from hustings.errors import ModelError
from tests.tiny_encoder import (
    CODES_FIRST_FILE,
    CODES_NETWORK_FILE,
    NETWORK_FILE,
    READ_AS,
    tokenizer,
    write_meaning,
    write_reader,
)

FIRST, OTHERS, WHOLE = CODES_FIRST_FILE.read_bytes(), CODES_NETWORK_FILE.read_bytes(), NETWORK_FILE.read_bytes()


def opened() -> DividedSession:
    return DividedSession.open(FIRST, OTHERS, tokenizer(), where="tiny")


class Counting(DividedSession):
    """Counts what is read from the beginning, and what to the end."""

    begun = 0
    finished = 0

    def begin(self, text: str) -> Begun:
        self.begun += 1
        return super().begin(text)

    def finish(self, begun: Begun) -> F64:
        self.finished += 1
        return super().finish(begun)


def reader(folder: Path, codes: tuple[str, ...] = READ_AS) -> CodeReader:
    return load_code_reader(write_reader(folder / "encoder-mul", codes=pack_codes(codes)), signers=ANYBODY)


# ── the two parts ──


def test_the_first_layers_guess_and_the_others_go_on_from_there() -> None:
    session = opened()
    begun = session.begin("they kill and kill")
    assert begun.early.tolist() == [6.0, 6.0]
    assert session.finish(begun).tolist() == [6.0, 0.0, 2.0]
    assert session.logits(["they kill and kill", "love"]).tolist() == [[6.0, 0.0, 2.0], [0.0, 3.0, 0.0]]
    assert session.logits([]).shape == (0, 3)


@pytest.mark.parametrize(
    ("first", "rest", "said"),
    [
        (b"\x00", OTHERS, "tiny: first layers: onnxruntime cannot open the network"),
        (FIRST, b"\x00", "tiny: onnxruntime cannot open the network"),
        (WHOLE, OTHERS, "tiny: first layers map"),
        (FIRST, WHOLE, "tiny: the other layers map"),
        (FIRST, FIRST, "tiny: the other layers map"),
    ],
)
def test_what_is_no_first_or_other_layers_is_refused(first: bytes, rest: bytes, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        DividedSession.open(first, rest, tokenizer(), where="tiny")


def test_a_text_that_was_guessed_about_is_not_begun_again_and_nothing_is_read_twice() -> None:
    session = Counting.open(FIRST, OTHERS, tokenizer(), where="tiny")
    assert isinstance(session, Counting)
    opinions = Opinions(session)
    for _ in range(2):
        assert opinions.early("kill").tolist() == [3.0, 3.0]
    assert (session.begun, session.finished) == (1, 0)
    first = opinions.shares("kill")
    assert (session.begun, session.finished) == (1, 1)
    opinions.early("love")
    assert opinions.shares("kill") is first
    assert opinions.shares("kill love").sum() == pytest.approx(1.0)
    assert (session.begun, session.finished) == (3, 2)


def test_nobody_can_change_what_is_remembered() -> None:
    opinions = Opinions(opened())
    for remembered in (opinions.early("kill"), opinions.shares("kill")):
        with pytest.raises(ValueError, match="read-only"):
            remembered[0] = 1.0


# ── who is read to the end ──


def head(folder: Path, least_early: float | None) -> MeaningHead:
    one = reader(folder, ("A-THREAT", "X-COUNTER", "G"))
    model = write_meaning(folder / "A-en", one.network, least_worth=-9.0, least_early=least_early)
    return load_meaning_head(model, open_encoder=lambda network: one, signers=ANYBODY)


@pytest.mark.parametrize(("least", "is_read"), [(None, True), (2.9, True), (3.0, True), (3.1, False)])
def test_a_post_is_read_to_the_end_from_a_guess_on(tmp_path: Path, least: float | None, is_read: bool) -> None:
    post = Readable("", "they kill", language="en", spelling=Spelling([]))
    told = head(tmp_path, least).tell(["they", "kill"], post, 0.0)
    assert (told is not None) == is_read


def test_what_others_flag_is_read_to_the_end_whatever_the_guess(tmp_path: Path) -> None:
    post = Readable("", "love love", language="en", spelling=Spelling([]))
    one = head(tmp_path, 99.0)
    assert one.tell(["love", "love"], post, 0.0) is None
    assert one.protects(["love", "love"], post)


def test_worth_speaks_beside_the_guess(tmp_path: Path) -> None:
    one = reader(tmp_path)
    heavier = one._replace(worth={**one.worth, "abuse": one.worth["abuse"]._replace(beside=0.5)})
    assert [heavier.early("kill", "abuse", worth) for worth in (0.0, 2.0, -2.0)] == [3.0, 4.0, 2.0]
    assert heavier.early("kill", "elections", 2.0) == 3.0


@pytest.mark.parametrize(
    ("margin", "early", "reads"),
    [(1.0, 0.0, True), (0.0, 2.0, True), (0.9, 0.1, False), (None, 2.0, True), (None, 1.9, False)],
)
def test_columns_and_the_guess_say_together_what_narratives_read_to_the_end(
    margin: float | None, early: float, reads: bool
) -> None:
    even = Calibration(slope=1.0, intercept=0.0)
    settings = SenseSettings("encoder-mul", "5" * 64, 0.5, -9.0, -9.0, 0.5, even, even, 0.5, 0.5, 1.0, 2.0)
    sense = Sense(settings, READ_AS, lambda network: None, spelling=Spelling([]))
    assert sense.reads_on(margin, early) is reads


def test_a_model_of_narratives_of_before_reads_all_to_the_end() -> None:
    even = Calibration(slope=1.0, intercept=0.0)
    settings = SenseSettings("encoder-mul", "5" * 64, 0.5, -9.0, -9.0, 0.5, even, even, 0.5)
    sense = Sense(settings, READ_AS, lambda network: None, spelling=Spelling([]))
    assert sense.reads_on(-25.0, -99.0)
    assert sense.reads_on(None, -99.0)
    assert sense.early("kill", 0.0) is None
