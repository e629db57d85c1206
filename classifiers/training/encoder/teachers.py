"""Teachers: networks that judge each row before another one learns it.

Each learns all rows but a part, near-copies together, and is asked about that part: so what it says is judgement, not
memory. Where a row could as well be something else, or was labelled by mistake, it doubts, and a network that learns
half of that beside the label is less sure of what nobody can be sure of. After G. Hinton et al., "Distilling the
Knowledge in a Neural Network", 2015; on rows that each of them did not learn, as in V. Chernozhukov et al.,
"Double/debiased machine learning", 2018.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.duplicates import clusters, folds
from classifiers.training.encoder.fit import FitSettings, Progress, fine_tune, lesson_as, part_of_progress
from classifiers.training.encoder.network import Network, logits, split
from classifiers.training.encoder.tasks import Labelled
from hustings.errors import ConfigError

__all__ = ["ask_teachers", "probabilities"]

F32 = NDArray[np.float32]


class _Part(NamedTuple):
    """The rows that one teacher does not learn and is asked about, its number from 1 on, its seed, and the file that it
    goes on from."""

    number: int
    asked: NDArray[np.bool_]
    seed: int
    checkpoint: Path


def ask_teachers(
    fresh: Callable[[int], Network],
    labelled: Labelled,
    weights: Sequence[float],
    settings: FitSettings,
    *,
    seed: int,
    of: str,
    checkpoint: Path,
    progress: Progress,
) -> F32:
    """[rows, outputs] how likely each output is by the teacher that did not learn the row. `settings.teachers` of them
    are trained one after the other, each from what `fresh` opens for its number. An interrupted one goes on from a file
    beside `checkpoint`, where what is done is kept until `remove_checkpoints`; `of` names the base.
    Several readings of one post with other names may stand in different parts. Raises `ConfigError` for fewer than two
    teachers, or more than there are rows that are no copies of each other."""
    texts = [one.text for one in labelled.said]
    alike = clusters(texts)
    kinds = len(set(alike.tolist()))
    if not 2 <= settings.teachers <= kinds:
        raise ConfigError(f"{settings.teachers} teachers: each is asked about rows that it did not learn; 2 to {kinds}")
    part = folds(alike, [0] * len(texts), count=settings.teachers, seed=seed)
    parts = [
        _Part(number, part == number - 1, seed + number, checkpoint.with_name(f"{checkpoint.name}.teacher-{number}"))
        for number in range(1, settings.teachers + 1)
    ]
    found = []
    for one in parts:
        told = part_of_progress(progress, one.number - 1, settings.teachers + 1)._replace(epoch=lambda epoch: None)
        found.append(_judged(fresh, labelled, texts, weights, settings, one, of=of, progress=told))
    judged = np.zeros((len(texts), found[0].shape[1]), dtype=np.float32)
    for one, said in zip(parts, found, strict=True):
        judged[one.asked] = said
    return judged


def _judged(
    fresh: Callable[[int], Network],
    labelled: Labelled,
    texts: Sequence[str],
    weights: Sequence[float],
    settings: FitSettings,
    part: _Part,
    *,
    of: str,
    progress: Progress,
) -> F32:
    """What one of them says of its rows."""
    run = _run_of(labelled, texts, weights, settings, part, of)
    kept = part.checkpoint.with_name(f"{part.checkpoint.name}.{run[:16]}.npy")
    if kept.exists():
        done: F32 = np.load(kept, allow_pickle=False)
        return done
    network = fresh(part.number)
    lesson = lesson_as(settings, network, labelled, weights, seed=part.seed, among=~part.asked)
    # measured on nothing: the last epoch counts, none is chosen on rows that the pupil is measured on
    fine_tune(network, lesson, (), settings, seed=part.seed, of=run, checkpoint=part.checkpoint, progress=progress)
    rows = [text for text, is_asked in zip(texts, part.asked.tolist(), strict=True) if is_asked]
    found = probabilities(logits(network, split(network, rows)), tasks=labelled.labels.shape[1])
    unfinished = kept.with_name(f"{kept.name}.new")
    with unfinished.open("wb") as file:
        np.save(file, found)
    os.replace(unfinished, kept)
    part.checkpoint.unlink(missing_ok=True)
    return found


def _run_of(
    labelled: Labelled, texts: Sequence[str], weights: Sequence[float], settings: FitSettings, part: _Part, of: str
) -> str:
    """Names all that what a teacher says depends on."""
    rows = hashlib.sha256("\n".join(texts).encode() + labelled.labels.tobytes() + part.asked.tobytes())
    if labelled.codes is not None:
        rows.update(labelled.codes.tobytes())
    run = json.dumps([part.seed, settings, list(weights), rows.hexdigest(), of])
    return hashlib.sha256(run.encode()).hexdigest()


def probabilities(found: NDArray[np.float64], *, tasks: int) -> F32:
    """Of logits [rows, outputs]: each of the first, the tasks, by itself, and the others, the codes, together."""
    codes = found[:, tasks:]
    if codes.size:
        shares = np.exp(codes - codes.max(axis=1, keepdims=True))
        codes = shares / shares.sum(axis=1, keepdims=True)
    return np.concatenate((1.0 / (1.0 + np.exp(-found[:, :tasks])), codes), axis=1).astype(np.float32)
