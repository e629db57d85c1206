"""JSON in a folder of models, which anybody who can write there may have spoilt: read into a type, or refused."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from hustings.errors import BadInput, ModelError
from hustings.strict_json import decode_json_strict

__all__ = ["read_typed"]

_T = TypeVar("_T")


def read_typed(raw: bytes, kind: type[_T], where: str, *, cure: str = "") -> _T:
    """The value in `raw`. Raises `ModelError`, which names the file as `where` and ends with the `cure`, when it is no
    strict JSON or not of that type."""
    try:
        # msgspec takes keys that stand twice, and has another error for bytes that are no UTF-8.
        decode_json_strict(raw)
        return msgspec.json.decode(raw, type=kind)
    except (BadInput, msgspec.MsgspecError) as error:
        raise ModelError(f"{where}: {error}{cure}") from error
