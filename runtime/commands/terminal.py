"""How commands talk to people: tables and lines on standard output, problems on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["complain", "say", "table"]


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people; numbers stand right."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(drawn)
