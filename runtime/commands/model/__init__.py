"""`hustings model`: what the models are and how good, how they are made, signed, judged, and put into service."""

from __future__ import annotations

import typer

from runtime.commands.model import (
    card,
    compare,
    evaluate,
    gates,
    join,
    list_models,
    promotion,
    score,
    signing,
    table,
    train,
)

__all__ = ["app"]

app = typer.Typer(
    name="model",
    help="Models: list them, ask one for scores, measure it, train, sign, judge and promote it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

app.command("list")(list_models.list_models)
app.command("table")(table.table)
app.command("score")(score.score)
app.command("evaluate")(evaluate.evaluate)
app.command("train")(train.train)
app.command("join")(join.join)
app.command("compare")(compare.compare)
app.command("card")(card.card)
app.command("gates")(gates.gates)
app.command("promote")(promotion.promote)
app.command("rollback")(promotion.rollback)
app.command("keygen")(signing.keygen)
app.command("sign")(signing.sign)
