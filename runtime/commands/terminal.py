"""How commands talk to people: tables and lines on standard output, problems on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["complain", "printable", "say", "table"]

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""What would steer a terminal instead of being shown, and overrides of the direction of writing."""

_LONGEST_NAME = 28
"""Characters that the first column keeps on one line, however narrow the terminal."""


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")


def printable(text: str) -> str:
    """Text from outside as a terminal may show it: what would steer the terminal is written out."""
    return text.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people; numbers stand right. Cells are shown as they are: nothing in them is markup. Where it is too
    wide, headings break between words before anything else does, and last of all what the rows are about, in the first
    column: people copy it."""
    from rich.console import Console
    from rich.measure import Measurement

    cells = [[f"{cell:,}" if isinstance(cell, int) else printable(str(cell)) for cell in row] for row in rows]
    numeric = [bool(rows) and all(isinstance(row[place], int | float) for row in rows) for place in range(len(columns))]
    console = Console()
    if not console.is_terminal:
        console.width = 120
    drawn = _drawn(title, columns, cells, numeric, narrow=False)
    if Measurement.get(console, console.options, drawn).maximum >= console.width:
        drawn = _drawn(title, columns, cells, numeric, narrow=True)
    console.print(drawn)


def _drawn(
    title: str, columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], *, narrow: bool
) -> Table:
    """The table; `narrow`: no column is wider than its widest cell or word of its heading."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        word = max(map(len, column.split()), default=1)
        cell = max((len(line) for row in cells for line in row[place].split("\n")), default=1)
        drawn.add_column(
            column,
            justify="right" if numeric[place] else "left",
            overflow="fold",
            min_width=word,
            max_width=max(word, cell) if narrow else None,
            no_wrap=place == 0 and cell <= _LONGEST_NAME,
        )
    for row in cells:
        drawn.add_row(*map(Text, row))
    return drawn
