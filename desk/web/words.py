"""The words of somebody else, prepared for showing: cut at the flagged spans, never changed, never a live link."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import urlsplit

from msgspec import Struct

from hustings.query.fields import fold_host
from hustings.types import Assessment, Span

__all__ = ["Excerpt", "InertLink", "Piece", "Reading", "direction", "inert_link", "read", "segments"]

_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"})
_EXCERPT = 80
"""Characters of a span in the list beside the post; the text itself is shown whole."""


class Piece(Struct, frozen=True, kw_only=True):
    """A stretch of text under the same spans: `flag` and `target` say what the stretch belongs to."""

    text: str
    flag: bool = False
    target: bool = False

    @property
    def classes(self) -> str:
        return " ".join(name for name, on in (("flag", self.flag), ("target", self.target)) if on)


class Excerpt(Struct, frozen=True, kw_only=True):
    """One span as a line of text, for those who cannot see the underline."""

    text: str
    label: str
    part: str
    is_target: bool = False


class InertLink(Struct, frozen=True, kw_only=True):
    """A link that nobody can follow: the host as the network sees it, and the address as it was written."""

    host: str
    address: str
    is_disguised: bool
    """The host holds letters that are not ASCII, so that it may look like another one."""


class Reading(Struct, frozen=True, kw_only=True):
    """Title and text cut at the spans, the spans as a list, and how the text is set."""

    title: tuple[Piece, ...]
    text: tuple[Piece, ...]
    excerpts: tuple[Excerpt, ...]
    links: tuple[InertLink, ...]
    lang: str
    direction: str


def read(assessment: Assessment) -> Reading:
    """An assessment's post, ready for the page."""
    post = assessment.post
    parts = {"title": post.title, "text": post.text}
    flagged = [(span, flag.code, False) for flag in assessment.flags for span in flag.spans]
    named = [(span, target.id, True) for target in assessment.targets for span in target.spans]
    pieces = {
        part: segments(
            text,
            flags=[span for span, _, _ in flagged if span.part == part],
            targets=[span for span, _, _ in named if span.part == part],
        )
        for part, text in parts.items()
    }
    excerpts = tuple(
        Excerpt(text=_shortened(parts[span.part][span.start : span.end]), label=label, part=span.part, is_target=named)
        for span, label, named in sorted(flagged + named, key=lambda row: (row[0].part, row[0].start, row[1]))
    )
    lang = assessment.lang if assessment.lang not in ("", "und") else post.lang
    return Reading(
        title=pieces["title"],
        text=pieces["text"],
        excerpts=excerpts,
        links=tuple(inert_link(url) for url in dict.fromkeys((*post.links, *filter(None, (post.url,))))),
        lang="" if lang == "und" else lang,
        direction=direction(lang),
    )


def segments(text: str, *, flags: Iterable[Span] = (), targets: Iterable[Span] = ()) -> tuple[Piece, ...]:
    """`text` cut at every span's ends. Joined again the pieces are `text`; spans beyond its end are cut off."""
    ranges = [
        (_clipped(span, len(text)), is_target)
        for is_target, group in ((False, flags), (True, targets))
        for span in group
    ]
    cuts = sorted({0, len(text), *(end for (start, stop), _ in ranges for end in (start, stop))})
    pieces: list[Piece] = []
    for start, stop in pairwise(cuts):
        over = [is_target for (first, last), is_target in ranges if first <= start and stop <= last]
        pieces.append(Piece(text=text[start:stop], flag=False in over, target=True in over))
    return tuple(pieces)


def _clipped(span: Span, length: int) -> tuple[int, int]:
    start = min(span.start, length)
    return start, max(start, min(span.end, length))


def direction(lang: str) -> str:
    """The `dir` of a text: known from its language, else left to the browser's look at the letters."""
    return "rtl" if lang.replace("_", "-").partition("-")[0].casefold() in _RIGHT_TO_LEFT else "auto"


def inert_link(url: str) -> InertLink:
    """What may be shown of a link. An address whose host cannot be read shows none."""
    try:
        parts = urlsplit(url)
        bare = "" if parts.scheme else urlsplit(f"//{url}").hostname or ""
        host = (parts.hostname or "") if parts.scheme in ("http", "https") else bare
    except ValueError:  # a bracket without its partner
        host = ""
    return InertLink(host=fold_host(host) or "unreadable host", address=url, is_disguised=not host.isascii())


def _shortened(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
