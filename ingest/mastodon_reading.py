"""One reading of a Mastodon timeline: what it has found so far, and what it may still spend."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from msgspec import Struct

from hustings.clock import from_ms, to_ms
from hustings.contracts import Collected, HttpAnswer, SourceItem
from hustings.errors import BadInput, Unavailable
from hustings.types import DeadLetter, Stream
from ingest.dead_letters import dead_letter
from ingest.foreign_json import read_list, read_object
from ingest.http_answers import kept_headers, raise_for_status, retry_after_s
from ingest.mastodon_status import deletion, item_of_status, read_status

__all__ = ["Cursor", "Place", "Reading"]

PAGE = 40
"""Statuses a page: the most that the API gives."""
TIME_BOUND_S = 20.0
"""No request begins later than this after the first."""
REREAD_PAGES = 25
ASKED_BY_ID = 20
"""Missing statuses that are asked for by id in one re-reading; the others wait for the next."""
REMEMBERED = 4_000
"""Statuses of the window that are remembered; beyond it the oldest are no longer watched for edits and deletion."""
UNUSABLE_REMEMBERED = 100
GONE = (404, 410)
REFUSED = (401, 403)
"""Instances that show timelines to everybody, but single statuses to members only, answer so."""

Get = Callable[[str, dict[str, str]], HttpAnswer]


class Seen(Struct, frozen=True, array_like=True):
    """A status of the window: its revision and, in milliseconds, when it was published."""

    revision: int
    published_ms: int


class Cursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which timeline it is of (a hash), the newest id handed over, the account's id, the statuses of the window, hashes
    of unusable ones, and when the window was last read again. Names of accounts are not in it."""

    timeline: str = ""
    last_id: str = ""
    account_id: str = ""
    seen: dict[str, Seen] = {}
    unusable: tuple[str, ...] = ()
    reread_at: datetime | None = None


class Place(NamedTuple):
    """Where the statuses come from."""

    host: str
    source: str
    stream: Stream


class _Page(NamedTuple):
    """The statuses of an answer, newest first, as the bytes they had."""

    statuses: list[bytes]
    headers: dict[str, str]
    older: str
    """`max_id` of the next page, from the Link header; "" when there is none."""


