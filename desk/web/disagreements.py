"""What readers disagree on, as one lead may decide it: `desk.adjudication` over the desk's reviews and the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from desk import adjudication, people, reviews
from desk.adjudication import Disagreement
from desk.people import Person
from desk.web.services import DeskServices
from hustings.types import Assessment, Review

__all__ = ["Undecided", "undecided", "undecided_post"]


class Undecided(NamedTuple):
    """A post on which readers disagree, as it stands now."""

    disagreement: Disagreement
    assessment: Assessment


def undecided(services: DeskServices, lead: Person) -> list[Undecided]:
    """All of them, the one read last first. A post that the index has forgotten is left out: who could not read it
    could not decide."""
    found = adjudication.disagreements(
        reviews.read_by_several(services.engine, clock=services.clock),
        lead=lead.pseudonym,
        leads=people.leads(services.engine),
        codebook=services.codebook,
    )
    stored = services.index.get([one.key for one in found])
    return [Undecided(one, stored[one.key]) for one in found if one.key in stored]


def undecided_post(services: DeskServices, lead: Person, decided: Sequence[Review]) -> Disagreement | None:
    """What the readers of one post disagree on; None when they do not. `decided` are all its standing reviews."""
    found = adjudication.disagreements(
        [review for review in decided if reviews.is_settled(review, clock=services.clock)],
        lead=lead.pseudonym,
        leads=people.leads(services.engine),
        codebook=services.codebook,
    )
    return found[0] if found else None
