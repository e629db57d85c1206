"""What the encoder costs in the pipeline, and what each setting of it keeps.

    python -m bench.bench_encoder [--data ../shared/data] [--models DIR]

With the staged data: how many posts each setting reads, by the kind of post, and what is kept. The mix is one post of
EDOS dev in twelve (so that every fiftieth post is sexist) among ordinary ones: sentences of debates, tweets about the
news, posts of the synthetic election. Times are of the processor, one thread, everything in one process.
"""

from __future__ import annotations

import argparse
import csv
import gc
import gzip
import io
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from bench.bench_classify import steps_us
from classifiers.encoder.model import Encoder, load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.language import LanguageStep
from classifiers.linear.model import Head, load_heads
from classifiers.linear.step import LinearHeads
from classifiers.pipeline import Pipeline, analysed, open_pipeline, shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import serving
from classifiers.stories import Stories
from classifiers.training.measures import average_precision
from hustings.roster import Person, Roster
from hustings.types import Assessment, Post
from runtime import build
from runtime.demo.generate import generate, read_demo

KEEPS = (0.9, 0.95, 0.98, 0.985, 0.99, 1.0)
ROUNDS = 3
NOW = datetime(2026, 10, 1, tzinfo=UTC)
EVERYWHERE = EncoderSettings(keep=1.0, keep_listed=1.0)


class Kind(NamedTuple):
    """Posts of one kind, with labels where somebody gave them (1: sexist)."""

    name: str
    texts: list[str]
    labels: list[int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, help="folder of models; without it, the shipped ones")
    given = parser.parse_args()
    folders = serving(given.models or shipped_models())
    encoders = load_encoders(folders.values(), signers=ANYBODY)
    if not encoders:
        print(f"no encoder among {', '.join(folders)}")
        return
    heads = load_heads(folders.values(), signers=ANYBODY)
    gc.disable()
    for encoder in encoders:
        print(f"{encoder.label}: {', '.join(f'{one.code} beside {one.beside}' for one in encoder.heads)}")
    if (given.data / "edos" / "dev.csv").is_file():
        trade_off(encoders, [head for head in heads if head.manifest.language == "en"], given.data)
    else:
        print(f"no data in {given.data}: the trade-off is left out")
    in_the_pipeline(given.models)


def trade_off(encoders: Sequence[Encoder], heads: Sequence[Head], data: Path) -> None:
    kinds = [edos(data), debates(data), tweets(data), demo()]
    linear = LinearHeads(heads)
    scored = {kind.name: linear.classify(english(kind.texts)) for kind in kinds}
    mix, mix_labels = mixed(kinds, scored)
    everywhere = {name: Encoders(encoders, heads, EVERYWHERE).classify(posts) for name, posts in scored.items()}
    dev, labels = kinds[0], np.array(kinds[0].labels)
    right = [
        place
        for place, one in enumerate(everywhere[dev.name])
        if labels[place] and any(flag.code == "G" for flag in one.flags)
    ]
    linear_s = seconds(lambda: linear.classify(english([one.post.text for one in mix]))) - seconds(
        lambda: english([one.post.text for one in mix])
    )
    all_s = seconds(lambda: Encoders(encoders, heads, EVERYWHERE).classify(mix))
    print(
        f"\nlinear heads {linear_s / len(mix) * 1e6:.0f} µs a post, encoder on every post of the mix "
        f"{all_s / len(mix) * 1e6:.0f} µs a post; {len(mix)} posts, {sum(mix_labels)} sexist"
    )
    print(f"EDOS dev: {len(dev.texts)} posts, {labels.sum()} sexist, {len(right)} of them flagged when all are read\n")
    names = [kind.name for kind in kinds]
    print("| keep | " + " | ".join(f"read: {name}" for name in [*names, "mix"]) + " | recall kept | PR-AUC dev | × |")
    print("|---|" + "---|" * (len(names) + 4))
    for keep in KEEPS:
        step = Encoders(encoders, heads, EncoderSettings(keep=keep, keep_listed=keep))
        done = {name: step.classify(posts) for name, posts in scored.items()}
        shares = [statistics.mean(is_read(one, encoders) for one in done[name]) for name in names]
        kept = statistics.mean(any(flag.code == "G" for flag in done[dev.name][place].flags) for place in right)
        area = average_precision(labels, np.array([one.scores["G"] for one in done[dev.name]]))
        read_mix = statistics.mean(is_read(one, encoders) for one in step.classify(mix))
        times = (linear_s + all_s) / (linear_s + seconds(lambda step=step: step.classify(mix)))
        columns = [*(f"{share:.1%}" for share in (*shares, read_mix, kept)), f"{area:.3f}", f"{times:.1f}"]
        print(f"| {keep} | " + " | ".join(columns) + " |")
    area = average_precision(labels, np.array([one.scores["G"] for one in scored[dev.name]]))
    found = statistics.mean(any(flag.code == "G" for flag in scored[dev.name][place].flags) for place in right)
    print(f"| off | {'0 % | ' * (len(names) + 1)}{found:.1%} | {area:.3f} | |")


