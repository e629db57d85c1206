"""JSON that others wrote, read without trust."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from hustings.errors import BadInput

__all__ = ["read_as", "read_list", "read_object"]

T = TypeVar("T")


def read_object(raw: bytes) -> dict[str, Any]:
    """One JSON object. Raises `BadInput` for anything else; a key that occurs twice keeps its last value."""
    value = _decoded(raw, Any)
    if not isinstance(value, dict):
        raise BadInput("not_an_object", f"expected a JSON object, found {type(value).__name__}")
    return value


def read_list(raw: bytes) -> list[bytes]:
    """The members of a JSON list, each as the very bytes that it had. Raises `BadInput`."""
    members: list[msgspec.Raw] = _decoded(raw, list[msgspec.Raw])
    return [bytes(member) for member in members]


def read_as(raw: bytes, kind: type[T]) -> T:
    """Bytes as `kind`; what the type does not name is passed over, since other people's formats grow. Raises
    `BadInput`: "not_json", "too_deep", or "wrong_type" with the place."""
    value: T = _decoded(raw, kind)
    return value


def _decoded(raw: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except RecursionError as error:
        raise BadInput("too_deep", "JSON is nested too deep") from error
    except msgspec.ValidationError as error:
        raise BadInput("wrong_type", str(error)) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput("not_json", str(error)) from error
