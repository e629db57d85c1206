"""What cannot be used is kept: dead letters with their original bytes, and the brake that stops a bad reader.

A few bad messages are the data's fault; many are the code's or the source's, and then going on would only empty the
source into the dead letters (after Sentry's Arroyo).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from hustings import wire
from hustings.clock import rfc3339
from hustings.contracts import Entry, Log, Memory, Record, SourceItem
from hustings.errors import BadInput, DeadReason, StoreError
from hustings.types import DeadLetter, Post, hash_id
from ingest.appending import append_taken
from ingest.erased import barred, mark_of
from ingest.names import Names

__all__ = ["Brake", "append_dead_letters", "dead_letter", "read_dead_letters", "replay_dead_letter"]

BRAKE_RATIO = 0.01
BRAKE_AFTER = 100
BRAKE_IN_A_ROW = 20
"""After the rule of getsentry/arroyo: over 1 % of at least 100, or 20 in a row."""
BRAKE_WINDOW = 1_000
"""The ratio is over this many latest messages, so that a long good past does not hide a bad present."""
_PAGE = 500
CUT_DETAIL = 1_000
"""Characters of the reason that a cut letter keeps: an error of a step may have quoted the whole post."""


def dead_letter(
    collector: str, reason: DeadReason, detail: str, *, origin: str, original: bytes, at: datetime
) -> DeadLetter:
    """A dead letter of a source. Its id is a function of where it came from and of its bytes, so that seeing it again
    gives the same one. `origin` names the place: a file and line, an address."""
    return DeadLetter(
        id=hash_id("collect", collector, origin, sha256(original).hexdigest()),
        stage="collect",
        reason=reason,
        detail=detail,
        origin=f"{collector}: {origin}"[:512],
        original=original,
        at=at,
    )


def append_dead_letters(log: Log, letters: Sequence[DeadLetter], *, code_version: str) -> None:
    """Append to the dead-letters topic; durable when it returns. A letter that the log refuses is cut, and says so: the
    original is a third larger in it."""
    stamped = [msgspec.structs.replace(letter, code_version=letter.code_version or code_version) for letter in letters]
    refused = append_taken(log, "dead-letters", [_record(letter) for letter in stamped])
    for place in refused:
        _append_cut(log, stamped[place])


def read_dead_letters(log: Log) -> list[DeadLetter]:
    """All dead letters, in the order of the log; one that was seen again stands once, at its first place."""
    reader = log.reader("dead-letters", "dead-letters-list")
    try:
        reader.seek(log.starts("dead-letters"))
        found: dict[str, DeadLetter] = {}
        while entries := reader.poll(limit=_PAGE, timeout_s=0):
            for entry in entries:
                letter = _letter(entry)
                found.setdefault(letter.id, letter)
        return list(found.values())
    finally:
        reader.close()


def replay_dead_letter(
    log: Log, letter: DeadLetter, *, names: Names, memory: Memory, platform: str = "", repaired: bytes | None = None
) -> Post:
    """Append the original (or `repaired`) bytes to the posts log, as a post in the wire form, people renamed as in
    collecting: `platform` is that of `SourceItem`. Raises `BadInput` when the bytes still are none, the post was erased
    or the log never takes it; then nothing is appended. The letter stays: the log forgets nothing."""
    given = wire.decode_strict(letter.original if repaired is None else repaired, Post)
    post = names.renamed(SourceItem(raw=b"", post=given, author_handle=given.author, platform=platform))
    if mark_of(post.key) in barred(memory):
        raise BadInput("refused", f"{post.key} was erased, and is not collected again")
    log.append("posts", [Record(post.key, wire.encode(post))])
    return post


class Brake:
    """Stops one reader. The decision lies in the table `brakes` under the reader's name, until a person lifts it."""

    TABLE = "brakes"

    def __init__(self, memory: Memory, reader: str) -> None:
        self._memory = memory
        self._reader = reader
        self._outcomes: deque[bool] = deque(maxlen=BRAKE_WINDOW)
        self._in_a_row = 0

    @property
    def is_on(self) -> bool:
        return self._memory.get(self.TABLE, self._reader) is not None

    def saw(self, *, good: int, dead: int, now: datetime) -> str:
        """Count the outcome of one batch, whose order is unknown. Pulls the brake and returns why, or returns ""."""
        self._outcomes.extend([False] * min(good, BRAKE_WINDOW) + [True] * min(dead, BRAKE_WINDOW))
        self._in_a_row = 0 if good else self._in_a_row + dead
        why = self._why()
        if why:
            self._outcomes.clear()
            self._in_a_row = 0
            record = {"at": rfc3339(now), "reason": why}
            self._memory.put(self.TABLE, self._reader, msgspec.json.encode(record))
        return why

    def lift(self) -> None:
        """Let the reader go on; counting starts anew."""
        self._memory.delete(self.TABLE, self._reader)

    def _why(self) -> str:
        bad, seen = sum(self._outcomes), len(self._outcomes)
        if self._in_a_row >= BRAKE_IN_A_ROW:
            return f"{self._in_a_row} messages in a row could not be used"
        if seen >= BRAKE_AFTER and bad > BRAKE_RATIO * seen:
            return f"{bad} of the last {seen} messages could not be used"
        return ""


def _record(letter: DeadLetter) -> Record:
    return Record(letter.id, wire.encode(letter))


def _append_cut(log: Log, letter: DeadLetter) -> None:
    """Half of the original, or half of that, until the log takes it. The id stays that of the whole."""
    size, digest = len(letter.original), sha256(letter.original).hexdigest()
    kept = size
    while True:
        kept //= 2
        detail = f"{letter.detail[:CUT_DETAIL]} [cut to the first {kept:,} of {size:,} bytes, SHA-256 of all {digest}]"
        cut = msgspec.structs.replace(letter, original=letter.original[:kept], detail=detail)
        try:
            log.append("dead-letters", [_record(cut)])
            return
        except BadInput as refusal:
            if kept == 0:
                raise StoreError(f"the log takes no dead letter, not even without its original: {refusal}") from refusal


def _letter(entry: Entry) -> DeadLetter:
    try:
        return wire.decode(entry.value, DeadLetter)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StoreError(f"dead-letters/{entry.partition}/{entry.offset} is no dead letter: {error}") from error
