"""From the evaluator to the desk: what is withdrawn, comes back and is withdrawn again, in one step or in several,
leaves partners and people with the same last word."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine

from alerts.evaluator import Evaluator
from alerts.rule import RuleSet
from desk import book, outbox, releases, waiting
from desk.database.connect import open_database
from hustings.clock import VirtualClock
from hustings.codebook import Codebook
from hustings.contracts import AlertChanges
from hustings.types import Alert, Hit, Mark, Notice
from tests.test_desk_releases import ANA, LEAD, START, Office, alert, codebook, partner, released, retracted
from tests.test_windows import Seen, mark, rule

__all__ = ["codebook"]  # a fixture

EXAMPLES = int(os.environ.get("WITHDRAWAL_EXAMPLES", "25"))


@pytest.fixture
def office(desk_url: str, codebook: Codebook) -> Iterator[Office]:
    engine = open_database(desk_url)
    yield Office(engine, VirtualClock(START), codebook, partner("north"))
    engine.dispose()


def told(office: Office) -> list[tuple[str, str]]:
    return [(notice.kind, state) for notice, state in book.alert_notices(office.engine, "a-1")]


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alert_that_came_back_within_one_step_waits_for_people(office: Office) -> None:
    office.watch(alert("open", "retract", "reopen"))
    assert office.waiting() == [("a-1", ("reopen",))]
    assert told(office) == [("open", "silent"), ("retract", "silent"), ("reopen", "waiting")]
    assert office.release(LEAD, revision=3).messages == 2


def test_alert_of_a_rule_that_names_nobody_and_came_back_within_one_step_is_sent(office: Office) -> None:
    office.watch(alert("open", "retract", "reopen", review="none"))
    assert office.deliver() == ["north/file reopen", "north/hook reopen"]
    assert office.waiting() == []


def test_released_alert_that_came_back_within_one_step_goes_out_as_open_again(office: Office) -> None:
    released(office)
    office.watch(alert("open", "retract", "reopen"))
    assert office.deliver() == ["north/file reopen", "north/hook reopen"]
    assert office.waiting() == []


def test_withdrawal_that_nobody_confirmed_waits_no_more_once_the_alert_came_back(office: Office) -> None:
    released(office)
    office.watch(retracted())
    assert office.waiting() == [("a-1", ("retract",))]
    office.watch(alert("open", "retract", "reopen"))
    assert office.deliver() == ["north/file reopen", "north/hook reopen"]
    assert (office.waiting(), told(office)[1:]) == ([], [("retract", "silent"), ("reopen", "told")])


def test_alert_that_came_back_after_a_confirmed_withdrawal_waits_for_people(office: Office) -> None:
    released(office)
    office.watch(retracted())
    office.retract(ANA)
    office.deliver()
    office.watch(alert("open", "retract", "reopen"))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("reopen",))]


def test_only_the_last_of_several_withdrawals_waits_for_a_person(office: Office) -> None:
    released(office)
    office.watch(retracted("open"))
    office.watch(retracted("open", "retract", "reopen"))
    assert office.waiting() == [("a-1", ("retract",))]
    assert told(office)[1:] == [("retract", "silent"), ("reopen", "silent"), ("retract", "waiting")]


def test_what_was_proposed_before_a_withdrawal_is_proposed_no_more_when_the_alert_came_back(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    office.watch(alert("open", "retract", "reopen"))
    assert [(each.kinds, each.proposal) for each in waiting.page(office.engine).alerts] == [(("reopen",), None)]


def test_end_in_the_step_of_the_opening_waits_with_it_as_in_two_steps(office: Office) -> None:
    office.watch(alert("open", "resolve", state="resolved", resolved_at=START))
    assert office.waiting() == [("a-1", ("open", "resolve"))]


# ── from the evaluator to the desk ───────────────────────────────────────────────────────────────────────────────

Review = Literal["required", "none"]
_numbers = count()


class Desk:
    """A worker of `watch` with one rule, before a desk on which other such alerts may stand already."""

    def __init__(self, engine: Engine, codebook: Codebook, *, review: Review = "required") -> None:
        self.rule = rule(id=f"r{next(_numbers)}", review=review)
        self.office = Office(engine, VirtualClock(START), codebook, partner("north"))
        self.evaluator = Evaluator(RuleSet(rules=(self.rule,)), partition=0)

    def watch(self, *entries: Seen | Mark) -> None:
        self.record(self.changes(*entries))

    def changes(self, *entries: Seen | Mark) -> AlertChanges:
        return self.evaluator.feed([entry if isinstance(entry, Mark) else self.hit(entry) for entry in entries])

    def record(self, changes: AlertChanges) -> None:
        self.office.book.record(changes, partition=0, epoch=1)

    def restart(self, *posts: Seen) -> None:
        """A new worker, after the index has taken these posts."""
        newest = {post.key: post for post in sorted(posts, key=lambda post: post.revision)}
        hits = [self.hit(post) for post in newest.values()]
        self.evaluator = Evaluator(RuleSet(rules=(self.rule,)), partition=0)
        self.evaluator.restore(hits, [a for a in self.office.book.unsettled() if a.rule == self.rule.id])

    def hit(self, post: Seen) -> Hit:
        return replace(post.hit(), rule=self.rule.id)

    def alerts(self) -> list[Alert]:
        every = book.latest_alerts(self.office.engine, limit=10_000).alerts
        return [alert for alert in every if alert.rule == self.rule.id]

    def release(self) -> None:
        """A lead lets out what waits, and it is delivered."""
        for each in self.alerts():
            releases.release(
                self.office.engine,
                alert_id=each.id,
                revision=each.revision,
                seen=self.office.page(each.id),
                person=LEAD,
                codes=(),
                note="",
                dispatcher=self.office.dispatcher,
                codebook=self.office.codebook,
                clock=self.office.clock,
            )
        self.deliver()

    def deliver(self) -> None:
        self.office.clock.advance(timedelta(seconds=10))
        self.office.deliver()

    def stands(self) -> list[tuple[str, str, tuple[str, ...], list[str]]]:
        """Of each alert: opening anchor, state, what waits, and partners' last word over each route."""
        kinds = {each.alert.id: each.kinds for each in waiting.page(self.office.engine, limit=10_000).alerts}
        return sorted(
            (str(each.opening_anchor), each.state, kinds.get(each.id, ()), self.last_words(each))
            for each in self.alerts()
        )

    def last_words(self, alert: Alert) -> list[str]:
        sent = [row for row in outbox.of_alert(self.office.engine, alert.id) if row.state == "delivered"]
        return sorted(f"{route} {kind}" for route, kind in {row.route: row.kind for row in sent}.items())


