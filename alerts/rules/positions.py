"""Where in a rule file a key stands: TOML readers give values without places, people need line and column.

A plain pass over the lines. What it does not find (a key inside a dotted inline table over several lines) gets the
place of what encloses it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Place", "Places"]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=\s*""")
_LONG_QUOTE = re.compile(r'"""|\'\'\'')


class Place(NamedTuple):
    """A file, and a line and column counted from 1 (0 where there is none)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])


class _Found(NamedTuple):
    line: int
    column: int
    value_column: int


class Places:
    """The keys of a rule file by rule number (from 0) and path, such as `(0, "episode", "renotify")`."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._lines = text.splitlines()
        self._found: dict[tuple[int, tuple[str, ...]], _Found] = {}
        self._scan()

    def of_rule(self, rule: int) -> Place:
        """Where a rule begins."""
        return self._place(rule, ())

    def of_key(self, rule: int, *path: str) -> Place:
        """Where a key stands; the place of what encloses it when the key itself is not found or not there."""
        for length in range(len(path), -1, -1):
            found = self._found.get((rule, path[:length]))
            if found is not None:
                inner = self._inside(found, path[length]) if length and length < len(path) else None
                return inner or Place(self.file, found.line, found.column)
        return Place(self.file)

    def of_top(self, key: str) -> Place:
        """Where a key or table outside of every rule stands."""
        return self._place(-1, (key,))

    def in_text(self, rule: int, key: str, text: str, column: int) -> Place | None:
        """Where the given column (from 1) of a key's text stands; None unless the text stands verbatim on its line."""
        found = self._found.get((rule, (key,)))
        if found is None:
            return None
        line = self._lines[found.line - 1]
        start = found.value_column  # the character after the opening quote
        if line[start - 1 : start] in ("'", '"') and line[start : start + len(text)] == text:
            return Place(self.file, found.line, start + column)
        return None

    def _place(self, rule: int, path: tuple[str, ...]) -> Place:
        found = self._found.get((rule, path))
        return Place(self.file) if found is None else Place(self.file, found.line, found.column)

    def _inside(self, found: _Found, key: str) -> Place | None:
        """A key of an inline table, on the line of the table."""
        inner = re.compile(rf"""[{{,]\s*["']?({re.escape(key)})["']?\s*=""")
        match = inner.search(self._lines[found.line - 1], found.value_column - 1)
        return None if match is None else Place(self.file, found.line, match.start(1) + 1)

    def _scan(self) -> None:
        rule, tests, inside_text = -1, -1, ""
        table: tuple[str, ...] = ()
        for number, line in enumerate(self._lines, start=1):
            if inside_text:
                if inside_text in line:
                    inside_text = ""
                continue
            header, key = _HEADER.match(line), _KEY.match(line)
            if header is not None:
                column = header.start(1) + 1
                path = _parts(header.group(2))
                if path == ("rule",):
                    rule, tests, table = rule + 1, -1, ()
                elif path == ("rule", "test"):
                    tests += 1
                    table = ("test", str(tests))
                else:
                    table = path[1:] if path[0] == "rule" else path
                self._found.setdefault((rule, table), _Found(number, column, column))
            elif key is not None:
                path = (*table, *_parts(key.group(1)))
                self._found.setdefault((rule, path), _Found(number, key.start(1) + 1, key.end() + 1))
            quotes = _LONG_QUOTE.findall(line)
            if len(quotes) % 2:
                inside_text = quotes[-1]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.]+""", dotted))
