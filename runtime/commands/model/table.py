"""`hustings model table`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Models, complain_of, loaded, store_of

if TYPE_CHECKING:
    from classifiers.heads_table import HeadRow
    from classifiers.store import ModelStore

__all__ = ["table"]

LEFT_OUT = ("recall at .90", "ECE", "posts", "gates")
"""Columns that a terminal has no room for; the page and JSON have them."""


def table(
    models: Models = None,
    config: ConfigFile = None,
    measure: Annotated[bool, typer.Option("--measure", help="measure here and now what a post costs")] = False,
    as_page: Annotated[bool, typer.Option("--page", help="as docs/heads.md, once the gates were run here")] = False,
    as_json: AsJson = False,
) -> None:
    """All heads that serve, by language: quality with 95 % intervals, threshold, cost of a post, size, training. One
    that cannot be read is named as refused, with exit status 1.

    Example: hustings model table --measure
    """
    import msgspec

    from classifiers.heads_table import heads_table, linear_training_s, page, unjudged
    from hustings.errors import ConfigError
    from runtime.commands import terminal

    store = store_of(models, loaded(config))
    costs = _measured(store, shown=not (as_json or as_page)) if measure else None
    rows = heads_table(store, us_a_post=costs)
    if as_json:
        seconds = {"linear_training_s": linear_training_s(rows), "two_at_a_time_s": linear_training_s(rows, 2)}
        terminal.say(msgspec.json.encode({"heads": rows, **seconds}).decode())
    elif as_page:
        if missing := unjudged(rows):
            raise ConfigError(
                f"the page would say that gates were not run of {', '.join(missing)}: "
                "run `hustings model gates --all` first"
            )
        terminal.say(page(rows).removesuffix("\n"))
    else:
        _show(store, rows)
    complain_of([bad for bad in store.survey().unreadable if bad.serves])


def _show(store: ModelStore, rows: list[HeadRow]) -> None:
    from classifiers.heads_table import COLUMNS, cells, linear_training
    from runtime.commands import terminal

    kept = [place for place, name in enumerate(COLUMNS) if name not in LEFT_OUT]
    shown = [[_narrow(cell) for cell in cells(row)] for row in rows]
    terminal.table(
        f"Heads in {store.own}", [COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in shown]
    )
    terminal.table("Measured on", ["head", "rows"], [[row[0], one.on] for row, one in zip(shown, rows, strict=True)])
    if (sentence := linear_training(rows)) is not None:
        terminal.say(sentence)


def _narrow(cell: str) -> str:
    """An interval below its number, for a terminal: ".749", and ".729–.768" on the next line."""
    value, found, interval = cell.partition(" [")
    return f"{value}\n{interval.removesuffix(']').replace(', ', '–')}" if found else cell


def _measured(store: ModelStore, *, shown: bool) -> dict[str, float]:
    """Microseconds a post of each model that flags posts, by tag."""
    from classifiers.gates.cost import cost_of
    from runtime import build
    from runtime.commands.progress import stages

    serving = store.readable()
    costs = {}
    with stages(len(serving), shown=shown) as progress:
        for name in serving:
            stored = store.find(name)
            progress.at(stored.manifest.tag, "cost of a post")
            seconds = cost_of(stored.manifest, stored.folder, serving=serving, codebook=build.codebook())
            if seconds is not None:
                costs[stored.manifest.tag] = round(seconds * 1e6, 1)
            progress.done()
    return costs
