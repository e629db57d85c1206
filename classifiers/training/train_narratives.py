"""The model of election narratives of one language: columns learnt from seeds, and what was settled for likeness."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Dataset, Manifest, Threshold, analyser_hash, write_manifest
from classifiers.narratives.columns import CODES, COLUMNS, pack_columns, unpack_columns
from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.reader import FLAGGED_HARM, Reader, parent_of
from classifiers.narratives.seeds import ORDINARY, PROTECTED, example_languages, load_examples, load_seeds
from classifiers.narratives.subject import load_subjects
from classifiers.training.calibration import platt, probabilities
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.narrative_columns import FOLDS, Corpus, Learnt, corpus, learnt, left_out
from classifiers.training.stages import Tell, to_nobody
from classifiers.training.train_likeness import Settled, settle_likeness

__all__ = ["MOST_ORDINARY", "MOST_PROTECTED", "narrative_languages", "train_narratives"]

MOST_PROTECTED = 0.04
"""Share of protected seeds, most of them written to look like a narrative, that columns may flag as one."""
MOST_ORDINARY = 0.02
"""Share of ordinary seeds, half of them about the election, that columns may flag."""
LEAST_RIGHT = 0.5
"""Share of a code's flags on the seeds, most of which look like it and are none, that must be right in all languages
together; else more is asked of that code …"""
FEWEST_RIGHT = 12
"""… and where no threshold leaves it so many right flags, it abstains."""
_NEVER = 2.0
_NOTHING_READ = -25.0  # the log-odds of a sentence that speaks of nothing that any code is about
_MEASURES = (
    "macro_f1",
    "f1",
    "precision",
    "recall",
    "false_positive_rate",
    "pr_auc",
    "recall_at_precision_90",
)
_LABEL = (
    "Election narratives (wrong date, place, way or cancellation of the vote; who may vote, false consequences, "
    "futility; fraud, results, captured bodies, a candidate's status or crimes; calls to cheat or to violence), "
    "threats and insults: columns trained on sentences of our own, over what words mean for an election."
)
_LIMITS = (
    "It says that a post resembles a narrative, never that it is false. Knows the words of its list and the "
    "combinations that our sentences show; told in a roundabout way a narrative is mostly missed. Minimal pairs of "
    "claim and report, satire or opinion are told apart less well than claim and ordinary talk. All sentences were "
    "written for Hustings, none was signed off by a native speaker; some follow those of another language, so that "
    "left-out numbers are kind. Shares on them are no shares of a stream, in which ordinary talk is far more frequent."
)

F64 = NDArray[np.float64]


class _Judged(NamedTuple):
    """Every row of the corpus, read by columns that did not learn from its fold."""

    margins: F64
    codes: NDArray[np.str_]


def narrative_languages() -> list[str]:
    """Languages in which narratives are told."""
    return concept_languages()


def train_narratives(
    language: str,
    *,
    models: Path,
    seed: int,
    head_version: str,
    chosen_by: str,
    chosen_at: str,
    tell: Tell = to_nobody,
) -> Manifest:
    """Learn from the seeds of all languages, calibrate on those of this one, each judged by columns that did not learn
    from it; write `models/N-<language>`."""
    tell("seeds of all languages, each left out by folds")
    own = corpus(seed)
    judged = _judged(seed)
    places = own.of(language)
    labels, counted = _labels(own, places)
    read = judged.margins[places] > _NOTHING_READ
    calibration = platt(judged.margins[places][read & counted], labels[read & counted])
    scores = np.where(read, np.round(probabilities(judged.margins[places], calibration), DECIMALS), 0.0)
    tell("threshold")
    value = _threshold(language, seed)
    on = f"{language}: seeds, left out by {FOLDS} folds"
    on_read = f"{language}: of them, those that speak of what a code is about"
    flagged, known = scores >= value, read & counted
    tell("all seeds")
    files = pack_columns(
        learnt(seed).codes,
        *learnt(seed).for_language(language),
        learnt(seed).intercepts,
        _thresholds_of_codes(seed),
    )
    tell("likeness")
    settled = _likeness(language, seed)
    tell("measures")
    metrics = [
        *measure(labels[counted], scores[counted], value, on=on, seed=seed, names=_MEASURES),
        *measure(labels[known], scores[known], value, on=on_read, seed=seed, names=("ece", "brier")),
        ece_by_chance(scores[known], on=on_read, seed=seed),
    ]
    for kind, chosen in (
        ("protected seeds", np.char.startswith(own.codes[places], PROTECTED)),
        ("ordinary seeds", own.codes[places] == ORDINARY),
    ):
        zeros = np.zeros(int(chosen.sum()), dtype=np.int64)
        metrics += measure(
            zeros, scores[chosen], value, on=f"{language}: {kind}", seed=seed, names=("false_positive_rate",)
        )
    manifest = Manifest(
        kind="narratives",
        name=f"N-{language}",
        code="N",
        language=language,
        version=head_version,
        label=_LABEL,
        limits=_LIMITS,
        data=(*_data(language, settled), *_data_of_others(language)),
        settings={
            "most_protected": MOST_PROTECTED,
            "most_ordinary": MOST_ORDINARY,
            **(settled.settings if settled else {}),
        },
        calibration=calibration,
        threshold=Threshold(
            value=value,
            reason=f"lowest score at which at most {MOST_PROTECTED:.0%} of protected and {MOST_ORDINARY:.0%} of "
            "ordinary sentences are flagged, half way between what this language's ask for, where a few decide, and "
            "what those of all languages do",
            chosen_by=chosen_by,
            chosen_at=chosen_at,
            chosen_on=f"seeds of all languages, left out by {FOLDS} folds, each by its language's calibration",
            precision=round(float(labels[flagged & counted].mean()), 4),
            recall=round(float(flagged[labels == 1].mean()), 4),
        ),
        metrics=(*metrics, *(settled.metrics if settled else ())),
        files=tuple(file for _, file in files.values()),
        analyser=analyser_hash(),
        code_version=version("hustings"),
        libraries={name: version(name) for name in ("numpy", "scikit-learn", "scipy")},
        seed=seed,
        curves=(curves(labels[counted], scores[counted], on=on), *(settled.curves if settled else ())),
    )
    folder = models / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, (raw, _) in files.items():
        (folder / name).write_bytes(raw)
    write_manifest(folder, manifest)
    return manifest


def _reader(columns: Learnt, language: str) -> Reader:
    """Columns as they are shipped, whole numbers and all."""
    files = pack_columns(columns.codes, *columns.for_language(language), columns.intercepts, {})
    concepts = load_concepts(language)
    shipped = unpack_columns(files[CODES][0], files[COLUMNS][0], language)
    return Reader(concepts, load_subjects(concepts), shipped)


@lru_cache(maxsize=1)
def _judged(seed: int) -> _Judged:
    own = corpus(seed)
    margins = np.full(len(own.rows), _NOTHING_READ)
    codes = np.full(len(own.rows), "", dtype="<U60")
    for language in concept_languages():
        readers = [_reader(columns, language) for columns in left_out(seed)]
        for place in own.of(language).tolist():
            reading = readers[own.fold[place]].read(own.tokens[place])
            if reading is not None:
                margins[place], codes[place] = reading.margin, reading.code
    return _Judged(margins, codes)


def _labels(own: Corpus, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """1 for rows of the codes that columns may give; and which rows count, those of codes that only compete do not."""
    codes = own.codes[places]
    labels = np.array([int(str(code).startswith(FLAGGED_HARM)) for code in codes])
    counted = (labels == 1) | np.char.startswith(codes, PROTECTED) | (codes == ORDINARY)
    return labels, counted


@lru_cache(maxsize=1)
def _scores(seed: int) -> F64:
    """How likely each row is harm, by the calibration of its language."""
    own, judged = corpus(seed), _judged(seed)
    scores = np.zeros(len(own.rows))
    for language in concept_languages():
        places = own.of(language)
        labels, counted = _labels(own, places)
        read = judged.margins[places] > _NOTHING_READ
        calibration = platt(judged.margins[places][read & counted], labels[read & counted])
        scores[places] = np.where(read, probabilities(judged.margins[places], calibration), 0.0)
    return scores


def _threshold(language: str, seed: int) -> float:
    """Half way between what the language's own rows ask for, where a few decide, and what those of all languages do."""
    own, scores = corpus(seed), _scores(seed)
    everywhere = np.arange(len(own.rows))
    bounds = [_bound(own.codes[places], scores[places]) for places in (own.of(language), everywhere)]
    return round(sum(bounds) / len(bounds), DECIMALS)


