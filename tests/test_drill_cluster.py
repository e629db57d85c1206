"""The drill past one machine, short: a few kills of workers and a fault of a server and of the network each."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.drill_cluster.contents import Contents, differences
from bench.drill_cluster.disturb import Felt
from bench.drill_cluster.report import recoveries, table

UNDISTURBED = Contents(
    posts={"a:1 r0": "x", "a:2 r0": "y"},
    hits={"h1": "x"},
    alerts={"a1": "x"},
    addressed=frozenset({("a1", "partner/hook")}),
    doubled_rows=0,
    undelivered=0,
    unreceived=0,
    dead_letters=8,
    balanced=True,
    books="10 = 2 + 0 + 0 + 0 + 8, 0 unread",
    audited=3,
    repeats=0,
)


def test_what_was_lost_added_changed_or_doubled_is_named() -> None:
    assert differences(UNDISTURBED, UNDISTURBED._replace(repeats=4)) == []
    found = UNDISTURBED._replace(
        posts={"a:1 r0": "z", "a:3 r0": "y"}, alerts={}, addressed=frozenset(), doubled_rows=1, undelivered=2
    )
    assert differences(UNDISTURBED, found) == [
        "1 posts lost (a:2 r0)",
        "1 posts that should not be there (a:3 r0)",
        "1 posts changed (a:1 r0)",
        "1 alerts lost (a1)",
        "1 routes never told of an alert",
        "1 outbox rows doubled",
        "2 outbox rows not delivered",
    ]


def test_recovery_times_are_told_by_fault() -> None:
    felt = [
        Felt(name="controller", kind="fault", recovered_s=8.0, after_mending_s=2.0),
        *(Felt(name="watch worker", kind="worker", recovered_s=seconds) for seconds in (3.0, 5.0, 4.04)),
    ]
    assert table(recoveries(felt)).splitlines()[2:] == [
        "| watch worker | 3     | 4.0                       | 5.0 |                      |     |",
        "| controller   | 1     | 8.0                       | 8.0 | 2.0                  | 2.0 |",
    ]


@pytest.mark.servers
@pytest.mark.xdist_group("drill")
@pytest.mark.timeout(900)
def test_a_short_drill_loses_and_doubles_nothing() -> None:
    command = [sys.executable, "-P", "-m", "bench.drill_cluster", "--json", "--no-control"]
    done = subprocess.run(
        [*command, "--posts", "1500", "--kills", "3", "--faults", "1"], capture_output=True, text=True, timeout=850
    )
    if done.returncode == 2:
        from tests.servers.missing import leave_out

        leave_out("the drill over real servers", RuntimeError(done.stderr.strip()))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert (found["problems"], found["worker_kills"], found["faults"]) == ([], 3, 2)
