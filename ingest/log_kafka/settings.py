"""What an operator writes about Kafka, and what of it every client is given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hustings.contracts import Topic
from hustings.errors import ConfigError

__all__ = ["BATCH_OVERHEAD", "KafkaSettings"]

BATCH_OVERHEAD = 1_024
"""Bytes that a batch of one record may be larger than its key and value: 61 of the batch, at most 21 of the record."""

Address = Annotated[str, StringConstraints(pattern=r"^[^\s:/]+:[0-9]{1,5}$")]


class KafkaSettings(BaseModel):
    """`[kafka]`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: tuple[Address, ...] = Field(min_length=1, description="addresses, host:port, of some of the brokers")
    prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
        description="put before the names of topics and reader groups, where several deployments share the brokers",
    )
    tls: bool = Field(default=False, description="encrypt, and verify the brokers' certificates")
    ca_file: Path | None = Field(default=None, description="certificates that sign the brokers'; absent: the system's")
    user: str = Field(default="", description="name to log in with (SASL); empty: no login")
    password_file: Path | None = Field(default=None, description="file that holds the password of `user`")
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512", description="how to log in; PLAIN sends the password itself, so only with `tls`"
    )
    replication: int = Field(default=3, ge=1, le=7, description="copies of each partition")
    min_insync: int = Field(
        default=2, ge=1, le=7, description="copies that must hold a record before it is acknowledged"
    )
    max_record_bytes: int = Field(
        default=6_000_000,
        ge=1_000_000,
        le=60_000_000,
        description="largest key and value together; the topics are made for it (a dead letter is a third larger than"
        " the post in it)",
    )
    in_flight_bytes: int = Field(
        default=32_000_000, ge=1_000_000, description="most bytes on their way to the brokers; appending waits then"
    )
    answer_s: float = Field(default=10.0, ge=1, le=120, description="longest wait for one answer of a broker")
    deliver_s: float = Field(
        default=30.0, ge=2, le=600, description="longest wait for the acknowledgement of an append, retries included"
    )
    session_s: float = Field(
        default=10.0, ge=1, le=300, description="a worker that is silent for so long loses its partitions"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.min_insync > self.replication:
            raise ValueError(f"min_insync = {self.min_insync} can never be met by replication = {self.replication}")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file go together")
        if self.user and self.mechanism == "PLAIN" and not self.tls:
            raise ValueError('mechanism = "PLAIN" sends the password itself: it needs tls = true')
        if self.ca_file is not None and not self.tls:
            raise ValueError("ca_file is used with tls = true only")
        if self.in_flight_bytes < self.max_record_bytes:
            raise ValueError(f"in_flight_bytes must be at least max_record_bytes, {self.max_record_bytes}")
        if self.deliver_s < self.answer_s:
            raise ValueError(f"deliver_s must be at least answer_s, {self.answer_s}")
        return self

    @property
    def batch_bytes(self) -> int:
        """The largest batch that the topics take, and that the producer sends in one request."""
        return self.max_record_bytes + BATCH_OVERHEAD

    def topic(self, topic: Topic) -> str:
        """The topic's name at the brokers."""
        return f"{self.prefix}{topic}"

    def group(self, topic: Topic, reader: str) -> str:
        """The consumer group that keeps the positions of a reader."""
        return f"{self.prefix}{topic}.{reader}"

    def client_options(self) -> dict[str, Any]:
        """What every client of kafka-python is given. Raises `ConfigError` when the password cannot be read."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "client_id": "hustings",
            "request_timeout_ms": int(self.answer_s * 1_000),
            "bootstrap_timeout_ms": int(self.answer_s * 1_000),
            "reconnect_backoff_max_ms": 1_000,
            "security_protocol": ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT"),
        }
        if self.ca_file is not None:
            options["ssl_cafile"] = str(self.ca_file)
        if self.user:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self._password()
        return options

    def _password(self) -> str:
        try:
            return str(self.password_file and self.password_file.read_text(encoding="utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"kafka.password_file {str(self.password_file)!r} cannot be read: {type(error).__name__}"
            ) from error
