"""What the columns of a language's table mean: one file in the model's folder, for people to read."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from classifiers.manifest import Calibration, ModelFile, Threshold
from hustings.errors import ModelError

__all__ = ["HEADS", "CodeHead", "Column", "Heads", "pack_heads", "read_heads"]

HEADS = "heads.json"


class Column(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of the table: a margin is `intercept` + `scale` · Σ weights / √(number of features)."""

    scale: float
    intercept: float


class CodeHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code: its column, how a margin becomes a probability, and from which one on it is flagged. Without a
    threshold it never is: `abstains` says why."""

    code: Annotated[str, Meta(min_length=1, max_length=60)]
    column: Column
    calibration: Calibration
    threshold: Threshold | None = None
    abstains: str = ""


class Heads(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All columns in their order. `harm`: is it any of the codes of harm? Its probability is the model's own score.
    `telling`: is there anything to tell at all, harm or an answer to it? Posts below the margin `telling_from` are not
    looked at again, so that ordinary posts cost two columns and not thirty."""

    harm: Column
    telling: Column
    telling_from: float
    codes: Annotated[tuple[CodeHead, ...], Meta(min_length=1, max_length=200)]

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.harm, self.telling, *(head.column for head in self.codes))

    @property
    def thresholds(self) -> dict[str, float]:
        """The probability from which on each code is flagged, of those that ever are."""
        return {head.code: head.threshold.value for head in self.codes if head.threshold is not None}


def pack_heads(heads: Heads) -> tuple[bytes, ModelFile]:
    """The file's bytes and the manifest's line for it."""
    raw = (json.dumps(msgspec.to_builtins(heads), ensure_ascii=False, indent=1) + "\n").encode()
    return raw, ModelFile(name=HEADS, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())


def read_heads(raw: bytes, where: str) -> Heads:
    """Raises `ModelError` when the bytes are not such a file, a number is not finite, or a code stands twice."""
    try:
        heads = msgspec.json.decode(raw, type=Heads)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{where}: {HEADS}: {error}") from error
    codes = [head.code for head in heads.codes]
    if len(set(codes)) != len(codes):
        raise ModelError(f"{where}: {HEADS}: a code stands twice among {', '.join(codes)}")
    for name, number in _numbers(heads):
        if not math.isfinite(number):
            raise ModelError(f"{where}: {HEADS}: {name} is {number}; a model's numbers are finite")
    return heads


def _numbers(heads: Heads) -> Iterator[tuple[str, float]]:
    yield "telling_from", heads.telling_from
    for place, column in enumerate(heads.columns):
        yield f"scale of column {place}", column.scale
        yield f"intercept of column {place}", column.intercept
    for head in heads.codes:
        yield f"calibration.slope of {head.code}", head.calibration.slope
        yield f"calibration.intercept of {head.code}", head.calibration.intercept
