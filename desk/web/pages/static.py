"""The style sheet, the keys and the mark."""

from __future__ import annotations

from starlette.responses import Response

from desk.web.visit import NotFound, Visit

__all__ = ["show"]


def show(visit: Visit) -> Response:
    """The file, kept by browsers for ever: another content has another address."""
    found = visit.shared.files.find(visit.path("digest"), visit.path("name"))
    if found is None:
        raise NotFound("this file is not part of the desk, or of an older version")
    content, kind = found
    return Response(content, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"})
