"""A Mastodon status as a post. The wire format is that of the REST API (docs.joinmastodon.org/entities/Status)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hustings.clock import to_ms
from hustings.contracts import SourceItem
from hustings.errors import BadInput
from hustings.strict_value import YEARS
from hustings.types import Media, Post, Stream
from ingest.foreign_json import read_as
from ingest.html_text import read_html

__all__ = ["PLATFORM", "Status", "deletion", "item_of_status", "read_status"]

PLATFORM = "mastodon"
"""Accounts are `user@host` on all instances, so they share one name space; native ids do not."""

Aware = Annotated[datetime, Meta(tz=True)]


class Account(Struct, frozen=True, kw_only=True):
    acct: str
    username: str = ""
    followers_count: int = 0


class Mention(Struct, frozen=True, kw_only=True):
    acct: str
    username: str = ""


class Tag(Struct, frozen=True, kw_only=True):
    name: str


class Attachment(Struct, frozen=True, kw_only=True):
    type: str = "unknown"
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class Option(Struct, frozen=True, kw_only=True):
    title: str = ""


class Poll(Struct, frozen=True, kw_only=True):
    options: tuple[Option, ...] = ()


class Status(Struct, frozen=True, kw_only=True):
    """The keys that we read; all others are passed over."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    created_at: Aware
    account: Account
    content: str = ""
    spoiler_text: str = ""
    visibility: str = "public"
    edited_at: Aware | None = None
    url: str | None = None
    language: str | None = None
    in_reply_to_id: str | None = None
    mentions: tuple[Mention, ...] = ()
    tags: tuple[Tag, ...] = ()
    media_attachments: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    reblog: dict[str, object] | None = None

    @property
    def revision(self) -> int:
        """The time of the last edit in milliseconds, 0 when never edited."""
        return 0 if self.edited_at is None else max(0, to_ms(self.edited_at))


def read_status(raw: bytes) -> Status:
    """Raises `BadInput`."""
    try:
        status = read_as(raw, Status)
    except BadInput as error:
        raise BadInput(error.reason, f"not a Mastodon status: {error.detail}") from error
    for when in (status.created_at, status.edited_at):
        if when is not None and when.year not in YEARS:
            raise BadInput("out_of_range", f"not a Mastodon status: {when} is not in {YEARS[0]}…{YEARS[-1]}")
    return status


def item_of_status(
    status: Status, *, raw: bytes, host: str, source: str, stream: Stream, now: datetime, headers: dict[str, str]
) -> SourceItem:
    """The post of `status` as the instance at `host` shows it: the options of a poll are lines after its words."""
    read = read_html(status.content)
    links = [
        link.href
        for link in read.links
        if not link.classes & {"mention", "hashtag"} and link.href.startswith(("http://", "https://"))
    ]
    options = status.poll.options if status.poll else ()
    return SourceItem(
        raw=raw,
        author_handle=_full(status.account.acct, host),
        platform=PLATFORM,
        handles=tuple({name for name in (status.account.username, status.account.acct) if name}),
        headers=headers,
        post=Post(
            source=source,
            native_id=status.id,
            text="\n".join(words for words in (read.text, *(option.title for option in options)) if words),
            title=status.spoiler_text,
            published_at=status.created_at,
            collected_at=now,
            revision=status.revision,
            stream=stream,
            url=status.url or "",
            reply_to=status.in_reply_to_id or "",
            lang=status.language or "",
            mentions=tuple(_full(mention.acct, host) for mention in status.mentions),
            hashtags=tuple(tag.name for tag in status.tags),
            links=tuple(dict.fromkeys(link for link in links if len(link) <= 4096)),
            media=tuple(_media(attachment) for attachment in status.media_attachments),
            reach=max(0, status.account.followers_count),
        ),
    )


def deletion(
    native_id: str, *, published_at: datetime, raw: bytes, source: str, stream: Stream, now: datetime
) -> SourceItem:
    """The revision that erases a status. `raw` is the answer that says that it is gone."""
    return SourceItem(
        raw=raw,
        platform=PLATFORM,
        post=Post(
            source=source,
            native_id=native_id,
            text="",
            published_at=published_at,
            collected_at=now,
            revision=to_ms(now),
            deleted=True,
            stream=stream,
        ),
    )


def _full(acct: str, host: str) -> str:
    return acct if "@" in acct else f"{acct}@{host}"


def _media(attachment: Attachment) -> Media:
    kinds: dict[str, Literal["image", "video", "audio"]] = {
        "image": "image",
        "gifv": "video",
        "video": "video",
        "audio": "audio",
    }
    url = attachment.url or attachment.remote_url or ""
    return Media(
        kind=kinds.get(attachment.type, "other"),
        url=url if len(url) <= 512 else "",
        alt=attachment.description or "",
    )
