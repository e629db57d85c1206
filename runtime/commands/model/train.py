"""`hustings model train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import AsJson

if TYPE_CHECKING:
    from classifiers.training.order import Order
    from runtime.commands.model.train_modes import Mode

__all__ = ["train"]


class Kind(StrEnum):
    """What is trained when it is not the kind that the names say."""

    ENCODER = "encoder"


class Split(StrEnum):
    """How rows are divided into folds."""

    GROUPED = "grouped"
    RANDOM = "random"


def train(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="models to make; without any, all that are shipped")] = None,
    data: Annotated[Path, typer.Option("--data", help="folder of the training data")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option("--out", help="folder that the models are written to")] = Path("models"),
    model_version: Annotated[str, typer.Option("--model-version", help="the version that they get")] = "1",
    by: Annotated[str, typer.Option("--by", help="who chooses the threshold")] = "hustings model train",
    at: Annotated[str | None, typer.Option("--at", help="date of the choice; today if not given")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="the shipped models' seed if not given")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="private key to sign with; without it, unsigned")] = None,
    from_desk: Annotated[bool, typer.Option("--from-desk", help="learn from the desk's settled reviews")] = False,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", help="learn from a corpus of one's own, NAME or NAME@VERSION; one for each --beside"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="the deployment, for --from-desk and --corpus")
    ] = None,
    split: Annotated[
        Split, typer.Option("--split", help="for --from-desk and --corpus; random is refused when near-copies cross it")
    ] = Split.GROUPED,
    precision: Annotated[
        float | None, typer.Option("--precision", min=0.05, max=0.99, help="what the threshold is chosen for")
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="encoder: fine-tune a transformer (needs the torch extra)")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", help="encoder to begin with: a folder (of a model: it learns on), or a name on the hub"),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option("--network", help="encoder trained before: settle anew what stands beside its network"),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option("--beside", help="linear head that an encoder of one's own speaks beside; may be repeated"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, max=50, help="with --beside; the best one serves; 3 if not given")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", min=1e-7, max=0.1, help="with --beside: learning rate; 5e-5 if not given")
    ] = None,
    teachers: Annotated[
        int,
        typer.Option(
            "--teachers",
            min=0,
            max=20,
            help="with --kind encoder: so many networks judge beforehand the rows that they did not learn",
        ),
    ] = 0,
    soup: Annotated[
        int,
        typer.Option(
            "--soup",
            min=1,
            max=20,
            help="with --kind encoder: so many networks learn, each in another order; the mean of their weights serves",
        ),
    ] = 1,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=64, help="shipped models that are made at a time, 2 GB each")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Train models: the shipped ones from data whose licence lets weights be shipped and from our own seeds, or one
    head from the desk's reviews, as a version that waits until it is promoted.

    The same data, seed, version and date give the same bytes. With --from-desk: reviews on which two people agree
    become a corpus, the head that serves learns from it, every gate is run, the card is written, and nothing is
    promoted.

    With --kind encoder and --beside: a Hugging Face encoder in any language, fine-tuned for linear heads of a
    deployment on a corpus for each (or on the desk's reviews, --from-desk); a fifth of the rows is held out to choose
    on. Needs PyTorch, in a checkout: uv sync --frozen --inexact --extra torch. It goes on after an interruption when
    the same is asked for again.

    An option that says nothing in the way of training that was asked for is refused.

    Examples: hustings model train G-en --data ../shared/data --out models ·
    hustings model train G-en --from-desk --config my.toml --key models.key ·
    hustings model train encoder-pt --kind encoder --base FOLDER_OR_HUB_NAME --beside A-INSULT-pt --corpus my-pt
    --config my.toml --key models.key
    """
    from classifiers.signing import check_key
    from hustings.errors import ConfigError
    from runtime.commands.model import train_modes

    mode = _mode(kind, from_desk=from_desk, corpus=corpus, beside=beside)
    train_modes.check_options(mode, [name for name in ctx.params if _is_given(ctx, name)])
    if key is not None:
        check_key(key)
    if mode is train_modes.OWN_ENCODER:
        from runtime.commands.model.train_own_encoder import train_own_encoder

        if config is None or not names or len(names) != 1:
            raise ConfigError("--beside needs --config FILE and one name for the encoder, such as encoder-pt")
        if from_desk == bool(corpus):
            raise ConfigError("--beside needs rows: --corpus NAME for each head, or --from-desk")
        train_own_encoder(
            names[0],
            tuple(beside or ()),
            tuple(corpus or ()),
            config=config,
            base=base,
            network=network,
            precision=precision,
            epochs=epochs,
            rate=rate,
            seed=seed,
            key=key,
            by=by,
            as_json=as_json,
        )
    elif mode is train_modes.REVIEWED:
        from runtime.commands.model.train_reviewed import train_from_corpus

        if from_desk + len(corpus or ()) != 1:
            raise ConfigError("--from-desk and --corpus name the rows each; give one of them")
        if config is None or not names or len(names) != 1:
            raise ConfigError("--from-desk and --corpus need --config FILE and the name of one head, such as G-en")
        train_from_corpus(
            names[0],
            config=config,
            corpus=corpus[0] if corpus else None,
            split=split.value,
            precision=precision,
            key=key,
            by=by,
            as_json=as_json,
        )
    elif mode is train_modes.ENCODER:
        from runtime.commands.model.train_an_encoder import train_an_encoder

        if base is not None and network is not None:
            raise ConfigError("--network is trained already, so --base says nothing; give one of them")
        for option, is_given in (("--teachers", teachers), ("--soup", soup > 1)):
            if network is not None and is_given:
                raise ConfigError(f"--network is trained already, so {option} says nothing; give one of them")
        if teachers == 1:
            raise ConfigError(
                "--teachers 1: a single one would be asked about every row, and could learn none; 2 at least, or 0"
            )
        order = _order(data, out, model_version, by, at, seed)
        for name in names or ["encoder-en"]:
            train_an_encoder(
                name,
                order,
                base=base,
                network=network,
                beside=None,
                teachers=teachers,
                soup=soup,
                key=key,
                as_json=as_json,
            )
    else:
        from runtime.commands.model.train_shipped import train_shipped

        order = _order(data, out, model_version, by, at, seed)
        train_shipped(names or [], order, key=key, jobs=jobs, as_json=as_json)


