"""The log lines of a process: one format, key=value or JSON, never the text of a post."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

from hustings.metrics import Event

__all__ = ["Events", "Level", "open_events"]

Level = Literal["debug", "info", "warning", "error"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Events:
    """Writes named events to standard error, one line each."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def debug(self, event: Event, **fields: object) -> None:
        self._logger.debug(event, **fields)

    def info(self, event: Event, **fields: object) -> None:
        self._logger.info(event, **fields)

    def warning(self, event: Event, **fields: object) -> None:
        self._logger.warning(event, **fields)

    def error(self, event: Event, **fields: object) -> None:
        self._logger.error(event, **fields)


def open_events(
    *,
    loop: str,
    style: Literal["console", "json"] = "console",
    level: Level = "info",
    stream: TextIO | None = None,
) -> Events:
    """The writer of one process; `loop` stands on each line. `stream` None means standard error."""
    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.processors.KeyValueRenderer(key_order=["at", "level", "loop", "event"], sort_keys=True)
    )
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stderr),  # a line and its end in one write: loops share the stream
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            renderer,
        ],
        loop=loop,
    )
    return Events(logger)
