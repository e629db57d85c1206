"""The contracts between the packages. Siblings never import each other; they meet here, and `runtime.build` joins them.

Each docstring says who calls, when, and what must not happen. The contract tests in `hustings.testing` run on every
implementation, the real servers included.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from hustings.clock import Clock
from hustings.query import Query
from hustings.types import (
    Alert,
    Amendment,
    Assessment,
    DeadLetter,
    Hit,
    Notice,
    Post,
    QueueEntry,
)

__all__ = [
    "AlertBook",
    "AlertChanges",
    "Channel",
    "CheckedChannel",
    "Classifier",
    "Collected",
    "Delivery",
    "Egress",
    "Entry",
    "HttpAnswer",
    "Index",
    "Log",
    "LogReader",
    "Memory",
    "Message",
    "Outcome",
    "Page",
    "PositionsAndBooks",
    "Record",
    "Source",
    "SourceContext",
    "SourceItem",
    "StoryLedger",
    "StoryTurn",
    "Telling",
    "Topic",
]

Topic = Literal["posts", "hits", "dead-letters"]


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Record(NamedTuple):
    """Something to append. Records of one key keep their order: the key alone decides the partition."""

    key: str
    value: bytes


class Entry(NamedTuple):
    """Something that was read. `offset` rises by one within (topic, partition), from 0."""

    partition: int
    offset: int
    key: str
    value: bytes
    appended_at: datetime


class LogReader(Protocol):
    """One named reader of one topic. It reads from the smaller of what it committed and where it is told to seek.

    Where several workers share a topic, `poll` and `commit` raise `Reassigned` when others came or went: drop what is
    not committed and begin again with `partitions`, `committed` and `seek`. Between two polls `partitions` stays as it
    is. Whoever fails in the middle of a batch seeks back before the next poll, or the batch is passed over."""

    def poll(self, *, limit: int, timeout_s: float) -> list[Entry]:
        """At most `limit` entries, in offset order within a partition; waits up to `timeout_s` for the first one,
        returns at once when there is any, and `[]` when there is none. Never skips an entry; moves the position of
        this reader object, not the committed one."""
        ...

    def commit(self, positions: Mapping[int, int]) -> None:
        """Make `{partition: next offset}` durable. Called only after everything before it is durable elsewhere.
        Raises `StoreError` for going backwards or beyond the end, and for a partition that this reader has not."""
        ...

    def committed(self) -> dict[int, int]:
        """`{partition: next offset}` as last committed; 0 for a partition never committed."""
        ...

    def seek(self, positions: Mapping[int, int]) -> None:
        """Continue at these offsets: how a sink that holds less than was committed heals."""
        ...

    def partitions(self) -> list[int]:
        """The partitions that this reader is assigned now."""
        ...

    def close(self) -> None:
        """Give the reader back; nothing is committed by closing."""
        ...


class Log(Protocol):
    """The durable stream. `append` returns after the records are on disk (or acknowledged by all replicas)."""

    @property
    def id(self) -> str:
        """Made once with the log; sinks store it with their positions, and another log's id is an error."""
        ...

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        """Append all or none, durably; returns (partition, offset) in the order given. Safe from many threads and
        processes. `partition` overrides the key (progress marks go to each partition). After `Unavailable` a log of
        several machines may hold some of the records: appending all of them again is what heals.

        Raises `BadInput` when it can never take one of the records, and then appends none: "lone_surrogate" for a key
        that no encoding can carry, "too_large" beyond its limit if it has one. Whoever writes what came from outside
        appends the others and makes a dead letter of that one. 400,000 bytes are taken by every log."""
        ...

    def reader(self, topic: Topic, name: str, *, partitions: Sequence[int] | None = None) -> LogReader:
        """A reader with durable positions under `name`; `partitions` None means all."""
        ...

    def partitions(self, topic: Topic) -> int:
        """How many partitions the topic has."""
        ...

    def partition_of(self, topic: Topic, key: str) -> int:
        """The partition that a record with this key goes to."""
        ...

    def ends(self, topic: Topic) -> dict[int, int]:
        """`{partition: next offset to be written}`."""
        ...

    def starts(self, topic: Topic) -> dict[int, int]:
        """`{partition: oldest offset still held}`: above 0 once segments were dropped by age."""
        ...

    def drop_before(self, topic: Topic, when: datetime) -> int:
        """Drop entries appended before `when` and no later ones; returns how many. A log kept in segments may leave
        those that share one with later entries."""
        ...

    def close(self) -> None: ...


