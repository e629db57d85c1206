"""Reading one TOML table key by key, with a problem for whatever does not fit."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from alerts.rules.durations import read_duration
from alerts.rules.positions import Place, Places
from alerts.rules.problems import Code, Report
from hustings.query.vocabulary import nearest

__all__ = ["Table"]


INNER_KEYS: dict[str, tuple[str, ...]] = {
    "when": ("gte", "gt", "lte", "lt", "ratio_gte"),
    "guard": ("min_posts",),
    "episode": ("resolve_after", "renotify", "escalate"),
    "evidence": ("samples", "pick"),
    "limits": ("max_groups",),
    "route": ("severity", "tlp", "topics"),
}
"""The tables within a rule and their keys."""
GONE = {"episodes_per_hour": "no longer a setting: it never limited anything; take it out"}
"""Keys that files of former versions have, and what is said of them."""


class Table:
    """A table of a rule file. Every `read` of a key that is absent or wrong gives None; what is wrong is reported."""

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        report: Report,
        places: Places,
        rule: int,
        name: str,
        path: Sequence[str] = (),
    ) -> None:
        self.values = values
        self._report = report
        self._places = places
        self._rule = rule
        self._name = name
        self._path = tuple(path)
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def problem(self, code: Code, key: str, text: str, *, place: Place | None = None) -> None:
        """Report something about a key of this table."""
        path = (*self._path, *key.split("."))
        shown = f"test {int(path[1]) + 1}" if path[0] == "test" and len(path) > 1 else ".".join(path)
        self._report.add(code, text, place=place or self.place(*path), rule=self._name, key=shown)

    def place(self, *path: str) -> Place:
        """Where a key of this rule stands."""
        return self._places.of_key(self._rule, *path)

    def query_problem(self, code: Code, key: str, query: str, text: str, *, column: int) -> None:
        """Report something about one column of a query."""
        place = self._places.in_text(self._rule, key, query, column) if not self._path else None
        self.problem(code, key, f"{text} (column {column} of the query)", place=place)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """E01 for every key that is not one of `known`."""
        for key in self.values:
            if key not in known:
                self.problem("E01", key, GONE.get(key) or f"no such key; {nearest(key, known)}")

    def text(self, key: str) -> str | None:
        """A string that is not empty."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, str) and found.strip() and len(found) <= 512:
            return found
        self.problem("E12", key, f"takes a text of 1 to 512 characters; found {_shown(found)}")
        return None

    def choice(self, key: str, known: Sequence[str]) -> str | None:
        """One of a few words."""
        found = self.values.get(key)
        if found is None or found in known:
            return found if isinstance(found, str) else None
        self.problem("E11", key, f"no such value {_shown(found)}; {nearest(str(found), known)}")
        return None

    def whole(self, key: str, *, least: int) -> int | None:
        """A whole number from `least` on."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int):
            self.problem("E12", key, f"takes a whole number; found {_shown(found)}")
            return None
        if found < least:
            self.problem("E08", key, f"has to be {least} or more; found {found}")
            return None
        return found

    def number(self, key: str) -> float | None:
        """A finite number."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            self.problem("E12", key, f"takes a number; found {_shown(found)}")
            return None
        if not math.isfinite(found) or abs(found) > 1e15:
            self.problem("E08", key, f"no count is ever compared with {found}")
            return None
        return float(found)

    def duration(self, key: str, *, may_be_zero: bool = False) -> timedelta | None:
        """A number with a unit."""
        found = self.values.get(key)
        if found is None:
            return None
        span = read_duration(found)
        if span is None or (not span and not may_be_zero):
            least = "zero or more" if may_be_zero else "more than zero"
            self.problem(
                "E05", key, f"takes a duration such as `90s`, `10m`, `1h` or `2d`, {least}; found {_shown(found)}"
            )
            return None
        return span

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of different strings."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, list) and all(isinstance(one, str) and one and len(one) <= 512 for one in found):
            if len(set(found)) == len(found):
                return tuple(found)
            self.problem("E12", key, f"names something twice: {_shown(found)}")
            return None
        self.problem("E12", key, f"takes a list of texts; found {_shown(found)}")
        return None

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """A list of finite numbers above zero, ascending."""
        found = self.values.get(key)
        if found is None:
            return None
        if not isinstance(found, list) or any(isinstance(n, bool) or not isinstance(n, int | float) for n in found):
            self.problem("E12", key, f"takes a list of numbers; found {_shown(found)}")
            return None
        if any(not math.isfinite(number) or number <= 0 for number in found) or sorted(set(found)) != found:
            self.problem("E08", key, f"takes numbers above zero, ascending; found {_shown(found)}")
            return None
        return tuple(float(number) for number in found)

    def inner(self, key: str) -> Table:
        """A table within; empty when it is absent or no table, which is reported."""
        known = INNER_KEYS[key]
        found = self.values.get(key, {})
        is_new = key not in self._read
        self._read.add(key)
        if not isinstance(found, dict):
            if is_new:
                self.problem("E12", key, f"takes a table with {', '.join(known)}; found {_shown(found)}")
            found = {}
        inner = Table(
            found,
            report=self._report,
            places=self._places,
            rule=self._rule,
            name=self._name,
            path=(*self._path, key),
        )
        if is_new:
            inner.refuse_unknown(known)
        return inner


def _shown(found: object) -> str:
    """A value as it may stand in an error: short, on one line."""
    text = repr(found) if not isinstance(found, bool) else str(found).lower()
    return text if len(text) <= 60 else text[:57] + "…"
