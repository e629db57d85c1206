"""From corpora of one's own to an encoder that waits beside the linear heads of a deployment: rows, training,
signature, gates, card. What serves is not touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hustings.clock import Clock
from hustings.errors import ConfigError
from runtime.model_making import PRECISION, Judged, Making, Tell, judge_and_draw

if TYPE_CHECKING:
    from classifiers.linear.model import Head
    from classifiers.store import ModelStore
    from classifiers.training.corpus_store import StoredCorpus
    from classifiers.training.encoder.fit import Progress
    from classifiers.training.own_encoder import OwnPlan

__all__ = ["OwnEncoderOrder", "make_encoder", "order_to_join", "plan"]


class OwnEncoderOrder(NamedTuple):
    """What is asked for: an encoder `name` beside these heads (those that serve, or a `name@version`), each of which is
    taught by the corpus at the same place. `network` is the folder of one that was trained for them before, which is
    only joined anew."""

    name: str
    beside: tuple[str, ...]
    taught_by: tuple[StoredCorpus, ...]
    base: str
    seed: int
    epochs: int | None = None
    rate: float | None = None
    network: Path | None = None


def make_encoder(
    order: OwnEncoderOrder, making: Making, *, corpora: Path, clock: Clock, tell: Tell, progress: Progress | None
) -> Judged:
    """Fine-tune, join, sign, judge, and write the card. `corpora` is where the deployment keeps its corpora. An
    interrupted training goes on when the same is asked for again. Raises `ConfigError` for what `plan` refuses, for a
    base that is none, and when the torch extra is missing."""
    from classifiers.training.encoder.bases import default_cache, find_base
    from classifiers.training.encoder.fit import Progress
    from classifiers.training.encoder.torch_extra import check_extra
    from classifiers.training.order import Order
    from classifiers.training.own_encoder import check_same_rows
    from classifiers.training.train_encoder import join_heads, read_trained, train_network

    store, began = making.store, time.perf_counter()
    serving = _company(order, store)
    base = None
    if order.network is None:
        check_extra()
        base = find_base(order.base, default_cache())
    tell("held-out rows")
    planned = plan(order, making, corpora=corpora)
    if base is None:
        network = order.network or store.own
        trained = read_trained(network, signers=making.signers)
        check_same_rows(planned, trained, network)
    else:
        trained = train_network(
            planned.recipe,
            base,
            planned.material.read,
            seed=order.seed,
            checkpoint=store.own / f"{order.name}.checkpoint",
            progress=progress or Progress(lambda done, of, loss: None, lambda epoch: None),
        )
        trained = trained._replace(settings={**trained.settings, **planned.settings})
    tell("fusion")
    with store.reserve(order.name) as (folder, version):
        joining = Order(corpora, store.own, version, making.by, clock.now().date().isoformat(), order.seed)
        join_heads(planned.recipe, trained, planned.material, folder, joining)
    return judge_and_draw(folder, making, serving, seconds=time.perf_counter() - began, clock=clock, tell=tell)


def plan(order: OwnEncoderOrder, making: Making, *, corpora: Path) -> OwnPlan:
    """What the encoder would be made from. Raises `ConfigError` for a name that is taken, heads that do not serve, are
    not linear, do not go together or have another encoder, a corpus in another language, and too few rows."""
    from classifiers.linear.model import load_head
    from classifiers.training.own_encoder import FIT, Pair, plan_encoder
    from classifiers.training.recipes import RECIPES

    store = making.store
    serving = _company(order, store)
    _check_name(order, store)
    _check_alone(order, serving, making)
    pairs = []
    for name, corpus in zip(_names(order), order.taught_by, strict=True):
        recipe = RECIPES.get(name)
        precision = making.precision or (recipe.precision if recipe else None) or PRECISION
        pairs.append(Pair(_linear_head(name, serving, making), corpus, precision))

    def find(label: str) -> Head:
        name, _, number = label.partition("@")
        return load_head(store.find(name, number).folder, signers=making.signers)

    fit = FIT._replace(epochs=order.epochs or FIT.epochs, rate=order.rate or FIT.rate)
    return plan_encoder(order.name, pairs, base=order.base, fit=fit, seed=order.seed, corpora=corpora, find=find)


def order_to_join(
    name: str, network: Path, making: Making, *, beside: Sequence[str], corpora: Path
) -> OwnEncoderOrder | None:
    """What joins the network in that folder anew beside the heads that serve, or those versions of them that `beside`
    names; None where it was not made from corpora of one's own. Raises `ConfigError` for a head that it does not speak
    beside, and for a corpus that is gone."""
    from classifiers.manifest import read_manifest
    from classifiers.training.corpus_store import find_corpus
    from classifiers.training.own_encoder import taught_by

    manifest = read_manifest(network, signers=making.signers)
    taught = taught_by(manifest)
    if not taught:
        return None
    named = {one.partition("@")[0]: one for one in beside}
    for head, told in named.items():
        if head not in taught:
            raise ConfigError(f"--beside {told}: {name} speaks beside {', '.join(taught)}")
    return OwnEncoderOrder(
        name,
        tuple(named.get(head, head) for head in taught),
        tuple(find_corpus(corpora, corpus) for corpus in taught.values()),
        "",
        manifest.seed,
        network=network,
    )


def _names(order: OwnEncoderOrder) -> list[str]:
    return [one.partition("@")[0] for one in order.beside]


def _company(order: OwnEncoderOrder, store: ModelStore) -> dict[str, Path]:
    """What serves, and in its place the versions that were named."""
    parts = [one.partition("@") for one in order.beside]
    named = {name: store.find(name, version).folder for name, _, version in parts if version}
    return {**store.serving(), **named}


def _linear_head(name: str, serving: Mapping[str, Path], making: Making) -> Head:
    """The linear head of that name. Raises `ConfigError` for another kind of model and for none."""
    from classifiers.linear.model import load_head
    from classifiers.manifest import read_manifest

    folder = serving.get(name)
    if folder is None:
        linear = _names_of("linear", serving, making)
        raise ConfigError(
            f"--beside {name}: no such head serves; linear heads that do: {', '.join(linear) or 'none'}. Train and "
            f"promote it first: hustings model train {name} --corpus NAME --config FILE"
        )
    manifest = read_manifest(folder, signers=making.signers)
    if manifest.kind != "linear":
        linear = _names_of("linear", serving, making)
        raise ConfigError(
            f"--beside {name}: its kind is {manifest.kind!r}; an encoder speaks beside linear heads: "
            f"{', '.join(linear) or 'none serves'}"
        )
    return load_head(folder, signers=making.signers)


def _check_name(order: OwnEncoderOrder, store: ModelStore) -> None:
    kinds = {one.manifest.kind for one in store.versions(order.name)} - {"encoder"}
    if kinds:
        raise ConfigError(f"{order.name!r} is the name of a model of kind {kinds.pop()!r}; call the encoder otherwise")


def _check_alone(order: OwnEncoderOrder, serving: Mapping[str, Path], making: Making) -> None:
    """Before anything takes time: two encoders beside one head would not be served."""
    from classifiers.encoder.model import load_encoder

    for name in _names_of("encoder", serving, making):
        both = {head.beside for head in load_encoder(serving[name], signers=making.signers).heads} & {*_names(order)}
        if name != order.name and both:
            raise ConfigError(
                f"{order.name}: {name} speaks beside {', '.join(sorted(both))} already, and one encoder may; call "
                f"yours {name} too: it becomes the next version"
            )


def _names_of(kind: str, serving: Mapping[str, Path], making: Making) -> Sequence[str]:
    from classifiers.manifest import read_manifest

    return [name for name, folder in serving.items() if read_manifest(folder, signers=making.signers).kind == kind]
