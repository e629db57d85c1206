"""The overview: is the machine alive, what waits for people, which sources are silent, and the last two days as a
chart with its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from desk import queue, waiting
from desk.web import machine
from desk.web.chart import Chart, draw
from desk.web.visit import Visit
from hustings.query import Query
from hustings.query.tree import And, Between, Everything, Has

__all__ = ["show"]

HOURS = 48
_HOUR = timedelta(hours=1)


def show(visit: Visit) -> Response:
    """Numbers and times only: no words of any post."""
    services = visit.services
    return visit.answer(
        "overview.html",
        loops=machine.loops(services),
        lags=machine.lags(services),
        depth=queue.depth(services.engine, clock=services.clock),
        alerts_waiting=waiting.count(services.engine),
        books=services.index.books(),
        unusable=sum(services.log.ends("dead-letters").values()),
        sources=machine.sources(services),
        silences=services.silences(),
        chart=_last_hours(visit),
        hours=HOURS,
    )


def _last_hours(visit: Visit) -> Chart:
    """Posts and flagged posts by hour of publication, up to now or, where the newest post is older (a pause), up to
    that one; in a replay always up to the newest."""
    index, now = visit.services.index, visit.services.clock.now()
    newest = index.search(Query(text="*", node=Everything()), limit=1).assessments
    last = now
    if newest:
        published = newest[0].post.published_at
        last = published if visit.services.is_replay else min(now, published)
    end = _hour_of(last) + _HOUR
    start = end - HOURS * _HOUR
    during = Between(field="published", start=start, end=end)
    posts = index.histogram(Query(text="", node=during), step=_HOUR)
    flagged = index.histogram(Query(text="", node=And(nodes=(during, Has(field="flag")))), step=_HOUR)
    return draw(posts, flagged, start=start, steps=HOURS, step=_HOUR)


def _hour_of(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
