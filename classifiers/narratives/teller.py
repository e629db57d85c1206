"""One language's model, read from its folder: columns, and in some languages likeness to plain examples beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Manifest, read_file, read_manifest
from classifiers.narratives.columns import CODES, COLUMNS, unpack_columns
from classifiers.narratives.concepts import load_concepts
from classifiers.narratives.likeness import FLOOR, Likeness, Verdict
from classifiers.narratives.nearest import Nearest
from classifiers.narratives.reader import Reader, Reading
from classifiers.narratives.seeds import example_languages, load_examples
from classifiers.narratives.subject import load_subjects
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["FILES", "Resemblance", "Teller", "load_teller", "load_tellers"]

FILES = (CODES, COLUMNS)


class Resemblance(NamedTuple):
    """Likeness with what was settled for it: how a margin becomes a probability, and from which one on a post is
    flagged as a narrative, or as protected speech that answers one."""

    likeness: Likeness
    calibration: Calibration
    threshold: float
    protected_threshold: float

    def compare(self, tokens: Sequence[str]) -> tuple[Verdict, float] | None:
        """The verdict and how likely it is harm; None for a post that is like no example."""
        verdict = self.likeness.compare(tokens)
        if verdict is None or max(verdict.likeness, verdict.protected_likeness) < FLOOR:
            return None
        return verdict, round(self.calibration.probability(verdict.margin), DECIMALS)


class Teller(NamedTuple):
    """`resemblance` is None in languages without plain examples. `nearest` knows the sentences that columns learnt
    from."""

    manifest: Manifest
    reader: Reader
    nearest: Nearest
    resemblance: Resemblance | None

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return self.manifest.tag

    def probability(self, reading: Reading) -> float:
        """How likely what was read is harm."""
        return round(self.manifest.calibration.probability(reading.margin), DECIMALS)

    def rate(self, tokens: Sequence[str]) -> float:
        """One number for a post: how likely it is harm by the columns, or by likeness where that flags it."""
        reading = self.reader.read(tokens)
        rated = self.probability(reading) if reading is not None else 0.0
        compared = self.resemblance.compare(tokens) if self.resemblance else None
        if self.resemblance and compared and compared[1] >= self.resemblance.threshold and compared[0].margin >= 0:
            return max(rated, compared[1], self.manifest.threshold.value)
        return rated


def load_tellers(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Teller]:
    """The tellers among these model folders, in their order. Raises `ModelError` for the first bad one."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    return [load_teller(folder, signers=signers) for folder, kind in kinds if kind == "narratives"]


def load_teller(folder: Path, *, signers: Signers | None = None) -> Teller:
    """Raises `ModelError` when a file is not what the manifest says, or when the words, subjects or examples are not
    those that the model was made with."""
    manifest = read_manifest(folder, kind="narratives", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(
            f"{folder}: a model of narratives has the files {FILES!r}, the manifest names {tuple(files)!r}; "
            f"`hustings model train {manifest.name}` makes it anew"
        )
    concepts = load_concepts(manifest.language)
    subjects = load_subjects(concepts)
    raw = {name: read_file(folder, file) for name, file in files.items()}
    columns = unpack_columns(raw[CODES], raw[COLUMNS], str(folder))
    _check(folder, manifest, concepts.sha256, "words")
    _check(folder, manifest, subjects.sha256, "subjects")
    seeds = next((one.sha256 for one in manifest.data if one.file == f"classifiers/seeds/{manifest.language}.toml"), "")
    nearest = Nearest(concepts, seeds)
    return Teller(manifest, Reader(concepts, subjects, columns), nearest, _resemblance(folder, manifest))


def _resemblance(folder: Path, manifest: Manifest) -> Resemblance | None:
    if manifest.language not in example_languages():
        return None
    seeds = load_examples(manifest.language)
    _check(folder, manifest, seeds.sha256, "examples")
    try:
        slope, intercept, threshold, protected = (
            float(manifest.settings[f"likeness_{name}"])
            for name in ("slope", "intercept", "threshold", "protected_threshold")
        )
    except (KeyError, ValueError) as error:
        raise ModelError(f"{folder}: settings lack a number for {error}") from error
    return Resemblance(Likeness(seeds), Calibration(slope=slope, intercept=intercept), threshold, protected)


def _check(folder: Path, manifest: Manifest, sha256: str, what: str) -> None:
    if sha256 not in {dataset.sha256 for dataset in manifest.data}:
        raise ModelError(f"{folder}: made with other {what}; run `hustings model train {manifest.name}`")
