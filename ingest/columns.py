"""From a row of somebody else's table to a post: which column holds what, and presets for known exports.

A row is a flat table of column → text or JSON value; `a.b` names `b` inside the object `a`. Several columns may be
given for one field: the first that holds something counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hustings.clock import from_ms, to_ms
from hustings.contracts import SourceItem
from hustings.errors import BadInput
from hustings.strict_value import YEARS
from hustings.types import Media, Medium, Post, Stream
from ingest.declared_language import DeclaredLanguage

__all__ = ["PRESETS", "Columns", "item_of_row", "parse_time"]

Names = tuple[str, ...]
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#0*39|#x0*27);", re.IGNORECASE)
"""Marks that exports write as HTML does. Nobody types them; models take their letters (`gt`, `amp`) for words."""


class Columns(BaseModel):
    """Which columns hold what. Only `native_id`, `text` and `published_at` are needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    native_id: Names = Field(default=(), description="the id at the source; a repeated one is the same post again")
    text: Names = Field(default=(), description="what was said")
    published_at: Names = Field(default=(), description="when: ISO 8601, or seconds or milliseconds since 1970")
    collected_at: Names = Field(default=(), description="when it was collected, for replays by collection time")
    edited_at: Names = Field(default=(), description="when it was last edited; makes the revision")
    title: Names = Field(default=(), description="headline or subject")
    author: Names = Field(default=(), description="stable id of the account; becomes a roster id or a pseudonym")
    handles: Names = Field(default=(), description="other columns that name the author (these are never kept)")
    mentions: Names = Field(default=(), description="accounts that are mentioned: a list, or split at commas")
    hashtags: Names = Field(default=(), description="hashtags: a list, or split at commas")
    links: Names = Field(default=(), description="addresses in the post: a list, or split at commas")
    images: Names = Field(default=(), description="addresses of pictures: a list, or split at commas")
    videos: Names = Field(default=(), description="addresses of videos: a list, or split at commas")
    url: Names = Field(default=(), description="address of the post")
    reply_to: Names = Field(default=(), description="native id of the post that this one answers")
    lang: Names = Field(default=(), description="declared language")
    outlet: Names = Field(default=(), description="outlet, channel or page")
    reach: Names = Field(default=(), description="how many people saw it, or could")
    source: Names = Field(default=(), description="platform, where one table mixes several")


FOURCAT = Columns(
    native_id=("id",),
    text=("body",),
    title=("subject",),
    published_at=("unix_timestamp", "timestamp"),
    author=("author_id", "author"),
    handles=("author", "author_fullname", "author_name"),
    mentions=("mentions",),
    hashtags=("hashtags",),
    links=("urls",),
    images=("images", "image_url"),
    videos=("videos", "video_url"),
    url=("link", "url", "post_url"),
    lang=("language_guess", "lang"),
    outlet=("chat", "board", "subreddit"),
    reach=("impression_count", "views", "plays"),
)
"""The columns that 4CAT's data sources share (`id`, `thread_id`, `timestamp`, `body`, `author`), and those of its
X/Twitter and Telegram ones. `thread_id` names the first post of a thread, not the one answered, so it is left."""

JUNKIPEDIA = Columns(
    native_id=("attributes.post_uid", "post_uid", "id"),
    text=(
        "attributes.search_data_fields.description",
        "search_data_fields.description",
        "description",
        "attributes.search_data_fields.sanitized_text",
        "search_data_fields.sanitized_text",
    ),
    title=("attributes.search_data_fields.post_title", "search_data_fields.post_title", "post_title"),
    published_at=("attributes.published_at", "published_at"),
    author=(
        "attributes.search_data_fields.channel_data.channel_name",
        "attributes.search_data_fields.channel_name",
        "search_data_fields.channel_data.channel_name",
        "search_data_fields.channel_name",
        "channel_name",
    ),
    url=("attributes.url", "url"),
    reach=("attributes.views_count", "views_count"),
    source=("attributes.search_data_fields.platform_name", "search_data_fields.platform_name", "platform_name"),
)
"""Junkipedia's posts as its API gives them (one JSON object a line) and as tables flattened from that."""

PRESETS: dict[str, Columns] = {"4cat": FOURCAT, "junkipedia": JUNKIPEDIA}


