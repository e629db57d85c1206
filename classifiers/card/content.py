"""Everything that a card says, gathered from the manifest, the gates' record and the suites, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from classifiers.candidate import open_with_candidate
from classifiers.card.remaking import Remaking, remaking
from classifiers.checks.expand import load_suite
from classifiers.checks.runner import Report, Score, SwapScore, run
from classifiers.checks.suite import SUITES
from classifiers.checks.watched import watched
from classifiers.gates.beside import judged_beside
from classifiers.gates.reading import OnlyFlagsOf
from classifiers.gates.record import Check, GateRecord, read_record
from classifiers.gates.remit import FLAGGING, answers_for, codes_of, remit_of, suite_language, tags_of
from classifiers.manifest import Curves, Manifest, Metric, hash_of_manifest
from classifiers.signing import ANYBODY
from classifiers.training.licences import CLASSES, class_of
from hustings.codebook import CHECK_WORTHY, Codebook

__all__ = ["BASE_RATES", "AtBaseRate", "Card", "DataLine", "MeasuredOn", "gather"]

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


class Card(Struct, frozen=True, kw_only=True):
    """The whole card. `reports` hold only what the version is there for (`classifiers.gates.remit`)."""

    manifest: Manifest
    manifest_hash: str
    bytes: int
    titles: dict[str, str]
    data: tuple[DataLine, ...]
    measures: tuple[str, ...]
    measured: tuple[MeasuredOn, ...]
    group_measures: tuple[str, ...]
    groups: tuple[MeasuredOn, ...]
    base_rates: tuple[AtBaseRate, ...]
    curves: tuple[Curves, ...]
    record: GateRecord | None
    did_not_pass: tuple[Check, ...]
    protected: tuple[Score, ...]
    worst: tuple[Score, ...]
    swaps: tuple[SwapScore, ...]
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
    def is_asked_by_suites(self) -> bool:
        """Whether it gives flags or, as `CHECK_WORTHY`, might be taken for one that does."""
        return self.manifest.kind in FLAGGING


def gather(manifest: Manifest, folder: Path, *, codebook: Codebook, serving: Mapping[str, Path]) -> Card:
    """Read what is known and run the suites. The same folder gives the same card. Raises `ModelError` for a folder that
    cannot be opened."""
    reports = _reports(manifest, folder, codebook, serving)
    scores = [score for report in reports for score in report.scores]
    record = read_record(folder, manifest)
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
        base_rates=_at_base_rates(main),
        curves=manifest.curves,
        record=record,
        did_not_pass=tuple(check for check in record.checks if not check.passed) if record else (),
        protected=tuple(
            sorted((score for score in scores if not score.expected), key=lambda one: (-one.flagged, one.function))
        ),
        worst=tuple(sorted(scores, key=lambda one: (one.accuracy, one.function))[:WORST]),
        swaps=tuple(swap for report in reports for swap in report.swaps),
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


def _at_base_rates(metrics: Sequence[Metric]) -> tuple[AtBaseRate, ...]:
    """From the first rows on which both recall and false positives are known: those that the threshold stands on."""
    first: dict[str, Metric] = {}
    for metric in metrics:
        first.setdefault(metric.name, metric)
    if "recall" not in first or "false_positive_rate" not in first:
        return ()
    recall, wrong = first["recall"].value, first["false_positive_rate"].value
    lines = []
    for rate in BASE_RATES:
        right, flags = 1000 * rate * recall, 1000 * (rate * recall + (1 - rate) * wrong)
        lines.append(AtBaseRate(rate=rate, flags=flags, right=right, precision=right / flags if flags else 0.0))
    return tuple(lines)
