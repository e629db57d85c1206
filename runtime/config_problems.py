"""What is wrong with what an operator wrote: collected, and told in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches

from pydantic import ValidationError

from hustings.errors import ConfigError

__all__ = ["Problems", "report_of"]


class Problems:
    """Collects what is wrong, so that one report names everything."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        self.lines.append(f"{where}: {what}")

    @contextmanager
    def under(self, where: str) -> Iterator[None]:
        """Collects what is raised inside, each line once under `where`, and goes on behind it."""
        try:
            yield
        except ConfigError as error:
            for line in str(error).splitlines():
                self.add(where, line.removeprefix(f"{where}: "))

    def raise_any(self) -> None:
        if self.lines:
            raise ConfigError("\n".join(self.lines))


def report_of(error: ValidationError, *, where: str, known: Mapping[str, Iterable[str]] | None = None) -> list[str]:
    """Ready lines of a pydantic error: file, key, what was found, what is known."""
    lines = []
    for problem in error.errors(include_url=False):
        location = [str(part) for part in problem["loc"]]
        key = ".".join(location) or "(file)"
        if problem["type"] == "extra_forbidden":
            siblings = list((known or {}).get(".".join(p for p in location[:-1] if not p.isdigit()), ()))
            near = get_close_matches(location[-1], siblings, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else (f" Known are {', '.join(siblings)}." if siblings else "")
            lines.append(f"{where}: {key}: unknown key.{hint}")
        elif problem["type"] == "missing":
            lines.append(f"{where}: {key}: missing, and it has no default")
        else:
            text = problem["msg"].removeprefix("Value error, ")
            found = problem["input"]
            shown = found.isoformat() if isinstance(found, date) else repr(found)
            lines.append(f"{where}: {key}: {text[0].lower()}{text[1:]}, found {shown}")
    return lines
