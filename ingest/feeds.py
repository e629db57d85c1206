"""RSS, Atom and JSON Feed: one feed, polled politely.

Requests are conditional (ETag, Last-Modified). What was seen is remembered entry by entry, so that late entries are
found wherever they stand, an edit becomes a revision, and nothing is handed over twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, field_validator

from hustings.clock import to_ms
from hustings.contracts import Collected, HttpAnswer, SourceContext, SourceItem
from hustings.types import Media, Medium, Post, Stream, hash_id
from ingest.declared_language import DeclaredLanguage
from ingest.feed_child import PARSE_S, FeedChild
from ingest.feed_reading import Entry, FeedDocument
from ingest.http_answers import kept_headers, raise_for_status

__all__ = ["FeedsSource"]

REQUEST_S = 18.0
"""With `PARSE_S` for reading the feed, `collect` stays within its 30 s."""
COLLECT_S = 29.0
"""What the request and the reading leave of it, the process that reads may take to start."""
REMEMBERED = 5_000
"""Entries that are remembered: all of the present document, then the latest seen before."""


class FeedsSettings(BaseModel):
    """`kind = "feeds"`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="address of the feed")
    source: str = Field(
        default="", max_length=64, pattern=r"^[^:\s]*$", description="name space of the entry ids; the host by default"
    )
    outlet: str = Field(default="", max_length=512, description="outlet; the feed's own title by default")
    lang: DeclaredLanguage = Field(default="", description="language, where the feed does not say")
    medium: Medium = Field(default="article", description="what kind of publication it is")
    stream: Stream = Field(default="account", description="how the feed was chosen: listed outlets are `account`")
    poll_s: float = Field(default=300.0, ge=1, le=86_400, description="seconds between two polls")
    max_bytes: int = Field(default=20_000_000, ge=1_000, le=100_000_000, description="largest feed, decompressed")

    @field_validator("url")
    @classmethod
    def _has_a_host(cls, url: str) -> str:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError("is not an http or https address")
        return url