def _mode(kind: Kind | None, *, from_desk: bool, corpus: list[str] | None, beside: list[str] | None) -> Mode:
    from runtime.commands.model import train_modes

    if beside or (kind is Kind.ENCODER and (from_desk or corpus)):
        return train_modes.OWN_ENCODER
    if from_desk or corpus:
        return train_modes.REVIEWED
    return train_modes.ENCODER if kind is Kind.ENCODER else train_modes.SHIPPED


def _is_given(ctx: typer.Context, name: str) -> bool:
    """Whether somebody wrote the option, be it with the value that it has anyway."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _order(data: Path, out: Path, model_version: str, by: str, at: str | None, seed: int | None) -> Order:
    """What is asked for. Raises `ConfigError` for a version or a day that no manifest may hold."""
    from datetime import date

    import msgspec

    from classifiers.manifest import Version
    from classifiers.training.order import SEED, Order
    from hustings.clock import SystemClock
    from hustings.errors import ConfigError

    try:
        msgspec.convert(model_version, Version)
    except msgspec.ValidationError:
        raise ConfigError(
            f"--model-version {model_version!r} is none; letters, digits, '.', '_', '+' and '-', such as 2"
        ) from None
    try:
        day = date.fromisoformat(at) if at is not None else SystemClock().now().date()
    except ValueError:
        raise ConfigError(f"--at {at!r} is no day; write it as 2026-10-01") from None
    return Order(data, out, model_version, by, day.isoformat(), SEED if seed is None else seed)
