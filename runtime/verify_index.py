"""Is everything in the index that the log says was written to it? Reads both; changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hustings import wire
from hustings.contracts import Index, Log
from hustings.types import DeadLetter, Hit, Mark, Post
from runtime.refill import entries_of
from runtime.status import books_of

__all__ = ["Verified", "verify_index"]

EXAMPLES = 20


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared and what is wrong. `missing_posts` are keys that the log has below the index's position and the
    index has not, or at a lower revision; `missing_hits` ids of hits that stand in the log and not in the index. A few
    of each are named. `sound`: nothing is missing and the books balance."""

    posts: int
    hits: int
    dead_letters: int
    unread: int
    missing_posts: int
    missing_hits: int
    examples: list[str]
    problems: list[str]
    sound: bool


def verify_index(log: Log, index: Index, *, advance: Callable[[int], None] = lambda entries: None) -> Verified:
    """Compare entry by entry, up to what the index says it holds."""
    problems: list[str] = []
    known = index.log_id()
    if known is not None and known != log.id:
        problems.append(f"the index was filled from log {known!r}, this log is {log.id!r}")
    books = books_of(log, index)
    if not books.balanced:
        problems.append("the books do not balance: posts that were read are not all accounted for")
    index.refresh()
    dead = _dead_origins(log)
    posts, missing_posts = _posts(log, index, dead, advance)
    hits, missing_hits = _hits(log, index, advance)
    return Verified(
        posts=posts,
        hits=hits,
        dead_letters=len(dead),
        unread=books.unread,
        missing_posts=len(missing_posts),
        missing_hits=len(missing_hits),
        examples=[*missing_posts[:EXAMPLES], *missing_hits[:EXAMPLES]],
        problems=problems,
        sound=not (problems or missing_posts or missing_hits),
    )


def _dead_origins(log: Log) -> set[str]:
    """`posts/<partition>/<offset>` of every dead letter of analyze."""
    found = set()
    for entries in entries_of(log, "dead-letters"):
        for entry in entries:
            try:
                letter = wire.decode(entry.value, DeadLetter)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
            if letter.stage == "analyze":
                found.add(letter.origin)
    return found


def _posts(log: Log, index: Index, dead: set[str], advance: Callable[[int], None]) -> tuple[int, list[str]]:
    held = index.positions("posts")
    compared, missing = 0, []
    for entries in entries_of(log, "posts"):
        wanted: dict[str, int] = {}
        for entry in entries:
            if entry.offset >= held.get(entry.partition, 0):
                continue
            if f"posts/{entry.partition}/{entry.offset}" in dead:
                continue
            post = wire.decode(entry.value, Post)
            wanted[post.key] = max(post.revision, wanted.get(post.key, 0))
            compared += 1
        stored = index.get(list(wanted))
        missing += [key for key, least in wanted.items() if key not in stored or stored[key].post.revision < least]
        advance(len(entries))
    return compared, missing


def _hits(log: Log, index: Index, advance: Callable[[int], None]) -> tuple[int, list[str]]:
    """The last word of the log on each hit: one that stands must stand in the index. Compared a partition at a time;
    the hits of one rule and group are in one."""
    held = index.positions("hits")
    decoder = msgspec.json.Decoder(Hit | Mark)
    last: dict[str, Hit] = {}
    for entries in entries_of(log, "hits"):
        for entry in entries:
            if entry.offset >= held.get(entry.partition, 0):
                continue
            try:
                value = decoder.decode(entry.value)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
            if isinstance(value, Hit) and (value.id not in last or value.revision >= last[value.id].revision):
                last[value.id] = value
        advance(len(entries))
    standing = [hit for hit in last.values() if not hit.withdrawn]
    missing = []
    for start in range(0, len(standing), 500):
        part = standing[start : start + 500]
        found = {hit.id for hit in index.former_hits(sorted({hit.key for hit in part}))}
        missing += [hit.id for hit in part if hit.id not in found]
    return len(last), missing
