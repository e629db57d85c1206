"""Erasing posts because somebody asked for it, or because whoever answers for the desk decided so.

In the log, which only grows, a revision without words, author and addresses goes behind the post, as when a source says
that a post is gone: so the index forgets, hits are withdrawn and alerts reckoned anew, and an index that is rebuilt
forgets as well. What was written before lies in the log until `prune` takes it. Captures go from the evidence, excerpts
and fingerprints from the desk, and `collect` brings the post never again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Engine

from alerts.redaction import is_shown_as_it_is
from desk import audit
from desk.database.connect import reading, writing
from desk.dispatch import Dispatcher
from desk.erasing import forget_excerpts, forget_fingerprints, messages_showing, partners_addressed
from hustings import wire
from hustings.clock import Clock, rfc3339, to_ms
from hustings.contracts import Index, Log, Memory, Record
from hustings.errors import ConfigError
from hustings.query.tree import Everything, Is, Query
from hustings.types import Post, post_key
from ingest.dead_letters import read_dead_letters
from ingest.erased import bar, bar_marked, mark_of
from ingest.evidence import EvidenceFolder, Held
from runtime import build
from runtime.build import NO_LIMIT, pages
from runtime.config import Config
from runtime.erasures_noted import Notes
from runtime.refill import entries_of
from runtime.stores import open_stores

__all__ = ["Erased", "Eraser", "Found", "Known", "erase_again", "eraser_of", "packs_erased"]

ACTION = "erase"
"""What the audit chain calls it; its detail names the packs of evidence of which something was erased."""
LOOK_AGAIN_S = 0.2
TIPS = "tips"
"""The table of the desk's tips, and the source of the posts that they become."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a post: its highest revision, and how often and until when the log has words of it."""

    source: str
    native_id: str
    published_at: datetime
    revision: int
    is_erased: bool
    entries: int = 0
    last_at: datetime | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The posts that are asked for, and where something of them lies; `shown_as`: the keys by which each partner knows
    them, and `unread`: what could not be looked through."""

    posts: dict[str, Known]
    held: list[Held]
    letters: list[str]
    shown_as: dict[str, set[str]]
    unread: list[str]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, or would be, and what was not. `log_entries` lie in the log, and `dead_letters` (by their ids)
    hold something of the posts, until `prune` takes them, at the latest from `log_until` on. `still_in_index` are posts
    that analyze has yet to take out. `captures_kept` hold other posts too. `not_looked_through` are files of evidence
    that could not be read, and partners of whose messages nobody can tell which posts they show."""

    dry_run: bool
    posts: int
    log_entries: int
    log_until: str | None
    still_in_index: int = 0
    captures: int = 0
    captures_kept: int
    messages: int = 0
    fingerprints: int = 0
    tips: int = 0
    dead_letters: list[str]
    not_looked_through: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether all went that can be taken away."""
        return not (self.still_in_index or self.captures_kept or self.not_looked_through)


class _Entry(msgspec.Struct):
    """What of a post in the log is asked for here."""

    source: str
    native_id: str
    published_at: datetime
    revision: int = 0
    deleted: bool = False
    author: str = ""
    evidence: str = ""


_read = msgspec.json.Decoder(_Entry)


class Eraser:
    """Erases in the stores of a deployment, while its loops run or not."""

    def __init__(
        self,
        *,
        log: Log,
        index: Index,
        engine: Engine,
        memory: Memory,
        evidence: EvidenceFolder,
        dispatcher: Dispatcher,
        keep_days: int,
        clock: Clock,
    ) -> None:
        self._log = log
        self._index = index
        self._engine = engine
        self._memory = memory
        self._evidence = evidence
        self._dispatcher = dispatcher
        self._keep = timedelta(days=keep_days)
        self._clock = clock

    def keys_of(self, author: str) -> set[str]:
        """The posts of an author (a pseudonym) that log and index know."""
        self._index.refresh()
        found = pages(self._index, Query(text="author", node=Is("author", (author,))), limit=NO_LIMIT)
        return {a.key for a in found} | {_key(entry) for entry, _ in self._entries() if entry.author == author}

    def keys_marked(self, marks: AbstractSet[str]) -> set[str]:
        """The posts with these marks that log, index, evidence and desk know. Reads everything."""
        self._index.refresh()
        known = {a.key for a in pages(self._index, Query(text="*", node=Everything()), limit=NO_LIMIT)}
        known |= {_key(entry) for entry, _ in self._entries()}
        known |= self._evidence.keys() | {f"{TIPS}:{tip_id}" for tip_id in self._memory.entries(TIPS)}
        return {key for key in known if mark_of(key) in marks}

    def find(self, keys: Collection[str]) -> Found:
        """Where something of these posts lies. Raises `ConfigError` when nothing is known of one of them."""
        wanted = set(keys)
        posts = self._in_log(wanted)
        self._index.refresh()
        for key, assessment in self._index.get(sorted(wanted - posts.keys())).items():
            posts[key] = _known_of(assessment.post)
        held, flaws = self._evidence.holding(wanted)
        letters = [
            letter.id
            for letter in read_dead_letters(self._log)
            if letter.origin.partition(": ")[2] in wanted or _key_in(letter.original) in wanted
        ]
        known = posts.keys() | {key for pack in held for key in pack.keys} | self._tips(wanted).keys()
        if unknown := sorted(wanted - known):
            raise ConfigError(
                f"{', '.join(unknown)}: no such post in log, index and evidence; a key is SOURCE:ID, as `hustings"
                " search` and the desk show it"
            )
        shown_as, unknown_to = self._shown_as(wanted)
        unread = [*(flaw.path for flaw in flaws), *(f"what was told to {partner}" for partner in unknown_to)]
        return Found(posts=posts, held=held, letters=letters, shown_as=shown_as, unread=unread)

    def would_erase(self, keys: Collection[str], found: Found, *, shared: bool) -> Erased:
        """What `erase` would take away; nothing is changed."""
        with reading(self._engine) as connection:
            messages = messages_showing(connection, found.shown_as)
        return msgspec.structs.replace(
            _of(found, shared=shared, keep=self._keep),
            still_in_index=len(self._still_in_index(keys)),
            captures=sum(pack.alone + (pack.shared if shared else 0) for pack in found.held),
            messages=len(messages),
            tips=len(self._tips(keys)),
        )

    def erase(
        self, keys: Collection[str], found: Found, *, shared: bool, by: str, reason: str, wait_s: float
    ) -> Erased:
        """Erase, and wait at most `wait_s` for analyze to take the posts out of the index. The audit row comes first: a
        crash leaves a trace without an act, never the reverse; asking again does the rest."""
        now = self._clock.now()
        self._record(keys, found, by=by, reason=reason, at=now)
        bar(self._memory, keys, at=now)
        behind = [post for post in found.posts.values() if not post.is_erased]
        if behind:
            without = [_without_words(post, now) for post in behind]
            self._log.append("posts", [Record(post.key, wire.encode(post)) for post in without])
        left = self._wait_for_index(keys, wait_s)
        erasures = [self._evidence.erase(held.pack, set(keys), shared=shared, at=now) for held in found.held]
        with writing(self._engine) as connection:
            messages = messages_showing(connection, found.shown_as)
            forget_excerpts(connection, messages, found.shown_as)
            fingerprints = forget_fingerprints(connection, keys)
        tips = self._tips(keys)
        for tip_id in tips.values():
            self._memory.delete(TIPS, tip_id)
        if not left:
            self._index.prune(before=BEGINNING)  # no post is as old: only traces of what was overwritten go
        return msgspec.structs.replace(
            _of(found, shared=shared, keep=self._keep),
            dry_run=False,
            still_in_index=left,
            captures=sum(erasure.captures for erasure in erasures if erasure is not None),
            messages=len(messages),
            fingerprints=fingerprints,
            tips=len(tips),
        )

    # ── where it lies ────────────────────────────────────────────────────────────────────────────────────────────

    def _entries(self) -> Iterator[tuple[_Entry, datetime]]:
        """The posts of the log, each with the time at which it was appended."""
        for entries in entries_of(self._log, "posts"):
            for entry in entries:
                try:
                    yield _read.decode(entry.value), entry.appended_at
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue  # a dead letter of `analyze`

    def _in_log(self, keys: Collection[str]) -> dict[str, Known]:
        posts: dict[str, Known] = {}
        for entry, at in self._entries():
            key = _key(entry)
            if key not in keys:
                continue
            before, is_erased = posts.get(key), entry.deleted and not entry.author
            newest = before is None or entry.revision > before.revision
            posts[key] = Known(
                source=entry.source,
                native_id=entry.native_id,
                published_at=entry.published_at,
                revision=entry.revision if before is None or newest else before.revision,
                is_erased=is_erased if before is None or newest else before.is_erased,
                entries=(before.entries if before else 0) + (not is_erased),
                last_at=(before.last_at if before else None) if is_erased else at,
            )
        return posts

    def _tips(self, keys: Collection[str]) -> dict[str, str]:
        """The tips that the desk still keeps, by the key of the post: the id of each."""
        kept = self._memory.entries(TIPS)
        ids = {key: key.removeprefix(f"{TIPS}:") for key in keys if key.startswith(f"{TIPS}:")}
        return {key: tip_id for key, tip_id in ids.items() if tip_id in kept}

    def _still_in_index(self, keys: Collection[str]) -> list[str]:
        return [key for key, a in self._index.get(sorted(keys)).items() if not _is_erased(a.post)]

    def _shown_as(self, keys: Collection[str]) -> tuple[dict[str, set[str]], list[str]]:
        """By partner the keys that it knows the posts by, and the partners of which that cannot be told: they are not
        configured any more, or their key cannot be read, and a key is not shown to them as it is."""
        with reading(self._engine) as connection:
            addressed = partners_addressed(connection)
        shown_as = self._dispatcher.shown_as(keys)
        others = sorted(addressed - shown_as.keys())
        plain = {key for key in keys if is_shown_as_it_is(key)}
        return shown_as | dict.fromkeys(others, plain), others if len(plain) < len(keys) else []

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, keys: Collection[str], found: Found, *, by: str, reason: str, at: datetime) -> None:
        detail: dict[str, str | int | list[str]] = {
            "by": by,
            "reason": reason,
            "posts": sorted(mark_of(key) for key in keys),
            "packs": sorted(held.pack for held in found.held),
        }
        subject = f"{len(keys)} posts"
        with writing(self._engine) as connection:
            audit.append(connection, at=at, actor="operator", action=ACTION, subject=subject, detail=detail)

    def _wait_for_index(self, keys: Collection[str], wait_s: float) -> int:
        """How many of the posts the index still shows in the end."""
        until = self._clock.monotonic() + wait_s
        while left := len(self._still_in_index(keys)):
            if self._clock.monotonic() >= until:
                break
            self._clock.sleep(LOOK_AGAIN_S)
        return left


def eraser_of(config: Config, engine: Engine, memory: Memory, log: Log, index: Index, clock: Clock) -> Eraser:
    """The eraser of a deployment whose stores are open."""
    return Eraser(
        log=log,
        index=index,
        engine=engine,
        memory=memory,
        evidence=EvidenceFolder(config.data / "evidence", code_version=build.CODE_VERSION),
        dispatcher=build.dispatcher(config, index=index, rules=build.rule_set(config, build.vocabulary_of(config))),
        keep_days=config.log.keep_days,
        clock=clock,
    )


def erase_again(config: Config, notes: Notes, clock: Clock) -> list[Erased]:
    """Erase from a backup that was put back what was erased since, and bar it from being collected again: the sources
    of the backup begin where they were. Nothing waits for analyze, which does not run yet."""
    done: list[Erased] = []
    with open_stores(config, clock) as (engine, memory, log, index):
        eraser = eraser_of(config, engine, memory, log, index, clock)
        for shared in (False, True):
            marks = notes.marks(shared=shared)
            bar_marked(memory, marks, at=clock.now())
            if keys := eraser.keys_marked(marks) if marks else set():
                why = {"by": "operator", "reason": "erased before a backup was restored that still held it"}
                done.append(eraser.erase(keys, eraser.find(keys), shared=shared, wait_s=0.0, **why))
    return done


def packs_erased(engine: Engine) -> set[str]:
    """The packs of evidence of which something was erased, as the audit chain says."""
    return {pack for row in audit.of_action(engine, ACTION) for pack in msgspec.json.decode(row.detail)["packs"]}


def _of(found: Found, *, shared: bool, keep: timedelta) -> Erased:
    """What is known before anything was done."""
    last = max((post.last_at for post in found.posts.values() if post.last_at is not None), default=None)
    return Erased(
        dry_run=True,
        posts=len(found.posts.keys() | {key for pack in found.held for key in pack.keys}),
        log_entries=sum(post.entries for post in found.posts.values()),
        log_until=None if last is None else rfc3339(last + keep),
        captures_kept=0 if shared else sum(pack.shared for pack in found.held),
        dead_letters=found.letters,
        not_looked_through=found.unread,
    )


def _key(entry: _Entry) -> str:
    return post_key(entry.source, entry.native_id)


def _key_in(original: bytes) -> str | None:
    """The key of the post that could not be analysed; None where the bytes are none."""
    try:
        return _key(_read.decode(original))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_erased(post: Post) -> bool:
    return post.deleted and not post.author


def _known_of(post: Post) -> Known:
    return Known(
        source=post.source,
        native_id=post.native_id,
        published_at=post.published_at,
        revision=post.revision,
        is_erased=_is_erased(post),
    )


def _without_words(post: Known, now: datetime) -> Post:
    """The revision that goes behind a post: above all that its source can have said until now."""
    return Post(
        source=post.source,
        native_id=post.native_id,
        text="",
        published_at=post.published_at,
        collected_at=now,
        revision=max(post.revision + 1, to_ms(now)),
        deleted=True,
    )
