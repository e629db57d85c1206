"""`hustings model train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.model.options import AsJson

__all__ = ["train"]


class Kind(StrEnum):
    """What is trained when it is not the kind that the names say."""

    ENCODER = "encoder"


class Split(StrEnum):
    """How rows are divided into folds."""

    GROUPED = "grouped"
    RANDOM = "random"


def train(
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
        typer.Option("--base", help="encoder to begin with: a folder, a name on the hub, or all-minilm-l6-v2"),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option("--network", help="encoder trained before: join it anew with the linear heads, without torch"),
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
    as_json: AsJson = False,
) -> None:
    """Train models: the shipped ones from data whose licence lets weights be shipped and from our own seeds, or one
    head from the desk's reviews, as a version that waits until it is promoted.

    The same data, seed, version and date give the same bytes. With --from-desk: reviews on which two people agree
    become a corpus, the head that serves learns from it, every gate is run, the card is written, and nothing is
    promoted.

    With --kind encoder and --beside: a Hugging Face encoder in any language, fine-tuned for linear heads of a
    deployment on a corpus for each (or on the desk's reviews, --from-desk); a fifth of the rows is held out to choose
    on. Needs pip install 'hustings[torch]'; goes on after an interruption when the same is asked for again.

    Examples: hustings model train G-en --data ../shared/data --out models ·
    hustings model train G-en --from-desk --config my.toml --key models.key ·
    hustings model train encoder-pt --kind encoder --base FOLDER_OR_HUB_NAME --beside A-INSULT-pt --corpus my-pt
    --config my.toml --key models.key
    """
    from hustings.errors import ConfigError

    if kind is Kind.ENCODER and beside:
        from runtime.commands.model.train_own_encoder import train_own_encoder

        if config is None or not names or len(names) != 1:
            raise ConfigError("--beside needs --config FILE and one name for the encoder, such as encoder-pt")
        if from_desk == bool(corpus):
            raise ConfigError("--beside needs rows: --corpus NAME for each head, or --from-desk")
        train_own_encoder(
            names[0],
            tuple(beside),
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
        return
    if beside or epochs is not None or rate is not None:
        raise ConfigError(
            "--beside, --epochs and --rate are about an encoder of one's own: --kind encoder --beside HEAD"
        )
    if kind is Kind.ENCODER:
        if from_desk or corpus:
            raise ConfigError("--kind encoder learns from --corpus or --from-desk beside a linear head: --beside HEAD")
        _train_encoders(names or ["encoder-en"], data, out, model_version, by, at, seed, key, base, network, as_json)
        return
    if base is not None or network is not None:
        raise ConfigError("--base and --network are about encoders; they go with --kind encoder")
    if from_desk or corpus:
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
        return
    _train_shipped(names or [], data, out, model_version, by, at, seed, key, as_json)


def _train_encoders(
    names: list[str],
    data: Path,
    out: Path,
    model_version: str,
    by: str,
    at: str | None,
    seed: int | None,
    key: Path | None,
    base: str | None,
    network: Path | None,
    as_json: bool,
) -> None:
    from classifiers.training.train import SEED, Order
    from hustings.clock import SystemClock
    from runtime.commands.model.train_an_encoder import train_an_encoder

    order = Order(
        data, out, model_version, by, at or SystemClock().now().date().isoformat(), SEED if seed is None else seed
    )
    for name in names:
        train_an_encoder(name, order, base=base, network=network, beside=None, key=key, as_json=as_json)


def _train_shipped(
    names: list[str],
    data: Path,
    out: Path,
    model_version: str,
    by: str,
    at: str | None,
    seed: int | None,
    key: Path | None,
    as_json: bool,
) -> None:
    import json
    import time

    import msgspec

    from classifiers.manifest import manifest_bytes
    from classifiers.papers import write_made
    from classifiers.signing import SIGNATURE
    from classifiers.signing import sign as signed
    from classifiers.training.train import SEED, Order, trainable
    from classifiers.training.train import train as make
    from hustings.clock import SystemClock
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say

    order = Order(
        data, out, model_version, by, at or SystemClock().now().date().isoformat(), SEED if seed is None else seed
    )
    wanted = names or trainable()
    told = []
    with stages(len(wanted), shown=not as_json) as progress:
        for name in wanted:
            progress.at(name)
            began = time.perf_counter()
            manifest = make(name, order)
            seconds = round(time.perf_counter() - began, 2)
            write_made(out / name, seconds)
            if key is not None:
                (out / name / SIGNATURE).write_bytes(signed(manifest_bytes(out / name), key))
            threshold = manifest.threshold
            if as_json:
                told.append(
                    {
                        "model": manifest.tag,
                        "folder": str(out / name),
                        "seconds": seconds,
                        "signed": key is not None,
                        "threshold": msgspec.to_builtins(threshold),
                        "metrics": msgspec.to_builtins(manifest.metrics),
                    }
                )
            else:
                say(
                    f"{out / name}: threshold {threshold.value}, precision {threshold.precision}, recall "
                    f"{threshold.recall} ({threshold.reason})"
                )
            progress.done()
    if as_json:
        say(json.dumps(told, ensure_ascii=False))
