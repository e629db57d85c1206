"""`hustings model card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Models, Version, loaded, store_of

__all__ = ["card"]


def card(
    names: Annotated[list[str] | None, typer.Argument(help="models, NAME or NAME@VERSION, such as G-en")] = None,
    every: Annotated[bool, typer.Option("--all", help="every model that serves")] = False,
    version: Version = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="folder of the cards; without it, cards/ in the folder of models, for shipped ones in this folder",
        ),
    ] = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the card of a model: data and licences, splits, quality with intervals and by group, calibration, what it
    confuses with protected speech, its worst functions, known failures, how to make it again. HTML and Markdown.

    Without --out it goes into cards/NAME@VERSION: in the folder of models that --models or --config names, and without
    either in the folder where you stand, since nothing is written beside the shipped models.

    Example: hustings model card G-en --out /srv/cards
    """
    import json

    from classifiers.card.write import write_card
    from classifiers.pipeline import shipped_models
    from runtime import build
    from runtime.commands.model.options import chosen_versions, complain_of
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say
    from runtime.model_making import CARDS, floors_about

    store = store_of(models, loaded(config))
    chosen, refused = chosen_versions(store, names or [], every, version)
    serving, codebook = store.readable(), build.codebook()
    written = {}
    beside = Path() if store.own == shipped_models() else store.own  # what is shipped is not written to
    with stages(len(chosen), shown=not as_json) as progress:
        for stored in chosen:
            tag = stored.manifest.tag
            progress.at(tag, "card")
            folder = (out or beside / CARDS) / tag
            written[tag] = write_card(
                stored.manifest,
                stored.folder,
                folder,
                codebook=codebook,
                serving=serving,
                floors=floors_about(stored, store),
            )
            progress.done()
    if as_json:
        say(json.dumps({tag: str(path) for tag, path in written.items()}))
    else:
        for tag, path in written.items():
            say(f"{tag}: {path} and {path.with_suffix('.md').name} beside it")
    complain_of(refused)
