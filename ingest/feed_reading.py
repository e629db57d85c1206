"""RSS, Atom and JSON Feed documents to plain entries: feedparser behind our guards, and text only out of HTML.

Pure functions of bytes. They run in a child process (`ingest.feed_child`), since how long a parser takes on hostile
input cannot be known beforehand.
"""

from __future__ import annotations

import io
import re
import sys
from calendar import timegm
from datetime import UTC, datetime
from time import struct_time
from typing import Any

import feedparser
from feedparser.encodings import convert_to_utf8
from msgspec import Struct

from hustings.errors import BadInput
from hustings.strict_value import YEARS
from ingest.columns import parse_time
from ingest.feed_guard import check_xml
from ingest.foreign_json import read_object
from ingest.html_text import read_html

__all__ = ["Entry", "FeedDocument", "read_feed"]

MAX_ENTRIES = 5_000
"""Entries of one document that are read; the rest is counted."""
MAX_TEXT = 200_000
"""Characters of an entry's text or title that are kept; the rest is cut and counted."""


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a feed, as words. `id` is "" when the feed gives none."""

    id: str = ""
    title: str = ""
    text: str = ""
    url: str = ""
    author: str = ""
    lang: str = ""
    links: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    audios: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None


class FeedDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A feed as it was read. `caps_hit` counts what was cut; `ill_formed` says what a strict parser objected to."""

    title: str = ""
    entries: tuple[Entry, ...] = ()
    caps_hit: dict[str, int] = {}
    ill_formed: str = ""


def read_feed(body: bytes, content_type: str) -> FeedDocument:
    """The entries of a document, in its order. Raises `BadInput` when it is no feed, or a bomb."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{" or "json" in content_type.partition(";")[0]:
        return _read_json_feed(body)
    body = _REFERENCE.sub(_that_names_a_character, body)
    headers = {"content-type": content_type} if content_type else {}
    check_xml(convert_to_utf8(headers, body, {}))
    parsed = feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    if not parsed.get("version") and not parsed.entries:
        problem = parsed.get("bozo_exception") or "no RSS or Atom element"
        raise BadInput("undecodable", f"not a feed: {problem}"[:300])
    caps: dict[str, int] = {}
    entries = tuple(_entry(entry, caps) for entry in parsed.entries[:MAX_ENTRIES])
    _count_beyond(len(parsed.entries), caps)
    return FeedDocument(
        title=_words(parsed.feed.get("title"), parsed.feed.get("title_detail"), caps),
        entries=entries,
        caps_hit=caps,
        ill_formed=str(parsed.get("bozo_exception") or "ill-formed")[:300] if parsed.bozo else "",
    )


_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+))")
_SURROGATES = range(0xD800, 0xE000)


def _that_names_a_character(reference: re.Match[bytes]) -> bytes:
    """Halves of emoji and numbers beyond Unicode, which programs write that cut texts, become U+FFFD: feedparser would
    give the whole feed up for one of them."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    number = int(digits.lstrip(b"0")[:8] or b"0", base)
    return b"&#xFFFD" if number in _SURROGATES or number > sys.maxunicode else reference[0]


def _entry(entry: Any, caps: dict[str, int]) -> Entry:
    contents = [content for content in entry.get("content", ()) if content.get("value")]
    longest = max(contents, key=lambda content: len(content["value"]), default=None)
    detail = longest or entry.get("summary_detail") or {"value": entry.get("summary", "")}
    links, text = _links_and_text(detail, caps)
    media = [(m.get("type") or m.get("medium") or "", m.get("href") or m.get("url") or "") for m in _media(entry)]
    return Entry(
        id=entry.get("id", ""),
        title=_words(entry.get("title"), entry.get("title_detail"), caps),
        text=text,
        url=entry.get("link", ""),
        author=entry.get("author", ""),
        lang=detail.get("language") or "",
        links=links,
        images=_of_kind(media, "image"),
        videos=_of_kind(media, "video"),
        audios=_of_kind(media, "audio"),
        published_at=_time(entry.get("published_parsed") or entry.get("created_parsed")),
        updated_at=_time(entry["updated_parsed"] if "updated_parsed" in entry.keys() else None),  # noqa: SIM118 - a
        # FeedParserDict answers `in` and `get` for `updated` with `published`, but its keys are what the feed has
    )


