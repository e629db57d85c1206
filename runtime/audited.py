"""What somebody did at the command line, in the desk's audit chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk import audit
from desk.database.connect import writing
from hustings.clock import SystemClock
from runtime import build

if TYPE_CHECKING:
    from runtime.config import Config

__all__ = ["append_as_operator"]


def append_as_operator(config: Config, action: str, *, subject: str, detail: audit.Detail) -> None:
    """Append one row, now. Raises `ConfigError` where no desk has run yet: a database would be made."""
    config.require_desk()
    engine = build.open_engine(config)
    try:
        with writing(engine) as connection:
            audit.append(
                connection, at=SystemClock().now(), actor="operator", action=action, subject=subject, detail=detail
            )
    finally:
        engine.dispose()
