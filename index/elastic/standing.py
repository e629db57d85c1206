"""What stands of a post in the index, and what one more reading of it does.

The outcome of a post must be the same when its batch is done again after a crash, whatever of the batch had been
written: the books count outcomes. So a document keeps, beside its revision, which offsets of the log made it what it
is, as far back as the books may still be owed (`steps`). From them the state at any such offset can be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from hustings.contracts import Outcome
from hustings.types import Post, hash_id

__all__ = ["Origin", "Reading", "Standing", "judged", "said_by", "trimmed"]


class Origin(NamedTuple):
    """Where in the posts topic a reading came from."""

    partition: int
    offset: int


class Step(Struct, frozen=True, array_like=True):
    """The reading at this place of the log made the document, or revised it to this."""

    partition: int
    offset: int
    is_first: bool
    revision: int
    said: str


class Standing(Struct, frozen=True, omit_defaults=True):
    """What the index holds of a post: its revision, what the source said then (a hash), when the key was first
    collected, and the last steps that led there, oldest first."""

    revision: int
    said: str
    first_collected_us: int
    steps: tuple[Step, ...] = ()


class Reading(NamedTuple):
    """One post as it comes to be written."""

    revision: int
    said: str
    first_collected_us: int
    origin: Origin | None


def said_by(post: Post) -> str:
    """A hash of what the source said. Two collectors see other reach and other times, and it is the same post."""
    return hash_id(post.text, post.title, "deleted" if post.deleted else "")


def judged(standing: Standing | None, reading: Reading) -> tuple[Outcome, Standing | None]:
    """What this reading does, and what stands afterwards."""
    if standing is None:
        return Outcome.NEW, _with_step(None, reading)
    done = _done_before(standing, reading)
    if done is not None:
        return done, standing
    outcome = _compared(reading, standing.revision, standing.said)
    return outcome, _with_step(standing, reading) if outcome is Outcome.REVISED else standing


def trimmed(standing: Standing, counted_to: Mapping[int, int]) -> Standing:
    """Without the steps that nobody can ask for again: the books have counted what is below `counted_to`. The last of
    those stays: it is the state that what follows began from."""
    steps = standing.steps
    if len(steps) <= 1:
        return standing
    owed = next(
        (place for place, step in enumerate(steps) if step.offset >= counted_to.get(step.partition, 0)), len(steps)
    )
    first = max(0, owed - 1)
    if first == 0:
        return standing
    return Standing(standing.revision, standing.said, standing.first_collected_us, steps[first:])


def _with_step(standing: Standing | None, reading: Reading) -> Standing:
    first_us = reading.first_collected_us if standing is None else standing.first_collected_us
    steps = () if standing is None else standing.steps
    if reading.origin is not None:
        steps = (*steps, Step(*reading.origin, standing is None, reading.revision, reading.said))
    return Standing(reading.revision, reading.said, first_us, steps)


def _done_before(standing: Standing, reading: Reading) -> Outcome | None:
    """The outcome of a reading that is behind the last step, and so was judged before: the same as then. None when it
    is not, or when too little is known of that time."""
    origin = reading.origin
    if origin is None:
        return None
    steps = [step for step in standing.steps if step.partition == origin.partition]
    if not steps or steps[-1].offset < origin.offset:
        return None
    before: Step | None = None
    for step in steps:
        if step.offset == origin.offset:
            return Outcome.NEW if step.is_first else Outcome.REVISED
        if step.offset > origin.offset:
            break
        before = step
    if before is None or reading.revision > before.revision:
        return None
    return _compared(reading, before.revision, before.said)


def _compared(reading: Reading, revision: int, said: str) -> Outcome:
    if reading.revision > revision:
        return Outcome.REVISED
    if reading.revision < revision:
        return Outcome.STALE
    return Outcome.UNCHANGED if reading.said == said else Outcome.CONFLICTING
