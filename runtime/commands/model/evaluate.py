"""`hustings model evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    Text,
    Version,
    loaded,
    named,
    opened,
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
    positive: Annotated[
        str | None, typer.Option("--positive", help="the label's value that the model should find")
    ] = None,
    negative: Negative = "",
    text: Text = "text",
    group: Annotated[str | None, typer.Option("--group", help="key of a line; measures each of its values too")] = None,
    family: Family = None,
    by_code: Annotated[
        bool, typer.Option("--by-code", help="labels are codes: what a model of narratives makes of each")
    ] = False,
    version: Version = None,
    alone: Alone = False,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Quality on labelled posts, with 95 % intervals: at the model's threshold, and without one. A linear head is
    measured as it serves, with the encoder that speaks beside it and at the threshold of that; with --alone by itself.

    Refused where nothing can be measured: an empty file, no post or only posts whose label is the positive one.

    With --by-code each label is a code of the codebook, or `none`; of each code is shown how often the model finds it,
    how often it is right to give it, and what it is mostly taken for. A protected code (X-…) counts as given where it
    is flagged, or likelier than not beside no flag.

    With --family posts that stand or fall together (copies, altered twins, one conversation) are drawn together, so
    that fifty copies count as one observation; intervals get wider where there are any.

    Examples: hustings model evaluate G-en --data dev.jsonl --text text --label sexist --positive yes ·
    hustings model evaluate N-en --data dev.jsonl --label code --by-code
    """
    import json

    import msgspec
    import numpy as np

    from classifiers.training.measures import MEASURES, measure
    from classifiers.training.order import SEED
    from classifiers.training.text_file import told
    from hustings.errors import ConfigError
    from runtime.commands.model.evaluate_codes import evaluate_codes
    from runtime.commands.model.posts import as_text, families_of, in_parts, labelled
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say, table

    if by_code and (positive, negative, group, family) != (None, "", None, None):
        raise ConfigError(
            "--by-code measures every code: it takes none of --positive, --negative, --group and --family"
        )
    if positive is None and not by_code:
        raise ConfigError("which posts should the model find? Name the label's value, --positive V; or say --by-code")
    given = loaded(config)
    store = store_of(models, given)
    stored = named(store, head, version)
    if positive is None:
        evaluate_codes(store, stored, data, text=text, label=label, as_json=as_json)
        return
    keys = (key for key in (group, family) if key)
    found, texts, labels = labelled(data, text, label, positive, *keys, negative=negative)
    families = families_of(family, found)
    parts = {Path(told(data)).name: np.ones(len(found), dtype=bool)}
    if group:
        values = np.array([as_text(row[group]) for row in found])
        parts |= {f"{group}={value}": values == value for value in sorted(set(values.tolist()))}
    manifest, served = stored.manifest, opened(store, stored, given, alone=alone)
    threshold = served.threshold
    with stages(len(texts) + len(parts)) as progress:
        progress.at(served.by, "scores")
        rated = []
        for some in in_parts(texts):
            rated.append(served.rate(some))
            progress.done(len(some))
        scores = np.concatenate(rated)
        metrics = []
        for on, part in parts.items():
            progress.at(served.by, f"measures on {on}")
            names = _measurable(labels[part]) or tuple(MEASURES)
            together = None if families is None else families[part]
            metrics += measure(labels[part], scores[part], threshold, on=on, seed=SEED, names=names, clusters=together)
            progress.done()
    positives = {on: int(labels[part].sum()) for on, part in parts.items()}
    if as_json:
        model = {"model": manifest.name, "version": manifest.version, "by": served.by, "threshold": threshold}
        lines = [{**model, **msgspec.to_builtins(metric), "positives": positives[metric.on]} for metric in metrics]
        say(json.dumps(lines))  # a group may be half of a character, which has no encoding
        return
    table(
        f"{served.by} at threshold {threshold}",
        ["on", "measure", "value", "95 % from", "to", "n", "positive"],
        [[m.on, m.name, m.value, m.low, m.high, m.n, positives[m.on]] for m in metrics],
    )


def _measurable(labels: NDArray[np.int64]) -> tuple[str, ...]:
    """The measures that say something about these posts; empty means all."""
    if labels.all():
        return ONLY_POSITIVE
    return () if labels.any() else ONLY_NEGATIVE
