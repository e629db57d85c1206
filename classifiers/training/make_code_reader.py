"""The encoder that models of narratives and of abuse ask: fine-tuned on seeds with their codes, among
other things; exported, quantised, held against the exact network on the seeds that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.codes import FILES, CodeReader, load_code_reader, network_of, pack_codes
from classifiers.encoder.reading import quietly, read_words
from classifiers.encoder.session import Session
from classifiers.encoder.worth import TOPICS
from classifiers.gender import one_gender
from classifiers.linear.model import pack
from classifiers.manifest import Dataset, Manifest, Metric, read_file
from classifiers.narratives.seeds import Example
from classifiers.signing import Signers
from classifiers.training.code_rows import codes_of
from classifiers.training.corpora import Corpus
from classifiers.training.early import learn_early
from classifiers.training.encoder.bases import Base
from classifiers.training.encoder.export import agreement, check_agreement, export, quantise, tokenizer_bytes
from classifiers.training.encoder.fit import Progress, remove_checkpoints
from classifiers.training.encoder.graph import fused, whole
from classifiers.training.encoder.network import logits, split
from classifiers.training.encoder.recipes import EncoderRecipe
from classifiers.training.learnt_seeds import RECORD, check_record, pack_record
from classifiers.training.network_manifest import write_network
from classifiers.training.order import Order
from classifiers.training.seed_rows import is_harm
from classifiers.training.train_encoder import Material, Taught, settings_of, teach
from classifiers.training.worth import learn_worth
from hustings.errors import ConfigError

__all__ = ["make_code_reader", "read_whole", "settle_code_reader", "write_code_reader"]

F64 = NDArray[np.float64]


def make_code_reader(
    recipe: EncoderRecipe,
    base: Base,
    material: Material,
    folder: Path,
    order: Order,
    *,
    checkpoint: Path,
    progress: Progress,
) -> Manifest:
    """Teach it and write it to `folder`. An interrupted training goes on from `checkpoint`. Raises `ModelError` when
    quantising changes too much."""
    taught = teach(recipe, base, material.read, seed=order.seed, checkpoint=checkpoint, progress=progress)
    manifest = write_code_reader(recipe, base, taught, material.read, folder, order)
    remove_checkpoints(checkpoint)
    return manifest


def write_code_reader(
    recipe: EncoderRecipe,
    base: Base,
    taught: Taught,
    read: Callable[[str, str], Corpus],
    folder: Path,
    order: Order,
) -> Manifest:
    """Export and quantise a network that was taught, measure it on held-out seeds, and write the folder, and beside it
    the record of the seeds that it has learnt."""
    coded = recipe.coded()
    codes = codes_of(coded)
    first = len(recipe.tasks)
    small = fused(quantise(export(taught.network, list(range(first, first + len(codes))))))
    tokenizer = tokenizer_bytes(taught.network)
    session = Session.open(small, tokenizer, where=recipe.name)
    metrics: list[Metric] = []
    for language in dict.fromkeys(part.language for part in coded):
        kept: list[Example] = []
        for part in coded:
            if part.language == language:
                kept += part.held_out()
        texts = [one_gender(quietly(read_words(one.text).text()), language) for one in kept]
        exact = logits(taught.network, split(taught.network, texts))[:, first:]
        rounded = session.logits(texts)
        metrics += _measured(recipe.name, language, [one.code for one in kept], codes, exact, rounded)
    settings = settings_of(recipe, base, taught.epochs) | dict(taught.teachers)
    return _write(recipe, small, tokenizer, read, folder, order, taught.datasets, settings, metrics)


def settle_code_reader(
    recipe: EncoderRecipe,
    former: Path,
    read: Callable[[str, str], Corpus],
    folder: Path,
    order: Order,
    *,
    signers: Signers | None = None,
) -> Manifest:
    """The reader in the folder `former`, which one of `signers` signed (None: those whose keys are shipped), with its
    network as it is: which posts it is worth asking about, and what its first layers guess, are learnt anew from the
    rows as they stand. Raises `ConfigError` where it has not learnt the codes of the recipe, `ModelError` for a folder
    that cannot be trusted."""
    reader = load_code_reader(former, signers=signers)
    if reader.codes != codes_of(recipe.coded()):
        raise ConfigError(f"{former}: reads other codes than the seeds give; train it on: --base {former}")
    check_record(reader.network, str(former))
    network, tokenizer = read_whole(reader, former)
    settings = {name: value for name, value in reader.manifest.settings.items() if not name.startswith("worth_")}
    data, metrics = reader.manifest.data, reader.manifest.metrics
    return _write(recipe, network, tokenizer, read, folder, order, data, settings, metrics)


def read_whole(reader: CodeReader, folder: Path) -> tuple[bytes, bytes]:
    """The network in one piece and the tokenizer of the `reader` in that folder. Raises `ModelError`."""
    files = {file.name: file for file in reader.manifest.files}
    first, rest, tokenizer = (read_file(folder, files[name]) for name in FILES[:3])
    return whole(first, rest), tokenizer


def _write(
    recipe: EncoderRecipe,
    network: bytes,
    tokenizer: bytes,
    read: Callable[[str, str], Corpus],
    folder: Path,
    order: Order,
    data: Sequence[Dataset],
    settings: Mapping[str, int | float | str],
    metrics: Sequence[Metric],
) -> Manifest:
    """With what is learnt beside an 8-bit network: what is worth asking it, and when its first layers are enough."""
    coded = recipe.coded()
    codes = codes_of(coded)
    by_words = {
        topic: learn_worth(topic, coded, recipe.harmless, read, seed=order.seed, told=recipe.told) for topic in TOPICS
    }
    corpora = (*recipe.harmless, *(name for name, _ in recipe.told), *(task.corpus for task in recipe.tasks))
    first, rest, worth = learn_early(network, tokenizer, codes, by_words, coded, corpora, read, seed=order.seed)
    tables = [pack(worth[topic].weights)[0] for topic in TOPICS]
    content = dict(zip(FILES, (first, rest, tokenizer, pack_codes(codes), *tables), strict=True))
    manifest = write_network(
        folder,
        content,
        order,
        language=recipe.language,
        label=recipe.label,
        limits=recipe.limits,
        data=data,
        settings={**settings, **{k: v for topic in TOPICS for k, v in worth[topic].settings(topic).items()}},
        metrics=metrics,
    )
    seeds = {part.key: (part.recorded, part.held) for part in coded}
    (folder.parent / f"{folder.name}.{RECORD}").write_bytes(pack_record(network_of(manifest), seeds))
    return manifest


def _measured(
    name: str, language: str, labels: list[str], codes: tuple[str, ...], exact: F64, rounded: F64
) -> list[Metric]:
    """How often the likeliest code is right, and how far 8 bits move what is harm."""
    places = np.array([codes.index(label) for label in labels])
    harm = np.array([is_harm(code) for code in codes])
    threshold = float(np.quantile(_log_odds(exact, harm), 1 - harm[places].mean()))
    found = agreement(_log_odds(exact, harm), _log_odds(rounded, harm), harm[places].astype(np.int64), threshold)
    check_agreement(f"{name}, {language}", found, positives=int(harm[places].sum()))
    values = {
        "accuracy": round(float((rounded.argmax(axis=1) == places).mean()), 4),
        **{f"quantised_{one}": value for one, value in found._asdict().items()},
    }
    on = f"{language}: held-out rows"
    return [
        Metric(name=measure, on=on, value=value, low=value, high=value, n=len(labels))
        for measure, value in values.items()
    ]


def _log_odds(found: F64, harm: NDArray[np.bool_]) -> F64:
    """ln of how much likelier harm is than everything else."""
    odds: F64 = np.logaddexp.reduce(found[:, harm], axis=1) - np.logaddexp.reduce(found[:, ~harm], axis=1)
    return odds
