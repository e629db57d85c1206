"""The card of a model: what it says, that it says it twice alike, and that nothing in it runs."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from msgspec.structs import replace

from classifiers.card.content import gather
from classifiers.card.write import write_card
from classifiers.encoder.heads import HEADS, read_heads
from classifiers.gates.floors import Floor, Floors, Mark, read_floors
from classifiers.gates.judge import judge
from classifiers.gates.record import write_record
from classifiers.manifest import Bin, Curves, Manifest, read_manifest
from classifiers.pipeline import shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import ModelStore
from classifiers.thresholds import thresholds_of
from runtime.build import codebook
from runtime.model_making import floors_of
from tests.command_line import command_line
from tests.model_folders import METRICS, Keys, make_head, manifest_of, metric

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
    return write_card(manifest, folder, out, codebook=codebook(), serving={}, floors=Floors()).parent


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card of an encoder with two heads, as it is shipped: without a record of its gates."""
    models, folder = shipped_models(), tmp_path_factory.mktemp("models") / "encoder-en"
    shutil.copytree(models / "encoder-en", folder, ignore=shutil.ignore_patterns("gates.json"))
    return write_card(
        read_manifest(folder),
        folder,
        tmp_path_factory.mktemp("cards"),
        codebook=codebook(),
        serving={name: models / name for name in ("G-en", "G-THR-en", "encoder-en")},
        floors=shipped_floors(),
    ).parent


def shipped_floors() -> Floors:
    return read_floors(floors_of(ModelStore(shipped_models())))


def _words(picture: Path) -> list[str]:
    root = ET.fromstring(picture.read_bytes())  # noqa: S314 - our own bytes
    return [text for text in root.itertext() if text.strip()]


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
    write_card(manifest, folder, tmp_path, codebook=codebook(), serving={}, floors=Floors())
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
    out = write_card(manifest, folder, tmp_path / "card", codebook=codebook(), serving={}, floors=Floors()).parent
    text = (out / "card.md").read_text("utf-8")
    assert "recorded no curves" in text
    assert "No suite of ours speaks this language" in text
    assert "gates were not run" in text
    assert sorted(path.name for path in out.iterdir()) == ["card.html", "card.md"]
    assert replace(manifest).curves == ()


def test_each_head_of_an_encoder_has_its_threshold_its_load_and_its_star(encoder: Path) -> None:
    """Of a thousand posts of which 20 are threats so many are flagged as the recall and the false positives of threats
    say, as they are served; those of sexism are ten times as many, and both cannot share a table."""
    text = (encoder / "card.md").read_text("utf-8")
    sexism, _, threats = text.partition("## Threshold")[2].partition("## Quality")[0].partition("### G-THR\n")
    folder = shipped_models() / "encoder-en"
    manifest = read_manifest(folder)
    measured = {(one.name, one.on): one.value for one in manifest.metrics}
    for told, head in zip((sexism, threats), read_heads((folder / HEADS).read_bytes(), "here"), strict=True):
        on = f"{head.code}-en: edos/dev.csv, cascade, chosen on other folds"
        precision, recall, wrong = (measured[name, on] for name in ("precision", "recall", "false_positive_rate"))
        assert f"flagged as {head.code} from **{head.threshold.value}** on" in told
        assert f"{precision:.3f} and recall {recall:.3f} on {on}" in told
        assert f"| 20 | {20 * recall + 980 * wrong:.1f} | {20 * recall:.1f} |" in told
    words = _words(encoder / "precision-recall.svg")
    assert [name for name in ("threshold: G", "threshold: G-THR") if name in words] == [
        "threshold: G",
        "threshold: G-THR",
    ]


def test_a_shipped_card_lists_what_is_known_to_fail_and_how_to_judge_it_here(encoder: Path) -> None:
    known = [one for one in shipped_floors().exception if one.model == "encoder-en"]
    for name in ("card.html", "card.md"):
        text = (encoder / name).read_text("utf-8")
        assert text.count(f"known when last judged, {known[0].at}: ") == len(known)
        assert "gates were not run" not in text
        assert re.search(r"not run here on this version; .*run \S*hustings model gates encoder-en", text)


def test_what_was_judged_without_a_failure_has_none_and_a_version_over_it_was_not_judged(
    tmp_path: Path,
) -> None:
    folder = make_head(tmp_path / "G-ta", name="G-ta")
    floors = Floors(floor=(Floor(model="G-ta", measure="pr_auc", on=ON, history=(Mark(value=0.6, at="2026-10-01"),)),))
    told = [
        gather(read_manifest(folder, signers=ANYBODY), folder, codebook=codebook(), serving={}, floors=one).no_failures
        for one in (floors, Floors().over(floors))
    ]
    assert told == ["None was written down when it was last judged.", "The gates were not run on this version."]


