"""Model folders: what is shipped, and what is refused."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from classifiers.linear.model import WEIGHTS, load_head, load_heads
from classifiers.manifest import MANIFEST, analyser_hash
from classifiers.narratives.step import load_teller
from classifiers.pipeline import shipped_models
from classifiers.rating import list_models
from hustings.errors import ModelError

SHIPPED = shipped_models()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED / "G-hi", tmp_path / "G-hi"))


def edit(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    tree = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**tree, **changes}))


def replace_weights(folder: Path, raw: bytes) -> None:
    """Other weights, with a manifest that vouches for them."""
    import hashlib

    (folder / WEIGHTS).write_bytes(raw)
    edit(folder, files=[{"name": WEIGHTS, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}])


def test_the_shipped_heads_load_and_say_what_they_are() -> None:
    names = [head.name for head in load_heads(SHIPPED)]
    assert names == ["A-INSULT-de", "G-THR-en", "G-en", "G-en-IN", "G-hi", "G-ta"]


def test_every_shipped_model_was_made_for_this_analyser() -> None:
    """When this fails the analyser changed what heads learnt from: run `hustings model train` and ship the result."""
    stale = [manifest.name for manifest in list_models(SHIPPED) if manifest.analyser != analyser_hash()]
    assert stale == []


def test_all_shipped_models_together_are_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 12_000_000


def test_every_shipped_model_tells_data_licence_threshold_and_limits() -> None:
    for manifest in list_models(SHIPPED):
        assert manifest.limits
        assert manifest.threshold.reason
        assert manifest.threshold.chosen_by
        assert {dataset.licence for dataset in manifest.data} <= {"CC0-1.0", "CC-BY-4.0", "MIT"}
        assert all(metric.low <= metric.value <= metric.high for metric in manifest.metrics if metric.name != "ece")


def truncate(folder: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"\0")


def flip(folder: Path) -> None:
    raw = bytearray((folder / WEIGHTS).read_bytes())
    raw[100] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(raw))


def bomb(folder: Path) -> None:
    replace_weights(folder, zlib.compress(bytes(50_000_000), 9))


def no_stream(folder: Path) -> None:
    replace_weights(folder, b"\x80\x04\x95 pickled")


def trailing(folder: Path) -> None:
    replace_weights(folder, (folder / WEIGHTS).read_bytes() + b"more")


def link(folder: Path) -> None:
    path = folder / WEIGHTS
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def remove_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def no_json(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


def huge(folder: Path) -> None:
    (folder / MANIFEST).write_text(" " * 2_000_000)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (truncate, "truncated or replaced"),
        (lengthen, "truncated or replaced"),
        (flip, "the file was changed"),
        (bomb, "must hold exactly"),
        (no_stream, "is not a zlib stream"),
        (trailing, "must hold exactly"),
        (link, "is a link"),
        (remove_weights, "cannot be read"),
        (remove_manifest, "cannot be read"),
        (no_json, "manifest.json"),
        (huge, "no manifest of ours"),
        (lambda folder: edit(folder, surprise=1), "surprise"),
        (lambda folder: edit(folder, format=2), "format"),
        (lambda folder: edit(folder, kind="narratives"), "kind"),
        (lambda folder: edit(folder, name="G-en"), "same name"),
        (lambda folder: edit(folder, files=[]), "has one file"),
        (lambda folder: edit(folder, files=[{"name": "../x", "bytes": 1, "sha256": "0" * 64}]), "name"),
        (lambda folder: edit(folder, settings={"buckets": 16}), "buckets"),
        (lambda folder: edit(folder, settings={"buckets": 1 << 19}), "scale"),
    ],
)
def test_a_model_that_is_not_what_its_manifest_says_is_refused(
    folder: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=told):
        load_head(folder)


def test_narratives_with_other_seeds_than_their_threshold_was_chosen_for_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED / "N-en", tmp_path / "N-en"))
    dataset = msgspec.json.decode((folder / MANIFEST).read_bytes())["data"][0]
    edit(folder, data=[{**dataset, "sha256": "0" * 64}])
    with pytest.raises(ModelError, match="hustings model train N-en"):
        load_teller(folder)
