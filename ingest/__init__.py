"""How the outside becomes posts: sources, evidence, the egress guard, the log."""

from __future__ import annotations

__all__ = ["SOURCES"]

SOURCES = {
    "bluesky": "ingest.bluesky:BlueskySource",
    "feeds": "ingest.feeds:FeedsSource",
    "files": "ingest.files:FilesSource",
    "mastodon": "ingest.mastodon:MastodonSource",
    "telegram": "ingest.telegram:TelegramSource",
    "tips": "ingest.tips:TipsSource",
}
"""Built-in kinds of `[[source]]`. Third parties register more under the entry point group `hustings.sources`."""