def test_functions_of_two_suites_that_are_called_alike_have_a_bar_each(encoder: Path) -> None:
    text = (encoder / "card.md").read_text("utf-8")
    labels = re.findall(
        r"^\| `(\w+: [\w-]+)` \|", text.partition("## Confusion")[2].partition("## Worst")[0], re.MULTILINE
    )
    assert len(set(labels)) == len(labels)
    shown = [label for label in labels if label in _words(encoder / "protected.svg")]
    assert len(shown) == 18
    html = (encoder / "card.html").read_text("utf-8")
    assert "one in ten of all together may be; a function fails above one in two" in html


def test_a_screen_reader_hears_which_row_and_which_language(encoder: Path) -> None:
    html = (encoder / "card.html").read_text("utf-8")
    assert re.findall(r"<tr><td[^>]*>", html) == []
    assert set(re.findall(r"<q ([^>]*)>", html)) == {'lang="en" dir="auto"'}


def test_every_threshold_of_narratives_is_told_and_the_one_that_serves_first() -> None:
    folder = shipped_models() / "N-en"
    manifest = read_manifest(folder)
    meant, alone, like = thresholds_of(manifest, folder)
    assert [(one.name, one.value) for one in (meant, alone, like)] == [
        ("with meaning", manifest.settings["sense_threshold"]),
        ("columns alone", manifest.threshold.value),
        ("likeness", manifest.settings["likeness_threshold"]),
    ]
    measured = {(one.name, one.on): one.value for one in manifest.metrics}
    seeds = "en: seeds, left out by 4 folds, those that the encoder did not learn"
    for one, on in ((meant, seeds), (like, "en: likeness, examples left out")):
        assert (one.on, one.precision, one.recall) == (on, measured["precision", on], measured["recall", on])


def test_what_columns_alone_are_worth_is_what_the_threshold_says_unless_that_is_of_meaning() -> None:
    """Versions of before wrote what they are worth with meaning beside the threshold of columns alone."""
    on = "en: seeds, left out by 4 folds"
    settings = {"sense_threshold": 0.8, "sense_encoder": "encoder-mul"}
    metrics = (metric("precision", 0.97, on=on), metric("recall", 0.86, on=on))
    found = []
    for precision, recall in ((0.97, 0.86), (0.9, 0.5)):
        threshold = replace(manifest_of().threshold, precision=precision, recall=recall)
        narratives = manifest_of("N-en", kind="narratives", settings=settings, metrics=metrics, threshold=threshold)
        meant, alone = thresholds_of(narratives, Path("N-en"))
        assert (meant.precision, meant.recall) == (0.97, 0.86)
        found.append((alone.precision, alone.recall))
    assert found == [(None, None), (0.9, 0.5)]


def test_what_was_measured_with_all_posts_read_does_not_stand_for_what_serves() -> None:
    on = "en: own posts"
    metrics = tuple(
        metric(name, value, on=rows)
        for rows, shift in ((f"{on}, read all", 0.1), (on, 0.0))
        for name, value in (("precision", 0.8 + shift), ("recall", 0.5 + shift), ("false_positive_rate", 0.02))
    )
    (one,) = thresholds_of(manifest_of("A-en", kind="meaning", metrics=metrics), Path("A-en"))
    assert (one.on, one.precision, one.recall) == (on, 0.8, 0.5)


def test_a_card_of_narratives_names_every_code_and_leads_with_all_seeds_left_out(tmp_path: Path) -> None:
    folder = shipped_models() / "N-en"
    manifest = read_manifest(folder)
    write_card(manifest, folder, tmp_path, codebook=codebook(), serving={}, floors=Floors())
    for name in ("card.html", "card.md"):
        text = (tmp_path / name).read_text("utf-8")
        assert [part for part in PARTS if part not in text] == ["By group"]
        assert "N-PROC-DATE (Wrong date)" in text
        assert "never that it is false" in text
        assert text.index("en: seeds, left out by 4 folds") < text.index("en: likeness, examples left out")


def test_a_card_of_claims_speaks_of_matches_and_draws_how_sure_they_are(tmp_path: Path) -> None:
    folder = shipped_models() / "claims"
    write_card(read_manifest(folder), folder, tmp_path, codebook=codebook(), serving={}, floors=Floors())
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
