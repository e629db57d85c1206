"""What the encoder costs in the pipeline, and what each setting of it keeps.

    python -m bench.bench_encoder [--data ../shared/data] [--models DIR] [--within 200]

Side by side in one process: the pipeline without the encoder, with it on every post, and in the cascade. Quality is
that on EDOS dev, where every fourth post is sexist. Speed is told there too, and on a stream: one post of EDOS dev in
twelve (so that every fiftieth is sexist) among sentences of debates, tweets about the news and posts of the synthetic
election. Times are of the processor, one thread, the best of as many rounds as fit into the time; those of the pipeline
as it serves, with two threads, are on the wall.
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
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from classifiers.encoder.model import Encoder, load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.language import LanguageStep
from classifiers.linear.model import Head, load_heads
from classifiers.linear.step import LinearHeads
from classifiers.pipeline import analysed, open_pipeline, shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import serving
from classifiers.training.measures import average_precision
from hustings.roster import Person, Roster
from hustings.types import Assessment, Post
from runtime import build
from runtime.demo.generate import generate, read_demo

KEEPS = (0.9, 0.95, 0.98, 0.985, 0.99)
MOST_ROUNDS = 5
NOW = datetime(2026, 10, 1, tzinfo=UTC)
DEFAULT = EncoderSettings(threads=1)
ALL = EncoderSettings(keep=1.0, keep_listed=1.0, threads=1)
OFF = EncoderSettings(on=False)
AS_SERVED = EncoderSettings()
STREAM = 1440
"""Posts of the stream, of which a twelfth are of EDOS dev."""


class Kind(NamedTuple):
    """Posts of one kind, with labels where somebody gave them (1: sexist)."""

    name: str
    texts: list[str]
    labels: list[int]


class Measured(NamedTuple):
    """Of one setting: seconds of the processor a post on EDOS dev and on the stream, and what came of EDOS dev."""

    dev_s: float
    stream_s: float
    dev: list[Assessment]
    stream_read: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, help="folder of models; without it, the shipped ones")
    parser.add_argument("--within", type=float, default=200.0, help="seconds on the wall after which no round is begun")
    given = parser.parse_args()
    until = time.monotonic() + given.within
    folders = serving(given.models or shipped_models())
    encoders = load_encoders(folders.values(), signers=ANYBODY)
    if not encoders or not (given.data / "edos" / "dev.csv").is_file():
        print(f"not measured: no encoder among {', '.join(folders)}" if not encoders else f"no data in {given.data}")
        return
    heads = [one for one in load_heads(folders.values(), signers=ANYBODY) if one.manifest.language == "en"]
    linear = LinearHeads(heads)
    gc.disable()
    for encoder in encoders:
        print(f"{encoder.label}: {', '.join(f'{one.code} beside {one.beside}' for one in encoder.heads)}")
    kinds = [edos(given.data), debates(given.data), tweets(given.data), demo()]
    dev, *ordinary = [(kind, linear.classify(english(kind.texts))) for kind in kinds]
    stream = drawn(dev[1], [posts for _, posts in ordinary])
    by_setting = trade_off(encoders, heads, dev[1], stream, until)
    show_shares(encoders, heads, [dev, *ordinary])
    show_trade_off(by_setting, dev, encoders)
    in_the_pipeline(given.models, [one.post for one in stream], until)


def trade_off(
    encoders: Sequence[Encoder], heads: Sequence[Head], dev: list[Assessment], stream: list[Assessment], until: float
) -> dict[str, Measured]:
    """Every setting by turns, on the same posts as they leave the linear heads. "off" is the linear heads alone."""
    linear = LinearHeads(heads)
    bare = {"dev": english([one.post.text for one in dev]), "stream": english([one.post.text for one in stream])}
    settings = {str(keep): EncoderSettings(keep=keep, keep_listed=keep) for keep in KEEPS} | {"all": ALL}
    steps = {name: Encoders(encoders, heads, one) for name, one in settings.items()}
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    done: dict[tuple[str, str], list[Assessment]] = {}

    def run(name: str, where: str, work: Callable[[], list[Assessment]]) -> None:
        began = time.process_time()
        done[name, where] = work()
        spent[name, where].append((time.process_time() - began) / len(bare[where]))

    works = [partial(run, "off", where, partial(linear.classify, posts)) for where, posts in bare.items()]
    for name, step in steps.items():
        works += [
            partial(run, name, where, partial(step.classify, posts))
            for where, posts in (("dev", dev), ("stream", stream))
        ]
    rounds(until, 0.6, works)

    def seconds(name: str, where: str) -> float:
        return min(spent["off", where]) + (min(spent[name, where]) if name != "off" else 0.0)

    return {
        name: Measured(
            seconds(name, "dev"),
            seconds(name, "stream"),
            done[name, "dev"],
            statistics.mean(is_read(one, encoders) for one in done[name, "stream"]),
        )
        for name in ("off", *settings)
    }


def show_trade_off(
    by_setting: Mapping[str, Measured], dev: tuple[Kind, list[Assessment]], encoders: Sequence[Encoder]
) -> None:
    labels = np.array(dev[0].labels)
    everywhere = by_setting["all"]
    right = [place for place, one in enumerate(everywhere.dev) if labels[place] and is_flagged(one)]
    print(
        f"\nEDOS dev: {len(labels)} posts, {labels.sum()} sexist, {len(right)} of them flagged when all are read; "
        f"stream: {STREAM} posts, every fiftieth sexist; times beside the linear heads' own\n"
    )
    print("| keep | recall kept | PR-AUC | read: dev | × all | read: stream | × all |")
    print("|---|---|---|---|---|---|---|")
    for name, found in by_setting.items():
        area = average_precision(labels, np.array([one.scores["G"] for one in found.dev]))
        kept = statistics.mean(is_flagged(found.dev[place]) for place in right)
        read = statistics.mean(is_read(one, encoders) for one in found.dev)
        print(
            f"| {name}{' (default)' if name == str(DEFAULT.keep) else ''} | {kept:.1%} | {area:.3f} | {read:.1%} | "
            f"{everywhere.dev_s / found.dev_s:.1f} | {found.stream_read:.1%} | "
            f"{everywhere.stream_s / found.stream_s:.1f} |"
        )


def show_shares(
    encoders: Sequence[Encoder], heads: Sequence[Head], kinds: Sequence[tuple[Kind, list[Assessment]]]
) -> None:
    """How many posts of each kind a setting reads; nothing is read for it."""
    print("\n| keep | " + " | ".join(f"read: {kind.name}" for kind, _ in kinds) + " |")
    print("|---|" + "---|" * len(kinds))
    beside = {head.name for head in heads}
    asking = [head for encoder in encoders for head in encoder.heads if head.beside in beside]
    for keep in KEEPS:
        shares = (
            statistics.mean(any(head.asks(one.scores.get(head.code, 0.0), keep) for head in asking) for one in posts)
            for _, posts in kinds
        )
        print(f"| {keep} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")


def in_the_pipeline(models: Path | None, stream: list[Post], until: float) -> None:
    """Every step that a post goes through, without the encoder, in the cascade and with all English posts read."""
    people = tuple(msgspec.convert(person, Person) for person in read_demo("roster.toml")["person"])
    election = [post for source in generate().posts.values() for post in source if not post.deleted]
    sample = random.Random(3).sample(election, STREAM + 256)
    election, others = sample[:STREAM], sample[STREAM:]
    print("\n| the whole pipeline | " + " | ".join(("the stream", "the synthetic election")) + " | opened in s |")
    print("|---|---|---|---|")
    opened: dict[str, float] = {}
    spent: dict[tuple[str, int], list[float]] = defaultdict(list)
    read: dict[tuple[str, int], float] = {}

    def run(name: str, settings: EncoderSettings, where: int, posts: list[Post]) -> None:
        clock = time.perf_counter if settings is AS_SERVED else time.process_time
        began = time.process_time()
        # anew each time: what an encoder has read lately it remembers
        pipeline = open_pipeline(
            models=serving(models) if models else None,
            roster=Roster(people=people),
            codebook=build.codebook(),
            languages=("en", "es", "ar"),
            signers=ANYBODY,
            encoder=settings,
        )
        opened[name] = time.process_time() - began
        pipeline.assess(others, {})  # what is loaded at the first post that needs it
        began = clock()
        done = [one for start in range(0, len(posts), 512) for one in pipeline.assess(posts[start : start + 512], {})]
        spent[name, where].append((clock() - began) / len(posts))
        read[name, where] = statistics.mean(any("encoder" in model for model in one.models) for one in done)

    pipelines = {"without the encoder": OFF, "cascade": DEFAULT, "all read": ALL}
    pipelines[f"cascade on the wall, {AS_SERVED.threads} threads"] = AS_SERVED
    both = list(enumerate((stream, election)))
    rounds(
        until, 1.0, [partial(run, name, one, where, posts) for where, posts in both for name, one in pipelines.items()]
    )
    for name in pipelines:
        columns = []
        for where in (0, 1):
            best = min(spent[name, where])
            times = min(spent["all read", where]) / best
            columns.append(f"{1 / best:,.0f} posts/s, {read[name, where]:.1%} read, × {times:.1f}")
        print(f"| {name} | " + " | ".join(columns) + f" | {opened[name]:.2f} |")


def rounds(until: float, share: float, works: Sequence[Callable[[], None]]) -> None:
    """All of them by turns, at least once, again while another round fits into that share of the time that is left."""
    began = time.monotonic()
    end = began + (until - began) * share
    for number in range(1, MOST_ROUNDS + 1):
        for work in works:
            work()
        each = (time.monotonic() - began) / number
        if time.monotonic() + each > end:
            return


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


def drawn(dev: Sequence[Assessment], ordinary: Sequence[Sequence[Assessment]]) -> list[Assessment]:
    """The stream: posts of EDOS dev and eleven times as many ordinary ones, as many of each kind, in random order."""
    draw = random.Random(2)
    chosen = draw.sample(list(dev), STREAM // 12)
    for posts in ordinary:
        chosen += draw.choices(posts, k=(STREAM - STREAM // 12) // len(ordinary))
    draw.shuffle(chosen)
    return [
        msgspec.structs.replace(one, post=msgspec.structs.replace(one.post, native_id=str(place)))
        for place, one in enumerate(chosen)
    ]


def english(texts: Sequence[str]) -> list[Assessment]:
    posts = [
        Post(source="bench", native_id=str(place), text=text, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    return [msgspec.structs.replace(one, lang="en") for one in analysed(posts, {})]


def is_read(assessment: Assessment, encoders: Sequence[Encoder]) -> bool:
    return any(encoder.manifest.name in assessment.models for encoder in encoders)


def is_flagged(assessment: Assessment) -> bool:
    return any(flag.code == "G" for flag in assessment.flags)


def read_csv(path: Path) -> list[dict[str, str]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))


if __name__ == "__main__":
    main()
