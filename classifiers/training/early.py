"""Learns what the first layers of a reader of codes guess of the whole (`classifiers.encoder.divided`): how likely all
of it finds something of a topic, by the mean of what they make of the pieces and by what a post is worth asking about.

Targets are what the whole says of the rows that it learnt (distillation: Hinton, Vinyals, Dean 2015), not their labels.
Learnt from as many of our own rows that nobody learnt, the guesses told no better which to read to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import DividedSession
from classifiers.encoder.reading import quietly, read_words
from classifiers.encoder.worth import TOPICS, Topic, Worth
from classifiers.gender import one_gender
from classifiers.meaning.reading import FINAL
from classifiers.roster_names import said_in
from classifiers.softmax import softmax
from classifiers.training.code_rows import CodeRows
from classifiers.training.corpora import Corpus
from classifiers.training.encoder.graph import divided, hidden_size
from classifiers.training.nb_logistic import logistic
from classifiers.training.seed_rows import is_harm

__all__ = ["learn_early"]

F64 = NDArray[np.float64]

_MOST_ROWS = 1200
"""Of the rows of one language, and of the texts of one corpus."""
_PENALTY = 0.05
"""Of `logistic`, on numbers whose deviation is 1."""


class _Read(NamedTuple):
    """[rows, …]: the mean of what the first layers make of the pieces, what a row is worth by topic, and how likely
    something of the topic is by the whole."""

    means: F64
    worth: Mapping[Topic, F64]
    likely: Mapping[Topic, F64]


def learn_early(
    network: bytes,
    tokenizer: bytes,
    codes: Sequence[str],
    worth: Mapping[Topic, Worth],
    coded: Sequence[CodeRows],
    corpora: Sequence[str],
    read: Callable[[str, str], Corpus],
    *,
    seed: int,
) -> tuple[bytes, bytes, Mapping[Topic, Worth]]:
    """The first layers of a `fused` network with their guesses, the other layers, and the heads for worth with what
    each says beside the guesses: from `coded` rows that are not held out, and texts of the `corpora`, which `read`
    gives by name and use. The same rows and seed give the same bytes."""
    from scipy.sparse import csr_matrix

    hidden = hidden_size(network)
    blank = divided(network, np.zeros((hidden, len(TOPICS))), [0.0] * len(TOPICS))
    session = DividedSession.open(*blank, tokenizer, where="a network in training")
    rows = _read(session, codes, worth, list(_texts(coded, corpora, read, seed)))
    mean, deviation = rows.means.mean(axis=0), rows.means.std(axis=0) + 1e-6
    weights = np.zeros((hidden, len(TOPICS)))
    intercepts: list[float] = []
    beside: dict[Topic, float] = {}
    for column, topic in enumerate(TOPICS):
        told = np.column_stack(((rows.means - mean) / deviation, rows.worth[topic]))
        found, intercept = logistic(csr_matrix(told), rows.likely[topic], _PENALTY, np.ones(len(told)))
        weights[:, column] = found[:-1] / deviation
        intercepts.append(intercept - float(weights[:, column] @ mean))
        beside[topic] = round(float(found[-1]), 4)
    first, rest = divided(network, weights, intercepts)
    return first, rest, {topic: worth[topic]._replace(beside=beside[topic]) for topic in TOPICS}


def _texts(
    coded: Sequence[CodeRows], corpora: Sequence[str], read: Callable[[str, str], Corpus], seed: int
) -> Iterator[tuple[str, str]]:
    """Texts and their languages, which nobody says of a corpus."""
    draw = np.random.default_rng([seed, 11])
    for part in coded:
        yield from ((row, part.language) for row in _some([row.text for row in part.learnt()], draw))
    for name in dict.fromkeys(corpora):
        yield from ((text, "") for text in _some(read(name, "training").texts, draw))


def _some(texts: Sequence[str], draw: np.random.Generator) -> list[str]:
    places = draw.permutation(len(texts))[:_MOST_ROWS]
    return [texts[place] for place in sorted(places.tolist())]


def _read(
    session: DividedSession, codes: Sequence[str], worth: Mapping[Topic, Worth], texts: Sequence[tuple[str, str]]
) -> _Read:
    is_of: dict[Topic, NDArray[np.bool_]] = {
        "elections": np.array([code.startswith("N-") for code in codes]),
        "abuse": np.array([is_harm(code) and not code.startswith("N-") for code in codes]),
    }
    means, likely = [], []
    for text, language in texts:
        said = one_gender(quietly(read_words(text).text()), language).rstrip(FINAL)
        begun = session.begin(said)
        means.append(begun.hidden[0].mean(axis=0))
        likely.append(softmax(session.finish(begun)))
    shares, tokens = np.array(likely), [said_in(text) for text, _ in texts]
    languages = [language for _, language in texts]
    return _Read(
        np.array(means, dtype=np.float64),
        {topic: _worth(worth[topic], tokens, languages) for topic in TOPICS},
        {topic: shares[:, is_of[topic]].sum(axis=1).clip(0, 1) for topic in TOPICS},
    )


def _worth(head: Worth, tokens: Sequence[Sequence[str]], languages: Sequence[str]) -> F64:
    found = np.zeros(len(tokens))
    for language in dict.fromkeys(languages):
        places = [place for place, one in enumerate(languages) if one == language]
        found[places] = head.margins([tokens[place] for place in places], language)
    return found
