"""A partition that was quiet for long, while others went on, is rebuilt with the alerts that it had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.matcher import partition_key
from hustings.types import Hit, Post
from tests.loops_world import RULES, LoopsWorld, at, post

QUIET_FOR = timedelta(days=40)
BY_AUTHOR = RULES.replace('kind = "count"', 'kind = "count"\ngroup_by = ["author"]')
WORDS = "vote on sunday they say"


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as closing:
        yield LoopsWorld(tmp_path, desk_url, closing, hits=6, rules=BY_AUTHOR)


def elsewhere(world: LoopsWorld, author: str) -> str:
    """An author whose hits go to another partition."""
    rule = world.rules.rules[0]

    def partition(name: str) -> int:
        hit = Hit(
            rule=rule.id, logic=rule.logic, group=(("author", name),), key="k", t=at(0), g=at(0), revised_at=at(0)
        )
        return world.log.partition_of("hits", partition_key(hit))

    return next(name for name in map("author-{}".format, range(100)) if partition(name) != partition(author))


def posts(author: str, *, minutes: float) -> list[Post]:
    return [replace(post(f"{author}-{n}", WORDS, minutes=minutes + n), author=author) for n in range(4)]


def test_alert_of_a_quiet_partition_is_not_told_anew_after_a_restart_though_a_post_of_it_was_deleted(
    world: LoopsWorld,
) -> None:
    told = posts("anna", minutes=0)
    deleted = replace(told[0], revision=1, deleted=True, text="", collected_at=at(5))
    world.append(*told)
    world.run_to_the_end()
    world.append(deleted)
    world.clock.advance(timedelta(days=1))
    world.run_to_the_end()
    (quiet,) = world.alerts()
    assert (quiet.state, quiet.opening_anchor, quiet.opened_at) == ("resolved", at(2), at(3))
    world.clock.advance(QUIET_FOR)
    later = QUIET_FOR / timedelta(minutes=1)
    world.append(*posts(elsewhere(world, "anna"), minutes=later))
    world.run_to_the_end()
    before = world.everything()
    assert len(world.alerts()) == 2
    world.run_to_the_end()
    assert world.everything() == before
