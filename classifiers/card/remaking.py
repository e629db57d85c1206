"""The commands that make a version again, judge it, and write its card: to be copied as they stand.

`DATA` is the folder of data sets, `FORMER` that of the version which was trained on, `models` any folder, `my.toml` the
configuration of the deployment that the version comes from, `models.key` a private key. A line that begins with # says
what must be so for the same bytes to come out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from classifiers.encoder.heads import EncoderHead, heads_in
from classifiers.manifest import Manifest, Threshold
from classifiers.pipeline import shipped_models

__all__ = ["Remaking", "judging", "remaking"]

_OURS = "classifiers/"
"""Files of data that come with Hustings begin so."""
_ROWS = "/rows.jsonl"
_OF_THE_DESK = "(reviews of the desk)"
_WANTED = re.compile(r"precision of at least (0\.\d+)|; (0\.\d+) was wanted")
"""How a threshold's reason tells the precision that it was chosen for; none was asked for where it tells none."""
_TASK = re.compile(r"(\S+) \((\S+)\) × ")


class Remaking(NamedTuple):
    """Lines for a shell. `train` may hold comments; `gates` and `card` are one command each."""

    train: tuple[str, ...]
    gates: str
    card: str

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.train, self.gates, self.card)


def remaking(manifest: Manifest, folder: Path) -> Remaking:
    """How this version came about. Raises `ModelError` for an encoder whose file of heads is none."""
    corpora = _own_corpora(manifest)
    heads = heads_in(folder, manifest)
    if corpora:
        train = _of_an_own_encoder(manifest, heads) if heads else _of_a_head(manifest, corpora)
        where = "--config my.toml"
    elif heads and folder.name == manifest.tag:  # a version that waits or was promoted: training leaves no such folder
        train = _of_a_joined_encoder(manifest, heads)
        where = "--config my.toml"
    else:
        train = _of_a_recipe(manifest, heads)
        where = "--models models"
    version = f"--version {manifest.version} {where}"
    return Remaking(
        train, f"hustings model gates {manifest.name} {version}", f"hustings model card {manifest.name} {version}"
    )


def judging(manifest: Manifest, folder: Path) -> str:
    """The command that judges the version where it lies. What is shipped needs no folder of models to be found."""
    if folder.parent == shipped_models():
        return f"hustings model gates {manifest.name}"
    return remaking(manifest, folder).gates


def _of_a_recipe(manifest: Manifest, heads: tuple[EncoderHead, ...]) -> tuple[str, ...]:
    base = str(manifest.settings.get("base", ""))
    former = base if manifest.kind == "embedder" and "@" in base else ""
    options = {
        "--kind": "encoder" if heads or manifest.kind == "embedder" else "",
        "--base": "FORMER" if former else base if heads else "",
        "--data": "DATA" if any(not one.file.startswith(_OURS) for one in manifest.data) else "",
        "--out": "models",
        "--model-version": manifest.version,
        "--seed": str(manifest.settings.get("training_seed", manifest.seed)),
        "--by": manifest.threshold.chosen_by,
        "--at": manifest.threshold.chosen_at,
        "--key": "models.key",
    }
    train = _command(manifest, options)
    if former:
        return (f"# FORMER is the folder of {former}, and its record stands in classifiers/training", train)
    if not heads:
        return (train,)
    beside = _named(heads)
    return (f"# the linear heads that are shipped are {beside}", train, f"# put {beside} into models too")


def _of_a_joined_encoder(manifest: Manifest, heads: tuple[EncoderHead, ...]) -> tuple[str, ...]:
    beside = " ".join(f"--beside {head.beside}@{head.beside_version}" for head in heads)
    options = {
        "--data": "DATA",
        "--config": "my.toml",
        "--by": manifest.threshold.chosen_by,
        "--key": "models.key",
    }
    return (
        f"# the network of the {manifest.name} that serves, joined anew as the next version, of that day",
        f"{_command(manifest, options, verb='join')} {beside}",
    )


def _of_a_head(manifest: Manifest, corpora: dict[str, bool]) -> tuple[str, ...]:
    (corpus, is_the_desks), *_ = corpora.items()
    options = {
        "--corpus": corpus,
        "--config": "my.toml",
        "--split": str(manifest.settings.get("split", "grouped")),
        "--precision": _precision([manifest.threshold]),
        "--by": manifest.threshold.chosen_by,
        "--key": "models.key",
    }
    prior = manifest.settings.get("prior", "none")
    serves = "nothing" if prior == "none" else prior
    lines = [f"# with {serves} in service as {manifest.name}; it becomes the next version, of that day"]
    lines.append(_command(manifest, options))
    if is_the_desks:
        kept = {name: value for name, value in options.items() if name != "--corpus"}
        fresh: dict[str, str | bool] = {"--from-desk": True, **kept}
        lines += ["# or from the reviews as they stand now:", _command(manifest, fresh)]
    return tuple(lines)


def _of_an_own_encoder(manifest: Manifest, heads: tuple[EncoderHead, ...]) -> tuple[str, ...]:
    taught = _TASK.findall(str(manifest.settings.get("tasks", "")))
    each = " ".join(f"--beside {shlex.quote(head)} --corpus {shlex.quote(corpus)}" for head, corpus in taught)
    options = {
        "--kind": "encoder",
        "--base": str(manifest.settings.get("base", "")),
        "--epochs": str(manifest.settings.get("epochs", "")),
        "--rate": str(manifest.settings.get("rate", "")),
        "--config": "my.toml",
        "--seed": str(manifest.seed),
        "--precision": _precision([head.threshold for head in heads]),
        "--by": manifest.threshold.chosen_by,
        "--key": "models.key",
    }
    return (
        f"# with {_named(heads)} in service; it becomes the next version, of that day",
        f"{_command(manifest, options)} {each}",
    )


def _command(manifest: Manifest, options: Mapping[str, str | bool], *, verb: str = "train") -> str:
    told = [f"hustings model {verb} {manifest.name}"]
    for name, value in options.items():
        if value is True:
            told.append(name)
        elif value:
            told.append(f"{name} {shlex.quote(' '.join(str(value).split()))}")
    return " ".join(told)


def _own_corpora(manifest: Manifest) -> dict[str, bool]:
    """The stored corpora that the version learnt from, the last one first, and whether each is the desk's."""
    return {
        one.file.removesuffix(_ROWS): one.name.endswith(_OF_THE_DESK)
        for one in manifest.data
        if one.use == "training" and one.file.endswith(_ROWS)
    }


def _named(heads: tuple[EncoderHead, ...]) -> str:
    return " and ".join(f"{head.beside}@{head.beside_version}" for head in heads)


def _precision(thresholds: Sequence[Threshold]) -> str:
    """What all of them were chosen for; where that differs, each head had its own, and nobody asked for another."""
    found = [_WANTED.search(one.reason) for one in thresholds]
    wanted = {next(group for group in one.groups() if group) if one else "" for one in found}
    return wanted.pop() if len(wanted) == 1 else ""
