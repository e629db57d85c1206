"""`hustings model train` without rows of one's own: the shipped models, from their recipes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from classifiers.manifest import Manifest, manifest_bytes
from classifiers.papers import write_made
from classifiers.signing import SIGNATURE
from classifiers.signing import sign as signed
from classifiers.training.order import Order
from classifiers.training.train import check_known, train, trainable
from runtime.commands.progress import stages
from runtime.commands.terminal import say

__all__ = ["train_shipped"]


def train_shipped(names: Sequence[str], order: Order, *, key: Path | None, as_json: bool) -> None:
    """Make the models of these names, or all, sign them if there is a key, and say what came of each. On a terminal the
    stage of each is shown."""
    wanted = names or trainable()
    check_known(wanted)
    told = []
    with stages(len(wanted), shown=not as_json) as progress:
        for name in wanted:
            progress.at(name)
            folder, began = order.models / name, time.perf_counter()
            manifest = train(name, order, tell=partial(progress.at, name))
            seconds = round(time.perf_counter() - began, 2)
            write_made(folder, seconds)
            if key is not None:
                (folder / SIGNATURE).write_bytes(signed(manifest_bytes(folder), key))
            if as_json:
                told.append(_told(manifest, folder, seconds, is_signed=key is not None))
            else:
                threshold = manifest.threshold
                say(
                    f"{folder}: threshold {threshold.value}, precision {threshold.precision}, recall "
                    f"{threshold.recall} ({threshold.reason}); {seconds:,.0f} s"
                )
            progress.done()
    if as_json:
        say(json.dumps(told, ensure_ascii=False))


def _told(manifest: Manifest, folder: Path, seconds: float, *, is_signed: bool) -> dict[str, object]:
    return {
        "model": manifest.tag,
        "folder": str(folder),
        "seconds": seconds,
        "signed": is_signed,
        "threshold": msgspec.to_builtins(manifest.threshold),
        "metrics": msgspec.to_builtins(manifest.metrics),
    }
