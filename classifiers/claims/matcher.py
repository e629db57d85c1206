"""Which known claim a text is about, how sure that is, and when to say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.claim import Claim
from classifiers.claims.features import ORDER, features
from classifiers.claims.meaning import WEIGHT, Meaning
from classifiers.claims.reader import ENCODER, SURE, ClaimReader, told
from classifiers.claims.rerank import Trees, read_trees
from classifiers.claims.retrieve import Candidates, Document, Retriever, documents, grams_of
from classifiers.manifest import Manifest, of_kind, read_file, read_manifest
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = [
    "CONSIDERED",
    "TREES",
    "ClaimMatch",
    "ClaimMatcher",
    "Reranker",
    "considered",
    "load_reranker",
    "retriever_of",
]

TREES = "trees.npz"
_EACH = 50
"""Candidates by either score."""
CONSIDERED = 30
"""Of their union, those that the re-ranker looks at: the best by both scores together."""
_MOST_TOKENS = 512
"""Words of a text that are compared: an article is matched by its beginning."""


class ClaimMatch(NamedTuple):
    """A claim's id and the probability that the text is about it, at most that of the claim before it."""

    id: str
    score: float


class Reranker(NamedTuple):
    """A trained re-ranker: what it says of itself, and the trees that say it."""

    manifest: Manifest
    trees: Trees


def load_reranker(folders: Iterable[Path], *, signers: Signers | None = None) -> Reranker | None:
    """The re-ranker among these model folders; None when there is none. Raises `ModelError` for a bad one or two."""
    found = list(of_kind(folders, "claims", signers=signers))
    if not found:
        return None
    if len(found) > 1:
        raise ModelError(f"two re-rankers of claims: {', '.join(map(str, found))}; one can serve")
    manifest = read_manifest(found[0], kind="claims", signers=signers)
    if [file.name for file in manifest.files] != [TREES]:
        raise ModelError(f"{found[0]}: a re-ranker of claims has one file, {TREES!r}")
    return Reranker(manifest, read_trees(read_file(found[0], manifest.files[0])))


def retriever_of(claims: Sequence[Claim]) -> Retriever:
    """What finds candidates among these claims: by what was claimed and the headline of the check."""
    return Retriever(documents([f"{claim.text}\n{claim.title}" for claim in claims]))


def considered(retriever: Retriever, query: Document) -> Candidates:
    """The candidates that are worth a closer look, at most `CONSIDERED`."""
    found = retriever.candidates(query, most=_EACH)
    if found.places.size <= CONSIDERED:
        return found
    both = retriever.shares(query, found).both
    best = np.sort(np.lexsort((found.places, -both))[:CONSIDERED])
    return Candidates(found.places[best], found.words[best], found.grams[best])


class ClaimMatcher:
    """Ranks claims for texts. `threshold` is the re-ranker's: below it the machine abstains. With `meaning`, what is
    alike in meaning is found too and counts in the order. With a `reader`, what words leave undecided is read."""

    def __init__(
        self,
        claims: Sequence[Claim],
        reranker: Reranker,
        *,
        retriever: Retriever | None = None,
        meaning: Meaning | None = None,
        reader: ClaimReader | None = None,
        most_read: int = 10,
    ) -> None:
        self._ids = [claim.id for claim in claims]
        self.retriever = retriever or retriever_of(claims)
        self.reader = reader
        self._reranker = reranker
        self._meaning = meaning
        self._most_read = most_read
        self.threshold = reranker.manifest.threshold.value

    def rank(self, tokens: Sequence[str], *, most: int = 5, text: str = "") -> list[ClaimMatch]:
        """The likeliest claims for a text of these tokens, surest first; `[]` when nothing is shared. `text` is what is
        read for its meaning, if the matcher has one."""
        query, found = self._candidates(tokens)
        alike = self._meaning.cosines(text) if self._meaning is not None and text else None
        if self._meaning is None or alike is None:
            rows = features(self.retriever, query, found)
            return self._ranked(found, rows, rows[:, ORDER], most)
        nearest = np.argpartition(-alike, min(CONSIDERED, alike.size) - 1)[:CONSIDERED]
        nearest = nearest[alike[nearest] > 0]
        found = self.retriever.scored(query, np.union1d(found.places, nearest).astype(np.int32))
        rows = features(self.retriever, query, found)
        order = rows[:, ORDER] + WEIGHT * alike[found.places]
        ranked = self._ranked(found, rows, order, most)
        if self._meaning.encoder == ENCODER:
            about = told(order, alike[found.places], self._meaning.vectors[found.places])
            if about is not None:  # the first, by the order that is told by
                ranked[0] = ranked[0]._replace(score=max(ranked[0].score, SURE))
        return ranked

    def sure(self, tokens: Sequence[str], *, most: int = 3, text: str = "") -> list[ClaimMatch]:
        """Those that are sure enough to be shown beside a post: by its words, or where these decide nothing, the one
        that `text` is about by what it means."""
        query, found = self._candidates(tokens)
        rows = features(self.retriever, query, found)
        order = rows[:, ORDER]
        sure = [match for match in self._ranked(found, rows, order, most) if match.score >= self.threshold]
        if sure or self.reader is None or not text or not order.size:
            return sure
        near = np.sort(np.lexsort((found.places, -order))[: self._most_read])
        places = found.places[near].tolist()
        compared = self.reader.compare(text, places)
        if compared is None:
            return []
        about = told(order[near] + WEIGHT * compared.alike, compared.alike, compared.vectors)
        return [] if about is None else [ClaimMatch(self._ids[places[about]], SURE)]

    def _candidates(self, tokens: Sequence[str]) -> tuple[Document, Candidates]:
        words = tuple(tokens[:_MOST_TOKENS])
        query = Document(words, grams_of(words))
        return query, considered(self.retriever, query)

    def _ranked(
        self, found: Candidates, rows: NDArray[np.float32], order: NDArray[np.float32], most: int
    ) -> list[ClaimMatch]:
        """The best by `order`. The trees may think more of a later one: they were calibrated on the first of each text,
        so what they say of a later one holds only as far as nothing better stands before it. None is surer than those
        before."""
        if not found.places.size:
            return []
        best = np.lexsort((found.places, -order))[:most]
        calibration = self._reranker.manifest.calibration
        said = [round(calibration.probability(one), 4) for one in self._reranker.trees.margins(rows[best]).tolist()]
        scores = accumulate(said, min)
        return [
            ClaimMatch(self._ids[place], one) for place, one in zip(found.places[best].tolist(), scores, strict=True)
        ]
