"""The paper that travels with a model: what it says, what it was made of, how good it is, and the hash of every file.

A model folder holds `manifest.json`, its signature (`classifiers.signing`), the files that it names and nothing else
but what is written about a model later (`PAPERS`). Nothing is unpickled, the manifest is not read before its signature
is found good, and no file is opened before its size and SHA-256 are those of the manifest.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from classifiers.plain_files import check_plain_folder, read_plain
from classifiers.signing import SIGNATURE, Signers, check_signature, shipped_signers
from hustings.errors import BadInput, ModelError
from hustings.strict_json import decode_json_strict
from hustings.text import analyse_all

__all__ = [
    "MANIFEST",
    "PAPERS",
    "Bin",
    "Calibration",
    "Curves",
    "Dataset",
    "Manifest",
    "Metric",
    "ModelFile",
    "Threshold",
    "analyser_hash",
    "hash_of_manifest",
    "manifest_bytes",
    "of_kind",
    "read_file",
    "read_manifest",
    "write_manifest",
    "write_model",
]

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000
PAPERS = ("gates.json", "made.json")
"""Written about a model after it was made: what the gates said, and what making it took. Scoring never reads them."""

_GROUP = re.compile(r"(?P<on>.+), (?P<key>[\w.-]+)=(?P<value>[^,]+)")

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
ModelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
Version = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}\Z")]


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
    """A measured number; `low` and `high` bound 95 % of bootstrap resamples. `on` says which rows; where they are those
    of one group, it ends with ", key=value"."""

    name: str
    on: str
    value: float
    low: float
    high: float
    n: int

    @property
    def group(self) -> tuple[str, str, str] | None:
        """All rows, key and value, where this was measured on one group."""
        found = _GROUP.fullmatch(self.on)
        return (found["on"], found["key"], found["value"]) if found else None


class Bin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bar of a reliability plot: the rows whose score falls between neighbours, their mean score, and the share of
    them that are positive."""

    score: float
    positive: float
    n: int


