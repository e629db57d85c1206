"""One post: its words untouched, what the machine said of them, why it is here, and the form for its holder."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.responses import Response

from desk import queue, reviews
from desk.web.bands import band
from desk.web.decision import SOURCE_KINDS, VERDICTS, Draft, code_groups
from desk.web.disagreements import undecided_post
from desk.web.posts import BriefPost, brief, hides_example, is_blind, veil_on_page
from desk.web.undoing import review_to_undo
from desk.web.visit import NotFound, Visit
from desk.web.words import read
from hustings.codebook import CHECK_WORTHY
from hustings.query import Query
from hustings.query.tree import Is
from hustings.types import Assessment, Media, QueueEntry, Review

__all__ = ["conflict", "page", "show"]

STORY_POSTS = 5
"""Other posts of the story that stand on the page; the rest is a search away."""
RETOLD_POSTS = 3
"""Posts in other words that stand on the page: a suggestion, which must not push the rest out of sight."""


class ShownFlag(Struct, frozen=True, kw_only=True):
    """A flag with everything that a score must travel with. `example` is a sentence of our own, empty when the
    classifier gave none."""

    code: str
    score: float
    threshold: float
    classifier: str
    example: str
    hides_example: bool


class ShownTarget(Struct, frozen=True, kw_only=True):
    """A person of the roster who is named."""

    id: str
    name: str
    role: str


class Reason(Struct, frozen=True, kw_only=True):
    """One rule that put the post into the queue."""

    rule: str
    why: str
    reason: str
    band: str
    probability: float


def show(visit: Visit) -> Response:
    """The page of one post. Looking takes no lease."""
    return page(visit, visit.path("key"), draft=Draft())


def page(visit: Visit, key: str, *, draft: Draft, problem: str = "", status: int = 200) -> Response:
    """The page with a form that holds `draft`."""
    services, person = visit.services, visit.person
    assessment = _found(visit, key)
    claim = queue.held(services.engine, reviewer=person, clock=services.clock, key=key)
    entries = queue.entries(services.engine, key)
    decided = reviews.of_subject(services.engine, "post", key)
    blind = is_blind(entries, decided)
    disagreement = undecided_post(services, person, decided) if visit.may("disagreements") else None
    others, more = ([], 0) if blind else _story(visit, assessment)
    groups = code_groups(services.codebook)
    return visit.answer(
        "post.html",
        status=status,
        post=assessment.post,
        assessment=assessment,
        reading=read(_without_opinion(assessment) if blind else assessment),
        veil=_veil(visit, assessment, blind=blind),
        blind=blind,
        flags=[] if blind else _flags(assessment),
        check_worthy=None if blind else assessment.scores.get(CHECK_WORTHY),
        targets=_targets(visit, assessment),
        names={person.id: person.name for person in services.roster.people},
        reasons=_reasons(visit, entries),
        claims=[] if blind else services.known_claims(assessment.claims),
        story=others,
        story_more=more,
        retold=[] if blind else _retold(visit, assessment),
        media=_described(assessment.post.media),
        claim=claim,
        waits=queue.is_waiting(services.engine, key),
        disagreement=disagreement,
        decides_soon=any(
            review.reviewer == person.pseudonym and not reviews.is_settled(review, clock=services.clock)
            for review in decided
        ),
        reviews=_seen_by(visit, decided),
        groups=groups,
        suggested=set() if blind else {flag.code for flag in assessment.flags},
        verdicts=VERDICTS,
        source_kinds=SOURCE_KINDS,
        codebook_version=services.codebook.version,
        draft=draft,
        typed=draft.code_outside(groups),
        problem=problem,
        undo=review_to_undo(visit),
    )


def conflict(visit: Visit, key: str, *, draft: Draft, reason: str) -> Response:
    """409: what was sent beside what stands now. Nothing was recorded, and nothing that was written is lost."""
    assessment = _found(visit, key)
    services = visit.services
    decided = reviews.of_subject(services.engine, "post", key)
    blind = is_blind(queue.entries(services.engine, key), decided)
    return visit.answer(
        "conflict.html",
        status=409,
        reason=reason,
        key=key,
        draft=draft,
        seen_revision=visit.form.one("revision"),
        post=assessment.post,
        reading=read(_without_opinion(assessment)),
        veil=_veil(visit, assessment, blind=blind),
        reviews=_seen_by(visit, decided),
        is_decided=bool(decided),
        waits=queue.is_waiting(services.engine, key),
    )


def _seen_by(visit: Visit, decided: Sequence[Review]) -> list[Review]:
    """The reviews that this person may see: leads all of them, whoever may have to read it blind only their own."""
    person = visit.person
    return [review for review in decided if person.role == "lead" or review.reviewer == person.pseudonym]


def _found(visit: Visit, key: str) -> Assessment:
    found = visit.services.index.get([key]).get(key)
    if found is None:
        raise NotFound("this post is not in the index: it was never collected, or its time of keeping is over")
    return found


def _veil(visit: Visit, assessment: Assessment, *, blind: bool) -> str:
    why = veil_on_page(assessment, visit.services.codebook)
    return "may be distressing" if why and blind else why


def _without_opinion(assessment: Assessment) -> Assessment:
    return Assessment(post=assessment.post, lang=assessment.lang)


def _flags(assessment: Assessment) -> list[ShownFlag]:
    flags = sorted(assessment.flags, key=lambda flag: (-flag.score, flag.code))
    return [
        ShownFlag(
            code=flag.code,
            score=flag.score,
            threshold=flag.threshold,
            classifier=flag.classifier,
            example=flag.example,
            hides_example=hides_example(flag.code),
        )
        for flag in flags
    ]


def _targets(visit: Visit, assessment: Assessment) -> list[ShownTarget]:
    names = {person.id: person.name for person in visit.services.roster.people}
    seen = dict.fromkeys((target.id, target.role) for target in assessment.targets)
    return [ShownTarget(id=id_, name=names.get(id_, id_), role=role.replace("_", " ")) for id_, role in seen]


def _reasons(visit: Visit, entries: Sequence[QueueEntry]) -> list[Reason]:
    rules = visit.services.rules
    return [
        Reason(
            rule=rules[entry.rule].name if entry.rule in rules else entry.rule,
            why=rules[entry.rule].why if entry.rule in rules else "",
            reason=entry.reason,
            band=band(entry.priority),
            probability=entry.probability,
        )
        for entry in entries
    ]


def _story(visit: Visit, assessment: Assessment) -> tuple[list[BriefPost], int]:
    """Other posts of the same story, newest first, and how many more there are."""
    if not assessment.story:
        return [], 0
    query = Query(text=f"story:{assessment.story}", node=Is(field="story", values=(assessment.story,)))
    found = visit.services.index.search(query, limit=STORY_POSTS + 1).assessments
    others = [brief(other) for other in found if other.key != assessment.key][:STORY_POSTS]
    return others, max(0, visit.services.index.count(query) - 1 - len(others))


def _retold(visit: Visit, assessment: Assessment) -> list[BriefPost]:
    """Posts of other stories that perhaps say the same."""
    if not assessment.story:
        return []
    return [brief(other) for other in visit.services.retold(assessment)[:RETOLD_POSTS]]


def _described(media: Sequence[Media]) -> list[str]:
    """What was attached, in words: no picture is ever fetched or shown."""
    return [f"{one.kind}: {one.alt or 'no description'}" for one in media]
