"""One encoder from a recipe: fine-tuned, exported, made small, joined with the linear heads, measured.

Training is separate from joining: `train_network` needs the torch extra and tens of minutes, `join_heads` needs neither
and is run again when a linear head gets a new version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from classifiers.encoder.heads import EncoderHead, pack_heads
from classifiers.encoder.model import NETWORK, TOKENIZER, load_encoder
from classifiers.encoder.place import place_to_read
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.encoder.session import MOST_PIECES, Session
from classifiers.encoder.settings import EncoderSettings
from classifiers.linear.model import Head, load_head
from classifiers.linear.repeats import as_scored
from classifiers.linear.score import Scorer
from classifiers.manifest import Curves, Dataset, Manifest, Metric, ModelFile, analyser_hash, read_file, write_model
from classifiers.signing import ANYBODY, Signers
from classifiers.training.code_rows import codes_of
from classifiers.training.corpora import Corpus, read_corpus
from classifiers.training.duplicates import clusters, folds
from classifiers.training.encoder.bases import Base
from classifiers.training.encoder.export import agreement, check_agreement, export, quantise, tokenizer_bytes
from classifiers.training.encoder.fit import (
    Epoch,
    Measured,
    Progress,
    fine_tune,
    lesson_as,
    part_of_progress,
    remove_checkpoints,
)
from classifiers.training.encoder.fusion import Chosen, Evidence, choose, cross_choose, kept_recall
from classifiers.training.encoder.network import Network, logits, open_base, split
from classifiers.training.encoder.recipes import EncoderRecipe
from classifiers.training.encoder.soup import average_of
from classifiers.training.encoder.tasks import Labelled, Task, gather
from classifiers.training.encoder.teachers import ask_teachers
from classifiers.training.encoder.vocabulary import keep_pieces
from classifiers.training.measures import curves, measure
from classifiers.training.order import Order
from classifiers.training.train_linear import held_out_fifth
from hustings.errors import ConfigError

__all__ = [
    "Material",
    "Taught",
    "TrainedNetwork",
    "heads_in",
    "join_heads",
    "judged_by_teachers",
    "learn",
    "library_versions",
    "part_of",
    "read_trained",
    "settings_of",
    "staged",
    "teach",
    "train_encoder",
    "train_network",
]

FOLDS = 5
LIBRARIES = ("numpy", "onnx", "onnxruntime", "onnxscript", "tokenizers", "torch", "transformers")


class Material(NamedTuple):
    """What an encoder is made from: `read` gives a corpus of its tasks by name and use ("training" or "measuring"),
    `heads` are the linear heads of its tasks by name, none of which learnt from a row that is measured on."""

    read: Callable[[str, str], Corpus]
    heads: Mapping[str, Head]


class TrainedNetwork(NamedTuple):
    """What training leaves: the files, where the network came from and how it was made (for the manifest), and how far
    quantising moved it."""

    network: bytes
    tokenizer: bytes
    datasets: tuple[Dataset, ...]
    settings: dict[str, int | float | str]
    metrics: tuple[Metric, ...]
    libraries: dict[str, str]


def staged(recipe: EncoderRecipe, data: Path, heads: Mapping[str, Head], *, seed: int) -> Material:
    """The corpora that are staged under `data`, and these linear heads. Of a corpus on which its own task is measured a
    fifth is held out."""
    halved = {task.corpus for task in recipe.tasks if task.measured_on == task.corpus}

    @cache
    def read(name: str, use: str) -> Corpus:
        corpus = read_corpus(name, data, use=use)
        if name not in halved:
            return corpus
        held = held_out_fifth(corpus, seed=seed)
        return part_of(corpus, held, "held-out fifth") if use == "measuring" else part_of(corpus, ~held, "")

    return Material(read, heads)


def heads_in(folder: Path, recipe: EncoderRecipe) -> dict[str, Head]:
    """The linear heads beside which the recipe's encoder speaks, from a folder of models."""
    return {task.head: load_head(folder / task.head, signers=ANYBODY) for task in recipe.served}


def part_of(corpus: Corpus, which: NDArray[np.bool_], called: str) -> Corpus:
    """Some rows of a corpus; `called` tells people which they are measured on, and is empty for those to learn from."""
    places = np.flatnonzero(which).tolist()
    labels = [corpus.labels[place] for place in places]
    dataset = replace(
        corpus.dataset,
        file=f"{corpus.dataset.file} ({called})" if called else corpus.dataset.file,
        rows=len(places),
        positives=sum(labels),
        use="measuring" if called else "training",
    )
    return corpus._replace(
        texts=[corpus.texts[place] for place in places],
        labels=labels,
        families=[corpus.families[place] for place in places],
        dataset=dataset,
    )


