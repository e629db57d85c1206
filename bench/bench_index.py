"""How fast is the SQLite index? `python bench/bench_index.py [--posts N]`

Writes N made-up posts of about 250 characters in batches of 256, then of 1,000 and 1, and asks it questions. Words
follow Zipf's law over 50,000; a tenth of the posts is flagged, every post has eight scores.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hustings.query.tree import And, Compare, Everything, Is, Node, Phrase, Query
from hustings.types import Assessment, Flag, Post, Target
from index.sqlite import SqliteIndex

START = datetime(2026, 10, 1, tzinfo=UTC)
CODES = ("G", "G-DEROG", "G-THR", "A-INSULT", "A-THREAT", "N-PROC", "N-FRAUD", "N-PERSON")
WORDS = 50_000


def made_up_posts(count: int, *, seed: int = 7) -> Iterator[Assessment]:
    """Posts about in the order of their publication: collected up to a minute late."""
    pick = random.Random(seed)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))
    words = [f"w{number:x}" + "o" * (number % 5) for number in range(WORDS)]
    for number in range(count):
        tokens = tuple(words[bisect.bisect(weights, pick.random() * weights[-1])] for _ in range(38))
        collected = START + timedelta(seconds=number)
        flagged = pick.random() < 0.1
        scores = {code: round(pick.random() ** 8, 4) for code in CODES}
        hashtag = pick.choice(words[:500]) if pick.random() < 0.3 else ""
        if hashtag:
            tokens = ("#" + hashtag, *tokens)
        post = Post(
            source="bluesky",
            native_id=f"did:plc:{pick.getrandbits(80):020x}/app.bsky.feed.post/{number:x}",
            text=" ".join(tokens),
            published_at=collected - timedelta(seconds=pick.random() * 60),
            collected_at=collected,
            collector="jetstream",
            author=f"p-{pick.getrandbits(16):032x}",
            hashtags=(hashtag,) if hashtag else (),
            links=("https://news.example.org/a/1",) if pick.random() < 0.2 else (),
            reach=pick.randrange(10_000),
        )
        yield Assessment(
            post=post,
            lang=pick.choice(("en", "es", "ar")),
            lang_score=0.9,
            targets=(Target(id=f"c{pick.randrange(16)}", role="aimed_at"),) if flagged else (),
            flags=(Flag(code="G-DEROG", score=0.9, threshold=0.5, classifier="heads@1"),) if flagged else (),
            scores=scores,
            tokens=tokens,
            first_collected_at=collected,
            assessed_at=collected,
            models={"heads": "1", "language": "1"},
        )


def write(index: SqliteIndex, posts: Iterator[Assessment], count: int, size: int, *, first_offset: int) -> None:
    batches = []
    for start in range(0, count, size):
        batch = list(itertools.islice(posts, min(size, count - start)))
        batches.append((batch, [(0, first_offset + start + place) for place in range(len(batch))]))
    waits = []
    for batch, origins in batches:
        began = time.perf_counter()
        index.write(batch, log_id="bench", origins=origins, positions={0: origins[-1][1] + 1})
        waits.append(time.perf_counter() - began)
    seconds = sum(waits)
    waits.sort()
    row = {
        "what": f"write, batch {size}",
        "posts_per_s": round(count / seconds),
        "us_per_post": round(1e6 * seconds / count, 1),
        "p50_ms": round(1e3 * statistics.median(waits), 2),
        "p99_ms": round(1e3 * waits[int(len(waits) * 0.99)], 2),
    }
    print(json.dumps(row), flush=True)


def ask(what: str, nodes: list[Node], question: Callable[[Query], object]) -> None:
    waits = []
    for node in nodes:
        query = Query(text="", node=node)
        began = time.perf_counter()
        question(query)
        waits.append(1e3 * (time.perf_counter() - began))
    waits.sort()
    row = {
        "what": what,
        "p50_ms": round(statistics.median(waits), 2),
        "p95_ms": round(waits[int(len(waits) * 0.95)], 2),
    }
    print(json.dumps(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    count: int = parser.parse_args().posts
    posts = made_up_posts(count + 20_000 + 500)
    with tempfile.TemporaryDirectory() as name:
        index = SqliteIndex(Path(name) / "index").open()
        for start in range(0, count, 25_600):
            write(index, posts, min(25_600, count - start), 256, first_offset=start)
        write(index, posts, 20_000, 1000, first_offset=count)
        write(index, posts, 500, 1, first_offset=count + 20_000)
        size = sum(path.stat().st_size for path in (Path(name) / "index").iterdir())
        print(json.dumps({"what": "disk", "bytes_per_post": round(size / (count + 20_500))}))
        pick = random.Random(1)
        words: list[Node] = [
            Phrase((f"w{number:x}" + "o" * (number % 5),))
            for number in (int(10 ** pick.uniform(0, 4.6)) for _ in range(200))
        ]
        pairs: list[Node] = [And((one, other)) for one, other in zip(words[:100], words[100:], strict=True)]
        flagged: list[Node] = [And((Is("flag", ("G",)), Is("aimed_at", (f"c{n}",)))) for n in range(16)]
        scored: list[Node] = [Compare(f"score.{code}", ">=", 0.8) for code in CODES]
        ask("search, one word, newest 50", words, lambda query: index.search(query))
        ask("search, two words", pairs, lambda query: index.search(query))
        ask("search, flag and target", flagged, lambda query: index.search(query))
        ask("search, score", scored, lambda query: index.search(query))
        ask("search, everything", [Everything()] * 20, lambda query: index.search(query))
        ask("count, one word", words, index.count)
        ask("count, flag and target", flagged, index.count)
        ask("count, score", scored, index.count)
        ask("counts by lang", [Everything()] * 3, lambda query: index.counts(query, "lang"))
        ask("counts by hashtag of flagged", [Is("flag", ("G",))] * 3, lambda query: index.counts(query, "hashtag"))
        ask("histogram by hour", [Everything()] * 3, lambda query: index.histogram(query, step=timedelta(hours=1)))
        began = time.perf_counter()
        pruned = index.prune(before=START + timedelta(seconds=count // 10))
        print(
            json.dumps({"what": "prune a tenth and purge", "posts": pruned, "s": round(time.perf_counter() - began, 2)})
        )
        index.close()


if __name__ == "__main__":
    main()
