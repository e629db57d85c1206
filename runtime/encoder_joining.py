"""An encoder that was trained before, joined anew with the linear heads of a store: chosen on the rows of its recipe,
signed, judged, and left to wait. Needs no torch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hustings.clock import Clock
from hustings.errors import ConfigError
from runtime.model_making import Judged, Making, Tell, judge_and_draw
from runtime.own_encoder import make_encoder, order_to_join

if TYPE_CHECKING:
    from classifiers.store import ModelStore

__all__ = ["join_encoder"]


def join_encoder(
    name: str,
    making: Making,
    *,
    network: Path | None,
    beside: Sequence[str],
    data: Path,
    corpora: Path | None,
    clock: Clock,
    tell: Tell,
) -> Judged:
    """The next version of the encoder, beside the heads that serve, or those versions of them that `beside` names
    (`G-en@2`). `network` is the folder of the encoder; None means the one that serves. A recipe's is joined on rows in
    `data`, one of a deployment's own on those that it held out, from the store `corpora`. Raises `ConfigError` for an
    encoder without either, a head that it does not speak beside, and where the rows that decide are not there."""
    from classifiers.linear.model import load_head
    from classifiers.signing import ANYBODY
    from classifiers.training.encoder.recipes import ENCODERS
    from classifiers.training.order import SEED, Order
    from classifiers.training.train_encoder import join_heads, read_trained, staged

    store = making.store
    if corpora is not None:
        own = order_to_join(name, network or store.find(name).folder, making, beside=beside, corpora=corpora)
        if own is not None:
            return make_encoder(own, making, corpora=corpora, clock=clock, tell=tell, progress=None)
    recipe = ENCODERS.get(name)
    if recipe is None:
        raise ConfigError(
            f"no recipe for an encoder {name!r}; known are {', '.join(ENCODERS)}. One of your own is joined anew on "
            "the rows that it held out: --config FILE names the deployment that has its corpora"
        )
    if not recipe.served:
        raise ConfigError(f"{name}: speaks beside no linear head, so there is nothing to join")
    serving = {**store.serving(), **_named(store, beside, [task.head for task in recipe.served], name)}
    missing = [task.head for task in recipe.served if task.head not in serving]
    if missing:
        raise ConfigError(f"{name} speaks beside {', '.join(missing)}, and no version serves; --beside NAME@VERSION")
    for task in recipe.served:
        _check_rows(task.measured_on, data)
    heads = {task.head: load_head(serving[task.head], signers=ANYBODY) for task in recipe.served}
    material = staged(recipe, data, heads, seed=SEED)
    tell("network")
    trained = read_trained(network or store.find(name).folder, signers=ANYBODY)
    began = time.perf_counter()
    tell("joining")
    with store.reserve(name) as (folder, version):
        order = Order(data, store.own, version, making.by, clock.now().date().isoformat(), SEED)
        join_heads(recipe, trained, material, folder, order)
    return judge_and_draw(folder, making, serving, seconds=time.perf_counter() - began, clock=clock, tell=tell)


def _named(store: ModelStore, beside: Sequence[str], heads: Sequence[str], name: str) -> Mapping[str, Path]:
    """The folder of each version that was named."""
    found = {}
    for one in beside:
        head, _, version = one.partition("@")
        if head not in heads:
            raise ConfigError(f"--beside {one}: {name} speaks beside {', '.join(heads)}")
        found[head] = store.find(head, version or None).folder
    return found


def _check_rows(corpus: str, data: Path) -> None:
    """A deployment has no such rows unless somebody staged them: say so before anything is read."""
    from classifiers.training.corpora import CORPORA

    path = data / CORPORA[corpus].file
    if not path.exists():
        raise ConfigError(
            f"{path}: not there. How the encoder and the heads are joined is chosen on rows that neither learnt from: "
            f"{CORPORA[corpus].name}, {CORPORA[corpus].url} ({CORPORA[corpus].licence}); --data names the folder that "
            f"holds {CORPORA[corpus].file}"
        )
