"""Telegram: what Telegram Desktop exports of a public channel or group ("Export chat history", JSON).

Only public chats are taken; others are counted and left. A newer export in place of the older one is read from its
start: edited messages become revisions, the rest has the same keys. An export does not say what was deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict, Field

from hustings.clock import to_ms
from hustings.contracts import Collected, SourceContext, SourceItem
from hustings.errors import BadInput, Unavailable
from hustings.types import DeadLetter, Media, Post, Stream
from ingest.columns import parse_time
from ingest.dead_letters import dead_letter
from ingest.declared_language import DeclaredLanguage
from ingest.foreign_json import read_as

__all__ = ["TelegramSource"]

PUBLIC = frozenset({"public_channel", "public_supergroup", "public_group"})


class TelegramSettings(BaseModel):
    """`kind = "telegram"`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="the exported result.json")
    stream: Stream = Field(default="account", description="how the channel was chosen")
    lang: DeclaredLanguage = Field(default="", description="language of the channel")
    follow: bool = Field(default=False, description="look for a newer export under the same name; never done")
    poll_s: float = Field(default=60.0, ge=1, le=86_400, description="how often a newer export is looked for")
    max_bytes: int = Field(default=500_000_000, ge=1_000, description="largest export that is read")


class Chat(Struct, frozen=True, kw_only=True):
    id: int
    name: str | None = None
    type: str = ""
    messages: tuple[msgspec.Raw, ...] = ()


class Chats(Struct, frozen=True, kw_only=True):
    list: tuple[Chat, ...] = ()


class Export(Struct, frozen=True, kw_only=True):
    """One chat, or all chats of an account."""

    id: int = 0
    name: str | None = None
    type: str = ""
    messages: tuple[msgspec.Raw, ...] = ()
    chats: Chats = Chats()


class Message(Struct, frozen=True, kw_only=True):
    """The keys that we read. Times as `…_unixtime` are UTC; plain ones are the exporter's local time."""

    id: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    type: str
    date: str = ""
    date_unixtime: str = ""
    edited: str = ""
    edited_unixtime: str = ""
    from_id: str | None = None
    text: str | tuple[str | dict[str, Any], ...] = ""
    text_entities: tuple[dict[str, Any], ...] = ()
    reply_to_message_id: int | None = None
    forwarded_from_id: str | None = None
    media_type: str = ""
    mime_type: str = ""
    photo: str | None = None
    file: str | None = None


class Cursor(Struct, frozen=True, kw_only=True):
    """Which export, and how many of its messages are handed over."""

    sha256: str
    position: int