def in_the_pipeline(models: Path | None) -> None:
    election = generate()
    posts = [post for source in election.posts.values() for post in source if not post.deleted]
    people = tuple(msgspec.convert(person, Person) for person in read_demo("roster.toml")["person"])
    print(f"\nthe whole pipeline on {len(posts)} posts of the synthetic election, batch 512, one core")
    for name, settings in (("without", EncoderSettings(on=False)), ("with", EncoderSettings())):
        began = time.process_time()
        pipeline = open_pipeline(
            models=serving(models) if models else None,
            roster=Roster(people=people),
            codebook=build.codebook(),
            languages=("en", "es", "ar"),
            signers=ANYBODY,
            encoder=settings,
        )
        opened_s = time.process_time() - began
        rounds = []
        for _ in range(ROUNDS):
            fresh = Pipeline([Stories() if isinstance(step, Stories) else step for step in pipeline.steps])
            fresh.steps[0].classify(analysed(posts, {}))  # the second opinion on languages loads its model
            rounds.append(steps_us(fresh, posts, 512))
        spent = sum(statistics.median(one[step] for one in rounds) for step in rounds[0])
        encoder = statistics.median(one["encoder"] for one in rounds)
        read = statistics.mean("encoder-en" in one.models for one in pipeline.assess(posts, {}))
        print(
            f"{name:>8} the encoder: {spent:6.1f} µs a post ({1e6 / spent:,.0f} posts/s), of which encoder "
            f"{encoder:.1f} µs; read {read:.2%}; opened in {opened_s:.2f} s"
        )


def edos(data: Path) -> Kind:
    rows = read_csv(data / "edos" / "dev.csv")
    return Kind("EDOS dev", [row["text"] for row in rows], [int(row["label_sexist"] == "sexist") for row in rows])


def debates(data: Path) -> Kind:
    texts = [row["text"] for row in read_csv(data / "debates_2020" / "sentences.csv.gz")]
    texts = random.Random(1).sample([text for text in texts if len(text) > 40], 4000)
    return Kind("debates", texts, [])


def tweets(data: Path) -> Kind:
    rows = [row for part in ("train", "dev") for row in read_csv(data / "checkthat2020" / f"task1_{part}.csv")]
    return Kind("tweets", [row["tweet_text"] for row in rows], [])


def demo() -> Kind:
    posts = [post for source in generate().posts.values() for post in source if not post.deleted]
    chosen = random.Random(1).sample(posts, min(6000, len(posts)))
    step = LanguageStep.opened(("en", "es", "ar"))
    return Kind("demo", [one.post.text for one in step.classify(analysed(chosen, {})) if one.lang == "en"], [])


def mixed(kinds: Sequence[Kind], scored: dict[str, list[Assessment]]) -> tuple[list[Assessment], list[int]]:
    """480 posts of EDOS dev and eleven times as many ordinary ones, as many of each kind, in random order."""
    draw = random.Random(2)
    dev, *ordinary = kinds
    chosen = [(scored[dev.name][place], dev.labels[place]) for place in draw.sample(range(len(dev.texts)), 480)]
    each = 480 * 11 // len(ordinary)
    for kind in ordinary:
        chosen += [(one, 0) for one in draw.choices(scored[kind.name], k=each)]
    draw.shuffle(chosen)
    return [one for one, _ in chosen], [label for _, label in chosen]


def english(texts: Sequence[str]) -> list[Assessment]:
    posts = [
        Post(source="bench", native_id=str(place), text=text, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    return [msgspec.structs.replace(one, lang="en") for one in analysed(posts, {})]


def is_read(assessment: Assessment, encoders: Sequence[Encoder]) -> bool:
    return any(encoder.manifest.name in assessment.models for encoder in encoders)


def seconds(work: Callable[[], object]) -> float:
    """Of the processor, the best of three."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def read_csv(path: Path) -> list[dict[str, str]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))


if __name__ == "__main__":
    main()
