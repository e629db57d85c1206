"""How fast is the SQLite log? `python bench/bench_log.py [--messages N]`

Append at batch 1, 100 and 1,000, by one thread, by eight threads, and by two processes at once; tail read; the wait of
a reader in another process; and what an idle reader costs. 252-byte messages, on the disk of the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import tempfile
import threading
import time
from pathlib import Path

from hustings.clock import SystemClock
from hustings.contracts import Record
from ingest.log_sqlite import SqliteLog

MESSAGE = b"x" * 252


def opened(folder: Path) -> SqliteLog:
    return SqliteLog(folder, clock=SystemClock()).open()


def batches(messages: int, size: int) -> list[list[Record]]:
    return [
        [Record(f"src:{start + i}", MESSAGE) for i in range(min(size, messages - start))]
        for start in range(0, messages, size)
    ]


def append_all(folder: Path, messages: int, size: int) -> None:
    log = opened(folder)
    for batch in batches(messages, size):
        log.append("posts", batch)
    log.close()


def report(what: str, messages: int, seconds: float, **more: float | str) -> None:
    row = {"what": what, "per_s": round(messages / seconds), "us_each": round(1e6 * seconds / messages, 2), **more}
    print(json.dumps(row))


def bench_append(folder: Path, messages: int, size: int) -> None:
    log = opened(folder)
    prepared = batches(messages, size)
    waits = []
    began = time.perf_counter()
    for batch in prepared:
        before = time.perf_counter()
        log.append("posts", batch)
        waits.append(time.perf_counter() - before)
    seconds = time.perf_counter() - began
    log.close()
    waits.sort()
    report(
        f"append, batch {size}",
        messages,
        seconds,
        p50_ms=round(1e3 * statistics.median(waits), 3),
        p99_ms=round(1e3 * waits[int(len(waits) * 0.99)], 3),
    )


def bench_threads(folder: Path, messages: int, threads: int) -> None:
    log = opened(folder)

    def work() -> None:
        for batch in batches(messages // threads, 1):
            log.append("posts", batch)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report(f"append, batch 1, {threads} threads", messages, time.perf_counter() - began)
    log.close()


def bench_processes(folder: Path, messages: int, size: int) -> None:
    opened(folder).close()
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=append_all, args=(folder, messages // 2, size)) for _ in range(2)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report(f"append, batch {size}, 2 processes (with their start)", messages, time.perf_counter() - began)


def bench_read(folder: Path) -> None:
    log = opened(folder)
    reader = log.reader("posts", "bench")
    count = 0
    began = time.perf_counter()
    while entries := reader.poll(limit=1000, timeout_s=0):
        count += len(entries)
    report("read, 1,000 at a time", count, time.perf_counter() - began)
    reader.close()
    log.close()


def append_stamps(folder: Path, count: int, pause_s: float) -> None:
    log = opened(folder)
    for _ in range(count):
        time.sleep(pause_s)
        log.append("posts", [Record("src:1", str(time.monotonic_ns()).encode())])
    log.close()


def bench_latency(folder: Path, count: int, pause_s: float) -> None:
    log = opened(folder)
    reader = log.reader("posts", "bench")
    spawn = multiprocessing.get_context("spawn")
    writer = spawn.Process(target=append_stamps, args=(folder, count, pause_s))
    writer.start()
    waits: list[float] = []
    while len(waits) < count:
        for entry in reader.poll(limit=100, timeout_s=1.0):
            waits.append((time.monotonic_ns() - int(entry.value)) / 1e6)
    writer.join()
    waits.sort()
    row = {
        "what": f"append to seen by another process, one each {pause_s:g} s",
        "p50_ms": round(statistics.median(waits), 2),
        "p99_ms": round(waits[int(count * 0.99)], 2),
        "max_ms": round(waits[-1], 2),
    }
    print(json.dumps(row))
    reader.close()
    log.close()


def bench_idle(folder: Path, seconds: float) -> None:
    log = opened(folder)
    reader = log.reader("posts", "bench")
    reader.poll(limit=1, timeout_s=1.2)
    before = resource.getrusage(resource.RUSAGE_SELF)
    reader.poll(limit=1, timeout_s=seconds)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"what": "idle reader", "cpu_percent": round(100 * used / seconds, 2)}))
    reader.close()
    log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    messages: int = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bench_append(root / "one", messages // 50, 1)
        bench_append(root / "hundred", messages, 100)
        bench_append(root / "thousand", messages, 1000)
        bench_threads(root / "threads", messages // 20, 8)
        bench_processes(root / "processes", messages, 100)
        bench_read(root / "thousand")
        bench_latency(root / "latency", 300, 0.005)
        bench_latency(root / "slow", 20, 0.1)
        bench_idle(root / "idle", 3.0)


if __name__ == "__main__":
    main()
