"""The models that are shipped. What is refused: `test_hostile_models.py`."""

import shutil
from pathlib import Path

import msgspec
import pytest

from classifiers.linear.model import load_heads
from classifiers.manifest import MANIFEST
from classifiers.narratives.teller import load_teller
from classifiers.pipeline import shipped_models
from classifiers.rating import list_models, made_for_another_analyser
from classifiers.signing import ANYBODY
from classifiers.store import serving
from hustings.errors import ModelError

SHIPPED = shipped_models()
FOLDERS = list(serving(SHIPPED).values())


def test_the_shipped_heads_load_and_say_what_they_are() -> None:
    names = [head.name for head in load_heads(FOLDERS)]
    ranking = [f"CW-{language}" for language in ("ar", "en", "es", "fr", "hi", "pt")]
    assert names == ["A-INSULT-de", *ranking, "G-THR-en", "G-en", "G-en-IN", "G-hi", "G-ta"]


def test_every_shipped_model_was_made_for_this_analyser() -> None:
    """When this fails the analyser changed what heads learnt from: run `hustings model train` and ship the result."""
    assert made_for_another_analyser(list_models(FOLDERS)) == []


def test_all_shipped_models_together_are_small() -> None:
    """Whoever installs Hustings fetches them all; three networks of 8 bits, of 23, 34 and 43 MB, are most of it, then
    columns of narratives, 11 MB, and words of languages, 2 MB."""
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 122_000_000


def test_every_shipped_model_tells_data_licence_threshold_and_limits() -> None:
    for manifest in list_models(FOLDERS):
        assert manifest.limits
        assert manifest.threshold.reason
        assert manifest.threshold.chosen_by
        assert {dataset.licence for dataset in manifest.data} <= {"CC0-1.0", "CC-BY-4.0", "MIT"}
        assert all(metric.low <= metric.value <= metric.high for metric in manifest.metrics if metric.name != "ece")


def test_narratives_beside_other_words_than_they_were_trained_with_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED / "N-en", tmp_path / "N-en"))
    tree = msgspec.json.decode((folder / MANIFEST).read_bytes())
    (words,) = (dataset for dataset in tree["data"] if dataset["file"].endswith("words/en.toml"))
    words["sha256"] = "0" * 64
    (folder / MANIFEST).write_bytes(msgspec.json.encode(tree))
    with pytest.raises(ModelError, match="hustings model train N-en"):
        load_teller(folder, signers=ANYBODY)
