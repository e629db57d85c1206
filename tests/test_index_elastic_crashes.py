"""Crashes, zombies, killed nodes and overload: whatever is lost on the way, documents and books come out right."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hustings.contracts import Index, Outcome
from hustings.errors import Unavailable, WriteRefused
from index.elastic import ElasticSettings, create
from index.sqlite import SqliteIndex
from tests.memory_folder import memory_folder
from tests.servers.elastic_node import ElasticNode
from tests.servers.elastic_world import (
    ALL,
    LOG,
    admin,
    books,
    hit,
    indices_of,
    opened,
    opened_through,
    post,
)
from tests.servers.faulting_proxy import Fault, FaultingProxy, Passing, Refusal, is_bulk, meanwhile

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch"), pytest.mark.timeout(600)]


class Entry(NamedTuple):
    """One entry of the log, small enough for collisions of every kind; `text` None is a dead letter."""

    key: int
    revision: int
    text: str | None


ENTRIES = st.builds(Entry, st.integers(0, 2), st.integers(0, 2), st.sampled_from(("a", "b", "a", "b", None)))
FAULTS = st.none() | st.tuples(st.integers(1, 3), st.sampled_from(("lost", "answer lost")))
"""What a crash does to the n-th bulk request of a write: documents, or positions."""

partitions = itertools.count(1)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(ENTRIES, min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    faults=st.lists(FAULTS, max_size=8),
    looks_first=st.booleans(),
)
def test_books_and_documents_are_those_of_a_run_without_a_crash(
    elastic_node: ElasticNode,
    elastic_settings: ElasticSettings,
    entries: list[Entry],
    sizes: list[int],
    faults: list[Any],
    looks_first: bool,
) -> None:
    """Documents written and positions not, answers that were lost, other batches when it is done again: in the end the
    same as on SQLite, where nothing happened."""
    partition = next(partitions)
    with FaultingProxy(elastic_node.server, lambda passing: None) as proxy, opened(elastic_settings) as index:
        before = index.books()
        with opened(elastic_settings.model_copy(update={"servers": (proxy.server,)})) as crashing:
            for number in itertools.count():
                start = index.positions("posts").get(partition, 0)
                if start == len(entries):
                    break
                fault = faults[number] if number < len(faults) else None
                proxy.fault = nth_bulk(*fault) if fault is not None else lambda passing: None
                try:
                    write_entries(crashing, entries, partition, start, sizes[number % len(sizes)], looks_first)
                except Unavailable:
                    assert fault is not None
        found = {name: count - before[name] for name, count in index.books().items()}
        keys = [f"src:{partition}-{key}" for key in range(3)]
        with memory_folder() as folder:
            calm = SqliteIndex(Path(folder)).open()
            write_entries(calm, entries, partition, 0, len(entries))
            assert found == calm.books()
            assert index.get(keys) == calm.get(keys)
            calm.close()


def write_entries(
    index: Index, entries: Sequence[Entry], partition: int, start: int, size: int, looks_first: bool = True
) -> None:
    """A batch of the log as `analyze` writes it, which looks the posts up first."""
    places = range(start, min(start + size, len(entries)))
    posts = {
        place: post(f"{partition}-{entries[place].key}", entries[place].text or "", revision=entries[place].revision)
        for place in places
        if entries[place].text is not None
    }
    if looks_first:
        index.get([one.key for one in posts.values()])
    index.write(
        list(posts.values()),
        log_id=LOG,
        origins=[(partition, place) for place in posts],
        dead=[(partition, place) for place in places if place not in posts],
        positions={partition: places.stop},
    )


def nth_bulk(number: int, fault: Fault) -> Callable[[Passing], Fault]:
    seen = itertools.count(1)
    return lambda passing: fault if passing.path == "/_bulk" and next(seen) == number else None


STORY = [
    *(Entry(0, 0, "first"), Entry(1, 0, "other"), Entry(0, 0, "conflicting"), Entry(0, 1, "second"), Entry(2, 0, None)),
    *(Entry(0, 0, "first"), Entry(0, 2, "third"), Entry(1, 0, "other"), Entry(1, 1, "edited"), Entry(0, 1, "second")),
]
STORY_BOOKS = books(new=2, revised=3, unchanged=3, conflicting=1, dead_letters=1)


@pytest.mark.parametrize("at", [b"posts-2026", b"state-all"])
@pytest.mark.parametrize(("zombie_reads", "successor_reads"), [(6, (4, 6)), (10, (4,)), (8, (4, 2)), (10, (10,))])
def test_a_worker_that_slept_in_the_middle_of_a_write_changes_nothing_when_it_wakes(
    elastic_node: ElasticNode,
    elastic_settings: ElasticSettings,
    at: bytes,
    zombie_reads: int,
    successor_reads: tuple[int, ...],
) -> None:
    """It sleeps before its documents, or its positions, arrive; meanwhile another worker has its partition."""
    with opened(elastic_settings) as index:

        def go_on() -> None:
            start = 0
            for size in successor_reads:
                write_entries(index, STORY, 7, start, size)
                start += size

        fault = meanwhile(lambda passing: is_bulk(passing, at), go_on)
        with opened_through(elastic_settings, fault) as zombie:
            write_entries(zombie, STORY, 7, 0, zombie_reads)
        reached = index.positions("posts")[7]
        assert reached == max(zombie_reads, sum(successor_reads))
        write_entries(index, STORY, 7, reached, len(STORY))
        assert index.positions("posts") == {7: 10}
        assert index.books() == STORY_BOOKS
        standing = index.get(["src:7-0", "src:7-1"])
        assert {key: one.post.text for key, one in standing.items()} == {"src:7-0": "third", "src:7-1": "edited"}


def test_a_worker_notices_that_the_index_was_emptied_under_it(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    """It begins again where the new one is, instead of going on as if it held what went before."""
    with opened(elastic_settings) as index:
        write_entries(index, STORY, 0, 0, 5)
        with admin(elastic_node) as client:
            for name in indices_of(elastic_node, elastic_settings):
                client.delete(f"/{elastic_settings.prefix}{name}")
        create(elastic_settings)
        with pytest.raises(Unavailable, match="emptied meanwhile"):
            write_entries(index, STORY, 0, 5, 5)
        assert index.positions("posts") == {}
        assert index.log_id() is None
        write_entries(index, STORY, 0, 0, 10)
        assert index.books() == STORY_BOOKS


def test_two_workers_of_different_partitions_never_meet(elastic_settings: ElasticSettings) -> None:
    def work(partition: int) -> None:
        with opened(elastic_settings) as index:
            for start in range(0, 300, 30):
                posts = [post(f"{partition}/{n}", "word") for n in range(start, start + 30)]
                origins = [(partition, n) for n in range(start, start + 30)]
                index.write(posts, log_id=LOG, origins=origins, positions={partition: start + 30})
                index.write_hits([hit(f"{partition}/{start}")], log_id=LOG, positions={partition: start + 1})

    threads = [threading.Thread(target=work, args=(partition,)) for partition in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened(elastic_settings) as index:
        index.refresh()
        assert index.positions("posts") == {0: 300, 1: 300, 2: 300}
        assert index.books() == books(new=900)
        assert index.count(ALL) == 900
        assert len(list(index.hits("rule", "logic"))) == 30


@pytest.mark.timeout(1_500)
def test_nothing_acknowledged_is_lost_when_the_node_is_killed_while_writing(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    """kill -9, twice; the writer begins again where the index says that it is."""
    total, size = 1_500, 50
    done = threading.Event()
    restarts = itertools.count()

    def work() -> None:
        with opened(elastic_settings) as index:
            position = 0
            while position < total:
                batch = [post(f"{n % 500}", f"word {n}", revision=n) for n in range(position, position + size)]
                origins = [(0, n) for n in range(position, position + size)]
                try:
                    index.write(batch, log_id=LOG, origins=origins, positions={0: position + size})
                    position = index.positions("posts").get(0, 0)
                except Unavailable:
                    next(restarts)
                    time.sleep(0.2)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    for wanted in (300, 800):
        with opened(elastic_settings) as index:
            while index.positions("posts").get(0, 0) < wanted:
                time.sleep(0.02)
        elastic_node.kill()
        elastic_node.start()
        elastic_node.wait()
    worker.join(timeout=400)
    assert done.is_set()
    assert next(restarts) > 0
    with opened(elastic_settings) as index:
        assert index.books() == books(new=500, revised=1_000)
        stored = index.get([f"src:{n}" for n in range(500)])
        assert {one.post.revision for one in stored.values()} == set(range(1_000, 1_500))


# ── overload ─────────────────────────────────────────────────────────────────────────────────────────────────────

FULL = Refusal(
    429, b'{"error":{"type":"cluster_block_exception","reason":"disk usage exceeded flood-stage watermark"}}'
)


def busy_items(passing: Passing) -> Refusal:
    """Every document of a request refused for now, as a node with a full queue does."""
    item = b'{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue is full"}}}'
    documents = passing.body.count(b'"version_type"') or passing.body.count(b'"_index"')
    return Refusal(200, b'{"errors":true,"items":[' + b",".join([item] * documents) + b"]}")


@pytest.mark.parametrize("refusal", [FULL, Refusal(503), Refusal(502, b"<html>"), "items"])
def test_a_node_that_is_overloaded_is_asked_again(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings, refusal: Refusal | str
) -> None:
    left = [4]

    def fault(passing: Passing) -> Fault:
        if left[0] == 0 or passing.path != "/_bulk":
            return None
        left[0] -= 1
        return refusal if isinstance(refusal, Refusal) else busy_items(passing)

    with opened_through(elastic_settings, fault, overload_s=30.0) as index:
        posts = [post(f"{n}", "word") for n in range(20)]
        outcomes = index.write(posts, log_id=LOG, origins=[(0, n) for n in range(20)], positions={0: 20})
        assert outcomes == [Outcome.NEW] * 20
        assert index.books() == books(new=20)
    assert left == [0]


NOT_OPEN = {"type": "no_shard_available_action_exception", "reason": "CurrentState[RECOVERING]"}


def unopened(passing: Passing) -> Refusal:
    """What a node answers for documents of an index that another worker has made a moment ago."""
    wanted = json.loads(passing.body)["docs"]
    return Refusal(200, json.dumps({"docs": [{**one, "error": NOT_OPEN} for one in wanted]}).encode())


def test_documents_of_an_index_that_is_not_open_yet_are_asked_for_again(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    with opened(elastic_settings) as index:
        index.write([post("1", "word")], log_id=LOG)
    left = [3]

    def fault(passing: Passing) -> Fault:
        if left[0] == 0 or passing.path != "/_mget":
            return None
        left[0] -= 1
        return unopened(passing)

    with opened_through(elastic_settings, fault, overload_s=30.0) as index:
        assert index.get(["src:1", "src:2"]).keys() == {"src:1"}
    assert left == [0]


def test_documents_of_an_index_that_stays_closed_are_unavailable_and_not_missing(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    def fault(passing: Passing) -> Fault:
        return unopened(passing) if passing.path == "/_mget" else None

    with opened(elastic_settings) as index:
        index.write([post("1", "word")], log_id=LOG)
    with (
        opened_through(elastic_settings, fault, overload_s=0.3) as index,
        pytest.raises(Unavailable, match="RECOVERING"),
    ):
        index.get(["src:1"])


def test_one_that_stays_overloaded_is_unavailable_and_what_was_written_stays(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    def fault(passing: Passing) -> Fault:
        return FULL if is_bulk(passing, b"state-all") and b'"position"' in passing.body else None

    with opened_through(elastic_settings, fault, overload_s=0.5) as index:
        with pytest.raises(Unavailable, match="disk usage exceeded"):
            index.write([post("1", "word")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
        assert index.get(["src:1"]).keys() == {"src:1"}
        assert index.positions("posts") == {}


def test_a_request_that_is_too_large_is_halved_until_the_one_to_blame_stands_alone(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    def fault(passing: Passing) -> Fault:
        return Refusal(413) if is_bulk(passing, b"posts-2026") and len(passing.body) > 4_000 else None

    with opened_through(elastic_settings, fault) as index:
        posts = [post(f"{n}", "word " * (4_000 if n == 13 else 10)) for n in range(40)]
        with pytest.raises(WriteRefused) as refusal:
            index.write(posts, log_id=LOG)
        assert list(refusal.value.reasons) == [13]
        assert len(index.get([one.key for one in posts])) == 39
