"""The decision form, read and given back: what somebody chose must survive a conflict or a slip."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import get_args

from msgspec import Struct

from desk.refusals import Refused
from desk.reviews import SourceKind, TruthSource, Verdict
from desk.web.forms import Form
from hustings.codebook import Code, Codebook
from hustings.types import Review

__all__ = ["SOURCE_KINDS", "VERDICTS", "CodeGroup", "Draft", "VerdictChoice", "code_groups"]

SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
EASTERNMOST = timedelta(hours=14)
"""Ahead of UTC, on the Line Islands: a reader's own today has begun there."""


class VerdictChoice(Struct, frozen=True):
    """One answer to "what should happen with it"."""

    name: Verdict
    title: str
    meaning: str


VERDICTS = (
    VerdictChoice("dismiss", "Dismiss", "not ours, or harmless"),
    VerdictChoice("log", "Log", "keep it for the record"),
    VerdictChoice("watch", "Watch", "look whether it grows"),
    VerdictChoice("alert", "Alert", "partners should know"),
    VerdictChoice("urgent", "Urgent", "somebody may be harmed"),
)


class CodeGroup(Struct, frozen=True, kw_only=True):
    """The codes of one axis of the codebook."""

    letter: str
    title: str
    codes: tuple[Code, ...]


_AXES = ("N", "G", "A", "H", "D", "X", "C", "T")
"""The axes that a post is coded on, in the order of the form. Phases and disruptions are not about posts; the Rabat
factors are weighed only where incitement is in question."""


def code_groups(codebook: Codebook) -> list[CodeGroup]:
    """The codes in force, grouped by axis. The head of an axis is its title and no choice: people pick the form."""
    by_axis: dict[str, list[Code]] = {}
    for code in codebook.codes.values():
        if code.parent and not code.deprecated:
            by_axis.setdefault(_axis(codebook, code), []).append(code)
    return [
        CodeGroup(letter=letter, title=codebook.codes[letter].title, codes=tuple(by_axis[letter]))
        for letter in _AXES
        if letter in by_axis
    ]


def _axis(codebook: Codebook, code: Code) -> str:
    while code.parent:
        code = codebook.codes[code.parent]
    return code.code


class Draft(Struct, frozen=True, kw_only=True):
    """What stands in the form. Nothing of it is checked yet, except that it can be stored."""

    verdict: str = ""
    codes: tuple[str, ...] = ()
    note: str = ""
    truth_url: str = ""
    truth_kind: str = ""
    truth_date: str = ""

    @classmethod
    def sent(cls, form: Form) -> Draft:
        """What a form holds: ticked codes and those typed into the search fields, each once."""
        typed = (code.strip().upper() for code in form.all("typed_code"))
        return cls(
            verdict=form.one("verdict"),
            codes=tuple(dict.fromkeys((*form.all("code"), *filter(None, typed)))),
            note=form.one("note").strip(),
            truth_url=form.one("truth_url").strip(),
            truth_kind=form.one("truth_kind"),
            truth_date=form.one("truth_date"),
        )

    def code_outside(self, groups: Iterable[CodeGroup]) -> str:
        """A code that no box of the form stands for, mistyped perhaps: it goes back into the field for typing."""
        boxes = {code.code for group in groups for code in group.codes}
        return next((code for code in self.codes if code not in boxes), "")

    @property
    def is_empty(self) -> bool:
        return self == Draft()

    def is_said_by(self, review: Review) -> bool:
        """Whether the review says what stands in the form."""
        return (self.verdict, self.codes, self.note) == (review.verdict, review.codes, review.note)

    def checked_verdict(self) -> Verdict:
        """The verdict. Raises `Refused` when none was chosen."""
        for choice in VERDICTS:
            if choice.name == self.verdict:
                return choice.name
        raise Refused("choose what should happen with the post: dismiss, log, watch, alert or urgent")

    def truth_source(self, *, now: datetime) -> TruthSource | None:
        """On what a truth status rests; None when nothing was given. Raises `Refused` when it is half given, or of a
        day that has not begun anywhere."""
        if not (self.truth_url or self.truth_date):
            return None
        kind = next((known for known in SOURCE_KINDS if known == self.truth_kind), None)
        if kind is None or not self.truth_url.startswith(("https://", "http://")):
            raise Refused("a truth status needs the address (https://…), the kind and the date of its source")
        try:
            checked_on = date.fromisoformat(self.truth_date)
        except ValueError:
            raise Refused(f"the date of the check is not a date: {self.truth_date[:40]!r}") from None
        if checked_on > (now + EASTERNMOST).date():
            raise Refused(f"the date of the check lies in the future: {checked_on}")
        return TruthSource(url=self.truth_url, kind=kind, checked_on=checked_on)
