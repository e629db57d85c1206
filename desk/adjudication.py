"""What the desk's reviews settle about one code: posts on which two people agree, or a lead decided a disagreement.

A blank is no judgement: a reviewer who only spoke of something else has not said that this code does not apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple

from hustings.codebook import Codebook, matches
from hustings.types import Review

__all__ = ["Adjudicated", "Adjudication", "adjudicate", "judgement"]

PROTECTED = "X"


class Adjudicated(NamedTuple):
    """A post and whether the code applies; `revision` is the one that was read, `readers` how many people judged it."""

    key: str
    revision: int
    applies: bool
    how: Literal["agreement", "arbitration"]
    readers: int


class Adjudication(NamedTuple):
    """What is settled, by key, and how many posts are not, by reason."""

    settled: tuple[Adjudicated, ...]
    unsettled: dict[str, int]


def adjudicate(reviews: Iterable[Review], code: str, *, leads: Collection[str], codebook: Codebook) -> Adjudication:
    """Judge every reviewed post. `reviews` stand oldest first (`desk.reviews.settled`); `leads` are the pseudonyms of
    people who may decide a disagreement. Of each reader the newest judgement of the newest revision counts."""
    by_key: dict[str, list[Review]] = {}
    for review in reviews:
        if review.subject == "post":
            by_key.setdefault(review.subject_id, []).append(review)
    settled = []
    unsettled: Counter[str] = Counter()
    for key, own in sorted(by_key.items()):
        revision = max(review.subject_revision for review in own)
        found = _decide([review for review in own if review.subject_revision == revision], code, leads, codebook)
        if isinstance(found, str):
            unsettled[found] += 1
        else:
            applies, how, readers = found
            settled.append(Adjudicated(key, revision, applies, how, readers))
    return Adjudication(tuple(settled), dict(unsettled))


def judgement(review: Review, code: str, codebook: Codebook) -> bool | None:
    """Whether the reader says that the code applies; None when they said nothing about it."""
    claims = [
        given for given in review.codes if not codebook.codes[given].negative
    ]  # "G-NONE" refines "G" in name only
    if any(matches(given, code) for given in claims):
        return True
    if any(matches(code, given) for given in claims):
        return None  # coarser than what is asked: "gendered abuse" leaves open whether it is a threat
    list_of = code.partition("-")[0]
    spoken_of = {given.partition("-")[0] for given in review.codes}
    if list_of in spoken_of or PROTECTED in spoken_of or (review.verdict == "dismiss" and not review.codes):
        return False
    return None


def _decide(
    reviews: Sequence[Review], code: str, leads: Collection[str], codebook: Codebook
) -> tuple[bool, Literal["agreement", "arbitration"], int] | str:
    judged = [(review.reviewer, said) for review in reviews if (said := judgement(review, code, codebook)) is not None]
    if not judged:
        return "nothing said about the code"
    newest = dict(judged)
    votes = set(newest.values())
    if len(newest) < 2:
        return "read by one person"
    if len(votes) == 1:
        return votes.pop(), "agreement", len(newest)
    last_reader, last_said = judged[-1]
    others = {said for reader, said in newest.items() if reader != last_reader}
    if last_reader in leads and len(others) > 1:
        return last_said, "arbitration", len(newest)
    return "disagreement that no lead decided"
