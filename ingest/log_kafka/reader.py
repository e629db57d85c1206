"""How entries come back: one named reader of one topic.

It trusts the client as little as the contract asks. Offsets handed out must follow one another, so that a skipped entry
is an error and never silent; and `[]` is said only after the broker was asked where the topic ends, so that a reader
that is late is not taken for one that is done.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka import errors as kafka
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState

from hustings.clock import from_ms
from hustings.contracts import Entry, Topic
from hustings.errors import Reassigned, StoreError, Unavailable
from ingest.log_kafka.clients import made
from ingest.log_kafka.membership import Membership
from ingest.log_kafka.offsets import Offsets
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.troubles import translated

__all__ = ["KafkaLogReader"]

SLICE_S = 0.05
"""Longest single wait inside the client while more is known to be there."""
LOOK_EVERY_S = 1.0
"""How often a reader that waits in a quiet stream asks where the topic ends; one that must not wait always asks."""
STALLED_AFTER_S = 30.0
"""A client that brings nothing for so long, though there is something, is replaced by a new one."""
WORK_WITHIN_S = 300.0
"""A worker that does not poll for so long is taken for stuck and loses its partitions."""
FETCH_BYTES = 1_048_576
"""Read ahead of each partition, at most; a larger entry comes alone."""
MOST_RECORDS = 1_000_000
"""More than fit into what is read ahead."""


class KafkaLogReader:
    """One reader; used by one thread at a time. With `assigned` it reads those partitions and nobody else may; with
    `worker` it shares the partitions with the workers of other names."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        name: str,
        *,
        offsets: Offsets,
        assigned: Sequence[int],
        worker: str | None,
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._name = name
        self._offsets = offsets
        self._worker = worker
        self._assigned = list(assigned)
        self._stalled_after_s = stalled_after_s
        self._client: Any = None
        self._membership = Membership()
        self._generation = 0
        self._fetched: dict[int, int] = {}
        """By partition, the offset that the client must bring next."""
        self._held_at: dict[int, int] = {}
        """By partition of a worker, what is committed: nobody else can commit while it is this worker's, so it need not
        be asked for with each commit."""
        self._ahead: dict[int, deque[Any]] = {}
        """By partition, what the client brought and nobody has polled yet."""
        self._turn = 0
        self._next_look_s = 0.0
        self._behind_since_s: float | None = None

    def start(self) -> None:
        """Connect, and go to the committed positions; called once, by the log."""
        with translated(self._settings, self._doing):
            self._connect()
        if self._worker is None:
            self._go_to(self.committed())

    def poll(self, *, limit: int, timeout_s: float) -> list[Entry]:
        deadline = time.monotonic() + timeout_s
        wait_s = min(timeout_s, LOOK_EVERY_S)
        while True:
            self._fetch(limit, wait_s)
            self._take_changes()
            is_settled = self._is_settled()
            if is_settled and (entries := self._take(limit)):
                self._behind_since_s = None
                self._next_look_s = time.monotonic() + LOOK_EVERY_S
                return entries
            now = time.monotonic()
            must_look = is_settled and (timeout_s <= 0 or now >= self._next_look_s)
            if not (must_look and self._is_behind(now)) and now >= deadline:
                return []
            wait_s = max(min(deadline - now, LOOK_EVERY_S), SLICE_S)

    def commit(self, positions: Mapping[int, int]) -> None:
        self._check_assigned(positions)
        self._check_still_owned(positions)
        committed = self._committed(positions) if self._worker is None else self._held_at
        if any(offset < committed[p] for p, offset in positions.items()):
            self._refuse_backwards(positions, committed)
        if any(offset > self._position(p) for p, offset in positions.items()):
            self._check_ends(positions)
        forward = {p: offset for p, offset in positions.items() if offset > committed[p]}
        if forward:
            self._send_commit(forward)

    def committed(self) -> dict[int, int]:
        return self._committed(self._assigned)

    def seek(self, positions: Mapping[int, int]) -> None:
        self._check_assigned(positions)
        committed = self._committed(positions)
        self._go_to({p: min(offset, committed[p]) for p, offset in positions.items()})

    def partitions(self) -> list[int]:
        return list(self._assigned)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with translated(self._settings, f"{self._words}: closing"):
                client.close(autocommit=False, timeout_ms=self._timeout_ms)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _fetch(self, limit: int, wait_s: float) -> None:
        """Let the client bring all that it has read ahead, of every partition, unless enough for this poll lies here.
        That bounds the memory, and what a partition may have to wait behind a flooded one: `FETCH_BYTES` of each. The
        client is called in any case, since that is also how a worker takes part in what its group decides.

        The client's own `pause` is not used: in 3.0.12 what it has read ahead of a paused partition may never come
        back after `resume` (docs/kafka.md)."""
        ahead = sum(map(len, self._ahead.values()))
        if not self._is_settled():
            wait_s = max(wait_s, SLICE_S)
        elif ahead:
            wait_s = 0.0
        with translated(self._settings, self._doing):
            try:
                found = self._opened().poll(
                    timeout_ms=int(wait_s * 1_000), max_records=1 if ahead >= limit else MOST_RECORDS
                )
            except kafka.FencedInstanceIdError as problem:
                raise self._twin() from problem
        if not self._is_settled():
            # In 3.0.12 a client that joined before it knew the topic's partitions joins again, and forgets that it must
            # when this second answer comes between two polls: nobody takes the answer, and it is silent for ever.
            self._opened()._coordinator.request_rejoin()
        moved = self._membership.taken_away()
        for place, brought in found.items():
            partition = place.partition
            if partition in moved or partition not in self._ahead:
                continue  # assigned a moment ago: `_take_changes` begins it where it is committed
            expected = self._fetched[partition]
            if brought[0].offset != expected:
                self._check_gap(partition, expected, brought[0].offset)
            if brought[-1].offset - brought[0].offset != len(brought) - 1:
                raise StoreError(
                    f"{self._words}, partition {partition}: {len(brought)} entries have the offsets"
                    f" {brought[0].offset} to {brought[-1].offset}; some are missing, or the topic is compacted"
                )
            self._fetched[partition] = brought[-1].offset + 1
            self._ahead[partition].extend(brought)

    def _take(self, limit: int) -> list[Entry]:
        entries: list[Entry] = []
        self._turn += 1
        for place in range(len(self._assigned)):
            partition = self._assigned[(place + self._turn) % len(self._assigned)]
            ahead = self._ahead[partition]
            while ahead and len(entries) < limit:
                record = ahead.popleft()
                key = (record.key or b"").decode("utf-8", "replace")
                entries.append(Entry(partition, record.offset, key, record.value or b"", from_ms(record.timestamp)))
        return entries

    def _check_gap(self, partition: int, expected: int, found: int) -> None:
        """The one good reason for a gap: what lies in it was dropped by age."""
        start = self._offsets.starts(self._topic)[partition]
        if not expected < found <= start:
            raise StoreError(
                f"{self._words}, partition {partition}: entry {expected} was to come, {found} came, and the log begins"
                f" at {start}: entries are missing, or the log was restored from an older backup"
            )

    def _is_behind(self, now: float) -> bool:
        """Whether the log holds what has not come yet. Raises `Unavailable` when that lasts."""
        self._next_look_s = now + LOOK_EVERY_S
        ends = self._ends()
        short = {p: ends[p] for p in self._assigned if ends[p] < self._fetched[p]}
        if short:
            raise StoreError(
                f"{self._words}: the log ends at {short}, but was read up to"
                f" { ({p: self._fetched[p] for p in short}) }; was it restored from an older backup?"
            )
        waiting = {p: ends[p] - self._fetched[p] for p in self._assigned if ends[p] > self._fetched[p]}
        if not waiting:
            self._behind_since_s = None
            return False
        if self._behind_since_s is None:
            self._behind_since_s = now
        if now - self._behind_since_s > self._stalled_after_s:
            self._reconnect()
            raise Unavailable(
                f"{self._words}: {sum(waiting.values())} entries are there, but the client brought none of them for"
                f" {self._stalled_after_s:.0f} s; it is replaced by a new one"
            )
        return True

    # ── committing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _send_commit(self, positions: Mapping[int, int]) -> None:
        """The broker takes it only from a member of the group's present generation."""
        self._check_still_owned(positions)
        offsets = {self._place(p): OffsetAndMetadata(offset, "", -1) for p, offset in positions.items()}
        with translated(self._settings, f"{self._words}: committing"):
            try:
                self._opened().commit(offsets, timeout_ms=self._timeout_ms)
            except kafka.FencedInstanceIdError as problem:
                raise self._twin() from problem
            except (kafka.CommitFailedError, kafka.RebalanceInProgressError, kafka.UnknownMemberIdError) as problem:
                raise Reassigned(f"{self._words}: other workers came or went; nothing was committed") from problem
        if self._worker is not None:
            self._held_at |= positions

    def _refuse_backwards(self, positions: Mapping[int, int], committed: Mapping[int, int]) -> None:
        """Raises `Reassigned` when this is a worker that slept while another went on in its place: the broker then
        refuses even to take again what is committed."""
        backwards = {p: offset for p, offset in positions.items() if offset < committed[p]}
        if self._worker is not None:
            self._send_commit({p: committed[p] for p in backwards})
        raise StoreError(
            f"{self._words}: commits {backwards}, but { ({p: committed[p] for p in backwards}) } is committed;"
            " a position never goes backwards. Does another process read the same partitions?"
        )

    def _check_ends(self, positions: Mapping[int, int]) -> None:
        ends = self._ends()
        beyond = {p: offset for p, offset in positions.items() if offset > ends[p]}
        if beyond:
            raise StoreError(
                f"{self._words}: commits {beyond}, but the log ends at { ({p: ends[p] for p in beyond}) };"
                " was it restored from an older backup?"
            )

    # ── who reads what ───────────────────────────────────────────────────────────────────────────────────────────

    def _is_settled(self) -> bool:
        """False while the group decides: what is read then could not be committed."""
        return self._worker is None or self._opened().group_metadata().state is MemberState.STABLE

    def _take_changes(self) -> None:
        """Take over what the group decided. Raises `Reassigned` when that changed anything."""
        if self._membership.generation == self._generation:
            return
        generation, owned, taken_away = self._membership.take()
        for partition in taken_away:
            self._ahead.pop(partition, None)
            self._fetched.pop(partition, None)
            self._held_at.pop(partition, None)
        self._assigned = sorted(self._ahead)
        committed = self._committed(owned - self._ahead.keys())
        self._held_at |= committed
        self._go_to(committed)
        self._assigned = sorted(owned)
        self._generation = generation  # last: what failed on the way is done again by the next poll
        raise Reassigned(f"{self._words}: reads the partitions {self._assigned} from now on")

    def _check_still_owned(self, positions: Collection[int]) -> None:
        gone = sorted(self._membership.taken_away() & set(positions))
        if gone:
            raise Reassigned(f"{self._words}: partitions {gone} went to other workers; nothing was committed")

    def _check_assigned(self, positions: Collection[int]) -> None:
        foreign = sorted(set(positions) - set(self._assigned))
        if foreign:
            raise StoreError(f"{self._words}: partitions {foreign} are not assigned to it; it reads {self._assigned}")

    def _twin(self) -> StoreError:
        return StoreError(f"{self._words}: another process runs under the worker name {self._worker!r}")

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def _go_to(self, positions: Mapping[int, int]) -> None:
        with translated(self._settings, self._doing):
            for partition, offset in positions.items():
                self._ahead[partition] = deque()
                self._fetched[partition] = offset
                self._opened().seek(self._place(partition), offset)

    def _position(self, partition: int) -> int:
        ahead = self._ahead[partition]
        return int(ahead[0].offset) if ahead else self._fetched[partition]

    def _committed(self, partitions: Collection[int]) -> dict[int, int]:
        with translated(self._settings, f"{self._words}: looking for its positions"):
            client = self._opened()
            return {p: int(client.committed(self._place(p), timeout_ms=self._timeout_ms) or 0) for p in partitions}

    def _ends(self) -> dict[int, int]:
        """Over the connections of the log. On this client's own the question would stand behind its fetch, which the
        broker answers only when something comes, or after half a second."""
        ends = self._offsets.ends(self._topic) if self._assigned else {}
        return {p: ends[p] for p in self._assigned}

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic(self._topic), partition)

    # ── the client ───────────────────────────────────────────────────────────────────────────────────────────────

    def _connect(self) -> None:
        options: dict[str, Any] = {
            "group_id": self._settings.group(self._topic, self._name),
            "enable_auto_commit": False,
            "metrics_enabled": False,
            "auto_offset_reset": "earliest",
            "allow_auto_create_topics": False,
            "max_partition_fetch_bytes": FETCH_BYTES,
        }
        if self._worker is None:
            self._client = made(KafkaConsumer, self._settings, **options)
            self._client.assign([self._place(p) for p in self._assigned])
            return
        self._client = made(
            KafkaConsumer,
            self._settings,
            **options,
            group_instance_id=self._worker,
            partition_assignment_strategy=[CooperativeStickyAssignor],
            session_timeout_ms=int(self._settings.session_s * 1_000),
            heartbeat_interval_ms=int(self._settings.session_s * 1_000 / 4),
            max_poll_interval_ms=int(WORK_WITHIN_S * 1_000),
        )
        self._client.subscribe([self._settings.topic(self._topic)], listener=self._membership)

    def _reconnect(self) -> None:
        """Take a new client; a worker joins its group anew, and the next polls say what it reads."""
        positions = {p: self._position(p) for p in self._assigned}
        self._behind_since_s = None
        with translated(self._settings, self._doing):
            self._client.close(autocommit=False, timeout_ms=0)
            if self._worker is not None:
                self._membership, self._generation = Membership(), 0
                self._assigned, self._ahead, self._fetched, self._held_at = [], {}, {}, {}
            self._connect()
        if self._worker is None:
            self._go_to(positions)

    def _opened(self) -> Any:
        if self._client is None:
            raise StoreError(f"{self._words} is closed")
        return self._client

    @property
    def _timeout_ms(self) -> int:
        return int(self._settings.answer_s * 1_000)

    @property
    def _words(self) -> str:
        worker = "" if self._worker is None else f", worker {self._worker!r}"
        return f"reader {self._name!r} of topic {self._settings.topic(self._topic)!r}{worker}"

    @property
    def _doing(self) -> str:
        return f"{self._words}: reading"
