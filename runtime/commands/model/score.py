"""`hustings model score`."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Data, Models, Text, loaded, rows, store_of

__all__ = ["score"]


def score(
    head: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    data: Data,
    text: Text = "text",
    version: Annotated[str | None, typer.Option("--version", help="a version; without it, the one that serves")] = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """One calibrated score a line, in order: a bare number.

    Example: hustings model score G-en --data posts.jsonl --json
    """
    from classifiers.rating import rate
    from classifiers.signing import ANYBODY
    from runtime.commands.terminal import say

    stored = store_of(models, loaded(config)).find(head, version)
    texts = [str(row[text]) for row in rows(data, text)]
    for number in rate(stored.folder, texts, signers=ANYBODY).tolist():
        say(str(number) if as_json else f"{number:.4f}")
