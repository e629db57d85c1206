"""Reviews: one person's recorded judgement of a post, appended and never changed.

For ten seconds a slip can be undone (the undo is an event of its own; the review stays on record). After that a change
of mind is a new review. A decision names the revision that its reader saw; if the post was edited since, it is refused.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, distinct, exists, func, select

from desk import audit, queue
from desk.database.connect import reading, writing
from desk.database.locks import take_turn
from desk.database.tables import queue_posts, review_undos, reviews
from desk.people import Person
from desk.posts import Posts
from desk.refusals import Conflict, Refused
from hustings.clock import Clock
from hustings.types import Review
from hustings.wire import decode, encode

if TYPE_CHECKING:
    from hustings.codebook import Codebook

__all__ = [
    "GRACE",
    "REVIEWING_ROLES",
    "Judgement",
    "TruthSource",
    "Verdict",
    "decide",
    "is_settled",
    "last_in_grace",
    "of_subject",
    "read_by_several",
    "reverse",
    "settled",
    "settled_so_far",
    "under_lease",
    "undo",
]

Verdict = Literal["dismiss", "log", "watch", "alert", "urgent"]

GRACE = timedelta(seconds=10)
"""Within it an undo takes a decision back before anything follows from it."""

REVIEWING_ROLES = frozenset({"reviewer", "lead"})

OPEN_TRUTH = frozenset({"T-UNASSESSED", "T-NOCHECK", "T-OPEN"})
"""Truth codes that assert nothing yet; every other T-code needs a `TruthSource`."""

SourceKind = Literal["fact-checker", "election body", "court", "outlet", "own verification"]


class TruthSource(Struct, frozen=True, kw_only=True):
    """On what a truth status rests."""

    url: str
    kind: SourceKind
    checked_on: date


class Judgement(Struct, frozen=True, kw_only=True):
    """What a person says, before it is recorded. `revision` is the one that was on the page; `shown` is what the page
    said of the machine's opinion."""

    revision: int
    verdict: Verdict
    codes: tuple[str, ...]
    note: str = ""
    shown: dict[str, str | float | int | bool | None] = {}
    truth: TruthSource | None = None


def decide(
    engine: Engine,
    judgement: Judgement,
    *,
    key: str,
    token: int,
    reviewer: Person,
    index: Posts,
    codebook: Codebook,
    clock: Clock,
) -> Review:
    """Record the decision on a claimed post and take it out of the queue.

    `token` is the lease of the claim. Raises `Refused` (role, unknown code, a truth status without source) and
    `Conflict` (lease lost, post edited since)."""
    _check(judgement, reviewer, codebook)
    _check_revision(index, key, judgement.revision)
    now = clock.now()
    review = _review(judgement, "post", key, reviewer, codebook, now)
    with writing(engine) as connection:
        queue.check_lease(connection, key=key, token=token, now=now)
        connection.execute(reviews.insert().values(_row(review)))
        queue.close(connection, key=key, now=now)
        audit.append(
            connection,
            at=now,
            actor=reviewer.pseudonym,
            action="review",
            subject=key,
            detail=_detail(review, judgement),
        )
    return review


def reverse(
    engine: Engine,
    judgement: Judgement,
    *,
    subject: Literal["post", "story", "alert"],
    subject_id: str,
    reviewer: Person,
    index: Posts,
    codebook: Codebook,
    clock: Clock,
) -> Review:
    """Record a further judgement outside the queue: a later change of mind, a second look. The former ones stay.

    Who says again what they said last, and nobody has said anything since, has sent one form twice: the answer is the
    review that stands. Raises `Conflict` for a post that waits in the queue: it is decided by whoever takes it."""
    _check(judgement, reviewer, codebook)
    if subject == "post":
        _check_revision(index, subject_id, judgement.revision)
    review = _review(judgement, subject, subject_id, reviewer, codebook, clock.now())
    with writing(engine) as connection:
        take_turn(connection, "review", subject, subject_id)
        last = _last(connection, subject, subject_id)
        if last is not None and msgspec.structs.replace(review, id=last.id, at=last.at) == last:
            return last
        if subject == "post":
            queue.check_no_reader_awaited(connection, key=subject_id)
        connection.execute(reviews.insert().values(_row(review)))
        audit.append(
            connection,
            at=review.at,
            actor=reviewer.pseudonym,
            action="review-again",
            subject=subject_id,
            detail=_detail(review, judgement),
        )
    return review


