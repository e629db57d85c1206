"""Sources: when each last brought something, where it has a gap, which of its caps were hit, how late it runs."""

from __future__ import annotations

from starlette.responses import Response

from desk.web import machine
from desk.web.visit import Visit

__all__ = ["show"]


def show(visit: Visit) -> Response:
    """Every source, those that need a look first."""
    return visit.answer("sources.html", sources=machine.sources(visit.services))
