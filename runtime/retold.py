"""What perhaps tells a post's story in other words, for the desk: the newest flagged posts, read for their meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hustings.contracts import Index
from hustings.errors import ModelError
from hustings.query import Query
from hustings.query.tree import And, Has, Is, Not
from hustings.types import Assessment

if TYPE_CHECKING:
    from classifiers.encoder.embed import Embedder
    from desk.web.services import Events

__all__ = ["retold_finder"]

_NEWEST = 500
"""Flagged posts of other stories that are looked at for one question."""


def retold_finder(
    index: Index, open_embedder: Callable[[str], Embedder | None], events: Events
) -> Callable[[Assessment], list[Assessment]]:
    """Finds the posts, the most alike first. The models are opened when the first post is asked about; one that cannot
    be trusted is named in the log, and nothing is found then: the page does not depend on it."""
    from classifiers.retold import Retold

    def opened(language: str) -> Embedder | None:
        try:
            return open_embedder(language)
        except ModelError as error:
            events.error("models_refused", detail=str(error), models="none that reads for meaning")
            return None

    retold = Retold(opened)

    def find(asked: Assessment) -> list[Assessment]:
        if not retold.speaks(asked.lang):
            return []
        others = And((Has("story"), Is("lang", (asked.lang,)), Not(Is("story", (asked.story,)))))
        return retold.of(asked, index.search(Query(text="", node=others), limit=_NEWEST).assessments)

    return find
