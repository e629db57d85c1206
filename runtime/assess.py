"""Posts from a stream of lines to assessments, in order, dead letters in their place."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

import msgspec

from hustings import wire
from hustings.clock import Clock
from hustings.errors import BadInput, ConfigError
from hustings.types import Assessment, Post

__all__ = ["AssessedLine", "assess_lines", "opened"]

BATCH = 512
"""Lines that are assessed together."""
GZIP = b"\x1f\x8b"


class Assessing(Protocol):
    """What this needs of `classifiers.pipeline.Pipeline`."""

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]: ...


class AssessedLine(NamedTuple):
    """One line of output: as JSON, for people, and whether the input line was unusable."""

    raw: bytes
    readable: str
    dead: bool


@contextmanager
def opened(file: Path, *, standard_input: BinaryIO) -> Iterator[BinaryIO]:
    """The bytes of a file, or of `standard_input` for `-`; gunzipped when they begin as gzip does. Raises
    `ConfigError` for a file that cannot be read, also half-way through a broken gzip stream."""
    raw: BinaryIO | None = None
    try:
        raw = standard_input if str(file) == "-" else file.open("rb")
        buffered = io.BufferedReader(cast("io.RawIOBase", raw))
        with gzip.GzipFile(fileobj=buffered) if buffered.peek(2)[:2] == GZIP else buffered as stream:
            yield cast("BinaryIO", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"{file}: broken gzip: {error}") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    finally:
        if raw is not None:
            raw.close()


def assess_lines(stream: BinaryIO, pipeline: Assessing, *, clock: Clock, batch: int = BATCH) -> Iterator[AssessedLine]:
    """One result for each line that is not blank, in order. Reads at most `wire.MAX_BYTES` of a line into memory."""
    waiting: list[tuple[int, Post | BadInput]] = []
    for number, raw in _lines(stream):
        if raw is not None and not raw.strip():
            continue
        try:
            if raw is None:
                raise BadInput("too_large", f"the line has more than {wire.MAX_BYTES:,} bytes")
            waiting.append((number, wire.decode_strict(raw, Post)))
        except BadInput as error:
            waiting.append((number, error))
        if len(waiting) >= batch:
            yield from _results(waiting, pipeline, clock)
            waiting = []
    yield from _results(waiting, pipeline, clock)


def _results(
    waiting: Sequence[tuple[int, Post | BadInput]], pipeline: Assessing, clock: Clock
) -> Iterator[AssessedLine]:
    posts = [post for _, post in waiting if isinstance(post, Post)]
    assessments = iter(pipeline.assess(posts, {}) if posts else [])
    now = clock.now()
    for number, what in waiting:
        if isinstance(what, BadInput):
            letter = {"line": number, "dead_letter": {"reason": what.reason, "detail": what.detail}}
            yield AssessedLine(msgspec.json.encode(letter), f"line {number}: unusable: {what}", True)
        else:
            assessment = msgspec.structs.replace(next(assessments), assessed_at=now)
            yield AssessedLine(wire.encode(assessment), _readable(assessment), False)


def _readable(assessment: Assessment) -> str:
    flags = " ".join(f"{flag.code}={flag.score:.2f}" for flag in assessment.flags) or "-"
    targets = " ".join(f"{target.id}({target.role})" for target in assessment.targets) or "-"
    return f"{assessment.key}\t{assessment.lang}\t{flags}\t{targets}"


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """(line number from 1, bytes); None instead of bytes for a line beyond the cap, which is skipped to its end."""
    number = 0
    while raw := stream.readline(wire.MAX_BYTES + 1):
        number += 1
        if len(raw) > wire.MAX_BYTES and not raw.endswith(b"\n"):
            while (rest := stream.readline(wire.MAX_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, raw.rstrip(b"\r\n")
