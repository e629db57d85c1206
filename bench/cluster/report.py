"""bench/RESULTS_CLUSTER.md, and the figures that `hustings capacity` reckons with."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence

from bench.cluster.clients import PEER
from bench.cluster.disk import Disk
from bench.cluster.measure import Found, Pair, busiest
from bench.cluster.passage import Passage
from bench.cluster.ratio import Ratio, ratio
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from runtime.capacity.measured import Measured, PerPost, Worker
from runtime.capacity.page import readable_bytes

__all__ = ["figures", "report"]

USED_UP = 0.9
"""So much of the cores in use means that there is nothing left to win by waiting less."""


def report(found: Found, *, when: str, commit: str, machine: str) -> str:
    sections = [
        [
            "# Results over servers",
            "",
            f"Measured {when} at commit {commit} on {machine}, in {found.seconds / 60:.1f} minutes.",
            "Made by `make bench CLUSTER=1`: one Kafka broker, one Elasticsearch node and one PostgreSQL, started by"
            " the bench on loopback, on the same cores as everything else.",
            "",
            f"{found.posts:,} posts of the synthetic election, {found.post_bytes:.0f} bytes each as JSON, through the"
            " worker processes of `hustings run`. Both sides of a ratio ran by turns; it is the median of the rounds,"
            " with the least and the largest. The clock runs from a quarter of the posts to the last one. Processor"
            " time is in microseconds a post, of all processes of a side.",
        ],
        _ratios(found),
        _processor(found),
        _index(found),
        _workers(found.workers),
        _append(found.append),
        _clients(found.clients),
        _latency(found),
        _storm(found),
        _disk(found),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def figures(found: Found, *, when: str, commit: str, machine: str) -> Measured:
    cluster, files = found.workers.others, found.log.others
    return Measured(
        at=when,
        commit=commit,
        machine=machine,
        models=tuple(serving(shipped_models())),
        posts=found.posts,
        post_bytes=round(found.post_bytes, 1),
        hits_each=round(found.files.hits_each, 4),
        analyze=_worker(cluster),
        analyze_on_files=_worker(files),
        watch=_worker([found.storm.hits]),
        broker_us=round(_median(cluster, lambda one: one.us("kafka")), 1),
        node_us=round(_median(cluster, lambda one: one.us("elasticsearch")), 1),
        database_us=round(_median(cluster, lambda one: one.us("postgresql")), 1),
        disk_on_files=_per_post(found.files),
        disk_on_servers=_per_post(found.servers),
        evidence=round(found.files.bytes_each["evidence"], 1),
    )


# ── the ratios ───────────────────────────────────────────────────────────────────────────────────────────────────


def _ratios(found: Found) -> list[str]:
    rows = [
        ("one worker into Elasticsearch ÷ raw `streaming_bulk` (orjson)", _of(found.index), "≥ 0.8"),
        ("two workers into Elasticsearch ÷ the same", _of(found.index_two), "≥ 0.8"),
        ("one worker over Kafka ÷ over the log in files", _of(found.log), "≥ 0.85"),
        ("the same with the appending", _whole(found), "≥ 0.85"),
        ("two workers over all servers ÷ one", _of(found.workers), "≥ 1.6"),
    ]
    return [
        "| ratio of posts a second | found | goal |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows),
    ]


def _of(pair: Pair) -> Ratio:
    return ratio(pair.ones, pair.others)


def _whole(found: Found) -> Ratio:
    """Append, then the loop, one after the other."""

    def whole(loop: Passage, append: Passage) -> Passage:
        return Passage(1, 1 / loop.per_s + 1 / append.per_s, {})

    ones = [whole(*both) for both in zip(found.log.ones, found.append.ones, strict=True)]
    others = [whole(*both) for both in zip(found.log.others, found.append.others, strict=True)]
    return ratio(ones, others)


def _processor(found: Found) -> list[str]:
    rows: list[tuple[str, Sequence[Passage]]] = [
        ("into Elasticsearch, one worker", found.index.ones),
        ("into Elasticsearch, two workers", found.index_two.ones),
        ("raw `streaming_bulk`", found.index.others),
        ("over Kafka, index in files", found.log.ones),
        ("all in files", found.log.others),
        ("over all servers, one worker", found.workers.others),
        ("over all servers, two workers", found.workers.ones),
    ]
    names = ("workers", "kafka", "elasticsearch", "postgresql")
    lines = [
        "## Whose processor time",
        "",
        "| | posts/s | workers | Kafka | Elasticsearch | PostgreSQL |",
        "|---|---|---|---|---|---|",
    ]
    for name, passages in rows:
        cells = [_us(passages, side) for side in names]
        lines.append(f"| {name} | {_median(passages, _per_s):,.0f} | {' | '.join(cells)} |")
    return lines


def _us(passages: Sequence[Passage], side: str) -> str:
    if side not in passages[0].processor_s:
        return "–"
    return f"{_median(passages, lambda one: one.us(side)):,.1f}"


def _index(found: Found) -> list[str]:
    """Whether the goal beside the raw load can be reached at all on these cores."""
    cores = len(os.sched_getaffinity(0))
    us = _median(found.index.ones, lambda one: sum(map(one.us, one.processor_s)))
    raw = _median(found.index.others, _per_s)
    most = cores * 1e6 / us
    return [
        "## What limits the load into Elasticsearch",
        "",
        f"A post costs {us:,.0f} µs of processor time on all sides together, most of it to be analysed, which the raw"
        f" load does not do. So {cores} cores take {most:,.0f} posts/s at most, {most / raw:.2f} of the raw load, with"
        " however many workers: the goal expects the node to be the slowest part, and on these cores it is not.",
    ]


def _workers(pair: Pair) -> list[str]:
    cores = len(os.sched_getaffinity(0))
    lines = ["## What limits two workers", "", "| | cores in use | of which |", "|---|---|---|"]
    for name, passages in (("one worker", pair.others), ("two workers", pair.ones)):
        used = busiest(passages)
        parts = ", ".join(f"{side} {amount:.2f}" for side, amount in used.items())
        lines.append(f"| {name} | {sum(used.values()):.2f} of {cores} | {parts} |")
    of_two, of_one = busiest(pair.ones), busiest(pair.others)
    most = cores / sum(of_one.values())
    if sum(of_two.values()) >= USED_UP * cores:
        said = "The cores: nothing is left of them, and each post costs what the table says, whoever handles it."
    else:
        idle = cores - sum(of_two.values())
        said = f"Waiting: {idle:.2f} cores are idle while workers wait for answers of the servers."
    return [*lines, "", f"{said} If a post cost the same with both, the ratio could be {most:.2f} at most."]


# ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _append(pair: Pair) -> list[str]:
    lines = ["## Appending, 512 posts at a time", "", "| log | posts/s | processor µs a post |", "|---|---|---|"]
    for name, passages in (("Kafka", pair.ones), ("files", pair.others)):
        lines.append(f"| {name} | {_median(passages, _per_s):,.0f} | {_us(passages, 'workers')} |")
    return lines


def _clients(clients: dict[str, list[dict[str, float]]] | str) -> list[str]:
    lines = ["## kafka-python beside confluent-kafka, for the record", ""]
    if isinstance(clients, str):
        return [*lines, f"Not measured: {clients}."]
    lines += [
        f"The same posts, one partition, acks=all, idempotent, each client's own loop; {PEER} in a folder of this run"
        " only.",
        "",
        "| client | produce /s | processor µs | consume /s | processor µs |",
        "|---|---|---|---|---|",
    ]
    middle = {
        client: {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        for client, rows in clients.items()
    }
    for client, row in middle.items():
        cells = (f"{row[name]:,.{1 if name.endswith('us') else 0}f}" for name in _CLIENT_COLUMNS)
        lines.append(f"| {client} | {' | '.join(cells)} |")
    ours, theirs = middle["kafka-python"], middle["confluent"]
    parts = (f"{ours[name] / theirs[name]:.2f}" for name in _CLIENT_COLUMNS)
    return [*lines, f"| **ratio** | {' | '.join(parts)} |"]


_CLIENT_COLUMNS = ("produce_per_s", "produce_us", "consume_per_s", "consume_us")


def _latency(found: Found) -> list[str]:
    return [
        "## From append to the partner's webhook, over all servers",
        "",
        "analyze, watch and deliver as processes; Kafka carries posts and hits, Elasticsearch and PostgreSQL hold"
        " what became of them.",
        "",
        "| posts/s | needles | missing | p50 ms | p95 ms | p99 ms | worst ms |",
        "|---|---|---|---|---|---|---|",
        *(
            "| {rate:,} | {needles} | {missing} | {p50_ms} | {p95_ms} | {p99_ms} | {worst_ms} |".format(**row)
            for row in found.latency
        ),
    ]


def _storm(found: Found) -> list[str]:
    storm = found.storm
    us = ", ".join(f"{name} {storm.hits.us(name):,.0f}" for name in storm.hits.processor_s)
    return [
        "## A storm of alerts, and the restart of watch",
        "",
        f"{storm.groups:,} groups with two hits each, {storm.alerts:,} alerts: one watch worker took"
        f" {storm.hits.per_s:,.0f} hits a second (processor µs a hit: {us}).",
        "",
        f"A new worker rebuilt all {storm.groups:,} windows in **{storm.restore_s:.1f} s** (goal ≤ 60 s).",
    ]


def _disk(found: Found) -> list[str]:
    lines = [
        "## Disk for a million posts, one copy",
        "",
        "The demo's posts and what became of them; Elasticsearch merged, PostgreSQL vacuumed.",
        "",
        "| store | in files | on servers |",
        "|---|---|---|",
    ]
    for name, each in found.files.bytes_each.items():
        on_server = found.servers.bytes_each.get(name)
        second = "–" if on_server is None else readable_bytes(on_server * 1e6)
        lines.append(f"| {name} | {readable_bytes(each * 1e6)} | {second} |")
    return lines


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _per_s(one: Passage) -> float:
    return one.per_s


def _median(passages: Sequence[Passage], of: Callable[[Passage], float]) -> float:
    return statistics.median(map(of, passages))


def _worker(passages: Sequence[Passage]) -> Worker:
    us = _median(passages, lambda one: one.us("workers"))
    return Worker(per_s=round(_median(passages, _per_s), 1), processor_us=round(us, 1))


def _per_post(disk: Disk) -> PerPost:
    return PerPost(**{name: round(disk.bytes_each[name], 1) for name in ("log", "index", "desk")})
