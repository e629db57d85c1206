"""`/healthz`: that the desk answers, and nothing else."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from desk.web.visit import Visit

__all__ = ["show"]


def show(visit: Visit) -> Response:
    """`ok`; says nothing about versions, loops or load."""
    return PlainTextResponse("ok\n")
