"""`hustings model train` without rows of one's own: the shipped models, from their recipes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from classifiers.manifest import Manifest, manifest_bytes
from classifiers.papers import write_made
from classifiers.signing import SIGNATURE
from classifiers.signing import sign as signed
from classifiers.training.order import Order
from classifiers.training.stages import Tell, to_nobody
from classifiers.training.train import check_known, made_together, train, trainable
from runtime.commands.progress import Stages, stages
from runtime.commands.terminal import say

__all__ = ["train_shipped"]

_THREADS = "OMP_NUM_THREADS"


class _Made(NamedTuple):
    manifest: Manifest
    folder: Path
    seconds: float


def train_shipped(names: Sequence[str], order: Order, *, key: Path | None, jobs: int, as_json: bool) -> None:
    """Make the models of these names, or all, sign them if there is a key, and say what came of each; `jobs` of them at
    a time, each in a process of its own. On a terminal it is shown what is made and, one at a time, its stage."""
    wanted = names or trainable()
    check_known(wanted)
    parts = made_together(wanted)
    told = []
    began = time.perf_counter()
    with stages(len(wanted), shown=not as_json) as progress:
        several = min(jobs, len(parts)) > 1
        made = _at_a_time(jobs, parts, order, key, progress) if several else _one_by_one(wanted, order, key, progress)
        for one in made:
            if as_json:
                told.append(_told(one, is_signed=key is not None))
            else:
                threshold = one.manifest.threshold
                say(
                    f"{one.folder}: threshold {threshold.value}, precision {threshold.precision}, recall "
                    f"{threshold.recall} ({threshold.reason}); {one.seconds:,.0f} s"
                )
            progress.done()
    if as_json:
        say(json.dumps(told, ensure_ascii=False))
    elif len(wanted) > 1:
        say(f"{len(wanted)} models in {time.perf_counter() - began:,.0f} s")


def _one_by_one(names: Sequence[str], order: Order, key: Path | None, progress: Stages) -> Iterator[_Made]:
    for name in names:
        progress.at(name)
        yield _make(name, order, key, partial(progress.at, name))


def _at_a_time(
    jobs: int, parts: Sequence[Sequence[str]], order: Order, key: Path | None, progress: Stages
) -> Iterator[_Made]:
    """As each part is done. When one fails those that wait are given up."""
    with _threads_each(jobs), ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_make_all, part, order, key): part for part in parts}
        try:
            while waiting:
                progress.at(", ".join(part[0] for part in list(waiting.values())[:jobs]))
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    del waiting[done]
                    yield from done.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _threads_each(jobs: int) -> Iterator[None]:
    """Processes that are started meanwhile share the processors instead of each claiming all of them."""
    former = os.environ.get(_THREADS)
    os.environ.setdefault(_THREADS, str(max(1, (os.cpu_count() or 1) // jobs)))
    try:
        yield
    finally:
        if former is None:
            os.environ.pop(_THREADS, None)


def _make_all(names: Sequence[str], order: Order, key: Path | None) -> list[_Made]:
    return [_make(name, order, key, to_nobody) for name in names]


def _make(name: str, order: Order, key: Path | None, tell: Tell) -> _Made:
    folder, began = order.models / name, time.perf_counter()
    manifest = train(name, order, tell=tell)
    seconds = round(time.perf_counter() - began, 2)
    write_made(folder, seconds)
    if key is not None:
        (folder / SIGNATURE).write_bytes(signed(manifest_bytes(folder), key))
    return _Made(manifest, folder, seconds)


def _told(made: _Made, *, is_signed: bool) -> dict[str, object]:
    return {
        "model": made.manifest.tag,
        "folder": str(made.folder),
        "seconds": made.seconds,
        "signed": is_signed,
        "threshold": msgspec.to_builtins(made.manifest.threshold),
        "metrics": msgspec.to_builtins(made.manifest.metrics),
    }
