"""A rule as a value: what a rule file says, read, checked and with its defaults filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Literal

from msgspec import Struct

from alerts.markings import Severity, Tlp
from hustings.query import Query
from hustings.roster import Phase, Roster
from hustings.types import hash_id

__all__ = [
    "Evidence",
    "KindName",
    "Limits",
    "Outcome",
    "Route",
    "Rule",
    "RuleSet",
    "State",
    "When",
]

KindName = Literal["match", "count", "distinct"]
State = Literal["draft", "shadow", "active", "retired"]
Outcome = Literal["alert", "review"]
Pick = Literal["newest", "oldest", "highest_score", "highest_score_per_author"]


class When(Struct, frozen=True, kw_only=True):
    """The condition on a window's number. All comparators given have to hold."""

    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None

    @property
    def is_monotone(self) -> bool:
        """Can more posts only make it true? Then it is evaluated on arrival, else at ticks behind the horizon."""
        return self.lte is None and self.lt is None

    def holds(self, value: float) -> bool:
        """Does `value` meet every comparator?"""
        return (
            (self.gte is None or value >= self.gte)
            and (self.gt is None or value > self.gt)
            and (self.lte is None or value <= self.lte)
            and (self.lt is None or value < self.lt)
        )


class Evidence(Struct, frozen=True, kw_only=True):
    """How many posts are shown in what is delivered, and which (`alerts.shown`); the alert itself keeps all of them."""

    samples: int = 5
    pick: Pick = "highest_score_per_author"


class Limits(Struct, frozen=True, kw_only=True):
    """Beyond `max_groups` new groups are unknown."""

    max_groups: int | None = None


class Route(Struct, frozen=True, kw_only=True):
    """For whom an alert is: severity, TLP 2.0 marking, topics."""

    severity: Severity = "medium"
    tlp: Tlp = "AMBER"
    topics: tuple[str, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    """One rule. `logic` is the hash of everything that decides when it fires: a rule whose
    hash changed starts anew. After the day `expires` (UTC) it fires no more, and what it told goes on to its end.
    `window` is None for `match`; `step` stands only in tick-driven rules; `sample` is the share of matching posts that
    a rule with the outcome `review` puts into the queue."""

    id: str
    name: str
    kind: KindName
    query: Query
    logic: str
    version: int = 1
    state: State = "active"
    owner: str = ""
    expires: date | None = None
    why: str = ""
    outcome: Outcome = "alert"
    group_by: tuple[str, ...] = ()
    on_missing_group: Literal["skip", "bucket"] = "skip"
    of: str | None = None
    window: timedelta | None = None
    lateness: timedelta = timedelta(0)
    when: When = When(gte=1)
    min_posts: int = 0
    step: timedelta | None = None
    expect: tuple[str, ...] = ()
    active_from: datetime | None = None
    resolve_after: timedelta = timedelta(hours=1)
    renotify: timedelta | None = None
    escalate: tuple[float, ...] = ()
    evidence: Evidence = Evidence()
    limits: Limits = Limits()
    review: Literal["required", "none"] = "required"
    route: Route = Route()
    sample: float = 1.0

    @property
    def ends(self) -> datetime | None:
        """The last instant for which it fires: of the first collection of a post, or of a tick."""
        return None if self.expires is None else datetime.combine(self.expires, time.max, UTC)

    @property
    def is_tick_driven(self) -> bool:
        """Are its anchors ticks of the clock rather than the posts' times?"""
        return not self.when.is_monotone

    @property
    def span(self) -> timedelta:
        """How far back of the horizon a post can still matter: window and `resolve_after` together."""
        return (self.window or timedelta(0)) + self.resolve_after


class RuleSet(Struct, frozen=True, kw_only=True):
    """Checked rules, in the order of their files. `warnings` are ready-made lines for the operator. `roster` and
    `phases` are those that the rules were read with; `group_by` may need them."""

    rules: tuple[Rule, ...] = ()
    warnings: tuple[str, ...] = ()
    roster: Roster | None = None
    phases: tuple[Phase, ...] = ()

    @property
    def evaluated(self) -> tuple[Rule, ...]:
        """Those that run: shadow and active ones."""
        return tuple(rule for rule in self.rules if rule.state in ("shadow", "active"))

    def expired(self, now: datetime) -> tuple[Rule, ...]:
        """Those that would run, had they not ended by then."""
        return tuple(rule for rule in self.evaluated if rule.ends is not None and rule.ends < now)

    @property
    def hash(self) -> str:
        """Changes whenever any rule's logic, version or state does: names the rule set that was active."""
        return reduce(
            lambda former, rule: hash_id(former, rule.id, rule.logic, str(rule.version), rule.state), self.rules, ""
        )
