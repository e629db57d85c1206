"""What every `contracts.StoryLedger` keeps to. Parametrise a test over `CHECKS`, handing each a factory: every call
opens the same ledger, empty at first, as another process would."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hustings.contracts import StoryLedger, Telling
from hustings.testing.expecting import expect_store_error

__all__ = ["CHECKS", "telling"]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)

Make = Callable[[], StoryLedger]


def telling(number: int, *, revision: int = 0, story: str = "s", place: int = 0) -> Telling:
    """The telling of post `number`."""
    return Telling(
        key=f"file:{number}",
        revision=revision,
        story=story,
        wording=bytes([number % 256]) * 16,
        sketch=bytes(range(256)),
        at=START + timedelta(seconds=number),
        place=place,
    )


def check_new_ledger_is_empty(make: Make) -> None:
    assert make().since(0, limit=10) == []
    with make().turn() as turn:
        assert turn.since(0, limit=10) == []
        assert turn.told([("file:1", 0)]) == {}


def check_what_was_appended_is_read_in_order_with_its_place(make: Make) -> None:
    ledger = make()
    with ledger.turn() as turn:
        assert turn.append([telling(2), telling(1)], after=0) == 2
        assert [one.place for one in turn.since(0, limit=10)] == [1, 2]
    with make().turn() as turn:
        assert turn.append([telling(3)], after=2) == 3
    expected = [telling(2, place=1), telling(1, place=2), telling(3, place=3)]
    assert make().since(0, limit=10) == expected
    assert ledger.since(1, limit=1) == expected[1:2]
    assert ledger.since(3, limit=10) == []


def check_what_was_told_is_found_by_key_and_revision(make: Make) -> None:
    with make().turn() as turn:
        turn.append([telling(1, story="a"), telling(1, revision=5, story="b"), telling(2, story="c")], after=0)
    with make().turn() as turn:
        assert turn.told([]) == {}
        asked = [("file:1", 0), ("file:1", 5), ("file:1", 9), ("file:3", 0), ("file:1", 0)]
        assert turn.told(asked) == {("file:1", 0): "a", ("file:1", 5): "b"}


def check_a_turn_that_fails_leaves_nothing(make: Make) -> None:
    with suppress(RuntimeError), make().turn() as turn:
        turn.append([telling(1)], after=0)
        raise RuntimeError
    assert make().since(0, limit=10) == []
    with make().turn() as turn:
        assert turn.append([telling(2)], after=0) == 1


def check_who_has_not_read_to_the_end_cannot_append(make: Make) -> None:
    with make().turn() as turn:
        turn.append([telling(1), telling(2)], after=0)
    for after in (0, 1, 3):
        with expect_store_error(), make().turn() as turn:
            turn.append([telling(9)], after=after)
    assert [one.key for one in make().since(0, limit=10)] == ["file:1", "file:2"]


def check_what_nobody_remembers_may_be_dropped(make: Make) -> None:
    with make().turn() as turn:
        turn.append([telling(number) for number in range(10)], after=0)
    with make().turn() as turn:
        assert turn.append([telling(10)], after=10, drop_before=6) == 11
    found = [one.place for one in make().since(0, limit=100)]
    assert found == sorted(found)
    assert set(range(6, 12)) <= set(found)


def check_reading_waits_for_nobody(make: Make) -> None:
    with make().turn() as turn:
        turn.append([telling(1)], after=0)
    reader = make()
    with ThreadPoolExecutor(1) as pool, make().turn() as turn:
        turn.append([telling(2)], after=1)
        found = pool.submit(lambda: reader.since(0, limit=10)).result(timeout=30)
    assert [one.place for one in found] == [1]


def check_turns_of_many_workers_never_overlap(make: Make) -> None:
    def work(worker: int) -> None:
        ledger = make()
        for number in range(20):
            with ledger.turn() as turn:
                read = turn.since(0, limit=1000)
                turn.append([telling(worker * 100 + number)], after=len(read))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = make().since(0, limit=1000)
    assert [one.place for one in found] == list(range(1, 161))
    assert len({one.key for one in found}) == 160


CHECKS: tuple[Callable[[Make], None], ...] = (
    check_new_ledger_is_empty,
    check_what_was_appended_is_read_in_order_with_its_place,
    check_what_was_told_is_found_by_key_and_revision,
    check_a_turn_that_fails_leaves_nothing,
    check_who_has_not_read_to_the_end_cannot_append,
    check_what_nobody_remembers_may_be_dropped,
    check_reading_waits_for_nobody,
    check_turns_of_many_workers_never_overlap,
)
