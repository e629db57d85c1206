"""What the status and headers of an answer mean to a source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from hustings.contracts import HttpAnswer
from hustings.errors import Unavailable
from ingest.columns import parse_time

__all__ = ["kept_headers", "raise_for_status", "retry_after_s"]

_KEPT = ("content-type", "date", "etag", "last-modified", "link", "server")
"""Headers that go into the evidence. Cookies do not."""


def raise_for_status(answer: HttpAnswer, *, now: datetime) -> None:
    """Raise `Unavailable` unless the status is 2xx, with the pause that the server asks for."""
    if not 200 <= answer.status < 300:
        host = answer.url.split("/")[2] if answer.url.count("/") >= 2 else answer.url
        raise Unavailable(f"{host} answers with status {answer.status}", retry_after_s=retry_after_s(answer, now=now))


def retry_after_s(answer: HttpAnswer, *, now: datetime) -> float | None:
    """Seconds that the server wants us to wait: `Retry-After`, or Mastodon's `X-RateLimit-Reset` when nothing of the
    allowance remains. None when it says nothing."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked[:9])
    if asked:
        try:
            return max(0.0, (parsedate_to_datetime(asked) - now).total_seconds())
        except (ValueError, TypeError):
            return None
    if answer.status == 429 or answer.headers.get("x-ratelimit-remaining", "").strip() == "0":
        reset = parse_time(answer.headers.get("x-ratelimit-reset", ""))
        return None if reset is None else max(0.0, (reset - now).total_seconds())
    return None


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that belong to the evidence."""
    return {name: headers[name][:1_000] for name in _KEPT if name in headers}
