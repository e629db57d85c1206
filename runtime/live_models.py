"""The pipeline of a running worker: a promotion or rollback is seen before the next batch, without a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hustings.errors import HustingsError
from runtime.events import Events

if TYPE_CHECKING:
    from classifiers.pipeline import Pipeline
    from hustings.types import Assessment, Post

__all__ = ["LivePipeline"]


class LivePipeline:
    """Assesses with the models that serve now. A change that cannot be opened (a model that is not signed, was changed,
    or is gone) is told once, and the models that served go on serving."""

    def __init__(
        self, *, state: Callable[[], object], open_with: Callable[[Pipeline | None], Pipeline], events: Events
    ) -> None:
        """`state` is cheap and differs once models were changed; `open_with` makes the first pipeline, or one that
        takes over from another."""
        self._state = state
        self._open_with = open_with
        self._events = events

    def open(self) -> LivePipeline:
        """Open the models that serve now. Raises `ModelError`: a worker does not begin with less than was promoted."""
        self._seen = self._state()  # first, so that a promotion meanwhile is seen at the next batch
        self._pipeline = self._open_with(None)
        self._tell_of_stale()
        return self

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]:
        """`classifiers.pipeline.Pipeline.assess` of the models that serve now."""
        state = self._state()
        if state != self._seen:
            self._seen = state  # first, so that a change that cannot be opened is not tried again with each batch
            self._take_over()
        return self._pipeline.assess(posts, first_collected)

    def _take_over(self) -> None:
        try:
            self._pipeline = self._open_with(self._pipeline)
        except HustingsError as error:
            self._events.error("models_refused", detail=str(error), models=_models(self._pipeline))
        else:
            self._events.info("models_changed", models=_models(self._pipeline))
            self._tell_of_stale()

    def _tell_of_stale(self) -> None:
        if self._pipeline.stale:
            self._events.warning("models_stale", models=list(self._pipeline.stale))


def _models(pipeline: Pipeline) -> list[str]:
    return [f"{step.name} {step.version}" for step in pipeline.steps]
