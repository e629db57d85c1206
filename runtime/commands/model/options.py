"""What several commands about models are asked: which store, which posts, how to answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from classifiers.store import ModelStore, Stored
    from runtime.config import Config

__all__ = [
    "AsJson",
    "ConfigFile",
    "Data",
    "Label",
    "Labelled",
    "Models",
    "Positive",
    "Text",
    "as_text",
    "chosen_versions",
    "labelled",
    "loaded",
    "rows",
    "store_of",
    "where",
]

Models = Annotated[Path | None, typer.Option("--models", help="folder of models; without it, the shipped ones")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="a configuration: the models that serve there")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people")]
Data = Annotated[Path, typer.Option("--data", help="posts, one JSON object a line")]
Text = Annotated[str, typer.Option("--text", help="key of a line that holds the text")]
Label = Annotated[str, typer.Option("--label", help="key of a line that holds the label")]
Positive = Annotated[str, typer.Option("--positive", help="the label's value that the model should find")]


def store_of(models: Path | None, config: Config | None) -> ModelStore:
    """The store that the options name."""
    from classifiers.pipeline import shipped_models
    from classifiers.store import ModelStore
    from hustings.errors import ConfigError
    from runtime import build

    if models is not None and config is not None:
        raise ConfigError("--models and --config name a store each; give one of them")
    if config is not None:
        return build.model_store(config)
    return ModelStore(models or shipped_models())


def where(models: Path | None, config: Path | None) -> str:
    """The options that name the same store, as a command that is told to people carries them."""
    return f"--config {config}" if config is not None else f"--models {models}" if models is not None else ""


def loaded(config: Path | None) -> Config | None:
    """The configuration, if one is given."""
    from runtime.config import load_config

    return load_config(config) if config is not None else None


def chosen_versions(store: ModelStore, names: list[str], every: bool, version: str | None) -> list[Stored]:
    """The versions that were named, or all that serve but embedders: these give no score, so there is nothing of them
    to judge or to draw."""
    from hustings.errors import ConfigError

    if every == bool(names):
        raise ConfigError("name the models to judge, or say --all")
    if every and version is not None:
        raise ConfigError("--version goes with one name, not with --all")
    if every:
        return [one for name in store.serving() if (one := store.find(name)).manifest.kind != "embedder"]
    found = [store.find(name, version) for name in names]
    for one in found:
        if one.manifest.kind == "embedder":
            raise ConfigError(f"{one.manifest.tag}: an embedder gives no score; there is nothing to judge or to draw")
    return found


def as_text(value: object) -> str:
    """A JSON value as the command line writes it: `true`, `1`, `yes`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows(path: Path, *keys: str) -> Iterator[dict[str, object]]:
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


class Labelled(NamedTuple):
    """Posts of a file with what people said of them: 1 where the label is the value that is to be found."""

    rows: list[dict[str, object]]
    texts: list[str]
    labels: NDArray[np.int64]


def labelled(path: Path, text: str, label: str, positive: str, *others: str) -> Labelled:
    """The posts of a JSONL file, each of which has these keys and `others`."""
    import numpy as np

    found = list(rows(path, text, label, *others))
    labels = np.array([int(as_text(row[label]) == positive) for row in found], dtype=np.int64)
    return Labelled(found, [str(row[text]) for row in found], labels)