def _media(entry: Any) -> list[Any]:
    return [*entry.get("enclosures", ()), *entry.get("media_content", ())]


def _of_kind(media: list[tuple[str, str]], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for type_, url in media if type_.startswith(kind) and url))


def _links_and_text(detail: Any, caps: dict[str, int]) -> tuple[tuple[str, ...], str]:
    value = detail.get("value") or ""
    if detail.get("type") == "text/plain":
        return (), _cut(value.strip(), caps)
    read = read_html(value)
    if read.is_cut:
        caps["text_cut"] = caps.get("text_cut", 0) + 1
    return tuple(dict.fromkeys(link.href for link in read.links)), _cut(read.text, caps)


def _words(value: str | None, detail: Any, caps: dict[str, int]) -> str:
    return _links_and_text(detail or {"value": value or ""}, caps)[1]


def _cut(text: str, caps: dict[str, int]) -> str:
    if len(text) > MAX_TEXT:
        caps["text_cut"] = caps.get("text_cut", 0) + 1
    return text[:MAX_TEXT]


def _count_beyond(count: int, caps: dict[str, int]) -> None:
    if count > MAX_ENTRIES:
        caps["entries"] = count - MAX_ENTRIES


def _time(parsed: struct_time | None) -> datetime | None:
    try:
        when = None if parsed is None else datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return when if when is not None and when.year in YEARS else None


# ── JSON Feed (jsonfeed.org, versions 1 and 1.1) ─────────────────────────────────────────────────────────────────


def _read_json_feed(body: bytes) -> FeedDocument:
    readable = body.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").encode()
    document = read_object(_ESCAPED_HALF.sub(_that_is_whole, readable))
    if not str(document.get("version", "")).startswith("https://jsonfeed.org/version/"):
        raise BadInput("undecodable", f"not a JSON Feed: version {document.get('version')!r}"[:300])
    items = document.get("items")
    if not isinstance(items, list):
        raise BadInput("wrong_type", "not a JSON Feed: `items` is no list")
    caps: dict[str, int] = {}
    lang = _string(document, "language")
    entries = tuple(_json_entry(item, lang, caps) for item in items[:MAX_ENTRIES] if isinstance(item, dict))
    _count_beyond(len(items), caps)
    return FeedDocument(title=_string(document, "title"), entries=entries, caps_hit=caps)


_ESCAPED_HALF = re.compile(
    rb"(?:\\\\)+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Backslashes that stand for themselves, a whole pair, or (the group) half of one."""


def _that_is_whole(escape: re.Match[bytes]) -> bytes:
    """Halves of emoji become U+FFFD, as in XML: the parser would give the whole feed up for one of them."""
    return rb"\ufffd" if escape[1] else escape[0]


def _json_entry(item: dict[str, Any], lang: str, caps: dict[str, int]) -> Entry:
    html, plain = _string(item, "content_html"), _string(item, "content_text")
    links, text = _links_and_text({"value": html}, caps) if html else ((), _cut(plain.strip(), caps))
    attached = _objects(item.get("attachments"))
    media = [(_string(a, "mime_type"), _string(a, "url")) for a in attached]
    images = [_string(item, "image"), *_of_kind(media, "image")]
    authors = [*_objects(item.get("authors")), *_objects([item.get("author")])]
    return Entry(
        id=_string(item, "id"),
        title=_string(item, "title"),
        text=text or _string(item, "summary"),
        url=_string(item, "url") or _string(item, "external_url"),
        author=next((name for a in authors if (name := _string(a, "name") or _string(a, "url"))), ""),
        lang=_string(item, "language") or lang,
        links=links,
        images=tuple(image for image in images if image),
        videos=_of_kind(media, "video"),
        audios=_of_kind(media, "audio"),
        published_at=parse_time(_string(item, "date_published")),
        updated_at=parse_time(_string(item, "date_modified")),
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def _string(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