class TelegramSource:
    """The messages of public chats as posts."""

    Settings = TelegramSettings

    def __init__(self, name: str, settings: TelegramSettings, context: SourceContext) -> None:
        self.name = name
        self._settings = settings
        self._export: _ReadExport | None = None

    def open(self) -> None:
        """Nothing to do: the export may come later."""

    def close(self) -> None:
        self._export = None

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        export = self._read()
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else None
        start = before.position if before is not None and before.sha256 == export.sha256 else 0
        items: list[SourceItem] = []
        dead: list[DeadLetter] = []
        for number, (chat, raw) in enumerate(export.messages[start : start + limit], start=start + 1):
            try:
                item = self._item(chat, raw, now)
            except BadInput as error:
                origin = f"{self._settings.path.name}, message {number}"
                dead.append(dead_letter(self.name, error.reason, error.detail, origin=origin, original=raw, at=now))
                continue
            if item is not None:
                items.append(item)
        position = min(start + limit, len(export.messages))
        at_end = position == len(export.messages)
        return Collected(
            items=tuple(items),
            dead=tuple(dead),
            cursor=msgspec.json.encode(Cursor(sha256=export.sha256, position=position)),
            again_after=timedelta(seconds=self._settings.poll_s if at_end else 0),
            caps_hit={"chats_not_public": export.not_public} if start == 0 and export.not_public else {},
            done=at_end and not self._settings.follow,
        )

    def _read(self) -> _ReadExport:
        """The export, read again when the file changed."""
        path = self._settings.path
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
            if self._export is None or self._export.stamp != stamp:
                if state.st_size > self._settings.max_bytes:
                    raise BadInput("too_large", f"{path} is larger than {self._settings.max_bytes} bytes")
                self._export = _ReadExport(path.read_bytes(), stamp)
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror or error}") from error
        return self._export

    def _item(self, chat: Chat, raw: bytes, now: datetime) -> SourceItem | None:
        """The post of a message, None for a service message (somebody joined, a title changed)."""
        message = read_as(raw, Message)
        if message.type != "message":
            return None
        published_at = parse_time(message.date_unixtime or message.date)
        if published_at is None:
            raise BadInput("out_of_range", f"date of message {message.id} is no time: {message.date[:100]!r}")
        edited_at = parse_time(message.edited_unixtime or message.edited)
        parts = message.text_entities or (message.text if isinstance(message.text, tuple) else ())
        entities = [part for part in parts if isinstance(part, dict)]
        mentions = [*_mentioned(entities), *([message.forwarded_from_id] if message.forwarded_from_id else [])]
        return SourceItem(
            raw=raw,
            author_handle=message.from_id or (f"channel{chat.id}" if chat.type == "public_channel" else ""),
            post=Post(
                source="telegram",
                native_id=f"{chat.id}/{message.id}",
                text="".join(_words(part) for part in parts) if parts else str(message.text or ""),
                published_at=published_at,
                collected_at=now,
                revision=0 if edited_at is None else max(0, to_ms(edited_at)),
                stream=self._settings.stream,
                outlet=(chat.name or "")[:512],
                reply_to="" if message.reply_to_message_id is None else f"{chat.id}/{message.reply_to_message_id}",
                lang=self._settings.lang,
                mentions=tuple(dict.fromkeys(mentions)),
                hashtags=_of_type(entities, "hashtag", strip="#"),
                links=tuple(dict.fromkeys([*_of_type(entities, "link"), *_of_type(entities, "text_link", key="href")])),
                media=_media(message),
            ),
        )


class _ReadExport:
    """An export in memory: its messages with their chats, in order. Raises `BadInput` when it is none."""

    def __init__(self, raw: bytes, stamp: tuple[int, int, int]) -> None:
        export = read_as(raw, Export)
        chats = (Chat(id=export.id, name=export.name, type=export.type, messages=export.messages), *export.chats.list)
        self.stamp = stamp
        self.sha256 = sha256(raw).hexdigest()
        self.messages = [(chat, bytes(m)) for chat in chats if chat.type in PUBLIC for m in chat.messages]
        self.not_public = sum(1 for chat in chats if chat.type and chat.type not in PUBLIC)
        if not any(chat.type for chat in chats):
            raise BadInput("undecodable", "not a Telegram export: no chat with a type")


def _words(part: str | dict[str, Any]) -> str:
    text = part.get("text", "") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


def _of_type(entities: list[dict[str, Any]], kind: str, *, key: str = "text", strip: str = "") -> tuple[str, ...]:
    values = (entity.get(key) for entity in entities if entity.get("type") == kind)
    return tuple(dict.fromkeys(v.removeprefix(strip) for v in values if isinstance(v, str) and v and len(v) <= 512))


def _mentioned(entities: list[dict[str, Any]]) -> list[str]:
    """Accounts by user name (`@name`), and those without one by number."""
    numbered = [f"user{entity['user_id']}" for entity in entities if isinstance(entity.get("user_id"), int)]
    return [*_of_type(entities, "mention", strip="@"), *numbered]


def _media(message: Message) -> tuple[Media, ...]:
    kind: Literal["image", "video", "audio", "other"]
    if message.photo is not None or message.media_type == "sticker" or message.mime_type.startswith("image/"):
        kind = "image"
    elif message.media_type in ("video_file", "video_message", "animation") or message.mime_type.startswith("video/"):
        kind = "video"
    elif message.media_type in ("voice_message", "audio_file") or message.mime_type.startswith("audio/"):
        kind = "audio"
    elif message.file is not None:
        kind = "other"
    else:
        return ()
    return (Media(kind=kind),)
