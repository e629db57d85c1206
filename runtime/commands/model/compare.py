"""`hustings model compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.model.options import (
    Alone,
    AsJson,
    ConfigFile,
    Data,
    Family,
    Label,
    Models,
    Negative,
    Positive,
    Text,
    loaded,
    named,
    opened,
    store_of,
)

__all__ = ["compare"]


def compare(
    one: Annotated[str, typer.Argument(help="a model, NAME or NAME@VERSION")],
    other: Annotated[str, typer.Argument(help="the model that is compared with it")],
    data: Data,
    label: Label,
    positive: Positive,
    negative: Negative = "",
    text: Text = "text",
    family: Family = None,
    alone: Alone = False,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """How much better the second model is than the first on the same posts, with 95 % intervals of the difference
    (paired bootstrap). An interval without 0 is a difference that more posts would not undo. With --family posts of one
    value (copies, altered twins, one conversation) are drawn together. Each is measured as it would serve: an encoder
    speaks beside the version of a linear head that it is joined with; --alone compares the heads by themselves.

    Example: hustings model compare G-en G-en@VERSION --data dev.jsonl --label sexist --positive yes
    """
    import json

    import msgspec
    import numpy as np

    from classifiers.training.compare import compare as paired
    from classifiers.training.measures import measure
    from classifiers.training.order import SEED
    from classifiers.training.text_file import told as called
    from runtime.commands.model.posts import families_of, in_parts, labelled
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say, table

    given = loaded(config)
    store = store_of(models, given)
    sides = [named(store, side) for side in (one, other)]
    found, texts, labels = labelled(data, text, label, positive, *([family] if family else []), negative=negative)
    families = families_of(family, found)
    on = Path(called(data)).name
    served = [opened(store, side, given, alone=alone) for side in sides]
    with stages(2 * len(texts) + 2) as progress:
        scores = []
        for side in served:
            progress.at(side.by, "scores")
            rated = []
            for part in in_parts(texts):
                rated.append(side.rate(part))
                progress.done(len(part))
            scores.append(np.concatenate(rated))
        thresholds = tuple(side.threshold for side in served)
        progress.at("each by itself")
        each = [
            {metric.name: metric for metric in measure(labels, own, threshold, on=on, seed=SEED, clusters=families)}
            for own, threshold in zip(scores, thresholds, strict=True)
        ]
        progress.done()
        progress.at("difference")
        differences = paired(
            labels, (scores[0], scores[1]), (thresholds[0], thresholds[1]), on=on, seed=SEED, clusters=families
        )
        progress.done()
    if as_json:
        told = {
            "models": [side.manifest.tag for side in sides],
            "by": [side.by for side in served],
            "n": len(texts),
            "measures": [
                {
                    "name": metric.name,
                    "values": [own[metric.name].value for own in each],
                    "difference": metric.value,
                    "low": metric.low,
                    "high": metric.high,
                }
                for metric in differences
            ],
        }
        say(json.dumps(msgspec.to_builtins(told)))
        return
    table(
        f"{sides[1].manifest.tag} less {sides[0].manifest.tag} on {len(texts):,} posts of {on}",
        ["measure", sides[0].manifest.tag, sides[1].manifest.tag, "difference", "95 % from", "to"],
        [[m.name, each[0][m.name].value, each[1][m.name].value, m.value, m.low, m.high] for m in differences],
    )