def train_encoder(
    recipe: EncoderRecipe,
    base: Base,
    material: Material,
    folder: Path,
    order: Order,
    *,
    checkpoint: Path,
    progress: Progress,
) -> Manifest:
    """Make the encoder and write it to `folder`. An interrupted training goes on from `checkpoint`."""
    trained = train_network(recipe, base, material.read, seed=order.seed, checkpoint=checkpoint, progress=progress)
    return join_heads(recipe, trained, material, folder, order)


def read_trained(folder: Path, *, signers: Signers | None = None) -> TrainedNetwork:
    """The network of an encoder that was trained before, to be joined anew. Raises `ModelError` for a bad folder."""
    encoder = load_encoder(folder, signers=signers)
    manifest = encoder.manifest
    files = {file.name: file for file in manifest.files}
    return TrainedNetwork(
        read_file(folder, files[NETWORK]),
        read_file(folder, files[TOKENIZER]),
        tuple(dataset for dataset in manifest.data if dataset.use == "training"),
        manifest.settings,
        tuple(metric for metric in manifest.metrics if metric.name.startswith("quantised_")),
        manifest.libraries,
    )


class Taught(NamedTuple):
    """A fine-tuned network, how it came about, what it learnt from, and what the manifest says of its teachers."""

    network: Network
    epochs: list[Epoch]
    datasets: tuple[Dataset, ...]
    teachers: Mapping[str, int | float | str] = {}


def train_network(
    recipe: EncoderRecipe,
    base: Base,
    read: Callable[[str, str], Corpus],
    *,
    seed: int,
    checkpoint: Path,
    progress: Progress,
) -> TrainedNetwork:
    """Fine-tune, export, quantise. Raises `ModelError` when the small network does not agree with the trained one."""
    taught = teach(recipe, base, read, seed=seed, checkpoint=checkpoint, progress=progress)
    packed = pack_network(recipe, base, taught, read)
    remove_checkpoints(checkpoint)
    return packed


def teach(
    recipe: EncoderRecipe,
    base: Base,
    read: Callable[[str, str], Corpus],
    *,
    seed: int,
    checkpoint: Path,
    progress: Progress,
) -> Taught:
    """Fine-tune a base."""
    coded = recipe.coded()
    labelled = gather(recipe.tasks, read, recipe.speech, coded=coded, harmless=recipe.harmless, told=recipe.told)
    judged = judged_by_teachers(recipe, base, labelled, seed=seed, checkpoint=checkpoint, progress=progress)
    network = _fresh(recipe, base, labelled, seed=seed)
    measured = measured_rows(recipe, network, read)
    return learn(
        recipe, base, network, labelled, measured, seed=seed, checkpoint=checkpoint, progress=progress, judged=judged
    )


class Judged(NamedTuple):
    """What teachers say of the rows [rows, outputs], and what the manifest says of the teachers."""

    rows: NDArray[np.float32]
    settings: dict[str, int | float | str]


def judged_by_teachers(
    recipe: EncoderRecipe, base: Base, labelled: Labelled, *, seed: int, checkpoint: Path, progress: Progress
) -> Judged | None:
    """By teachers that are made from the base as the recipe says; None where it has none."""
    if not recipe.settings.teachers:
        return None
    rows = ask_teachers(
        lambda number: _fresh(recipe, base, labelled, seed=seed + number),
        labelled,
        [task.weight for task in recipe.tasks],
        recipe.settings,
        seed=seed,
        of=f"{_made_of(base, labelled)} {recipe.pieces}",
        checkpoint=checkpoint,
        progress=progress,
    )
    about: dict[str, int | float | str] = {
        "teachers_base": base.name,
        "teachers_base_weights_sha256": base.weights_sha256,
        "teachers_base_licence": base.licence,
        "teachers_epochs": recipe.settings.epochs,
    }
    return Judged(rows, about)


def _made_of(base: Base, labelled: Labelled) -> str:
    """Names a base and data."""
    return f"{base.weights_sha256} {' '.join(dataset.sha256 for dataset in labelled.datasets)}"


def _fresh(recipe: EncoderRecipe, base: Base, labelled: Labelled, *, seed: int) -> Network:
    """A base with outputs that know nothing yet, and of its pieces those that the recipe keeps."""
    network = open_base(base.at, len(recipe.tasks) + len(codes_of(recipe.coded())), seed=seed)
    if recipe.pieces:
        network = keep_pieces(network, [one.text for one in labelled.said], first=recipe.pieces)
    return network


