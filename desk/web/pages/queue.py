"""The queue: what waits and why, and everything that is done with a claimed post."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from desk import queue, reviews
from desk.queue import Claim
from desk.refusals import Conflict, Refused
from desk.web.bands import band
from desk.web.decision import Draft
from desk.web.pages import post
from desk.web.posts import brief, is_blind, shown_to
from desk.web.undoing import review_to_undo
from desk.web.visit import Visit
from hustings.types import Assessment, QueueEntry

__all__ = ["claim_next", "decide", "renew", "reverse", "show", "skip", "take", "undo"]

SHOWN = 25
"""Waiting posts on one page; whoever works takes the next one and needs no list."""


class Waiting(Struct, frozen=True, kw_only=True):
    """A line of the list. It holds no words of the post: nobody should meet them in passing."""

    key: str
    band: str
    source: str
    lang: str
    waits_since: datetime
    reasons: tuple[QueueEntry, ...]
    codes: tuple[str, ...]
    """What the machine flagged; empty for the random slice, whose readers should not know."""


def show(visit: Visit) -> Response:
    """How much waits, the head of the queue, and what the person holds already."""
    services = visit.services
    head = queue.waiting(services.engine, limit=SHOWN, clock=services.clock)
    found = services.index.get([queued.key for queued in head])
    lines = []
    for queued in head:
        key, reasons = queued.key, queued.entries
        assessment = found.get(key)
        lines.append(
            Waiting(
                key=key,
                band=band(max(entry.priority for entry in reasons)),
                source=assessment.post.source if assessment else key.partition(":")[0],
                lang=assessment.lang if assessment else "",
                waits_since=queued.queued_at,
                reasons=reasons,
                codes=brief(assessment).codes if assessment and not is_blind(reasons, ()) else (),
            )
        )
    return visit.answer(
        "queue.html",
        depth=queue.depth(services.engine, clock=services.clock),
        waiting=lines,
        held=queue.held(services.engine, reviewer=visit.person, clock=services.clock),
        undo=review_to_undo(visit),
        nothing_left=visit.query("empty") == "yes",
    )


def claim_next(visit: Visit) -> Response:
    """Take the next post: the one held already, else the most urgent free one."""
    return _next(visit)


def take(visit: Visit) -> Response:
    """Take one certain post. A draft that a conflict gave back comes along and stands in the form again."""
    key = visit.form.one("key")
    queue.claim_post(visit.services.engine, key=key, reviewer=visit.person, clock=visit.services.clock)
    draft = Draft.sent(visit.form)
    if draft.is_empty:
        return visit.go(_post_path(key))
    return post.page(visit, key, draft=draft)


def decide(visit: Visit) -> Response:
    """Record the decision; a lost lease or an edited post gives 409 with both sides, and the answer is not lost. One
    that has arrived already, because its form was sent twice on a poor line, goes on as it did the first time."""
    services, key, draft = visit.services, visit.form.one("key"), Draft.sent(visit.form)
    claim = queue.held(services.engine, reviewer=visit.person, clock=services.clock, key=key)
    try:
        if claim is None or claim.token != visit.form.number("token"):
            raise Conflict(_why_not_yours(claim))
        assessment = services.index.get([key]).get(key)
        if assessment is None:
            raise Refused("this post is not in the index any more")
        decided = reviews.of_subject(services.engine, "post", key)
        reviews.decide(
            services.engine,
            _judgement(visit, draft, assessment, blind=is_blind(claim.entries, decided)),
            key=key,
            token=claim.token,
            reviewer=visit.person,
            index=services.index,
            codebook=services.codebook,
            clock=services.clock,
        )
    except Conflict as conflict:
        arrived = reviews.under_lease(services.engine, key=key, token=visit.form.number("token"), reviewer=visit.person)
        if arrived is None or not draft.is_said_by(arrived):
            return post.conflict(visit, key, draft=draft, reason=str(conflict))
    except Refused as refusal:
        return post.page(visit, key, draft=draft, problem=str(refusal), status=400)
    return visit.go("/queue") if visit.form.one("then") == "queue" else _next(visit)


def reverse(visit: Visit) -> Response:
    """A further judgement of a post that was decided, or that readers disagree on; the former ones stay."""
    services, key, draft = visit.services, visit.form.one("key"), Draft.sent(visit.form)
    assessment = services.index.get([key]).get(key)
    if assessment is None:
        raise Refused("this post is not in the index any more")
    try:
        reviews.reverse(
            services.engine,
            _judgement(visit, draft, assessment, blind=False),
            subject="post",
            subject_id=key,
            reviewer=visit.person,
            index=services.index,
            codebook=services.codebook,
            clock=services.clock,
        )
    except Conflict as conflict:
        return post.conflict(visit, key, draft=draft, reason=str(conflict))
    except Refused as refusal:
        return post.page(visit, key, draft=draft, problem=str(refusal), status=400)
    back = "/disagreements" if visit.form.one("then") == "disagreements" else _post_path(key)
    return visit.go(back)


def skip(visit: Visit) -> Response:
    """Give the post back for somebody else; no reason is asked."""
    queue.skip(
        visit.services.engine,
        key=visit.form.one("key"),
        token=visit.form.number("token"),
        reviewer=visit.person,
        clock=visit.services.clock,
    )
    return visit.go("/queue") if visit.form.one("then") == "queue" else _next(visit)


def renew(visit: Visit) -> Response:
    """Ten more minutes with a post."""
    key = visit.form.one("key")
    claim = queue.held(visit.services.engine, reviewer=visit.person, clock=visit.services.clock, key=key)
    if claim is None or claim.token != visit.form.number("token"):
        raise Conflict("you do not hold this post any more")
    queue.renew(visit.services.engine, claim, clock=visit.services.clock)
    return visit.go(_post_path(key))


def undo(visit: Visit) -> Response:
    """Take back one's last decision within its ten seconds: the post is in one's hands again."""
    review = reviews.undo(
        visit.services.engine, review_id=visit.form.one("review"), reviewer=visit.person, clock=visit.services.clock
    )
    return visit.go(_post_path(review.subject_id))


def _judgement(visit: Visit, draft: Draft, assessment: Assessment, *, blind: bool) -> reviews.Judgement:
    """What the form says. Raises `Refused` when something is missing."""
    return reviews.Judgement(
        revision=visit.form.number("revision"),
        verdict=draft.checked_verdict(),
        codes=draft.codes,
        note=draft.note,
        shown=shown_to(assessment, blind=blind),
        truth=draft.truth_source(now=visit.services.clock.now()),
    )


def _why_not_yours(claim: Claim | None) -> str:
    if claim is None:
        return "you do not hold this post any more: its ten minutes are over, or somebody decided it"
    return "you took this post again, or took your decision back, since you opened this form"


def _next(visit: Visit) -> Response:
    claim = queue.claim(visit.services.engine, reviewer=visit.person, clock=visit.services.clock)
    return visit.go("/queue?empty=yes" if claim is None else _post_path(claim.key))


def _post_path(key: str) -> str:
    return "/posts/" + quote(key, safe="")
