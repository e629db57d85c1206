"""How a source fares: what `hustings status` and the desk show, one JSON object a source in the table
`source_health`."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

__all__ = ["Quiet", "SourceHealth"]

KEPT_QUIETS = 5


class Quiet(Struct, frozen=True, kw_only=True):
    """A stretch between two posts in a row of a source, by the source's clock (in a replay the archive's time)."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


class SourceHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Totals since the source was first polled, and its state now.

    `lag_s` is how old the newest post was when it was collected. `gap_since` is set while the source fails: the last
    success before it. `quiets` are the longest silences between posts, longest first; `last_post_at` begins the
    current one. `done` says that an archive is read to its end.
    """

    last_success: datetime | None = None
    last_post_at: datetime | None = None
    items: int = 0
    dead: int = 0
    caps_hit: dict[str, int] = {}
    lag_s: float | None = None
    gap_since: datetime | None = None
    last_error: str = ""
    failures: int = 0
    quiets: tuple[Quiet, ...] = ()
    brake: str = ""
    done: bool = False

    def after_posts(self, stamps: list[datetime]) -> SourceHealth:
        """With the posts that were stamped at these times, in order, their number and the silences between them."""
        quiets = list(self.quiets)
        last = self.last_post_at
        for stamp in stamps:
            if last is not None and stamp > last:
                quiets.append(Quiet(start=last, end=stamp))
                if len(quiets) > 4 * KEPT_QUIETS:
                    quiets = _longest(quiets)
            last = stamp if last is None else max(last, stamp)
        return msgspec.structs.replace(
            self, items=self.items + len(stamps), last_post_at=last, quiets=tuple(_longest(quiets))
        )


def _longest(quiets: list[Quiet]) -> list[Quiet]:
    return sorted(quiets, key=lambda quiet: (-quiet.length, quiet.start))[:KEPT_QUIETS]
