"""What a stream needs, reckoned from figures that are easy to multiply."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime.capacity.measured import Measured, PerPost, Worker, read_measured
from runtime.capacity.page import STEPS, page, plan_rows, readable_bytes, said_of_models
from runtime.capacity.plan import Assumptions, Plan, Stream, plan_for
from tests.command_line import command_line

PAGE = Path(__file__).parent.parent / "docs" / "capacity.md"

MEASURED = Measured(
    at="2027-01-01 00:00 UTC",
    commit="0000000",
    machine="2 cores",
    models=("G-en",),
    posts=20_000,
    post_bytes=500.0,
    hits_each=0.1,
    analyze=Worker(per_s=1_000.0, processor_us=500.0),
    analyze_on_files=Worker(per_s=2_000.0, processor_us=400.0),
    watch=Worker(per_s=100.0, processor_us=2_000.0),
    broker_us=20.0,
    node_us=400.0,
    database_us=1.0,
    disk_on_files=PerPost(log=600.0, index=2_000.0, desk=10.0),
    disk_on_servers=PerPost(log=500.0, index=1_000.0, desk=20.0),
    evidence=700.0,
)
PLAIN = Assumptions(
    peak=2.0,
    busy=0.5,
    growth=2,
    replication=3,
    replicas=1,
    cores=4,
    disk_bytes=1e12,
    full=0.5,
    shard_bytes=30e9,
    quorum=3,
)


def plan(posts_per_s: float, *, days: int = 10, post_bytes: float = 500.0, given: Assumptions = PLAIN) -> Plan:
    return plan_for(Stream(posts_per_s=posts_per_s, days=days, post_bytes=post_bytes), MEASURED, given)


def test_a_small_stream_needs_one_of_each_worker_and_the_least_servers_that_survive_a_loss() -> None:
    found = plan(10)
    assert found.peak_per_s == 20
    assert found.posts == 8_640_000
    assert (found.analyze_workers, found.watch_workers, found.worker_cores) == (1, 1, 1)
    assert (found.posts_partitions, found.hits_partitions) == (2, 2)
    assert (found.brokers, found.nodes, found.shards, found.database_cores) == (3, 3, 1, 1)
    assert found.one_machine
    assert found.beyond == []


@pytest.mark.parametrize(
    ("posts_per_s", "workers"),
    [(250, 1), (251, 2), (500, 2), (501, 3), (2_500, 10)],  # 1,000 a second each, half used, twice the mean in a peak
)
def test_workers_carry_the_busiest_minute_with_what_is_used_of_them(posts_per_s: float, workers: int) -> None:
    found = plan(posts_per_s)
    assert found.analyze_workers == workers
    assert found.posts_partitions == 2 * workers


def test_watch_is_reckoned_by_hits() -> None:
    # 1,000 posts/s, 2,000 in a peak, 200 hits; a worker is given 50 of the 100 that it carried
    assert plan(1_000).watch_workers == 4


def test_cores_of_workers_are_their_processor_time_in_a_peak() -> None:
    # 2,000 × (500 µs + 0.1 × 2,000 µs) = 1.4 s a second, of which half may be used
    assert plan(1_000).worker_cores == 3


def test_disk_counts_every_copy_and_what_the_desk_and_the_evidence_keep_once() -> None:
    found = plan(100, days=10)  # 86.4 million posts
    assert found.million == {"log": 1.5e9, "index": 2e9, "desk": 2e7, "evidence": 7e8}
    assert found.all_days == pytest.approx({"log": 129.6e9, "index": 172.8e9, "desk": 1.728e9, "evidence": 60.48e9})


def test_servers_are_as_many_as_the_disk_needs() -> None:
    # 1,000 posts/s for 30 days are 2,592 million posts: 3.888 TB of log and 5.184 TB of index, 0.5 TB a server
    found = plan(1_000, days=30)
    assert (found.brokers, found.nodes) == (8, 11)


def test_servers_are_as_many_as_the_work_needs() -> None:
    # 20,000 in a peak × 400 µs × 2 copies = 16 s a second, half used: 32 cores; the broker 20,000 × 20 × 3: 2.4
    found = plan(10_000, days=1, given=replace(PLAIN, disk_bytes=1e15))
    assert (found.brokers, found.nodes) == (3, 8)


def test_a_month_has_shards_by_size_and_as_many_as_spread_the_writing() -> None:
    # 31 days × 86,400 × 1,000 posts/s × 1,000 bytes = 2.678 TB
    assert plan(1_000).shards == 90
    assert plan(10_000, given=replace(PLAIN, shard_bytes=1e15)).shards == 4  # 8 nodes write, 2 copies each


def test_a_post_twice_as_long_costs_twice_as_much_but_for_the_desk() -> None:
    short, long = plan(1_000), plan(1_000, post_bytes=1_000.0)
    assert long.analyze_workers == 2 * short.analyze_workers
    assert long.million == {name: size * (1 if name == "desk" else 2) for name, size in short.million.items()}


def test_one_copy_needs_one_server() -> None:
    found = plan(10, given=replace(PLAIN, replication=1, replicas=0))
    assert (found.brokers, found.nodes) == (1, 1)


@pytest.mark.parametrize(
    ("posts_per_s", "days", "enough"),
    [(500, 1, True), (501, 1, False), (100, 17, True), (100, 18, False)],  # half of 2,000; 3,310 bytes each in 0.5 TB
)
def test_one_machine_is_enough_while_it_carries_the_peak_and_holds_the_days(
    posts_per_s: float, days: int, enough: bool
) -> None:
    assert plan(posts_per_s, days=days).one_machine is enough


def test_what_the_settings_do_not_take_is_said() -> None:
    assert plan(10_000, days=1).beyond == [
        "80 partitions of posts, the log takes 64",
        "80 partitions of hits, the log takes 64",
        "893 shards a month, the index takes 64",
    ]


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (1.5e9, "1.5 GB"), (999.6e9, "1 TB"), (2.5e16, "25,000 TB")],
)
def test_bytes_are_said_in_the_largest_unit(number: float, said: str) -> None:
    assert readable_bytes(number) == said


def test_every_plan_has_a_cell_in_every_row() -> None:
    plans = [plan(step) for step in STEPS]
    assert {len(row) for row in plan_rows(plans, days=10)} == {1 + len(STEPS)}


def test_the_page_says_all_of_it(golden: Callable[[str, str], None]) -> None:
    golden("capacity.md", page(MEASURED, PLAIN, [plan(100 * step) for step in STEPS], days=10, models=("G-en",)))


def test_figures_of_other_models_are_not_given_without_a_warning() -> None:
    assert said_of_models(MEASURED, ("G-en",)) == []
    (told,) = said_of_models(MEASURED, ("A-en", "encoder-mul"))
    assert "A-en, encoder-mul came since; G-en went since" in told
    assert f"**{told}**" in page(MEASURED, PLAIN, [plan(1)], days=10, models=("A-en", "encoder-mul"))


def test_the_committed_page_is_that_of_the_committed_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = command_line(capsys, monkeypatch)("capacity", "--page")
    assert answer.status == 0
    assert answer.out == PAGE.read_text("utf-8"), "run: hustings capacity --page > docs/capacity.md"


def test_the_command_says_the_same_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hustings = command_line(capsys, monkeypatch)
    answer = hustings("capacity", "--posts-per-second", "20", "--days", "7", "--json")
    measured = read_measured()
    stream = Stream(posts_per_s=20.0, days=7, post_bytes=measured.post_bytes)
    found = json.loads(answer.out)
    assert answer.status == 0
    assert [p["posts_per_s"] for p in found["plans"]] == [20, 200, 2_000]
    assert found["plans"][0]["analyze_workers"] == plan_for(stream, measured, Assumptions()).analyze_workers
    assert found["measured"]["commit"] == measured.commit


def test_the_command_shows_what_was_carried_what_is_needed_and_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = command_line(capsys, monkeypatch)("capacity", "--posts-per-second", "5")
    assert answer.status == 0
    for word in ("node (Elasticsearch)", "5 posts/s", "500 posts/s", "partitions of posts", "times the mean"):
        assert word in answer.out
