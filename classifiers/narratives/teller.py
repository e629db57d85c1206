"""One language's model, read from its folder: columns, beside them what an encoder says that a post means, and in some
languages likeness to plain examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from classifiers.encoder.asked import OpenEncoder
from classifiers.encoder.readable import Readable
from classifiers.linear.model import read_number
from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Manifest, of_kind, read_file, read_manifest
from classifiers.narratives.columns import CODES, COLUMNS, unpack_columns
from classifiers.narratives.concepts import load_concepts
from classifiers.narratives.decision import Decision, Told
from classifiers.narratives.evidence import features_in
from classifiers.narratives.lexicon import Lexicon
from classifiers.narratives.likeness import Likeness
from classifiers.narratives.nearest import Nearest
from classifiers.narratives.reader import Reader, Reading
from classifiers.narratives.resemblance import Resemblance
from classifiers.narratives.seeds import example_languages, load_examples
from classifiers.narratives.sense import Sense, SenseSettings
from classifiers.narratives.subject import load_subjects
from classifiers.signing import Signers
from classifiers.spelling import WORDS_FILE, Spelling
from hustings.errors import ModelError

__all__ = ["FILES", "Teller", "load_teller", "load_tellers"]

FILES = (CODES, COLUMNS, WORDS_FILE)

_EARLY = ("early_weight", "least_early", "least_early_else")
"""Up to version 16 models of narratives read all to the end."""
_FINEST = 10.0**-DECIMALS


def _no_encoder(network: str) -> None:
    return None


class Teller(NamedTuple):
    """`resemblance` is None in languages without plain examples, `sense` in those that no encoder reads. `nearest`
    knows the sentences that columns learnt from."""

    manifest: Manifest
    reader: Reader
    nearest: Nearest
    resemblance: Resemblance | None
    sense: Sense | None

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return self.manifest.tag

    def worth(self, posts: Sequence[Sequence[str]]) -> Sequence[float | None]:
        """How much each of the posts is worth asking the encoder about; None where there is none to be asked."""
        found = self.sense.worth(posts) if self.sense is not None else None
        return [None] * len(posts) if found is None else found

    def tell(self, tokens: Sequence[str], post: Readable, worth: float | None) -> Told | None:
        """None for a post that speaks of nothing that any code is about, by words and by meaning. `post` is the same
        for an encoder, `worth` is what it is worth asking one."""
        reading = self.reader.read(tokens, post)
        told = self._by_meaning(reading, tokens, post, worth) if worth is not None else None
        if told is not None or reading is None:
            return told
        score = round(self.manifest.calibration.probability(reading.margin), DECIMALS)
        return Told(reading, score, max(self.manifest.threshold.value, reading.threshold))

    def _by_meaning(self, reading: Reading | None, tokens: Sequence[str], post: Readable, worth: float) -> Told | None:
        """None for a post about which the encoder is not asked, or cannot be."""
        sense = self.sense
        margin = None if reading is None else reading.margin
        if sense is None or not sense.asks(margin, worth):
            return None
        calibration = sense.settings.calibration
        if reading is None:
            reading = self.reader.read_else(tokens, post, sense.most_telling)
            calibration = sense.settings.calibration_else
        text = post.text(reading.begin, reading.end)
        early = sense.early(text, worth)
        by_meaning = sense.shares(text) if early is not None and sense.reads_on(margin, early) else None
        if by_meaning is None:
            return None
        weighed = self.reader.weighed(reading, by_meaning, sense.settings.share)
        score = round(calibration.probability(weighed.margin), DECIMALS)
        return Told(weighed, score, max(sense.settings.threshold, weighed.threshold))

    def decide(self, tokens: Sequence[str], post: Readable, worth: float | None) -> Decision:
        """`tell`, with what likeness says where there are plain examples."""
        compared = self.resemblance.compare(tokens) if self.resemblance else None
        return Decision(self.tell(tokens, post, worth), compared)

    def rate(self, tokens: Sequence[str], post: Readable) -> float:
        """One number for a post: how likely it is harm. Likeness, meaning and single columns have thresholds of their
        own; who rates posts judges them at the manifest's. So what is flagged as harm has at least that, and everything
        else less."""
        (worth,) = self.worth([tokens])
        decision = self.decide(tokens, post, worth)
        threshold = self.manifest.threshold.value
        if decision.is_harm:
            return max(decision.harm, threshold)
        return min(decision.harm, round(threshold - _FINEST, DECIMALS))


def load_tellers(
    folders: Iterable[Path], *, signers: Signers | None = None, open_encoder: OpenEncoder = _no_encoder
) -> list[Teller]:
    """The tellers among these model folders, in their order. Raises `ModelError` for the first bad one."""
    found = of_kind(folders, "narratives", signers=signers)
    return [load_teller(folder, signers=signers, open_encoder=open_encoder) for folder in found]


def load_teller(folder: Path, *, signers: Signers | None = None, open_encoder: OpenEncoder = _no_encoder) -> Teller:
    """`open_encoder` is asked when a first post needs it. Raises `ModelError` when a file is not what the manifest
    says, or when the words, subjects or examples are not those that the model was made with."""
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
    columns = unpack_columns(raw[CODES], raw[COLUMNS], str(folder), features=features_in(len(concepts.names)))
    _check(folder, manifest, concepts.sha256, "words")
    _check(folder, manifest, subjects.sha256, "subjects")
    spelling = Spelling.unpack(raw[WORDS_FILE], str(folder))
    seeds = next((one.sha256 for one in manifest.data if one.file == f"classifiers/seeds/{manifest.language}.toml"), "")
    reader = Reader(Lexicon(concepts, spelling, subjects.core), subjects, columns)
    sense = None
    if "sense_encoder" in manifest.settings:
        sense = _sense(folder, manifest, columns.codes, spelling, open_encoder)
    return Teller(manifest, reader, Nearest(concepts, seeds), _resemblance(folder, manifest), sense)


def _sense(
    folder: Path, manifest: Manifest, codes: Sequence[str], spelling: Spelling, open_encoder: OpenEncoder
) -> Sense:
    def number(name: str) -> float:
        return read_number(folder, manifest, f"sense_{name}")

    try:
        encoder, network = (str(manifest.settings[f"sense_{name}"]) for name in ("encoder", "network"))
    except KeyError as error:
        raise ModelError(f"{folder}: settings lack a value for {error}") from error
    settings = SenseSettings(
        encoder=encoder,
        network=network,
        weight=number("weight"),
        least=number("least"),
        least_else=number("least_else"),
        share=number("share"),
        calibration=Calibration(slope=number("slope"), intercept=number("intercept")),
        calibration_else=Calibration(slope=number("slope_else"), intercept=number("intercept_else")),
        threshold=number("threshold"),
        **{name: number(name) for name in _EARLY if f"sense_{name}" in manifest.settings},
    )
    return Sense(settings, codes, open_encoder, language=manifest.language, spelling=spelling)


def _resemblance(folder: Path, manifest: Manifest) -> Resemblance | None:
    if manifest.language not in example_languages():
        return None
    seeds = load_examples(manifest.language)
    _check(folder, manifest, seeds.sha256, "examples")
    slope, intercept, threshold, protected = (
        read_number(folder, manifest, f"likeness_{name}")
        for name in ("slope", "intercept", "threshold", "protected_threshold")
    )
    return Resemblance(Likeness(seeds), Calibration(slope=slope, intercept=intercept), threshold, protected)


def _check(folder: Path, manifest: Manifest, sha256: str, what: str) -> None:
    if sha256 not in {dataset.sha256 for dataset in manifest.data}:
        raise ModelError(f"{folder}: made with other {what}; run `hustings model train {manifest.name}`")
