"""`hustings model train --kind encoder`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec

from classifiers.manifest import manifest_bytes
from classifiers.papers import write_made
from classifiers.pipeline import shipped_models
from classifiers.signing import SIGNATURE
from classifiers.signing import sign as signed
from classifiers.training.encoder.bases import default_cache, find_base
from classifiers.training.encoder.fit import Epoch, Progress
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.encoder.torch_extra import check_extra
from classifiers.training.train import Order
from classifiers.training.train_encoder import train_encoder
from hustings.errors import ConfigError
from runtime.commands.progress import stages
from runtime.commands.terminal import say

__all__ = ["train_an_encoder"]


def train_an_encoder(
    name: str, order: Order, *, base: str | None, beside: Path | None, key: Path | None, as_json: bool
) -> None:
    """Fine-tune the encoder `name` from its recipe, beginning with `base` (the recipe's own if None), beside the linear
    heads in the folder `beside` (the shipped ones if None). Interrupted, it goes on when it is called again."""
    recipe = ENCODERS.get(name)
    if recipe is None:
        raise ConfigError(f"no recipe for an encoder {name!r}; known are {', '.join(ENCODERS)}")
    check_extra()
    began = time.perf_counter()
    found = find_base(base or recipe.base, default_cache())
    epochs: list[Epoch] = []
    bar_at = 0
    with stages(100, shown=not as_json) as bar:

        def step(done: int, of: int, loss: float) -> None:
            nonlocal bar_at
            bar.at(name, f"step {done} of {of}, loss {loss:.3f}")
            while bar_at < done * 100 // of:
                bar_at += 1
                bar.done()

        def epoch(finished: Epoch) -> None:
            epochs.append(finished)
            measured = ", ".join(f"{task} {value}" for task, value in finished.average_precision.items())
            if not as_json:
                say(f"epoch {finished.number}: loss {finished.loss}, average precision on measured rows: {measured}")

        manifest = train_encoder(
            recipe,
            found,
            data=order.data,
            models=order.models,
            beside=beside or shipped_models(),
            seed=order.seed,
            encoder_version=order.version,
            chosen_by=order.chosen_by,
            chosen_at=order.chosen_at,
            checkpoint=order.models / f"{name}.checkpoint",
            progress=Progress(step, epoch),
        )
    folder = order.models / name
    seconds = round(time.perf_counter() - began, 2)
    write_made(folder, seconds)
    if key is not None:
        (folder / SIGNATURE).write_bytes(signed(manifest_bytes(folder), key))
    if as_json:
        told = {
            "model": manifest.tag,
            "folder": str(folder),
            "seconds": seconds,
            "signed": key is not None,
            "base": found._asdict(),
            "epochs": [one._asdict() for one in epochs],
            "metrics": msgspec.to_builtins(manifest.metrics),
        }
        say(json.dumps([told], ensure_ascii=False))
        return
    threshold = manifest.threshold
    say(
        f"{folder}: threshold {threshold.value}, precision {threshold.precision}, recall {threshold.recall} "
        f"({threshold.reason}); {seconds:.0f} s"
    )
