"""How far long work has come: a bar on standard error, for people at a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stages", "stages"]


class Stages:
    """Steps of work of which each has a name. Without a terminal nothing is shown."""

    def at(self, what: str, stage: str = "") -> None:
        """What is done now."""

    def done(self, steps: int = 1) -> None:
        """So many steps are behind us."""


@contextmanager
def stages(total: int, *, shown: bool = True) -> Iterator[Stages]:
    """A bar over `total` steps, while the block runs."""
    if not shown or not sys.stderr.isatty():
        yield Stages()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Lines for a terminal are written above the bar; lines for a file or a pipe must go there and not to the bar.
    drawn = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
    with drawn as progress:
        task = progress.add_task("", total=total)

        class Bar(Stages):
            def at(self, what: str, stage: str = "") -> None:
                progress.update(task, description=f"{what}: {stage}" if stage else what)

            def done(self, steps: int = 1) -> None:
                progress.advance(task, steps)

        yield Bar()
