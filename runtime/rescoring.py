"""A rebuild and a replay: both fill an index set from the log with the models that serve now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

import msgspec

from classifiers.claims.shelf import ClaimShelf
from hustings.clock import SystemClock
from runtime import build
from runtime.config import Config
from runtime.differences import DifferenceReport, Differences
from runtime.index_sets import make_set, open_set
from runtime.refill import Period, Refilled, refill_hits, refill_posts

__all__ = ["Filled", "Starts", "fill_set"]

Starts = Callable[[str, int], Callable[[int], None]]
"""Told what is begun and how many entries it has; gives what is told how many more are done."""


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What a set was filled with, and what is different from the live one."""

    set: str
    posts: Refilled
    hits: int
    whole: bool
    differences: DifferenceReport


def fill_set(config: Config, name: str, *, period: Period, starts: Starts) -> Filled:
    """Make the set and fill it. A set of the whole log holds hits and positions too, so it may be put in the place of
    the live one; workers then read on where it ends. Stories keep the names that they have."""
    make_set(config, name)
    with ExitStack() as stack:
        log = stack.enter_context(closing(build.open_log(config, SystemClock())))
        live = stack.enter_context(closing(build.open_index(config)))
        fresh = stack.enter_context(closing(open_set(config, name)))
        engine = build.open_engine(config)
        stack.callback(engine.dispose)
        claims = ClaimShelf(build.open_memory(engine)).claims()
        pipeline = build.open_pipeline(config, story_memory=build.story_memory(live), claims=claims)
        differences = Differences(live)
        posts = refill_posts(
            log,
            fresh,
            pipeline.assess,
            period=period,
            each=differences.add,
            advance=starts("posts", _entries(log.starts("posts"), log.ends("posts"))),
        )
        hits = 0
        if period.is_everything:
            hits = refill_hits(log, fresh, advance=starts("hits", _entries(log.starts("hits"), log.ends("hits"))))
        fresh.refresh()
        return Filled(set=name, posts=posts, hits=hits, whole=period.is_everything, differences=differences.report())


def _entries(starts: dict[int, int], ends: dict[int, int]) -> int:
    return sum(end - starts.get(partition, 0) for partition, end in ends.items())
