"""`hustings model`: what the shipped models are, how good they are, and how they are made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classifiers.manifest import Manifest

__all__ = ["app"]

app = typer.Typer(
    name="model",
    help="Models: list them, ask one for scores, evaluate it on labelled posts, train it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Models = Annotated[Path | None, typer.Option("--models", help="folder of models; without it, the shipped ones")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table")]
Data = Annotated[Path, typer.Option("--data", help="posts, one JSON object a line")]
Text = Annotated[str, typer.Option("--text", help="key of a line that holds the text")]


@app.command("list")
def list_(models: Models = None, as_json: AsJson = False) -> None:
    """Every model: language, version, threshold, data, measured quality.

    Example: hustings model list --json | jq '.[].name'
    """
    import json

    import msgspec

    from classifiers.rating import list_models
    from runtime.commands.terminal import say, table

    found = list_models(_folder(models))
    if as_json:
        say(json.dumps([msgspec.to_builtins(manifest) for manifest in found], ensure_ascii=False))
        return
    table(
        f"Models in {_folder(models)}",
        ["model", "code", "language", "version", "threshold", "data", "precision", "recall", "PR-AUC"],
        [
            [
                manifest.name,
                manifest.code,
                manifest.language,
                manifest.version,
                manifest.threshold.value,
                ", ".join(sorted({dataset.name for dataset in manifest.data})),
                *(_measured(manifest, name) for name in ("precision", "recall", "pr_auc")),
            ]
            for manifest in found
        ],
    )


@app.command()
def score(
    head: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    data: Data,
    text: Text = "text",
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """One calibrated score a line, in order: a bare number.

    Example: hustings model score G-en --data posts.jsonl --json
    """
    from classifiers.rating import rate
    from runtime.commands.terminal import say

    texts = [str(row[text]) for row in _rows(data, text)]
    for number in rate(_folder(models), head, texts).tolist():
        say(str(number) if as_json else f"{number:.4f}")


@app.command()
def evaluate(
    head: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    data: Data,
    label: Annotated[str, typer.Option("--label", help="key of a line that holds the label")],
    positive: Annotated[str, typer.Option("--positive", help="the label's value that the model should find")],
    text: Text = "text",
    group: Annotated[str | None, typer.Option("--group", help="key of a line; measures each of its values too")] = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Quality on labelled posts, with 95 % intervals: at the model's threshold, and without one.

    Example: hustings model evaluate G-en --data dev.jsonl --text text --label sexist --positive yes
    """
    import json

    import msgspec
    import numpy as np

    from classifiers.rating import list_models, rate
    from classifiers.training.measures import measure
    from classifiers.training.train import SEED
    from runtime.commands.terminal import say, table

    folder = _folder(models)
    rows = list(_rows(data, text, label, *([group] if group else [])))
    scores = rate(folder, head, [str(row[text]) for row in rows])
    threshold = next(m.threshold.value for m in list_models(folder) if m.name == head)
    labels = np.array([int(_value(row[label]) == positive) for row in rows], dtype=np.int64)
    parts = {data.name: np.ones(len(rows), dtype=bool)}
    if group:
        values = np.array([_value(row[group]) for row in rows])
        parts |= {f"{group}={value}": values == value for value in sorted(set(values.tolist()))}
    metrics = [
        m for on, part in parts.items() for m in measure(labels[part], scores[part], threshold, on=on, seed=SEED)
    ]
    if as_json:
        say(json.dumps([msgspec.to_builtins(metric) for metric in metrics], ensure_ascii=False))
        return
    table(
        f"{head} at threshold {threshold}",
        ["on", "measure", "value", "95 % from", "to", "n"],
        [[m.on, m.name, m.value, m.low, m.high, m.n] for m in metrics],
    )


@app.command()
def train(
    names: Annotated[list[str] | None, typer.Argument(help="models to make; without any, all")] = None,
    data: Annotated[Path, typer.Option("--data", help="folder of the training data")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option("--out", help="folder that the models are written to")] = Path("models"),
    model_version: Annotated[str, typer.Option("--model-version", help="the version that they get")] = "1",
    by: Annotated[str, typer.Option("--by", help="who chooses the threshold")] = "hustings model train",
    at: Annotated[str | None, typer.Option("--at", help="date of the choice; today if not given")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="the shipped models' seed if not given")] = None,
) -> None:
    """Train from data whose licence lets weights be shipped, and from our own seeds.

    The same data, seed, version and date give the same bytes.

    Example: hustings model train G-en --data ../shared/data --out models
    """
    from classifiers.training.train import SEED, Order, trainable
    from classifiers.training.train import train as make
    from hustings.clock import SystemClock
    from runtime.commands.terminal import say

    order = Order(
        data, out, model_version, by, at or SystemClock().now().date().isoformat(), SEED if seed is None else seed
    )
    for name in names or trainable():
        manifest = make(name, order)
        threshold = manifest.threshold
        say(
            f"{out / name}: threshold {threshold.value}, precision {threshold.precision}, recall {threshold.recall} "
            f"({threshold.reason})"
        )


def _folder(models: Path | None) -> Path:
    from classifiers.pipeline import shipped_models

    return models or shipped_models()


def _measured(manifest: Manifest, name: str) -> str:
    """The last measure of that name: on rows that were not trained on, where there are such."""
    found = [metric for metric in manifest.metrics if metric.name == name]
    return f"{found[-1].value:.3f} [{found[-1].low:.3f}, {found[-1].high:.3f}]" if found else "-"


def _value(value: object) -> str:
    """A JSON value as the command line writes it: `true`, `1`, `yes`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(path: Path, *keys: str) -> Iterator[dict[str, object]]:
    """The objects of a JSONL file. Raises `ConfigError` for a line that is none or lacks a key."""
    import json

    from hustings.errors import ConfigError

    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line)
                missing = [key for key in keys if not isinstance(row, dict) or key not in row]
                if missing:
                    raise ConfigError(f"{path}: line {number}: no key {missing[0]!r} in {line[:80]!r}")
                yield row
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
