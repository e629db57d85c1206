"""What a browser sent in a form, as text that can be stored: no carriage returns, no NUL, no lone surrogates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desk.refusals import Refused

__all__ = ["Form"]

MOST_CHARACTERS = 100_000
"""Longest single field; a note of a reviewer is far below."""
WRITTEN = ("note", "text")
"""Fields in which people write more than a line."""
CHOSEN = ("verdict", "code", "typed_code", "codes", "truth_url")
"""Fields in which people decide without a line: a decision needs no note."""


class Form:
    """The fields by name, in the order sent."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = {name: [_cleaned(value) for value in values] for name, values in fields.items()}

    @property
    def written(self) -> str:
        """The name of the field that holds what somebody has written; empty when nobody has."""
        return next((name for name in WRITTEN if self.one(name).strip()), "")

    @property
    def chosen(self) -> tuple[str, ...]:
        """What somebody has decided beside what they have written, in the order of the form."""
        return tuple(value for name in CHOSEN for value in self.all(name) if value.strip())

    def beside(self, *names: str) -> list[tuple[str, str]]:
        """Every field but these, by name and value."""
        return [(name, value) for name, values in self._fields.items() if name not in names for value in values]

    def one(self, name: str) -> str:
        """The first value, or the empty string."""
        return next(iter(self._fields.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value that is not empty, each once."""
        return tuple(dict.fromkeys(value for value in self._fields.get(name, ()) if value))

    def number(self, name: str) -> int:
        """A whole number from 0. Raises `Refused` when the field holds none."""
        value = self.one(name)
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise Refused(f"the field {name!r} needs a whole number, found {value[:40]!r}")
        return int(value)


def _cleaned(value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        raise Refused(f"a field holds at most {MOST_CHARACTERS:,} characters, this has {len(value):,}")
    readable = value.encode("utf-8", "replace").decode()
    return readable.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
