"""What an encoder's outputs mean: one file in its folder, one entry a linear head beside which it speaks."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Manifest, ModelFile, Threshold, read_file
from classifiers.typed_json import read_typed
from hustings.errors import ModelError

__all__ = ["HEADS", "EncoderHead", "Keep", "heads_in", "log_odds", "pack_heads", "read_heads"]

HEADS = "heads.json"

Unit = Annotated[float, Meta(ge=0.0, le=1.0)]
_LEAST = 10.0**-DECIMALS


class Keep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One point of the trade-off: reading posts from the linear score `from_score` on (until `EncoderHead.sure_from`)
    keeps `keep` of the right flags that reading all would give, on the data where the threshold was chosen; `read` of
    those posts are read then."""

    keep: Unit
    from_score: Unit
    read: Unit


class EncoderHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One output. The margin is `share` · logit + (1 - `share`) · log-odds of the score that the linear head `beside`
    gave; both were calibrated together, beside that head's version. `keeps` rises in `keep` and ends with 1.
    `asked_from` stands in its place, whatever is to be kept (but all), where too few right flags tell what is kept.
    From the linear score `sure_from` on reading would change no flag: there the linear head's word stands."""

    code: str
    beside: str
    beside_version: str
    output: Annotated[int, Meta(ge=0, le=255)]
    share: Unit
    calibration: Calibration
    threshold: Threshold
    keeps: Annotated[tuple[Keep, ...], Meta(min_length=1)]
    asked_from: Unit | None = None
    sure_from: Unit | None = None

    def score(self, logit: float, linear_score: float) -> float:
        """The calibrated probability, rounded to `DECIMALS`."""
        margin = self.share * logit + (1.0 - self.share) * log_odds(linear_score)
        return round(self.calibration.probability(margin), DECIMALS)

    def from_score(self, keep: float) -> float:
        """The linear score from which on posts are read, so that at least `keep` is kept."""
        if self.asked_from is not None and keep < 1.0:
            return self.asked_from
        return next((point.from_score for point in self.keeps if point.keep >= keep), 0.0)

    def asks(self, linear_score: float, keep: float) -> bool:
        """Whether a post of that linear score is read."""
        sure = self.sure_from is not None and keep < 1.0 and linear_score >= self.sure_from
        return not sure and linear_score >= self.from_score(keep)


def log_odds(score: float, least: float = _LEAST) -> float:
    """ln(p / (1 - p)) of a probability; what is nearer to 0 or 1 than `least` counts as so near: of a rounded one, the
    last place that is written."""
    inside = min(max(score, least), 1.0 - least)
    return math.log(inside / (1.0 - inside))


def pack_heads(heads: Sequence[EncoderHead]) -> tuple[bytes, ModelFile]:
    """The file's bytes, for people to read, and the manifest's line for it."""
    raw = (json.dumps(msgspec.to_builtins(list(heads)), ensure_ascii=False, indent=1) + "\n").encode()
    return raw, ModelFile.of(HEADS, raw)


def heads_in(folder: Path, manifest: Manifest) -> tuple[EncoderHead, ...]:
    """Those of the encoder in `folder`; of another model none. Raises `ModelError` like `read_heads`."""
    if manifest.kind != "encoder":
        return ()
    file = next(one for one in manifest.files if one.name == HEADS)
    return read_heads(read_file(folder, file), str(folder))


def read_heads(raw: bytes, where: str) -> tuple[EncoderHead, ...]:
    """The heads. Raises `ModelError` when the bytes are not such a file, or two heads claim one code."""
    heads = read_typed(raw, tuple[EncoderHead, ...], f"{where}: {HEADS}")
    for names in ([head.code for head in heads], [head.beside for head in heads]):
        if not names or len(set(names)) != len(names):
            raise ModelError(f"{where}: {HEADS}: needs heads of different codes and names, found {names!r}")
    for head in heads:
        if not (math.isfinite(head.calibration.slope) and math.isfinite(head.calibration.intercept)):
            raise ModelError(f"{where}: {HEADS}: calibration of {head.code} is {head.calibration}; numbers are finite")
    return heads