# ── the way out ──────────────────────────────────────────────────────────────────────────────────────────────────


class HttpAnswer(NamedTuple):
    """What the other side said. `headers` have lower-case names; `body` is decompressed and within the caller's cap."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


class Egress(Protocol):
    """The one way out to the network: judges the address that it really connects to, on every hop."""

    def request(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = 30.0,
        max_bytes: int = 20_000_000,
        redirects: int = 0,
    ) -> HttpAnswer:
        """One exchange, whatever the status. Raises `EgressDenied` when an address is refused
        (`AddressRefused` where a name led to it), `Unavailable` when the other side does not answer in time or breaks
        off, `BadInput` ("too_large") beyond `max_bytes` decompressed or a decompression ratio of 100. `timeout_s`
        bounds the whole exchange.

        With `max_bytes` 0 nobody wants the body: once the status is there, nothing that the other side does with the
        body is an error, and the answer's body is empty."""
        ...

    def require_open(self, url: str) -> None:
        """Raises `EgressDenied` when a request to `url` is refused whatever its name leads to. For settings: nobody is
        asked, nothing is connected."""
        ...

    def connect(self, host: str, port: int, *, tls: bool, timeout_s: float = 15.0) -> socket.socket:
        """A connected (and, with `tls`, verified) socket, for protocols other than HTTP. Same errors."""
        ...


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────


class SourceItem(Struct, frozen=True, kw_only=True):
    """One thing that a source saw: the raw bytes as evidence, and the post made of them.

    `author_handle` and `post.mentions` are raw, stable account ids in the name space `platform` (default: the post's
    source; where it is another one, the source's class has it as `platform` too, for repaired dead letters); the
    polling loop turns each into a roster id or a pseudonym and they go no further. `handles` are other spellings by
    which `native_id`, `reply_to` or `url` name people: the loop takes them out too. `post.collected_at` is stamped by
    the loop at hand-over to the log.
    """

    raw: bytes
    post: Post
    author_handle: str = ""
    platform: str = ""
    handles: tuple[str, ...] = ()
    headers: dict[str, str] = {}


