"""A claim that a publisher has checked, in the publisher's words."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["MOST_CLAIMS", "Claim"]

MOST_CLAIMS = 1_000_000
"""Of one collection: about 5 kB of memory each."""

ShortText = Annotated[str, Meta(max_length=4096)]


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One checked claim. `text` is what was claimed, `title` the headline of the check; `rating` is the publisher's
    verdict, never translated and never ours. `published` is a date as the publisher wrote it."""

    id: Annotated[str, Meta(min_length=1, max_length=512)]
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    title: ShortText = ""
    publisher: ShortText = ""
    url: ShortText = ""
    rating: ShortText = ""
    published: ShortText = ""
    lang: ShortText = ""
