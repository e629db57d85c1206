"""When a rule's logic was edited: its hits are made anew from the posts that the index holds.

The evaluator closes the open episodes of the former logic by itself; here the windows of the new one get their past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from alerts.evaluator import MEMORY
from alerts.matcher import Matcher
from alerts.rule import Rule, RuleSet
from hustings import wire
from hustings.contracts import Index, Log, Memory
from hustings.query import Query
from hustings.query.tree import And, Between
from hustings.types import Hit
from runtime.build import NO_LIMIT, pages
from runtime.events import Events
from runtime.status import committed_by

__all__ = ["EditedRules", "ask_for_pasts"]

T = TypeVar("T")
Write = Callable[[Sequence[Hit]], object]
"""Puts hits into the index, durably, and deals with those that it refuses."""

TABLE = "active"
LOGIC = "logic:"
"""Before a rule's id: the logic that ran last."""
HAD_PAST = "had past:"
"""Before a rule's id: it was edited once, so that whatever logic it has had since gets a past. A `Past`, or nothing
while none was found."""
PAST_IS_MISSING = b""
"""Remembered in place of a logic until its hits are written: whichever logic the rule has next gets its past."""
BATCH = 1_000


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """When the posts were published that a logic was given, half-open. It stays so for good: hits of later posts are in
    the log, and an alert that is open since then needs the earlier ones."""

    logic: str
    start: datetime
    end: datetime


def ask_for_pasts(memory: Memory) -> None:
    """Every rule that had a past gets it once more, at the next start of `watch` at the latest: an index that is filled
    from the log alone does not hold it."""
    for key in memory.entries(TABLE):
        if key.startswith(HAD_PAST):
            memory.put(TABLE, LOGIC + key.removeprefix(HAD_PAST), PAST_IS_MISSING)


class EditedRules:
    """The rules whose logic differs from what `memory` says ran before: those that still need their past. One for each
    start of `watch`.

    A rule that never ran before has none: it counts from its activation. The hits of a past stand in the index alone,
    never in the log."""

    def __init__(self, rules: RuleSet, *, index: Index, log: Log, memory: Memory, events: Events) -> None:
        self._rules = rules
        self._index = index
        self._log = log
        self._memory = memory
        self._events = events
        self._waiting: tuple[Rule, ...] | None = None
        self._needed: Mapping[int, int] = {}

    def index_was_lost(self) -> None:
        """To be called before an index gets back what the log holds, and before `rematch`."""
        ask_for_pasts(self._memory)

    def rematch(self, write: Write) -> bool:
        """Write their hits, once; whether it did, so that windows have to be rebuilt. An index that was lost has to be
        filled first with the posts that `analyze` was done with at the first call: until then nothing is written, and
        it is worth calling again. Done again after a crash it writes the same hits."""
        if self._waiting is None:
            self._waiting = self._find()
        if not self._waiting or not self._index_is_filled():
            return False
        self._index.refresh()
        hits = 0
        for rule in self._waiting:
            past = self._known_past(rule) or _recent_past(rule, self._index)
            if past is not None:
                for batch in _batches(_hits(rule, past, self._rules, self._index)):
                    write(batch)
                    hits += len(batch)
                self._memory.put(TABLE, HAD_PAST + rule.id, wire.encode(past))
            self._memory.put(TABLE, LOGIC + rule.id, rule.logic.encode())
        self._events.info("rules_rematched", rules=[rule.name for rule in self._waiting], hits=hits)
        self._waiting = ()
        return True

    def _find(self) -> tuple[Rule, ...]:
        edited = tuple(rule for rule in self._rules.evaluated if self._note_edit(rule))
        if edited:
            self._needed = committed_by(self._log, "posts", "analyze")
            if not self._index_is_filled():
                self._events.warning("rules_wait_for_posts", rules=[rule.name for rule in edited])
        return edited

    def _note_edit(self, rule: Rule) -> bool:
        """Remember which logic a new rule has, or that the past of an edited one is missing; whether it is edited."""
        former = self._memory.get(TABLE, LOGIC + rule.id)
        if former is None:
            self._memory.put(TABLE, LOGIC + rule.id, rule.logic.encode())
        elif former != rule.logic.encode():
            if former != PAST_IS_MISSING or self._known_past(rule) is None:
                self._memory.put(TABLE, HAD_PAST + rule.id, b"")
            self._memory.put(TABLE, LOGIC + rule.id, PAST_IS_MISSING)
            return True
        return False

    def _known_past(self, rule: Rule) -> Past | None:
        """What the rule's present logic was given before the index was lost."""
        raw = self._memory.get(TABLE, HAD_PAST + rule.id)
        past = wire.decode(raw, Past) if raw else None
        return past if past is not None and past.logic == rule.logic else None

    def _index_is_filled(self) -> bool:
        held = self._index.positions("posts")
        return all(held.get(partition, 0) >= offset for partition, offset in self._needed.items())


def _recent_past(rule: Rule, index: Index) -> Past | None:
    """Of a rule that was edited now; None when no post matches it."""
    newest = next(pages(index, rule.query, limit=1), None)
    if newest is None:
        return None
    # The newest match, not the clock: in a replay posts lie anywhere in time, and what is older than what a window
    # can still see changes nothing.
    last = newest.post.published_at
    start, end = last - (rule.span + rule.lateness + MEMORY), last + timedelta(microseconds=1)
    return Past(logic=rule.logic, start=start, end=end)


def _hits(rule: Rule, past: Past, rules: RuleSet, index: Index) -> Iterator[Hit]:
    matcher = Matcher(msgspec.structs.replace(rules, rules=(rule,)))
    period = Between("published", past.start, past.end)
    query = Query(text=rule.query.text, node=And(nodes=(rule.query.node, period)))
    for batch in _batches(pages(index, query, limit=NO_LIMIT)):
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
