"""What a thread knows from its last questions and need not ask again.

A worker looks a batch up, judges it, writes it, and stores its position: nearly always it is the only one that touches
those documents, and what it knew a moment ago is still so. Where it is not, the server refuses what was made of old
knowledge (external versions, a blocked set), and the worker asks anew. So knowing saves questions and decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import NamedTuple

from hustings.contracts import Topic
from index.elastic import state
from index.elastic.bulk import BulkWriter
from index.elastic.names import Live
from index.elastic.nodes import Nodes
from index.elastic.standing import Standing
from index.elastic.state import State

__all__ = ["Recent", "Stored"]


class Stored(NamedTuple):
    """Of a key: the index that it is in, and what stands."""

    index_name: str
    standing: Standing


class Recent(threading.local):
    """Of one thread: what its last look-up found, and the positions that it stored."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._found: dict[str, Stored | None] = {}
        self._positions: dict[tuple[str, Topic], dict[int, int]] = {}

    # ── posts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def looked_up(self, live: Live, keys: Collection[str], found: Mapping[str, Stored]) -> None:
        """Remember what stood of these keys, those that are not there included, until the next look-up or write."""
        self._live = live
        self._found = {key: found.get(key) for key in keys}

    def take(self, keys: Collection[str]) -> tuple[Live, dict[str, Stored]] | None:
        """What the last look-up found of these keys, if it asked for all of them; it is forgotten."""
        live, found = self._live, self._found
        self._live, self._found = None, {}
        if live is None or not found.keys() >= set(keys):
            return None
        return live, {key: stored for key in keys if (stored := found[key]) is not None}

    # ── positions and books ──────────────────────────────────────────────────────────────────────────────────────

    def begin(
        self, nodes: Nodes, writer: BulkWriter, live: Live, topic: Topic, partitions: Collection[int], *, log_id: str
    ) -> dict[int, State]:
        """The states of these partitions now, once it is sure that this log fills the index. Raises `StoreError` when
        another one does, and `Unavailable` when the index holds less than this thread stored: it was emptied, and has
        to be filled again from where it is now."""
        filled_by, states = state.read_some(nodes, live.state, topic, partitions)
        state.check_log(live.state, filled_by, log_id)
        stored = self._positions.get((live.state, topic), {})
        for partition, found in states.items():
            state.check_not_emptied(live.state, partition, found, stored.get(partition, 0))
        if filled_by is None:
            state.claim_for_log(nodes, writer, live.state, log_id)
        return states

    def stored(self, live: Live, topic: Topic, states: Mapping[int, State]) -> None:
        """Remember how far this thread has come."""
        positions = {partition: stored.position for partition, stored in states.items()}
        self._positions.setdefault((live.state, topic), {}).update(positions)

    def forget(self) -> None:
        """Something went wrong: nothing that was known is relied upon any more."""
        self._live, self._found, self._positions = None, {}, {}
