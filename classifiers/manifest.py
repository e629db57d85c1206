"""The paper that travels with a model: what it says, what it was made of, how good it is, and the hash of every file.

A model folder holds `manifest.json` and the files that it names, nothing is unpickled, and nothing is opened before its
size and SHA-256 are those of the manifest.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from hustings.errors import ModelError
from hustings.text import analyse_all

__all__ = [
    "MANIFEST",
    "Calibration",
    "Dataset",
    "Manifest",
    "Metric",
    "ModelFile",
    "Threshold",
    "analyser_hash",
    "read_file",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class Dataset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file that the model learnt from, or (`use`) was only measured on."""

    name: str
    file: str
    sha256: Sha256
    licence: str
    source: str
    rows: int
    positives: int
    use: Literal["training", "measuring"]


class Metric(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measured number; `low` and `high` bound 95 % of bootstrap resamples. `on` says which rows."""

    name: str
    on: str
    value: float
    low: float
    high: float
    n: int


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a score becomes a flag: who chose it, when, on which data, and why there."""

    value: float
    reason: str
    chosen_by: str
    chosen_at: str
    chosen_on: str
    precision: float
    recall: float


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Platt scaling: the probability is 1 / (1 + exp(-(slope · margin + intercept)))."""

    slope: float
    intercept: float

    def probability(self, margin: float) -> float:
        """The probability of one margin."""
        return 1.0 / (1.0 + math.exp(-max(-700.0, self.slope * margin + self.intercept)))


class ModelFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in the model's folder."""

    name: FileName
    bytes: Annotated[int, Meta(ge=0, le=64_000_000)]
    sha256: Sha256


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a reader of a flag may ask about the model behind it."""

    format: Literal[1] = 1
    kind: Literal["linear", "narratives", "encoder", "targets", "claims"]
    name: str
    code: str
    language: str
    version: str
    label: str
    limits: str
    data: tuple[Dataset, ...]
    settings: dict[str, int | float | str]
    calibration: Calibration
    threshold: Threshold
    metrics: tuple[Metric, ...]
    files: tuple[ModelFile, ...]
    analyser: Sha256
    code_version: str
    libraries: dict[str, str]
    seed: int


def read_manifest(folder: Path, *, kind: str = "") -> Manifest:
    """The manifest of a model folder, of that `kind` if one is named. Raises `ModelError` when it is absent, too long,
    or not what it should be."""
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
        if len(raw) > MAX_MANIFEST_BYTES:
            raise ModelError(f"{path}: longer than {MAX_MANIFEST_BYTES} bytes; this is no manifest of ours")
        manifest = msgspec.json.decode(raw, type=Manifest)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a model folder holds a {MANIFEST}") from error
    except msgspec.MsgspecError as error:
        raise ModelError(f"{path}: {error}") from error
    if manifest.name != folder.name:
        raise ModelError(f"{path}: is the manifest of {manifest.name!r}; folder and model have the same name")
    if kind and manifest.kind != kind:
        raise ModelError(f"{path}: the model's kind is {manifest.kind!r}, wanted {kind!r}")
    return manifest


def read_file(folder: Path, file: ModelFile) -> bytes:
    """The bytes of a file that the manifest names, once their number and hash are the manifest's."""
    path = folder / file.name
    if path.is_symlink():
        raise ModelError(f"{path}: is a link; a model folder holds plain files")
    try:
        with path.open("rb") as opened:
            raw = opened.read(file.bytes + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    if len(raw) != file.bytes:
        found = f"more than {file.bytes}" if len(raw) > file.bytes else str(len(raw))
        raise ModelError(f"{path}: {found} bytes, the manifest says {file.bytes}; truncated or replaced")
    if (digest := hashlib.sha256(raw).hexdigest()) != file.sha256:
        raise ModelError(f"{path}: SHA-256 is {digest}, the manifest says {file.sha256}; the file was changed")
    return raw


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it for people to read: one key a line, always in the same order."""
    tree: Any = msgspec.to_builtins(manifest)
    (folder / MANIFEST).write_text(json.dumps(tree, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


_PROBES = (
    "Don't vote on SUNDAY!! #VoteNow @some_name https://example.org/a?b=1",
    "v0te f-r-a-u-d, рауpal, l o s e r, soooo baaad \u200bhid\u00adden ﬁne \U0001d41b\U0001d428\U0001d425\U0001d41d",
    "¿Dónde votarán las niñas? Él dijo: «mañana», ¡no!",
    "وَالانتخابات يومُ الأحد، لا تُصوّتوا غدًا؟ می\u200cخواهم",
    "मतदान रविवार को है। क्ष\u200dत्र #चुनाव",
    "வாக்களிப்பு ஞாயிறு அன்று",
    "投票日は日曜日です。选举 한국 투표",
    "Straßenwahl am Sonntag, İstanbul'da seçim 👩\u200d🏫🇻🇪 почему",
)


def analyser_hash(probes: Sequence[str] = _PROBES) -> str:
    """What the analyser does now, as one hash over probes of many scripts and disguises. Heads learnt its tokens, so
    a head that carries another hash was trained for another analyser."""
    digest = hashlib.sha256()
    for analysis in analyse_all(probes):
        for token in analysis.tokens:
            digest.update(token.encode("utf-8", "surrogatepass") + b"\n")
        digest.update(b"\x00")
    return digest.hexdigest()
