"""Running a rule's own tests and saying how what it told differs from what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from alerts.replay import Replayed, replay
from alerts.rule import Rule, RuleSet
from alerts.rules.cases import Case, Expected
from alerts.rules.durations import show_duration

__all__ = ["differences"]


def differences(case: Case, rule: Rule, ruleset: RuleSet) -> list[str]:
    """One line for each expectation that was not met and each thing told beyond them; empty when the test holds.

    Every opening has to be expected. Of the other notices, amendments and the review queue, only the kinds that the
    test mentions are compared, and of those all."""
    told = replay(replace(ruleset, rules=(rule,)), case.posts, until=case.until)
    kinds = {"review" if rule.outcome == "review" else "open", *(expected.kind for expected in case.expect)}
    happened = [one for one in _told(told) if one.kind in kinds]
    missing = []
    for expected in case.expect:
        met = next((one for one in happened if _meets(one, expected)), None)
        if met is None:
            missing.append(expected)
        else:
            happened.remove(met)
    return [f"expected {_shown(one, case)}" for one in missing] + [f"found {_shown(one, case)}" for one in happened]


def _told(replayed: Replayed) -> Iterable[Expected]:
    for alert in replayed.alerts:
        for notice in alert.notices:
            at = alert.opened_at if notice.kind == "open" else notice.at
            yield Expected(kind=notice.kind, at=at, group=dict(alert.group), value=alert.value)
    for amendment in replayed.amendments:
        yield Expected(
            kind="amendment",
            at=amendment.anchor,
            group=dict(amendment.group),
            value=amendment.value,
            post=amendment.post.partition(":")[2],
        )
    for entry in replayed.queue:
        yield Expected(kind="review", at=entry.at, post=entry.key.partition(":")[2])


def _meets(told: Expected, expected: Expected) -> bool:
    return (
        told.kind == expected.kind
        and expected.at in (None, told.at)
        and (expected.group is None or expected.group.items() <= (told.group or {}).items())
        and expected.value in (None, told.value)
        and expected.post in (None, told.post)
    )


def _shown(one: Expected, case: Case) -> str:
    parts = [one.kind]
    if one.at is not None:
        parts.append(f"at {_since(one.at, case.start)}")
    if one.group:
        parts.append("for " + ", ".join(f"{field}={value}" for field, value in one.group.items()))
    if one.value is not None:
        parts.append(f"with {one.value:g}")
    if one.post is not None:
        parts.append(f"of post {one.post}")
    return " ".join(parts)


def _since(at: datetime, start: datetime) -> str:
    return f"+{show_duration(at - start)}" if at >= start else f"-{show_duration(start - at)}"
