"""`hustings model score`."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Data, Models, Text, Version, loaded, named, store_of

__all__ = ["score"]


def score(
    head: Annotated[str, typer.Argument(help="a model, NAME or NAME@VERSION, such as G-en")],
    data: Data,
    text: Text = "text",
    version: Version = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """One calibrated score a line, in order: a bare number.

    Examples: hustings model score G-en --data posts.jsonl --json ·
    zcat posts.jsonl.gz | hustings model score G-en@VERSION --data - --config my.toml
    """
    import sys

    from classifiers.rating import open_rater
    from classifiers.signing import ANYBODY
    from runtime.commands.model.posts import in_parts, rows, texts_of
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say

    stored = named(store_of(models, loaded(config)), head, version)
    texts = texts_of(data, text, list(rows(data, text)))
    rater = open_rater(stored.folder, signers=ANYBODY)
    with stages(len(texts), shown=not sys.stdout.isatty()) as progress:  # numbers on a terminal show it themselves
        progress.at(stored.manifest.tag, "scores")
        for part in in_parts(texts):
            for number in rater(part).tolist():
                say(str(number) if as_json else f"{number:.4f}")
            progress.done(len(part))
