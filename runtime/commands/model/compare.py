"""`hustings model compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.model.options import (
    AsJson,
    ConfigFile,
    Data,
    Label,
    Models,
    Positive,
    Text,
    labelled,
    loaded,
    store_of,
)

__all__ = ["compare"]


def compare(
    one: Annotated[str, typer.Argument(help="a model, NAME or NAME@VERSION")],
    other: Annotated[str, typer.Argument(help="the model that is compared with it")],
    data: Data,
    label: Label,
    positive: Positive,
    text: Text = "text",
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """How much better the second model is than the first on the same posts, with 95 % intervals of the difference
    (paired bootstrap). An interval without 0 is a difference that more posts would not undo.

    Example: hustings model compare G-en@1 G-en@2 --data dev.jsonl --label sexist --positive yes
    """
    import json

    import msgspec

    from classifiers.rating import rate
    from classifiers.signing import ANYBODY
    from classifiers.training.compare import compare as paired
    from classifiers.training.measures import measure
    from classifiers.training.train import SEED
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say, table

    store = store_of(models, loaded(config))
    sides = [store.find(name, version or None) for name, _, version in (side.partition("@") for side in (one, other))]
    _, texts, labels = labelled(data, text, label, positive)
    with stages(4, shown=not as_json) as progress:
        scores = []
        for side in sides:
            progress.at(side.manifest.tag, "scores")
            scores.append(rate(side.folder, texts, signers=ANYBODY))
            progress.done()
        thresholds = tuple(side.manifest.threshold.value for side in sides)
        progress.at("each by itself")
        each = [
            {metric.name: metric for metric in measure(labels, own, threshold, on=data.name, seed=SEED)}
            for own, threshold in zip(scores, thresholds, strict=True)
        ]
        progress.done()
        progress.at("difference")
        differences = paired(labels, (scores[0], scores[1]), (thresholds[0], thresholds[1]), on=data.name, seed=SEED)
        progress.done()
    if as_json:
        told = {
            "models": [side.manifest.tag for side in sides],
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
        f"{sides[1].manifest.tag} less {sides[0].manifest.tag} on {len(texts):,} posts of {data.name}",
        ["measure", sides[0].manifest.tag, sides[1].manifest.tag, "difference", "95 % from", "to"],
        [[m.name, each[0][m.name].value, each[1][m.name].value, m.value, m.low, m.high] for m in differences],
    )
