"""Posts of a file, as the commands that score and measure read them: one JSON object a line, nothing guessed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Labelled", "as_text", "families_of", "in_parts", "labelled", "labels_of", "rows", "texts_of", "values_told"]

_PART = 256
_LISTED = 8
"""Values of a label that an error shows."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Labelled(NamedTuple):
    """Posts of a file with what people said of them: 1 where the label is the value that is to be found."""

    rows: list[dict[str, object]]
    texts: list[str]
    labels: NDArray[np.int64]


def rows(path: Path, *keys: str) -> Iterator[dict[str, object]]:
    """The objects of a file, which has one on each line. Raises `ConfigError`, with the line, for what is none or lacks
    a key. Blank lines are taken at the end only: numbers that are printed a line each must fit the lines of the file.
    """
    import json

    from classifiers.training.labels import parse_line
    from classifiers.training.text_file import lines_of, told
    from hustings.errors import ConfigError

    blank = 0
    for number, line in enumerate(lines_of(path), start=1):
        if not line.strip():
            blank = blank or number
            continue
        if blank:
            raise ConfigError(f"{told(path)}: line {blank}: is blank; each line holds one JSON object")
        where = f"{told(path)}: line {number}"
        try:
            row = parse_line(line.rstrip("\n"))
        except json.JSONDecodeError as error:
            raise ConfigError(f"{where}: no JSON: {error.msg} at column {error.colno}, in {line[:80]!r}") from error
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where}: no JSON that can be read: {error}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{where}: is {_kind(row)}, wanted a JSON object, in {line[:80]!r}")
        for key in keys:
            if key not in row:
                known = ", ".join(map(repr, row)) or "none"
                raise ConfigError(f"{where}: no key {key!r}; there are {known}")
        yield row


def texts_of(path: Path, text: str, found: list[dict[str, object]]) -> list[str]:
    """The text of each row, as `rows` gave them. Raises `ConfigError` for one that is none: a score of a number or a
    list would say nothing."""
    from classifiers.training.text_file import told
    from hustings.errors import ConfigError

    texts = []
    for number, row in enumerate(found, start=1):
        value = row[text]
        if not isinstance(value, str):
            raise ConfigError(f"{told(path)}: line {number}: {text!r} is {_kind(value)}, wanted a string")
        if _LONE_SURROGATE.search(value):
            raise ConfigError(f"{told(path)}: line {number}: {text!r} holds half of a character (a lone surrogate)")
        texts.append(value)
    return texts


def labels_of(path: Path, label: str, found: list[dict[str, object]]) -> list[str]:
    """The label of each row, as `rows` gave them, in the form of the command line. Raises `ConfigError` for one that is
    empty or none."""
    from classifiers.training.text_file import told

    return [_label(f"{told(path)}: line {number}", label, row[label]) for number, row in enumerate(found, start=1)]


def families_of(key: str | None, found: list[dict[str, object]]) -> NDArray[np.intp] | None:
    """A number for each row, the same where the value of `key` is; a row whose value is empty or null stands alone.
    None without a key."""
    import numpy as np

    if key is None:
        return None
    known: dict[str, int] = {}
    names = [as_text(row[key]) if row[key] is not None else "" for row in found]
    return np.array([known.setdefault(name or f"\0{place}", len(known)) for place, name in enumerate(names)], np.intp)


def in_parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts some at a time, so that a long file shows how far its scoring has come."""
    for first in range(0, len(texts), _PART):
        yield texts[first : first + _PART]


def labelled(path: Path, text: str, label: str, positive: str, *others: str, negative: str = "") -> Labelled:
    """The posts of a file, each of which has these keys and `others`; capitals of a label do not matter. Without
    `negative` every value but `positive` is one. Raises `ConfigError` for a label that is neither, for a word that says
    that there is none, and where nothing can be measured: no posts, or none that the model should find, or none that it
    should not."""
    import numpy as np

    from classifiers.training.labels import is_no_label
    from classifiers.training.text_file import told
    from hustings.errors import ConfigError

    wanted, other = positive.strip().casefold(), negative.strip().casefold()
    if wanted == other:
        raise ConfigError(f"--positive and --negative are both {positive!r}")
    found = list(rows(path, text, label, *others))
    texts = texts_of(path, text, found)
    said = labels_of(path, label, found)
    for number, value in enumerate(said, start=1):
        where = f"{told(path)}: line {number}: {label!r} is {value[:40]!r}"
        if is_no_label(value, positive, negative):
            raise ConfigError(f"{where}: nobody labelled this post; if it is a label, name it with --negative")
        if other and value.casefold() not in (wanted, other):
            raise ConfigError(f"{where}, neither {positive!r} (--positive) nor {negative!r} (--negative)")
    labels = np.array([int(value.casefold() == wanted) for value in said], dtype=np.int64)
    if not found:
        raise ConfigError(f"{told(path)}: is empty; there is nothing to measure on")
    if not labels.any():
        raise ConfigError(
            f"{told(path)}: no {label!r} is {positive!r} (--positive); found are {values_told(Counter(said))}"
        )
    if labels.all():
        raise ConfigError(
            f"{told(path)}: every {label!r} is {positive!r} ({len(said):,} posts); quality is measured on posts that "
            "the model should find and on others"
        )
    return Labelled(found, texts, labels)


def as_text(value: object) -> str:
    """A JSON value as the command line writes it: `true`, `1`, `yes`."""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def values_told(counted: Counter[str]) -> str:
    """Values with their numbers, the commonest first."""
    values = counted.most_common()
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(f"{value[:40]!r} ({count:,})" for value, count in values[:_LISTED]) + more


def _label(where: str, key: str, value: object) -> str:
    from hustings.errors import ConfigError

    if not isinstance(value, str | int | float):
        raise ConfigError(f"{where}: {key!r} is {_kind(value)}, wanted a string, a number, true or false")
    if not as_text(value):
        raise ConfigError(f"{where}: {key!r} is empty: nobody labelled this post")
    return as_text(value)


def _kind(value: object) -> str:
    """What a JSON value is, in a word."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"[:40]
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else "a string"
