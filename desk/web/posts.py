"""A post as the pages show it: its words, what the machine said of them, and what is kept back until asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from desk.web.words import Reading, read
from hustings.codebook import Codebook
from hustings.types import Assessment, QueueEntry, Review

__all__ = ["BriefPost", "brief", "hides_example", "is_blind", "shown_to", "veil_in_lists", "veil_on_page"]

_SEVERE = ("G-THR", "A-THREAT", "G-SEX", "G-PRIV-NCII", "G-PRIV-DOX", "A-DOX", "N-INCITE", "N-PART-THREAT")
"""Threats, sexual abuse, exposure, incitement: blurred until somebody chooses to read."""
_MASKED_IN_LISTS = (*_SEVERE, "G", "A", "H")
"""In lists also slurs and insults: nobody should meet them in passing."""


class BriefPost(Struct, frozen=True, kw_only=True):
    """A post in a list. `veil` says why its words are covered, empty when they are not."""

    key: str
    at: datetime
    source: str
    lang: str
    codes: tuple[str, ...]
    veil: str
    reading: Reading


def brief(assessment: Assessment) -> BriefPost:
    """The post for a list."""
    reading = read(assessment)
    return BriefPost(
        key=assessment.key,
        at=assessment.post.published_at,
        source=assessment.post.source,
        lang=reading.lang,
        codes=tuple(dict.fromkeys(flag.code for flag in assessment.flags)),
        veil=veil_in_lists(assessment),
        reading=reading,
    )


def veil_on_page(assessment: Assessment, codebook: Codebook) -> str:
    """Why the words of this post are covered on its own page, empty when they are not."""
    severe = [flag.code for flag in assessment.flags if _is_under(flag.code, _SEVERE)]
    return ", ".join(dict.fromkeys(map(codebook.title, severe)))


def veil_in_lists(assessment: Assessment) -> str:
    """Why the words of this post are covered in lists."""
    return "may be distressing" if any(_is_under(f.code, _MASKED_IN_LISTS) for f in assessment.flags) else ""


def hides_example(code: str) -> bool:
    """Whether an example of this code is folded away: who judges a post need not read a second threat or slur."""
    return _is_under(code, _MASKED_IN_LISTS)


def is_blind(entries: Sequence[QueueEntry], decided: Sequence[Review]) -> bool:
    """Whether the post came by the random slice alone and nobody has decided it yet: then its reader should not know
    what the machine thinks. `decided` are its standing reviews."""
    return bool(entries) and not decided and all(entry.probability < 1 for entry in entries)


def shown_to(assessment: Assessment, *, blind: bool) -> dict[str, str | float | int | bool | None]:
    """What a review records of the machine's opinion that its author had before them."""
    if blind:
        return {"blind": True}
    shown: dict[str, str | float | int | bool | None] = {"blind": False}
    shown |= {f"flag.{flag.code}": round(flag.score, 4) for flag in assessment.flags}
    shown |= {f"withheld.{one.flag.code}": round(one.flag.score, 4) for one in assessment.withheld}
    shown |= {f"example.{flag.code}": flag.example for flag in assessment.flags if flag.example}
    shown |= {f"model.{name}": version for name, version in assessment.models.items()}
    return shown


def _is_under(code: str, families: Iterable[str]) -> bool:
    return not code.endswith("-NONE") and any(code == family or code.startswith(family + "-") for family in families)
