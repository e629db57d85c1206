"""Fine-tuning: length-bucketed batches, warm-up and linear decay, the best epoch by a rule stated beforehand, and a
checkpoint from which an interrupted training goes on as if nothing had happened. On a graphics processor where torch
sees one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.careless import Spoilt
from classifiers.training.encoder.lesson import NO_CODE, Lesson, lesson_of
from classifiers.training.encoder.network import Network, Pieces, logits, pad_id, padded
from classifiers.training.encoder.tasks import Labelled
from classifiers.training.encoder.torch_extra import need
from classifiers.training.measures import average_precision

__all__ = [
    "Epoch",
    "FitSettings",
    "Measured",
    "Progress",
    "fine_tune",
    "lesson_as",
    "part_of_progress",
    "remove_checkpoints",
]

_CHECKPOINT_STEPS = 100
_JUDGED = 0.5
"""Share of a label that is what teachers say of the row; chosen by hand, held against no other."""
_BUCKET = 50  # batches are cut from so many batches' worth of shuffled rows, sorted by length


class FitSettings(NamedTuple):
    """`warm_up` is the share of all steps in which the rate rises; `bf16` computes (never stores) in bfloat16, 1.5
    times as fast on processors that have it. With `averaged` above 0 what counts is the running mean of the weights,
    of which each step leaves that share; with `last` those of the last epoch, else of the best. `smoothing` is that of
    the labels of codes. `teachers` is how many networks judge the rows beforehand (see `ask_teachers`), 0 for none;
    `networks_averaged` how many learn, of which the mean of the weights serves (see `average_of`).
    `share`: see `lesson_of`; the others are how rows are read, see `Spoilt`."""

    epochs: int = 2
    batch: int = 32
    rate: float = 5e-5
    warm_up: float = 0.06
    decay: float = 0.01
    threads: int = 2
    bf16: bool = True
    averaged: float = 0.0
    last: bool = False
    smoothing: float = 0.0
    teachers: int = 0
    networks_averaged: int = 1
    share: float = 1.0
    careless: float = 0.0
    nameless: float = 0.0
    other_gender: float = 0.0


class Epoch(NamedTuple):
    """How the tasks stood on their measured rows after an epoch: average precision by task, and the mean loss."""

    number: int
    loss: float
    average_precision: dict[str, float]


class Progress(NamedTuple):
    """Told while training: steps done and to do, and each finished epoch."""

    step: Callable[[int, int, float], None]
    epoch: Callable[[Epoch], None]


def part_of_progress(progress: Progress, number: int, of: int) -> Progress:
    """What one of several trainings tells: its steps are one part of the whole, whatever the others have."""

    def step(done: int, total: int, loss: float) -> None:
        progress.step(number * total + done, of * total, loss)

    return progress._replace(step=step)


class Measured(NamedTuple):
    """The rows on which one task is measured after each epoch."""

    task: str
    column: int
    pieces: Pieces
    labels: NDArray[np.int64]


def lesson_as(
    settings: FitSettings,
    network: Network,
    labelled: Labelled,
    weights: Sequence[float],
    *,
    seed: int,
    familiar: NDArray[np.bool_] | None = None,
    among: NDArray[np.bool_] | None = None,
) -> Lesson:
    """The rows read as the settings say; `familiar` and `among`: see `lesson_of`."""
    return lesson_of(
        network,
        labelled.said,
        labelled.labels,
        weights,
        labelled.codes,
        share=settings.share,
        spoilt=Spoilt(settings.careless, settings.nameless, settings.other_gender),
        seed=seed,
        familiar=familiar,
        among=among,
    )


def fine_tune(
    network: Network,
    lesson: Lesson,
    measured: Sequence[Measured],
    settings: FitSettings,
    *,
    seed: int,
    of: str,
    checkpoint: Path,
    progress: Progress,
) -> list[Epoch]:
    """Train all weights in place and leave those of the best epoch: the one with the largest average precision of the
    first measured task; or of the last one. Goes on from `checkpoint` if there is one of the same seed and settings and
    `of` the same base and data; whoever has written what comes of it calls `remove_checkpoints`."""
    torch = need("torch")
    torch.set_num_threads(settings.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = network.module.to(device)
    steps_an_epoch = -(-lesson.rows_an_epoch // settings.batch)
    total = steps_an_epoch * settings.epochs
    optimiser = torch.optim.AdamW(module.parameters(), lr=settings.rate, weight_decay=settings.decay, fused=True)
    warm = max(1, round(total * settings.warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.0, (total - step) / max(1, total - warm)))
    )
    torch.manual_seed(seed)
    run = json.dumps([seed, settings, lesson.rows_an_epoch, list(lesson.weights), of])
    mean = _Mean(torch, module, settings.averaged)
    state = _State(run, 0, [], 0.0, {})
    if checkpoint.exists():
        state = _resume(checkpoint, state, module, optimiser, schedule, mean)
    loss_of = _Loss(torch, lesson, settings.smoothing, device)
    while state.step < total:
        epoch, within = divmod(state.step, steps_an_epoch)
        draw = np.random.default_rng([seed, epoch])
        rows, pieces = lesson.read(epoch)
        module.train()
        for places in _batches(pieces, settings.batch, draw)[within:]:
            ids, mask = padded([pieces[place] for place in places], pad_id(network))
            with torch.autocast(device, dtype=torch.bfloat16, enabled=settings.bf16):
                found = module(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            loss = loss_of(found.float(), [rows[place] for place in places])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            mean.take(state.step)
            state = state._replace(step=state.step + 1, loss=state.loss + float(loss.detach()))
            progress.step(state.step, total, float(loss.detach()))
            if state.step % _CHECKPOINT_STEPS == 0 and state.step % steps_an_epoch:
                _save(checkpoint, state, module, optimiser, schedule, mean)
        with mean.in_place():
            state = _measure(network, measured, state, steps_an_epoch, last=settings.last)
        progress.epoch(state.epochs[-1])
        _save(checkpoint, state, module, optimiser, schedule, mean)
    module.load_state_dict(state.best)
    network.module.to("cpu")
    return state.epochs


def remove_checkpoints(checkpoint: Path) -> None:
    """Of a training that is over: what it, and teachers before it, would have gone on from."""
    for left in (checkpoint, *checkpoint.parent.glob(f"{checkpoint.name}.*")):
        left.unlink(missing_ok=True)


class _Mean:
    """The running mean of a module's weights, young at first; of nothing where its share is 0."""

    _EVERY = 5

    def __init__(self, torch: Any, module: Any, share: float) -> None:
        self._torch, self._module, self._share = torch, module, share
        self.weights = {name: one.detach().clone() for name, one in self._own()} if share else {}

    def _own(self) -> Any:
        return self._module.named_parameters()

    def take(self, step: int) -> None:
        """Called after each step; every few, so that it costs little."""
        if self._share and (step + 1) % self._EVERY == 0:
            share = min(self._share, step / (step + 50))
            own = dict(self._own())
            for name, mean in self.weights.items():
                mean.lerp_(own[name].detach(), 1.0 - share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The module has the mean for its weights meanwhile."""
        former = {name: one.detach().clone() for name, one in self._own()} if self._share else {}
        self.put(self.weights)
        try:
            yield
        finally:
            self.put(former)

    def put(self, weights: dict[str, Any]) -> None:
        own = dict(self._own())
        with self._torch.no_grad():
            for name, one in weights.items():
                own[name].copy_(one)


class _Loss:
    """Binary cross-entropy of the tasks: per task the mean over the rows that have its label, then the weighted sum;
    and, of the rows that have a code, cross-entropy over the outputs behind those of the tasks. Where teachers spoke,
    a label is half what stands in the data, half what they say."""

    def __init__(self, torch: Any, lesson: Lesson, smoothing: float, device: str) -> None:
        self._torch, self._smoothing = torch, smoothing
        self._targets = torch.from_numpy(lesson.labels).to(device)
        self._codes = None if lesson.codes is None else torch.from_numpy(lesson.codes).to(device)
        self._weights = torch.tensor(list(lesson.weights), device=device)
        self._judged = None if lesson.judged is None else torch.from_numpy(lesson.judged).to(device)

    def __call__(self, found: Any, rows: Sequence[int]) -> Any:
        of_loss = self._torch.nn.functional
        tasks = self._targets.shape[1]
        targets = self._targets[rows]
        known = ~targets.isnan()
        targets = targets.nan_to_num(0.0)
        if self._judged is not None:
            targets = targets.lerp(self._judged[rows][:, :tasks], _JUDGED)
        each = of_loss.binary_cross_entropy_with_logits(found[:, :tasks], targets, reduction="none")
        if self._codes is None:
            by_task = (each * known).sum(0) / known.sum(0).clamp(min=1)
            return (by_task * self._weights).sum()
        # rows of all kinds stand in one batch, some of them rare: each row counts alike
        return (self._of_codes(found[:, tasks:], self._codes[rows], rows) + (each * known * self._weights).sum()) / len(
            rows
        )

    def _of_codes(self, found: Any, codes: Any, rows: Sequence[int]) -> Any:
        of_loss = self._torch.nn.functional
        if self._judged is None:
            return of_loss.cross_entropy(
                found, codes, ignore_index=NO_CODE, label_smoothing=self._smoothing, reduction="sum"
            )
        aims = of_loss.one_hot(codes.clamp(min=0), found.shape[1]).to(found.dtype)
        aims = aims.lerp(self._judged[rows][:, -found.shape[1] :], _JUDGED)
        each = of_loss.cross_entropy(found, aims, label_smoothing=self._smoothing, reduction="none")
        return (each * (codes != NO_CODE)).sum()


class _State(NamedTuple):
    run: str
    step: int
    epochs: list[Epoch]
    loss: float
    best: dict[str, Any]


def _measure(network: Network, measured: Sequence[Measured], state: _State, steps: int, *, last: bool) -> _State:
    scores = {}
    for one in measured:
        found = logits(network, one.pieces)[:, one.column]
        scores[one.task] = round(average_precision(one.labels, found), 4)
    now = Epoch(len(state.epochs) + 1, round(state.loss / steps, 4), scores)
    first = next(iter(scores), "")
    best = state.best
    if last or not first or all(now.average_precision[first] > past.average_precision[first] for past in state.epochs):
        best = {name: tensor.clone() for name, tensor in network.module.state_dict().items()}
    return state._replace(epochs=[*state.epochs, now], loss=0.0, best=best)


def _batches(pieces: Pieces, size: int, draw: np.random.Generator) -> list[list[int]]:
    """Rows of like length together, so that little is padding; buckets and batches in random order."""
    rows = draw.permutation(len(pieces)).tolist()
    batches = []
    for start in range(0, len(rows), size * _BUCKET):
        bucket = sorted(rows[start : start + size * _BUCKET], key=lambda row: len(pieces[row]))
        batches += [bucket[place : place + size] for place in range(0, len(bucket), size)]
    return [batches[place] for place in draw.permutation(len(batches)).tolist()]


def _save(path: Path, state: _State, module: Any, optimiser: Any, schedule: Any, mean: _Mean) -> None:
    torch = need("torch")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
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
            "mean": mean.weights,
            "random": torch.get_rng_state(),
        },
        fresh,
    )
    os.replace(fresh, path)


def _resume(path: Path, state: _State, module: Any, optimiser: Any, schedule: Any, mean: _Mean) -> _State:
    torch = need("torch")
    saved = torch.load(path, weights_only=True)
    if saved["run"] != state.run:
        return state
    module.load_state_dict(saved["module"])
    optimiser.load_state_dict(saved["optimiser"])
    schedule.load_state_dict(saved["schedule"])
    mean.weights = saved["mean"]
    torch.set_rng_state(saved["random"])
    epochs = [Epoch(*epoch) for epoch in saved["epochs"]]
    return _State(state.run, saved["step"], epochs, saved["loss"], saved["best"])
