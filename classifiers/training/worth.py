"""Learns which posts an encoder is worth asking about (`classifiers.encoder.worth`): from the seeds that it learns, as
they stand, carelessly spelt and amid chatter, beside ordinary talk and harmless posts of public corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from classifiers.encoder.worth import read_for_worth
from classifiers.linear.features import HASH_SEED, HashKey
from classifiers.linear.model import Weights
from classifiers.narratives.seeds import ORDINARY
from classifiers.training.code_rows import CodeRows
from classifiers.training.corpora import Corpus
from classifiers.training.encoder.careless import Said, Spoilt, read_otherwise
from classifiers.training.nb_logistic import Settings, fit, matrix
from classifiers.training.seed_rows import is_harm
from hustings.text import analyse_all

__all__ = ["learn_worth"]

_AMID_CHATTER = 3
"""One of so many sentences of harm is learnt amid two ordinary posts too."""
_SETTINGS = Settings(penalty=1.0)


def learn_worth(
    coded: Sequence[CodeRows], harmless: Sequence[str], read: Callable[[str, str], Corpus], *, seed: int
) -> Weights:
    """From the coded rows that are not held out, and what has label 1 in the corpora `harmless`, which `read` gives by
    name and use. The same rows and seed give the same weights."""
    tokens: list[Sequence[str]] = []
    labels: list[int] = []
    for part in coded:
        rows = list(_readings(part, np.random.default_rng([seed, 7])))
        tokens += [read_for_worth(one.tokens, part.language) for one in analyse_all([text for text, _ in rows])]
        labels += [int(harm) for _, harm in rows]
    for name in harmless:
        corpus = read(name, "training")
        texts = [text for text, label in zip(corpus.texts, corpus.labels, strict=True) if label]
        tokens += [one.tokens for one in analyse_all(texts)]
        labels += [0] * len(texts)
    key = HashKey.from_seed(HASH_SEED)
    learnt = fit(matrix(tokens, key, _SETTINGS), np.array(labels), _SETTINGS, seed=seed)
    return Weights.quantised(learnt.weights, learnt.intercept)


def _readings(part: CodeRows, draw: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Texts, and whether one is harm."""
    rows = part.learnt()
    chatter = [row.text for row in rows if row.code == ORDINARY]
    for place, row in enumerate(rows):
        harm = is_harm(row.code)
        yield row.text, harm
        if harm:
            yield read_otherwise(Said(tuple(row.text.split()), (), part.language), Spoilt(careless=1.0), draw), True
        if harm and place % _AMID_CHATTER == 0:
            before, after = draw.choice(len(chatter), size=2).tolist()
            yield f"{chatter[before]} {row.text} {chatter[after]}", True
    for _ in range(len(chatter)):
        several = draw.choice(len(chatter), size=int(draw.integers(2, 4))).tolist()
        yield " ".join(chatter[place] for place in several), False
