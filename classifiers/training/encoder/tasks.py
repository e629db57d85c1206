"""Texts with one label per task. Corpora keep their own definitions: a task sees only rows that were labelled for it.

The tasks that a linear head stands for are what is served; the others are only learnt beside them, because one encoder
that has to tell several things apart learns more from the same text. A served task also sees our own posts
(`training.own_posts`), which hold what its corpus lacks: women in politics, men who are threatened, protected speech.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.reading import read_words
from classifiers.manifest import Dataset
from classifiers.own_posts import read_own
from classifiers.training.corpora import Corpus
from classifiers.training.own_posts import own_rows, sides

__all__ = ["Labelled", "Task", "gather"]


class Task(NamedTuple):
    """One output. `head` is the linear head beside which it is served, empty for a task that only helps learning;
    `corpus` and `measured_on` are names of corpora, of `CORPORA` where the encoder is a shipped one; `weight` is its
    share of the loss; `precision` what the flags of the served output should have; `asked_from` see `EncoderHead`;
    `own` is the code as which our own posts are labelled, empty for none."""

    name: str
    corpus: str
    measured_on: str = ""
    head: str = ""
    weight: float = 1.0
    precision: float = 0.0
    asked_from: float | None = None
    own: str = ""

    @property
    def told(self) -> str:
        """What the manifest says that one output learnt, and how heavily."""
        return f"{self.name} ({self.corpus}) × {self.weight:g}"


class Labelled(NamedTuple):
    """What is read (see `reading`), and [texts, tasks] labels: 0, 1, or NaN where nobody was asked."""

    texts: list[str]
    labels: NDArray[np.float32]
    datasets: tuple[Dataset, ...]


def gather(tasks: Sequence[Task], read: Callable[[str, str], Corpus], language: str) -> Labelled:
    """The training rows of all tasks, which `read` gives by name and use; a text that stands in several corpora is one
    row. Our own posts are those of `language`, each side of a post once."""
    rows: dict[str, int] = {}
    found: list[tuple[int, int, int]] = []
    datasets: dict[tuple[str, str], Dataset] = {}
    for column, task in enumerate(tasks):
        corpus = read(task.corpus, "training")
        datasets.setdefault((corpus.dataset.file, task.corpus), corpus.dataset)
        labelled = list(zip(corpus.texts, corpus.labels, strict=True))
        if task.own:
            own = own_rows(language, task.own)
            datasets.setdefault((own.dataset.file, task.own), own.dataset)
            labelled += _own_posts(language, task.own)
        for raw, label in labelled:
            found.append((rows.setdefault(raw, len(rows)), column, label))
    labels = np.full((len(rows), len(tasks)), np.nan, dtype=np.float32)
    for row, column, label in found:
        labels[row, column] = label
    return Labelled([read_words(raw).text() for raw in rows], labels, tuple(datasets.values()))


def _own_posts(language: str, code: str) -> list[tuple[str, int]]:
    own = read_own(language)
    told = [(post, group.label(code)) for group in own.group for post in group.posts]
    return [
        (text, label)
        for number, (post, label) in enumerate(told)
        if label is not None
        for text in sides(post, own, number)
    ]
