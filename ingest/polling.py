"""The collect loop: sources → evidence → posts log → cursor, in this order, each step durable before the next.

A crash between any two steps means that the same items are collected again; they have the same keys, so nothing is
lost and nothing is double in the index. Sources run side by side in a few threads; what they bring is handed over one
source at a time by the thread that calls `step`. Archives are handed over merged by their time, so that the same
archives give the same log, and with it the same stories and alert ids, however the threads ran and whatever crashed.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast

import msgspec

from hustings import wire
from hustings.clock import Clock
from hustings.contracts import Collected, Log, Memory, Record, Source, SourceItem
from hustings.errors import BadInput, EgressDenied, HustingsError, Unavailable
from hustings.roster import Roster
from hustings.source_health import SourceHealth
from hustings.strict_value import in_utc
from hustings.types import DeadLetter, Post
from ingest.appending import append_taken
from ingest.dead_letters import Brake, append_dead_letters, dead_letter
from ingest.erased import barred, mark_of
from ingest.evidence import Capture, EvidenceFolder
from ingest.names import Names
from ingest.pseudonyms import Pseudonyms

__all__ = ["ClockKind", "Collector", "ConfiguredSource"]

ClockKind = Literal["live", "as-collected", "as-posted"]

BATCH = 500
"""Items asked of a source at a time; one pack of evidence and one append each."""
FIRST_BACKOFF_S = 5.0
LAST_BACKOFF_S = 900.0
"""After a failure a source waits 5 s, doubling up to 15 minutes."""
LONGEST_ASKED_S = 86_400.0
"""A server may ask for a longer pause; more than a day is not believed."""
JITTER = 0.2
"""Every wait of a live source is up to this share shorter or longer, so that installations do not poll in step."""
BRAKE_CHECK_S = 10.0
"""How often a stopped source looks whether a person has lifted its brake."""
IDLE_S = 60.0
"""What `step` answers when nothing will ever be due: no sources, or archives that are read to their end."""
MAX_THREADS = 16
MAX_WAIT_S = 1.0
"""Longest that one `step` waits for sources that are collecting."""

Notify = Callable[..., None]
"""Writes a named log event with fields: `runtime.events.Events.warning` or like it."""


class ConfiguredSource(NamedTuple):
    """A source and what its time means: `live` stamps posts at hand-over, `as-collected` keeps the archive's
    collection time, `as-posted` takes the time of publication for both."""

    source: Source
    clock: ClockKind


class Collector:
    """Polls all sources of a deployment. `open`, then `step` until `done` or told to stop, then `close`."""

    def __init__(
        self,
        sources: Sequence[ConfiguredSource],
        *,
        log: Log,
        memory: Memory,
        evidence: EvidenceFolder,
        pseudonyms: Pseudonyms,
        roster: Roster,
        clock: Clock,
        code_version: str,
        notify: Notify = lambda *_, **__: None,
        jitter: Callable[[], float] = random.random,
        batch: int = BATCH,
    ) -> None:
        self._log = log
        self._memory = memory
        self._evidence = evidence
        self._names = Names(pseudonyms, roster)
        self._clock = clock
        self._code_version = code_version
        self._notify = notify
        self._jitter = jitter
        self._batch = batch
        self._polled = [_Polled(entry, Brake(memory, entry.source.name)) for entry in sources]
        self._pool: ThreadPoolExecutor | None = None

    @property
    def done(self) -> bool:
        """Whether every source is an archive that is read to its end."""
        return bool(self._polled) and all(polled.health.done for polled in self._polled)

    def open(self) -> None:
        """Open every source and read where each was. Raises what a source raises: a wrong setting stops the start."""
        for polled in self._polled:
            polled.source.open()
            name = polled.source.name
            polled.cursor = self._memory.get("cursors", name) or b""
            health = self._memory.get("source_health", name)
            if health is not None:
                polled.health = msgspec.structs.replace(msgspec.json.decode(health, type=SourceHealth), done=False)
        self._pool = ThreadPoolExecutor(min(MAX_THREADS, len(self._polled) or 1), thread_name_prefix="collect")

    def step(self) -> float:
        """Start what is due, hand over what has come; returns the seconds until something is due again (0: at once)."""
        self._start_due()
        flying = {polled.flying for polled in self._polled if polled.flying is not None}
        if flying:
            wait(flying, timeout=min(MAX_WAIT_S, self._until_due() or MAX_WAIT_S), return_when=FIRST_COMPLETED)
        for polled in self._polled:
            if polled.flying is not None and polled.flying.done():
                landed, polled.flying = polled.flying, None
                self._land(polled, landed)
        self._hand_over_archives()
        if any(polled.flying is not None for polled in self._polled):
            return 0.0
        return self._until_due()

    def close(self) -> None:
        """Close every source. What is being collected now is not handed over; it will be collected again."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for polled in self._polled:
            polled.source.close()

    # ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_due(self) -> None:
        assert self._pool is not None, "open() comes before step()"  # noqa: S101 - a programming error
        for polled in self._polled:
            if not polled.is_idle or polled.health.done or polled.due > self._clock.monotonic():
                continue
            if polled.brake.is_on:
                polled.due = self._clock.monotonic() + BRAKE_CHECK_S
                continue
            if polled.health.brake:  # lifted since
                polled.health = msgspec.structs.replace(polled.health, brake="")
            polled.flying = self._pool.submit(
                polled.source.collect, polled.cursor, now=self._clock.now(), limit=self._batch
            )

    def _until_due(self) -> float:
        waiting = [polled.due for polled in self._polled if polled.is_idle and not polled.health.done]
        return max(0.0, min(waiting) - self._clock.monotonic()) if waiting else IDLE_S

    def _wait(self, polled: _Polled, seconds: float) -> None:
        if polled.clock == "live":
            seconds *= 1 + JITTER * (2 * self._jitter() - 1)
        polled.due = self._clock.monotonic() + seconds

    # ── what has come ────────────────────────────────────────────────────────────────────────────────────────────

    def _land(self, polled: _Polled, landed: Future[Collected]) -> None:
        """Hand over what a source brought. A failing source is put off; a failing log or disk raises `Unavailable`
        out of `step`, and the batch is collected again."""
        try:
            collected = landed.result()
        except (Unavailable, EgressDenied, BadInput) as error:
            self._failed(
                polled,
                str(error),
                cap=error.reason if isinstance(error, BadInput) else "",
                asked_s=(error.retry_after_s if isinstance(error, Unavailable) else None) or 0.0,
            )
            return
        except HustingsError:
            raise
        except Exception as error:  # a bug in one source must not stop the others; its health shows it
            self._failed(polled, f"{type(error).__name__}: {error}")
            return
        try:
            self._hand_over(polled, collected)
        except HustingsError:
            raise
        except Exception as error:  # what it brought is not what the contract says: a bug of the source too
            self._failed(polled, f"what it brought cannot be used: {type(error).__name__}: {error}")

    def _hand_over(self, polled: _Polled, collected: Collected) -> None:
        """Into the log at once; what an archive brought waits for its turn."""
        now = self._clock.now()
        posts, letters = self._prepared(polled, collected, now)
        held = _Held(collected, posts, deque(posts), letters, now)
        if polled.clock != "live":
            polled.held = held
            return
        self._append(tuple(posts), {polled.source.name: held})
        self._finish(polled, held)

    def _hand_over_archives(self) -> None:
        """Append what the archives hold in the order of their times, until one of them has to be read on."""
        while True:
            waiting = [p for p in self._polled if p.clock != "live" and not p.health.done and not p.health.brake]
            if not waiting or any(polled.held is None for polled in waiting):
                return
            holders = {polled.source.name: polled.held for polled in waiting if polled.held is not None}
            batch: list[_Ready] = []
            while all(held.left for held in holders.values()):
                first = min(holders.values(), key=lambda held: (held.left[0].post.collected_at, held.left[0].post.key))
                batch.append(first.left.popleft())
            try:
                self._append(batch, holders)
            except Unavailable:
                for polled in waiting:  # no cursor is past what they hold: it is collected again
                    polled.held = None
                raise
            for polled in waiting:
                held = polled.held
                if held is not None and not held.left:
                    polled.held = None
                    self._finish(polled, held)

    def _append(self, batch: Sequence[_Ready], holders: Mapping[str, _Held]) -> None:
        """Into the posts log. What it refuses becomes a dead letter of the source that holds it, told before that
        source's cursor is saved."""
        if not batch:
            return
        refused = append_taken(self._log, "posts", [Record(ready.post.key, ready.value) for ready in batch])
        for place, refusal in refused.items():
            ready = batch[place]
            held = holders[ready.post.collector]
            held.posts.remove(ready)
            held.letters.append(
                dead_letter(
                    ready.post.collector,
                    refusal.reason,
                    f"{refusal.detail}; whole in evidence {ready.post.evidence}",
                    origin=ready.post.key,
                    original=ready.raw,
                    at=held.at,
                )
            )

    def _finish(self, polled: _Polled, held: _Held) -> None:
        """The posts are durable: append the dead letters, save the cursor, then the health."""
        collected = held.collected
        if held.letters:
            append_dead_letters(self._log, held.letters, code_version=self._code_version)
        if collected.cursor != polled.cursor:
            self._memory.put("cursors", polled.source.name, collected.cursor)
            polled.cursor = collected.cursor
        self._succeeded(polled, held)

    def _prepared(self, polled: _Polled, collected: Collected, now: datetime) -> tuple[list[_Ready], list[DeadLetter]]:
        """Posts with their wire form, evidence sealed, without those that were erased; and dead letters, those of the
        source and of posts that break the limits of their own fields. Raises, before anything is written, what `_check`
        does."""
        _check(collected)
        name = polled.source.name
        letters = [_usable(letter, name, now) for letter in collected.dead]
        named: list[tuple[SourceItem, Post]] = []
        for item in collected.items:
            try:
                named.append((item, self._finished(polled, item, now)))
            except BadInput as error:
                letters.append(
                    dead_letter(name, error.reason, error.detail, origin="collected post", original=item.raw, at=now)
                )
            except Exception as error:  # fields of other types than the contract says: this post alone is in the way
                detail = f"{type(error).__name__}: {error}"
                letters.append(
                    dead_letter(name, "stage_failed", detail, origin="collected post", original=item.raw, at=now)
                )
        erased = barred(self._memory) if named else frozenset()
        named = [(item, post) for item, post in named if not erased or mark_of(post.key) not in erased]
        seals = self._evidence.seal(
            [
                Capture(raw=item.raw, collector=name, keys=(item.post.key,), at=now, headers=item.headers)
                for item, _ in named
            ]
        )
        ready: list[_Ready] = []
        for (item, post), seal in zip(named, seals, strict=True):
            sealed = msgspec.structs.replace(post, evidence=seal)
            ready.append(_Ready(sealed, wire.encode(sealed), item.raw))
        return ready, letters

    def _finished(self, polled: _Polled, item: SourceItem, now: datetime) -> Post:
        """The post as it goes into the log, evidence apart. Raises `BadInput` when it breaks its own limits."""
        post = self._names.renamed(item)
        if post.published_at.tzinfo is None or post.collected_at.tzinfo is None:
            raise BadInput("out_of_range", "a time of the post has no time zone")
        post = msgspec.structs.replace(post, collector=polled.source.name, collected_at=_stamp(post, polled.clock, now))
        try:
            return cast("Post", in_utc(wire.decode(wire.encode(post), Post), "$"))
        except UnicodeEncodeError as error:
            raise BadInput("lone_surrogate", str(error)) from error
        except msgspec.ValidationError as error:
            raise BadInput("out_of_range", str(error)) from error

    # ── how it went ──────────────────────────────────────────────────────────────────────────────────────────────

    def _succeeded(self, polled: _Polled, held: _Held) -> None:
        collected, letters, now = held.collected, held.letters, held.at
        posts = [ready.post for ready in held.posts]
        health = polled.health.after_posts([post.collected_at for post in posts])
        newest = max((post.published_at for post in posts), default=None)
        why = polled.brake.saw(good=len(posts), dead=len(letters), now=now)
        if why:
            self._notify("brake_pulled", source=polled.source.name, detail=why)
        self._remember(
            polled,
            msgspec.structs.replace(
                health,
                last_success=now,
                dead=health.dead + len(letters),
                caps_hit=_summed(health.caps_hit, collected.caps_hit),
                lag_s=health.lag_s if newest is None else round((now - newest).total_seconds(), 3),
                gap_since=None,
                last_error="",
                failures=0,
                brake=why,
                done=collected.done,
            ),
        )
        self._wait(polled, collected.again_after.total_seconds())

    def _failed(self, polled: _Polled, error: str, *, cap: str = "", asked_s: float = 0.0) -> None:
        now = self._clock.now()
        health = polled.health
        self._remember(
            polled,
            msgspec.structs.replace(
                health,
                last_error=error[:500],
                failures=health.failures + 1,
                gap_since=health.gap_since or health.last_success or now,
                caps_hit=_summed(health.caps_hit, {cap: 1}) if cap else health.caps_hit,
            ),
        )
        pause = max(min(asked_s, LONGEST_ASKED_S), min(LAST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(health.failures, 20)))
        self._notify("dependency_unavailable", detail=f"{polled.source.name}: {error}"[:500], again_in_s=round(pause))
        self._wait(polled, pause)

    def _remember(self, polled: _Polled, health: SourceHealth) -> None:
        polled.health = health
        self._memory.put("source_health", polled.source.name, msgspec.json.encode(health))