class Collected(Struct, frozen=True, kw_only=True):
    """What one call of `Source.collect` brought: items, unusable ones, the cursor to remember, when to call again."""

    items: tuple[SourceItem, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    cursor: bytes = b""
    again_after: timedelta = timedelta(0)
    caps_hit: dict[str, int] = {}
    done: bool = False


class SourceContext(NamedTuple):
    """What a source may use besides its settings."""

    egress: Egress
    memory: Memory
    clock: Clock


class Source(Protocol):
    """Where posts come from. It never sleeps between polls, never stores its cursor and never writes anywhere: it
    returns what to remember and when to call again, and the polling loop does both, after the log acknowledged."""

    name: str
    """The configured entry (`Post.collector`)."""

    def open(self) -> None:
        """Connect or read settings. Constructors only store."""
        ...

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        """At most about `limit` new items after `cursor` (b"" at first). The same cursor again brings the same items
        again or newer ones, never fewer: a crash between two calls loses nothing. Raises `Unavailable` when the
        outside does not answer (the loop backs off), `EgressDenied` when the guard refuses. One unusable item is a
        dead letter in the result, never an exception. Returns within 30 s."""
        ...

    def close(self) -> None: ...


# ── classifiers ──────────────────────────────────────────────────────────────────────────────────────────────────


class Classifier(Protocol):
    """One step of `analyze`. Batch in, batch out, same length and order, and the same result however posts are batched.
    A step may remember (stories do): it gives a post that comes again at the same revision what it gave before."""

    name: str
    version: str

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        """Each assessment with what this step adds. Must not touch what an earlier step wrote, but that the role of a
        target may rise; must not keep posts, must not raise for one post's content."""
        ...


class Telling(Struct, frozen=True, kw_only=True):
    """One flagged post, at one revision, and the story that it was found to tell. The memory of near-copies is made of
    these, so workers who read the same tellings in the same order remember the same.

    `wording` is what exact copies share; empty when a newer revision was told before: such a telling answers who asks
    again and is not remembered. `sketch` is what near-copies are found by, in the form of its maker, empty when there
    is none. `at` is the ingest time. `place` rises by one from telling to telling; 0 until it is in a ledger."""

    key: str
    revision: int
    story: str
    wording: bytes
    sketch: bytes
    at: datetime
    place: int = 0


class StoryTurn(Protocol):
    """The right to append to a ledger of stories, which one worker has at a time."""

    def since(self, place: int, *, limit: int) -> list[Telling]:
        """As `StoryLedger.since`; sees everything that was ever appended."""
        ...

    def told(self, posts: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """The stories of those (key, revision) that are in the ledger."""
        ...

    def append(self, tellings: Sequence[Telling], *, after: int, drop_before: int = 0) -> int:
        """Append in this order and return the place of the last one; durable when the turn ends without an exception,
        else nothing of it is there. `after` is the last place that the worker has read: raises `StoreError` when the
        ledger ends elsewhere (it was restored from a backup). Tellings below `drop_before` may be dropped."""
        ...


class StoryLedger(Protocol):
    """The one order in which several analyze workers name the stories of flagged posts. Each reads it into a memory of
    its own; who has posts to name takes a turn, reads what it has not read yet, names, and appends."""

    def since(self, place: int, *, limit: int) -> list[Telling]:
        """At most `limit` tellings behind `place`, in order; waits for nobody. When the first one is not at
        `place + 1`, what lay between was dropped: whoever began before it begins again from there."""
        ...

    def turn(self) -> AbstractContextManager[StoryTurn]:
        """Wait for the turn and hold it. A worker that stops in the middle of its turn loses it: what it appended is
        not there. Raises `Unavailable` when the store is away or the turn does not come."""
        ...


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────


class Outcome(StrEnum):
    """What writing one assessment (or hit) did."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    CONFLICTING = "conflicting"  # same revision, other content: the first one stays
    STALE = "stale"  # an older revision than the stored one; counted with `unchanged` in the books


class Page(NamedTuple):
    """Newest first. `next` continues the search, None at the end; it is opaque."""

    assessments: list[Assessment]
    next: str | None


class PositionsAndBooks(NamedTuple):
    """How far the posts topic is in the index, by partition, and what became of those posts, by name."""

    positions: dict[int, int]
    books: dict[str, int]


class Index(Protocol):
    """What is known so far. Derived: a rebuild from the log gives the same. All writes are idempotent."""

    def write(
        self,
        assessments: Sequence[Assessment],
        *,
        log_id: str,
        origins: Sequence[tuple[int, int]] = (),
        dead: Sequence[tuple[int, int]] = (),
        dropped: Mapping[int, int] | None = None,
        positions: Mapping[int, int] | None = None,
    ) -> list[Outcome]:
        """Write all, durably, and store `positions` (of the posts topic) and the books with them. `origins[i]` is the
        (partition, offset) that assessment i came from, `dead` those of posts that became dead letters; an offset
        below the stored position was counted before and is not counted again. `dropped` says where partitions of the
        log begin now: what lies between the stored position and that place nobody can read any more; it is counted as
        such, and the stored position moves there. Raises `WriteRefused` when the store can never hold some of them: all
        others are durable then, positions and books are as before, and the caller writes again without those."""
        ...

    def write_hits(
        self, hits: Sequence[Hit], *, log_id: str, positions: Mapping[int, int] | None = None
    ) -> list[Outcome]:
        """Write hits, highest revision wins, and store `positions` (of the hits topic) with them. Raises `WriteRefused`
        as `write` does."""
        ...

    def positions(self, topic: Topic) -> dict[int, int]:
        """`{partition: next offset}` that this sink holds. `{}` when new."""
        ...

    def log_id(self) -> str | None:
        """The id of the log that filled this index, None when empty."""
        ...

    def books(self) -> dict[str, int]:
        """Posts of the log by what became of them: new, revised, unchanged (with stale), conflicting, dead_letters, and
        dropped: gone from the log before this index read it."""
        ...

    def positions_and_books(self) -> PositionsAndBooks:
        """`books`, and the positions of posts that they belong to: both as they were at one moment, also while somebody
        writes."""
        ...

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        """The stored assessments of those keys that exist; sees every acknowledged write."""
        ...

    def search(self, query: Query, *, limit: int = 50, after: str | None = None) -> Page:
        """Assessments that match, newest published first (ties by key, descending). `after` is the `next` of the page
        before; raises `StoreError` for anything else."""
        ...

    def count(self, query: Query) -> int:
        """How many assessments match, exactly."""
        ...

    def counts(self, query: Query, field: str, *, limit: int = 1000) -> dict[str, int]:
        """Matching posts by value of a field (each value of a multi-valued one counts once), most frequent first,
        ties by value. Raises `StoreError` rather than cut silently when there are more than `limit` values."""
        ...

    def histogram(self, query: Query, *, step: timedelta) -> dict[datetime, int]:
        """Matching posts by published time in UTC-aligned steps; empty steps are absent."""
        ...

    def hits(self, rule: str, logic: str, *, since: datetime | None = None) -> Iterator[Hit]:
        """Stored hits of one rule and logic, withdrawn ones included, by (t, key)."""
        ...

    def former_hits(self, keys: Sequence[str]) -> list[Hit]:
        """All stored, not withdrawn hits of these posts."""
        ...

    def prune(self, *, before: datetime) -> int:
        """Forget assessments and hits of posts first collected before that time; returns posts removed."""
        ...

    def refresh(self) -> None:
        """After this, searches see every acknowledged write."""
        ...

    def close(self) -> None: ...


# ── alerts and the desk ──────────────────────────────────────────────────────────────────────────────────────────


class AlertChanges(Struct, frozen=True, kw_only=True):
    """What one step of the evaluator wants recorded, all of it in one transaction."""

    alerts: tuple[Alert, ...] = ()
    notices: tuple[Notice, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    queue: tuple[QueueEntry, ...] = ()
    counters: dict[str, int] = {}


class AlertBook(Protocol):
    """The desk's side of `watch`: alerts with their notices, amendments, and the review queue."""

    def unsettled(self, *, as_of: datetime | None = None) -> list[Alert]:
        """Alerts that can still change: open ones, and those settled no longer than their rule's memory before `as_of`
        (None: before the latest alert). Read once before a worker evaluates, so that ids are kept; `as_of` is how far
        its own hits go, since one that reads a quiet partition remembers what others are long done with."""
        ...

    def record(self, changes: AlertChanges, *, partition: int, epoch: int) -> None:
        """Write everything or nothing. Alert rows are upserts by id: `epoch` lower than the row's changes nothing, and
        the notices of that alert are dropped with it: its new owner makes them. Notices, amendments and queue entries
        are inserts by id: one that exists stays as it is. Alerts with review = "none" that are not shadow are released
        here, which makes their outbox rows."""
        ...


class Memory(Protocol):
    """Small durable facts of the machine: cursors, source health, heartbeats, active rule set, model pointer."""

    def get(self, table: str, key: str) -> bytes | None: ...

    def put(self, table: str, key: str, value: bytes) -> None: ...

    def replace(self, table: str, key: str, former: bytes | None, value: bytes) -> bool:
        """Put `value` if what is kept is `former` (None: nothing), atomically; whether it was done. False when
        somebody else came first: read again what is there now."""
        ...

    def entries(self, table: str) -> dict[str, bytes]: ...

    def delete(self, table: str, key: str) -> None: ...

    def add(self, table: str, key: str, amount: int = 1) -> int:
        """Add to the whole number under `key` (0 when absent) and return the sum, atomically: of callers at the same
        moment, in whatever process, each gets a sum of its own. It is kept as decimal digits, which `get` returns.
        Raises `StoreError` when something else is kept there."""
        ...


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Message(Struct, frozen=True, kw_only=True):
    """One rendered, redacted message for one partner over one channel. `id` is the outbox id, stable over retries."""

    id: str
    partner: str
    channel: str
    alert: str
    kind: str
    tlp: str
    title: str
    text: str
    body: bytes
    at: datetime


class Delivery(Struct, frozen=True, kw_only=True):
    """What became of one attempt. `dead` means never again; `retry_after` only when the other side asked for it."""

    result: Literal["delivered", "retry", "dead"]
    detail: str = ""
    retry_after: timedelta | None = None


class Channel(Protocol):
    """A way to reach a partner."""

    name: str

    def send(self, message: Message, *, now: datetime) -> Delivery:
        """One attempt, within 15 s, no retry inside. Never raises for what the other side does; never logs or shows
        a secret."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class CheckedChannel(Channel, Protocol):
    """A channel that can say before the first alert whether its settings will do. `hustings check` asks."""

    def problems(self) -> list[str]:
        """What an operator must mend before anything can be sent, a line each. Opens no connection, shows no secret;
        files that cannot be read are told by `hustings check` itself."""
        ...

    def facts(self) -> list[str]:
        """What the partner has to be told, a line each, such as the key that verifies."""
        ...
