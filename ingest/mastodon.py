"""Mastodon: the public, a hashtag's or an account's timeline of one instance, through its REST API.

Two movements. Forward: pages newer than the last id, oldest first. Back: now and then the newest statuses down to the
window are read again, which finds late ones (federation backdates ids), edits, and what has gone; a status that is
missing there is asked for by id, and 404 makes a deletion.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hustings.contracts import Collected, HttpAnswer, SourceContext
from hustings.errors import ConfigError
from hustings.types import Stream, hash_id
from ingest.foreign_json import read_object
from ingest.http_answers import raise_for_status
from ingest.mastodon_reading import Cursor, Place, Reading
from ingest.mastodon_status import PLATFORM

__all__ = ["MastodonSource"]

REQUEST_S = 8.0
"""With `mastodon_reading.TIME_BOUND_S`, `collect` returns within 30 s."""
MAX_PAGE_BYTES = 5_000_000


class MastodonSettings(BaseModel):
    """`kind = "mastodon"`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: str = Field(description="address of the instance, such as https://mastodon.example")
    timeline: Literal["public", "hashtag", "account"] = Field(default="public", description="which timeline")
    hashtag: str = Field(default="", max_length=100, description="the hashtag, for timeline = hashtag")
    account: str = Field(default="", max_length=200, description="user or user@host, for timeline = account")
    local: bool = Field(default=False, description="only what was posted on this instance (public and hashtag)")
    token_file: Path | None = Field(default=None, description="file with an access token, where the instance needs one")
    source: str = Field(
        default="", max_length=64, pattern=r"^[^:\s]*$", description="name space of status ids; the host by default"
    )
    stream: Stream | None = Field(
        default=None, description="how the posts were chosen; by default account for an account, else keyword"
    )
    poll_s: float = Field(default=60.0, ge=1, le=86_400, description="seconds between two polls")
    window_s: float = Field(default=7_200.0, ge=0, le=604_800, description="how far back is read again; 0 never")
    reread_s: float = Field(default=600.0, ge=1, le=86_400, description="how often the window is read again")

    @field_validator("instance")
    @classmethod
    def _is_an_origin(cls, instance: str) -> str:
        parts = urlsplit(instance)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("is not an address such as https://mastodon.example")
        return instance.rstrip("/")

    @model_validator(mode="after")
    def _names_the_timeline(self) -> MastodonSettings:
        if self.timeline == "hashtag" and not self.hashtag.removeprefix("#"):
            raise ValueError("hashtag: name the hashtag of the timeline")
        if self.timeline == "account" and not self.account.removeprefix("@"):
            raise ValueError("account: name the account of the timeline")
        return self


class MastodonSource:
    """The statuses of one timeline as posts."""

    Settings = MastodonSettings
    platform = PLATFORM

    def __init__(self, name: str, settings: MastodonSettings, context: SourceContext) -> None:
        self.name = name
        self._settings = settings
        self._egress = context.egress
        self._token = ""

    def open(self) -> None:
        path = self._settings.token_file
        if path is not None:
            try:
                self._token = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"source {self.name}: token_file {path} cannot be read: {error}") from error

    def close(self) -> None:
        """Nothing is held between polls."""

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        settings = self._settings
        timeline = hash_id(settings.instance, settings.timeline, settings.hashtag, settings.account)
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        if before.timeline not in ("", timeline):  # the source was pointed at another one since
            before = Cursor()
        before = msgspec.structs.replace(before, timeline=timeline)
        if settings.timeline == "account" and not before.account_id:
            before = msgspec.structs.replace(before, account_id=self._account_id(now))
        reading = Reading(self.name, self._place(), self._get, before, now=now, limit=limit)
        path, parameters = self._timeline(before)
        return reading.run(
            path,
            parameters,
            poll=timedelta(seconds=settings.poll_s),
            window=timedelta(seconds=settings.window_s),
            reread=timedelta(seconds=settings.reread_s),
        )

    def _place(self) -> Place:
        settings = self._settings
        host = urlsplit(settings.instance).hostname or ""
        return Place(
            host=host,
            source=settings.source or host.replace(":", "."),
            stream=settings.stream or ("account" if settings.timeline == "account" else "keyword"),
        )

    def _timeline(self, cursor: Cursor) -> tuple[str, dict[str, str]]:
        """Path and parameters of the timeline."""
        settings = self._settings
        if settings.timeline == "account":
            return f"/api/v1/accounts/{quote(cursor.account_id, safe='')}/statuses", {"exclude_reblogs": "true"}
        local = {"local": "true"} if settings.local else {}
        if settings.timeline == "hashtag":
            return f"/api/v1/timelines/tag/{quote(settings.hashtag.removeprefix('#'), safe='')}", local
        return "/api/v1/timelines/public", local

    def _account_id(self, now: datetime) -> str:
        answer = self._get("/api/v1/accounts/lookup", {"acct": self._settings.account.removeprefix("@")})
        raise_for_status(answer, now=now)
        return str(read_object(answer.body).get("id", ""))

    def _get(self, path: str, parameters: dict[str, str]) -> HttpAnswer:
        query = f"?{urlencode(parameters)}" if parameters else ""
        headers = {"accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        return self._egress.request(
            "GET",
            f"{self._settings.instance}{path}{query}",
            headers=headers,
            timeout_s=REQUEST_S,
            max_bytes=MAX_PAGE_BYTES,
        )
