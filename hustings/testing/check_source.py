"""What every source must hold, ours and other people's: call `check_source` in a test.

    def test_bulletin_source() -> None:
        check_source(lambda context: BulletinSource("bulletin", settings, context))

The outside (a file, a local server) must hold at least one post while the check runs, and nothing may be added to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hustings import wire
from hustings.clock import VirtualClock
from hustings.contracts import Collected, Egress, Memory, Source, SourceContext, SourceItem
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import DeadLetter, Post

__all__ = ["check_source"]

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
LARGE_LIMIT = 10_000
SMALL_LIMIT = 2
CALLS = 1_000
MAX_CALL_S = 30.0

Make = Callable[[SourceContext], Source]


def check_source(make: Make, *, egress: Egress | None = None, memory: Memory | None = None) -> None:
    """Raise `AssertionError` that says which part of `contracts.Source` does not hold."""
    memory = DictMemory() if memory is None else memory
    context = SourceContext(egress or LoopbackEgress(), memory, VirtualClock(NOW))
    everything = _everything(make, context, LARGE_LIMIT)
    assert everything, "the source brought no post at all: give the check something to find"
    for item in everything:
        _check_item(item)
    names = _names(everything)
    assert names <= _names(_everything(make, context, LARGE_LIMIT)), "from the start again, posts were missing"
    assert names <= _names(_everything(make, context, SMALL_LIMIT)), f"with limit {SMALL_LIMIT}, posts were missing"
    _check_restart(make, context, names)
    _check_cursor_repeats(make, context)
    _check_nothing_written(make, context, memory)


def _check_item(item: SourceItem) -> None:
    post = item.post
    assert item.raw, f"{post.key}: `raw` is empty; evidence needs the bytes that the outside sent"
    assert not post.evidence, f"{post.key}: `evidence` is set by the polling loop"
    assert ":" not in post.source, f"{post.key}: a source name holds no colon"
    assert post.published_at.tzinfo is not None, f"{post.key}: `published_at` has no time zone"
    assert not (post.deleted and (post.text or post.title)), f"{post.key}: a deletion carries no words"
    assert wire.decode(wire.encode(post), Post) == post, f"{post.key}: breaks the limits of a post"


def _check_restart(make: Make, context: SourceContext, names: set[tuple[str, int]]) -> None:
    """Another process goes on at the cursor of the first."""
    before, first = _calls(make, context, cursor=b"", limit=SMALL_LIMIT, most=1)
    _, rest = _calls(make, context, cursor=before, limit=SMALL_LIMIT)
    assert names <= _names(first) | _names(rest), "after a restart at the first cursor, posts were missing"


def _check_cursor_repeats(make: Make, context: SourceContext) -> None:
    """A crash before the cursor was saved: the same instance is asked with the former one."""
    source = make(context)
    source.open()
    try:
        first = _call(source, b"", SMALL_LIMIT)
        again = _call(source, b"", LARGE_LIMIT)
        assert _names(first.items) <= _names(again.items) or again.again_after == timedelta(0), (
            "asked again with the same cursor, the source brought fewer posts"
        )
    finally:
        source.close()


def _check_nothing_written(make: Make, context: SourceContext, memory: Memory) -> None:
    tables = ("cursors", "source_health", "heartbeats", "tips", "brakes")
    before = {table: memory.entries(table) for table in tables}
    _everything(make, context, LARGE_LIMIT)
    assert before == {table: memory.entries(table) for table in tables}, "a source never writes to memory"


def _everything(make: Make, context: SourceContext, limit: int) -> list[SourceItem]:
    return _calls(make, context, cursor=b"", limit=limit)[1]


def _calls(
    make: Make, context: SourceContext, *, cursor: bytes, limit: int, most: int = CALLS
) -> tuple[bytes, list[SourceItem]]:
    """Collect until the source is done or brings nothing more; returns the last cursor and all items."""
    source = make(context)
    source.open()
    items: list[SourceItem] = []
    try:
        for _ in range(most):
            collected = _call(source, cursor, limit)
            items += collected.items
            nothing = not collected.items and not collected.dead and collected.cursor == cursor
            cursor = collected.cursor
            if collected.done or nothing or (collected.again_after > timedelta(0) and not collected.items):
                break
    finally:
        source.close()
        source.close()  # closing twice does no harm
    return cursor, items


def _call(source: Source, cursor: bytes, limit: int) -> Collected:
    begun = time.monotonic()
    collected = source.collect(cursor, now=NOW, limit=limit)
    assert time.monotonic() - begun < MAX_CALL_S, f"`collect` took longer than {MAX_CALL_S:g} s"
    assert all(isinstance(letter, DeadLetter) for letter in collected.dead), "`dead` holds dead letters"
    return collected


def _names(items: list[SourceItem] | tuple[SourceItem, ...]) -> set[tuple[str, int]]:
    """Keys with revisions. A deletion is dated when it is noticed, so its revision is not compared."""
    return {(item.post.key, 0 if item.post.deleted else item.post.revision) for item in items}
