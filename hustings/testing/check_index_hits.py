"""What an index does with the hits of rules."""

from __future__ import annotations

from datetime import timedelta

from hustings.contracts import Outcome
from hustings.testing.index_world import (
    LOG,
    START,
    IndexCheck,
    IndexFactory,
    hit,
    opened,
)

__all__ = ["HITS"]


def check_hits_keep_the_highest_revision(make: IndexFactory) -> None:
    with opened(make) as index:
        first, edited = hit("1"), hit("1", revision=2, withdrawn=True)
        assert index.write_hits([first, first], log_id=LOG) == [Outcome.NEW, Outcome.UNCHANGED]
        assert index.write_hits([hit("1", score=0.5)], log_id=LOG) == [Outcome.CONFLICTING]
        assert index.write_hits([edited], log_id=LOG) == [Outcome.REVISED]
        assert index.write_hits([first], log_id=LOG) == [Outcome.STALE]
        index.refresh()
        assert list(index.hits("rule", "logic")) == [edited]


def check_hits_come_by_rule_in_order_of_time_and_key(make: IndexFactory) -> None:
    """Withdrawn ones too; only of that rule and logic; from `since` on. Each group of a post is a hit of its own."""
    hour = timedelta(hours=1)
    hits = [
        hit("b", t=START + hour),
        hit("a", t=START + hour),
        hit("late", t=START - hour, withdrawn=True),
        hit("a", t=START + hour, group=(("target", "c1"),)),
        hit("a", t=START, rule="other"),
        hit("a", t=START, logic="other"),
    ]
    with opened(make) as index:
        index.write_hits(hits, log_id=LOG)
    with opened(make) as index:
        assert [one.key for one in index.hits("rule", "logic")] == ["src:late", "src:a", "src:a", "src:b"]
        assert [one.key for one in index.hits("rule", "logic", since=START + hour)] == ["src:a", "src:a", "src:b"]
        assert {one.group for one in index.hits("rule", "logic", since=START + hour)} == {(), (("target", "c1"),)}
        assert list(index.hits("rule", "nothing")) == []


def check_many_hits_are_all_read_while_more_are_written(make: IndexFactory) -> None:
    """Reading does not stop writing, and shows each hit once."""
    with opened(make) as index:
        index.write_hits([hit(f"{n:05}", t=START + timedelta(seconds=n % 7)) for n in range(2500)], log_id=LOG)
        index.refresh()
        seen = []
        for number, one in enumerate(index.hits("rule", "logic")):
            seen.append(one.key)
            if number % 500 == 0:
                index.write_hits([hit(f"early {number}", t=START - timedelta(hours=1))], log_id=LOG)
        assert len(seen) == len(set(seen)) == 2500


def check_former_hits_are_those_that_still_stand(make: IndexFactory) -> None:
    with opened(make) as index:
        standing, other_rule = hit("1"), hit("1", rule="other")
        index.write_hits([standing, other_rule, hit("2"), hit("3", withdrawn=True)], log_id=LOG)
        index.write_hits([hit("2", revision=1, withdrawn=True)], log_id=LOG)
        found = index.former_hits(["src:1", "src:2", "src:3", "src:4"])
        assert sorted(found, key=lambda one: one.rule) == [other_rule, standing]
        assert index.former_hits([]) == []


HITS: tuple[IndexCheck, ...] = (
    check_hits_keep_the_highest_revision,
    check_hits_come_by_rule_in_order_of_time_and_key,
    check_many_hits_are_all_read_while_more_are_written,
    check_former_hits_are_those_that_still_stand,
)
