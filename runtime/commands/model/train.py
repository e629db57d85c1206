"""`hustings model train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


def train(
    names: Annotated[list[str] | None, typer.Argument(help="models to make; without any, all")] = None,
    data: Annotated[Path, typer.Option("--data", help="folder of the training data")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option("--out", help="folder that the models are written to")] = Path("models"),
    model_version: Annotated[str, typer.Option("--model-version", help="the version that they get")] = "1",
    by: Annotated[str, typer.Option("--by", help="who chooses the threshold")] = "hustings model train",
    at: Annotated[str | None, typer.Option("--at", help="date of the choice; today if not given")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="the shipped models' seed if not given")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="private key to sign with; without it, unsigned")] = None,
) -> None:
    """Train from data whose licence lets weights be shipped, and from our own seeds.

    The same data, seed, version and date give the same bytes.

    Example: hustings model train G-en --data ../shared/data --out models
    """
    from classifiers.manifest import manifest_bytes
    from classifiers.signing import SIGNATURE
    from classifiers.signing import sign as signed
    from classifiers.training.train import SEED, Order, trainable
    from classifiers.training.train import train as make
    from hustings.clock import SystemClock
    from runtime.commands.terminal import say

    order = Order(
        data, out, model_version, by, at or SystemClock().now().date().isoformat(), SEED if seed is None else seed
    )
    for name in names or trainable():
        manifest = make(name, order)
        if key is not None:
            (out / name / SIGNATURE).write_bytes(signed(manifest_bytes(out / name), key))
        threshold = manifest.threshold
        say(
            f"{out / name}: threshold {threshold.value}, precision {threshold.precision}, recall {threshold.recall} "
            f"({threshold.reason})"
        )
