"""Texts with one label per task, and seed sentences with a code. Corpora keep their own definitions: a task sees only
rows that were labelled for it.

The tasks that a linear head stands for are what is served; the others are only learnt beside them, because one encoder
that has to tell several things apart learns more from the same text. A served task also sees our own posts
(`training.own_posts`), which hold what its corpus lacks: women in politics, men who are threatened, protected speech.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from classifiers.encoder.reading import quietly, read_words
from classifiers.manifest import Dataset
from classifiers.narratives.seeds import ORDINARY
from classifiers.own_posts import read_own
from classifiers.training.code_rows import CodeRows, codes_of
from classifiers.training.corpora import Corpus
from classifiers.training.encoder.careless import Said
from classifiers.training.encoder.lesson import NO_CODE
from classifiers.training.ordinary import ordinary_posts
from classifiers.training.own_posts import own_rows, sides
from classifiers.training.seed_rows import is_harm

__all__ = ["Labelled", "Task", "gather"]


class Task(NamedTuple):
    """One output. `head` is the linear head beside which it is served, empty for a task that only helps learning;
    `corpus` and `measured_on` are names of corpora, of `CORPORA` where the encoder is a shipped one: both the same name
    means that a fifth is held out; `weight` is its share of the loss; `precision` what the flags of the served output
    should have; `asked_from` see `EncoderHead`; `own` is the code as which our own posts are labelled, empty for none,
    and `ordinary` says that our ordinary posts are learnt as rows in which nothing is found, both in `language`, which
    is the encoder's own where it is empty."""

    name: str
    corpus: str
    measured_on: str = ""
    head: str = ""
    weight: float = 1.0
    precision: float = 0.0
    asked_from: float | None = None
    own: str = ""
    ordinary: bool = False
    language: str = ""

    @property
    def told(self) -> str:
        """What the manifest says that one output learnt, and how heavily."""
        return f"{self.name} ({self.corpus}) × {self.weight:g}"


class Labelled(NamedTuple):
    """What is read (see `reading`), and [texts, tasks] labels: 0, 1, or NaN where nobody was asked. `codes` are places
    among those of `codes_of`; None where no codes are learnt. `familiar` [texts] are those that the shipped encoder has
    learnt."""

    said: list[Said]
    labels: NDArray[np.float32]
    codes: NDArray[np.int64] | None
    familiar: NDArray[np.bool_]
    datasets: tuple[Dataset, ...]


def gather(
    tasks: Sequence[Task],
    read: Callable[[str, str], Corpus],
    language: str,
    *,
    coded: Sequence[CodeRows] = (),
    harmless: Sequence[str] = (),
    told: Sequence[tuple[str, str]] = (),
) -> Labelled:
    """The training rows of all tasks, which `read` gives by name and use; a text that stands in several corpora is one
    row. Our own posts are those of the task's language, or else of `language`, each side of a post once, but for those
    that are held out of the `coded` rows. Behind them stand the `coded` rows without those. Texts with label 1 in the
    corpora `harmless` have the code of ordinary talk, and in those of the pairs `told` the code that stands beside it;
    they count as familiar, for there are many of them."""
    rows: dict[str, int] = {}
    held = frozenset(
        text for part in coded for text, is_held in zip(part.recorded, part.held.tolist(), strict=True) if is_held
    )
    found: list[tuple[int, int, int]] = []
    datasets: dict[tuple[str, str], Dataset] = {}
    for column, task in enumerate(tasks):
        corpus = read(task.corpus, "training")
        datasets.setdefault((corpus.dataset.file, task.corpus), corpus.dataset)
        labelled = list(zip(corpus.texts, corpus.labels, strict=True))
        speech = task.language or language
        if task.own:
            own = own_rows(speech, task.own)
            datasets.setdefault((own.dataset.file, task.own), own.dataset)
            labelled += _own_posts(speech, task.own, held)
        ordinary = ordinary_posts(speech) if task.ordinary else None
        if ordinary is not None:
            datasets.setdefault((ordinary[1].file, ""), ordinary[1])
            labelled += [(text, 0) for text in ordinary[0]]
        for raw, label in labelled:
            found.append((rows.setdefault(raw, len(rows)), column, label))
    measured = {text for task in tasks if task.measured_on for text in read(task.measured_on, "measuring").texts}
    codes = codes_of(coded)
    meant: dict[int, int] = {}
    for name, code in (*((name, ORDINARY) for name in harmless), *told):
        corpus = read(name, "training")
        datasets.setdefault((corpus.dataset.file, name), corpus.dataset)
        fine = [text for text, label in zip(corpus.texts, corpus.labels, strict=True) if label and text not in measured]
        meant.update((rows.setdefault(text, len(rows)), codes.index(code)) for text in fine)
    said = [Said(tuple(read_words(raw).text().split()), (), "") for raw in rows]
    places = [meant.get(place, NO_CODE) for place in range(len(said))]
    familiar = [place in meant for place in range(len(said))]
    for part in coded:
        learnt = part.learnt()
        counts = {"rows": len(learnt), "positives": sum(is_harm(row.code) for row in learnt)}
        datasets[part.datasets[0].file, ""] = replace(part.datasets[0], **counts)
        for dataset in part.datasets[1:]:
            datasets[dataset.file, ""] = dataset
        said += [_said(row.text, part.names, part.language) for row in learnt]
        places += [codes.index(row.code) for row in learnt]
        familiar += part.familiar()
    labels = np.full((len(said), len(tasks)), np.nan, dtype=np.float32)
    for place, column, label in found:
        labels[place, column] = label
    codes_found = np.array(places) if coded else None
    return Labelled(said, labels, codes_found, np.array(familiar, dtype=bool), tuple(datasets.values()))


def _said(text: str, names: frozenset[str], language: str) -> Said:
    words = read_words(text)
    read = [(token, word) for token, word in zip(words.tokens, words.read, strict=True) if word.text]
    named = tuple(place for place, (token, _) in enumerate(read) if token in names)
    return Said(tuple(quietly(word.text + word.marks) for _, word in read), named, language)


def _own_posts(language: str, code: str, held: Container[str]) -> list[tuple[str, int]]:
    own = read_own(language)
    told = [(post, group.label(code)) for group in own.group for post in group.posts]
    return [
        (text, label)
        for number, (post, label) in enumerate(told)
        if label is not None and post not in held
        for text in sides(post, own, number)
    ]