def _bound(codes: NDArray[np.str_], scores: F64) -> float:
    """The lowest score above which so few of either kind are flagged."""
    bounds = []
    for chosen, most in ((np.char.startswith(codes, PROTECTED), MOST_PROTECTED), (codes == ORDINARY, MOST_ORDINARY)):
        wrong = np.sort(scores[chosen])[::-1]
        bounds.append(float(wrong[int(most * len(wrong))]))
    return max(bounds)


def _thresholds_of_codes(seed: int) -> dict[str, float]:
    """What each code asks for beside the model's threshold, from the rows of all languages by their calibrations."""
    own, judged, scores = corpus(seed), _judged(seed), _scores(seed)
    found = {}
    for code in sorted({str(one) for one in own.codes if str(one).startswith(FLAGGED_HARM)}):
        given = np.flatnonzero(judged.codes == code)
        right = np.array([parent_of(str(one)) == parent_of(code) for one in own.codes[given]])
        order = np.argsort(-scores[given], kind="stable")
        hits = np.cumsum(right[order])
        good = np.flatnonzero((hits >= LEAST_RIGHT * np.arange(1, len(order) + 1)) & (hits >= FEWEST_RIGHT))
        found[code] = round(float(scores[given][order][good[-1]]), DECIMALS) if len(good) else _NEVER
    return found


