"""How commands talk to people: tables and lines on standard output, problems on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["complain", "printable", "say", "table"]

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""What would steer a terminal instead of being shown, and overrides of the direction of writing."""


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
    """A table for people; numbers stand right. Cells are shown as they are: nothing in them is markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else printable(str(cell))) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(drawn)
