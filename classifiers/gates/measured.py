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
from classifiers.manifest import Dataset, Manifest, Metric
from classifiers.thresholds import READ_ALL
from hustings.codebook import CHECK_WORTHY

__all__ = [
    "BY_CHANCE",
    "CALIBRATION_ERROR",
    "GAIN",
    "LOST",
    "LOST_AMONG_MARKS",
    "LOST_RECALL",
    "calibration_checks",
    "group_checks",
    "quality_checks",
    "robustness_checks",
]

CALIBRATION_ERROR = 0.03
"""Most that probabilities may be off, in the domain of the training data: on the first rows of each head, and on those
of a corpus that was trained on …"""
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
LOST_AMONG_MARKS = {"answering": 0.03, "tagged": 0.05}
"""The same of a post behind handles or before hashtags, of models that are measured on the suites: they read its words
without these. What training measures are linear heads, which read all words; tags cost those more."""


def quality_checks(manifest: Manifest, floors: Floors) -> Iterator[Check]:
    """Every recorded floor of the model, on the same rows or on another version of the same corpus; where none can be
    compared, each head must at least beat chance. A floor that is inherited from the shipped models asks nothing of a
    version that was not measured on those rows."""
    measured = {(metric.name, metric.on): metric for metric in manifest.metrics}
    by_corpus = {(name, rows_named(on)): metric for (name, on), metric in measured.items()}
    compared = set()
    for floor in floors.of(manifest.name):
        metric = measured.get((floor.measure, floor.on))
        metric = metric or by_corpus.get((floor.measure, rows_named(floor.on)))
        applies = metric is not None or manifest.name not in floors.inherited
        compared |= {_head(manifest, floor.on)} if applies else set()
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
    heads = _heads(manifest)
    for head in heads:
        if head not in compared and (len(heads) > 1 or not compared):
            yield _beats_chance(manifest, head, heads)


def _gain(manifest: Manifest, metric: Metric) -> Check:
    return at_least(
        "quality",
        f"{metric.name} on {metric.on}",
        manifest.language,
        value=metric.high,
        limit=0.0,
        detail=f"{metric.value:+.4f} [{metric.low:+.4f}, {metric.high:+.4f}] against what serves; its end counts",
    )


def _beats_chance(manifest: Manifest, head: str, heads: list[str]) -> Check:
    """PR-AUC of guessing is the share of positives among the rows. An encoder's rows of a head come last as it serves,
    and are those that count; of other models the first ones do."""
    own = [
        one
        for one in manifest.metrics
        if one.name == "pr_auc" and one.group is None and _head(manifest, one.on) == head
    ]
    found = own[-1 if manifest.kind == "encoder" else 0] if own else None
    data = _data_of(manifest, found.on, heads.index(head)) if found else manifest.data[0]
    chance = round(data.positives / max(data.rows, 1), 4)
    low = found.low if found else 0.0
    return Check(
        gate="quality",
        subject=f"pr_auc on {found.on}" if found else "pr_auc",
        language=manifest.language,
        value=low,
        limit=chance,
        at_least=True,
        passed=low > chance,
        detail="no floor is recorded on such rows: the interval must lie above guessing",
    )


def _head(manifest: Manifest, on: str) -> str:
    """Beside which linear head an encoder was measured on those rows; empty for every other model, which is one."""
    return on.partition(": ")[0] if manifest.kind == "encoder" else ""


def _heads(manifest: Manifest) -> list[str]:
    """In the order of an encoder's outputs: their measures stand in the manifest from the last to the first."""
    measured = [one.on for one in manifest.metrics if one.name in ("pr_auc", "ece") and one.group is None]
    return list(dict.fromkeys(_head(manifest, on) for on in measured))[::-1] or [""]


def _data_of(manifest: Manifest, on: str, place: int) -> Dataset:
    """The line of the data that tells of those rows. One file can hold the labels of several heads: their lines stand
    in the order of the heads. Where no line names the rows, the first does: it is what was trained on."""
    named = [one for one in manifest.data if one.file in on]
    if not named:
        return manifest.data[0]
    file = max((one.file for one in named), key=len)
    lines = [one for one in named if one.file == file]
    heads = _heads(manifest)
    sharing = [head for head in heads if any(_head(manifest, m.on) == head and file in m.on for m in manifest.metrics)]
    if len(lines) == len(sharing):
        return lines[sharing.index(heads[place])]
    return max(lines, key=lambda one: one.positives / max(one.rows, 1))


def calibration_checks(manifest: Manifest) -> Iterator[Check]:
    """Every measured calibration error; that on other data than it was trained on may be worse."""
    chance = {metric.on: metric.high for metric in manifest.metrics if metric.name == BY_CHANCE}
    errors = [metric for metric in manifest.metrics if metric.name == "ece" and metric.group is None]
    first: dict[str, str] = {}
    for metric in errors:
        first.setdefault(_head(manifest, metric.on), _without_part(metric.on))
        is_first = _without_part(metric.on) == first[_head(manifest, metric.on)]
        usual = CALIBRATION_ERROR if is_first or _is_in_domain(manifest, metric.on) else CALIBRATION_ERROR_SHIFTED
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


def _without_part(on: str) -> str:
    """The same rows, whether all of them were read or only those that are where it serves."""
    return on.removesuffix(READ_ALL)


def _is_in_domain(manifest: Manifest, on: str) -> bool:
    """Whether the rows are of a corpus that was trained on."""
    trained = {one.name for one in manifest.data if one.use == "training"}
    return any(one.name in trained and one.file in on for one in manifest.data)


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
