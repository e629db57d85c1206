"""Which flagged posts tell the same story: near-copies, found by MinHash bands and verified.

A story's id is a function of the words of the post that began it, so partitions that see the same text first agree. The
memory is a cache: it is rebuilt from stored assessments at start, and a post that it knows keeps its story, which makes
work that is done again after a crash change nothing. Several workers share one memory through a ledger
(`classifiers.shared_stories`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace
from rensa import RMinHash, RMinHashLSH

from hustings.contracts import Telling
from hustings.types import Assessment, hash_id

__all__ = ["ALIKE", "MEMORY_AGE", "MEMORY_SIZE", "Stories"]

ALIKE = 0.5
"""Two posts tell one story from this Jaccard similarity of their pairs of neighbouring words on: of twenty words four
may differ."""
MEMORY_AGE = timedelta(days=14)
MEMORY_SIZE = 200_000
"""Posts that are remembered: at most so old, counted by ingest time against the newest seen, and so many."""

_PERMUTATIONS = 128
_BANDS = 32  # 32 bands of 4 find a pair of Jaccard .5 with probability .87, of .6 with .99
_SEED = 11
_FEWEST_TOKENS = 3
"""A post of fewer words is like too many others."""


_MOST_SKETCHES = 64
"""Of one story: a flood of slightly different copies must not make each look-up dearer than the last."""


class _Known(NamedTuple):
    """A remembered post: its wording, its story, its revision, its ingest time and its place in the ledger if any."""

    wording: bytes
    story: str
    revision: int
    at: datetime
    place: int = 0


class _Naming(NamedTuple):
    """A story found for a post. `sketch` is None when exact copies are remembered, or when there are too few words."""

    story: str
    wording: bytes
    sketch: RMinHash | None


class _Wording(NamedTuple):
    """What exact copies share: the number of their sketch (0 when there is none) and how many are remembered."""

    number: int
    story: str
    posts: int


class Stories:
    """Writes `story` for flagged posts. Answers that somebody gives to a story (`X-…`) are stories of their own."""

    name = "stories"
    version = f"minhash-{RMinHash.ALGORITHM_VERSION}"

    def __init__(self) -> None:
        self._near = RMinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._sketches: dict[int, tuple[RMinHash, str]] = {}
        self._sketches_of: dict[str, int] = {}
        self._wordings: dict[bytes, _Wording] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._last_number = 0
        self._newest = datetime.min.replace(tzinfo=UTC)

    @classmethod
    def remembering(cls, assessments: Iterable[Assessment]) -> Stories:
        """With a memory of stored assessments, given as they were collected, oldest first: what is remembered, and how
        long, hangs on the order. Those without a story are passed over."""
        stories = cls()
        for assessment in assessments:
            if assessment.story:
                stories.adopt(assessment)
        return stories

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [
            replace(assessment, story=self._story(assessment)) if assessment.flags else assessment
            for assessment in assessments
        ]

    # ── the memory, for whoever shares it ────────────────────────────────────────────────────────────────────────

    @property
    def oldest_place(self) -> int:
        """The place in the ledger of the oldest post that is remembered: what lies before it may be dropped."""
        return next(iter(self._known.values())).place if self._known else 0

    def known(self, assessment: Assessment) -> str | None:
        """The story of a post that is remembered at this revision."""
        known = self._known.get(assessment.key)
        return known.story if known is not None and known.revision == assessment.post.revision else None

    def tell(self, assessment: Assessment, *, place: int = 0) -> Telling:
        """Find the story of a flagged post, remember it, and return it in the form for a ledger."""
        return self._told(assessment, self._name(assessment), place)

    def adopt(self, assessment: Assessment, *, place: int = 0) -> Telling:
        """Remember a stored assessment under the story that it has."""
        wording = _wording(assessment)
        sketch = None if wording in self._wordings else _sketch(assessment)
        return self._told(assessment, _Naming(assessment.story, wording, sketch), place)

    def remember(self, telling: Telling) -> None:
        """Remember what another worker told, as if it had been told here."""
        if telling.wording:
            known = _Known(telling.wording, telling.story, telling.revision, telling.at, telling.place)
            self._keep(telling.key, known, _loaded(telling.sketch))

    # ── naming ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _story(self, assessment: Assessment) -> str:
        known = self.known(assessment)
        if known is not None:
            return known
        naming = self._name(assessment)
        self._keep_newer(assessment, naming, 0)
        return naming.story

    def _name(self, assessment: Assessment) -> _Naming:
        wording = _wording(assessment)
        if wording in self._wordings:
            return _Naming(self._wordings[wording].story, wording, None)
        sketch = _sketch(assessment)
        story = self._alike(sketch, _is_answer(assessment)) or _new_story(wording, _is_answer(assessment))
        return _Naming(story, wording, sketch)

    def _told(self, assessment: Assessment, naming: _Naming, place: int) -> Telling:
        is_kept = self._keep_newer(assessment, naming, place)
        copies = self._wordings.get(naming.wording) if is_kept else None  # gone already if the post is that old
        number = copies.number if copies is not None else 0
        return Telling(
            key=assessment.key,
            revision=assessment.post.revision,
            story=naming.story,
            wording=naming.wording if is_kept else b"",
            sketch=self._sketches[number][0].__getstate__() if number else b"",
            at=assessment.ingested_at,
            place=place,
        )

    def _keep_newer(self, assessment: Assessment, naming: _Naming, place: int) -> bool:
        """Remember a post unless a newer revision of it is remembered; says whether it was."""
        before = self._known.get(assessment.key)
        if before is not None and before.revision > assessment.post.revision:
            return False
        revision, at = assessment.post.revision, assessment.ingested_at
        self._keep(assessment.key, _Known(naming.wording, naming.story, revision, at, place), naming.sketch)
        return True

    def _alike(self, sketch: RMinHash | None, answer: bool) -> str:
        """The story of the most similar remembered wording; the smallest id among equals, so that order is nothing."""
        if sketch is None:
            return ""
        alike = []
        for number in self._near.query(sketch):
            other, story = self._sketches[number]
            similarity = sketch.jaccard(other)
            if similarity >= ALIKE and story.startswith(_ANSWER) == answer:
                alike.append((-similarity, story))
        return min(alike)[1] if alike else ""

    def _keep(self, key: str, known: _Known, sketch: RMinHash | None) -> None:
        copies = self._wordings.get(known.wording)
        if copies is None:
            copies = _Wording(self._insert(known.story, sketch), known.story, 0)
        self._wordings[known.wording] = copies._replace(posts=copies.posts + 1)
        self._forget(key)  # afterwards, so that an edit that changes no word keeps its sketch
        self._known[key] = known
        self._newest = max(known.at, self._newest)
        while self._known and self._is_over(next(iter(self._known.values()))):
            self._forget(next(iter(self._known)))

    def _is_over(self, oldest: _Known) -> bool:
        return len(self._known) > MEMORY_SIZE or self._newest - oldest.at > MEMORY_AGE

    def _insert(self, story: str, sketch: RMinHash | None) -> int:
        if sketch is None or self._sketches_of.get(story, 0) >= _MOST_SKETCHES:
            return 0
        self._last_number += 1
        self._near.insert(self._last_number, sketch)
        self._sketches[self._last_number] = (sketch, story)
        self._sketches_of[story] = self._sketches_of.get(story, 0) + 1
        return self._last_number

    def _forget(self, key: str) -> None:
        known = self._known.pop(key, None)
        if known is None:
            return
        copies = self._wordings[known.wording]
        if copies.posts > 1:
            self._wordings[known.wording] = copies._replace(posts=copies.posts - 1)
            return
        del self._wordings[known.wording]
        if copies.number:
            self._near.remove(copies.number)
            del self._sketches[copies.number]
            self._sketches_of[copies.story] -= 1
            if not self._sketches_of[copies.story]:
                del self._sketches_of[copies.story]


_ANSWER = "answer-"


def _wording(assessment: Assessment) -> bytes:
    """The same for posts of the same words that are both answers or both not."""
    words = " ".join((*assessment.title_tokens, "\n", *assessment.tokens))
    side = "answer" if _is_answer(assessment) else "claim"
    return bytes.fromhex(hash_id("wording", side, words))


def _new_story(wording: bytes, answer: bool) -> str:
    return (_ANSWER if answer else "") + wording.hex()


def _is_answer(assessment: Assessment) -> bool:
    """Whether a debunk was flagged, or nothing but protected codes."""
    codes = [flag.code for flag in assessment.flags]
    return "X-COUNTER" in codes or all(code.startswith("X-") for code in codes)


def _sketch(assessment: Assessment) -> RMinHash | None:
    """The sketch of a post's pairs of neighbouring words; None when it has too few."""
    tokens = (*assessment.title_tokens, *assessment.tokens)
    if len(tokens) < _FEWEST_TOKENS:
        return None
    sketch = RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
    sketch.update([f"{one} {other}" for one, other in pairwise(tokens)])
    return sketch


def _loaded(state: bytes) -> RMinHash | None:
    """A sketch out of a ledger; None when another version of the library or of this file made it: such a post is found
    by equal words alone."""
    if not state:
        return None
    sketch = RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
    try:
        sketch.__setstate__(state)
    except ValueError:
        return None
    return sketch if sketch.__getnewargs__() == (_PERMUTATIONS, _SEED) else None