@pytest.fixture(scope="module")
def desks(_blank_desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for many `Desk`s: each has a rule of its own."""
    path = shutil.copy(_blank_desk, tmp_path_factory.mktemp("withdrawals") / "desk.db")
    engine = open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()


OPENING = [Seen("f:0", 0, 5), Seen("f:1", 1, 5), Seen("f:2", 2, 5)]
REOPENED = ["north/file reopen", "north/hook reopen"]


def flipped(number: int, times: int) -> list[Seen]:
    """A post that is edited away and back, so often."""
    return [
        Seen(f"f:{number}", number, 5, revision=n, revised_at=5 + n, withdrawn=n % 2 == 1) for n in range(1, times + 1)
    ]


@pytest.mark.parametrize("times", [2, 4, 6])
def test_released_alert_that_comes_and_goes_is_said_to_be_open_again_each_time(
    times: int, desks: Engine, codebook: Codebook
) -> None:
    desk = Desk(desks, codebook)
    desk.watch(*OPENING)
    desk.release()
    for post in flipped(2, times):
        desk.watch(post)
        desk.deliver()
    assert [(state, waiting, words) for _, state, waiting, words in desk.stands()] == [("open", (), REOPENED)]
    (found,) = desk.alerts()
    assert [notice.kind for notice in found.notices] == ["open", *["retract", "reopen"] * (times // 2)]


def test_second_withdrawal_of_the_same_instant_waits_for_a_person(desks: Engine, codebook: Codebook) -> None:
    desk = Desk(desks, codebook)
    desk.watch(*OPENING)
    desk.release()
    for post in flipped(2, 3):
        desk.watch(post._replace(revised_at=6))
    assert [(state, waiting) for _, state, waiting, _ in desk.stands()] == [("retracted", ("retract",))]


def test_second_end_at_the_same_time_is_told(desks: Engine, codebook: Codebook) -> None:
    desk = Desk(desks, codebook)
    desk.watch(*OPENING)
    desk.release()
    desk.watch(mark(200))
    for post in flipped(2, 2):
        desk.watch(post)
    desk.watch(mark(300))
    desk.deliver()
    assert [(state, words) for _, state, _, words in desk.stands()] == [
        ("resolved", ["north/file resolve", "north/hook resolve"])
    ]


def test_crash_between_windows_and_desk_tells_a_return_once_and_a_redo_nothing(
    desks: Engine, codebook: Codebook
) -> None:
    desk = Desk(desks, codebook)
    desk.watch(*OPENING)
    desk.release()
    flips = flipped(2, 4)
    desk.watch(*flips[:3])
    desk.changes(flips[3])  # lost with the worker; the index has the post
    desk.restart(*OPENING, *flips)
    desk.watch(*flips[3:])
    desk.deliver()
    assert [(state, waiting, words) for _, state, waiting, words in desk.stands()] == [("open", (), REOPENED)]
    before = [row.id for row in outbox.of_alert(desk.office.engine, desk.alerts()[0].id)]
    desk.restart(*OPENING, *flips)
    desk.watch(*flips)
    assert [row.id for row in outbox.of_alert(desk.office.engine, desk.alerts()[0].id)] == before


def test_replay_gives_the_same_ids_and_keys(desks: Engine, codebook: Codebook) -> None:
    desk = Desk(desks, codebook)
    desk.watch(*OPENING, *flipped(2, 6), mark(200))
    again = Evaluator(RuleSet(rules=(desk.rule,)), partition=0)
    changes = [again.feed([desk.hit(post)]) for post in [*OPENING, *flipped(2, 6)]] + [again.feed([mark(200)])]
    (found,) = desk.alerts()
    assert changes[-1].alerts == (found,)
    keys = [notice.key for notice in found.notices]
    assert [key.partition("#")[2] for key in keys if key.startswith("reopen:")] == ["", "2", "3"]
    assert [notice.key for change in changes for notice in change.notices] == keys


def stored(desk: Desk, *kinds: str) -> Alert:
    """The alert of the opening as an earlier version wrote it: a key of each kind and time was told once for ever."""
    (found,) = Evaluator(RuleSet(rules=(desk.rule,)), partition=0).feed([desk.hit(post) for post in OPENING]).alerts
    at: dict[str, Any] = {"retract": START + timedelta(seconds=6), "reopen": found.opening_anchor}
    notices = list(found.notices)
    for revision, kind in enumerate(kinds, 2):
        key = f"{kind}:{at[kind].isoformat().replace('+00:00', 'Z')}"
        notices.append(Notice(alert=found.id, kind=kind, key=key, at=at[kind], revision=revision))  # type: ignore[arg-type]
    return replace(found, notices=tuple(notices), revision=len(notices))


def test_return_that_an_earlier_version_told_is_not_told_twice(desks: Engine, codebook: Codebook) -> None:
    desk = Desk(desks, codebook)
    before = stored(desk, "retract", "reopen")
    desk.record(AlertChanges(alerts=(before,), notices=before.notices))
    desk.restart(*OPENING, *flipped(2, 2))
    desk.watch(*flipped(2, 2))
    assert desk.alerts() == [before]
    desk.watch(*flipped(2, 4)[2:])
    assert [notice.key.partition("#")[2] for notice in desk.alerts()[0].notices[3:]] == ["", "2"]


def test_open_alert_whose_return_an_earlier_version_left_untold_is_told_after_the_upgrade(
    desks: Engine, codebook: Codebook
) -> None:
    desk = Desk(desks, codebook)
    before = stored(desk, "retract", "reopen", "retract")
    notices = (*before.notices[:3], replace(before.notices[3], key="retract:2026-10-01T12:00:08Z"))
    before = replace(before, notices=notices)
    desk.record(AlertChanges(alerts=(before,), notices=notices))
    for _ in range(2):
        desk.restart(*OPENING)
        desk.watch()
    (found,) = desk.alerts()
    assert [notice.kind for notice in found.notices] == ["open", "retract", "reopen", "retract", "reopen"]
    assert [(state, waiting) for _, state, waiting, _ in desk.stands()] == [("open", ("reopen",))]


# ── one call or many ─────────────────────────────────────────────────────────────────────────────────────────────

Event = int | Literal["end"]
"""The number of a post that goes if it is there and comes if it is not, or that time goes on until episodes end."""


def entries_of(events: Sequence[Event]) -> list[Seen | Mark]:
    there = {0: 0, 1: 0, 2: 0}  # post: its revision; even ones are there
    entries: list[Seen | Mark] = []
    for now, event in enumerate(events, 6):
        if event == "end":
            entries.append(mark(200 + now))
        else:
            there[event] = there.get(event, -1) + 1
            g = 5 if event < 3 else now - there[event]
            gone = there[event] % 2 == 1
            entries.append(Seen(f"f:{event}", event, g, (), there[event], now if there[event] else None, gone))
    return entries


@pytest.mark.parametrize(
    ("review", "first"), [("required", "waits"), ("required", "sent"), ("none", "waits"), ("none", "sent")]
)
@given(
    st.lists(st.one_of(st.integers(0, 4), st.just("end")), max_size=10),
    st.sets(st.integers(1, 9)),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_entries_in_one_call_or_one_by_one_end_with_the_same_state_last_word_and_waiting_decisions(
    desks: Engine, codebook: Codebook, review: Review, first: str, events: list[Event], cuts: set[int]
) -> None:
    entries = entries_of(events)
    ends = []
    for places in (range(1, len(entries)), (), sorted(cut for cut in cuts if cut < len(entries))):
        desk = Desk(desks, codebook, review=review)
        desk.watch(*OPENING)
        if first == "sent":
            desk.release() if review == "required" else desk.deliver()
        for begin, end in pairwise([0, *places, len(entries)]):
            desk.watch(*entries[begin:end])
        desk.deliver()
        ends.append(desk.stands())
    one_by_one, at_once, in_parts = ends
    assert at_once == one_by_one
    assert in_parts == one_by_one
