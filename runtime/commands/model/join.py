"""`hustings model join`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Models, loaded, store_of, where

__all__ = ["join"]


def join(
    name: Annotated[str, typer.Argument(help="an encoder, such as encoder-en")],
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--beside", help="version of a linear head, such as G-en@VERSION; without it, the one that serves"
        ),
    ] = None,
    network: Annotated[
        Path | None, typer.Option("--network", help="folder of the encoder; without it, the one that serves")
    ] = None,
    data: Annotated[
        Path, typer.Option("--data", help="folder of the data; the rows of the recipe decide how scores are joined")
    ] = Path("../shared/data"),
    by: Annotated[str, typer.Option("--by", help="who chooses the thresholds")] = "hustings model join",
    key: Annotated[Path | None, typer.Option("--key", help="private key to sign with; without it, unsigned")] = None,
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Join an encoder anew with other versions of its linear heads, as a version that waits. Needs no torch.

    An encoder is calibrated beside one version of each linear head and silent beside every other.

    Example: hustings model join encoder-en --beside G-en@VERSION --config my.toml --key models.key
    """
    import json

    from classifiers.signing import check_key, shipped_signers
    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.model.gates import show
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say
    from runtime.encoder_joining import join_encoder
    from runtime.model_making import Making, corpora_of

    if key is not None:
        check_key(key)
    configuration = loaded(config)
    signers = build.model_signers(configuration) if configuration else shipped_signers()
    making = Making(store=store_of(models, configuration), signers=signers, by=by, key=key)
    with stages(1, shown=not as_json) as progress:
        made = join_encoder(
            name,
            making,
            network=network,
            beside=beside or (),
            data=data,
            corpora=corpora_of(configuration) if configuration else None,
            clock=SystemClock(),
            tell=lambda stage: progress.at(name, stage),
        )
        progress.done()
    manifest, place = made.stored.manifest, where(models, config)
    steps = [] if key is not None else [f"hustings model sign {made.stored.folder} --key FILE"]
    steps.append(f"hustings model promote {name} --version {manifest.version} {place}".rstrip())
    if as_json:
        failed = [f"{check.gate}: {check.subject}" for check in made.record.failed]
        told = {"model": manifest.tag, "folder": str(made.stored.folder), "seconds": made.seconds, "failed": failed}
        say(json.dumps({**told, "card": str(made.card), "next": steps}, ensure_ascii=False))
        return
    say(f"{made.stored.folder}: {manifest.tag} in {made.seconds:.1f} s")
    show(made.record)
    say("\nNothing serves yet. Next:")
    for step in steps:
        say(f"  {step}")