def _likeness(language: str, seed: int) -> Settled | None:
    return settle_likeness(load_examples(language), seed=seed) if language in example_languages() else None


def _data(language: str, settled: Settled | None) -> list[Dataset]:
    seeds, concepts = load_seeds(language), load_concepts(language)
    harm = sum(one.code.startswith(FLAGGED_HARM) for one in (*seeds.examples, *seeds.held_out))
    rows = len(seeds.examples) + len(seeds.held_out) + len(seeds.ordinary)
    data = [
        _dataset("Hustings seed sentences", f"classifiers/seeds/{language}.toml", seeds.sha256, rows, harm),
        _dataset("Words by what they mean", f"classifiers/narratives/words/{language}.toml", concepts.sha256),
        _dataset("What codes are about", "classifiers/narratives/about.toml", load_subjects(concepts).sha256),
    ]
    if settled is not None:
        examples = load_examples(language)
        file = f"classifiers/narratives/examples/{language}.toml"
        data.append(_dataset("Hustings plain examples", file, examples.sha256, settled.rows, settled.positives))
    return data


def _data_of_others(language: str) -> list[Dataset]:
    """What concepts were learnt from beside the language's own seeds."""
    data = []
    for other in concept_languages():
        if other != language:
            seeds = load_seeds(other)
            harm = sum(one.code.startswith(FLAGGED_HARM) for one in (*seeds.examples, *seeds.held_out))
            rows = len(seeds.examples) + len(seeds.held_out) + len(seeds.ordinary)
            file = f"classifiers/seeds/{other}.toml"
            data.append(_dataset(f"Hustings seed sentences ({other})", file, seeds.sha256, rows, harm))
    return data


def _dataset(name: str, file: str, sha256: str, rows: int = 0, positives: int = 0) -> Dataset:
    return Dataset(
        name=name,
        file=file,
        sha256=sha256,
        licence="CC0-1.0",
        source="written for Hustings",
        rows=rows,
        positives=positives,
        use="training",
    )
