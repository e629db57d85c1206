"""The analyze loop on one pinned core: every stage bare, the whole, a raw insert beside it, and two workers.

    python -m bench.pipeline

Ratios come from one run on the same posts (the synthetic election); absolute numbers move with the machine.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from alerts.matcher import Matcher, partition_key
from classifiers.pipeline import Pipeline, analysed
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.types import Post
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime import build
from runtime.config import Config, load_config
from runtime.demo.generate import generate
from runtime.demo.prepare import prepare
from runtime.events import open_events
from runtime.loops.analyze import Analyzer, Progress

BATCH = 512
ROUNDS = 3


class World:
    """The posts and the configuration that every measurement shares."""

    def __init__(self, folder: Path) -> None:
        election = generate()
        self.config: Config = load_config(prepare(folder / "demo", election, desk_port=1, webhook_port=2))
        merged = sorted((p for posts in election.posts.values() for p in posts), key=lambda p: (p.collected_at, p.key))
        self.posts = merged
        self.records = [Record(post.key, wire.encode(post)) for post in merged]
        words = build.vocabulary_of(self.config)
        self.rules = build.rule_set(self.config, words, SystemClock())
        self.folder = folder
        self._number = 0

    def fresh(self) -> Path:
        self._number += 1
        return self.folder / f"stores-{self._number}"

    def pipeline(self) -> Pipeline:
        return build.open_pipeline(self.config, story_memory=())


@contextmanager
def stores(path: Path, *, partitions: int = 1) -> Iterator[tuple[SqliteLog, SqliteIndex]]:
    with ExitStack() as stack:
        log = SqliteLog(path / "log", clock=SystemClock(), posts_partitions=partitions).open()
        stack.callback(log.close)
        index = SqliteIndex(path / "index").open()
        stack.callback(index.close)
        yield log, index


def batches(things: Sequence[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


def bare_stages(world: World) -> dict[str, float]:
    """Seconds of each stage alone, on the same batches, best of the rounds."""
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, seconds in _bare_round(world).items():
            best[name] = min(seconds, best.get(name, seconds))
    return best


def _bare_round(world: World) -> dict[str, float]:
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = work()
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
        return result

    pipeline = world.pipeline()
    matcher = Matcher(world.rules)
    with stores(world.fresh()) as (log, index):
        reader = log.reader("posts", "bench")
        offset = 0
        for records in batches(world.records):
            timed("log append", lambda r=records: log.append("posts", r))
            entries = timed("log read", lambda: reader.poll(limit=BATCH, timeout_s=0))
            posts = timed("decode", lambda e=entries: [wire.decode(entry.value, Post) for entry in e])
            timed("look up keys", lambda p=posts: index.get([post.key for post in p]))
            found = timed("analyse text", lambda p=posts: analysed(p, {}))
            for step in pipeline.steps:
                found = timed(step.name, lambda f=found, s=step: s.classify(f))
            hits = timed("match rules", lambda f=found: matcher.match(f))
            hit_records = [Record(partition_key(hit), wire.encode(hit)) for hit in hits]
            timed("hits append", lambda r=hit_records: log.append("hits", r))
            origins = [(entry.partition, entry.offset) for entry in entries]
            offset += len(entries)
            timed(
                "index write",
                lambda f=found, o=origins, n=offset: index.write(f, log_id=log.id, origins=o, positions={0: n}),
            )
            timed("commit", lambda n=offset: reader.commit({0: n}))
        reader.close()
    return seconds


def make_analyzer(world: World, log: SqliteLog, index: SqliteIndex, partitions: list[int] | None) -> Analyzer:
    return Analyzer(
        log=log,
        reader=log.reader("posts", "analyze", partitions=partitions),
        index=index,
        assess=world.pipeline().assess,
        matching=Matcher(world.rules),
        partition_key=partition_key,
        progress=Progress(replays=(), settle_after=build.settle_after(world.rules)),
        replay_done=None,
        clock=SystemClock(),
        events=open_events(loop="bench", level="error"),
        batch=BATCH,
        wait_s=0.0,
        code_version="bench",
    )


def whole(world: World) -> float:
    """Seconds of log append, then the analyze loop over everything; best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        with stores(world.fresh()) as (log, index):
            analyzer = make_analyzer(world, log, index, None)
            analyzer.start()
            gc.collect()
            gc.freeze()
            began = time.perf_counter()
            for records in batches(world.records):
                log.append("posts", records)
            while analyzer.step():
                pass
            times.append(time.perf_counter() - began)
            gc.unfreeze()
    return min(times)


def raw_insert(world: World) -> float:
    """Seconds to insert the same posts, as JSON text, into one SQLite table with a unique key, synchronous=FULL."""
    times = []
    for _ in range(ROUNDS):
        path = world.fresh()
        path.mkdir()
        with closing(sqlite3.connect(path / "raw.db")) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("CREATE TABLE posts (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
            began = time.perf_counter()
            for records in batches(world.records):
                with database:
                    database.executemany("INSERT OR REPLACE INTO posts VALUES (?, ?)", records)
            times.append(time.perf_counter() - began)
    return min(times)


def _work(folder: str, path: str, partition: int, core: int, began: Any, results: Any) -> None:
    os.sched_setaffinity(0, {core})
    world = World(Path(folder) / f"worker-{partition}")
    with stores(Path(path), partitions=2) as (log, index):
        analyzer = make_analyzer(world, log, index, [partition])
        analyzer.start()
        began.wait()
        start = time.perf_counter()
        while analyzer.step():
            pass
        results.put(time.perf_counter() - start)


def workers(world: World, count: int) -> float:
    """Seconds that one or two processes need for both partitions, each on a core of its own, into one index."""
    path = world.fresh()
    with stores(path, partitions=2) as (log, _):
        for records in batches(world.records):
            log.append("posts", records)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    cores = sorted(os.sched_getaffinity(0))
    if count == 1:
        with stores(path, partitions=2) as (log, index):
            analyzer = make_analyzer(world, log, index, None)
            analyzer.start()
            start = time.perf_counter()
            while analyzer.step():
                pass
            return time.perf_counter() - start
    gate = context.Barrier(count)
    processes = [
        context.Process(target=_work, args=(str(path / "bench"), str(path), n, cores[n % len(cores)], gate, results))
        for n in range(count)
    ]
    for process in processes:
        process.start()
    seconds = max(results.get(timeout=300) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    return float(seconds)


def measure() -> dict[str, Any]:
    """All numbers of this bench."""
    everything = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="hustings-bench-") as temporary:
        world = World(Path(temporary))
        count = len(world.records)
        os.sched_setaffinity(0, {min(everything)})
        try:
            stages = bare_stages(world)
            full = whole(world)
            raw = raw_insert(world)
            one = statistics.median(workers(world, 1) for _ in range(ROUNDS))
        finally:
            os.sched_setaffinity(0, everything)
        two = statistics.median(workers(world, 2) for _ in range(ROUNDS)) if len(everything) > 1 else None
    return {
        "posts": count,
        "stages_us": {name: round(seconds / count * 1e6, 1) for name, seconds in stages.items()},
        "sum_of_stages_us": round(sum(stages.values()) / count * 1e6, 1),
        "whole_us": round(full / count * 1e6, 1),
        "posts_per_second": round(count / full),
        "whole_to_bare": round(full / sum(stages.values()), 3),
        "raw_insert_posts_per_second": round(count / raw),
        "whole_to_raw_insert": round(raw / full, 3),
        "two_workers_to_one": None if two is None else round(one / two, 2),
    }


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=1)
    print()
