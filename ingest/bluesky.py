"""Bluesky: new, edited and deleted posts of the whole network or a part of it, from a Jetstream server.

One websocket stays open between calls; each call takes what has arrived within a moment. The cursor is the server's
time of the last event; after a break the stream is taken up a second before it, which repeats a few posts with the
same keys.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from datetime import datetime
from hashlib import blake2b
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, field_validator
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from hustings.contracts import Collected, SourceContext, SourceItem
from hustings.errors import BadInput, Unavailable
from hustings.text import is_spaceless
from hustings.text.folding import fold
from hustings.types import DeadLetter, Stream
from ingest.bluesky_event import COLLECTION, Event, item_of_event, native_id, read_event
from ingest.dead_letters import dead_letter

__all__ = ["BlueskySource"]

CONNECT_S = 15.0
SAFETY_US = 1_000_000
"""Taken off the cursor when the stream is taken up again: servers differ a little in their times."""
MAX_EVENT_BYTES = 1_000_000
REMEMBERED = 5_000
"""Posts of a filtered stream that are remembered, so that their edits and deletions are told from all others."""


class BlueskySettings(BaseModel):
    """`kind = "bluesky"`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str = Field(
        default="wss://jetstream2.us-east.bsky.network", description="address of a Jetstream server, ws or wss"
    )
    keywords: tuple[str, ...] = Field(
        default=(),
        max_length=1_000,
        description="only posts that hold one of these words or phrases, case and accents aside; whole words, so give "
        "each form that you want, but for scripts without spaces such as Chinese and Thai",
    )
    dids: tuple[str, ...] = Field(
        default=(), max_length=10_000, description="only posts of these accounts, each by its DID (did:plc:…)"
    )
    stream: Stream | None = Field(
        default=None, description="how the posts were chosen; by default account with dids, else keyword"
    )

    listen_s: float = Field(
        default=2.0,
        ge=0.05,
        le=20,
        description="longest that one call listens; a post of a quiet stream waits no longer",
    )

    @field_validator("server")
    @classmethod
    def _is_a_websocket(cls, server: str) -> str:
        parts = urlsplit(server)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("is not an address such as wss://jetstream2.us-east.bsky.network")
        return server.rstrip("/")

    @field_validator("keywords")
    @classmethod
    def _have_letters(cls, keywords: tuple[str, ...]) -> tuple[str, ...]:
        for keyword in keywords:
            if not any(character.isalnum() for character in _folded(keyword)):
                raise ValueError(f"{keyword!r} has no letter and no digit to look for")
        return keywords

    @field_validator("dids")
    @classmethod
    def _are_dids(cls, dids: tuple[str, ...]) -> tuple[str, ...]:
        for did in dids:
            if not re.fullmatch(r"did:[a-z]+:\S+", did):
                raise ValueError(
                    f"{did!r} is no DID such as did:plc:z72i7hdynmk6r22z27h6tvur; a handle may change its owner"
                )
        return dids


class Cursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The server's time of the last event, and hashes of the posts handed over, latest last."""

    time_us: int
    posts: tuple[str, ...] = ()


