"""Window, comparators, guard and ticks of a rule: what E05 to E08 are about."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from alerts.rule import When
from alerts.rules.durations import show_duration
from alerts.rules.table import Table

__all__ = ["Condition", "read_condition"]

_COMPARATORS = ("gte", "gt", "lte", "lt")
_OF_OTHER_KINDS = ("ratio_gte",)


class Condition(NamedTuple):
    """When a rule fires. For `match`, which has no window: as soon as there is a post."""

    window: timedelta | None = None
    when: When = When(gte=1)
    min_posts: int = 0
    step: timedelta | None = None
    expect: tuple[str, ...] = ()
    resolve_after: timedelta = timedelta(hours=1)


def read_condition(table: Table, kind: str | None) -> Condition:
    """The condition of a rule; what is missing or wrong is reported and its default stands in its place."""
    resolve_after = table.inner("episode").duration("resolve_after")
    if kind not in ("count", "distinct"):
        return Condition(resolve_after=resolve_after or Condition().resolve_after)
    window = table.duration("window")
    when = _when(table)
    min_posts = table.inner("guard").whole("min_posts", least=1)
    condition = Condition(
        window=window or timedelta(hours=1),
        when=when or When(gte=1),
        min_posts=min_posts or 0,
        step=table.duration("step"),
        expect=table.texts("expect") or (),
        resolve_after=resolve_after or window or timedelta(hours=1),
    )
    if when is not None:
        _check_reachable(table, when, kind, condition.min_posts)
        _check_ticks(table, condition)
    return condition


def _when(table: Table) -> When | None:
    if "when" not in table:
        return None
    if not isinstance(table.values["when"], dict):
        table.problem("E07", "when", "no comparator; write for example { gte = 12 }")
        return None
    inner = table.inner("when")
    for name in _OF_OTHER_KINDS:
        if name in inner:
            table.problem("E03", f"when.{name}", "goes with the kind spike only")
            return None
    numbers = {name: number for name in _COMPARATORS if (number := inner.number(name)) is not None}
    if not numbers:
        if not inner.values.keys() & set(_COMPARATORS):
            table.problem("E07", "when", "no comparator; write one of gte, gt, lte, lt with a number")
        return None
    for pair in (("gte", "gt"), ("lte", "lt")):
        if numbers.keys() >= set(pair):
            table.problem("E07", "when", f"`{pair[0]}` and `{pair[1]}` contradict each other; write one of them")
            return None
    return When(**numbers)


def _check_reachable(table: Table, when: When, kind: str, min_posts: int) -> None:
    """A count is a whole number from 0 on; what is true or false for all of them is a mistake."""
    if when.gte is not None and when.gte <= 0:
        table.problem("E08", "when.gte", f"`gte = {when.gte:g}` is always true")
    if when.gt is not None and when.gt < 0:
        table.problem("E08", "when.gt", f"`gt = {when.gt:g}` is always true")
    if when.lt is not None and when.lt <= 0:
        table.problem("E08", "when.lt", f"`lt = {when.lt:g}` is never true")
    if when.lte is not None and when.lte < 0:
        table.problem("E08", "when.lte", f"`lte = {when.lte:g}` is never true")
    lower, upper = when.gte if when.gte is not None else when.gt, when.lt if when.lt is not None else when.lte
    if lower is not None and upper is not None and not _has_whole_number(when, lower, upper):
        table.problem("E07", "when", "the comparators contradict each other: no number meets all of them")
    most = upper if kind == "count" else None
    if most is not None and min_posts and not When(lt=when.lt, lte=when.lte).holds(min_posts):
        table.problem("E08", "guard.min_posts", f"with {min_posts} posts or more the condition is never true")


def _has_whole_number(when: When, lower: float, upper: float) -> bool:
    return any(when.holds(number) for number in (int(lower), int(lower) + 1, int(lower) + 2) if number <= upper)


def _check_ticks(table: Table, condition: Condition) -> None:
    if condition.when.is_monotone:
        for key in ("step", "expect"):
            if key in table:
                table.problem("E03", key, "goes with `lt` or `lte` only: otherwise posts, not ticks, are looked at")
    elif "step" not in table:
        table.problem("E04", "step", "required with `lt` or `lte`: how often to look")
    if condition.step is None or condition.window is None:
        return
    step, reach = show_duration(condition.step), show_duration(condition.resolve_after)
    if condition.window % condition.step:
        table.problem("E06", "step", f"window {show_duration(condition.window)} is not a multiple of step {step}")
    if condition.step > condition.resolve_after:
        table.problem("E06", "step", f"{step} is longer than resolve_after {reach}: no two crossings would ever join")
