"""The analyze loop on one pinned core: every stage bare, the whole, a raw insert beside it, and two workers.

    python -m bench.pipeline

Ratios come from one run on the same posts (the synthetic election) and from processor time, which other work on the
machine disturbs less than the wall clock; absolute numbers move with the machine.
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
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from alerts.matcher import Matcher, partition_key
from classifiers.pipeline import Pipeline, analysed
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import LogReader, Record
from hustings.types import Post
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime import build
from runtime.config import Config, load_config
from runtime.demo.generate import generate
from runtime.demo.prepare import prepare
from runtime.events import open_events
from runtime.loops.analyze import Analyzer
from runtime.loops.progress import Progress
from runtime.start import settle_memory

T = TypeVar("T")

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
        self.rules = build.rule_set(self.config, words)
        self.folder = folder
        self._number = 0

    def fresh(self) -> Path:
        self._number += 1
        path = self.folder / f"stores-{self._number}"
        path.mkdir()
        return path

    def pipeline(self) -> Pipeline:
        """Opened, and with what it loads beside other work loaded before the clock starts."""
        pipeline = build.open_pipeline(self.config, story_memory=())
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join()
        return pipeline


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


class Cost(NamedTuple):
    """Seconds that something took: of the processor, and on the wall, where other work on the machine counts too."""

    cpu: float
    wall: float


class Meter:
    """Adds up what each named piece of work costs."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        spent = Cost(time.process_time() - cpu, time.perf_counter() - wall)
        before = self.costs.get(name, Cost(0.0, 0.0))
        self.costs[name] = Cost(before.cpu + spent.cpu, before.wall + spent.wall)
        return result


def best(costs: Iterable[Cost]) -> Cost:
    """The least of several rounds, for each clock by itself."""
    found = list(costs)
    return Cost(min(cost.cpu for cost in found), min(cost.wall for cost in found))


@contextmanager
def as_in_a_loop() -> Iterator[None]:
    """The collector as `runtime.start` sets it for a loop."""
    settle_memory()
    try:
        yield
    finally:
        gc.unfreeze()


def bare_stages(world: World) -> dict[str, Cost]:
    """What each stage costs alone, on the same batches, best of the rounds."""
    rounds = [_bare_round(world) for _ in range(ROUNDS)]
    return {name: best(costs[name] for costs in rounds) for name in rounds[0]}


def _bare_round(world: World) -> dict[str, Cost]:
    meter = Meter()
    pipeline = world.pipeline()
    matcher = Matcher(world.rules)
    with stores(world.fresh()) as (log, index), as_in_a_loop():
        reader = log.reader("posts", "bench")
        for records in batches(world.records):
            _one_batch(meter, records, reader, log, index, pipeline, matcher)
        reader.close()
    return meter.costs


def _one_batch(
    meter: Meter,
    records: Sequence[Record],
    reader: LogReader,
    log: SqliteLog,
    index: SqliteIndex,
    pipeline: Pipeline,
    matcher: Matcher,
) -> None:
    meter("log append", lambda: log.append("posts", records))
    entries = meter("log read", lambda: reader.poll(limit=BATCH, timeout_s=0))
    posts = meter("decode", lambda: [wire.decode(entry.value, Post) for entry in entries])
    meter("look up keys", lambda: index.get([post.key for post in posts]))
    found = meter("analyse text", lambda: analysed(posts, {}))
    for step in pipeline.steps:
        found = meter(step.name, partial(step.classify, found))
    hits = meter("match rules", lambda: matcher.match(found))
    hit_records = [Record(partition_key(hit), wire.encode(hit)) for hit in hits]
    meter("hits append", lambda: log.append("hits", hit_records))
    origins = [(entry.partition, entry.offset) for entry in entries]
    positions = {0: entries[-1].offset + 1}
    meter("index write", lambda: index.write(found, log_id=log.id, origins=origins, positions=positions))
    meter("commit", lambda: reader.commit(positions))


def make_analyzer(world: World, log: SqliteLog, index: SqliteIndex, partitions: list[int] | None) -> Analyzer:
    return Analyzer(
        log=log,
        reader=log.reader("posts", "analyze", partitions=partitions),
        index=index,
        assess=world.pipeline().assess,
        matching=Matcher(world.rules),
        partition_key=partition_key,
        progress=Progress(settle_after=build.settle_after(world.rules)),
        archives=None,
        clock=SystemClock(),
        events=open_events(loop="bench", level="error"),
        batch=BATCH,
        wait_s=0.0,
        code_version="bench",
    )


def whole(world: World) -> Cost:
    """Log append, then the analyze loop over everything; best of the rounds."""
    costs = []
    for _ in range(ROUNDS):
        with stores(world.fresh()) as (log, index):
            analyzer = make_analyzer(world, log, index, None)
            analyzer.start()
            meter = Meter()
            with as_in_a_loop():
                meter("whole", partial(_append_and_analyze, world, log, analyzer))
            analyzer.close()
            costs.append(meter.costs["whole"])
    return best(costs)


def _append_and_analyze(world: World, log: SqliteLog, analyzer: Analyzer) -> None:
    for records in batches(world.records):
        log.append("posts", records)
    while analyzer.step():
        pass


def raw_insert(world: World) -> Cost:
    """The same posts, as JSON text, into one SQLite table with a unique key, synchronous=FULL."""
    costs = []
    for _ in range(ROUNDS):
        with closing(sqlite3.connect(world.fresh() / "raw.db")) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("CREATE TABLE posts (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
            meter = Meter()
            meter("insert", partial(_insert_all, world, database))
            costs.append(meter.costs["insert"])
    return best(costs)


def _insert_all(world: World, database: sqlite3.Connection) -> None:
    for records in batches(world.records):
        with database:
            database.executemany("INSERT OR REPLACE INTO posts VALUES (?, ?)", records)


def _work(path: str, partition: int, core: int, began: Any, results: Any) -> None:
    os.sched_setaffinity(0, {core})
    folder = Path(path) / f"worker-{partition}"
    folder.mkdir()
    world = World(folder)
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
        context.Process(target=_work, args=(str(path), n, cores[n % len(cores)], gate, results)) for n in range(count)
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
    bare = Cost(sum(cost.cpu for cost in stages.values()), sum(cost.wall for cost in stages.values()))

    def us(cost: Cost) -> dict[str, float]:
        return {clock: round(seconds / count * 1e6, 1) for clock, seconds in cost._asdict().items()}

    return {
        "posts": count,
        "stages_us": {name: us(cost) for name, cost in stages.items()},
        "sum_of_stages_us": us(bare),
        "whole_us": us(full),
        "posts_per_second": round(count / full.wall),
        "posts_per_cpu_second": round(count / full.cpu),
        "whole_to_bare": round(full.cpu / bare.cpu, 3),
        "raw_insert_posts_per_cpu_second": round(count / raw.cpu),
        "whole_to_raw_insert": round(raw.cpu / full.cpu, 3),
        "two_workers_to_one": None if two is None else round(one / two, 2),
    }


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=1)
    print()
