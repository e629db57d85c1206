"""The least that each model must be worth, and the failures that are known and borne, each with its written reason.

`floors.toml` lies in a folder of models (the shipped one beside this file). A floor keeps its history: it may rise
freely, a fall needs a reason. An exception excuses a check only while it is no worse than when it was written down.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from classifiers.gates.record import Check, GateName, GateRecord
from classifiers.manifest import Manifest
from hustings.errors import ConfigError

__all__ = [
    "FLOORS",
    "Exemption",
    "Floor",
    "Floors",
    "Mark",
    "excused",
    "judged_by",
    "outlived",
    "read_floors",
    "recorded",
    "rows_named",
    "write_floors",
]

FLOORS = "floors.toml"
MARGIN = 0.01
"""A floor is recorded so far below what was measured: retraining on a few rows more or fewer moves it that much."""
RECORDED = ("pr_auc", "macro_f1")
SHORTEST_REASON = 12
NEVER_BORNE = ("signature", "analyser", "company")
"""Gates whose failures are mended or passed over once, by whoever promotes, and never written down as exceptions."""
BETTER_SHARE = 0.05
"""So much better than its exception says a check may be before the exception is written anew; most are shares."""
BETTER_POINTS = 5.0
"""… and swaps are in points of a hundred."""
_SLACK = 1e-9
_CORPUS_VERSION = re.compile(r"(?<=\w)@\d+\b")


class Mark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value of a floor, since when, and why where it lies below the one before."""

    value: float
    at: str
    reason: str = ""


class Floor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One floor; the last mark of its history holds."""

    model: str
    measure: str
    on: str
    history: tuple[Mark, ...]

    @property
    def value(self) -> float:
        return self.history[-1].value

    @property
    def at(self) -> str:
        return self.history[-1].at


class Exemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check that fails and is borne for now; `worst` is the value that was seen when it was written down."""

    model: str
    gate: GateName
    subject: str
    worst: float
    at: str
    reason: str


