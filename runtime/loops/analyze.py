"""posts log → hits log (durable) → index → position.

The order is the promise: hits before the index, because a redo finds the former hits of an edited post in the index
that it is about to overwrite. Everything has an id that is a function of the content, so a redo changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from hustings import wire
from hustings.clock import Clock
from hustings.contracts import Entry, Index, Log, LogReader, Record
from hustings.errors import BadInput, StoreError, Unavailable, WriteRefused
from hustings.types import Assessment, DeadLetter, Hit, Post, hash_id
from ingest.appending import append_taken
from ingest.dead_letters import append_dead_letters
from runtime.events import Events
from runtime.loops.marks import Archives, Marks
from runtime.loops.progress import Progress
from runtime.loops.reading import AsTheyCome, Reading

__all__ = ["Analyzer", "Matching", "first_collected"]

MARK_EVERY_S = 1.0
"""Progress marks go out this often, also when idle."""

Assess = Callable[[Sequence[Post], Mapping[str, datetime]], list[Assessment]]


class Matching(Protocol):
    """What the rules say about assessments: `alerts.matcher.Matcher`."""

    def match(self, assessments: Iterable[Assessment]) -> list[Hit]: ...

    def revise(self, assessment: Assessment, former: Iterable[Hit]) -> list[Hit]: ...


class Analyzer:
    """One worker of the analyze loop over the partitions that its reader holds."""

    def __init__(
        self,
        *,
        log: Log,
        reader: LogReader,
        reading: Reading | None = None,
        index: Index,
        assess: Assess,
        matching: Matching,
        partition_key: Callable[[Hit], str],
        progress: Progress,
        archives: Archives | None,
        clock: Clock,
        events: Events,
        batch: int,
        wait_s: float,
        code_version: str,
    ) -> None:
        self._log = log
        self._reader = reader
        self._reading = reading or AsTheyCome(reader)
        self._index = index
        self._assess = assess
        self._matching = matching
        self._partition_key = partition_key
        self._progress = progress
        self._is_replay = archives is not None
        self._marks = Marks(log=log, index=index, progress=progress, archives=archives, clock=clock)
        self._clock = clock
        self._events = events
        self._batch = batch
        self._wait_s = wait_s
        self._code_version = code_version
        self._positions: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._next_mark = 0.0
        self._interrupted = False

    def start(self) -> None:
        """Find the place to start: the smaller of what was committed and what the index holds."""
        known = self._index.log_id()
        if known is not None and known != self._log.id:
            raise StoreError(
                f"the index was filled from log {known!r}, but this log is {self._log.id!r}: "
                "restore the log that belongs to it, or rebuild the index"
            )
        self._committed = self._reader.committed()
        held, begins = self._index.positions("posts"), self._log.starts("posts")
        mine = self._reader.partitions()
        dropped = {p: begins[p] for p in mine if begins[p] > held.get(p, 0)}
        if dropped:  # an index that was made anew behind what `prune` dropped, or a log that keeps too short a time
            self._index.write([], log_id=self._log.id, dropped=dropped)
            self._events.warning("posts_dropped_unread", count=sum(begins[p] - held.get(p, 0) for p in dropped))
        self._positions = {p: max(begins[p], min(self._committed.get(p, 0), held.get(p, 0))) for p in mine}
        self._reading.restart(self._positions)

    def step(self) -> int:
        """One batch, if there is one, and the marks that are due; returns how many posts were handled. After a step
        that raised, the next one begins again where everything is durable: what was read and not written is read
        again."""
        if self._interrupted:
            self.start()
        self._interrupted = True
        entries = self._reading.take(limit=self._batch, timeout_s=self._wait_s)
        if entries:
            self._handle(entries)
        if time.monotonic() >= self._next_mark or (entries and self._is_replay):
            self.send_marks()
        self._interrupted = False
        return len(entries)

    def partitions(self) -> list[int]:
        """What this worker reads now."""
        return self._reader.partitions()

    def close(self) -> None:
        """Give the reader back."""
        self._reader.close()

    # ── one batch ────────────────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, entries: Sequence[Entry]) -> None:
        began = time.perf_counter()
        positions = dict(self._positions)
        for entry in entries:
            positions[entry.partition] = max(positions.get(entry.partition, 0), entry.offset + 1)
        hits_sent = self._handle_batch(entries, positions)
        self._commit(positions)
        self._positions = positions
        self._events.debug(
            "batch_done", posts=len(entries), hits=hits_sent, seconds=round(time.perf_counter() - began, 4)
        )

    def _commit(self, positions: Mapping[int, int]) -> None:
        """What goes beyond what was committed; less is read again while an index that was lost is filled anew."""
        beyond = {p: offset for p, offset in positions.items() if offset > self._committed.get(p, 0)}
        if beyond:
            self._reader.commit(beyond)
            self._committed = {**self._committed, **beyond}

    def _handle_batch(self, entries: Sequence[Entry], positions: Mapping[int, int]) -> int:
        posts: list[Post] = []
        origins: list[tuple[int, int]] = []
        dead: list[tuple[Entry, BadInput]] = []
        for entry in entries:
            try:
                post = wire.decode(entry.value, Post)
            except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
                dead.append((entry, BadInput("undecodable", str(error))))
                continue
            posts.append(post)
            origins.append((entry.partition, entry.offset))
        stored = self._index.get([post.key for post in posts])
        assessments, failed = self._assess_all(posts, stored)
        by_origin = {(entry.partition, entry.offset): entry for entry in entries}
        dead.extend((by_origin[origins[place]], failure) for place, failure in failed)
        sound = [(a, o) for a, o in zip(assessments, origins, strict=True) if a is not None]
        told = self._reading.told([a for a, _ in sound])
        alive = [(a, o) for a, (_, o) in zip(told, sound, strict=True)]
        hits = self._hits_of(alive, stored)
        if dead:
            self._write_dead(dead)
        if hits:
            self._append_hits(hits)
        self._write(alive, dead, by_origin, positions)
        for partition in {o[0] for o in origins}:
            self._progress.saw(partition, (a.post for a, o in alive if o[0] == partition))
        return len(hits)

    def _write(
        self,
        alive: Sequence[tuple[Assessment, tuple[int, int]]],
        dead: Sequence[tuple[Entry, BadInput]],
        by_origin: Mapping[tuple[int, int], Entry],
        positions: Mapping[int, int],
    ) -> None:
        """Into the index. What it can never hold becomes a dead letter, durable before the positions are."""
        lost = [(entry.partition, entry.offset) for entry, _ in dead]
        while True:
            try:
                self._index.write(
                    [a for a, _ in alive],
                    log_id=self._log.id,
                    origins=[o for _, o in alive],
                    dead=lost,
                    positions=positions,
                )
                return
            except WriteRefused as refusal:
                refused = [(alive[place][1], reason) for place, reason in refusal.reasons.items()]
                self._write_dead([(by_origin[origin], BadInput("refused", reason)) for origin, reason in refused])
                lost += [origin for origin, _ in refused]
                alive = [one for place, one in enumerate(alive) if place not in refusal.reasons]

    def _assess_all(
        self, posts: Sequence[Post], stored: Mapping[str, Assessment]
    ) -> tuple[list[Assessment | None], list[tuple[int, BadInput]]]:
        """Each post, as if those before it were stored already."""
        assessments, failed = self._assess_each(posts, first_collected(posts, stored))
        lost = {posts[place].key for place, _ in failed}
        for place, post in enumerate(posts):
            if post.key in lost and assessments[place] is not None:
                # A post that failed is not stored, so its key was not collected first by it.
                before = [a.post for a in assessments[:place] if a is not None]
                (assessments[place],) = self._assess([post], first_collected([*before, post], stored))
        return assessments, failed

    def _assess_each(
        self, posts: Sequence[Post], first_collected: Mapping[str, datetime]
    ) -> tuple[list[Assessment | None], list[tuple[int, BadInput]]]:
        """All at once; when a step raises, by halves, until the one post that makes it raise stands alone."""
        try:
            return list(self._assess(posts, first_collected)), []
        except (Unavailable, StoreError):  # a store that a step uses (the ledger of stories): no post is to blame
            raise
        except Exception as error:  # the one place that isolates a post: a bug in a step must not stop the stream
            if len(posts) == 1:
                self._events.error("post_failed", key=posts[0].key, error=type(error).__name__)
                return [None], [(0, BadInput("stage_failed", f"{type(error).__name__}: {error}"))]
            middle = len(posts) // 2
            left, left_failed = self._assess_each(posts[:middle], first_collected)
            right, right_failed = self._assess_each(posts[middle:], first_collected)
            return left + right, left_failed + [(place + middle, e) for place, e in right_failed]

    def _hits_of(
        self, alive: Sequence[tuple[Assessment, tuple[int, int]]], stored: Mapping[str, Assessment]
    ) -> list[Hit]:
        """Hits of posts that the index does not hold yet at this revision, and withdrawals of what no longer holds.

        A post that the index holds at this or a higher revision had its hits made durable before it was written, and
        one that was committed too: it is read again for the sake of an index that was lost, and `watch`, which is done
        with it, would take its hits for news."""
        standing = dict(stored)
        new: list[Assessment] = []
        revised: list[tuple[Assessment, Assessment]] = []
        for assessment, (partition, offset) in alive:
            before = standing.get(assessment.key)
            if before is not None and assessment.post.revision <= before.post.revision:
                continue
            standing[assessment.key] = assessment
            if offset < self._committed.get(partition, 0):
                continue
            if before is None:
                new.append(assessment)
            else:
                revised.append((before, assessment))
        hits = self._matching.match(new)
        return hits + self._hits_of_revised(revised, hits) if revised else hits

    def _hits_of_revised(self, revised: Sequence[tuple[Assessment, Assessment]], sent: Sequence[Hit]) -> list[Hit]:
        """For posts and what they were before, in order; `sent` are the hits of this batch so far.

        `watch` may not have written the last of a post's hits to the index yet, so what it was before is matched again;
        what the index does hold goes first, since it knows more of a hit: since when it stands, and hits of a logic
        that the rules have no longer. What this batch says of it is newer still."""
        former: dict[str, dict[str, Hit]] = {}
        for hit in self._index.former_hits([before.key for before, _ in revised]):
            former.setdefault(hit.key, {})[hit.id] = hit
        for hit in sent:
            if hit.key in former:
                former[hit.key][hit.id] = hit
        hits: list[Hit] = []
        for before, assessment in revised:
            known = former.setdefault(assessment.key, {})
            again = {hit.id: hit for hit in self._matching.match([before])}
            found = self._matching.revise(assessment, (again | known).values())
            known.update({hit.id: hit for hit in found})
            hits += found
        return hits

    def _append_hits(self, hits: Sequence[Hit]) -> None:
        """Into the hits log. One that it can never take (it quotes much of a large post) becomes a dead letter."""
        records = [Record(self._partition_key(hit), wire.encode(hit)) for hit in hits]
        refused = append_taken(self._log, "hits", records)
        if refused:
            self._append_letters(
                [
                    DeadLetter(
                        id=hash_id("not appended", self._log.id, hits[place].id, str(hits[place].revision)),
                        stage="analyze",
                        reason=refusal.reason,
                        detail=refusal.detail,
                        origin="hits",
                        original=records[place].value,
                        at=self._clock.now(),
                    )
                    for place, refusal in refused.items()
                ]
            )

    def _write_dead(self, dead: Sequence[tuple[Entry, BadInput]]) -> None:
        letters = [
            DeadLetter(
                id=hash_id("posts", self._log.id, str(entry.partition), str(entry.offset)),
                stage="analyze",
                reason=error.reason,
                detail=error.detail,
                origin=f"posts/{entry.partition}/{entry.offset}",
                original=entry.value,
                at=self._clock.now(),
            )
            for entry, error in dead
        ]
        self._append_letters(letters)

    def _append_letters(self, letters: Sequence[DeadLetter]) -> None:
        append_dead_letters(self._log, letters, code_version=self._code_version)
        self._events.warning("dead_letters", count=len(letters))

    def send_marks(self) -> None:
        """Say on every hits partition how far time has come in the partitions of this worker."""
        self._marks.send({p: self._positions.get(p, 0) for p in self._reader.partitions()})
        self._next_mark = time.monotonic() + MARK_EVERY_S


def first_collected(posts: Sequence[Post], stored: Mapping[str, Assessment]) -> dict[str, datetime]:
    """By key: when the index has it first, else the first of these posts."""
    first: dict[str, datetime] = {}
    for post in posts:
        first.setdefault(post.key, post.collected_at)
    return first | {key: assessment.ingested_at for key, assessment in stored.items()}
