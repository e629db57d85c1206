"""Where a page of results ended, as an opaque string that any process can go on from."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import msgspec

from hustings.errors import StoreError

__all__ = ["Place", "read_cursor", "write_cursor"]


class Place(NamedTuple):
    """Where a post stands in the order of results: by time of publication, ties by key. No two are equal, so nothing of
    the server's has to be kept alive between two pages."""

    published_us: int
    key: str


def write_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def read_cursor(cursor: str) -> Place:
    """Raises `StoreError` for what `write_cursor` never wrote."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as problem:
        raise StoreError(f"{cursor[:80]!r} is not where a page of results ended; begin again without it") from problem