class Floors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `inherited` names models whose entries come from another file (`over`); it is never written."""

    floor: tuple[Floor, ...] = ()
    exception: tuple[Exemption, ...] = ()
    inherited: tuple[str, ...] = ()

    def of(self, model: str) -> tuple[Floor, ...]:
        return tuple(floor for floor in self.floor if floor.model == model)

    def over(self, base: Floors) -> Floors:
        """These, and for models of which they say nothing those of `base`: what is shipped is asked of a version that
        a deployment made under the same name, and borne of it, as long as the deployment recorded nothing itself."""
        known = {one.model for one in self.floor} | {one.model for one in self.exception}
        floors = tuple(one for one in base.floor if one.model not in known)
        exceptions = tuple(
            replace(one, reason=f"so did the shipped {one.model}, {one.at}: {one.reason}")
            for one in base.exception
            if one.model not in known
        )
        return Floors(
            floor=(*self.floor, *floors),
            exception=(*self.exception, *exceptions),
            inherited=tuple(sorted({one.model for one in floors} | {one.model for one in exceptions})),
        )


def read_floors(path: Path) -> Floors:
    """The file, or nothing when there is none. Raises `ConfigError` for a floor that fell without a reason, for an
    exception without one, and for a floor that stands twice."""
    if not path.exists():
        return Floors()
    try:
        floors = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Floors)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
    problems = [problem for floor in floors.floor for problem in _problems(floor)]
    problems += [
        f"exception for {one.model}, {one.gate}, {one.subject}: needs a reason of at least {SHORTEST_REASON} letters"
        for one in floors.exception
        if len(one.reason) < SHORTEST_REASON
    ]
    keys = [(floor.model, floor.measure, floor.on) for floor in floors.floor]
    problems += [f"the floor of {' '.join(key)} stands twice" for key in sorted(set(keys)) if keys.count(key) > 1]
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return floors


def _problems(floor: Floor) -> list[str]:
    name = f"floor of {floor.model}, {floor.measure} on {floor.on}"
    if not floor.history:
        return [f"{name}: has no value"]
    return [
        f"{name}: fell from {before.value} to {after.value} on {after.at} without a written reason"
        for before, after in zip(floor.history, floor.history[1:], strict=False)
        if after.value < before.value and len(after.reason) < SHORTEST_REASON
    ]


def excused(check: Check, model: str, floors: Floors) -> Check:
    """The check with the reason of the exception that covers it, if one does."""
    if check.passed:
        return check
    for one in floors.exception:
        if (one.model, one.gate, one.subject) == (model, check.gate, check.subject):
            no_worse = check.value >= one.worst - _SLACK if check.at_least else check.value <= one.worst + _SLACK
            if no_worse:
                return replace(check, excused=one.reason)
            return replace(check, detail=f"{check.detail}; worse than the {one.worst} of its exception")
    return check


def outlived(record: GateRecord, floors: Floors) -> list[str]:
    """Exceptions of the judged model that cover nothing any more, each with what is so now: the check is gone, passes,
    or is better than `worst` by more than `BETTER_SHARE`. What they allow would hide the next fall. Speed is left out:
    it is as the machine has it."""
    checks = {(check.gate, check.subject): check for check in record.checks}
    told = []
    for one in floors.exception:
        if one.model != record.model or one.gate == "speed":
            continue
        check = checks.get((one.gate, one.subject))
        if check is None:
            told.append(f"{one.gate}: {one.subject}: no such check is made; record it anew")
        elif check.passed:
            told.append(f"{one.gate}: {one.subject}: passes with {check.value}; record it anew")
        else:
            better = check.value - one.worst if check.at_least else one.worst - check.value
            if better > (BETTER_POINTS if one.gate == "swaps" else BETTER_SHARE) + _SLACK:
                told.append(f"{one.gate}: {one.subject}: {check.value}, was {one.worst}; record it anew")
    return told


def judged_by(record: GateRecord, floors: Floors) -> GateRecord:
    """The record with the exceptions of these floors in place of those that it was made with."""
    bare = (replace(check, excused="") for check in record.checks)
    return replace(record, checks=tuple(excused(check, record.model, floors) for check in bare))


def recorded(floors: Floors, manifest: Manifest, record: GateRecord, *, at: str, reason: str) -> Floors:
    """The floors with what this version is worth now, and with an exception for each other check that it fails; what is
    inherited of other models is left out. Raises `ConfigError` when a floor falls, or anything fails, and no reason is
    given."""
    measured = {(metric.name, rows_named(metric.on)) for metric in manifest.metrics}
    kept = {
        key: floor
        for floor in floors.of(manifest.name)
        if (key := (floor.measure, rows_named(floor.on))) in measured or manifest.name not in floors.inherited
    }
    needs_reason: list[str] = []
    for metric in manifest.metrics:
        if metric.name not in RECORDED or metric.group is not None:
            continue
        value = round(metric.value - MARGIN, 4)
        key = metric.name, rows_named(metric.on)
        known = kept.get(key)
        if known is not None and value == known.value:
            continue
        if known is not None and value < known.value:
            needs_reason.append(f"{metric.name} on {metric.on} falls from {known.value} to {value}")
        mark = Mark(value=value, at=at, reason=reason if known is not None and value < known.value else "")
        history = known.history if known is not None else ()
        kept[key] = Floor(model=manifest.name, measure=metric.name, on=metric.on, history=(*history, mark))
    failing = [check for check in record.checks if not check.passed and check.gate not in NEVER_BORNE]
    needs_reason += [
        f"{check.gate}: {check.subject} fails with {check.value}" for check in failing if not check.excused
    ]
    if needs_reason and len(reason) < SHORTEST_REASON:
        raise ConfigError(
            f"{manifest.tag}: a written reason of at least {SHORTEST_REASON} letters is needed (--reason):\n"
            + "\n".join(needs_reason)
        )
    exceptions = [
        Exemption(
            model=manifest.name,
            gate=check.gate,
            subject=check.subject,
            worst=check.value,
            at=at,
            reason=check.excused or reason,
        )
        for check in failing
        if check.gate != "quality"  # its floors are what is recorded here
    ]
    left_out = {manifest.name, *floors.inherited}
    return Floors(
        floor=(*(floor for floor in floors.floor if floor.model not in left_out), *kept.values()),
        exception=(*(one for one in floors.exception if one.model not in left_out), *exceptions),
    )


def rows_named(on: str) -> str:
    """The rows without the version of their corpus: a desk's corpus grows, and a floor is asked of its next version."""
    return _CORPUS_VERSION.sub("", on)


_HEAD = """\
# The least that each model must be worth, and the failures that are known and borne for now.
# Written by `hustings model gates --record`. A floor that falls, and every exception, has its reason here.
"""


def write_floors(path: Path, floors: Floors) -> None:
    """Write the file for people to read, in the order of models."""
    lines = [_HEAD]
    for floor in sorted(floors.floor, key=lambda one: (one.model, one.on, one.measure)):
        lines += ["[[floor]]", *_pairs(model=floor.model, measure=floor.measure, on=floor.on), "history = ["]
        lines += [f"  {{ {', '.join(_pairs(value=m.value, at=m.at, reason=m.reason))} }}," for m in floor.history]
        lines += ["]", ""]
    for one in sorted(floors.exception, key=lambda one: (one.model, one.gate, one.subject)):
        lines += ["[[exception]]", *_pairs(**msgspec.to_builtins(one)), ""]
    path.write_text("\n".join(lines), "utf-8")


def _pairs(**values: str | float) -> Sequence[str]:
    """JSON's strings and numbers are TOML's too."""
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
