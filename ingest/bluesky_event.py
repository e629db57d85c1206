"""A Jetstream event as a post. The wire format is that of github.com/bluesky-social/jetstream (version 1), the record
that of the lexicon app.bsky.feed.post."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from hustings.clock import from_ms
from hustings.contracts import SourceItem
from hustings.errors import BadInput
from hustings.types import Media, Post, Stream
from ingest.columns import parse_time
from ingest.foreign_json import read_as

__all__ = ["COLLECTION", "Event", "item_of_event", "native_id", "read_event"]

COLLECTION = "app.bsky.feed.post"
SOURCE = "bluesky"
LAST_US = 7_258_118_399_999_999
"""The end of the last year that posts are from (`strict_value.YEARS`)."""


class Reference(Struct, frozen=True, kw_only=True):
    uri: str


class Reply(Struct, frozen=True, kw_only=True):
    parent: Reference


class Feature(Struct, frozen=True, kw_only=True):
    kind: str = field(name="$type", default="")
    did: str = ""
    tag: str = ""
    uri: str = ""


class Facet(Struct, frozen=True, kw_only=True):
    features: tuple[Feature, ...] = ()


class Record(Struct, frozen=True, kw_only=True):
    text: str = ""
    created_at: str = field(name="createdAt", default="")
    langs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    facets: tuple[Facet, ...] = ()
    reply: Reply | None = None
    embed: dict[str, Any] | None = None


class Commit(Struct, frozen=True, kw_only=True):
    operation: Literal["create", "update", "delete"]
    collection: str
    rkey: Annotated[str, Meta(min_length=1, max_length=512)]
    record: Record | None = None


class Event(Struct, frozen=True, kw_only=True):
    """The keys that we read. `kind` is commit, identity or account; only commits say something."""

    did: str
    time_us: Annotated[int, Meta(ge=0, le=LAST_US)]
    kind: str
    commit: Commit | None = None


def read_event(raw: bytes) -> Event:
    """Raises `BadInput`."""
    try:
        return read_as(raw, Event)
    except BadInput as error:
        raise BadInput(error.reason, f"not a Jetstream event: {error.detail}") from error


def native_id(event: Event) -> str:
    """`<did>/<rkey>`; the polling loop puts a pseudonym in place of the did."""
    return f"{event.did}/{event.commit.rkey if event.commit else ''}"


def item_of_event(event: Event, commit: Commit, *, raw: bytes, stream: Stream, now: datetime) -> SourceItem:
    """The post of a commit; a deletion without a record is the revision that erases it."""
    record = commit.record or Record()
    seen_at = from_ms(event.time_us // 1000)
    parent = _parts_of(record.reply.parent.uri) if record.reply else None
    features = [feature for facet in record.facets for feature in facet.features]
    is_deleted = commit.operation == "delete"
    return SourceItem(
        raw=raw,
        author_handle=event.did,
        handles=(event.did, parent[0]) if parent else (event.did,),
        post=Post(
            source=SOURCE,
            native_id=native_id(event),
            text=record.text,
            published_at=_clamped(parse_time(record.created_at), seen_at),
            collected_at=now,
            revision=0 if commit.operation == "create" else event.time_us // 1000,
            deleted=is_deleted,
            stream=stream,
            url="" if is_deleted else f"https://bsky.app/profile/{event.did}/post/{commit.rkey}",
            reply_to="/".join(parent) if parent else "",
            lang=record.langs[0][:64] if record.langs else "",
            mentions=_unique(feature.did for feature in features),
            hashtags=_unique([*(feature.tag for feature in features), *record.tags]),
            links=_unique([*(feature.uri for feature in features), _external(record.embed)]),
            media=_media(record.embed),
        ),
    )


def _parts_of(uri: str) -> tuple[str, str] | None:
    """(did, rkey) of `at://did/collection/rkey`."""
    parts = uri.removeprefix("at://").split("/")
    return (parts[0], parts[2]) if len(parts) == 3 and len(uri) <= 512 else None


def _clamped(created_at: datetime | None, seen_at: datetime) -> datetime:
    """The time that the author's program claims, unless it lies after the network saw the post."""
    return seen_at if created_at is None or created_at > seen_at + timedelta(minutes=2) else created_at


def _unique(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value and len(value) <= 512))


def _external(embed: dict[str, Any] | None) -> str:
    external = (embed or {}).get("external")
    uri = external.get("uri") if isinstance(external, dict) else ""
    return uri if isinstance(uri, str) else ""


def _media(embed: dict[str, Any] | None) -> tuple[Media, ...]:
    """Pictures and video of a post or of its quotation; their bytes are blobs without an address of their own."""
    embed = embed or {}
    inner = embed.get("media")
    if isinstance(inner, dict):
        embed = inner
    images = embed.get("images")
    found = [
        Media(kind="image", alt=image["alt"] if isinstance(image.get("alt"), str) else "")
        for image in (images if isinstance(images, list) else ())
        if isinstance(image, dict)
    ]
    if "video" in embed:
        alt = embed.get("alt")
        found.append(Media(kind="video", alt=alt if isinstance(alt, str) else ""))
    return tuple(found)
