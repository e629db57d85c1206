"""What the desk's reviews settle about one code: posts on which two people agree, or a lead decided a disagreement; and
the posts on which readers disagree and no lead has decided yet.

A blank is no judgement: a reviewer who only spoke of something else has not said that this code does not apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from hustings.codebook import Codebook, matches
from hustings.types import Review

__all__ = ["Adjudicated", "Adjudication", "Disagreement", "Dispute", "adjudicate", "disagreements", "judgement"]

PROTECTED = "X"
UNDECIDED: Final = "disagreement that no lead decided"

_Judged: TypeAlias = Sequence[tuple[Review, bool]]
"""Reviews that say something of a code, oldest first, and what they say."""


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


class Dispute(NamedTuple):
    """A code, and how many readers say that it applies and that it does not."""

    code: str
    yes: int
    no: int


class Disagreement(NamedTuple):
    """A post on which readers disagree and that no lead has decided; `revision` is the one that was read.

    Each of the `readings` holds the reviews of one reader that count in a dispute, oldest first. Whose reading comes
    first is left to chance, and is the same each time: no order may tell who read first."""

    key: str
    revision: int
    disputes: tuple[Dispute, ...]
    readings: tuple[tuple[Review, ...], ...]


def adjudicate(reviews: Iterable[Review], code: str, *, leads: Collection[str], codebook: Codebook) -> Adjudication:
    """Judge every reviewed post. `reviews` stand oldest first (`desk.reviews.settled`); `leads` are the pseudonyms of
    people who may decide a disagreement. Of each reader the newest judgement of the newest revision counts."""
    settled = []
    unsettled: Counter[str] = Counter()
    for key, revision, own in _of_newest_revision(reviews):
        found = _decide(_judged(own, code, codebook), leads)
        if isinstance(found, str):
            unsettled[found] += 1
        else:
            applies, how, readers = found
            settled.append(Adjudicated(key, revision, applies, how, readers))
    return Adjudication(tuple(settled), dict(unsettled))


def disagreements(
    reviews: Iterable[Review], *, lead: str, leads: Collection[str], codebook: Codebook
) -> list[Disagreement]:
    """Posts with a code that some reader named and that `adjudicate` leaves undecided; the one read last comes first.

    Takes the same reviews as `adjudicate`. `lead` is whoever looks: a code on which theirs is the last word, against
    all others, is for another lead to decide."""
    found = []
    for key, revision, own in _of_newest_revision(reviews):
        named = {code for review in own for code in review.codes if not _is_negative(code, codebook)}
        judged = {code: _judged(own, code, codebook) for code in sorted(named)}
        undecided = {code: said for code, said in judged.items() if _decide(said, leads) == UNDECIDED}
        disputed = {code: said for code, said in undecided.items() if said[-1][0].reviewer != lead}
        if disputed:
            disputes = tuple(_dispute(code, said) for code, said in disputed.items())
            one = Disagreement(key, revision, disputes, _readings(own, disputed.values()))
            found.append((own[-1].at, one))
    return [one for _, one in sorted(found, key=lambda dated: dated[0], reverse=True)]


def judgement(review: Review, code: str, codebook: Codebook) -> bool | None:
    """Whether the reader says that the code applies; None when they said nothing about it."""
    claims = [given for given in review.codes if not _is_negative(given, codebook)]  # "G-NONE" refines "G" in name only
    if any(matches(given, code) for given in claims):
        return True
    if any(matches(code, given) for given in claims):
        return None  # coarser than what is asked: "gendered abuse" leaves open whether it is a threat
    list_of = code.partition("-")[0]
    spoken_of = {given.partition("-")[0] for given in review.codes}
    if list_of in spoken_of or PROTECTED in spoken_of or (review.verdict == "dismiss" and not review.codes):
        return False
    return None


def _is_negative(code: str, codebook: Codebook) -> bool:
    """Of a deployment's own code that has left the codebook since, what it refined says so."""
    while code not in codebook.codes and "-" in code:
        code = code.rpartition("-")[0]
    return code in codebook.codes and codebook.codes[code].negative


def _of_newest_revision(reviews: Iterable[Review]) -> Iterator[tuple[str, int, list[Review]]]:
    """Each reviewed post by key: the newest revision that was read, and the reviews of it, oldest first."""
    by_key: dict[str, list[Review]] = {}
    for review in reviews:
        if review.subject == "post":
            by_key.setdefault(review.subject_id, []).append(review)
    for key, own in sorted(by_key.items()):
        revision = max(review.subject_revision for review in own)
        yield key, revision, [review for review in own if review.subject_revision == revision]


def _judged(reviews: Iterable[Review], code: str, codebook: Codebook) -> _Judged:
    return [(review, said) for review in reviews if (said := judgement(review, code, codebook)) is not None]


def _newest(judged: _Judged) -> dict[str, tuple[Review, bool]]:
    """Of each reader the judgement that counts."""
    return {review.reviewer: (review, said) for review, said in judged}


def _dispute(code: str, judged: _Judged) -> Dispute:
    votes = Counter(said for _, said in _newest(judged).values())
    return Dispute(code, votes[True], votes[False])


def _readings(own: Iterable[Review], disputed: Iterable[_Judged]) -> tuple[tuple[Review, ...], ...]:
    """By reader the reviews that count in one of the disputes. Ids are random: in their order the readers stand."""
    counting = {review.id for judged in disputed for review, _ in _newest(judged).values()}
    by_reader: dict[str, list[Review]] = {}
    for review in own:
        if review.id in counting:
            by_reader.setdefault(review.reviewer, []).append(review)
    return tuple(map(tuple, sorted(by_reader.values(), key=lambda reading: min(review.id for review in reading))))


def _decide(judged: _Judged, leads: Collection[str]) -> tuple[bool, Literal["agreement", "arbitration"], int] | str:
    if not judged:
        return "nothing said about the code"
    newest = {reader: said for reader, (_, said) in _newest(judged).items()}
    votes = set(newest.values())
    if len(newest) < 2:
        return "read by one person"
    if len(votes) == 1:
        return votes.pop(), "agreement", len(newest)
    last, last_said = judged[-1]
    others = {said for reader, said in newest.items() if reader != last.reviewer}
    if last.reviewer in leads and len(others) > 1:
        return last_said, "arbitration", len(newest)
    return UNDECIDED
