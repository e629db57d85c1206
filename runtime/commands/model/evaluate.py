"""`hustings model evaluate`."""

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
    as_text,
    labelled,
    loaded,
    store_of,
)

__all__ = ["evaluate"]


def evaluate(
    head: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    data: Data,
    label: Label,
    positive: Positive,
    text: Text = "text",
    group: Annotated[str | None, typer.Option("--group", help="key of a line; measures each of its values too")] = None,
    version: Annotated[str | None, typer.Option("--version", help="a version; without it, the one that serves")] = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Quality on labelled posts, with 95 % intervals: at the model's threshold, and without one.

    Example: hustings model evaluate G-en --data dev.jsonl --text text --label sexist --positive yes
    """
    import json

    import msgspec
    import numpy as np

    from classifiers.rating import rate
    from classifiers.signing import ANYBODY
    from classifiers.training.measures import measure
    from classifiers.training.train import SEED
    from runtime.commands.terminal import say, table

    stored = store_of(models, loaded(config)).find(head, version)
    found, texts, labels = labelled(data, text, label, positive, *([group] if group else []))
    scores = rate(stored.folder, texts, signers=ANYBODY)
    threshold = stored.manifest.threshold.value
    parts = {data.name: np.ones(len(found), dtype=bool)}
    if group:
        values = np.array([as_text(row[group]) for row in found])
        parts |= {f"{group}={value}": values == value for value in sorted(set(values.tolist()))}
    metrics = [
        m for on, part in parts.items() for m in measure(labels[part], scores[part], threshold, on=on, seed=SEED)
    ]
    if as_json:
        say(json.dumps([msgspec.to_builtins(metric) for metric in metrics], ensure_ascii=False))
        return
    table(
        f"{stored.manifest.tag} at threshold {threshold}",
        ["on", "measure", "value", "95 % from", "to", "n"],
        [[m.on, m.name, m.value, m.low, m.high, m.n] for m in metrics],
    )
