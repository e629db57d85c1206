"""How much a version costs, as a ratio to an operation of fixed size: the machine that measures falls out of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle

import numpy as np
from msgspec.structs import replace

from classifiers.checks.suite import SUITES, Suite, read_phrasing
from classifiers.gates.comparing import at_most
from classifiers.gates.record import Check
from classifiers.manifest import Manifest
from classifiers.pipeline import Pipeline, analysed
from hustings.types import Assessment, Post

__all__ = ["LIMITS", "REFERENCE", "Speed", "measure_speed", "ordinary_posts", "speed_check"]

REFERENCE = "a thousand look-ups in a table of 524,288 numbers, and their sum"
LIMITS: dict[str, float] = {
    "linear": 40.0,
    "narratives": 1600.0,
    "meaning": 1600.0,
    "encoder": 400.0,
    "targets": 60.0,
    "claims": 4000.0,
}
"""Reference operations that one post may cost, by kind; about three times what was measured when they were set, two
tables of a linear head among them, and what is asked of an encoder that reads codes."""
_FEWEST_ROUNDS = 2
_MOST_ROUNDS = 7
_LONG_ENOUGH_S = 1.0
_POSTS = 1024
_LETTERS = 250
_ONE_CASE_IN = 20
_WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)


class Speed:
    """Seconds of one post, and of one reference operation, in the same process at the same time."""

    def __init__(self, post_s: float, reference_s: float) -> None:
        self.post_s = post_s
        self.ratio = post_s / reference_s


def measure_speed(manifest: Manifest, pipeline: Pipeline, posts: Sequence[Post], language: str) -> Speed:
    """The steps that hold the version, on these posts: the quickest of a few rounds, by turns with the reference. What
    is so dear that chance moves it little is asked for fewer rounds."""
    steps = [step for step in pipeline.steps if manifest.tag in step.version]
    ready = analysed(posts, {})
    for step in pipeline.steps:  # what stands before the version's own steps
        if step in steps:
            break
        ready = step.classify(ready)
    ready = [replace(assessment, lang=language) for assessment in ready]  # the posts may be English ones

    def classify() -> None:
        assessments: list[Assessment] = ready
        for step in steps:
            assessments = step.classify(assessments)

    draw = np.random.default_rng(1)
    table = draw.integers(-1000, 1000, 1 << 19, dtype=np.int16)
    places = draw.integers(0, 1 << 19, (200, 1000))

    def look_up() -> None:
        for row in places:
            table[row].sum()

    rounds: list[tuple[float, float]] = []
    while len(rounds) < _MOST_ROUNDS and (len(rounds) < _FEWEST_ROUNDS or sum(map(sum, rounds)) < _LONG_ENOUGH_S):
        rounds.append((_seconds(classify), _seconds(look_up)))
    return Speed(min(one for one, _ in rounds) / len(posts), min(other for _, other in rounds) / len(places))


def ordinary_posts(suites: Sequence[Suite], language: str) -> list[Post]:
    """Posts of ordinary length: friendly chatter of the suites in that language (in English where they do not speak
    it), and one of their cases in every `_ONE_CASE_IN`, about as often as a stream holds something to find."""
    spoken = [suite for suite in suites if suite.cases]
    cases = cycle([case.text for suite in spoken for case in suite.cases] or [""])
    known = [read_phrasing(suite.name) for suite in spoken] or [read_phrasing(name) for name in SUITES]
    chatter = cycle([text for phrasings in known for text in phrasings.get(language, phrasings["en"]).padding])
    posts = []
    for number in range(_POSTS):
        text = next(cases) if number % _ONE_CASE_IN == 0 else next(chatter)
        while len(text) < _LETTERS:
            text = f"{text} {next(chatter)}"
        posts.append(
            Post(
                source="speed",
                native_id=str(number),
                text=text[:_LETTERS],
                lang=language,
                published_at=_WHEN,
                collected_at=_WHEN,
            )
        )
    return posts


def speed_check(manifest: Manifest, speed: Speed) -> Check:
    return at_most(
        "speed",
        "cost of a post",
        manifest.language,
        value=speed.ratio,
        limit=LIMITS[manifest.kind],
        digits=2,
        detail=f"{speed.post_s * 1e6:.1f} µs here; 1 is {REFERENCE}",
    )


def _seconds(work: Callable[[], None]) -> float:
    """Of the processor, all threads together: a machine that is busy with something else does not look slow."""
    began = time.process_time()
    work()
    return time.process_time() - began