class Cursor(Struct, frozen=True, kw_only=True):
    """The validators of the last complete answer, the address (a hash) that gave them, and what was seen: entry →
    [digest, revision]."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    seen: dict[str, tuple[str, int]] = {}


class FeedsSource:
    """The entries of one feed as posts."""

    Settings = FeedsSettings

    def __init__(
        self, name: str, settings: FeedsSettings, context: SourceContext, *, reader: FeedChild | None = None
    ) -> None:
        self.name = name
        self._settings = settings
        self._egress = context.egress
        self._clock = context.clock
        self._source = settings.source or (urlsplit(settings.url).hostname or "").replace(":", ".")
        self._reader = reader

    def open(self) -> None:
        """Nothing to connect: each poll is its own."""

    def close(self) -> None:
        """Nothing is held between polls."""

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        until_s = self._clock.monotonic() + COLLECT_S
        url = hash_id(self._settings.url)
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        if before.url != url:  # what another address said of its content says nothing of this one's
            before = Cursor(seen=before.seen)
        answer = self._asked(before)
        pause = timedelta(seconds=self._settings.poll_s)
        if answer.status == 304:
            return Collected(cursor=cursor, again_after=pause)
        raise_for_status(answer, now=now)
        document = self._read(answer, until_s=until_s)
        items, seen, is_complete = self._news(document, before, answer, now=now, limit=limit)
        after = Cursor(
            url=url,
            etag=answer.headers.get("etag", "")[:1_000] if is_complete else "",
            modified=answer.headers.get("last-modified", "")[:200] if is_complete else "",
            seen=seen,
        )
        caps = dict(document.caps_hit)
        if document.ill_formed:
            caps["ill_formed"] = 1
        return Collected(
            items=tuple(items),
            cursor=msgspec.json.encode(after),
            again_after=pause if is_complete else timedelta(0),
            caps_hit=caps,
        )

    def _asked(self, before: Cursor) -> HttpAnswer:
        headers = {
            "accept": "application/atom+xml, application/rss+xml, application/feed+json, application/xml, */*;q=0.5"
        }
        if before.etag:
            headers["if-none-match"] = before.etag
        if before.modified:
            headers["if-modified-since"] = before.modified
        return self._egress.request(
            "GET",
            self._settings.url,
            headers=headers,
            timeout_s=REQUEST_S,
            max_bytes=self._settings.max_bytes,
            redirects=3,
        )

    def _read(self, answer: HttpAnswer, *, until_s: float) -> FeedDocument:
        content_type = answer.headers.get("content-type", "")
        if self._reader is not None:
            return self._reader.read(answer.body, content_type)
        with FeedChild(start_s=until_s - self._clock.monotonic() - PARSE_S) as reader:
            return reader.read(answer.body, content_type)

    def _news(
        self, document: FeedDocument, before: Cursor, answer: HttpAnswer, *, now: datetime, limit: int
    ) -> tuple[list[SourceItem], dict[str, tuple[str, int]], bool]:
        """New and changed entries, what is seen then, and whether that is all of them."""
        headers = kept_headers(answer.headers)
        items: list[SourceItem] = []
        present: dict[str, tuple[str, int]] = {}
        is_complete = True
        for native_id, digest, entry in _told_apart(document.entries):
            place = hash_id(native_id)
            known = present.get(place) or before.seen.get(place)
            if known is not None and known[0] == digest:
                present[place] = known
                continue
            if len(items) >= limit:
                is_complete = False
                if known is not None:
                    present[place] = known
                continue
            revision = _revision(entry, known, now)
            present[place] = (digest, revision)
            items.append(
                SourceItem(
                    raw=answer.body,
                    post=self._post(entry, document, native_id, revision, now),
                    author_handle=entry.author[:512],
                    headers=headers,
                )
            )
        former = [(place, seen) for place, seen in before.seen.items() if place not in present]
        return items, {**present, **dict(former[: max(0, REMEMBERED - len(present))])}, is_complete

    def _post(self, entry: Entry, document: FeedDocument, native_id: str, revision: int, now: datetime) -> Post:
        settings = self._settings
        media = [
            Media(kind=kind, url=url)  # type: ignore[arg-type] # the three kinds are literals of Media.kind
            for kind, urls in (("image", entry.images), ("video", entry.videos), ("audio", entry.audios))
            for url in urls
            if len(url) <= 512
        ]
        return Post(
            source=self._source,
            native_id=native_id,
            text=entry.text,
            title=entry.title,
            published_at=entry.published_at or entry.updated_at or now,
            collected_at=now,
            revision=revision,
            medium=settings.medium,
            stream=settings.stream,
            outlet=settings.outlet or document.title[:512],
            url=entry.url if len(entry.url) <= 4096 else "",
            lang=(entry.lang or settings.lang)[:64],
            links=tuple(link for link in entry.links if len(link) <= 4096),
            media=tuple(media),
        )


def _told_apart(entries: Sequence[Entry]) -> list[tuple[str, str, Entry]]:
    """(native id, digest, entry), oldest (last in the feed) first. Entries that share an id though they differ get ids
    of their own, so that none takes the other's place; exact repetitions stand once."""
    found = {(_native_id(entry), _digest(entry)): entry for entry in reversed(entries)}
    times = Counter(native_id for native_id, _ in found)
    return [
        (native_id if times[native_id] == 1 else hash_id(native_id, digest), digest, entry)
        for (native_id, digest), entry in found.items()
    ]


def _native_id(entry: Entry) -> str:
    """The entry's own id, else its address, else a hash of its words: stable as long as the feed is."""
    named = entry.id or entry.url
    if named and len(named) <= 512:
        return named
    return hash_id(named) if named else hash_id(entry.title, entry.text)


def _digest(entry: Entry) -> str:
    words = "\0".join((entry.title, entry.text, entry.url, str(entry.updated_at)))
    return blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _revision(entry: Entry, known: tuple[str, int] | None, now: datetime) -> int:
    """The feed's edit time; for a change that the feed dates no later than the last one, the time it was noticed."""
    edited = entry.updated_at if entry.updated_at and entry.updated_at != entry.published_at else None
    revision = 0 if edited is None or entry.published_at is None else max(0, to_ms(edited))
    return revision if known is None or revision > known[1] else max(to_ms(now), known[1] + 1)