def undo(engine: Engine, *, review_id: str, reviewer: Person, clock: Clock) -> Review:
    """Take back one's own decision within ten seconds: a post that it took out of the queue is in one's hands again.
    Raises `Refused` later on."""
    now = clock.now()
    with writing(engine) as connection:
        mine = select(reviews.c.value).where(reviews.c.id == review_id).with_for_update()
        raw = connection.execute(mine).scalar()
        review = None if raw is None else decode(raw, Review)
        if review is None or review.reviewer != reviewer.pseudonym:
            raise Refused("this is not a decision of yours")
        if now - review.at > GRACE:
            raise Refused("ten seconds are over; decide again instead, the former decision stays on record")
        done = select(review_undos.c.review).where(review_undos.c.review == review_id)
        if connection.execute(done).first() is not None:
            raise Conflict("this decision was undone already")
        connection.execute(review_undos.insert().values(review=review_id, at=now))
        if review.subject == "post":
            queue.reopen(connection, key=review.subject_id, closed_at=review.at, reviewer=reviewer.pseudonym, now=now)
        audit.append(
            connection,
            at=now,
            actor=reviewer.pseudonym,
            action="review-undone",
            subject=review.subject_id,
            detail={"review": review_id},
        )
    return review


def under_lease(engine: Engine, *, key: str, token: int, reviewer: Person) -> Review | None:
    """What this person has decided of a post under this lease; None while nothing stands, and once the post waits
    again. A form that is sent twice finds here that it has arrived."""
    statement = (
        select(reviews.c.value)
        .join(queue_posts, and_(queue_posts.c.key == reviews.c.subject_id, queue_posts.c.done_at == reviews.c.at))
        .where(reviews.c.subject == "post", reviews.c.subject_id == key, reviews.c.reviewer == reviewer.pseudonym)
        .where(queue_posts.c.token == token, _stands())
    )
    with reading(engine) as connection:
        raw = connection.execute(statement).scalar()
    return None if raw is None else decode(raw, Review)


