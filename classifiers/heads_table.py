"""The table of all heads and languages: what each is worth on rows that it was not trained on, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapreplace
from textwrap import fill

from msgspec import Struct

from classifiers.encoder.heads import heads_in
from classifiers.manifest import Manifest, Metric
from classifiers.papers import NOT_RUN, read_papers
from classifiers.store import ModelStore, Stored
from classifiers.thresholds import decides, served_rows

__all__ = [
    "COLUMNS",
    "SHOWN",
    "HeadRow",
    "cells",
    "heads_of",
    "heads_table",
    "linear_training",
    "linear_training_s",
    "page",
    "unjudged",
]

SHOWN = {
    "pr_auc": "PR-AUC",
    "macro_f1": "macro-F1",
    "precision": "precision",
    "recall": "recall",
    "recall_at_precision_90": "recall at .90",
    "ece": "ECE",
}
"""Measures that stand in the table, by their names in a manifest."""

WIDTH = 120
"""Of a line of prose on the page."""

COLUMNS = ("head", "lang", "flag from", *SHOWN.values(), "posts", "µs a post", "size", "training", "gates")


class HeadRow(Struct, frozen=True, kw_only=True):
    """One head: a code that a model gives in a language. `on` says on which rows it was measured, `metrics` holds the
    numbers of `SHOWN` with their 95 % intervals as far as its training measured them. `us_a_post`, `bytes` and
    `training_s` are those of the whole model `model`; `us_a_post` and `training_s` are None where nobody measured."""

    head: str
    model: str
    version: str
    kind: str
    language: str
    code: str
    threshold: float
    on: str
    metrics: tuple[Metric, ...]
    us_a_post: float | None
    bytes: int
    training_s: float | None
    gates: str


def heads_table(store: ModelStore, *, us_a_post: dict[str, float] | None = None) -> list[HeadRow]:
    """A row for each head that serves and can be read, by name. `us_a_post` holds costs that were measured now, by tag;
    without one, that of the last run of the gates stands."""
    rows = []
    for name in store.readable():
        stored = store.find(name)
        if stored.manifest.kind == "embedder":  # gives vectors, no score
            continue
        papers = read_papers(stored.folder, stored.manifest)
        cost = (us_a_post or {}).get(stored.manifest.tag, papers.us_a_post)
        rows += [
            HeadRow(
                head=head,
                model=name,
                version=stored.manifest.version,
                kind=stored.manifest.kind,
                language=stored.manifest.language,
                code=code,
                threshold=threshold,
                on=on,
                metrics=_shown(stored.manifest, on),
                us_a_post=cost or None,  # 0: a kind of which no post is timed
                bytes=papers.bytes,
                training_s=papers.training_s,
                gates=papers.gates,
            )
            for head, code, threshold, on in heads_of(stored)
        ]
    return rows


def heads_of(stored: Stored) -> list[tuple[str, str, float, str]]:
    """Name, code and threshold of each head of a model, and the rows on which it is to be judged, which are never rows
    of the training."""
    manifest = stored.manifest
    if manifest.kind != "encoder":
        return [(manifest.name, manifest.code, decides(manifest)[1], manifest.judged_on)]
    found = heads_in(stored.folder, manifest)
    return [
        (
            f"{manifest.name}: {one.code}",
            one.code,
            one.threshold.value,
            served_rows(manifest, one.beside),
        )
        for one in found
    ]


def linear_training_s(rows: Sequence[HeadRow], jobs: int = 1) -> float | None:
    """Seconds for training all linear heads anew, so many of them at a time, the longest first; None while one of them
    is not known."""
    seconds = [one.training_s for one in rows if one.kind == "linear"]
    known = sorted((one for one in seconds if one is not None), reverse=True)
    busy = [0.0] * jobs
    for one in known:
        heapreplace(busy, busy[0] + one)
    return round(max(busy), 1) if len(known) == len(seconds) else None


def linear_training(rows: Sequence[HeadRow]) -> str | None:
    """The sentence about it."""
    one, two = linear_training_s(rows), linear_training_s(rows, 2)
    if one is None or two is None:
        return None
    return (
        f"All linear heads are trained anew in {one:,.0f} s, two at a time in {two:,.0f} s (goal 300 s on two cores)."
    )


def unjudged(rows: Sequence[HeadRow]) -> list[str]:
    """The models of which no record of the gates lies here, by tag: such records are of one machine and not shipped."""
    return sorted({f"{one.model}@{one.version}" for one in rows if one.gates == NOT_RUN})


def cells(row: HeadRow) -> list[str]:
    """One line of the table for people."""
    measured = {metric.name: metric for metric in row.metrics}
    n = max((metric.n for metric in row.metrics), default=0)
    return [
        f"{row.head}@{row.version}" if row.kind != "encoder" else row.head.replace(":", f"@{row.version}:", 1),
        row.language,
        _share(row.threshold),
        *(_interval(measured.get(name)) for name in SHOWN),
        f"{n:,}" if n else "–",
        "–" if row.us_a_post is None else f"{row.us_a_post:,.1f}",
        _size(row.bytes),
        "–" if row.training_s is None else f"{row.training_s:,.1f} s",
        row.gates,
    ]


def page(rows: Sequence[HeadRow]) -> str:
    """`docs/heads.md`."""
    lines = [
        "# All heads",
        "",
        fill(
            "Generated by `make docs` (`hustings model table --page`). Numbers are those of the manifests, with 95 % "
            "intervals by bootstrap: on development rows, or cross-validated where there are none. What a head cannot "
            "do stands in its card (`hustings model card`).",
            WIDTH,
        ),
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
        *(f"| {' | '.join(cells(row))} |" for row in rows),
        "",
        "| head | measured on |",
        "|---|---|",
        *(f"| {cells(row)[0]} | {row.on or '–'} |" for row in rows),
        "",
    ]
    if (sentence := linear_training(rows)) is not None:
        lines += [sentence, ""]
    lines.append(
        fill(
            "µs a post: when the gates were last run, on that machine; `hustings model table --measure` measures it "
            "anew. That of the encoder is over posts of which few are read. Heads of one language are scored in one "
            "pass, so together they cost less than the sum. Size and training are those of the whole model. The "
            "encoder's seconds are those of joining it with the linear heads; its fine-tuning takes about an hour "
            "on two cores.",
            WIDTH,
        )
    )
    return "\n".join(lines) + "\n"


def _shown(manifest: Manifest, on: str) -> tuple[Metric, ...]:
    """Calibration is measured on those of the rows that an encoder is asked about, where it is not asked about all."""
    found = {metric.name: metric for metric in manifest.metrics if metric.on == on and metric.name in SHOWN}
    of_some = (metric for metric in manifest.metrics if metric.name == "ece" and metric.on.startswith(on))
    if "ece" not in found and (ece := next(of_some, None)) is not None:
        found["ece"] = ece
    return tuple(found.values())


def _interval(metric: Metric | None) -> str:
    if metric is None:
        return "–"
    return f"{_share(metric.value)} [{_share(metric.low)}, {_share(metric.high)}]"


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"
