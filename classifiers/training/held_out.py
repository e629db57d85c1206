"""Rows that nothing learns from, so that something can be chosen on them: for an encoder its best epoch, how it is
joined with the linear heads, calibration and threshold.

The rows are a fold as `train_reviewed` cuts them. Its heads learn from all rows in the end, so a head that serves knows
the held-out ones if it was made from that corpus, or from an earlier version of it. Such a head is made again without
them, and without their near-copies, down to the head that it began with; what serves is left as it is. The same is done
where a head gets its own calibration and threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.model import Head
from classifiers.manifest import Manifest
from classifiers.training.corpora import Corpus
from classifiers.training.corpus_store import ROWS, Row, StoredCorpus, find_corpus, read_rows
from classifiers.training.duplicates import clusters, folds
from classifiers.training.nb_logistic import Settings
from classifiers.training.train_reviewed import FOLDS, ReviewedOrder, learn
from hustings.errors import ConfigError

__all__ = ["FEWEST_HELD_OUT", "hold_out", "without"]

FEWEST_HELD_OUT = 30
"""Fewer rows of either label than this are no reason for a threshold, nor for any other choice."""

Held = NDArray[np.bool_]


def hold_out(corpora: Sequence[Corpus], *, seed: int) -> list[Held]:
    """Which rows of each corpus are held out: a fifth. No near-copy or family straddles, not even from one corpus to
    another. Of the five folds it is the one in which the rarest label is least rare. Raises `ConfigError` when that one
    has too few rows to choose anything on."""
    texts = [text for corpus in corpora for text in corpus.texts]
    families = [family for corpus in corpora for family in corpus.families]
    labels = [label for corpus in corpora for label in corpus.labels]
    fold = folds(clusters(texts, families), labels, count=FOLDS, seed=seed)
    ends = np.cumsum([len(corpus.texts) for corpus in corpora])
    by_corpus = np.split(fold, ends[:-1])
    best = max(range(FOLDS), key=lambda number: min(_rarest(corpora, by_corpus, number)))
    for corpus, rarest in zip(corpora, _rarest(corpora, by_corpus, best), strict=True):
        if rarest < FEWEST_HELD_OUT:
            positives = sum(corpus.labels)
            raise ConfigError(
                f"corpus {corpus.dataset.file.partition('/')[0]}: {len(corpus.labels)} rows, {positives} of them "
                f"positive; a fifth of them would be held out, with {rarest} rows of the rarer label. An encoder needs "
                f"at least {FEWEST_HELD_OUT} of either label there, so about {FEWEST_HELD_OUT * FOLDS} in the corpus "
                "that are no near-copies of each other"
            )
    return [own == best for own in by_corpus]


def _rarest(corpora: Sequence[Corpus], fold: Sequence[NDArray[np.intp]], number: int) -> list[int]:
    """Of each corpus, how often the rarer label stands in that fold."""
    counts = []
    for corpus, own in zip(corpora, fold, strict=True):
        held = np.array(corpus.labels, dtype=np.int64)[own == number]
        counts.append(int(min(held.sum(), len(held) - held.sum())))
    return counts


def without(head: Head, texts: Sequence[str], *, corpora: Path, find: Callable[[str], Head]) -> Head:
    """The head as it would be had it never seen these texts or near-copies of them; the very same where it has not.
    `find` gives the head of a `name@version`, for what a head began with. Raises `ConfigError` when a corpus that it
    learnt from is gone, or when nothing is left to learn from."""
    manifest = head.manifest
    if "prior" not in manifest.settings:  # not from a corpus of one's own: these are named after staged files
        return head
    label = str(manifest.settings["prior"])
    before = None if label == "none" else find(label)
    prior = None if before is None else without(before, texts, corpora=corpora, find=find)
    stored = _learnt_from(head, corpora)
    rows = read_rows(stored)
    kept = _unlike(rows, texts)
    if len(kept) == len(rows) and prior is before:
        return head
    if len({row.label for row in kept}) < 2:
        raise ConfigError(
            f"{head.label}: without the held-out rows and their near-copies {len(kept)} of the {len(rows)} rows of "
            f"{stored.paper.tag} are left, all of one label; import rows that differ more"
        )
    return head._replace(weights=learn(_order(manifest, prior), kept))


def _learnt_from(head: Head, corpora: Path) -> StoredCorpus:
    """The version of a corpus that a head of `train_reviewed` learnt from; it stands first in the manifest."""
    dataset = head.manifest.data[0]
    try:
        stored = find_corpus(corpora, dataset.file.removesuffix(f"/{ROWS}"))
    except ConfigError as error:
        raise ConfigError(
            f"{head.label} learnt from {dataset.file}, which is needed to make it again without the held-out rows: "
            f"{error}"
        ) from error
    if stored.paper.sha256 != dataset.sha256:
        raise ConfigError(
            f"{head.label} learnt from rows of {stored.paper.tag} with SHA-256 {dataset.sha256}; those in {corpora} "
            f"have {stored.paper.sha256}, so it cannot be made again without the held-out rows. Train it anew"
        )
    return stored


def _unlike(rows: Sequence[Row], texts: Sequence[str]) -> list[Row]:
    """The rows that are no near-copies of the texts, and of no family with one that is."""
    copies = clusters([*(row.text for row in rows), *texts], [*(row.family for row in rows), *("" for _ in texts)])
    seen = np.isin(copies[: len(rows)], copies[len(rows) :])
    return [row for row, is_seen in zip(rows, seen.tolist(), strict=True) if not is_seen]


def _order(manifest: Manifest, prior: Head | None) -> ReviewedOrder:
    """What the head was made by, as far as its weights depend on it."""
    known = {key: float(manifest.settings[key]) for key in Settings._fields if key in manifest.settings}
    return ReviewedOrder(
        name=manifest.name,
        code=manifest.code,
        language=manifest.language,
        label=manifest.label,
        version=manifest.version,
        precision=manifest.threshold.precision,
        chosen_by=manifest.threshold.chosen_by,
        chosen_at=manifest.threshold.chosen_at,
        seed=manifest.seed,
        prior=prior,
        settings=Settings(**known),
    )
