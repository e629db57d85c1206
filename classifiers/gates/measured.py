"""Gates on what training measured: quality against recorded floors and against what serves, calibration, robustness
against disguises, groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from classifiers.gates.comparing import at_least, at_most
from classifiers.gates.floors import Floors, rows_named
from classifiers.gates.record import Check
from classifiers.gates.remit import FLAGGING
from classifiers.gates.speech import GROUP_GAP
from classifiers.manifest import Manifest, Metric
from hustings.codebook import CHECK_WORTHY

__all__ = [
    "BY_CHANCE",
    "CALIBRATION_ERROR",
    "GAIN",
    "LOST",
    "LOST_RECALL",
    "calibration_checks",
    "group_checks",
    "quality_checks",
    "robustness_checks",
]

CALIBRATION_ERROR = 0.03
"""Most that probabilities may be off, in the domain of the training data …"""
CALIBRATION_ERROR_SHIFTED = 0.08
"""… and on other data."""
BY_CHANCE = "ece_by_chance"
"""The error that perfect probabilities would show on so few rows; training writes it beside `ece`."""
GAIN = "pr_auc_gain"
"""PR-AUC of this version less that of the version that served, on the same rows."""
FEWEST_OF_A_GROUP = 50
LOST = "recall_lost_"
"""Begins the names of the metrics that say what a disguise costs; training writes them."""
LOST_RECALL: dict[str, float] = {
    **dict.fromkeys(("leet", "look-alikes", "zero-width", "spaced", "dotted", "shouted"), 0.03),
    **dict.fromkeys(("mistyped", "stretched"), 0.10),
    "padded": 0.15,
}
"""Most recall that a disguise may cost: little where the analyser can undo it, more where writing is careless or the
post is sunk in friendly talk. What an asterisk hides (`masked`) is lost: it is measured, without a limit."""


def quality_checks(manifest: Manifest, floors: Floors) -> Iterator[Check]:
    """Every recorded floor of the model, on the same rows or on another version of the same corpus; where none can be
    compared, the model must at least beat chance. A floor that is inherited from the shipped models asks nothing of a
    version that was not measured on those rows."""
    measured = {(metric.name, metric.on): metric for metric in manifest.metrics}
    by_corpus = {(name, rows_named(on)): metric for (name, on), metric in measured.items()}
    compared = False
    for floor in floors.of(manifest.name):
        metric = measured.get((floor.measure, floor.on))
        metric = metric or by_corpus.get((floor.measure, rows_named(floor.on)))
        applies = metric is not None or manifest.name not in floors.inherited
        compared = compared or applies
        told = f"floor since {floor.at}" if metric is not None else "not measured by this version's training"
        yield at_least(
            "quality",
            f"{floor.measure} on {floor.on}",
            manifest.language,
            value=metric.value if metric is not None else 0.0,
            limit=floor.value,
            detail=told if applies else f"the shipped floor; {told}, which has other rows",
            applies=applies,
        )
    for metric in manifest.metrics:
        if metric.name == GAIN:
            yield _gain(manifest, metric)
    if not compared:
        yield from _beats_chance(manifest)


def _gain(manifest: Manifest, metric: Metric) -> Check:
    return at_least(
        "quality",
        f"{metric.name} on {metric.on}",
        manifest.language,
        value=metric.high,
        limit=0.0,
        detail=f"{metric.value:+.4f} [{metric.low:+.4f}, {metric.high:+.4f}] against what serves; its end counts",
    )


def _beats_chance(manifest: Manifest) -> Iterator[Check]:
    """The first data set of a manifest is what it was trained on; PR-AUC of guessing is its share of positives."""
    found = [metric for metric in manifest.metrics if metric.name == "pr_auc" and metric.group is None]
    data = manifest.data[0]
    chance = round(data.positives / max(data.rows, 1), 4)
    low = found[0].low if found else 0.0
    yield Check(
        gate="quality",
        subject=f"pr_auc on {found[0].on}" if found else "pr_auc",
        language=manifest.language,
        value=low,
        limit=chance,
        at_least=True,
        passed=low > chance,
        detail="no floor is recorded on such rows: the interval must lie above guessing",
    )


def calibration_checks(manifest: Manifest) -> Iterator[Check]:
    """Every measured calibration error; the first one is in the domain, those on other data may be worse."""
    chance = {metric.on: metric.high for metric in manifest.metrics if metric.name == BY_CHANCE}
    errors = [metric for metric in manifest.metrics if metric.name == "ece" and metric.group is None]
    for place, metric in enumerate(errors):
        usual = CALIBRATION_ERROR_SHIFTED if place else CALIBRATION_ERROR
        limit = max(usual, chance.get(metric.on, 0.0))
        yield at_most(
            "calibration",
            f"ece on {metric.on}",
            manifest.language,
            value=metric.value,
            limit=limit,
            detail=f"{metric.n} rows"
            + (f"; so few that perfect probabilities would show up to {limit:.3f}" if limit > usual else ""),
        )
    if not errors:
        told = "not measured by this version's training"
        yield at_most("calibration", "ece", manifest.language, value=1.0, limit=CALIBRATION_ERROR, detail=told)


def robustness_checks(manifest: Manifest) -> Iterator[Check]:
    """What disguises cost, where training measured it."""
    for metric in manifest.metrics:
        limit = LOST_RECALL.get(metric.name.removeprefix(LOST)) if metric.name.startswith(LOST) else None
        if limit is not None:
            yield at_most(
                "robustness",
                metric.name.removeprefix(LOST),
                manifest.language,
                value=metric.value,
                limit=limit,
                detail=f"recall lost on {metric.on}: {metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}], "
                f"{metric.n} posts",
            )


def group_checks(manifest: Manifest) -> Iterator[Check]:
    """False positives by group on real posts, where training measured them (`on` ends with ", key=value"). Where it did
    not, that is said: then our own sentences alone tell of groups."""
    compared = False
    rates: dict[tuple[str, str], dict[str, Metric]] = defaultdict(dict)
    for metric in manifest.metrics:
        if metric.group is not None and metric.name == "false_positive_rate" and metric.n >= FEWEST_OF_A_GROUP:
            on, key, value = metric.group
            rates[on, key][value] = metric
    for (on, key), by_value in rates.items():
        if len(by_value) > 1:
            compared = True
            values = [metric.value for metric in by_value.values()]
            yield at_most(
                "groups",
                f"{key} on {on}",
                manifest.language,
                value=max(values) - min(values),
                limit=GROUP_GAP,
                digits=4,
                detail="false positives: "
                + ", ".join(f"{value} {metric.value:.1%} of {metric.n}" for value, metric in by_value.items()),
            )
    if not compared and manifest.kind in FLAGGING and manifest.code != CHECK_WORTHY:
        yield at_most(
            "groups",
            "on real posts",
            manifest.language,
            value=0.0,
            limit=GROUP_GAP,
            detail="not measured: none of its data says who is spoken of (reviews of posts about the roster do)",
            applies=False,
        )