class Curves(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a card draws: calibration in 15 bins of equal width (empty ones left out), and points (recall, precision,
    score) of the precision-recall curve, from the highest score down."""

    on: str
    reliability: tuple[Bin, ...]
    precision_recall: tuple[tuple[float, float, float], ...]


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
    """Platt scaling: the log-odds are slope · margin + intercept. Where the data do not follow a logistic, `knots` bend
    them: pairs of Platt's log-odds and the right ones, rising, with straight lines between and beyond."""

    slope: float
    intercept: float
    knots: tuple[tuple[float, float], ...] = ()

    def probability(self, margin: float) -> float:
        """The probability of one margin."""
        return 1.0 / (1.0 + math.exp(-max(-700.0, self._bent(self.slope * margin + self.intercept))))

    def _bent(self, log_odds: float) -> float:
        if not self.knots:
            return log_odds
        before = [knot for knot in self.knots if knot[0] <= log_odds]
        after = self.knots[len(before) :]
        if not before or not after:
            end, right = after[0] if after else before[-1]
            return right + log_odds - end
        (low, at_low), (high, at_high) = before[-1], after[0]
        return at_low + (at_high - at_low) * (log_odds - low) / (high - low)


Raw = bytes  # a field of the next class is called so


class ModelFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in the model's folder."""

    name: FileName
    bytes: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    sha256: Sha256

    @classmethod
    def of(cls, name: str, raw: Raw) -> ModelFile:
        """What a manifest says of a file with this content."""
        return cls(name=name, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a reader of a flag may ask about the model behind it."""

    format: Literal[1] = 1
    kind: Literal["linear", "narratives", "meaning", "encoder", "embedder", "targets", "claims"]
    name: ModelName
    code: str
    language: str
    version: Version
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
    curves: tuple[Curves, ...] = ()

    @property
    def judged_on(self) -> str:
        """The rows by which this version is judged, none of them trained on; empty where nothing was measured. Where
        several were, they are the last ones: those of a development set come behind cross-validation. Narratives and
        abuse by meaning are judged by the first, as they serve: what comes behind tells of parts, of the encoder asked
        about everything, and of likeness alone."""
        found = [one.on for one in self.metrics if one.name in ("pr_auc", "precision") and one.group is None]
        return "" if not found else found[0 if self.kind in ("narratives", "meaning") else -1]

    @property
    def tag(self) -> str:
        """`name@version`, as flags and folders of versions carry it."""
        return f"{self.name}@{self.version}"


def read_manifest(folder: Path, *, kind: str = "", signers: Signers | None = None) -> Manifest:
    """The manifest of a model folder, of that `kind` if one is named, signed by one of `signers` (None: by those whose
    keys are shipped). Raises `ModelError` when it is absent, too long, not signed, not what it should be, or when the
    folder holds something that it does not name."""
    raw = manifest_bytes(folder)
    check_signature(folder, raw, signers or shipped_signers())
    manifest = _decoded(raw, folder / MANIFEST)
    if folder.name not in (manifest.name, manifest.tag):
        raise ModelError(
            f"{folder / MANIFEST}: is the manifest of {manifest.tag!r}; a model's folder is called "
            f"{manifest.name!r}, or {manifest.tag!r} beside other versions"
        )
    if kind and manifest.kind != kind:
        raise ModelError(f"{folder / MANIFEST}: the model's kind is {manifest.kind!r}, wanted {kind!r}")
    named = [file.name for file in manifest.files]
    if len(set(named)) != len(named):
        raise ModelError(f"{folder / MANIFEST}: names a file twice: {', '.join(sorted(named))}")
    check_plain_folder(folder, declared=frozenset({MANIFEST, SIGNATURE, *PAPERS, *named}))
    return manifest


def of_kind(folders: Iterable[Path], kind: str, *, signers: Signers | None = None) -> Iterator[Path]:
    """Those of the model folders whose model is of that kind, in their order. Raises `ModelError` for the first that
    `read_manifest` refuses."""
    return (folder for folder in folders if read_manifest(folder, signers=signers).kind == kind)


def manifest_bytes(folder: Path) -> bytes:
    """What `manifest.json` holds, unread: what is signed."""
    if folder.is_symlink():
        raise ModelError(f"{folder}: is a link; a model is a folder of its own")
    return read_plain(folder / MANIFEST, limit=MAX_MANIFEST_BYTES, holds=f"a model folder holds a {MANIFEST}")


def hash_of_manifest(folder: Path) -> str:
    """SHA-256 of the manifest: names a version exactly, since the manifest names the hash of every file."""
    return hashlib.sha256(manifest_bytes(folder)).hexdigest()


def read_file(folder: Path, file: ModelFile) -> bytes:
    """The bytes of a file that the manifest names, once their number and hash are the manifest's."""
    path = folder / file.name
    try:
        found = path.lstat().st_size
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); the manifest names it") from error
    if not path.is_symlink() and found != file.bytes:
        raise ModelError(f"{path}: {found} bytes, the manifest says {file.bytes}; truncated or replaced")
    raw = read_plain(path, limit=file.bytes, holds="the manifest names it with fewer")
    if (digest := hashlib.sha256(raw).hexdigest()) != file.sha256:
        raise ModelError(f"{path}: SHA-256 is {digest}, the manifest says {file.sha256}; the file was changed")
    return raw


def write_model(folder: Path, manifest: Manifest, content: Mapping[str, bytes]) -> None:
    """Write a model's folder: its files by name, and last the manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in content.items():
        (folder / name).write_bytes(raw)
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it for people to read: one key a line, always in the same order. A former signature and former papers go:
    they were of another manifest."""
    tree: Any = msgspec.to_builtins(manifest)
    for stale in (SIGNATURE, *PAPERS):
        (folder / stale).unlink(missing_ok=True)
    (folder / MANIFEST).write_text(json.dumps(tree, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@lru_cache(maxsize=128)
def _decoded(raw: bytes, path: Path) -> Manifest:
    """Once for the same bytes: each kind of model looks through all of them for its own."""
    try:
        decode_json_strict(raw)  # msgspec takes keys that stand twice, and the last one wins
        manifest = msgspec.json.decode(raw, type=Manifest)
    except BadInput as error:
        raise ModelError(f"{path}: {error}") from error
    except msgspec.MsgspecError as error:
        raise ModelError(f"{path}: {error}") from error
    numbers = {"calibration.slope": manifest.calibration.slope, "calibration.intercept": manifest.calibration.intercept}
    for place, knot in enumerate(manifest.calibration.knots):
        numbers |= {f"calibration.knots[{place}][{side}]": number for side, number in enumerate(knot)}
    numbers |= {f"settings.{key}": value for key, value in manifest.settings.items() if isinstance(value, float)}
    for key, value in numbers.items():
        if not math.isfinite(value):
            raise ModelError(f"{path}: {key} is {value}; a model's numbers are finite")
    knots = manifest.calibration.knots
    if any(two[0] <= one[0] or two[1] <= one[1] for one, two in pairwise(knots)):
        raise ModelError(f"{path}: calibration.knots do not rise; a larger margin is a larger probability")
    if not 0 <= manifest.threshold.value <= 1:
        raise ModelError(f"{path}: threshold.value is {manifest.threshold.value}; a threshold is a probability")
    return manifest


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
_ARABIC_PROBE = "إلى المدرسة فى لجنة على"
_DEVANAGARI_PROBE = "हिन्दी हूँ पढ़ना सम्पर्क"
_PROBES_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ar", "fa", "ku", "ps", "ur"), (_ARABIC_PROBE,)),
    **dict.fromkeys(("hi", "mr", "ne"), (_DEVANAGARI_PROBE,)),
    "mul": (_ARABIC_PROBE, _DEVANAGARI_PROBE),
}
"""What came later, where it concerns a language: models of the others need not be made anew for it."""


@cache
def analyser_hash(language: str) -> str:
    """What the analyser does now with texts of a language, `mul` for any, as one hash over probes of many scripts and
    disguises. Heads learnt its tokens, so a head that carries another hash was trained for another analyser."""
    digest = hashlib.sha256()
    for analysis in analyse_all((*_PROBES, *_PROBES_OF.get(language, ()))):
        for token in analysis.tokens:
            digest.update(token.encode("utf-8", "surrogatepass") + b"\n")
        digest.update(b"\x00")
    return digest.hexdigest()
