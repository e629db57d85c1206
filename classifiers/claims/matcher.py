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
from classifiers.claims.rerank import Trees, read_trees
from classifiers.claims.retrieve import Candidates, Document, Retriever, documents, grams_of
from classifiers.manifest import Manifest, read_file, read_manifest
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
    found = [folder for folder in folders if read_manifest(folder, signers=signers).kind == "claims"]
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
    alike in meaning is found too and counts in the order; how sure a match is, the words tell alone."""

    def __init__(
        self,
        claims: Sequence[Claim],
        reranker: Reranker,
        *,
        retriever: Retriever | None = None,
        meaning: Meaning | None = None,
    ) -> None:
        self._ids = [claim.id for claim in claims]
        self.retriever = retriever or retriever_of(claims)
        self._reranker = reranker
        self._meaning = meaning
        self.threshold = reranker.manifest.threshold.value

    def rank(self, tokens: Sequence[str], *, most: int = 5, text: str = "") -> list[ClaimMatch]:
        """The likeliest claims for a text of these tokens, surest first; `[]` when nothing is shared. `text` is what is
        read for its meaning, if the matcher has one."""
        words = tuple(tokens[:_MOST_TOKENS])
        query = Document(words, grams_of(words))
        found = considered(self.retriever, query)
        alike = self._meaning.cosines(text) if self._meaning is not None and text else None
        if alike is not None:
            nearest = np.argpartition(-alike, min(CONSIDERED, alike.size) - 1)[:CONSIDERED]
            nearest = nearest[alike[nearest] > 0]
            found = self.retriever.scored(query, np.union1d(found.places, nearest).astype(np.int32))
        if not found.places.size:
            return []
        rows = features(self.retriever, query, found)
        order = rows[:, ORDER] if alike is None else rows[:, ORDER] + WEIGHT * alike[found.places]
        best = np.lexsort((found.places, -order))[:most]
        sure = self._sureness(rows[best])
        return [ClaimMatch(self._ids[place], one) for place, one in zip(found.places[best].tolist(), sure, strict=True)]

    def _sureness(self, ranked: NDArray[np.float32]) -> list[float]:
        """How sure each match is, for rows in the order of rank. The trees are asked about one candidate at a time and
        may think more of a later one. They were calibrated on the first of each text, so what they say of a later one
        holds only as far as nothing better stands before it: none is surer than those before."""
        calibration = self._reranker.manifest.calibration
        said = [round(calibration.probability(margin), 4) for margin in self._reranker.trees.margins(ranked).tolist()]
        return list(accumulate(said, min))

    def sure(self, tokens: Sequence[str], *, most: int = 3) -> list[ClaimMatch]:
        """Those that are sure enough to be shown beside a post."""
        return [match for match in self.rank(tokens, most=most) if match.score >= self.threshold]
