"""The desk's settled reviews as a corpus: which posts two people agreed on, and what of them may be learnt from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from hustings.clock import Clock
from hustings.codebook import Codebook
from hustings.contracts import Index
from hustings.roster import Roster
from hustings.types import Assessment, hash_id

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from classifiers.training.corpus_store import Row
    from desk.adjudication import Adjudicated

__all__ = ["DeskRows", "desk_rows"]

GROUPS = ("gender", "minority")
"""Attributes of the roster by which a head is measured; they come from public registers and are never learnt from."""
PAGE = 500


class DeskRows(NamedTuple):
    """Rows of one code in one language, and how many reviewed posts were left out, by reason."""

    rows: list[Row]
    excluded: dict[str, int]


def desk_rows(
    engine: Engine, index: Index, *, code: str, language: str, roster: Roster, codebook: Codebook, clock: Clock
) -> DeskRows:
    """Every post of which the reviews settle whether `code` applies, as the index holds it now. Left out are posts of
    another language, and those that were edited, deleted or forgotten since they were read."""
    from desk import people, reviews
    from desk.adjudication import adjudicate

    settled = reviews.settled(engine, clock=clock)
    found = adjudicate(settled, code, leads=people.leads(engine), codebook=codebook)
    excluded = Counter(found.unsettled)
    rows: list[Row] = []
    for first in range(0, len(found.settled), PAGE):
        page = found.settled[first : first + PAGE]
        stored = index.get([one.key for one in page])
        for one in page:
            reason = _unusable(one, stored.get(one.key), language)
            if reason:
                excluded[reason] += 1
            else:
                rows.append(_row(one, stored[one.key], roster))
    return DeskRows(rows, dict(excluded))


def _unusable(one: Adjudicated, assessment: Assessment | None, language: str) -> str:
    """Why a settled post is not learnt from; empty when it is."""
    if assessment is None:
        return "no longer in the index"
    if assessment.post.deleted:
        return "deleted at its source"
    if assessment.post.revision != one.revision:
        return "edited since it was read"
    if assessment.lang != language.partition("-")[0]:
        return "another language"
    if not assessment.tokens and not assessment.title_tokens:
        return "no words"
    return ""


def _row(one: Adjudicated, assessment: Assessment, roster: Roster) -> Row:
    """The title is read as the first words of a text, as heads do. Posts of one story are one family."""
    from classifiers.training.corpus_store import Row

    post = assessment.post
    return Row(
        id=hash_id(one.key),
        text=f"{post.title}\n{post.text}" if post.title else post.text,
        label=int(one.applies),
        family=assessment.story,
        at=post.published_at,
        groups=_groups(assessment, roster),
    )


def _groups(assessment: Assessment, roster: Roster) -> dict[str, str]:
    """The attributes that all people of the roster who are named in the post share."""
    named = {target.id for target in assessment.targets}
    people = [person for person in roster.people if person.id in named]
    groups = {}
    for key in GROUPS:
        values = {person.attributes.get(key, "") for person in people}
        if len(values) == 1 and (value := values.pop()):
            groups[key] = value
    return groups
