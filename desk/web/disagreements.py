"""What readers disagree on, as one lead may decide it: `desk.adjudication` over the desk's reviews and the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from desk import adjudication, people, reviews
from desk.adjudication import Disagreement
from desk.people import Person
from desk.web.services import DeskServices
from hustings.types import Assessment, Review

__all__ = ["Disagreements", "Undecided", "undecided_post"]


class Undecided(NamedTuple):
    """A post on which readers disagree, as it stands now."""

    disagreement: Disagreement
    assessment: Assessment


class Disagreements:
    """All of them, of any lead. The menu of every page counts them, so they are kept, by lead, until another review is
    settled: finding them takes every review of the posts that several people have read. Lives with the application."""

    def __init__(self, services: DeskServices) -> None:
        self._services = services
        self._kept: dict[str, tuple[object, list[Disagreement]]] = {}

    def undecided(self, lead: Person) -> list[Undecided]:
        """What this lead may decide, the one read last first. A post that the index has forgotten is left out: nobody
        could read it to decide."""
        found = self._found(lead)
        stored = self._services.index.get([one.key for one in found])
        return [Undecided(one, stored[one.key]) for one in found if one.key in stored]

    def _found(self, lead: Person) -> list[Disagreement]:
        services, leads = self._services, people.leads(self._services.engine)
        so_far = reviews.settled_so_far(services.engine, clock=services.clock), leads
        known, found = self._kept.get(lead.pseudonym, (None, []))
        if known != so_far:
            found = adjudication.disagreements(
                reviews.read_by_several(services.engine, clock=services.clock),
                lead=lead.pseudonym,
                leads=leads,
                codebook=services.codebook,
            )
            self._kept[lead.pseudonym] = so_far, found
        return found


def undecided_post(services: DeskServices, lead: Person, decided: Sequence[Review]) -> Disagreement | None:
    """What the readers of one post disagree on; None when they do not. `decided` are all its standing reviews."""
    found = adjudication.disagreements(
        [review for review in decided if reviews.is_settled(review, clock=services.clock)],
        lead=lead.pseudonym,
        leads=people.leads(services.engine),
        codebook=services.codebook,
    )
    return found[0] if found else None
