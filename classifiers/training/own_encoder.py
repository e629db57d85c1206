"""What an encoder of one's own is made from: linear heads of a deployment, each with a corpus of its own, in any
language. One network gets one output a head."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from classifiers.linear.model import Head
from classifiers.manifest import Manifest
from classifiers.own_posts import own_languages
from classifiers.training.corpora import Corpus
from classifiers.training.corpus_store import StoredCorpus, read_rows, to_training
from classifiers.training.encoder.fit import FitSettings
from classifiers.training.encoder.recipes import EncoderRecipe
from classifiers.training.encoder.tasks import Task
from classifiers.training.held_out import hold_out, without
from classifiers.training.own_posts import own_rows
from classifiers.training.train_encoder import Material, TrainedNetwork, part_of
from hustings.errors import ConfigError
from hustings.language_tags import teaches

__all__ = ["FIT", "OwnPlan", "Pair", "check_same_rows", "plan_encoder", "taught_by"]

FIT = FitSettings(epochs=3)
"""What is used unless something else is asked for: the best of three epochs serves."""
_DIGEST = "held_out_sha256"
_HELD_OUT = "held-out fifth"
_TOLD = re.compile(r"(\S+) \((\S+)\) × ")
"""What `Task.told` says of a head and its corpus."""


class Pair(NamedTuple):
    """A linear head that serves, the corpus that says what its encoder shall find, and the precision that the flags
    should have."""

    head: Head
    corpus: StoredCorpus
    precision: float


class OwnPlan(NamedTuple):
    """All that `train_network` and `join_heads` need, and what the manifest says beside it."""

    recipe: EncoderRecipe
    material: Material
    settings: dict[str, int | float | str]


def plan_encoder(
    name: str,
    pairs: Sequence[Pair],
    *,
    base: str,
    fit: FitSettings,
    seed: int,
    corpora: Path,
    find: Callable[[str], Head],
) -> OwnPlan:
    """Divide the rows, and make the linear heads again without the held-out ones. `corpora` is the store that the
    corpora come from, `find` gives a head by its `name@version`. Raises `ConfigError` for heads that do not go
    together, a corpus in another language than its head, and too few rows."""
    _check_pairs(name, pairs)
    wholes = [to_training(pair.corpus, read_rows(pair.corpus)) for pair in pairs]
    held = hold_out(wholes, seed=seed)
    rows: dict[str, Corpus] = {}
    tasks = []
    for pair, whole, out in zip(pairs, wholes, held, strict=True):
        tag = pair.corpus.paper.tag
        task = Task(
            name=pair.head.name,
            corpus=tag,
            measured_on=f"{tag}, {_HELD_OUT}",
            head=pair.head.name,
            precision=pair.precision,
            own=_own_code(pair.head),
        )
        rows[task.corpus] = part_of(whole, ~out, "")
        rows[task.measured_on] = part_of(whole, out, _HELD_OUT)
        tasks.append(task)
    held_out = [rows[task.measured_on] for task in tasks]
    heads = {
        pair.head.name: without(pair.head, own.texts, corpora=corpora, find=find)
        for pair, own in zip(pairs, held_out, strict=True)
    }
    recipe = EncoderRecipe(
        name=name,
        language=pairs[0].head.manifest.language,
        base=base,
        tasks=tuple(tasks),
        label=_label(pairs),
        limits=_limits(pairs, held_out),
        settings=fit,
    )
    digest = hashlib.sha256("\0".join(text for own in held_out for text in own.texts).encode()).hexdigest()
    return OwnPlan(recipe, Material(lambda name, use: rows[name], heads), {_DIGEST: digest})


def taught_by(manifest: Manifest) -> dict[str, str]:
    """The corpus of each linear head, as `name@version`, in the order of the outputs; empty for an encoder that was
    not made here."""
    if _DIGEST not in manifest.settings:
        return {}
    return dict(_TOLD.findall(str(manifest.settings.get("tasks", ""))))


def check_same_rows(plan: OwnPlan, trained: TrainedNetwork, folder: Path) -> None:
    """Raises `ConfigError` unless the network in `folder` was trained for these heads, in this order, and with these
    rows held out: it has learnt the others."""
    wanted, found = _told(plan.recipe.tasks), str(trained.settings.get("tasks", "nothing"))
    if wanted != found:
        raise ConfigError(
            f"{folder}: its outputs were trained for {found}; asked for is {wanted}. Name the same heads and versions "
            "of corpora in the same order, or train without --network"
        )
    if trained.settings.get(_DIGEST) != plan.settings[_DIGEST]:
        raise ConfigError(
            f"{folder}: other rows would be held out than when it was trained, so it has learnt some of them; give the "
            "seed that it was trained with, or train without --network"
        )


def _told(tasks: Sequence[Task]) -> str:
    return ", ".join(task.told for task in tasks)


def _check_pairs(name: str, pairs: Sequence[Pair]) -> None:
    heads = [pair.head for pair in pairs]
    if name in {head.name for head in heads}:
        raise ConfigError(f"{name!r} is the head that the encoder speaks beside; call the encoder otherwise")
    for what, values in (
        ("head", [head.name for head in heads]),
        ("code", [head.manifest.code for head in heads]),
    ):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"{name}: two outputs for the {what} {twice}; an encoder has one each")
    languages = sorted({head.manifest.language for head in heads})
    if len(languages) > 1:
        told = ", ".join(f"{head.name} ({head.manifest.language})" for head in heads)
        raise ConfigError(f"{name}: an encoder reads one language; found {told}. Make one for each")
    for head, corpus, _ in pairs:
        paper = corpus.paper
        if not teaches(paper.language, head.manifest.language):
            raise ConfigError(
                f"{name}: corpus {paper.tag} is in {paper.language!r}, but {head.name} reads "
                f"{head.manifest.language!r}; give a corpus of its language"
            )
        if not 0 < paper.positives < paper.rows:
            label = "positive" if paper.positives == 0 else "negative"
            raise ConfigError(f"{name}: corpus {paper.tag} has no {label} rows; there is nothing to tell apart")


def _own_code(head: Head) -> str:
    """The code as which our own posts are learnt too; empty where the language has none, or none that say it."""
    speech, code = head.manifest.language.partition("-")[0], head.manifest.code
    if speech not in own_languages() or not own_rows(speech, code).dataset.positives:
        return ""
    return code


def _label(pairs: Sequence[Pair]) -> str:
    told = "; ".join(f"{pair.head.name} ({pair.corpus.paper.label})" for pair in pairs)
    return f"Reads again the posts of which these linear heads are not sure: {told}."


def _limits(pairs: Sequence[Pair], held_out: Sequence[Corpus]) -> str:
    learnt = "; ".join(
        f"{pair.corpus.paper.tag}, {pair.corpus.paper.rows - len(held.labels)} rows" for pair, held in
        zip(pairs, held_out, strict=True)
    )  # fmt: skip
    chosen = ", ".join(f"{len(held.labels)} ({sum(held.labels)} positive)" for held in held_out)
    return (
        f"Learnt from {learnt}. Epoch, fusion, calibration and threshold were chosen on the held-out rows, {chosen}; "
        "mind the intervals. Reads no more than 40 words of a post, those round the place where the linear head sees "
        "most, and none to which the linear heads give a very low score."
    )
