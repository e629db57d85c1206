"""Dead letters: what could not be processed, why, and the command that replays it. The desk replays nothing itself."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct
from starlette.responses import Response

from desk import audit
from desk.database.connect import writing
from desk.web.visit import NotFound, Visit
from hustings.contracts import Entry
from hustings.errors import StoreError
from hustings.types import DeadLetter
from hustings.wire import decode

__all__ = ["show_list", "show_one"]

SHOWN = 50
"""The newest ones of each partition; `hustings dead-letters list` has them all."""
MOST_BYTES = 20_000
"""Of the original on the page; the whole is in the log."""


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter and where in the log it lies."""

    partition: int
    offset: int
    value: DeadLetter


def show_list(visit: Visit) -> Response:
    """Reasons and places. The original bytes may hold a raw handle, so they stay away from here."""
    ends, starts = visit.services.log.ends("dead-letters"), visit.services.log.starts("dead-letters")
    letters: list[Letter] = []
    for partition, end in ends.items():
        first = max(starts.get(partition, 0), end - SHOWN)
        letters += _read(visit, partition, first, limit=end - first)
    letters.sort(key=lambda letter: letter.value.at, reverse=True)
    return visit.answer(
        "dead_letters.html",
        letters=letters[:SHOWN],
        total=sum(ends.values()),
        brakes=sorted(visit.services.memory.entries("brakes")),
    )


def show_one(visit: Visit) -> Response:
    """One letter with its original bytes, escaped. The look is recorded: the bytes are not redacted."""
    partition, offset = int(visit.path("partition")), int(visit.path("offset"))
    ends, starts = visit.services.log.ends("dead-letters"), visit.services.log.starts("dead-letters")
    if not starts.get(partition, 0) <= offset < ends.get(partition, 0):
        raise NotFound("there is no dead letter at this place of the log")
    letter = _read(visit, partition, offset, limit=1)[0]
    with writing(visit.services.engine) as connection:
        audit.append(
            connection,
            at=visit.services.clock.now(),
            actor=visit.person.pseudonym,
            action="dead-letter-read",
            subject=letter.value.id,
        )
    original = letter.value.original
    return visit.answer(
        "dead_letter.html",
        letter=letter,
        original=original[:MOST_BYTES].decode("utf-8", "backslashreplace"),
        size=len(original),
        is_cut=len(original) > MOST_BYTES,
    )


def _read(visit: Visit, partition: int, first: int, *, limit: int) -> list[Letter]:
    """At most `limit` letters from `first` on, by a reader of the pages' own. A reader seeks back only, never beyond
    what it has committed, so it commits where the page begins; if another page went further meanwhile, all the better.
    """
    entries: list[Entry] = []
    reader = visit.services.log.reader("dead-letters", "desk-pages", partitions=[partition])
    try:
        if first > reader.committed()[partition]:
            with suppress(StoreError):
                reader.commit({partition: first})
        reader.seek({partition: first})
        while len(entries) < limit and (more := reader.poll(limit=limit - len(entries), timeout_s=0.0)):
            entries += more
    finally:
        reader.close()
    return [
        Letter(partition=entry.partition, offset=entry.offset, value=decode(entry.value, DeadLetter))
        for entry in entries
    ]
