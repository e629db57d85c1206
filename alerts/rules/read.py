"""One `[[rule]]` table to a rule: every key read, everything that is wrong with one reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, cast, get_args

from alerts.markings import SEVERITIES, TLP
from alerts.rule import Evidence, Limits, Outcome, Pick, Route, Rule, State
from alerts.rules.condition import read_condition
from alerts.rules.fields import read_field, read_fields
from alerts.rules.kinds import ALL_KEYS, ANYWHERE, KINDS
from alerts.rules.logic import with_logic
from alerts.rules.positions import Places
from alerts.rules.problems import Report
from alerts.rules.table import Table
from hustings.errors import QueryError
from hustings.query import Query
from hustings.query.parser import RULE, parse
from hustings.query.tree import Everything
from hustings.query.vocabulary import Vocabulary, nearest

__all__ = ["ReadRule", "read_rule"]


class ReadRule(NamedTuple):
    """A rule and the table that it was read from. Where something was reported, a default stands in its place."""

    rule: Rule
    table: Table


def read_rule(
    values: Mapping[str, Any], number: int, *, places: Places, report: Report, vocabulary: Vocabulary, required: bool
) -> ReadRule:
    """Read the `number`-th rule of its file, from 0. `required` asks for everything that a deployment needs; without
    it (`rules run`) what says who, why and until when may be absent, and `state` and `expires` are not looked at."""
    name = str(values.get("name") or values.get("id") or f"number {number + 1}")
    table = Table(values, report=report, places=places, rule=number, name=name)
    kind = _read_kind(table)
    outcome = cast("Outcome", table.choice("outcome", get_args(Outcome)) or "alert")
    _check_keys(table, kind, outcome, required=required)
    condition = read_condition(table, kind)
    episode = table.inner("episode")
    rule = Rule(
        id=table.text("id") or name,
        name=table.text("name") or name,
        kind=cast("Any", kind) if kind in KINDS and KINDS[kind].is_built else "match",
        query=_read_query(table, vocabulary),
        logic="",
        version=table.whole("version", least=1) or 1,
        state=cast("State", table.choice("state", get_args(State)) or "active") if required else "active",
        owner=table.text("owner") or "",
        expires=_read_day(table, "expires") if required else None,
        why=table.text("why") or "",
        outcome=outcome,
        group_by=read_fields(table, "group_by", vocabulary),
        on_missing_group=cast("Any", table.choice("on_missing_group", ("skip", "bucket")) or "skip"),
        of=read_field(table, "of", vocabulary) if kind == "distinct" else None,
        window=condition.window,
        lateness=table.duration("lateness", may_be_zero=True) or timedelta(0),
        when=condition.when,
        min_posts=condition.min_posts,
        step=condition.step,
        expect=condition.expect,
        active_from=_read_time(table, "active_from"),
        resolve_after=condition.resolve_after,
        renotify=episode.duration("renotify"),
        escalate=episode.numbers("escalate") or (),
        evidence=_read_evidence(table),
        limits=_read_limits(table),
        review=cast("Any", table.choice("review", ("required", "none")) or "required"),
        route=_read_route(table),
        sample=_read_sample(table, outcome),
    )
    _check_expected_groups(table, rule)
    return ReadRule(with_logic(rule), table)


# ── which keys ───────────────────────────────────────────────────────────────────────────────────────────────────

_ALWAYS = ("id", "name", "kind", "where")
_DEPLOYED = ("version", "state", "owner", "why", "outcome")
_DEPLOYED_ALERT = ("lateness", "review", "route")


def _read_kind(table: Table) -> str | None:
    kind = table.text("kind")
    if kind is None:
        return None
    built = ", ".join(name for name, known in KINDS.items() if known.is_built)
    if kind not in KINDS:
        table.problem("E02", "kind", f"no kind {kind!r}; {nearest(kind, KINDS)} (built are {built})")
        return None
    if not KINDS[kind].is_built:
        table.problem("E02", "kind", f"the kind {kind!r} is not built yet; built are {built}")
    return kind


def _check_keys(table: Table, kind: str | None, outcome: Outcome, *, required: bool) -> None:
    """E01, E03 and E04: every key known, allowed for the kind, and none missing."""
    table.refuse_unknown(ALL_KEYS)
    known = None if kind is None else KINDS[kind]
    if known is not None:
        for key in table.values:
            if key in ALL_KEYS and key not in ANYWHERE and key not in known.keys:
                table.problem("E03", key, f"not allowed for the kind {kind!r} ({known.fires})")
    if outcome == "review" and kind not in (None, "match"):
        table.problem("E03", "outcome", "`review` goes with the kind 'match' only: it queues posts, not windows")
    needed = [*_ALWAYS, *(known.required if known is not None else ())]
    if required:
        needed += _DEPLOYED
        needed += _DEPLOYED_ALERT if outcome == "alert" else ()
        needed += ["group_by"] if known is not None and "window" in known.required else []
    for key in needed:
        if key not in table:
            table.problem("E04", key, "required")
    if required and "expires" not in table:
        table.problem("E19", "expires", "required: the last day on which the rule may run, such as 2027-03-31")


def _check_expected_groups(table: Table, rule: Rule) -> None:
    if rule.expect and len(rule.group_by) != 1:
        table.problem("E03", "expect", f"names the values of one group_by field; this rule has {len(rule.group_by)}")


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_query(table: Table, vocabulary: Vocabulary) -> Query:
    """The parsed `where`; every post stands in for one that does not parse."""
    where = table.values.get("where", "*")
    if not isinstance(where, str):
        table.problem("E12", "where", "takes a query as a text")
        where = "*"
    try:
        return parse(where, vocabulary=vocabulary, limits=RULE)
    except QueryError as error:
        table.query_problem(error.code, "where", where, error.message, column=error.column)
        return Query(text="*", node=Everything())


def _read_evidence(table: Table) -> Evidence:
    inner = table.inner("evidence")
    default = Evidence()
    return Evidence(
        samples=inner.whole("samples", least=1) or default.samples,
        pick=cast("Pick", inner.choice("pick", get_args(Pick)) or default.pick),
    )


def _read_limits(table: Table) -> Limits:
    inner = table.inner("limits")
    return Limits(max_groups=inner.whole("max_groups", least=1))


def _read_route(table: Table) -> Route:
    inner = table.inner("route")
    default = Route()
    return Route(
        severity=cast("Any", inner.choice("severity", SEVERITIES) or default.severity),
        tlp=cast("Any", inner.choice("tlp", TLP) or default.tlp),
        topics=inner.texts("topics") or (),
    )


def _read_sample(table: Table, outcome: Outcome) -> float:
    sample = table.number("sample")
    if sample is None:
        return 1.0
    if outcome != "review":
        table.problem("E03", "sample", 'goes with outcome = "review" only: an alert is never left to chance')
    if not 0 < sample <= 1:
        table.problem("E08", "sample", f"is a share of posts, more than 0 and at most 1; found {sample:g}")
        return 1.0
    return sample


def _read_day(table: Table, key: str) -> date | None:
    found = table.values.get(key)
    if found is None:
        return None
    if isinstance(found, datetime):
        return found.date()
    if isinstance(found, date):
        return found
    table.problem("E19", key, f"takes a day such as 2027-03-31, without quotes; found {found!r}")
    return None


def _read_time(table: Table, key: str) -> datetime | None:
    """A time in UTC; without a zone it is taken as UTC, a day begins at midnight UTC."""
    found = table.values.get(key)
    if found is None:
        return None
    if isinstance(found, datetime):
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if isinstance(found, date):
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    table.problem("E12", key, f"takes a time such as 2026-10-01T12:00:00Z, without quotes; found {found!r}")
    return None
