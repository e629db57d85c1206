"""`hustings model score`."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.model.options import (
    Alone,
    AsJson,
    ConfigFile,
    Data,
    Models,
    Text,
    Version,
    loaded,
    named,
    opened,
    store_of,
)

__all__ = ["score"]


def score(
    head: Annotated[str, typer.Argument(help="a model, NAME or NAME@VERSION, such as G-en")],
    data: Data,
    text: Text = "text",
    version: Version = None,
    alone: Alone = False,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """One calibrated score a line, in order: a bare number.

    Of a linear head it is the score that a post gets where it serves: where the head is not sure, the encoder beside
    it reads the text too. --alone leaves the encoder out.

    Examples: hustings model score G-en --data posts.jsonl --json ·
    zcat posts.jsonl.gz | hustings model score G-en@VERSION --data - --config my.toml
    """
    import sys

    from runtime.commands.model.posts import in_parts, rows, texts_of
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say

    given = loaded(config)
    store = store_of(models, given)
    stored = named(store, head, version)
    texts = texts_of(data, text, list(rows(data, text)))
    model = opened(store, stored, given, alone=alone)
    with stages(len(texts), shown=not sys.stdout.isatty()) as progress:  # numbers on a terminal show it themselves
        progress.at(model.by, "scores")
        for part in in_parts(texts):
            for number in model.rate(part).tolist():
                say(str(number) if as_json else f"{number:.4f}")
            progress.done(len(part))
