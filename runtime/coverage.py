"""Silence: a region whose sources all said nothing, from the health of the sources.

No data is not calm. A stretch counts as silence when every source of the region was quiet at once for clearly longer
than any of them usually is alone, its fifth longest quiet being what is usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from hustings.source_health import Quiet, SourceHealth

__all__ = ["Silence", "silences"]

LEAST = timedelta(minutes=30)
"""Nothing shorter is called silence, however busy a region is."""
CLEARLY_LONGER = 1.25
"""By this factor a shared quiet must exceed what is usual; sources that publish on the hour share every gap."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """All sources of a region were quiet from `start` to `end`; `lasts` when none of them has spoken since."""

    region: str
    start: datetime
    end: datetime
    sources: tuple[str, ...]
    lasts: bool = False


def silences(
    health: Mapping[str, SourceHealth], region_of: Mapping[str, str], *, is_live: bool = False
) -> list[Silence]:
    """Silences of every region with at least two sources, oldest first. In a live deployment those that last count
    too, up to the last time that we looked: what we did not look at is a gap, not a silence."""
    by_region: dict[str, list[str]] = {}
    for source, region in region_of.items():
        if region and source in health:
            by_region.setdefault(region, []).append(source)
    found = []
    for region, sources in by_region.items():
        if len(sources) < 2:
            continue
        usual = max(_usual(health[source].quiets) for source in sources)
        since = [_quiet_since(health[source]) if is_live else None for source in sources]
        quiets = [(*health[s].quiets, *filter(None, [now])) for s, now in zip(sources, since, strict=True)]
        lasting_end = min((now.end for now in since if now), default=None) if all(since) else None
        for start, end in _shared(quiets):
            if end - start > max(usual * CLEARLY_LONGER, LEAST):
                names = tuple(sorted(sources))
                found.append(Silence(region=region, start=start, end=end, sources=names, lasts=end == lasting_end))
    return sorted(found, key=lambda silence: (silence.start, silence.region))


def _usual(quiets: Sequence[Quiet]) -> timedelta:
    return min((quiet.length for quiet in quiets), default=timedelta(0))


def _quiet_since(health: SourceHealth) -> Quiet | None:
    """The quiet that lasts: from the last post to the last time that the source answered and had nothing."""
    start, end = health.last_post_at, health.last_success
    return Quiet(start=start, end=end) if start and end and end > start and not health.done else None


def _shared(of_sources: Sequence[Sequence[Quiet]]) -> list[tuple[datetime, datetime]]:
    """Stretches that are inside a quiet of every source."""
    shared = [(quiet.start, quiet.end) for quiet in of_sources[0]]
    for quiets in of_sources[1:]:
        shared = [
            (max(start, quiet.start), min(end, quiet.end))
            for start, end in shared
            for quiet in quiets
            if max(start, quiet.start) < min(end, quiet.end)
        ]
    return sorted(shared)
