"""A signed POST to the partner's own server, after the Standard Webhooks specification (standardwebhooks.com, 1.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, field_validator

from alerts.secrets import Secret
from hustings.contracts import Delivery, Egress, Message
from hustings.errors import AddressRefused, ConfigError, EgressDenied, Unavailable

__all__ = ["WebhookChannel", "signatures"]

TIMEOUT_S = 15.0
TRY_AGAIN = frozenset({408, 409, 421, 423, 425, 429})
"""Client errors that another attempt may cure; every other 4xx says that this message will never be taken."""
SYMMETRIC, ASYMMETRIC, PUBLIC = "whsec_", "whsk_", "whpk_"


class WebhookChannel:
    """One attempt per `send`. The id stays over retries, the timestamp and signatures are of the attempt. While keys
    rotate every message carries a signature by each of them."""

    class Settings(BaseModel):
        """Settings of a webhook channel."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        url: str = Field(description="where to post to; https", min_length=1, max_length=2048)
        secrets: tuple[Secret, ...] = Field(
            min_length=1,
            max_length=4,
            description="keys that sign: `whsec_…` (HMAC-SHA-256, v1) or `whsk_…` (Ed25519, v1a), as values or files; "
            "the new and the former one while they rotate",
        )

        @field_validator("url")
        @classmethod
        def _is_http(cls, url: str) -> str:
            if not url.startswith(("https://", "http://")):
                raise ValueError("a webhook address begins with https://")
            return url

    def __init__(self, name: str, settings: Settings, *, egress: Egress) -> None:
        self.name = name
        self._settings = settings
        self._egress = egress

    def send(self, message: Message, *, now: datetime) -> Delivery:
        timestamp = int(now.timestamp())
        try:
            keys = [secret.reveal() for secret in self._settings.secrets]
            signed = signatures(keys, message.id, timestamp, message.body)
            answer = self._egress.request(
                "POST",
                self._settings.url,
                headers={
                    "content-type": "application/json",
                    "webhook-id": message.id,
                    "webhook-timestamp": str(timestamp),
                    "webhook-signature": signed,
                },
                body=message.body,
                timeout_s=TIMEOUT_S,
                max_bytes=0,  # the status says all
                redirects=0,
            )
        except AddressRefused as error:  # one forged answer about a name must not silence a partner
            return Delivery(result="retry", detail=f"the address is not allowed: {error}")
        except EgressDenied as error:
            return Delivery(result="dead", detail=f"the address is not allowed: {error}")
        except (ConfigError, Unavailable) as error:
            return Delivery(result="retry", detail=str(error))
        return _judge(answer.status, answer.headers.get("retry-after", ""), now)

    def close(self) -> None:
        """Nothing is held between attempts."""

    def problems(self) -> list[str]:
        """An address that nothing may be sent to, and keys that cannot sign."""
        found = []
        try:
            self._egress.require_open(self._settings.url)
        except EgressDenied as error:
            found.append(f"url: {error}")
        for place, key in self._keys():
            try:
                _signature(key, b"")
            except ConfigError as error:
                found.append(f"secrets.{place}: {error}")
        return found

    def facts(self) -> list[str]:
        """The public halves of Ed25519 keys; the partner has nothing else to verify with."""
        seeds = [_decoded(key, ASYMMETRIC)[:32] for _, key in self._keys() if key.startswith(ASYMMETRIC)]
        public = [Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() for seed in seeds]
        return [f"the partner verifies v1a with {PUBLIC}{base64.b64encode(key).decode()}" for key in public]

    def _keys(self) -> Iterator[tuple[int, str]]:
        """The keys that can be read, with their places."""
        for place, secret in enumerate(self._settings.secrets, start=1):
            with suppress(ConfigError):
                yield place, secret.reveal()


def signatures(keys: list[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one signature per key, by spaces. Raises `ConfigError` for a malformed key,
    without showing it."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(key, content) for key in keys)


def _signature(key: str, content: bytes) -> str:
    if key.startswith(SYMMETRIC):
        raw = hmac.new(_decoded(key, SYMMETRIC), content, hashlib.sha256).digest()
        return "v1," + base64.b64encode(raw).decode()
    if key.startswith(ASYMMETRIC):
        seed = _decoded(key, ASYMMETRIC)[:32]
        return "v1a," + base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).sign(content)).decode()
    raise ConfigError(f"a webhook key begins with {SYMMETRIC} or {ASYMMETRIC}")


def _decoded(key: str, prefix: str) -> bytes:
    try:
        raw = base64.b64decode(key.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    known = {SYMMETRIC: range(24, 65), ASYMMETRIC: (32, 64)}[prefix]
    if len(raw) not in known:
        raise ConfigError(
            f"a {prefix} key is base64 of 24 to 64 bytes" if prefix == SYMMETRIC else f"a {prefix} key is base64 of 32"
        )
    return raw


def _judge(status: int, retry_after: str, now: datetime) -> Delivery:
    detail = f"HTTP {status}"
    if 200 <= status < 300:
        return Delivery(result="delivered", detail=detail)
    if 300 <= status < 400:
        return Delivery(result="dead", detail=f"{detail}: webhooks follow no redirect; configure the new address")
    if 400 <= status < 500 and status not in TRY_AGAIN:
        return Delivery(result="dead", detail=detail)
    return Delivery(result="retry", detail=detail, retry_after=_wait(retry_after, now))


def _wait(header: str, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for, in either of its two forms; None when absent or unreadable."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(timedelta(0), until - now)
