"""The logic hash: what decides when a rule fires, and nothing else."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from alerts.rule import Rule
from hustings.clock import rfc3339
from hustings.query.printing import structure
from hustings.types import hash_id

__all__ = ["logic_of", "with_logic"]


def logic_of(rule: Rule) -> str:
    """A hash of the query's meaning and of every key but name, version, owner, why, expires, state, evidence, limits,
    review, route, `renotify` and `escalate`. Defaults are filled in first and durations are durations, so that
    `60m` for `1h` or a default written out changes nothing."""
    decisive = {
        "id": rule.id,
        "outcome": rule.outcome,
        "kind": rule.kind,
        "where": structure(rule.query),
        "group_by": rule.group_by,
        "on_missing_group": rule.on_missing_group,
        "of": rule.of,
        "window": None if rule.window is None else rule.window.total_seconds(),
        "lateness": rule.lateness.total_seconds(),
        "when": [None if x is None else float(x) for x in (rule.when.gte, rule.when.gt, rule.when.lte, rule.when.lt)],
        "min_posts": rule.min_posts,
        "step": None if rule.step is None else rule.step.total_seconds(),
        "expect": rule.expect,
        "active_from": None if rule.active_from is None else rfc3339(rule.active_from),
        "resolve_after": rule.resolve_after.total_seconds(),
        "sample": float(rule.sample),
    }
    return hash_id(msgspec.json.encode(decisive, order="deterministic").decode())


def with_logic(rule: Rule) -> Rule:
    """The rule with its own hash."""
    return replace(rule, logic=logic_of(rule))