def last_in_grace(engine: Engine, *, reviewer: Person, clock: Clock) -> Review | None:
    """The last review of a post by this person, while an undo takes it back; None later on, and once it was undone."""
    statement = (
        select(reviews.c.value, _stands())
        .where(reviews.c.reviewer == reviewer.pseudonym, reviews.c.at >= clock.now() - GRACE)
        .where(reviews.c.subject == "post")
        .order_by(reviews.c.at.desc(), reviews.c.id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        last = connection.execute(statement).first()
    return None if last is None or not last[1] else decode(last[0], Review)


def of_subject(engine: Engine, subject: Literal["post", "story", "alert"], subject_id: str) -> list[Review]:
    """Every standing review of one subject, oldest first; undone ones are left out."""
    statement = (
        select(reviews.c.value)
        .where(reviews.c.subject == subject, reviews.c.subject_id == subject_id, _stands())
        .order_by(reviews.c.at, reviews.c.id)
    )
    with reading(engine) as connection:
        return [decode(raw, Review) for raw in connection.execute(statement).scalars()]


def settled(engine: Engine, *, clock: Clock) -> list[Review]:
    """Every standing review whose grace is over, oldest first: what training data and reports may use."""
    statement = select(reviews.c.value).where(_is_settled(clock)).order_by(reviews.c.at, reviews.c.id)
    with reading(engine) as connection:
        return [decode(raw, Review) for raw in connection.execute(statement).scalars()]


def read_by_several(engine: Engine, *, clock: Clock) -> list[Review]:
    """Of what is `settled` the reviews of posts that more than one person read: on no other can people disagree."""
    posts = and_(reviews.c.subject == "post", _is_settled(clock))
    several = (
        select(reviews.c.subject_id)
        .where(posts)
        .group_by(reviews.c.subject_id)
        .having(func.count(distinct(reviews.c.reviewer)) > 1)
    )
    statement = (
        select(reviews.c.value).where(posts, reviews.c.subject_id.in_(several)).order_by(reviews.c.at, reviews.c.id)
    )
    with reading(engine) as connection:
        return [decode(raw, Review) for raw in connection.execute(statement).scalars()]


def settled_so_far(engine: Engine, *, clock: Clock) -> tuple[int, int]:
    """Two numbers that say the same as before only while `settled` does: reviews whose grace is over, and undos, of
    which neither is ever deleted."""
    with reading(engine) as connection:
        past_grace = select(func.count()).select_from(reviews).where(reviews.c.at <= clock.now() - GRACE)
        undone = select(func.count()).select_from(review_undos)
        return connection.execute(past_grace).scalar_one(), connection.execute(undone).scalar_one()


def is_settled(review: Review, *, clock: Clock) -> bool:
    """Whether the grace of a review that was not undone is over."""
    return review.at <= clock.now() - GRACE


def _last(connection: Connection, subject: str, subject_id: str) -> Review | None:
    """The newest standing review of a subject."""
    statement = (
        select(reviews.c.value)
        .where(reviews.c.subject == subject, reviews.c.subject_id == subject_id, _stands())
        .order_by(reviews.c.at.desc(), reviews.c.id.desc())
        .limit(1)
    )
    raw = connection.execute(statement).scalar()
    return None if raw is None else decode(raw, Review)


def _is_settled(clock: Clock) -> ColumnElement[bool]:
    return and_(reviews.c.at <= clock.now() - GRACE, _stands())


def _stands() -> ColumnElement[bool]:
    return ~exists().where(review_undos.c.review == reviews.c.id)


def _check(judgement: Judgement, reviewer: Person, codebook: Codebook) -> None:
    if reviewer.role not in REVIEWING_ROLES:
        raise Refused(f"a {reviewer.role} may not review; known are {', '.join(sorted(REVIEWING_ROLES))}")
    for code in judgement.codes:
        if not codebook.is_known(code):
            near = codebook.nearest(code)
            hint = f"; did you mean {near!r}?" if near else ""
            raise Refused(f"the codebook {codebook.version} has no code {code!r}{hint}")
        if code.startswith("T-") and code not in OPEN_TRUTH and judgement.truth is None:
            raise Refused(f"{code} needs its source: address, kind and date of the check")


def _check_revision(index: Posts, key: str, revision: int) -> None:
    found = index.get([key]).get(key)
    if found is None:
        raise Refused(f"the post {key!r} is not in the index")
    if found.post.revision != revision:
        what = "deleted" if found.post.deleted else "edited"
        raise Conflict(f"the post was {what} at its source while you read it; look at it again")


def _shown(judgement: Judgement) -> dict[str, str | float | int | bool | None]:
    kept = dict(judgement.shown)
    truth = judgement.truth
    if truth is not None:
        kept |= {
            "truth.url": truth.url,
            "truth.kind": truth.kind,
            "truth.checked_on": truth.checked_on.isoformat(),
        }
    return kept


def _review(
    judgement: Judgement,
    subject: Literal["post", "story", "alert"],
    subject_id: str,
    reviewer: Person,
    codebook: Codebook,
    now: datetime,
) -> Review:
    return Review(
        id=secrets.token_hex(16),
        reviewer=reviewer.pseudonym,
        subject=subject,
        subject_id=subject_id,
        subject_revision=judgement.revision,
        codes=tuple(dict.fromkeys(judgement.codes)),
        verdict=judgement.verdict,
        note=judgement.note,
        codebook=codebook.version,
        shown=_shown(judgement),
        at=now,
    )


def _detail(review: Review, judgement: Judgement) -> audit.Detail:
    return {
        "review": review.id,
        "verdict": judgement.verdict,
        "codes": list(judgement.codes),
        "revision": judgement.revision,
    }


def _row(review: Review) -> dict[str, object]:
    return {
        "id": review.id,
        "reviewer": review.reviewer,
        "subject": review.subject,
        "subject_id": review.subject_id,
        "verdict": review.verdict,
        "at": review.at,
        "value": encode(review),
    }
