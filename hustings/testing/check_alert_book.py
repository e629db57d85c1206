"""What every `contracts.AlertBook` keeps to. Parametrise a test over `CHECKS`, handing each a fresh, empty book."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec

from hustings.contracts import AlertBook, AlertChanges
from hustings.types import Alert, AlertState, Amendment, Notice, NoticeKind, QueueEntry

__all__ = ["CHECKS", "START", "alert", "notice"]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


def alert(name: str = "alert-1", *, revision: int = 1, state: AlertState = "open", value: float = 3.0) -> Alert:
    """An alert as `watch` makes it; it names nobody and needs a person."""
    return Alert(
        id=name,
        rule="rule-1",
        rule_name="polling-date",
        rule_version=1,
        logic="logic-1",
        revision=revision,
        state=state,
        opening_anchor=START,
        opened_at=START,
        last_crossing_at=START + timedelta(minutes=revision),
        resolved_at=START + timedelta(hours=1) if state == "resolved" else None,
        detected_at=START,
        value=value,
        evidence=("file:1", "file:2", "file:3"),
        topics=("voting",),
    )


def notice(name: str = "alert-1", kind: NoticeKind = "open", *, revision: int = 1) -> Notice:
    """A notice as `watch` makes it."""
    return Notice(alert=name, kind=kind, key=f"{name}|{kind}|{revision}", at=START, revision=revision)


def _record(book: AlertBook, *alerts: Alert, epoch: int = 1) -> None:
    notices = tuple(notice(a.id, revision=a.revision) for a in alerts)
    book.record(AlertChanges(alerts=alerts, notices=notices), partition=0, epoch=epoch)


def check_new_book_has_nothing_unsettled(book: AlertBook) -> None:
    assert book.unsettled() == []


def check_recorded_alert_is_unsettled_as_it_was_written(book: AlertBook) -> None:
    _record(book, alert())
    assert book.unsettled() == [alert()]


def check_recording_twice_changes_nothing(book: AlertBook) -> None:
    _record(book, alert())
    _record(book, alert())
    assert book.unsettled() == [alert()]


def check_higher_revision_overwrites(book: AlertBook) -> None:
    _record(book, alert())
    _record(book, alert(revision=2, value=9.0))
    assert book.unsettled() == [alert(revision=2, value=9.0)]


def check_same_revision_updates_the_row_between_notices(book: AlertBook) -> None:
    _record(book, alert(value=3.0))
    book.record(AlertChanges(alerts=(alert(value=4.0),)), partition=0, epoch=1)
    assert book.unsettled() == [alert(value=4.0)]


def check_lower_revision_never_overwrites(book: AlertBook) -> None:
    _record(book, alert(revision=3))
    _record(book, alert(revision=2))
    assert book.unsettled() == [alert(revision=3)]


def check_worker_that_lost_its_partition_changes_nothing(book: AlertBook) -> None:
    _record(book, alert(revision=1), epoch=5)
    _record(book, alert(revision=2), epoch=4)
    assert book.unsettled() == [alert(revision=1)]


def check_new_owner_of_a_partition_goes_on_at_the_same_revision(book: AlertBook) -> None:
    _record(book, alert(value=3.0), epoch=5)
    _record(book, alert(value=4.0), epoch=6)
    assert book.unsettled() == [alert(value=4.0)]


def check_stale_alert_does_not_stop_its_neighbours(book: AlertBook) -> None:
    _record(book, alert("a", revision=3), epoch=2)
    _record(book, alert("a", revision=4), alert("b"), epoch=1)
    assert book.unsettled() == [alert("a", revision=3), alert("b")]


def check_freshly_resolved_alert_is_still_unsettled(book: AlertBook) -> None:
    _record(book, alert(revision=2, state="resolved"))
    assert book.unsettled() == [alert(revision=2, state="resolved")]


def check_alert_settled_long_ago_is_not_read_again(book: AlertBook) -> None:
    _record(book, alert("old", revision=2, state="resolved"))
    later = START + timedelta(days=4000)
    times = {"opening_anchor": later, "opened_at": later, "last_crossing_at": later, "detected_at": later}
    recent = msgspec.structs.replace(alert("new"), **times)
    _record(book, recent)
    assert book.unsettled() == [recent]


def check_alert_settled_long_ago_is_read_by_a_worker_whose_hits_go_no_further(book: AlertBook) -> None:
    old = alert("old", revision=2, state="resolved")
    later = START + timedelta(days=4000)
    times = {"opening_anchor": later, "opened_at": later, "last_crossing_at": later, "detected_at": later}
    recent = msgspec.structs.replace(alert("new"), **times)
    _record(book, old, recent)
    assert book.unsettled(as_of=START) == [recent, old]
    assert book.unsettled(as_of=later) == [recent]


def check_all_or_nothing(book: AlertBook) -> None:
    stray = Notice(alert="never-written", kind="open", key="k", at=START, revision=1)
    try:
        book.record(AlertChanges(alerts=(alert(),), notices=(stray,)), partition=0, epoch=1)
    except Exception:  # which one is the implementation's; what counts is that nothing was written
        assert book.unsettled() == []
    else:
        raise AssertionError("a notice without its alert was taken")


def check_amendments_and_entries_may_come_again(book: AlertBook) -> None:
    amendment = Amendment(rule="rule-1", rule_name="polling-date", anchor=START, value=4.0, post="file:4")
    entry = QueueEntry(key="file:1", rule="rule-2", reason="flagged", priority=1.0, at=START)
    changes = AlertChanges(amendments=(amendment, amendment), queue=(entry, entry))
    book.record(changes, partition=0, epoch=1)
    book.record(changes, partition=0, epoch=1)


def check_no_changes_are_no_error(book: AlertBook) -> None:
    book.record(AlertChanges(), partition=0, epoch=1)
    assert book.unsettled() == []


def check_partitions_may_record_at_once(book: AlertBook) -> None:
    def fill(partition: int) -> None:
        for number in range(10):
            changes = AlertChanges(alerts=(alert(f"{partition}-{number}"),))
            book.record(changes, partition=partition, epoch=1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(8)))
    assert len(book.unsettled()) == 80


CHECKS: tuple[Callable[[AlertBook], None], ...] = (
    check_new_book_has_nothing_unsettled,
    check_recorded_alert_is_unsettled_as_it_was_written,
    check_recording_twice_changes_nothing,
    check_higher_revision_overwrites,
    check_same_revision_updates_the_row_between_notices,
    check_lower_revision_never_overwrites,
    check_worker_that_lost_its_partition_changes_nothing,
    check_new_owner_of_a_partition_goes_on_at_the_same_revision,
    check_stale_alert_does_not_stop_its_neighbours,
    check_freshly_resolved_alert_is_still_unsettled,
    check_alert_settled_long_ago_is_not_read_again,
    check_alert_settled_long_ago_is_read_by_a_worker_whose_hits_go_no_further,
    check_all_or_nothing,
    check_amendments_and_entries_may_come_again,
    check_no_changes_are_no_error,
    check_partitions_may_record_at_once,
)
