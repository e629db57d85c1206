"""Which captures the log says were sealed: what verifying the evidence folder alone can never tell."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hustings.contracts import Log
from hustings.types import post_key
from runtime.refill import entries_of

__all__ = ["evidence_named", "posts_held"]


class _Sealed(msgspec.Struct):
    """What of a post in the log is asked for here."""

    source: str
    native_id: str
    evidence: str = ""


_read = msgspec.json.Decoder(_Sealed)


def evidence_named(log: Log) -> Iterator[tuple[str, str]]:
    """(evidence id, key of the post) of every post in the log that has a capture."""
    for entries in entries_of(log, "posts"):
        for entry in entries:
            try:
                post = _read.decode(entry.value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # a dead letter of `analyze`
            if post.evidence:
                yield post.evidence, post_key(post.source, post.native_id)


def posts_held(log: Log) -> int:
    """How many posts the log holds now."""
    return sum(log.ends("posts").values()) - sum(log.starts("posts").values())
