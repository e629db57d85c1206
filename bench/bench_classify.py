"""What each step of the pipeline costs per post, on the synthetic election.

    python -m bench.bench_classify [--batch 512]

Pin it to one core (`taskset -c 0`) for numbers that can be compared.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time

import msgspec

from classifiers.pipeline import Pipeline, analysed, open_pipeline
from classifiers.stories import Stories
from hustings.roster import Person, Roster
from hustings.types import Post
from runtime import build
from runtime.demo.generate import generate, read_demo

ROUNDS = 3


def steps_us(pipeline: Pipeline, posts: list[Post], batch: int) -> dict[str, float]:
    """CPU microseconds a post by step, in order; every step sees what the ones before it made."""
    seconds = dict.fromkeys(["analyser", *(step.name for step in pipeline.steps)], 0.0)
    for start in range(0, len(posts), batch):
        began = time.process_time()
        assessments = analysed(posts[start : start + batch], {})
        seconds["analyser"] += time.process_time() - began
        for step in pipeline.steps:
            began = time.process_time()
            assessments = step.classify(assessments)
            seconds[step.name] += time.process_time() - began
    return {name: spent / len(posts) * 1e6 for name, spent in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=512)
    batch = parser.parse_args().batch
    election = generate()
    posts = [post for source in election.posts.values() for post in source if not post.deleted]
    people = tuple(msgspec.convert(person, Person) for person in read_demo("roster.toml")["person"])
    began = time.process_time()
    pipeline = open_pipeline(
        models=None, roster=Roster(people=people), codebook=build.codebook(), languages=("en", "es", "ar")
    )
    opened_s = time.process_time() - began
    characters = statistics.mean(len(post.text) + len(post.title) for post in posts)
    gc.disable()
    rounds = []
    for _ in range(ROUNDS):
        stories = Stories()  # each round begins with an empty memory
        fresh = Pipeline([stories if step.name == stories.name else step for step in pipeline.steps])
        fresh.steps[0].classify(analysed(posts, {}))  # the second opinion on languages loads its model
        rounds.append(steps_us(fresh, posts, batch))
    print(f"{len(posts)} posts of {characters:.0f} characters, batch {batch}, median of {ROUNDS} rounds; µs a post")
    print(f"opening the pipeline: {opened_s:.2f} s")
    total = 0.0
    for name in rounds[0]:
        spent = statistics.median(round_[name] for round_ in rounds)
        total += spent
        print(f"{name:>14} {spent:7.1f}")
    print(f"{'all':>14} {total:7.1f}  ({1e6 / total:,.0f} posts/s)")


if __name__ == "__main__":
    main()
