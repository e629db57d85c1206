"""Values to bytes and back.

Two ways in: `decode` for bytes that Hustings wrote itself (log, index, desk), fast and tolerant of newer schemas;
`decode_strict` for the edge (files, tips, `assess`), where every doubt is a `BadInput` with a typed reason.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ENTRIES", "decode", "decode_strict", "encode"]

MAX_BYTES = 4_000_000
"""One value at the edge: beyond it `too_large`. A post of 1,000,000 four-byte characters still fits."""
MAX_DEPTH = 64
"""Nesting at the edge: beyond it `too_deep` (security.md, limits)."""
MAX_ENTRIES = 100_000
"""Members of all lists and objects of one value at the edge: beyond it `too_many_fields`."""

V = TypeVar("V", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def encode(value: msgspec.Struct) -> bytes:
    """Deterministic JSON, UTF-8, defaults left out, times as RFC 3339."""
    return _encoder.encode(value)


def decode(raw: bytes, kind: type[V]) -> V:
    """Bytes of our own. Raises `msgspec.DecodeError` or `msgspec.ValidationError` when they are not."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return cast("V", decoder.decode(raw))
