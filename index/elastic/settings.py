"""What an operator writes about Elasticsearch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hustings.errors import ConfigError

__all__ = ["ElasticSettings"]

Server = Annotated[str, StringConstraints(pattern=r"^https?://(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+):[0-9]{1,5}$")]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Where a password may travel unencrypted: it does not leave the machine."""


class ElasticSettings(BaseModel):
    """`[elasticsearch]`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: tuple[Server, ...] = Field(min_length=1, description="addresses, https://host:port, of some of the nodes")
    prefix: str = Field(
        default="hustings-",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,80}$",
        description="put before the names of indices and aliases, where several deployments share the nodes",
    )
    api_key_file: Path | None = Field(
        default=None, description="file that holds the API key to log in with, in its encoded form"
    )
    user: str = Field(default="", description="name to log in with, where there is no API key; empty: no login")
    password_file: Path | None = Field(default=None, description="file that holds the password of `user`")
    ca_file: Path | None = Field(default=None, description="certificates that sign the nodes'; absent: the system's")
    shards: int = Field(default=1, ge=1, le=64, description="pieces of each monthly index that is made from now on")
    replicas: int = Field(default=1, ge=0, le=5, description="further copies of each piece; 0 for a single node")
    refresh_s: float = Field(
        default=1.0, ge=0.1, le=600, description="how long something written may stay unseen by searches"
    )
    timeout_s: float = Field(default=30.0, ge=1, le=600, description="longest wait for one answer")
    overload_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="how long to ask again, with growing pauses, when the nodes say that they are overloaded",
    )
    bulk_bytes: int = Field(
        default=8_000_000, ge=100_000, le=50_000_000, description="most bytes of documents in one request"
    )
    bulk_documents: int = Field(default=1_000, ge=1, le=10_000, description="most documents in one request")
    bulk_senders: int = Field(default=2, ge=1, le=16, description="requests with documents on their way at a time")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file go together")
        if self.user and self.api_key_file is not None:
            raise ValueError("log in by api_key_file or by user and password_file, not by both")
        plain = [server for server in self.servers if server.startswith("http://")]
        abroad = [server for server in plain if urlsplit(server).hostname not in LOOPBACK]
        if abroad and (self.user or self.api_key_file is not None):
            raise ValueError(f"{abroad[0]!r} would be sent the secret itself, unencrypted: write https://")
        if self.ca_file is not None and plain:
            raise ValueError(f"ca_file is used with https:// only, not with {plain[0]!r}")
        return self

    def api_key(self) -> str | None:
        """Raises `ConfigError` when the file cannot be read or is empty."""
        return None if self.api_key_file is None else _secret("api_key_file", self.api_key_file)

    def login(self) -> tuple[str, str] | None:
        """Name and password. Raises `ConfigError` when the file cannot be read or is empty."""
        return None if self.password_file is None else (self.user, _secret("password_file", self.password_file))


def _secret(setting: str, path: Path) -> str:
    try:
        found = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"elasticsearch.{setting} {str(path)!r} cannot be read: {type(error).__name__}") from error
    if not found:
        raise ConfigError(f"elasticsearch.{setting} {str(path)!r} is empty")
    return found
