"""Real posts through log, classifiers, index and rules: the counts balance, and doing it again changes nothing."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from hustings.clock import SystemClock, rfc3339
from hustings.query.tree import Everything, Query
from ingest.dead_letters import read_dead_letters
from runtime import build
from runtime.config import load_config
from runtime.events import open_events
from runtime.init import ready_rules
from runtime.status import books_of
from runtime.workers import analyzer_of, watcher_of

EVERYTHING = Query(text="*", node=Everything())

CONFIG = """
rules = ["rules/*.toml"]
[deployment]
name = "Real input"
clock = "replay"
[charter]
requester = "test"
mandate = "test"
period = [2019-01-01, 2023-01-01]
languages = ["en", "pt"]
recipients = ["nobody"]
legal_basis = "published research data"
contacts = ["test@observatory.example"]
dpia_ref = "none"
"""


ONE_IN = 27
"""Rows of each archive: a thousand posts in all are enough of the variety."""


def opened(path: Path, mode: str) -> IO[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, mode, encoding="utf-8", newline="")  # type: ignore[operator,no-any-return]


def rows(path: Path) -> Iterator[dict[str, str]]:
    with opened(path, "rt") as file:
        yield from csv.DictReader(file)


def sample(path: Path, folder: Path) -> tuple[Path, int]:
    """One row in `ONE_IN`, in a file of the same form; and how many those are."""
    target = folder / path.name
    with opened(path, "rt") as whole, opened(target, "wt") as part:
        reader = csv.DictReader(whole)
        writer = csv.DictWriter(part, reader.fieldnames or [])
        writer.writeheader()
        kept = [row for number, row in enumerate(reader) if number % ONE_IN == 0]
        writer.writerows(kept)
    return target, len(kept)


def tweets_at_candidates(data: Path, folder: Path) -> tuple[Path, str, int]:
    path, count = sample(data / "eletweet22" / "public.csv", folder)
    return (
        path,
        'source = "twitter"\ncolumns = { native_id = ["id"], text = ["text"], published_at = ["created_at"] }',
        count,
    )


def reddit_posts(data: Path, folder: Path) -> tuple[Path, str, int]:
    path, count = sample(data / "guest_misogyny" / "train.csv.gz", folder)
    columns = 'native_id = ["entry_id"], text = ["body"], published_at = ["entry_utc"], author = ["author"]'
    return path, f'source = "reddit"\ncolumns = {{ {columns}, outlet = ["subreddit"] }}', count


def debate_sentences(data: Path, folder: Path) -> tuple[Path, str, int]:
    """The export says only when a debate began; sentences follow each other every four seconds."""
    path = folder / "debates.jsonl"
    began: dict[str, datetime] = {}
    spoken: dict[str, int] = {}
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for row in rows(sample(data / "debates_2020" / "sentences.csv.gz", folder)[0]):
            title = row["title"]
            start = began.setdefault(title, debate_time(row["time"]))
            spoken[title] = spoken.get(title, 0) + 1
            at = rfc3339(start + timedelta(seconds=4 * spoken[title]))
            post = {"id": row["id"], "text": row["text"], "at": at, "who": f"{row['first_name']} {row['last_name']}"}
            out.write(json.dumps(post | {"programme": title}) + "\n")
            count += 1
    columns = 'native_id = ["id"], text = ["text"], published_at = ["at"], author = ["who"], outlet = ["programme"]'
    return path, f'source = "debates"\nformat = "jsonl"\ncolumns = {{ {columns} }}', count


def debate_time(text: str) -> datetime:
    found = re.match(r"(\w{3})\w*\.? (\d+), (\d{4})", text)
    assert found, text
    return datetime.strptime(" ".join(found.groups()), "%b %d %Y").replace(tzinfo=UTC)


def run_once(folder: Path) -> dict[str, Any]:
    """Collect, analyze and watch until nothing is left, in this process; what stands in the stores afterwards."""
    config = load_config(folder / "hustings.toml")
    clock = SystemClock()
    events = open_events(loop="test", level="error")
    with ExitStack() as closing:
        engine = build.open_engine(config)
        closing.callback(engine.dispose)
        memory = build.open_memory(engine)
        log = build.open_log(config, clock)
        closing.callback(log.close)
        index = build.open_index(config)
        closing.callback(index.close)
        collector = build.collector(config, log=log, memory=memory, clock=clock, events=events)
        closing.callback(collector.close)
        while not collector.done:
            collector.step()
        analyzer = analyzer_of(config, log=log, index=index, engine=engine, memory=memory, clock=clock, events=events)
        closing.callback(analyzer.close)
        while analyzer.step():
            pass
        analyzer.send_marks()
        watcher = watcher_of(config, log=log, index=index, engine=engine, memory=memory, clock=clock, events=events)
        closing.callback(watcher.close)
        while watcher.step():
            pass
        from desk import book, queue

        return {
            "books": books_of(log, index),
            "posts": index.count(EVERYTHING),
            "languages": index.counts(EVERYTHING, "lang"),
            "alerts": book.totals(engine),
            "queue": queue.depth(engine, clock=clock).waiting,
            "dead_letters": len(read_dead_letters(log)),
        }


@pytest.mark.shared
@pytest.mark.timeout(600)
def test_real_posts_balance_and_a_second_run_changes_nothing(tmp_path: Path, shared_data: Path) -> None:
    sources = {
        "tweets": tweets_at_candidates(shared_data, tmp_path),
        "reddit": reddit_posts(shared_data, tmp_path),
        "debates": debate_sentences(shared_data, tmp_path),
    }
    text = CONFIG
    for name, (path, settings, _) in sources.items():
        text += f'[[source]]\nname = "{name}"\nkind = "files"\nclock = "as-posted"\npath = "{path}"\n{settings}\n'
    (tmp_path / "hustings.toml").write_text(text)
    (tmp_path / "rules").mkdir()
    for name, rule in ready_rules(expires="2099-12-31"):
        (tmp_path / "rules" / name).write_text(rule)
    total = sum(count for _, _, count in sources.values())

    first = run_once(tmp_path)
    assert first["books"].balanced
    assert first["books"].unread == 0
    assert first["books"].log == total - first["dead_letters"]
    assert first["dead_letters"] == sum(not row["body"] for row in rows(sources["reddit"][0]))
    assert first["posts"] == first["books"].new
    assert first["languages"].get("en", 0) > total / 2
    assert first["queue"] > 0

    # The same archives once more, from their beginning: every post is known, nothing else moves.
    config = load_config(tmp_path / "hustings.toml")
    engine = build.open_engine(config)
    memory = build.open_memory(engine)
    for name in sources:
        memory.delete("cursors", name)
    engine.dispose()
    second = run_once(tmp_path)
    assert second["books"].balanced
    known = second["books"].unchanged + second["books"].conflicting
    assert known == first["books"].unchanged + first["books"].conflicting + first["books"].log
    assert {k: v for k, v in second.items() if k != "books"} == {k: v for k, v in first.items() if k != "books"}
