"""How well and how quickly a post finds its known fact-check.

    python -m bench.bench_claims [--claims 100000] [--data ../shared/data]

Speed: sentences of invented words whose frequencies fall as in a language. Quality: the staged retrieval set, if the
data lie beside the checkout, and for check-worthiness the staged tweets and debates; they are used to measure, and
nothing that is shipped learnt from them.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from classifiers.claims.claim import Claim
from classifiers.claims.features import ORDER
from classifiers.claims.matcher import ClaimMatcher, Reranker, considered, load_reranker, retriever_of
from classifiers.claims.meaning import WEIGHT, Meaning
from classifiers.claims.pairs import load_pairs
from classifiers.claims.reader import ClaimReader, told
from classifiers.claims.retrieve import documents
from classifiers.claims.settings import ClaimSettings
from classifiers.encoder.embed import load_embedder
from classifiers.manifest import read_manifest
from classifiers.pipeline import open_pipeline, shipped_models
from classifiers.rating import rate
from classifiers.signing import ANYBODY
from classifiers.store import serving
from classifiers.training.measures import measure
from classifiers.training.train_claims import Asked, Question, ask, best_of_each
from hustings.codebook import CHECK_WORTHY
from hustings.roster import Roster
from hustings.text import analyse, analyse_all
from hustings.types import Post
from runtime.build import codebook

QUERIES = 500
WORDS = 60_000
FEWEST, MOST = 10, 30


def sentences(count: int, seed: int) -> list[str]:
    """Of 10 to 30 invented words each, frequencies after Zipf."""
    chance = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnoprstuvwyz"))
    words = ["".join(chance.choice(letters, size=size)) for size in chance.integers(2, 11, size=WORDS)]
    ranks = (chance.zipf(1.2, size=count * MOST * 2) - 1).astype(np.int64)
    ranks = ranks[ranks < WORDS]
    lengths = chance.integers(FEWEST, MOST + 1, size=count)
    ends = np.cumsum(lengths)
    return [" ".join(words[rank] for rank in ranks[end - size : end]) for end, size in zip(ends, lengths, strict=True)]


def speed(count: int, reranker: Reranker) -> None:
    """Queries are claims with a third of their words replaced."""
    texts = sentences(count, seed=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    matcher = ClaimMatcher([Claim(id=str(place), text=text) for place, text in enumerate(texts)], reranker)
    built = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    chance = np.random.default_rng(2)
    others = " ".join(sentences(QUERIES, seed=3)).split()
    spent, found = [], 0
    for place in chance.integers(0, count, size=QUERIES).tolist():
        words = texts[place].split()
        for at in chance.integers(0, len(words), size=len(words) // 3).tolist():
            words[at] = str(chance.choice(others))
        tokens = analyse(" ".join(words)).tokens
        began = time.perf_counter()
        ranked = matcher.rank(tokens)
        spent.append(time.perf_counter() - began)
        found += bool(ranked) and ranked[0].id == str(place)
    p50, p95 = np.percentile(spent, [50, 95]) * 1e3
    print(
        f"{count:,} claims: built in {built:.1f} s, {grown / 1024:,.0f} MiB; {QUERIES} texts of them, a third changed:"
    )
    print(f"  first place {found / QUERIES:.3f}, p50 {p50:.1f} ms, p95 {p95:.1f} ms (goal 20)")


def staged_claims(folder: Path) -> list[Claim]:
    """The claims of the staged retrieval set."""
    with gzip.open(folder / "task2_vclaims.csv.gz", "rt", encoding="utf-8") as file:
        return [Claim(id=row["vclaim_id"], text=row["vclaim"], title=row["title"]) for row in csv.DictReader(file)]


def quality(folder: Path, reranker: Reranker) -> None:
    """MAP@5, MRR and R@5 as the staged set defines them, and how often the machine says something and is right."""
    claims = staged_claims(folder)
    places = {claim.id: place for place, claim in enumerate(claims)}
    retriever = retriever_of(claims)
    embedder = load_embedder(serving(shipped_models()).values(), "en")
    meaning = Meaning.of(claims, embedder) if embedder is not None else None
    matcher = ClaimMatcher(claims, reranker, retriever=retriever)
    reading = ClaimMatcher(claims, reranker, retriever=retriever, meaning=meaning)
    for part in ("train", "dev"):
        with (folder / f"task2_{part}_qrels.csv").open(encoding="utf-8") as file:
            answers: dict[str, set[str]] = {}
            for row in csv.DictReader(file):
                answers.setdefault(row["tweet_id"], set()).add(row["vclaim_id"])
        with (folder / f"task2_{part}_queries.csv").open(encoding="utf-8") as file:
            asked = [(row["tweet_content"], answers.get(row["tweet_id"])) for row in csv.DictReader(file)]
        queries = [(text, right) for text, right in asked if right]
        tokens = [analysed.tokens for analysed in analyse_all([text for text, _ in queries])]
        by_words = [[one.id for one in matcher.rank(words, most=50)] for words in tokens]
        print(f"{part}: {len(queries)} posts, {len(claims):,} claims: {ranking(by_words, queries)}")
        if meaning is not None:
            both = zip(queries, tokens, strict=True)
            by_meaning = [[one.id for one in reading.rank(words, most=50, text=text)] for (text, _), words in both]
            print(f"{part}, by meaning too: {ranking(by_meaning, queries)}")
        questions = [Question(text, places[min(right)]) for text, right in queries]
        asked = ask(retriever, (retriever,), questions)
        margins, is_right = best_of_each(reranker.trees, asked)
        calibration = reranker.manifest.calibration
        shown = np.array([calibration.probability(margin) for margin in margins]) >= matcher.threshold
        print(
            f"{part}, with as many posts that no claim answers: shown {int(shown.sum())}, "
            f"right {is_right[shown].mean():.3f}"
        )
        if embedder is not None:
            reader = ClaimReader(claims, lambda language: embedder)
            decided = np.array(read_where_undecided(matcher, reader, reranker, questions, asked), dtype=bool)
            print(
                f"{part}, of those that words leave undecided, by meaning: shown {len(decided)}, right "
                f"{decided.mean():.3f}"
            )


def read_where_undecided(
    matcher: ClaimMatcher,
    reader: ClaimReader,
    reranker: Reranker,
    questions: Sequence[Question],
    asked: Sequence[Asked],
) -> list[bool]:
    """For each question that words do not decide and meaning does, whether it does so rightly."""
    found = [considered(matcher.retriever, query).places for query in documents([one.text for one in questions])]
    right = {one.question: one.right for one in asked if one.rows.shape[0] == found[one.question].size}
    decided = []
    for one in asked:
        places = found[one.question]
        kept = places if one.right.size == places.size else places[~right[one.question]]
        if not kept.size:
            continue
        order = one.rows[:, ORDER]
        first = int(np.argmax(order))
        margin = float(reranker.trees.margins(one.rows[first : first + 1])[0])
        if reranker.manifest.calibration.probability(margin) >= matcher.threshold:
            continue
        near = np.sort(np.lexsort((kept, -order))[: ClaimSettings().most_read])
        compared = reader.compare(questions[one.question].text, kept[near].tolist())
        if compared is not None:
            about = told(order[near] + WEIGHT * compared.alike, compared.alike, compared.vectors)
            if about is not None:
                decided.append(bool(one.right[near[about]]))
    return decided


def in_the_pipeline(folder: Path) -> None:
    """Our own English claims among the staged ones, and posts about them or only in much the same words, as a
    deployment meets them: looked up are those that a head or narratives point at. Then the posts without the claims."""
    staged = staged_claims(folder)
    pairs, _ = load_pairs("en")
    own = [Claim(id=f"own-{number}", text=pair.text, title=pair.title) for number, pair in enumerate(pairs)]
    about = [(text, f"own-{number}") for number, pair in enumerate(pairs) for text in pair.posts]
    near = [(text, "") for pair in pairs for text in pair.near]
    now = datetime(2027, 1, 1, tzinfo=UTC)
    posts = [
        Post(source="own", native_id=str(place), text=text, lang="en", published_at=now, collected_at=now)
        for place, (text, _) in enumerate([*about, *near])
    ]
    for settings in (ClaimSettings(by_meaning=False), ClaimSettings()):
        shown = []
        for claims in ([*own, *staged], staged):
            pipeline = open_pipeline(
                models=None,
                roster=Roster(),
                codebook=codebook(),
                languages=("en",),
                claims=claims,
                claim_settings=settings,
            )
            shown.append([assessment.claims for assessment in pipeline.assess(posts, {})])
        right = sum(wanted in found for (_, wanted), found in zip(about, shown[0], strict=False))
        wrong = sum(bool(found) and wanted not in found for (_, wanted), found in zip(about, shown[0], strict=False))
        print(
            f"our own, by meaning {settings.by_meaning}: of {len(about)} posts about a claim {right} shown rightly, "
            f"{wrong} wrongly; of {len(near)} that only look so {sum(map(bool, shown[0][len(about) :]))}; without our "
            f"claims {sum(map(bool, shown[1]))}"
        )


def ranking(found: Sequence[list[str]], queries: Sequence[tuple[str, set[str]]]) -> str:
    """MAP@5, MRR and R@5 of ranked ids against the right ones."""
    precision, reciprocal, in_five = [], [], []
    for ids, (_, right) in zip(found, queries, strict=True):
        hits = [place for place, one in enumerate(ids, start=1) if one in right]
        five = [place for place in hits if place <= 5]
        precision.append(sum((n + 1) / place for n, place in enumerate(five)) / min(len(right), 5))
        reciprocal.append(1 / hits[0] if hits else 0.0)
        in_five.append(len(five) / len(right))
    return f"MAP@5 {np.mean(precision):.3f}, MRR {np.mean(reciprocal):.3f}, R@5 {np.mean(in_five):.3f}"


def worth_checking(data: Path) -> None:
    """How well the English head ranks what others called check-worthy: average precision with a bootstrap interval, and
    the share of posts that are looked up among known claims."""
    head = serving(shipped_models()).get(f"{CHECK_WORTHY}-en")
    if head is None:
        return
    threshold = read_manifest(head, signers=ANYBODY).threshold.value
    for name, paths, text, label in (
        (
            "tweets, CheckThat! 2020 task 1",
            ("checkthat2020/task1_train.csv", "checkthat2020/task1_dev.csv"),
            "tweet_text",
            "check_worthiness",
        ),
        ("debates, ClaimBuster", ("claimbuster/train.csv",), "text", "label"),
    ):
        rows = []
        for path in paths:
            if (data / path).is_file():
                with (data / path).open(encoding="utf-8") as file:
                    rows += list(csv.DictReader(file))
        if rows:
            scores = rate(head, [row[text] for row in rows], signers=ANYBODY)
            labels = np.array([int(row[label]) for row in rows])
            metrics = {metric.name: metric for metric in measure(labels, scores, threshold, on=name, seed=1)}
            area, precision = metrics["pr_auc"], metrics["precision"]
            print(
                f"worth checking, {name}: {len(rows):,} posts, {labels.mean():.3f} of them worth it: average precision "
                f"{area.value:.3f} [{area.low:.3f}, {area.high:.3f}]; looked up {np.mean(scores >= threshold):.3f}, "
                f"of those worth it {precision.value:.3f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    given = parser.parse_args()
    reranker = load_reranker(serving(shipped_models()).values())
    assert reranker is not None
    speed(given.claims, reranker)
    staged = given.data / "checkthat2020"
    if staged.is_dir():
        quality(staged, reranker)
        in_the_pipeline(staged)
    else:
        print(f"no staged data in {given.data}: quality is not measured")
    worth_checking(given.data)


if __name__ == "__main__":
    main()