class Reading:
    """Reads forward, then now and then back. Used once."""

    def __init__(self, collector: str, place: Place, get: Get, before: Cursor, *, now: datetime, limit: int) -> None:
        self._collector = collector
        self._place = place
        self._get = get
        self._before = before
        self._now = now
        self._limit = limit
        self._deadline = time.monotonic() + TIME_BOUND_S
        self._last_id = before.last_id
        self._seen = dict(before.seen)
        self._unusable = list(before.unusable)
        self._items: list[SourceItem] = []
        self._dead: list[DeadLetter] = []
        self._caps: dict[str, int] = {}
        self._pause_s: float | None = None

    def run(
        self, path: str, parameters: dict[str, str], *, poll: timedelta, window: timedelta, reread: timedelta
    ) -> Collected:
        """Everything new, and when due what changed in the window. A break-off keeps what came before it; before
        anything came it raises `Unavailable`."""
        is_complete = False
        reread_at = self._before.reread_at or self._now
        try:
            is_complete = self._read_forward(path, parameters)
            if window and is_complete and self._now >= reread_at + reread and self._may_ask:
                reread_at = self._now  # also when it breaks off: what is new comes first, the window at its next turn
                self._read_again(path, parameters, since=self._now - window)
        except Unavailable as error:
            if not is_complete and not self._items and not self._dead:
                raise
            self._count("broke_off")
            self._pause_s = error.retry_after_s or poll.total_seconds()
        after = Cursor(
            timeline=self._before.timeline,
            last_id=self._last_id,
            account_id=self._before.account_id,
            seen=self._remembered(since=self._now - window) if window else {},
            unusable=tuple(self._unusable[-UNUSABLE_REMEMBERED:]),
            reread_at=reread_at,
        )
        pause = poll if is_complete else timedelta(0)
        return Collected(
            items=tuple(self._items),
            dead=tuple(self._dead),
            cursor=msgspec.json.encode(after),
            again_after=pause if self._pause_s is None else max(pause, timedelta(seconds=self._pause_s)),
            caps_hit=self._caps,
        )

    # ── forward ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_forward(self, path: str, parameters: dict[str, str]) -> bool:
        """Pages after the last id, oldest first; the newest page when there was none. True when nothing is left."""
        if not self._last_id:
            self._take_page(self._page(path, parameters))
            return True
        while self._may_ask and len(self._items) < self._limit:
            newest_before = self._last_id
            self._take_page(self._page(path, {**parameters, "min_id": self._last_id}))
            if self._last_id == newest_before:
                return True
        return False

    def _take_page(self, page: _Page) -> None:
        for raw in reversed(page.statuses):
            native_id = self._take(raw, page.headers)
            if _order(native_id) > _order(self._last_id):
                self._last_id = native_id

    # ── back ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_again(self, path: str, parameters: dict[str, str], *, since: datetime) -> None:
        """The newest pages down to `since`: late statuses, edits, and what is missing."""
        present: set[str] = set()
        covered_since = self._now
        older = ""
        for _ in range(REREAD_PAGES):
            if not self._may_ask:
                break
            page = self._page(path, {**parameters, "max_id": older} if older else parameters)
            ids = [self._take(raw, page.headers) for raw in page.statuses]
            present.update(ids)
            published = [from_ms(self._seen[i].published_ms) for i in ids if i in self._seen]
            covered_since = min([covered_since, *published])
            older = page.older or min(ids, key=_order, default="")
            if not page.statuses or covered_since <= since:
                covered_since = since
                break
        missing = [
            native_id
            for native_id, seen in self._seen.items()
            if native_id not in present and from_ms(seen.published_ms) >= covered_since
        ]
        for native_id in missing[:ASKED_BY_ID]:
            if self._may_ask:
                self._ask_by_id(native_id)

    def _ask_by_id(self, native_id: str) -> None:
        """A status that left the timeline: gone, changed, not shown to us, or only no longer part of it. It is not
        watched further."""
        answer = self._asked(f"/api/v1/statuses/{quote(native_id, safe='')}", {}, expected=(*GONE, *REFUSED))
        seen = self._seen[native_id]
        if answer.status in REFUSED:
            self._count("not_shown")
        elif answer.status in GONE:
            self._items.append(
                deletion(
                    native_id,
                    published_at=from_ms(seen.published_ms),
                    raw=answer.body,
                    source=self._place.source,
                    stream=self._place.stream,
                    now=self._now,
                )
            )
        else:
            self._take(answer.body, kept_headers(answer.headers))
        self._seen.pop(native_id)

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _may_ask(self) -> bool:
        return self._pause_s is None and time.monotonic() < self._deadline

    def _asked(self, path: str, parameters: dict[str, str], *, expected: tuple[int, ...] = ()) -> HttpAnswer:
        answer = self._get(path, parameters)
        if answer.status not in expected:
            raise_for_status(answer, now=self._now)
        self._pause_s = retry_after_s(answer, now=self._now)
        return answer

    def _page(self, path: str, parameters: dict[str, str]) -> _Page:
        answer = self._asked(path, {**parameters, "limit": str(PAGE)})
        return _Page(read_list(answer.body), kept_headers(answer.headers), _older(answer.headers.get("link", "")))

    def _take(self, raw: bytes, headers: dict[str, str]) -> str:
        """Make an item of a status that is new or edited; returns its id, "" when it has none."""
        try:
            status = read_status(raw)
        except BadInput as error:
            return self._refuse(raw, error)
        if status.visibility not in ("public", "unlisted"):
            self._count("not_public")
            return status.id
        if status.reblog is not None:
            self._count("reblogs")
            return status.id
        known = self._seen.get(status.id)
        if known is None or status.revision > known.revision:
            place = self._place
            self._items.append(
                item_of_status(
                    status,
                    raw=raw,
                    host=place.host,
                    source=place.source,
                    stream=place.stream,
                    now=self._now,
                    headers=headers,
                )
            )
            self._seen[status.id] = Seen(status.revision, to_ms(status.created_at))
        return status.id

    def _refuse(self, raw: bytes, error: BadInput) -> str:
        """A dead letter, once for the same bytes."""
        digest = blake2b(raw, digest_size=8).hexdigest()
        if digest not in self._unusable:
            self._unusable.append(digest)
            self._dead.append(
                dead_letter(
                    self._collector, error.reason, error.detail, origin=self._place.host, original=raw, at=self._now
                )
            )
        try:
            native_id = read_object(raw).get("id")
        except BadInput:
            return ""
        return native_id if isinstance(native_id, str) else ""

    def _remembered(self, *, since: datetime) -> dict[str, Seen]:
        oldest = to_ms(since)
        young = [(native_id, seen) for native_id, seen in self._seen.items() if seen.published_ms >= oldest]
        young.sort(key=lambda pair: pair[1].published_ms)
        if len(young) > REMEMBERED:
            self._count("window_cut", len(young) - REMEMBERED)
        return dict(young[-REMEMBERED:])

    def _count(self, cap: str, times: int = 1) -> None:
        self._caps[cap] = self._caps.get(cap, 0) + times


def _order(native_id: str) -> tuple[int, str]:
    """Ids are numbers that only grow, or strings of one length that sort by time."""
    return len(native_id), native_id


def _older(link: str) -> str:
    for address, relation in re.findall(r"<([^>]*)>\s*;\s*rel=\"?(\w+)", link):
        if relation == "next":
            return next(iter(parse_qs(urlsplit(address).query).get("max_id", [])), "")
    return ""
