"""`hustings model train --kind encoder`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from classifiers.manifest import MANIFEST, Manifest, manifest_bytes
from classifiers.papers import write_made
from classifiers.pipeline import shipped_models
from classifiers.signing import ANYBODY, SIGNATURE
from classifiers.signing import sign as signed
from classifiers.training.continue_code_reader import continue_code_reader
from classifiers.training.encoder.bases import DEFAULT_BASE, Base, default_cache, find_base
from classifiers.training.encoder.fit import Epoch, FitSettings, Progress
from classifiers.training.encoder.recipes import ENCODERS, EncoderRecipe
from classifiers.training.encoder.torch_extra import check_extra
from classifiers.training.make_code_reader import make_code_reader, settle_code_reader
from classifiers.training.make_embedder import EMBEDDERS, make_embedder
from classifiers.training.order import Order
from classifiers.training.train_encoder import heads_in, join_heads, read_trained, staged, train_encoder
from hustings.errors import ConfigError
from runtime.commands.progress import stages
from runtime.commands.terminal import say
from runtime.model_making import Tell

__all__ = ["fine_tuning", "train_an_encoder"]


def train_an_encoder(
    name: str,
    order: Order,
    *,
    base: str | None,
    network: Path | None,
    beside: Path | None,
    teachers: int = 0,
    soup: int = 1,
    key: Path | None,
    as_json: bool,
) -> None:
    """Make the model `name`: an embedder as it comes, or an encoder fine-tuned from its recipe beside the linear heads
    in the folder `beside` (the shipped ones if None). `base` None means the recipe's own; the folder of a model means
    that its network learns on. Interrupted, fine-tuning goes on when it is called again. `network` is the folder of an
    encoder that was trained before: it is only joined anew with the linear heads, which needs no torch; or, of one that
    reads codes, which posts it is asked about and reads to the end is learnt anew. So many `teachers` are trained
    beforehand, from the same base, or from the recipe's where a model's network learns on; of so many networks the mean
    serves as are asked for by `soup`."""
    recipe = _with_others(ENCODERS.get(name), teachers, soup)
    language = EMBEDDERS.get(name)
    if recipe is None and language is None:
        raise ConfigError(
            f"no recipe for an encoder {name!r}; known are {', '.join([*ENCODERS, *EMBEDDERS])}. For one of your own "
            "name the linear heads and their corpora: --beside A-INSULT-pt --corpus my-pt --config my.toml"
        )
    for option, is_given in (("--teachers", teachers), ("--soup", soup > 1)):
        if recipe is None and is_given:
            raise ConfigError(f"{name}: comes as it is, so {option} says nothing; leave it out")
    began = time.perf_counter()
    epochs: list[Epoch] = []
    if recipe is not None and network is not None:
        if recipe.reads_codes:
            read = staged(recipe, order.data, {}, seed=order.seed).read
            manifest = settle_code_reader(recipe, network, read, order.models / name, order, signers=ANYBODY)
        else:
            manifest = join_heads(
                recipe,
                read_trained(network, signers=ANYBODY),
                staged(recipe, order.data, heads_in(beside or shipped_models(), recipe), seed=order.seed),
                order.models / name,
                order,
            )
        _tell(manifest, order.models / name, None, epochs, time.perf_counter() - began, key, as_json)
        return
    check_extra()
    if recipe is not None and base is not None and (Path(base) / MANIFEST).is_file():
        read = staged(recipe, order.data, {}, seed=order.seed).read
        teachers_base = find_base(recipe.base, default_cache()) if teachers else None
        make = partial(continue_code_reader, recipe, Path(base), read, teachers_base=teachers_base)
        manifest, epochs = _fine_tuned(recipe, make, order, shown=not as_json)
        _tell(manifest, order.models / name, None, epochs, time.perf_counter() - began, key, as_json)
        return
    found = find_base(base or (recipe.base if recipe else DEFAULT_BASE), default_cache())
    if recipe is None:
        manifest = make_embedder(name, language or "", found, order)
    else:
        heads = heads_in(beside or shipped_models(), recipe)
        material = staged(recipe, order.data, heads, seed=order.seed)
        fresh = partial(make_code_reader if recipe.reads_codes else train_encoder, recipe, found, material)
        manifest, epochs = _fine_tuned(recipe, fresh, order, shown=not as_json)
    _tell(manifest, order.models / name, found, epochs, time.perf_counter() - began, key, as_json)


def _with_others(recipe: EncoderRecipe | None, teachers: int, soup: int) -> EncoderRecipe | None:
    """The recipe, whether its network is made from a base or learns on."""
    if recipe is None:
        return None

    def given(settings: FitSettings) -> FitSettings:
        return settings._replace(teachers=teachers or settings.teachers, networks_averaged=soup)

    return recipe._replace(settings=given(recipe.settings), continued=recipe.continued and given(recipe.continued))


def _tell(
    manifest: Manifest,
    folder: Path,
    base: Base | None,
    epochs: list[Epoch],
    seconds: float,
    key: Path | None,
    as_json: bool,
) -> None:
    """Note what making it took, sign it, and say what came of it."""
    write_made(folder, seconds)
    if key is not None:
        (folder / SIGNATURE).write_bytes(signed(manifest_bytes(folder), key))
    if as_json:
        told = {
            "model": manifest.tag,
            "folder": str(folder),
            "seconds": round(seconds, 2),
            "signed": key is not None,
            "base": base._asdict() if base else None,
            "epochs": [one._asdict() for one in epochs],
            "metrics": msgspec.to_builtins(manifest.metrics),
        }
        say(json.dumps([told], ensure_ascii=False))
        return
    threshold = manifest.threshold
    say(
        f"{folder}: threshold {threshold.value}, precision {threshold.precision}, recall {threshold.recall} "
        f"({threshold.reason}); {seconds:.0f} s"
    )


@contextmanager
def fine_tuning(name: str, epochs: list[Epoch], *, shown: bool) -> Iterator[tuple[Progress, Tell]]:
    """Shows how far the fine-tuning is, says how each epoch came out, and adds it to `epochs`; and shows the name of
    any other stage that it is told."""
    bar_at = 0
    with stages(100, shown=shown) as bar:

        def step(done: int, of: int, loss: float) -> None:
            nonlocal bar_at
            bar.at(name, f"step {done} of {of}, loss {loss:.3f}")
            while bar_at < done * 100 // of:
                bar_at += 1
                bar.done()

        def epoch(finished: Epoch) -> None:
            epochs.append(finished)
            measured = ", ".join(f"{task} {value}" for task, value in finished.average_precision.items())
            if shown:
                say(f"epoch {finished.number}: loss {finished.loss}, average precision on measured rows: {measured}")

        yield Progress(step, epoch), lambda stage: bar.at(name, stage)


def _fine_tuned(
    recipe: EncoderRecipe, make: Callable[..., Manifest], order: Order, *, shown: bool
) -> tuple[Manifest, list[Epoch]]:
    epochs: list[Epoch] = []
    with fine_tuning(recipe.name, epochs, shown=shown) as (progress, _):
        manifest = make(
            order.models / recipe.name,
            order,
            checkpoint=order.models / f"{recipe.name}.checkpoint",
            progress=progress,
        )
    return manifest, epochs
