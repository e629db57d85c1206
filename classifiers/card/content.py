"""Everything that a card says, gathered from the manifest, the gates' record and the suites, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from classifiers.candidate import open_with_candidate
from classifiers.card.remaking import Remaking, judging, remaking
from classifiers.checks.expand import load_suite
from classifiers.checks.runner import Report, Score, SwapScore, run
from classifiers.checks.suite import SUITES
from classifiers.checks.watched import watched
from classifiers.gates.beside import judged_beside
from classifiers.gates.floors import Exemption, Floors
from classifiers.gates.reading import OnlyFlagsOf
from classifiers.gates.record import Check, GateRecord, read_record
from classifiers.gates.remit import FLAGGING, answers_for, codes_of, remit_of, suite_language, tags_of
from classifiers.manifest import Curves, Manifest, Metric, hash_of_manifest
from classifiers.signing import ANYBODY
from classifiers.thresholds import Deciding, thresholds_of
from classifiers.training.licences import CLASSES, class_of
from hustings.codebook import CHECK_WORTHY, Codebook

__all__ = ["BASE_RATES", "AtBaseRate", "AtThreshold", "Card", "DataLine", "MeasuredOn", "gather"]

BASE_RATES = (0.005, 0.02, 0.10)
"""Shares of posts that hold what is looked for, from a quiet stream to a storm."""
WORST = 12
MAIN_MEASURES = ("pr_auc", "macro_f1", "f1", "precision", "recall", "recall_at_precision_90", "ece", "brier")


class DataLine(Struct, frozen=True, kw_only=True):
    """One data set of the card."""

    name: str
    use: str
    rows: int
    positives: int
    share: float
    licence: str
    may: str
    source: str
    sha256: str


class MeasuredOn(Struct, frozen=True, kw_only=True):
    """All measures on the same rows, by name; a cell is None where nothing was measured."""

    on: str
    n: int
    metrics: tuple[Metric | None, ...]


class AtBaseRate(Struct, frozen=True, kw_only=True):
    """What the threshold means in a stream in which `rate` of the posts hold what is looked for."""

    rate: float
    flags: float
    right: float
    precision: float


class AtThreshold(Struct, frozen=True, kw_only=True):
    """A threshold, and what it means in streams where that is known."""

    deciding: Deciding
    base_rates: tuple[AtBaseRate, ...]


class Card(Struct, frozen=True, kw_only=True):
    """The whole card. What the suites found stands beside the suite's name, and holds only what the version is there
    for (`classifiers.gates.remit`). `known` are failures that were written down when a version of the name was last
    judged, where no `record` tells of this one; `was_judged` says that they would have been."""

    manifest: Manifest
    manifest_hash: str
    bytes: int
    titles: dict[str, str]
    data: tuple[DataLine, ...]
    measures: tuple[str, ...]
    measured: tuple[MeasuredOn, ...]
    group_measures: tuple[str, ...]
    groups: tuple[MeasuredOn, ...]
    thresholds: tuple[AtThreshold, ...]
    curves: tuple[Curves, ...]
    record: GateRecord | None
    did_not_pass: tuple[Check, ...]
    known: tuple[Exemption, ...]
    was_judged: bool
    protected: tuple[tuple[str, Score], ...]
    worst: tuple[tuple[str, Score], ...]
    swaps: tuple[tuple[str, SwapScore], ...]
    judging: str
    remaking: Remaking

    @property
    def decision(self) -> str:
        """What happens where a score reaches the threshold: the beginning of a sentence."""
        if self.manifest.kind == "claims":
            return "The first claim is shown as a match"
        if self.manifest.code == CHECK_WORTHY:
            return "A post is looked up among known claims, and never flagged,"
        return "A post is flagged"

    @property
    def is_of_heads(self) -> bool:
        """Whether each threshold is of another code."""
        return self.manifest.kind == "encoder"

    @property
    def has_one_that_serves(self) -> bool:
        """Whether of several thresholds the first decides."""
        return self.manifest.kind == "narratives" and len(self.thresholds) > 1

    @property
    def no_failures(self) -> str:
        """What there is to say where none is listed."""
        if self.record is not None:
            return "Every check passed."
        return (
            "None was written down when it was last judged."
            if self.was_judged
            else ("The gates were not run on this version.")
        )

    @property
    def is_asked_by_suites(self) -> bool:
        """Whether it gives flags or, as `CHECK_WORTHY`, might be taken for one that does."""
        return self.manifest.kind in FLAGGING


def gather(
    manifest: Manifest, folder: Path, *, codebook: Codebook, serving: Mapping[str, Path], floors: Floors
) -> Card:
    """Read what is known and run the suites. The same folder gives the same card. Raises `ModelError` for a folder that
    cannot be opened."""
    reports = _reports(manifest, folder, codebook, serving)
    scores = [(report.suite, score) for report in reports for score in report.scores]
    record = read_record(folder, manifest)
    is_ours = record is None and manifest.name not in floors.inherited  # else they are those of another version
    known = tuple(one for one in floors.exception if one.model == manifest.name) if is_ours else ()
    main = [metric for metric in manifest.metrics if metric.group is None]
    by_group = [metric for metric in manifest.metrics if metric.group is not None]
    group_measures = tuple(dict.fromkeys(metric.name for metric in by_group))
    return Card(
        manifest=manifest,
        manifest_hash=hash_of_manifest(folder),
        bytes=sum(file.bytes for file in manifest.files),
        titles={code: codebook.codes[code].title for code in codes_of(manifest, folder) if code in codebook.codes},
        data=_data(manifest),
        measures=MAIN_MEASURES,
        measured=_table(main, MAIN_MEASURES),
        group_measures=group_measures,
        groups=_table(by_group, group_measures),
        thresholds=_thresholds(manifest, folder),
        curves=manifest.curves,
        record=record,
        did_not_pass=tuple(check for check in record.checks if not check.passed) if record else (),
        known=known,
        was_judged=bool(known) or (is_ours and bool(floors.of(manifest.name))),
        protected=tuple(
            sorted((one for one in scores if not one[1].expected), key=lambda one: (-one[1].flagged, one[1].function))
        ),
        worst=tuple(sorted(scores, key=lambda one: (one[1].accuracy, one[1].function))[:WORST]),
        swaps=tuple((report.suite, swap) for report in reports for swap in report.swaps),
        judging=judging(manifest, folder),
        remaking=remaking(manifest, folder),
    )


def _reports(manifest: Manifest, folder: Path, codebook: Codebook, serving: Mapping[str, Path]) -> Sequence[Report]:
    if manifest.kind not in FLAGGING:
        return []
    pipeline = open_with_candidate(
        manifest, folder, serving=judged_beside(manifest, serving), codebook=codebook, signers=ANYBODY, roster=watched()
    )
    codes, language = answers_for(manifest, folder), suite_language(manifest)
    suites = [remit_of(load_suite(name), codes, language) for name in SUITES]
    assessing = OnlyFlagsOf(tags_of(manifest, folder), pipeline)
    return [run(suite, assessing) for suite in suites if suite.cases]


def _data(manifest: Manifest) -> tuple[DataLine, ...]:
    return tuple(
        DataLine(
            name=dataset.name,
            use=dataset.use,
            rows=dataset.rows,
            positives=dataset.positives,
            share=dataset.positives / max(dataset.rows, 1),
            licence=dataset.licence,
            may=CLASSES[class_of(dataset.licence)],
            source=dataset.source,
            sha256=dataset.sha256,
        )
        for dataset in manifest.data
    )


def _table(metrics: Sequence[Metric], names: tuple[str, ...]) -> tuple[MeasuredOn, ...]:
    found: dict[str, dict[str, Metric]] = {}
    for metric in metrics:
        if metric.name in names:
            found.setdefault(metric.on, {})[metric.name] = metric
    return tuple(
        MeasuredOn(on=on, n=next(iter(own.values())).n, metrics=tuple(own.get(name) for name in names))
        for on, own in found.items()
    )


def _thresholds(manifest: Manifest, folder: Path) -> tuple[AtThreshold, ...]:
    """Each head of an encoder flags posts of its own; of narratives only what serves decides alone."""
    return tuple(
        AtThreshold(deciding=one, base_rates=_at_base_rates(one) if manifest.kind == "encoder" or place == 0 else ())
        for place, one in enumerate(thresholds_of(manifest, folder))
    )


def _at_base_rates(deciding: Deciding) -> tuple[AtBaseRate, ...]:
    """Where both recall and false positives are known, of the same rows."""
    recall, wrong = deciding.recall, deciding.false_positive_rate
    if recall is None or wrong is None:
        return ()
    lines = []
    for rate in BASE_RATES:
        right, flags = 1000 * rate * recall, 1000 * (rate * recall + (1 - rate) * wrong)
        lines.append(AtBaseRate(rate=rate, flags=flags, right=right, precision=right / flags if flags else 0.0))
    return tuple(lines)