def learn(
    recipe: EncoderRecipe,
    base: Base,
    network: Network,
    labelled: Labelled,
    measured: Sequence[Measured],
    *,
    seed: int,
    checkpoint: Path,
    progress: Progress,
    familiar: NDArray[np.bool_] | None = None,
    judged: Judged | None = None,
) -> Taught:
    """Fine-tune a network that is open: the part that takes long. `familiar` rows: see `lesson_of`; `judged` is what
    the recipe's teachers say. Raises `ConfigError` where it has some and nobody asked them."""
    fit = recipe.settings
    weights = [task.weight for task in recipe.tasks]
    if fit.teachers and judged is None:
        raise ConfigError(f"{recipe.name}: has {fit.teachers} teachers, and none was asked")
    of = _made_of(base, labelled)
    if judged is not None:
        of += f" {hashlib.sha256(judged.rows.tobytes()).hexdigest()}"
        progress = part_of_progress(progress, fit.teachers, fit.teachers + 1)

    def taught(number: int) -> list[Epoch]:
        lesson = lesson_as(fit, network, labelled, weights, seed=seed + number, familiar=familiar)
        if judged is not None:
            lesson = lesson._replace(judged=judged.rows)
        return fine_tune(
            network,
            lesson,
            measured,
            fit,
            seed=seed + number,
            of=of,
            checkpoint=checkpoint if number == 0 else checkpoint.with_name(f"{checkpoint.name}.{number}"),
            progress=part_of_progress(progress, number, fit.networks_averaged),
        )

    epochs = average_of(fit.networks_averaged, network, taught)
    return Taught(network, epochs, labelled.datasets, judged.settings if judged else {})


def measured_rows(recipe: EncoderRecipe, network: Network, read: Callable[[str, str], Corpus]) -> list[Measured]:
    """What the tasks are measured on after each epoch."""
    return [
        Measured(task.name, column, split(network, _whole(corpus)), np.array(corpus.labels, dtype=np.int64))
        for column, task in enumerate(recipe.tasks)
        if task.measured_on
        for corpus in (read(task.measured_on, "measuring"),)
    ]


def pack_network(
    recipe: EncoderRecipe,
    base: Base,
    taught: Taught,
    read: Callable[[str, str], Corpus],
) -> TrainedNetwork:
    """Export and quantise a fine-tuned network, and hold the small one against it."""
    network, epochs, datasets, teachers = taught
    measured = measured_rows(recipe, network, read)
    small = quantise(export(network, [recipe.tasks.index(task) for task in recipe.served]))
    session = Session.open(small, tokenizer_bytes(network), where=recipe.name)
    metrics = []
    for output, task in enumerate(recipe.served):
        one = next(one for one in measured if one.task == task.name)
        texts = _whole(read(task.measured_on, "measuring"))
        was, now = logits(network, one.pieces)[:, one.column], session.logits(texts)[:, output]
        found = agreement(was, now, one.labels, float(np.quantile(was, 1 - one.labels.mean())))
        check_agreement(f"{recipe.name}, {task.head}", found, positives=int(one.labels.sum()))
        metrics += [
            Metric(name=f"quantised_{name}", on=f"{task.head}: {task.measured_on}", value=value, low=value, high=value,
                   n=len(texts))
            for name, value in found._asdict().items()
        ]  # fmt: skip
    settings = {**settings_of(recipe, base, epochs), **teachers}
    return TrainedNetwork(small, tokenizer_bytes(network), datasets, settings, tuple(metrics), library_versions())


def settings_of(recipe: EncoderRecipe, base: Base, epochs: Sequence[Epoch]) -> dict[str, int | float | str]:
    """What a manifest says of how the network came about."""
    fit = recipe.settings._asdict().items()
    return {
        **{name: int(value) if isinstance(value, bool) else value for name, value in fit},
        "base": base.name,
        "base_weights_sha256": base.weights_sha256,
        "base_licence": base.licence,
        "base_source": base.source,
        "tasks": ", ".join(task.told for task in recipe.tasks),
        "average_precision_by_epoch": "; ".join(
            f"{epoch.number}: " + ", ".join(f"{name} {value}" for name, value in epoch.average_precision.items())
            for epoch in epochs
        ),
        "most_pieces": MOST_PIECES,
        "most_words": MOST_WORDS,
    }


