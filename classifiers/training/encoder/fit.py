"""Fine-tuning: length-bucketed batches, warm-up and linear decay, the best epoch by a rule stated beforehand, and a
checkpoint from which an interrupted training goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.network import Network, Pieces, logits, pad_id, padded
from classifiers.training.encoder.torch_extra import need
from classifiers.training.measures import average_precision

__all__ = ["Epoch", "FitSettings", "Progress", "fine_tune"]

F32 = NDArray[np.float32]

_CHECKPOINT_STEPS = 100
_BUCKET = 50  # batches are cut from so many batches' worth of shuffled rows, sorted by length


class FitSettings(NamedTuple):
    """`warm_up` is the share of all steps in which the rate rises; `bf16` computes (never stores) in bfloat16, 1.5
    times as fast on processors that have it."""

    epochs: int = 2
    batch: int = 32
    rate: float = 5e-5
    warm_up: float = 0.06
    decay: float = 0.01
    threads: int = 2
    bf16: bool = True


class Epoch(NamedTuple):
    """How the tasks stood on their measured rows after an epoch: average precision by task, and the mean loss."""

    number: int
    loss: float
    average_precision: dict[str, float]


class Progress(NamedTuple):
    """Told while training: steps done and to do, and each finished epoch."""

    step: Callable[[int, int, float], None]
    epoch: Callable[[Epoch], None]


class Measured(NamedTuple):
    """The rows on which one task is measured after each epoch."""

    task: str
    column: int
    pieces: Pieces
    labels: NDArray[np.int64]


def fine_tune(
    network: Network,
    pieces: Pieces,
    labels: F32,
    weights: Sequence[float],
    measured: Sequence[Measured],
    settings: FitSettings,
    *,
    seed: int,
    of: str,
    checkpoint: Path,
    progress: Progress,
) -> list[Epoch]:
    """Train all weights in place and leave those of the best epoch: the one with the largest average precision of the
    first measured task. `labels` are [texts, tasks], NaN where unknown. Goes on from `checkpoint` if there is one of
    the same seed and settings and `of` the same base and data, and removes it at the end."""
    torch = need("torch")
    torch.set_num_threads(settings.threads)
    module = network.module
    steps_an_epoch = -(-len(pieces) // settings.batch)
    total = steps_an_epoch * settings.epochs
    optimiser = torch.optim.AdamW(module.parameters(), lr=settings.rate, weight_decay=settings.decay, fused=True)
    warm = max(1, round(total * settings.warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.0, (total - step) / max(1, total - warm)))
    )
    torch.manual_seed(seed)
    run = json.dumps([seed, settings, len(pieces), list(weights), of])
    state = _State(run, 0, [], 0.0, {})
    if checkpoint.exists():
        state = _resume(checkpoint, state, module, optimiser, schedule)
    targets, task_weights = torch.from_numpy(labels), torch.tensor(list(weights))
    while state.step < total:
        epoch, within = divmod(state.step, steps_an_epoch)
        batches = _batches(pieces, settings.batch, np.random.default_rng([seed, epoch]))
        module.train()
        for rows in batches[within:]:
            ids, mask = padded([pieces[row] for row in rows], pad_id(network))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
                found = module(torch.from_numpy(ids), torch.from_numpy(mask))
            loss = _masked_loss(torch, found.float(), targets[rows], task_weights)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            state = state._replace(step=state.step + 1, loss=state.loss + float(loss.detach()))
            progress.step(state.step, total, float(loss.detach()))
            if state.step % _CHECKPOINT_STEPS == 0 and state.step % steps_an_epoch:
                _save(checkpoint, state, module, optimiser, schedule)
        state = _measure(network, measured, state, steps_an_epoch)
        progress.epoch(state.epochs[-1])
        _save(checkpoint, state, module, optimiser, schedule)
    module.load_state_dict(state.best)
    checkpoint.unlink(missing_ok=True)
    return state.epochs


class _State(NamedTuple):
    run: str
    step: int
    epochs: list[Epoch]
    loss: float
    best: dict[str, Any]


def _measure(network: Network, measured: Sequence[Measured], state: _State, steps: int) -> _State:
    scores = {}
    for one in measured:
        found = logits(network, one.pieces)[:, one.column]
        scores[one.task] = round(average_precision(one.labels, found), 4)
    now = Epoch(len(state.epochs) + 1, round(state.loss / steps, 4), scores)
    first = next(iter(scores), "")
    best = state.best
    if not first or all(now.average_precision[first] > past.average_precision[first] for past in state.epochs):
        best = {name: tensor.clone() for name, tensor in network.module.state_dict().items()}
    return state._replace(epochs=[*state.epochs, now], loss=0.0, best=best)


def _masked_loss(torch: Any, found: Any, targets: Any, weights: Any) -> Any:
    """Binary cross-entropy: per task the mean over the rows that have its label, then the weighted sum."""
    known = ~targets.isnan()
    each = torch.nn.functional.binary_cross_entropy_with_logits(found, targets.nan_to_num(0.0), reduction="none")
    by_task = (each * known).sum(0) / known.sum(0).clamp(min=1)
    return (by_task * weights).sum()


def _batches(pieces: Pieces, size: int, draw: np.random.Generator) -> list[list[int]]:
    """Rows of like length together, so that little is padding; buckets and batches in random order."""
    rows = draw.permutation(len(pieces)).tolist()
    batches = []
    for start in range(0, len(rows), size * _BUCKET):
        bucket = sorted(rows[start : start + size * _BUCKET], key=lambda row: len(pieces[row]))
        batches += [bucket[place : place + size] for place in range(0, len(bucket), size)]
    return [batches[place] for place in draw.permutation(len(batches)).tolist()]


def _save(path: Path, state: _State, module: Any, optimiser: Any, schedule: Any) -> None:
    torch = need("torch")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    torch.save(
        {
            "run": state.run,
            "step": state.step,
            "epochs": [tuple(epoch) for epoch in state.epochs],
            "loss": state.loss,
            "best": state.best,
            "module": module.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
        },
        fresh,
    )
    os.replace(fresh, path)


def _resume(path: Path, state: _State, module: Any, optimiser: Any, schedule: Any) -> _State:
    torch = need("torch")
    saved = torch.load(path, weights_only=True)
    if saved["run"] != state.run:
        return state
    module.load_state_dict(saved["module"])
    optimiser.load_state_dict(saved["optimiser"])
    schedule.load_state_dict(saved["schedule"])
    torch.set_rng_state(saved["random"])
    epochs = [Epoch(*epoch) for epoch in saved["epochs"]]
    return _State(state.run, saved["step"], epochs, saved["loss"], saved["best"])
