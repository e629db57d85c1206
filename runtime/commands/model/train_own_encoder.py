"""`hustings model train --kind encoder --beside`: an encoder of one's own, to the point where a person decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from classifiers.training.corpus_store import StoredCorpus, find_corpus
from classifiers.training.encoder.bases import DEFAULT_BASE
from classifiers.training.encoder.torch_extra import check_extra
from classifiers.training.order import SEED
from hustings.clock import Clock, SystemClock
from hustings.errors import ConfigError
from runtime import build
from runtime.commands.model.train_an_encoder import fine_tuning
from runtime.commands.model.train_reviewed import next_steps, tell_judgement
from runtime.commands.terminal import say
from runtime.config import Config, load_config
from runtime.model_making import Judged, Making, build_from_desk, code_and_language, corpora_of
from runtime.own_encoder import OwnEncoderOrder, make_encoder

if TYPE_CHECKING:
    from classifiers.training.encoder.fit import Epoch

__all__ = ["train_own_encoder"]


def train_own_encoder(
    name: str,
    beside: tuple[str, ...],
    corpora: tuple[str, ...],
    *,
    config: Path,
    base: str | None,
    network: Path | None,
    precision: float | None,
    epochs: int | None,
    rate: float | None,
    seed: int | None,
    key: Path | None,
    by: str,
    as_json: bool,
) -> None:
    """Make a version of the encoder from a stored corpus for each head, or (without `corpora`) from the desk's reviews
    as they stand, judge it, and say what comes next."""
    if not beside:
        raise ConfigError("--kind encoder learns from --corpus or --from-desk beside a linear head: --beside HEAD")
    if base is not None and network is not None:
        raise ConfigError("--network is trained already, so --base says nothing; give one of them")
    if network is not None and not corpora:
        raise ConfigError(
            f"--network has learnt from former reviews, --from-desk makes a corpus anew: hustings model join {name} "
            "--config FILE joins it on the rows that it held out"
        )
    if corpora and len(corpora) != len(beside):
        raise ConfigError(
            f"--beside names {len(beside)} heads ({', '.join(beside)}), --corpus {len(corpora)} "
            f"({', '.join(corpora)}); each head needs one corpus, in the same order"
        )
    loaded, clock = load_config(config), SystemClock()
    making = Making(
        store=build.model_store(loaded),
        signers=build.model_signers(loaded),
        by=by,
        precision=precision,
        key=key,
    )
    known = corpora_of(loaded)
    if corpora:
        taught_by = tuple(find_corpus(known, one) for one in corpora)
    else:
        check_extra()  # before a corpus is stored that nothing learns from
        taught_by = _from_desk(loaded, beside, clock)
    order = OwnEncoderOrder(
        name,
        beside,
        taught_by,
        base or DEFAULT_BASE,
        SEED if seed is None else seed,
        epochs=epochs,
        rate=rate,
        network=network,
    )
    done: list[Epoch] = []
    with fine_tuning(name, done, shown=not as_json) as (progress, tell):
        made = make_encoder(order, making, corpora=known, clock=clock, tell=tell, progress=progress)
    _tell(made, order, done, config, as_json)


def _from_desk(config: Config, beside: tuple[str, ...], clock: Clock) -> tuple[StoredCorpus, ...]:
    """The settled reviews about each head, as the next version of its corpus."""
    found = []
    for head in beside:
        code, language = code_and_language(head, build.codebook())
        found.append(build_from_desk(config, f"desk-{head}", code=code, language=language, clock=clock))
    return tuple(found)


def _tell(made: Judged, order: OwnEncoderOrder, epochs: list[Epoch], config: Path, as_json: bool) -> None:
    manifest = made.stored.manifest
    steps = next_steps(made, config)
    if as_json:
        told = {
            "model": manifest.tag,
            "folder": str(made.stored.folder),
            "seconds": made.seconds,
            "beside": list(order.beside),
            "corpora": [msgspec.to_builtins(one.paper) for one in order.taught_by],
            "base": manifest.settings["base"],
            "epochs": [one._asdict() for one in epochs],
            "data": msgspec.to_builtins(manifest.data),
            "threshold": msgspec.to_builtins(manifest.threshold),
            "metrics": msgspec.to_builtins(manifest.metrics),
            "gates": msgspec.to_builtins(made.record),
            "card": str(made.card),
            "next": steps,
        }
        say(json.dumps(told, ensure_ascii=False))
        return
    for data in manifest.data:
        learnt = "learnt from" if data.use == "training" else "chosen and measured on"
        say(f"{learnt} {data.file}: {data.rows:,} rows, {data.positives:,} positive, {data.licence}")
    threshold = manifest.threshold
    say(
        f"{made.stored.folder}: {manifest.tag} in {made.seconds:.0f} s; threshold {threshold.value}, precision "
        f"{threshold.precision}, recall {threshold.recall} ({threshold.reason})"
    )
    tell_judgement(made, steps)
