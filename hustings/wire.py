"""Values to bytes and back.

Two ways in: `decode` for bytes that Hustings wrote itself (log, index, desk), fast and tolerant of newer schemas;
`decode_strict` for the edge (files, tips, `assess`), where every doubt is a `BadInput` with a typed reason.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from hustings.errors import BadInput
from hustings.strict_json import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, decode_json_strict
from hustings.strict_value import Shape, check_keys, in_utc, refusal, shape_of
from hustings.types import SCHEMA

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "decode",
    "decode_json_strict",
    "decode_strict",
    "encode",
    "encode_over",
]

_JSON_NAMES = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean"} | {
    type(None): "null"
}

V = TypeVar("V", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


# ── our own bytes ────────────────────────────────────────────────────────────────────────────────────────────────


def encode(value: msgspec.Struct) -> bytes:
    """Deterministic JSON, UTF-8, defaults left out, times as RFC 3339."""
    return _encoder.encode(value)


def decode(raw: bytes, kind: type[V]) -> V:
    """Bytes of our own. Raises `msgspec.DecodeError` or `msgspec.ValidationError` when they are not.

    Keys that a newer schema added are passed over; who writes the value back uses `encode_over`, which keeps them.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return cast("V", decoder.decode(raw))


def encode_over(former: bytes, value: msgspec.Struct) -> bytes:
    """`encode(value)` for a value that was read from `former`, with the keys of `former` that this version does not
    know, its schema number included when it is the newer one. They are kept in the value itself and in the values
    within it; the members of a list have no names to go by, so what is unknown inside them is not kept.
    """
    merged = _merge(msgspec.json.decode(former), msgspec.to_builtins(value), shape_of(type(value)))
    return encode(value) if merged is None else _encoder.encode(merged)


def _merge(former: dict[str, Any], now: dict[str, Any], shape: Shape) -> dict[str, Any] | None:
    """`now` with what only `former` knows; None when that is nothing."""
    kept: dict[str, Any] = {key: former[key] for key in former.keys() - shape.members.keys()}
    if former.get("schema", SCHEMA) > SCHEMA:
        kept["schema"] = former["schema"]
    for key, inner in shape.members.items():
        if isinstance(former.get(key), dict) and isinstance(now.get(key), dict) and inner.members:
            merged = _merge(former[key], now[key], inner)
            if merged is not None:
                kept[key] = merged
    return now | kept if kept else None


# ── bytes of others ──────────────────────────────────────────────────────────────────────────────────────────────


def decode_strict(raw: bytes, kind: type[V]) -> V:
    """One value from outside; its times in UTC. Raises `BadInput` for whatever `decode_json_strict` refuses, and for
    unknown or missing keys, wrong types, limits exceeded, times without zone and newer schemas, at any depth."""
    tree = decode_json_strict(raw)
    if not isinstance(tree, dict):
        raise BadInput("not_an_object", f"{kind.__name__} is a JSON object; found {_JSON_NAMES[type(tree)]}")
    check_keys(tree, shape_of(kind), "$")
    try:
        value = decode(raw, kind)
    except msgspec.ValidationError as problem:
        raise refusal(str(problem), tree, kind) from None
    return cast("V", in_utc(value, "$"))
