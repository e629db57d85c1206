"""Learns which posts an encoder is worth asking about (`classifiers.encoder.worth`): from the rows whose codes it
learns, as they stand, carelessly spelt and amid chatter, beside ordinary talk and harmless posts of public corpora."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from classifiers.encoder.worth import Topic, Worth, read_for_worth
from classifiers.linear.features import HASH_SEED, HashKey
from classifiers.linear.model import Weights
from classifiers.narratives.seeds import ORDINARY
from classifiers.roster_names import said_in
from classifiers.training.code_rows import ABUSE, CodeRows
from classifiers.training.corpora import Corpus
from classifiers.training.encoder.careless import Said, Spoilt, read_otherwise
from classifiers.training.nb_logistic import Settings, fit, matrix
from classifiers.training.seed_rows import is_harm

__all__ = ["learn_worth"]

_SPOILT = 2
"""One of so many rows that are worth nothing is learnt carelessly spelt too, so that slips themselves are worth
nothing; of the others every one."""
_AMID_CHATTER = 3
"""One of so many sentences of harm is learnt amid two ordinary posts too."""
_SETTINGS = Settings(penalty=1.0)


def learn_worth(
    topic: Topic,
    coded: Sequence[CodeRows],
    harmless: Sequence[str],
    read: Callable[[str, str], Corpus],
    *,
    seed: int,
    told: Sequence[tuple[str, str]] = (),
) -> Worth:
    """From the coded rows that are not held out, and what has label 1 in the corpora `harmless`, which `read` gives by
    name and use. What has it in the corpora of the pairs `told` is worth a question about abuse; harmless posts of
    their files then tell nothing, for many are pairs that words do not tell apart. Whom a post
    answers is not learnt: in corpora of tweets nearly every post begins with a handle, and hardly any of our own does.
    The same rows and seed give the same weights."""
    tokens: list[Sequence[str]] = []
    labels: list[int] = []
    chatter: dict[str, list[str]] = defaultdict(list)
    for part in coded:
        chatter[part.language] += [row.text for row in part.learnt() if row.code == ORDINARY]
    for part in coded:
        draw = np.random.default_rng([seed, 7])
        read_as = list(_readings(topic, part, chatter[part.language], draw))
        tokens += [read_for_worth(said_in(text), part.language) for text, _ in read_as]
        labels += [int(harm) for _, harm in read_as]
    abusive = [read(name, "training") for name, _ in told] if topic == "abuse" else []
    files = {corpus.dataset.file for corpus in abusive}
    fine = [corpus for corpus in (read(name, "training") for name in harmless) if corpus.dataset.file not in files]
    for label, corpora in ((1, abusive), (0, fine)):
        texts = [text for corpus in corpora for text, found in zip(corpus.texts, corpus.labels, strict=True) if found]
        tokens += map(said_in, texts)
        labels += [label] * len(texts)
    key = HashKey.from_seed(HASH_SEED)
    learnt = fit(matrix(tokens, key, _SETTINGS), np.array(labels), _SETTINGS)
    return Worth(Weights.quantised(learnt.weights, learnt.intercept))


def _is_worth(topic: Topic, part: CodeRows, code: str, of_minority: bool) -> bool | None:
    """Whether such rows are; None for those from which nothing is learnt: threats and insults among our own posts are
    like those among the seeds, about which narratives ask, and no less like all others; and words do not tell who
    speaks well of a minority from who does not, so that the name of one is worth asking about."""
    if topic == "abuse":
        return of_minority or (is_harm(code) and not code.startswith("N-"))
    return None if is_harm(code) and part.key.startswith(ABUSE) else is_harm(code)


def _readings(
    topic: Topic, part: CodeRows, chatter: Sequence[str], draw: np.random.Generator
) -> Iterator[tuple[str, bool]]:
    """Texts, and whether one is worth it; `chatter` are ordinary posts of the language."""
    ordinary = 0
    for place, (row, of_minority) in enumerate(zip(part.learnt(), part.learnt_of_minorities(), strict=True)):
        harm = _is_worth(topic, part, row.code, of_minority)
        ordinary += row.code == ORDINARY
        if harm is None:
            continue
        yield row.text, harm
        if harm or place % _SPOILT == 0:
            yield read_otherwise(Said(tuple(row.text.split()), (), part.language), Spoilt(careless=1.0), draw), harm
        if harm and chatter and place % _AMID_CHATTER == 0:
            before, after = draw.choice(len(chatter), size=2).tolist()
            yield f"{chatter[before]} {row.text} {chatter[after]}", True
    for _ in range(ordinary):
        several = draw.choice(len(chatter), size=int(draw.integers(2, 4))).tolist()
        yield " ".join(chatter[place] for place in several), False
