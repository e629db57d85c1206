"""`DeskBook` keeps the contract of `AlertBook`, and never touches what people did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from desk import book, queue
from desk.book import DeskBook
from desk.dispatch import Dispatcher
from desk.people import Person
from hustings.clock import VirtualClock
from hustings.contracts import AlertBook, AlertChanges
from hustings.roster import Roster
from hustings.testing.check_alert_book import CHECKS, START, alert, notice
from hustings.types import Amendment, Assessment, QueueEntry


class NoPosts:
    """`desk.posts.Posts` of an empty index."""

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {}


def desk_book(engine: Engine, **memories: timedelta) -> DeskBook:
    dispatcher = Dispatcher((), index=NoPosts(), roster=Roster())
    return DeskBook(engine, dispatcher, VirtualClock(START), memories=memories)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_desk_book_keeps_the_contract(check: Callable[[AlertBook], None], engine: Engine) -> None:
    check(desk_book(engine))


def test_settled_alert_is_forgotten_by_the_memory_of_its_rule(engine: Engine) -> None:
    desk = desk_book(engine, **{"rule-1": timedelta(hours=1)})
    desk.record(AlertChanges(alerts=(alert("old", revision=2, state="resolved"),)), partition=0, epoch=1)
    assert [each.id for each in desk.unsettled()] == ["old"]
    later = START + timedelta(hours=3)
    desk.record(AlertChanges(alerts=(replace(alert("new"), detected_at=later),)), partition=0, epoch=1)
    assert [each.id for each in desk.unsettled()] == ["new"]


def test_alert_page_reads_back_alert_and_notices_in_order(engine: Engine) -> None:
    desk = desk_book(engine)
    made = (notice(), notice(kind="escalate", revision=2))
    desk.record(AlertChanges(alerts=(alert(revision=2),), notices=made), partition=0, epoch=1)
    assert book.alert(engine, "alert-1") == alert(revision=2)
    assert book.alert(engine, "alert-2") is None
    assert book.alert_notices(engine, "alert-1") == [(made[0], "waiting"), (made[1], "waiting")]


def test_list_goes_from_page_to_page_without_gap_or_double(engine: Engine) -> None:
    found = tuple(
        replace(alert(f"a-{number:02}"), detected_at=START + timedelta(minutes=number // 3)) for number in range(10)
    )
    desk_book(engine).record(AlertChanges(alerts=found), partition=0, epoch=1)
    seen: list[str] = []
    after = None
    while True:
        page = book.latest_alerts(engine, limit=3, after=after)
        seen += [each.id for each in page.alerts]
        after = page.next
        if after is None:
            break
    assert seen == [f"a-{number:02}" for number in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]


def test_list_shows_rules_in_shadow_only_when_asked(engine: Engine) -> None:
    found = (alert("live"), replace(alert("shadow"), shadow=True))
    desk_book(engine).record(AlertChanges(alerts=found), partition=0, epoch=1)
    assert [each.id for each in book.latest_alerts(engine).alerts] == ["live"]
    assert [each.id for each in book.latest_alerts(engine, shadow=True).alerts] == ["shadow"]
    assert book.latest_alerts(engine, states=("resolved",)).alerts == ()


def test_amendments_are_listed(engine: Engine) -> None:
    late = Amendment(rule="rule-1", rule_name="polling-date", anchor=START, value=4.0, post="file:4")
    desk_book(engine).record(AlertChanges(amendments=(late, late)), partition=0, epoch=1)
    assert book.amendment_list(engine) == [late]


def test_counters_add_up_over_calls_and_partitions(engine: Engine) -> None:
    desk = desk_book(engine)
    desk.record(AlertChanges(counters={"late": 2, "no_group": 1}), partition=0, epoch=1)
    desk.record(AlertChanges(counters={"late": 3}), partition=0, epoch=1)
    desk.record(AlertChanges(counters={"late": 5}), partition=1, epoch=1)
    assert book.totals(engine) == {"late": 10, "no_group": 1}


def test_redo_leaves_a_claimed_and_a_decided_post_alone(engine: Engine) -> None:
    desk, clock = desk_book(engine), VirtualClock(START)
    ana = Person(id="ana", login="ana", pseudonym="p-ana", role="reviewer")
    entries = tuple(QueueEntry(key=f"f:{n}", rule="r", reason="why", priority=n, at=START) for n in range(2))
    desk.record(AlertChanges(queue=entries), partition=0, epoch=1)
    held = queue.claim(engine, reviewer=ana, clock=clock)
    desk.record(AlertChanges(queue=entries), partition=0, epoch=2)
    assert queue.held(engine, reviewer=ana, clock=clock) == held
    assert queue.depth(engine, clock=clock).waiting == 1


def test_worker_that_lost_its_partition_adds_no_notice(engine: Engine) -> None:
    desk = desk_book(engine)
    desk.record(AlertChanges(alerts=(alert(),), notices=(notice(),)), partition=0, epoch=5)
    zombie = AlertChanges(alerts=(alert(revision=2),), notices=(notice(kind="escalate", revision=2),))
    desk.record(zombie, partition=0, epoch=4)
    assert [each.kind for each, _ in book.alert_notices(engine, "alert-1")] == ["open"]