class _Ready(NamedTuple):
    """A post with its wire form, and the bytes that the source saw."""

    post: Post
    value: bytes
    raw: bytes


class _Held(NamedTuple):
    """What a source brought, until it is handed over. The turn of an archive's posts comes one by one: `left` shrinks.
    A post that the log refuses goes from `posts` to `letters`."""

    collected: Collected
    posts: list[_Ready]
    left: deque[_Ready]
    letters: list[DeadLetter]
    at: datetime


class _Polled:
    """A source with where it is and how it fares."""

    def __init__(self, entry: ConfiguredSource, brake: Brake) -> None:
        self.source = entry.source
        self.clock = entry.clock
        self.brake = brake
        self.cursor = b""
        self.due = float("-inf")
        self.health = SourceHealth()
        self.flying: Future[Collected] | None = None
        self.held: _Held | None = None

    @property
    def is_idle(self) -> bool:
        return self.flying is None and self.held is None


_KEPT_TYPES = (bytes, datetime, timedelta)


def _check(collected: Collected) -> None:
    """Raises msgspec's or Python's error where something beside posts and dead letters is not what the contract says.
    Found only when they are in the log, it would keep the cursor from being saved, and they would be written at each
    try."""
    beside = msgspec.to_builtins(msgspec.structs.replace(collected, items=(), dead=()), builtin_types=_KEPT_TYPES)
    msgspec.convert(beside, Collected, builtin_types=_KEPT_TYPES)


def _usable(letter: DeadLetter, collector: str, now: datetime) -> DeadLetter:
    """The letter; or, where it is not what the contract says, one about it: it alone would hold up its batch at each
    try."""
    try:
        beside = msgspec.to_builtins(letter, builtin_types=_KEPT_TYPES)
        msgspec.convert(beside, DeadLetter, builtin_types=_KEPT_TYPES)
        wire.encode(letter)  # half a character is in the way only here
    except Exception as error:  # whatever a source made of it
        given = getattr(letter, "original", None)
        original = given if isinstance(given, bytes) else repr(letter).encode(errors="backslashreplace")
        detail = f"the source's dead letter cannot be used: {type(error).__name__}: {error}"
        return dead_letter(collector, "stage_failed", detail, origin="dead letter", original=original, at=now)
    return letter


def _stamp(post: Post, clock: ClockKind, now: datetime) -> datetime:
    if clock == "live":
        return now
    return post.collected_at if clock == "as-collected" else post.published_at


def _summed(total: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {name: total.get(name, 0) + more.get(name, 0) for name in sorted({*total, *more})}