class BlueskySource:
    """The posts of a Jetstream."""

    Settings = BlueskySettings

    def __init__(self, name: str, settings: BlueskySettings, context: SourceContext) -> None:
        self.name = name
        self._settings = settings
        self._egress = context.egress
        self._connection: ClientConnection | None = None
        self._open = ExitStack()
        self._stands_at = b""
        self._wanted = _pattern(settings.keywords)

    def open(self) -> None:
        """The connection is made when it is first needed."""

    def close(self) -> None:
        self._open.close()
        self._connection = None

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else None
        connection = self._connection
        if connection is None or self._stands_at != cursor:
            self.close()
            connection = self._connection = self._connected(before)
        batch = _Batch(self.name, self._settings, self._wanted, before, now=now)
        try:
            is_open = self._listen(connection, batch, limit)
        except BaseException:
            self.close()  # what was taken off the stream is taken again, from the cursor on
            raise
        if not is_open:
            self.close()
            if not batch.events:
                raise Unavailable(f"{self._settings.server}: the stream ended before its first event")
        self._stands_at = batch.cursor(cursor)
        return Collected(items=tuple(batch.items), dead=tuple(batch.dead), cursor=self._stands_at)

    def _listen(self, connection: ClientConnection, batch: _Batch, limit: int) -> bool:
        """Take events until the limit or the end of the moment; False when the connection ended."""
        deadline = time.monotonic() + self._settings.listen_s
        while len(batch.items) + len(batch.dead) < limit and (left := deadline - time.monotonic()) > 0:
            try:
                message = connection.recv(timeout=left, decode=False)
            except TimeoutError:
                return True
            except ConnectionClosed:
                return False
            batch.take(bytes(message))
        return True

    def _connected(self, before: Cursor | None) -> ClientConnection:
        """A subscription from the cursor on, or from now."""
        server = urlsplit(self._settings.server)
        tls = server.scheme == "wss"
        host, port = server.hostname or "", server.port or (443 if tls else 80)
        parameters = {"wantedCollections": COLLECTION, "requireHello": "true"}
        if before is not None:
            parameters["cursor"] = str(max(0, before.time_us - SAFETY_US))
        guarded = self._egress.connect(host, port, tls=tls, timeout_s=CONNECT_S)
        try:
            # The socket is encrypted already where it should be, so the library speaks plain websocket on it.
            connection = self._open.enter_context(
                connect(
                    f"ws://{host}:{port}/subscribe?{urlencode(parameters)}",
                    sock=guarded,
                    open_timeout=CONNECT_S,
                    close_timeout=1,
                    max_size=MAX_EVENT_BYTES,
                    compression=None,
                    proxy=None,
                )
            )
        except (OSError, InvalidHandshake, InvalidMessage, EOFError) as error:
            guarded.close()
            raise Unavailable(f"{host}:{port}: no websocket: {error}") from error
        options = {
            "wantedCollections": [COLLECTION],
            "wantedDids": list(self._settings.dids),
            "maxMessageSizeBytes": MAX_EVENT_BYTES,
        }
        try:
            connection.send(msgspec.json.encode({"type": "options_update", "payload": options}).decode())
        except ConnectionClosed as error:
            raise Unavailable(f"{host}:{port}: the stream ended: {error}") from error
        return connection


class _Batch:
    """What one `collect` has taken from the stream."""

    def __init__(
        self,
        collector: str,
        settings: BlueskySettings,
        wanted: re.Pattern[str] | None,
        before: Cursor | None,
        *,
        now: datetime,
    ) -> None:
        self._collector = collector
        self._wanted = wanted
        self._stream: Stream = settings.stream or ("account" if settings.dids else "keyword")
        self._server = settings.server
        self._now = now
        self._time_us = before.time_us if before else 0
        self._known = dict.fromkeys(before.posts if before else ())
        self.events = 0
        self.items: list[SourceItem] = []
        self.dead: list[DeadLetter] = []

    def take(self, raw: bytes) -> None:
        """One message of the stream."""
        self.events += 1
        try:
            event = read_event(raw)
        except BadInput as error:
            self.dead.append(
                dead_letter(
                    self._collector, error.reason, error.detail, origin=self._server, original=raw, at=self._now
                )
            )
            return
        self._time_us = max(self._time_us, event.time_us)
        commit = event.commit
        if event.kind != "commit" or commit is None or commit.collection != COLLECTION:
            return
        if self._is_wanted(event):
            self.items.append(item_of_event(event, commit, raw=raw, stream=self._stream, now=self._now))

    def cursor(self, former: bytes) -> bytes:
        """The cursor after this batch; the former one when nothing has come."""
        if not self._time_us:
            return former
        posts = tuple(self._known)[-REMEMBERED:]
        return msgspec.json.encode(Cursor(time_us=self._time_us, posts=posts))

    def _is_wanted(self, event: Event) -> bool:
        """Posts that match, and whatever happens later to a post that was taken."""
        if self._wanted is None:
            return True
        place = blake2b(native_id(event).encode(), digest_size=6).hexdigest()
        record = event.commit.record if event.commit else None
        if record is not None and self._wanted.search(_folded(record.text)):
            self._known.pop(place, None)
            self._known[place] = None
            return True
        return place in self._known


def _pattern(keywords: tuple[str, ...]) -> re.Pattern[str] | None:
    """Any of the keywords, for folded text (`_folded`): as a whole word where it begins and ends with a letter of a
    script that has spaces between words."""
    if not keywords:
        return None
    return re.compile("|".join(_as_pattern(_folded(keyword).strip()) for keyword in keywords))


def _as_pattern(keyword: str) -> str:
    before = "" if is_spaceless(keyword[0]) else r"(?<!\w)"
    after = "" if is_spaceless(keyword[-1]) else r"(?!\w)"
    return before + r"\s+".join(map(re.escape, keyword.split())) + after


def _folded(text: str) -> str:
    """Without case, accents and invisible characters, as search reads it."""
    return fold(text)[0].lower()
