"""The workers of the loops that share a topic's partitions: what they are called, and which partitions are whose.

On Kafka the brokers share out the partitions among whatever workers are there, under any names. The log of one machine
has nobody who could: there each of the configured workers has a fixed share.
"""

from __future__ import annotations

from typing import NamedTuple

from hustings.contracts import Topic
from hustings.errors import ConfigError
from runtime.config import Config
from runtime.loops import LOOPS

__all__ = ["SHARED", "Share", "partitions_of", "share_of", "workers_of"]


class Share(NamedTuple):
    """What one worker reads: `partitions` None means what the log gives to `worker`."""

    worker: str
    partitions: list[int] | None


SHARED: dict[str, Topic] = {"analyze": "posts", "watch": "hits"}
"""The loops of which there may be several workers, and the topic that they share."""


def workers_of(config: Config, loop: str) -> list[str]:
    """The processes of a loop that `hustings run` starts: `analyze-1`, `analyze-2`, …; one alone is named like the
    loop."""
    count = {"analyze": config.analyze.workers, "watch": config.watch.workers}.get(loop, 1)
    return [loop] if count == 1 else [f"{loop}-{number}" for number in range(1, count + 1)]


def share_of(config: Config, loop: str, worker: str) -> Share:
    """What the worker reads; `worker` may be left out where the configuration has one alone. Raises `ConfigError` for a
    name that it does not know where shares are fixed, and for a loop whose work nobody can share."""
    if loop not in LOOPS:
        raise ConfigError(f"no such loop {loop!r}; known are {', '.join(LOOPS)}")
    known = workers_of(config, loop)
    if not worker:
        if len(known) > 1:
            raise ConfigError(
                f"{config.path}: {loop}.workers = {len(known)}: say which, --worker {known[0]} for example"
            )
        worker = loop
    if loop not in SHARED:
        if worker != loop:
            raise ConfigError(f"{loop}: has one worker only, so it takes no --worker")
        return Share(loop, None)
    if config.kafka is not None:
        return Share(worker, None)
    if worker not in known:
        raise ConfigError(
            f"{config.path}: {loop}: no worker {worker!r}; on the log of one machine each has a fixed share, so"
            f" {loop}.workers says how many there are: {', '.join(known)}"
        )
    return Share(worker, shares(partitions_of(config, loop), len(known))[known.index(worker)])


def partitions_of(config: Config, loop: str) -> int:
    """How many partitions the workers of a loop share."""
    return config.log.posts_partitions if SHARED[loop] == "posts" else config.log.hits_partitions


def shares(partitions: int, workers: int) -> list[list[int]]:
    """Every partition once, as evenly as may be."""
    return [list(range(number, partitions, workers)) for number in range(workers)]
