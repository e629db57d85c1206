"""What the drill found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from bench.drill_cluster.disturb import Felt

__all__ = ["Recovery", "Result", "markdown", "recoveries", "table", "verdict"]


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault: how often, and after how many seconds work went on; `mended_*` count from the mending (the
    server is started again, the disk has space), None where nothing was to be mended."""

    fault: str
    times: int
    p50_s: float | None
    max_s: float | None
    mended_p50_s: float | None = None
    mended_max_s: float | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` are in words and make the drill fail; `--json` prints it."""

    commit: str
    machine: str
    at: str
    seconds: float
    posts: int
    alerts: int
    outbox_routes: int
    elections: int
    worker_kills: int
    faults: int
    disk: str
    recoveries: list[Recovery]
    control_lost: int
    control_kills: int
    repeats: int
    problems: list[str]


def recoveries(felt: Iterable[Felt]) -> list[Recovery]:
    """By fault, in the order in which each came first, workers first."""
    by_name: dict[str, list[Felt]] = {}
    for one in sorted(felt, key=lambda one: one.kind == "fault"):
        by_name.setdefault(one.name, []).append(one)
    return [_of(name, those) for name, those in by_name.items()]


def _of(name: str, felt: Sequence[Felt]) -> Recovery:
    seconds = [one.recovered_s for one in felt if one.recovered_s is not None]
    mended = [one.after_mending_s for one in felt if one.after_mending_s is not None]
    return Recovery(
        fault=name,
        times=len(felt),
        p50_s=_rounded(seconds and median(seconds)),
        max_s=_rounded(seconds and max(seconds)),
        mended_p50_s=_rounded(mended and median(mended)),
        mended_max_s=_rounded(mended and max(mended)),
    )


def _rounded(seconds: float | list[float]) -> float | None:
    return None if isinstance(seconds, list) else round(seconds, 1)


def table(found: Sequence[Recovery]) -> str:
    """Markdown that reads well as it is."""
    rows: list[tuple[str, ...]] = [
        ("fault", "times", "work goes on after s, p50", "max", "after mending s, p50", "max")
    ]
    rows += [
        (one.fault, str(one.times), *map(_shown, (one.p50_s, one.max_s, one.mended_p50_s, one.mended_max_s)))
        for one in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _shown(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def verdict(result: Result) -> str:
    """The last line."""
    if result.problems:
        return f"{len(result.problems)} PROBLEMS: " + "; ".join(result.problems)
    return (
        f"{result.worker_kills} kills of workers and {result.faults} faults of servers, disk and network in"
        f" {result.elections} elections: 0 lost and 0 doubled posts, hits, alerts, outbox rows; the books balance;"
        " alert ids as on one machine without any fault"
    )


def markdown(result: Result) -> str:
    """The page that is kept."""
    return f"""# Crash drill past one machine

Written by `make drill CLUSTER=1` (`bench/drill_cluster/`), {result.at}, commit {result.commit}.
Machine: {result.machine}; all servers and workers on it: three brokers of Kafka, Elasticsearch ({result.disk}),
PostgreSQL, two analyze and two watch workers. {result.seconds / 60:.0f} minutes.

Each election: {result.posts} posts, {result.alerts} alerts, {result.outbox_routes} routes told.

{verdict(result)}.

{table(result.recoveries)}

A worker is back when its new process gives a sign of life. After a fault of a server, work goes on when every partition
of posts (of hits, where a watch worker slept) has been written to the index beyond where it was; servers stay away for
1 to 5 s before they are started again, which is part of the time. Workers that slept were put to sleep for longer than
their session: the time is how long it took the others to take over.

Negative control (position committed before the write, {result.control_kills} kills): {result.control_lost} posts lost,
as it must. Messages that the partner got twice, with the same id, because their answer was lost: {result.repeats}.
"""