def join_heads(
    recipe: EncoderRecipe,
    trained: TrainedNetwork,
    material: Material,
    folder: Path,
    order: Order,
) -> Manifest:
    """Choose how the network's logits and the linear scores are joined, on rows that neither was trained on, measure
    the result, and write the folder."""
    session = Session.open(trained.network, trained.tokenizer, where=recipe.name)
    keep = float(EncoderSettings.model_fields["keep"].default)
    heads, datasets = [], list(trained.datasets)
    metrics: list[Metric] = []
    drawn: list[Curves] = []
    for output, task in enumerate(recipe.served):
        corpus, linear = material.read(task.measured_on, "measuring"), material.heads[task.head]
        evidence = _evidence(corpus, linear, session, output, order.seed)
        on = f"{task.head}: {corpus.dataset.file}"
        chosen = choose(
            evidence,
            precision=task.precision,
            by=order.chosen_by,
            at=order.chosen_at,
            on=corpus.dataset.file,
            asked_from=task.asked_from,
        )
        heads.append(_head(task, linear, output, chosen))
        found, curve = _measured(evidence, chosen, task, keep, on=on, seed=order.seed)
        metrics[:0] = found
        drawn.append(curve)
        datasets.append(corpus.dataset)
    packed, heads_file = pack_heads(heads)
    content = {NETWORK: trained.network, TOKENIZER: trained.tokenizer, heads_file.name: packed}
    manifest = Manifest(
        kind="encoder",
        name=recipe.name,
        code=heads[0].code,
        language=recipe.language,
        version=order.version,
        label=recipe.label,
        limits=recipe.limits,
        data=tuple(dict.fromkeys(datasets)),
        settings=trained.settings,
        calibration=heads[0].calibration,
        threshold=heads[0].threshold,
        metrics=(*trained.metrics, *metrics),  # those of the first head last: lists show the last of a name
        files=tuple(ModelFile.of(name, raw) for name, raw in content.items()),
        analyser=analyser_hash(recipe.language),
        code_version=version("hustings"),
        libraries=trained.libraries,
        seed=order.seed,
        curves=tuple(drawn),
    )
    write_model(folder, manifest, content)
    return manifest


def _evidence(corpus: Corpus, linear: Head, session: Session, output: int, seed: int) -> Evidence:
    """Each row as the pipeline sees it: the same words, chosen by the same head."""
    words = [read_words(text) for text in corpus.texts]
    texts = [one.text(*place_to_read(linear, one.tokens, MOST_WORDS)) for one in words]
    return Evidence(
        labels=np.array(corpus.labels, dtype=np.int64),
        logits=session.logits(texts)[:, output],
        linear=Scorer([linear]).scores([as_scored(one.tokens) for one in words])[0],
        fold=folds(clusters(corpus.texts, corpus.families), corpus.labels, count=FOLDS, seed=seed),
        linear_threshold=linear.manifest.threshold.value,
    )


def _measured(
    evidence: Evidence, chosen: Chosen, task: Task, keep: float, *, on: str, seed: int
) -> tuple[list[Metric], Curves]:
    """With the encoder on all posts and in the cascade; each as chosen on all rows (which flatters) and as chosen on
    the other folds. Drawn is the cascade as chosen on the other folds."""
    threshold, labels = chosen.threshold.value, evidence.labels
    everywhere, cascade, asked = cross_choose(evidence, precision=task.precision, keep=keep, asked_from=task.asked_from)
    served = f"{on}, cascade, chosen on other folds"
    parts: Mapping[str, NDArray[np.float64]] = {
        f"{on}, read all": chosen.scores(evidence),
        f"{on}, cascade": chosen.cascade(evidence, keep),
        f"{on}, read all, chosen on other folds": everywhere,
        served: cascade,
    }
    metrics = [one for part, scores in parts.items() for one in measure(labels, scores, threshold, on=part, seed=seed)]
    kept = round(kept_recall(evidence, everywhere, asked, threshold), 4)
    read = round(float(asked.mean()), 4)
    for name, value in (("recall_kept", kept), ("share_read", read)):
        metrics.append(Metric(name=name, on=served, value=value, low=value, high=value, n=len(labels)))
    return metrics, curves(labels, cascade, on=served)


def _head(task: Task, linear: Head, output: int, chosen: Chosen) -> EncoderHead:
    return EncoderHead(
        code=linear.manifest.code,
        beside=linear.name,
        beside_version=linear.manifest.version,
        output=output,
        share=chosen.share,
        calibration=chosen.calibration,
        threshold=chosen.threshold,
        keeps=chosen.keeps,
        asked_from=chosen.asked_from,
        sure_from=chosen.sure_from,
    )


def _whole(corpus: Corpus) -> list[str]:
    return [read_words(text).text() for text in corpus.texts]


def library_versions() -> dict[str, str]:
    """What training an encoder depends on, as it is installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
