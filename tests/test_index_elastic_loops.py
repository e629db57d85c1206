"""The loops over Elasticsearch: the same alerts as over SQLite, and a post that it refuses is a dead letter."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hustings.clock import SystemClock
from hustings.contracts import Index
from hustings.types import DeadLetter, Hit
from index.elastic import ElasticIndex, ElasticSettings
from tests.loops_world import LoopsWorld, post
from tests.servers.elastic_node import ElasticNode
from tests.servers.elastic_world import admin, books

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch"), pytest.mark.timeout(600)]


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class ElasticWorld(LoopsWorld):
    """The same deployment with its index on Elasticsearch."""

    settings: ElasticSettings

    def open_index(self) -> Index:
        index = ElasticIndex(self.settings, clock=SystemClock()).open()
        self.closing.callback(index.close)
        return index


def world_of(settings: ElasticSettings) -> type[ElasticWorld]:
    return type("World", (ElasticWorld,), {"settings": settings})


POSTS = [
    *[post(number, "vote on sunday", minutes=number) for number in range(8)],
    post(2, "nothing any more", minutes=2, revision=9),
    post(3, "vote on sunday", minutes=3),
    post(20, "another word", minutes=20),
]


def test_they_give_the_same_alerts_and_books_as_over_sqlite(
    elastic_settings: ElasticSettings, tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    other_desk = f"sqlite:///{shutil.copy(desk_url.removeprefix('sqlite:///'), tmp_path / 'other.db')}"
    seen = []
    for kind, folder, desk in ((LoopsWorld, "one", desk_url), (world_of(elastic_settings), "two", other_desk)):
        (tmp_path / folder).mkdir()
        world = kind(tmp_path / folder, desk, closing)
        world.append(*POSTS[:6])
        world.run_to_the_end()
        world.append(*POSTS[6:])
        world.run_to_the_end()
        world.index.refresh()
        keys = [one.key for one in POSTS]
        standing = {key: (one.post, one.flags) for key, one in world.index.get(keys).items()}
        seen.append((world.alerts(), world.index.books(), standing, world.index.positions("posts")))
    assert seen[0] == seen[1]
    assert seen[0][1] == books(new=9, revised=1, unchanged=1)


def test_a_post_that_the_index_refuses_becomes_a_dead_letter_and_costs_nobody_else(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings, tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    world = world_of(elastic_settings)(tmp_path, desk_url, closing)
    month = f"{POSTS[0].collected_at:%Y.%m}"
    with admin(elastic_node) as client:
        body = {"mappings": {"properties": {"collector": {"type": "integer"}}}}
        assert client.put(f"/{elastic_settings.prefix}posts-{month}", json=body).status_code == 200
    world.append(post(1, "one", collector="7"), post(2, "two", collector="a name"), post(3, "three", collector="8"))
    world.run_to_the_end()
    assert world.index.books() == books(new=2, dead_letters=1)
    assert world.index.positions("posts") == {0: 3}
    assert world.index.get([f"net:{n}" for n in (1, 2, 3)]).keys() == {"net:1", "net:3"}
    (letter,) = world.entries("dead-letters")
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.origin) == ("refused", "posts/0/1")
    assert "failed to parse field [collector]" in letter.detail


def test_a_hit_that_the_index_refuses_becomes_a_dead_letter_and_watch_goes_on(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings, tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    world = world_of(elastic_settings)(tmp_path, desk_url, closing)
    month = f"{POSTS[0].published_at:%Y.%m}"
    with admin(elastic_node) as client:
        body = {"mappings": {"properties": {"key": {"type": "integer"}}}}
        assert client.put(f"/{elastic_settings.prefix}hits-{month}", json=body).status_code == 200
    world.append(*POSTS[:3])
    world.run_to_the_end()
    letters = world.entries("dead-letters")
    assert {(letter.stage, letter.reason) for letter in letters if isinstance(letter, DeadLetter)} == {
        ("watch", "refused")
    }
    assert len(letters) == sum(isinstance(entry, Hit) for entry in world.entries("hits")) > 0
    assert world.index.positions("hits") == world.log.ends("hits")
    assert not world.alerts()
