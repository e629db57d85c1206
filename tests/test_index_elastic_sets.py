"""Index sets and versions: made, checked, migrated, and put in one another's place under a working writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hustings.contracts import Outcome
from hustings.errors import StoreError, Unavailable
from index.elastic import ElasticIndex, ElasticSettings, create, drop, live_set, migrate, problems, settings_of, switch
from index.elastic.mapping import MAPPING_VERSION
from tests.servers.elastic_node import ElasticNode
from tests.servers.elastic_world import (
    ALL,
    LOG,
    admin,
    books,
    hit,
    indices_of,
    keys_of,
    opened,
    opened_through,
    post,
    settings_for,
    wiped,
)
from tests.servers.faulting_proxy import is_bulk, meanwhile

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch"), pytest.mark.timeout(600)]


def filled(index: ElasticIndex) -> None:
    posts = [post(f"{n}", f"word {n}", days=n) for n in range(50)]
    index.write(posts, log_id=LOG, origins=[(0, n) for n in range(50)], positions={0: 50})
    index.write([post("3", "edited", revision=9, days=60)], log_id=LOG, origins=[(1, 0)], positions={1: 1})
    index.write_hits([hit(f"{n}", days=n) for n in range(50)], log_id=LOG, positions={0: 7})


def contents(index: ElasticIndex) -> tuple[Any, ...]:
    index.refresh()
    found = index.search(ALL, limit=200).assessments
    standing = (index.positions("posts"), index.positions("hits"), index.books(), index.log_id())
    return found, list(index.hits("rule", "logic")), *standing


def test_a_migration_copies_everything_and_puts_the_copy_in_place(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    with opened(elastic_settings) as index:
        filled(index)
        before = contents(index)
    with admin(elastic_node) as client:
        for name in indices_of(elastic_node, elastic_settings):
            body = {"_meta": {"hustings_mapping": "000000000000"}}
            assert client.put(f"/{elastic_settings.prefix}{name}/_mapping", json=body).status_code == 200
    with pytest.raises(StoreError, match="hustings index migrate"), opened(elastic_settings):
        pass
    assert len(problems(elastic_settings)) == len(indices_of(elastic_node, elastic_settings))
    migrated = migrate(elastic_settings)
    assert migrated is not None
    assert (migrated.posts, migrated.hits) == (50, 50)
    assert problems(elastic_settings) == []
    assert migrate(elastic_settings) is None
    with opened(elastic_settings) as index:
        assert contents(index) == before
        again = [post("3", "edited", revision=9, days=60), post("new", "word", days=90)]
        outcomes = index.write(again, log_id=LOG, origins=[(1, 0), (1, 1)], positions={1: 2})
        assert outcomes == [Outcome.REVISED, Outcome.NEW]
        assert index.count(ALL) == 50
        index.refresh()
        assert index.count(ALL) == 51
    assert all(name.startswith("m") for name in indices_of(elastic_node, elastic_settings))


def test_another_set_is_filled_beside_the_live_one_and_put_in_its_place_while_a_worker_writes(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    with opened(elastic_settings) as index:
        filled(index)
        beside = settings_of(elastic_settings, "r2")
        create(beside)
        with opened(beside) as other:
            other.write([post("x", "rescored")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
            assert other.books() == books(new=1)
        assert index.books() == books(new=50, revised=1)

        def put_in_place() -> None:
            assert switch(elastic_settings, to="r2") == ""

        fault = meanwhile(lambda passing: is_bulk(passing, b"state-all"), put_in_place)
        with opened_through(elastic_settings, fault) as worker:
            with pytest.raises(Unavailable, match="not allowed for now"):
                worker.write([post("late", "word")], log_id=LOG, origins=[(0, 50)], positions={0: 51})
            # It begins again where the new set is.
            assert worker.positions("posts") == {0: 1}
            worker.write([post("y", "next", days=31)], log_id=LOG, origins=[(0, 1)], positions={0: 2})
        index.refresh()
        assert keys_of(index, ALL) == ["src:x", "src:y"]
        assert index.books() == books(new=2)
        assert live_set(elastic_settings) == "r2"
        with pytest.raises(StoreError, match="live"):
            drop(elastic_settings, "r2")
        assert switch(elastic_settings, to="") == "r2"
        index.refresh()
        assert index.books() == books(new=50, revised=1)
        assert problems(elastic_settings) == []
        assert len(drop(elastic_settings, "r2")) == 3
        assert index.write([post("more", "word", days=100)], log_id=LOG) == [Outcome.NEW]


def test_create_makes_what_is_missing_and_problems_say_what_is_wrong(
    elastic_node: ElasticNode, golden: Callable[[str, str], None]
) -> None:
    with wiped(elastic_node, settings_for(elastic_node.server)) as settings:
        told = problems(settings)
        assert create(settings) == [f"{settings.prefix}state-all"]
        assert create(settings) == []
        assert problems(settings) == []
        with opened(settings) as index:
            index.write([post("1", "word")], log_id=LOG)
        with admin(elastic_node) as client:
            client.delete(f"/_index_template/{settings.prefix}posts")
            client.put(f"/{settings.prefix}state-all/_mapping", json={"_meta": {"hustings_mapping": "000000000000"}})
            client.put(f"/{settings.prefix}posts-2026.10/_settings", json={"index": {"number_of_replicas": 1}})
            client.put(f"/{settings.prefix}posts-2026.10/_block/write")
        told += problems(settings)
    text = "\n".join(told) + "\n"
    golden("elastic_problems.txt", without_versions(text).replace(settings.prefix, "PREFIX-"))


def without_versions(text: str) -> str:
    return text.replace(MAPPING_VERSION, "VERSION")