class Fixed(BaseModel):
    """What all rows of a file have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1, max_length=64, pattern=r"^[^:\s]+$", description="platform: name space of ids")
    medium: Medium = Field(default="post", description="what kind of publication the rows are")
    stream: Stream = Field(default="keyword", description="how the rows were chosen")
    outlet: str = Field(default="", max_length=512, description="outlet, where no column says so")
    lang: DeclaredLanguage = Field(default="", description="language, where no column says so")


def item_of_row(row: Mapping[str, Any], columns: Columns, fixed: Fixed, *, raw: bytes, now: datetime) -> SourceItem:
    """The post of a row. Raises `BadInput` that names the column."""
    published_at = _time(row, columns.published_at, "published_at")
    edited_at = _time(row, columns.edited_at, "edited_at")
    if published_at is None:
        raise BadInput("missing_key", _absent("published_at", columns.published_at))
    native_id = _text(row, columns.native_id)
    if not native_id:
        raise BadInput("missing_key", _absent("native_id", columns.native_id))
    if _ROUNDED.fullmatch(native_id):
        raise BadInput(
            "out_of_range",
            f"native_id {native_id!r} was rounded by a spreadsheet: many posts would share it; export anew",
        )
    text, title = (_as_typed(_text(row, names)) for names in (columns.text, columns.title))
    if not text and not title:
        raise BadInput("missing_key", _absent("text", columns.text))
    media = [Media(kind="image", url=url) for url in _list(row, columns.images) if len(url) <= 512]
    media += [Media(kind="video", url=url) for url in _list(row, columns.videos) if len(url) <= 512]
    return SourceItem(
        raw=raw,
        author_handle=_text(row, columns.author),
        handles=tuple(handle for name in columns.handles if (handle := _text(row, (name,)))),
        post=Post(
            source=_platform(_text(row, columns.source)) or fixed.source,
            native_id=native_id,
            text=text,
            title=title,
            published_at=published_at,
            collected_at=_time(row, columns.collected_at, "collected_at") or now,
            revision=0 if edited_at is None else max(0, to_ms(edited_at)),
            medium=fixed.medium,
            stream=fixed.stream,
            outlet=_text(row, columns.outlet) or fixed.outlet,
            url=_text(row, columns.url),
            reply_to=_text(row, columns.reply_to),
            lang=_text(row, columns.lang) or fixed.lang,
            mentions=_list(row, columns.mentions),
            hashtags=tuple(tag.removeprefix("#") for tag in _list(row, columns.hashtags)),
            links=_list(row, columns.links),
            media=tuple(media),
            reach=_number(row, columns.reach),
        ),
    )


def _as_typed(text: str) -> str:
    return _ESCAPED.sub(lambda one: unescape(one[0]), text)


def parse_time(text: str) -> datetime | None:
    """A time as exports write it: ISO 8601 (UTC when it names no zone), or a number of seconds or milliseconds since
    1970. None when it is no time, or one of a year that no post is from."""
    text = text.strip()
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            number = float(text)
            when = from_ms(round(number if number >= _FIRST_MILLISECONDS else number * 1000))
        else:
            when = datetime.fromisoformat(text)
            when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if when.year in YEARS else None


_ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d\d+")
"""What spreadsheets and floating-point numbers make of ids of many digits: `1.23457E+18`, in much of Europe with a
comma."""

_FIRST_MILLISECONDS = 100_000_000_000
"""As seconds this is the year 5138, as milliseconds 1973: a larger number means milliseconds."""


def _value(row: Mapping[str, Any], names: Names) -> Any:
    """The first column of `names` that holds something."""
    for name in names:
        value: Any = row.get(name)
        if value is None and "." in name:
            value = row
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and value != "" and value != []:
            return value
    return None


def _text(row: Mapping[str, Any], names: Names) -> str:
    value = _value(row, names)
    if value is None:
        return ""
    if isinstance(value, bool | Mapping | list):
        raise BadInput("wrong_type", f"column {names[0]!r} should hold text, found {type(value).__name__}")
    return str(value)


def _list(row: Mapping[str, Any], names: Names) -> tuple[str, ...]:
    value = _value(row, names)
    if value is None:
        return ()
    parts = value if isinstance(value, list) else re.split(r"[,\n]", str(value))
    return tuple(dict.fromkeys(text for part in parts if (text := str(part).strip())))


def _number(row: Mapping[str, Any], names: Names) -> int:
    """A count; what is no number counts as unknown, which is 0."""
    value = _value(row, names)
    try:
        return max(0, int(float(str(value).replace(",", "")))) if value is not None else 0
    except (ValueError, OverflowError):
        return 0


def _time(row: Mapping[str, Any], names: Names, field: str) -> datetime | None:
    text = _text(row, names)
    if not text:
        return None
    when = parse_time(text)
    if when is None:
        raise BadInput("out_of_range", f"{field} (column {names[0]!r}) is no time: {text[:100]!r}")
    return when


def _platform(text: str) -> str:
    """A platform as a name space: lower case, no white space, no colon."""
    return re.sub(r"[:\s]+", "-", text.strip().lower())[:64]


def _absent(field: str, names: Names) -> str:
    return f"{field}: none of the columns {', '.join(map(repr, names)) or '(none is mapped)'} holds something"
