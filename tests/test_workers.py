"""Two and four workers tell the same alerts as one, over 10,000 posts that were published in no order."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from desk import book
from hustings.types import Alert, Post
from tests.fleet import RULES, Fleet, facts, generated_posts
from tests.loops_world import LoopsWorld

COUNT = 10_000


@pytest.fixture(scope="module")
def blank_desk(_blank_desk: Path) -> Path:
    return _blank_desk


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    return generated_posts(COUNT)


def all_alerts(world: LoopsWorld) -> list[Alert]:
    found: list[Alert] = []
    after: str | None = None
    while True:
        page = book.latest_alerts(world.engine, limit=500, after=after)
        found.extend(page.alerts)
        after = page.next
        if after is None:
            return sorted(found, key=lambda alert: alert.id)


def told(folder: Path, blank_desk: Path, posts: Sequence[Post], *, workers: int, replay: bool) -> list[Alert]:
    """The alerts of a run over the log of one machine, with four partitions for several workers and one for one."""
    desk = folder / "desk.db"
    shutil.copy(blank_desk, desk)
    partitions = 1 if workers == 1 else 4
    with ExitStack() as closing:
        world = LoopsWorld(folder, f"sqlite:///{desk}", closing, posts=partitions, hits=partitions, rules=RULES)
        fleet = Fleet(world, closing, workers=workers, replay=replay)
        fleet.feed(posts)
        fleet.finish()
        return all_alerts(world)


@pytest.fixture(scope="module")
def of_one_replay(tmp_path_factory: pytest.TempPathFactory, blank_desk: Path, posts: list[Post]) -> list[Alert]:
    return told(tmp_path_factory.mktemp("one"), blank_desk, posts, workers=1, replay=True)


def test_the_posts_make_alerts_of_every_kind(of_one_replay: list[Alert]) -> None:
    by_rule = Counter(alert.rule_name for alert in of_one_replay)
    assert set(by_rule) == {"busy-author", "one-story", "everybody"}
    assert min(by_rule.values()) > 10
    assert {alert.state for alert in of_one_replay} >= {"resolved", "merged"}


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_of_a_replay_give_the_alerts_of_one_by_id(
    tmp_path: Path, blank_desk: Path, posts: list[Post], of_one_replay: list[Alert], workers: int
) -> None:
    of_several = told(tmp_path, blank_desk, posts, workers=workers, replay=True)
    assert [alert.id for alert in of_several] == [alert.id for alert in of_one_replay]
    assert list(map(facts, of_several)) == list(map(facts, of_one_replay))


@pytest.fixture(scope="module")
def of_one_live(tmp_path_factory: pytest.TempPathFactory, blank_desk: Path, posts: list[Post]) -> list[Alert]:
    return told(tmp_path_factory.mktemp("live"), blank_desk, posts, workers=1, replay=False)


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_of_a_live_stream_find_the_episodes_of_one(
    tmp_path: Path, blank_desk: Path, posts: list[Post], of_one_live: list[Alert], workers: int
) -> None:
    """Live nobody waits for an order, so which post is taken for the first of a story, and which crossing gives an
    alert its id, may differ; what the episodes are may not."""
    of_several = told(tmp_path, blank_desk, posts, workers=workers, replay=False)
    assert episodes(of_several) == episodes(of_one_live)


def episodes(alerts: Sequence[Alert]) -> list[tuple[object, ...]]:
    """Those that stand, apart from stories."""
    return sorted(facts(a) for a in alerts if a.rule_name != "one-story" and a.state not in ("merged", "retracted"))
