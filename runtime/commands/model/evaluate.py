"""`hustings model evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import (
    AsJson,
    ConfigFile,
    Data,
    Label,
    Models,
    Positive,
    Text,
    Version,
    loaded,
    named,
    store_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["evaluate"]

ONLY_POSITIVE = ("recall", "ece", "brier")
ONLY_NEGATIVE = ("false_positive_rate", "ece", "brier")
"""What can be measured on a group that has posts of one kind only; the rest would be 0 or 1 whatever the model does."""


def evaluate(
    head: Annotated[str, typer.Argument(help="a model, NAME or NAME@VERSION, such as G-en")],
    data: Data,
    label: Label,
    positive: Positive,
    text: Text = "text",
    group: Annotated[str | None, typer.Option("--group", help="key of a line; measures each of its values too")] = None,
    version: Version = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Quality on labelled posts, with 95 % intervals: at the model's threshold, and without one.

    Refused where nothing can be measured: an empty file, no post or only posts whose label is the positive one.

    Example: hustings model evaluate G-en --data dev.jsonl --text text --label sexist --positive yes
    """
    import json

    import msgspec
    import numpy as np

    from classifiers.rating import open_rater
    from classifiers.signing import ANYBODY
    from classifiers.training.measures import MEASURES, measure
    from classifiers.training.text_file import told
    from classifiers.training.train import SEED
    from runtime.commands.model.posts import as_text, in_parts, labelled
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say, table

    stored = named(store_of(models, loaded(config)), head, version)
    manifest, threshold = stored.manifest, stored.manifest.threshold.value
    found, texts, labels = labelled(data, text, label, positive, *([group] if group else []))
    parts = {Path(told(data)).name: np.ones(len(found), dtype=bool)}
    if group:
        values = np.array([as_text(row[group]) for row in found])
        parts |= {f"{group}={value}": values == value for value in sorted(set(values.tolist()))}
    rater = open_rater(stored.folder, signers=ANYBODY)
    with stages(len(texts) + len(parts)) as progress:
        progress.at(manifest.tag, "scores")
        rated = []
        for some in in_parts(texts):
            rated.append(rater(some))
            progress.done(len(some))
        scores = np.concatenate(rated)
        metrics = []
        for on, part in parts.items():
            progress.at(manifest.tag, f"measures on {on}")
            names = _measurable(labels[part]) or tuple(MEASURES)
            metrics += measure(labels[part], scores[part], threshold, on=on, seed=SEED, names=names)
            progress.done()
    positives = {on: int(labels[part].sum()) for on, part in parts.items()}
    if as_json:
        model = {"model": manifest.name, "version": manifest.version, "threshold": threshold}
        lines = [{**model, **msgspec.to_builtins(metric), "positives": positives[metric.on]} for metric in metrics]
        say(json.dumps(lines, ensure_ascii=False))
        return
    table(
        f"{manifest.tag} at threshold {threshold}",
        ["on", "measure", "value", "95 % from", "to", "n", "positive"],
        [[m.on, m.name, m.value, m.low, m.high, m.n, positives[m.on]] for m in metrics],
    )


def _measurable(labels: NDArray[np.int64]) -> tuple[str, ...]:
    """The measures that say something about these posts; empty means all."""
    if labels.all():
        return ONLY_POSITIVE
    return () if labels.any() else ONLY_NEGATIVE
