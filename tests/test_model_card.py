"""The card of a model: what it says, that it says it twice alike, and that nothing in it runs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from msgspec.structs import replace

from classifiers.card.write import write_card
from classifiers.gates.floors import Floors
from classifiers.gates.judge import judge
from classifiers.gates.record import write_record
from classifiers.manifest import Bin, Curves, Manifest, read_manifest
from classifiers.pipeline import shipped_models
from classifiers.signing import ANYBODY
from runtime.build import codebook
from tests.command_line import command_line
from tests.model_folders import METRICS, Keys, make_head, metric

ON = "5-fold cross-validation, rows.csv"
CURVES = Curves(
    on=ON,
    reliability=(Bin(score=0.1, positive=0.08, n=700), Bin(score=0.7, positive=0.72, n=300)),
    precision_recall=((0.1, 1.0, 0.9), (0.5, 0.8, 0.6), (1.0, 0.25, 0.0)),
)
HOSTILE = '<script>alert(1)</script> | "quoted" & more'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    folder = tmp_path_factory.mktemp("models") / "G-en"
    keys = Keys(folder.parent / "keys")
    groups = tuple(metric("false_positive_rate", 0.05, on=f"{ON}, gender={group}", n=300) for group in ("woman", "man"))
    more = (metric("recall", 0.6), metric("false_positive_rate", 0.04))
    make_head(folder, "cow", "donkey", keys=keys, metrics=(*METRICS, *more, *groups), curves=(CURVES,), limits=HOSTILE)
    manifest = read_manifest(folder, signers=keys.signers)
    record = judge(
        manifest,
        folder,
        serving={},
        floors=Floors(),
        codebook=codebook(),
        signers=keys.signers,
        at="2026-11-01T00:00:00Z",
    )
    write_record(folder, record)
    return manifest, folder


@pytest.fixture(scope="module")
def card(made: tuple[Manifest, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    manifest, folder = made
    out = tmp_path_factory.mktemp("cards")
    return write_card(manifest, folder, out, codebook=codebook(), serving={}).parent


PARTS = (
    "What it does not know",
    "Data and licences",
    "Splits",
    "Threshold",
    "Quality",
    "By group",
    "Calibration and ranking",
    "Confusion with protected speech",
    "Worst functions",
    "Swaps",
    "Known failures",
    "How to make it again",
)


@pytest.mark.parametrize("name", ["card.html", "card.md"])
def test_a_card_has_all_its_parts(card: Path, name: str) -> None:
    text = (card / name).read_text("utf-8")
    headings = re.findall(r"<h[23]>([^<]+)</h[23]>|^#{2,3} (.+)$", text, re.MULTILINE)
    found = [one or other for one, other in headings]
    assert [part for part in PARTS if part not in found] == []
    for said in (
        "CC0-1.0",
        "weights may be shipped",
        "0.700 [0.680, 0.720]",
        "gender=woman",
        "hustings model train G-en",
    ):
        assert said in text, said
    assert "slur" in text


def test_pictures_have_their_table_and_their_words(card: Path) -> None:
    text = (card / "card.html").read_text("utf-8")
    pictures = dict(re.findall(r'<img src="([^"]+)" alt="([^"]+)">', text))
    assert set(pictures) == {"reliability.svg", "precision-recall.svg", "protected.svg"}
    for name in pictures:
        root = ET.fromstring((card / name).read_bytes())  # noqa: S314 - our own bytes
        words = "".join(root.itertext())
        assert {"reliability.svg": "share of them", "precision-recall.svg": "recall", "protected.svg": "flagged"}[
            name
        ] in words
    assert "0.720" in text
    assert "0.800" in text


def test_what_a_manifest_says_is_shown_and_never_run(card: Path) -> None:
    html = (card / "card.html").read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "http" not in re.sub(r"https?://www\.w3\.org\S*", "", html)  # nothing is fetched


def test_the_same_model_gives_the_same_card(card: Path, made: tuple[Manifest, Path], tmp_path: Path) -> None:
    manifest, folder = made
    write_card(manifest, folder, tmp_path, codebook=codebook(), serving={})
    names = sorted(path.name for path in card.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (card / name).read_bytes(), name


def test_what_a_threshold_means_in_a_stream_is_told(card: Path) -> None:
    """Recall .6 and false positives .04: of a thousand posts of which 20 hold it, 12 + 39.2 are flagged."""
    assert "| 20 | 51.2 | 12.0 | 23.4 % |" in (card / "card.md").read_text("utf-8")


def test_a_card_without_gates_and_curves_says_so(tmp_path: Path) -> None:
    folder = make_head(tmp_path / "G-ta", name="G-ta")
    manifest = read_manifest(folder, signers=ANYBODY)
    out = write_card(manifest, folder, tmp_path / "card", codebook=codebook(), serving={}).parent
    text = (out / "card.md").read_text("utf-8")
    assert "recorded no curves" in text
    assert "No suite of ours speaks this language" in text
    assert "gates were not run" in text
    assert sorted(path.name for path in out.iterdir()) == ["card.html", "card.md"]
    assert replace(manifest).curves == ()


def test_a_card_of_narratives_names_every_code_and_leads_with_all_seeds_left_out(tmp_path: Path) -> None:
    folder = shipped_models() / "N-en"
    manifest = read_manifest(folder)
    write_card(manifest, folder, tmp_path, codebook=codebook(), serving={})
    for name in ("card.html", "card.md"):
        text = (tmp_path / name).read_text("utf-8")
        assert [part for part in PARTS if part not in text] == ["By group"]
        assert "N-PROC-DATE (Wrong date)" in text
        assert "never that it is false" in text
        assert text.index("en: seeds, left out by 4 folds") < text.index("en: likeness, examples left out")


def test_a_card_of_claims_speaks_of_matches_and_draws_how_sure_they_are(tmp_path: Path) -> None:
    folder = shipped_models() / "claims"
    write_card(read_manifest(folder), folder, tmp_path, codebook=codebook(), serving={})
    for name in ("card.html", "card.md"):
        text = (tmp_path / name).read_text("utf-8")
        assert "The first claim is shown as a match from" in text
        assert "A post is flagged" not in text
        assert "our suites have nothing to ask it" in text
        assert "no code of the codebook" in text
    assert {path.name for path in tmp_path.glob("*.svg")} == {"reliability.svg", "precision-recall.svg"}


def test_the_command_writes_cards_into_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_head(tmp_path / "G-ta", name="G-ta", version="4")
    answer = command_line(capsys, monkeypatch)("model", "card", "G-ta", "--models", tmp_path)
    assert answer.status == 0, answer.err
    assert (tmp_path / "cards" / "G-ta@4" / "card.html").is_file()
