"""Reading compressed bytes with a running cap, so that a bomb is noticed before it unfolds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from hustings.errors import BadInput

__all__ = ["MAX_RATIO", "capped", "decompressed"]

MAX_RATIO = 100
"""Decompressed ÷ compressed bytes beyond which the body is taken for a bomb. Real feeds and
JSON pages reach 5 to 20; deflate can reach 1032."""
RATIO_FLOOR = 262_144
"""Below that many decompressed bytes the ratio is not judged: short repetitive answers compress without any malice."""
_STEP = 65_536


def capped(chunks: Iterable[bytes], *, max_bytes: int, what: str) -> Iterator[bytes]:
    """The chunks as they come. Raises `BadInput` ("too_large") as soon as they are more than `max_bytes`."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise BadInput("too_large", f"{what} is larger than {max_bytes} bytes")
        yield chunk


def decompressed(chunks: Iterable[bytes], encoding: str, *, what: str) -> Iterator[bytes]:
    """The chunks with `encoding` ("", "identity", "gzip" or "deflate") undone, at most 64 KiB at a time.

    Raises `BadInput`: "too_large" when the output outgrows `MAX_RATIO` times the input, "undecodable" for another
    encoding, for broken and for cut streams.
    """
    if encoding in ("", "identity"):
        yield from chunks
    elif encoding in ("gzip", "x-gzip"):
        yield from _inflate(chunks, (zlib.MAX_WBITS | 16,), what=what)
    elif encoding == "deflate":
        # Servers send zlib streams as the standard says, or bare deflate as old browsers accepted.
        yield from _inflate(chunks, (zlib.MAX_WBITS, -zlib.MAX_WBITS), what=what)
    else:
        raise BadInput("undecodable", f"{what}: content encoding {encoding!r}; known are gzip, deflate, identity")


def _inflate(chunks: Iterable[bytes], formats: tuple[int, ...], *, what: str) -> Iterator[bytes]:
    read = written = 0
    inflater = zlib.decompressobj(formats[0])
    for chunk in chunks:
        read += len(chunk)
        pending = chunk
        while pending:
            if inflater.eof:  # gzip files may be several members in a row
                inflater = zlib.decompressobj(formats[0])
            try:
                piece = inflater.decompress(pending, _STEP)
            except zlib.error as error:
                if written or len(formats) == 1:
                    raise BadInput("undecodable", f"{what}: broken compression ({error})") from error
                formats = formats[1:]
                inflater = zlib.decompressobj(formats[0])
                continue
            pending = inflater.unused_data or inflater.unconsumed_tail
            written += len(piece)
            if written > max(RATIO_FLOOR, MAX_RATIO * read):
                raise BadInput("too_large", f"{what}: unfolds to more than {MAX_RATIO} times its size")
            if piece:
                yield piece
    if not inflater.eof and read:
        raise BadInput("undecodable", f"{what}: the compressed stream is cut off")
