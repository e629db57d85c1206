"""What several commands about models are asked: which store, which posts, how to answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from classifiers.rating import Served
    from classifiers.store import ModelStore, Stored, Unreadable
    from runtime.config import Config

__all__ = [
    "Alone",
    "AsJson",
    "Chosen",
    "ConfigFile",
    "Data",
    "Family",
    "Label",
    "Models",
    "Negative",
    "Positive",
    "Text",
    "Version",
    "chosen_versions",
    "complain_of",
    "loaded",
    "named",
    "opened",
    "split_name",
    "store_of",
    "where",
]

Models = Annotated[Path | None, typer.Option("--models", help="folder of models; without it, the shipped ones")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="a configuration: the models that serve there")]
Alone = Annotated[
    bool, typer.Option("--alone", help="a linear head by itself, without the encoder that speaks beside it")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people")]
Data = Annotated[Path, typer.Option("--data", help="posts, one JSON object a line, plain or gzip; - is standard input")]
Text = Annotated[str, typer.Option("--text", help="key of a line that holds the text")]
Label = Annotated[str, typer.Option("--label", help="key of a line that holds the label")]
Version = Annotated[
    str | None, typer.Option("--version", help="a version, as NAME@VERSION names one; without it, the one that serves")
]
Positive = Annotated[str, typer.Option("--positive", help="the label's value that the model should find")]
Negative = Annotated[
    str,
    typer.Option(
        "--negative", help="the label's other value; without it, every other one but words for none, such as n/a"
    ),
]
Family = Annotated[
    str | None,
    typer.Option(
        "--family", help="key of a line; posts of one value, such as copies, are drawn together for intervals"
    ),
]


def store_of(models: Path | None, config: Config | None) -> ModelStore:
    """The store that the options name. Raises `ConfigError` for a folder that is none."""
    from classifiers.pipeline import shipped_models
    from classifiers.store import ModelStore
    from hustings.errors import ConfigError
    from runtime import build

    if models is not None and config is not None:
        raise ConfigError("--models and --config name a store each; give one of them")
    if config is not None:
        return build.model_store(config)
    if models is not None and not models.is_dir():
        raise ConfigError(f"{models}: no such folder of models")
    return ModelStore(models or shipped_models())


def where(models: Path | None, config: Path | None) -> str:
    """The options that name the same store, as a command that is told to people carries them."""
    return f"--config {config}" if config is not None else f"--models {models}" if models is not None else ""


def loaded(config: Path | None) -> Config | None:
    """The configuration, if one is given."""
    from runtime.config import load_config

    return load_config(config) if config is not None else None


def named(store: ModelStore, name: str, version: str | None = None) -> Stored:
    """The version that `NAME`, `NAME@VERSION` or `NAME --version VERSION` names. One beside it that cannot be read is
    told, and does not matter here."""
    from runtime.commands.terminal import complain, printable

    own, number = split_name(name, version)
    found = store.find(own, number)
    for bad in store.survey(own).unreadable:
        complain(printable(f"{bad.name}: refused: {bad.problem}"))
    return found


def opened(store: ModelStore, stored: Stored, config: Config | None, *, alone: bool) -> Served:
    """The version as it serves in the store, or `alone`."""
    from classifiers.encoder.settings import EncoderSettings
    from classifiers.rating import open_served
    from classifiers.signing import ANYBODY

    settings = config.encoder if config is not None else EncoderSettings()
    others = [] if alone or not settings.on else store.readable().values()
    return open_served(stored.folder, others, keep=settings.keep, signers=ANYBODY)


def split_name(name: str, version: str | None) -> tuple[str, str | None]:
    """Name and version. Raises `ConfigError` when two versions are named, or none behind the sign."""
    from hustings.errors import ConfigError

    own, sign, number = name.partition("@")
    if sign and not number:
        raise ConfigError(f"{name!r}: no version behind the @; write NAME or NAME@VERSION")
    if number and version not in (None, number):
        raise ConfigError(f"{name} and --version {version} name two versions; give one of them")
    return own, number or version


class Chosen(NamedTuple):
    """Versions to work on, and what should be among them but cannot be read."""

    versions: list[Stored]
    refused: list[Unreadable]


def chosen_versions(store: ModelStore, names: list[str], every: bool, version: str | None) -> Chosen:
    """The versions that were named, or all that serve but embedders: these give no score, so there is nothing of them
    to judge or to draw. Of all, one that is spoilt does not stop the others."""
    from hustings.errors import ConfigError

    if every == bool(names):
        raise ConfigError("name the models to judge, or say --all")
    if every and version is not None:
        raise ConfigError("--version goes with one name, not with --all")
    if every:
        survey = store.survey()
        serving = [one for one in survey.versions if one.is_active and one.manifest.kind != "embedder"]
        serving.sort(key=lambda one: one.manifest.name)
        refused = [bad for bad in survey.unreadable if bad.serves]
        if not serving and not refused:
            raise ConfigError(f"{store.own}: no model serves there")
        return Chosen(serving, refused)
    found = [named(store, name, version) for name in names]
    for one in found:
        if one.manifest.kind == "embedder":
            raise ConfigError(f"{one.manifest.tag}: an embedder gives no score; there is nothing to judge or to draw")
    return Chosen(found, [])


def complain_of(refused: list[Unreadable]) -> None:
    """Name what could not be read, and end with exit status 1 if that is anything: the rest was done."""
    from runtime.commands.terminal import complain, printable

    for bad in refused:
        complain(printable(f"{bad.name}: refused: {bad.problem}"))
    if refused:
        raise typer.Exit(1)
