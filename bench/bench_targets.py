"""Who is attacked: what telling it costs, and how often it is told rightly.

    python -m bench.bench_targets [--data ../shared/data]

1. cost: of a post that needs it, by language, and of the average post of the synthetic election;
2. the suite `targets`, written beside the rules, so that it says what they can do, not how often posts need it;
3. the abuse functions, which others wrote: attacks on the person named in them, and what only looks like it;
4. with the staged data, the public part of eletweet22: is the candidate the target?

Beside each stands the former rule (`flagged, and the only one named, in the sentence of the reason, or spoken to`) or
the answer "always", which for one person is the same.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifiers.checks.expand import load_suite
from classifiers.checks.suite import read_phrasing
from classifiers.checks.who import load_target_suite, run_targets
from classifiers.pipeline import Pipeline, open_pipeline
from classifiers.roster_links import RosterLinks
from classifiers.targets.settings import TargetSettings
from classifiers.targets.step import Targets
from classifiers.targets.verdict import CERTAINTY, Verdict
from classifiers.training.measures import average_precision
from hustings.roster import Person, Roster
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post
from runtime import build
from runtime.demo.generate import generate, read_demo

BoolArray = NDArray[np.bool_]

NOW = datetime(2026, 10, 1, tzinfo=UTC)
ROUNDS = 5
RESAMPLES = 2_000
SEED = 20261001
PLAIN = 0.7
"""From this certainty on a verdict rests on a word of the post, not on there being nobody else."""
ATTACKS = frozenset(
    [
        *("slur", "dehumanised", "abuse-asked", "mind-belittled", "kitchen", "objectified", "sexual-rumour"),
        *("insult-woman", "insult-man", "threat-woman", "threat-sexual", "threat-family"),
    ]
)
INNOCENT = frozenset(["counter-quoting", "counter-plain", "reported", "slur-denied"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--spacy-model", action="append", default=[], metavar="LANG=NAME", help="use a parser too")
    given = parser.parse_args()
    settings = TargetSettings(spacy_model=dict(pair.split("=", 1) for pair in given.spacy_model))
    started = time.process_time()
    targets = Targets.open(Roster(), settings)
    targets.load()
    print(f"{targets.name} {targets.version}: opened in {time.process_time() - started:.2f} s of processor time")
    cost(targets)
    functions(targets)
    abuse(targets)
    tweets = given.data / "eletweet22" / "public.csv"
    if tweets.is_file():
        candidates(targets, tweets)
    else:
        print(f"no {tweets}: left out")


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def cost(targets: Targets) -> None:
    """Microseconds of the processor, best of some rounds, one thread."""
    suite = load_target_suite()
    print("\ncost, µs a post that needs it")
    for language in suite.languages:
        people = tuple(person for person in suite.people if person.id.startswith(language))
        cases = [case for case in suite.cases if case.language == language]
        step, links = targets.for_roster(Roster(people=people)), RosterLinks(Roster(people=people))
        needed = links.classify([flagged(case.text, language, case.code) for case in cases])
        words = sum(len(one.tokens) for one in needed) / len(needed)
        print(f"  {language}: {best_us(step, needed):.0f} (posts of {words:.0f} words)")
    share_in_the_synthetic_election(targets)


def share_in_the_synthetic_election(targets: Targets) -> None:
    """What the step costs the average post, and of how many posts it reads anything."""
    people = tuple(msgspec.convert(person, Person) for person in read_demo("roster.toml")["person"])
    pipeline = open_pipeline(
        models=None, roster=Roster(people=people), codebook=build.codebook(), languages=("en", "es", "ar")
    )
    before = pipeline.steps[: next(place for place, one in enumerate(pipeline.steps) if isinstance(one, Targets))]
    posts = [post for source in generate().posts.values() for post in source if not post.deleted]
    found = Pipeline(before).assess(posts, {})
    step = targets.for_roster(Roster(people=people))
    needed = [one for one in found if step.needs(one)]
    print(
        f"  synthetic election: {len(needed)} of {len(found)} posts need it ({len(needed) / len(found):.2%});"
        f" {best_us(step, needed):.0f} µs each, {best_us(step, found):.1f} µs a post on average"
    )


def best_us(step: Targets, needed: Sequence[Assessment]) -> float:
    step.classify(needed)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        step.classify(needed)
        best = min(best, time.process_time() - started)
    return best / len(needed) * 1e6


# ── quality ──────────────────────────────────────────────────────────────────────────────────────────────────────


def functions(targets: Targets) -> None:
    report = run_targets(load_target_suite(), targets)
    print(f"\nsuite `targets` {report.digest}, {report.cases} posts: mean accuracy over functions")
    for score in report.languages:
        print(
            f"  {score.language}: attacked {score.harm:.3f}, not attacked {score.innocent:.3f};"
            f" falsely attacked {score.protected_flagged:.1%} of {score.protected_n}"
        )


def abuse(targets: Targets) -> None:
    """Posts of the abuse functions that name one person, all of them flagged, without saying for which words."""
    print("\nabuse functions, one person named: right when attacked / right when not")
    for language, phrasing in read_phrasing("abuse").items():
        genders = {"woman": phrasing.words["woman"], "man": phrasing.words["man"]}
        roster = Roster(
            people=tuple(
                Person(id=name, name=name, attributes={"gender": gender})
                for gender, names in genders.items()
                for name in names
            )
        )
        step, links = targets.for_roster(roster), RosterLinks(roster)
        right: dict[bool, list[bool]] = {True: [], False: []}
        for case in load_suite("abuse").cases:
            if case.language != language or case.function not in ATTACKS | INNOCENT:
                continue
            code = "A-THREAT" if case.function.startswith("threat") else "G"
            one = links.classify([flagged(case.text, language, code)])[0]
            if len(one.targets) == 1:
                is_attack = case.function in ATTACKS
                found = step.classify([one])[0].targets[0].role == "aimed_at"
                right[is_attack].append(found == is_attack)
        print(
            f"  {language}: {np.mean(right[True]):.1%} of {len(right[True])} attacks,"
            f" {np.mean(right[False]):.1%} of {len(right[False])} others (always attacked: 100 %, 0 %)"
        )


def candidates(targets: Targets, path: Path) -> None:
    """Every tweet as one that the source lists as mentioning the candidate, and flagged: abuse or not, the question is
    whether it is about the candidate."""
    person = Person(id="candidate", name="", handles=("chatter:candidate",))
    step, links = targets.for_roster(Roster(people=(person,))), RosterLinks(Roster(people=(person,)))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [flagged(row["text"], "pt", "A-INSULT", mentions=("candidate",)) for row in rows]
    verdicts = [step.verdicts(one)["candidate"] for one in links.classify(texts)]
    labels = np.array([float(row["cand_objeto_final"]) == 1 for row in rows])
    violent = np.array([float(row["violento_final"]) == 1 for row in rows])
    print("\neletweet22, public part: is the candidate the target? (95 % intervals of a bootstrap over tweets)")
    for name, chosen in (("all tweets", np.ones(len(rows), bool)), ("violent ones", violent)):
        own, said = labels[chosen], [one for one, here in zip(verdicts, chosen, strict=True) if here]
        measure(name, own, said)


def measure(name: str, labels: BoolArray, verdicts: Sequence[Verdict]) -> None:
    aimed = np.array([one.role == "aimed_at" for one in verdicts])
    certainty = np.array([CERTAINTY[one.because] for one in verdicts])
    print(f"  {name}: {len(labels)}, target {labels.mean():.3f}")
    answers = (
        ("always (and the former rule)", np.ones_like(aimed)),
        ("the step", aimed),
        ("told by a word", certainty >= PLAIN),
    )
    for answer, given in answers:
        print(f"    {answer:<29} macro-F1 {interval(macro_f1, labels, given)}")
    print(f"    {'certainty':<29} PR-AUC   {interval(area, labels, certainty)}")


def macro_f1(labels: BoolArray, given: NDArray[Any]) -> float:
    right = [
        (np.sum((labels == side) & (given == side)), np.sum(labels == side) + np.sum(given == side)) for side in (0, 1)
    ]
    return float(np.mean([2 * both / max(all_, 1) for both, all_ in right]))


def area(labels: BoolArray, scores: NDArray[Any]) -> float:
    return average_precision(labels.astype(np.int64), scores)


def interval(measure: Callable[[BoolArray, NDArray[Any]], float], labels: BoolArray, given: NDArray[Any]) -> str:
    rng = np.random.default_rng(SEED)
    samples = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(labels), size=len(labels))
        samples.append(measure(labels[chosen], given[chosen]))
    low, high = np.quantile(samples, (0.025, 0.975))
    return f"{measure(labels, given):.3f} [{low:.3f}, {high:.3f}]"


def flagged(text: str, language: str, code: str, *, mentions: tuple[str, ...] = ()) -> Assessment:
    post = Post(
        source="bench", native_id="1", text=text, lang=language, mentions=mentions, published_at=NOW, collected_at=NOW
    )
    return Assessment(post=post, lang=language, tokens=analyse(text).tokens, flags=(Flag(code=code, score=1.0),))


if __name__ == "__main__":
    main()
