"""When a rule's logic was edited: its hits are made anew from the posts that the index holds.

The evaluator closes the open episodes of the former logic by itself; here the windows of the new one get their past.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from alerts.evaluator import MEMORY
from alerts.matcher import Matcher
from alerts.rule import Rule, RuleSet
from hustings.contracts import Index, Memory
from hustings.query import Query
from hustings.query.tree import And, Between
from hustings.types import Hit
from runtime.build import NO_LIMIT, pages

__all__ = ["rematch_changed"]

T = TypeVar("T")

TABLE = "active"
BATCH = 1_000


def rematch_changed(rules: RuleSet, *, index: Index, log_id: str, memory: Memory) -> int:
    """Write the hits of every rule whose logic differs from what `memory` says ran before; returns how many. Done again
    after a crash it writes the same hits. A rule that never ran before has no past: it counts from its activation."""
    written = 0
    for rule in rules.evaluated:
        key = f"logic:{rule.id}"
        former = memory.get(TABLE, key)
        if former is not None and former != rule.logic.encode():
            for batch in _batches(_hits(rule, rules, index)):
                index.write_hits(batch, log_id=log_id)
                written += len(batch)
        if former != rule.logic.encode():
            memory.put(TABLE, key, rule.logic.encode())
    return written


def _hits(rule: Rule, rules: RuleSet, index: Index) -> Iterator[Hit]:
    matcher = Matcher(msgspec.structs.replace(rules, rules=(rule,)))
    newest = next(pages(index, rule.query, limit=1), None)
    if newest is None:
        return
    # The newest match, not the clock: in a replay posts lie anywhere in time, and what is older than what a window
    # can still see changes nothing.
    start = newest.post.published_at - (rule.span + rule.lateness + MEMORY)
    recent = Query(text=rule.query.text, node=And(nodes=(rule.query.node, Between("published", start, None))))
    for batch in _batches(pages(index, recent, limit=NO_LIMIT)):
        yield from matcher.match(batch)


def _batches(things: Iterator[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for thing in things:
        batch.append(thing)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
