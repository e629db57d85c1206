"""The list of alerts: what waits for a release first, then by what became of them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from starlette.responses import Response

from desk import book, waiting
from desk.web.groups import group_words
from desk.web.notices import NOTICES
from desk.web.visit import Visit
from hustings.types import Alert, Amendment

__all__ = ["show"]

ALERTS = 40
"""Of one page."""
_TABS = (
    ("waiting", "Wait for release"),
    ("open", "Open"),
    ("released", "Released"),
    ("retracted", "Retracted"),
    ("all", "All"),
    ("shadow", "In shadow"),
    ("late", "Late posts"),
)


class LateLine(Struct, frozen=True, kw_only=True):
    """A post that came too late to count, and what it would have changed."""

    amendment: Amendment
    about: str


class Line(Struct, frozen=True, kw_only=True):
    """One alert of the list."""

    alert: Alert
    about: str
    waits_since: datetime | None
    waits_for: str


def show(visit: Visit) -> Response:
    """One tab of the list."""
    engine = visit.services.engine
    wanted = visit.query("state")
    tab = wanted if wanted in dict(_TABS) else "waiting"
    next_page = None
    if tab == "waiting":
        found = waiting.page(engine, limit=ALERTS, after=visit.query("after") or None)
        next_page = found.next
        lines = [
            Line(
                alert=waits.alert,
                about=_about(visit, waits.alert),
                waits_since=waits.since,
                waits_for="for a second person"
                if waits.proposal
                else ", ".join(dict.fromkeys(NOTICES[kind] for kind in waits.kinds)),
            )
            for waits in found.alerts
        ]
    elif tab == "late":
        lines = []
    else:
        page = _page(visit, tab)
        next_page = page.next
        lines = [Line(alert=alert, about=_about(visit, alert), waits_since=None, waits_for="") for alert in page.alerts]
    return visit.answer(
        "alerts.html",
        tabs=_TABS,
        tab=tab,
        lines=lines,
        late=_late(visit) if tab == "late" else [],
        next_page=next_page,
        waiting=waiting.count(engine),
        overdue=waiting.overdue(engine, clock=visit.services.clock),
    )


def _about(visit: Visit, of: Alert | Amendment) -> str:
    return group_words(of, visit.services.roster, visit.services.codebook)


def _late(visit: Visit) -> list[LateLine]:
    found = book.amendment_list(visit.services.engine, limit=ALERTS)
    return [LateLine(amendment=one, about=_about(visit, one)) for one in found]


def _page(visit: Visit, tab: str) -> book.AlertPage:
    engine, after = visit.services.engine, visit.query("after") or None
    if tab == "released":
        return book.released_alerts(engine, limit=ALERTS, after=after)
    if tab == "retracted":
        return book.retracted_alerts(engine, limit=ALERTS, after=after)
    states = ("open",) if tab == "open" else ()
    return book.latest_alerts(engine, limit=ALERTS, after=after, states=states, shadow=tab == "shadow")
