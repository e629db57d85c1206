"""alert-rules.md §3 written down a second time, and slowly: whatever a line changes is worked out anew from all posts.

It stands beside the evaluator without sharing anything with it, for rules whose `where` is `score.G:>=0.5`. What the
text leaves open is decided as the evaluator does and marked with "open in the text".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

from hustings.types import Assessment

__all__ = ["INSTANT", "Asked", "Expected", "expected"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=2)
INSTANT = timedelta(microseconds=1)

Group = tuple[tuple[str, str], ...]
Values = frozenset[str]
Holds: dict[str, Callable[[int, int], bool]] = {
    "gte": lambda value, number: value >= number,
    "gt": lambda value, number: value > number,
    "lte": lambda value, number: value <= number,
    "lt": lambda value, number: value < number,
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A rule. `match` has neither window nor condition; a window of one instant and "1 or more" come to the same."""

    kind: str
    group_by: tuple[str, ...] = ()
    buckets: bool = False
    of: str = ""
    window: timedelta = INSTANT
    lateness: timedelta = timedelta(0)
    comparator: str = "gte"
    number: int = 1
    min_posts: int = 0
    resolve_after: timedelta = timedelta(hours=1)
    renotify: timedelta | None = None
    escalate: tuple[int, ...] = ()
    step: timedelta | None = None


class Seen(NamedTuple):
    """A post in a window: event time, key, values of `of`."""

    t: datetime
    key: str
    values: Values


class Crossing(NamedTuple):
    value: int
    posts: tuple[Seen, ...]


@dataclass
class Alert:
    """One row: `anchor` is the opening anchor known when it was made."""

    anchor: datetime
    detected: datetime
    reminded: datetime
    state: str = "open"
    opened: datetime = EPOCH
    last: datetime = EPOCH
    resolved: datetime | None = None
    value: int = 0
    notices: list[tuple[str, datetime]] = field(default_factory=list)
    told: set[object] = field(default_factory=set)

    def tell(self, kind: str, at: datetime, about: object = None) -> None:
        if kind != "escalate" or about not in self.told:  # a threshold is told of once, all else each time it happens
            self.told.add(about)
            self.notices.append((kind, at))


class Expected(NamedTuple):
    """`episodes`: (group, opened, last crossing, state, value, evidence) · `amendments`: (group, post, anchor, value) ·
    `rows`: (group, opened, last crossing, state, value, detected, resolved, notices), merged and retracted ones too;
    None for a tick-driven rule."""

    episodes: list[tuple[Any, ...]]
    amendments: list[tuple[Any, ...]]
    rows: list[tuple[Any, ...]] | None


def expected(asked: Asked, assessments: Sequence[Assessment], *, until: datetime | None) -> Expected:
    """What `rules run` has to tell; a tick-driven rule needs `until`."""
    entering = sorted(assessments, key=lambda one: one.post.collected_at)
    if until is not None:
        entering = [one for one in entering if one.post.collected_at <= until]
    posts: dict[str, _Post] = {}
    history = _Rows(asked)
    now = EPOCH
    for one in entering:
        if one.post.collected_at > now:
            now = one.post.collected_at
            history.advance(now - INSTANT)  # a post of this very instant may still come
        post = posts.setdefault(one.key, _Post(one.ingested_at))
        touched = set(post.counted)
        post.take(asked, one)
        for group in sorted(touched | set(post.counted)):
            history.look(group, _members(posts, group), now)
    history.advance(until or datetime(2100, 1, 1, tzinfo=UTC))
    horizon = None if until is None else until - asked.lateness
    return Expected(_episodes(asked, posts, horizon), _amendments(asked, posts, horizon), history.told())


# ── which posts count (§3.1 to §3.3) ─────────────────────────────────────────────────────────────────────────────


class _Post:
    """One key: what of it counts, by group, and what is late, after the revisions so far."""

    def __init__(self, g: datetime) -> None:
        self.g = g
        self.t: datetime | None = None
        self.revision = -1
        self.counted: dict[Group, Values] = {}
        self.late: dict[Group, Values] = {}

    def take(self, asked: Asked, one: Assessment) -> None:
        if one.post.revision <= self.revision:
            return  # the highest revision is the truth, and of the same revision the first one in the log
        self.revision = one.post.revision
        published, former_t = one.post.published_at, self.t
        self.t = t = self.g if published > self.g + AHEAD else published
        hits = _hits(asked, one)
        if self.g - t > asked.lateness:
            self.counted, self.late = {}, hits
        elif self.revision == 0 or one.post.collected_at - t <= asked.lateness:
            self.counted, self.late = hits, {}
        else:
            # A late revision opens and enlarges nothing, but withdraws. Open in the text: it keeps a hit that has
            # some of its values still and has not moved in time.
            kept = {g: values & hits[g] for g, values in self.counted.items() if g in hits and former_t == t}
            self.counted = {group: values for group, values in kept.items() if values or not hits[group]}
            self.late = {g: v for g, v in hits.items() if g not in self.counted or v - self.counted[g]}


def _hits(asked: Asked, one: Assessment) -> dict[Group, Values]:
    if one.post.deleted or one.scores.get("G", 0) < 0.5:
        return {}
    fields = [
        [(name, value) for value in _read(one, name) or ([""] if asked.buckets else [])] for name in asked.group_by
    ]
    if asked.kind == "match":
        fields.append([("story", one.story) if one.story else ("key", one.key)])
    return dict.fromkeys(product(*fields), frozenset(_read(one, asked.of)) if asked.of else frozenset())


def _read(one: Assessment, name: str) -> list[str]:
    several = {"aimed_at": [t.id for t in one.targets if t.role == "aimed_at"], "hashtag": list(one.post.hashtags)}
    return several.get(name, [one.post.author] if one.post.author else [])


def _members(posts: Mapping[str, _Post], group: Group) -> list[Seen]:
    return [Seen(p.t, key, p.counted[group]) for key, p in posts.items() if p.t is not None and group in p.counted]


# ── crossings and episodes (§3.5 to §3.8) ────────────────────────────────────────────────────────────────────────


def _anchors(asked: Asked, members: Sequence[Seen], horizon: datetime | None) -> list[datetime]:
    if asked.step is None or not members:
        return sorted({seen.t for seen in members})
    assert horizon is not None
    anchor = EPOCH - (EPOCH - min(members).t) // asked.step * asked.step  # the first tick at or after the first post
    anchors = []
    while anchor <= horizon:
        anchors.append(anchor)
        anchor += asked.step
    return anchors


def _look(asked: Asked, members: Sequence[Seen], anchor: datetime) -> Crossing:
    inside = tuple(sorted(seen for seen in members if anchor - asked.window < seen.t <= anchor))
    values = frozenset().union(*(seen.values for seen in inside))
    return Crossing({"match": min(1, len(inside)), "distinct": len(values)}.get(asked.kind, len(inside)), inside)


def _crossings(asked: Asked, members: Sequence[Seen], anchors: Sequence[datetime]) -> dict[datetime, Crossing]:
    seen = {anchor: _look(asked, members, anchor) for anchor in anchors}
    return {
        anchor: crossing
        for anchor, crossing in seen.items()
        if Holds[asked.comparator](crossing.value, asked.number) and len(crossing.posts) >= asked.min_posts
    }


def _chains(anchors: Sequence[datetime], reach: timedelta) -> list[list[datetime]]:
    chains: list[list[datetime]] = []
    for anchor in sorted(anchors):
        if chains and anchor - chains[-1][-1] <= reach:
            chains[-1].append(anchor)
        else:
            chains.append([anchor])
    return chains


def _value(asked: Asked, crossings: Sequence[Crossing]) -> int:
    return (min if asked.step else max)(crossing.value for crossing in crossings)


def _evidence(crossings: Sequence[Crossing]) -> list[str]:
    return [key for _, key in sorted({(seen.t, seen.key) for crossing in crossings for seen in crossing.posts})]


def _episodes(asked: Asked, posts: Mapping[str, _Post], horizon: datetime | None) -> list[tuple[Any, ...]]:
    """What is a function of the set of posts (§3.9)."""
    episodes: list[tuple[Any, ...]] = []
    for group in {group for post in posts.values() for group in post.counted}:
        members = _members(posts, group)
        crossings = _crossings(asked, members, _anchors(asked, members, horizon))
        for chain in _chains(list(crossings), asked.resolve_after):
            within = [crossings[anchor] for anchor in chain]
            state = "resolved" if horizon is None or horizon > chain[-1] + asked.resolve_after else "open"
            episodes.append((group, chain[0], chain[-1], state, _value(asked, within), _evidence(within)))
    return sorted(episodes)


def _amendments(asked: Asked, posts: Mapping[str, _Post], horizon: datetime | None) -> list[tuple[Any, ...]]:
    """(group, post, anchor, value) over the posts on time and the late ones with smaller (g, key) (§3.3)."""
    found: list[tuple[Any, ...]] = []
    late = sorted((post.g, key) for key, post in posts.items() if post.late)
    for group in {group for post in posts.values() for group in post.late}:
        on_time = _members(posts, group)
        before = {seen.key: seen for seen in on_time}
        for key in (key for _, key in late if group in posts[key].late):
            t = posts[key].t
            assert t is not None
            after = before | {key: Seen(t, key, posts[key].late[group])}
            # Open in the text: a late post does not make a group be seen, so it makes no ticks.
            ticks = _anchors(asked, on_time, horizon) if asked.step else None
            was, now = (
                _crossings(asked, list(members), ticks if ticks is not None else _anchors(asked, members, None))
                for members in (list(before.values()), list(after.values()))
            )
            anchors = set(was) ^ set(now) if asked.step else set(now)
            if key in before and not asked.step:  # open in the text: more values of a post that counts already
                anchors = {anchor for anchor in now if anchor not in was or now[anchor].value > was[anchor].value}
            values = {a: _look(asked, list(after.values()), a).value for a in anchors if t <= a < t + asked.window}
            if values:
                largest = max(values.values())
                found.append((group, key, min(a for a, value in values.items() if value == largest), largest))
            before = after
    return sorted(found)


# ── rows and notices (§3.8 to §3.12) ─────────────────────────────────────────────────────────────────────────────


class _Rows:
    """The rows of a rule, line by line."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._rows: dict[Group, list[Alert]] = {}
        self._crossings: dict[Group, dict[datetime, Crossing]] = {}

    def advance(self, now: datetime) -> None:
        horizon, reach, every = now - self._asked.lateness, self._asked.resolve_after, self._asked.renotify
        for row in (row for rows in self._rows.values() for row in rows if row.state == "open"):
            while every and row.reminded + every <= horizon and row.reminded + every < row.last + reach:
                row.reminded += every
                row.tell("renotify", row.reminded)
            if horizon > row.last + reach:
                row.state, row.resolved = "resolved", row.last + reach
                row.tell("resolve", row.last + reach)

    def look(self, group: Group, members: Sequence[Seen], now: datetime) -> None:
        """Chains of crossings anew, and for each the row that had most to do with it."""
        if self._asked.step is not None:
            return
        was, crossings = (
            self._crossings.get(group, {}),
            _crossings(self._asked, members, _anchors(self._asked, members, None)),
        )
        self._crossings[group] = crossings
        rows, reach = self._rows.setdefault(group, []), self._asked.resolve_after
        added = sorted(set(crossings) - set(was))
        chains = _chains(list(crossings), reach)
        heirs: list[list[Alert]] = [[] for _ in chains]
        for row in (row for row in rows if row.state in ("open", "resolved")):
            left = {anchor for anchor in was if row.opened <= anchor <= row.last and anchor in crossings}
            left = left or {anchor for anchor in added if row.opened - reach <= anchor <= row.last + reach}
            homes = [number for number, chain in enumerate(chains) if left & set(chain)]
            if homes:
                opening = [n for n in homes if chains[n][0] <= row.anchor <= chains[n][-1]]
                heirs[(opening or homes)[0]].append(row)
            else:
                row.state, row.resolved = "retracted", None
                row.tell("retract", now)
        for chain, candidates in zip(chains, heirs, strict=True):
            self._stand(rows, chain, sorted(candidates, key=lambda row: row.anchor), crossings, added, now)

    def _stand(
        self,
        rows: list[Alert],
        chain: list[datetime],
        candidates: list[Alert],
        crossings: Mapping[datetime, Crossing],
        added: Sequence[datetime],
        now: datetime,
    ) -> None:
        new = [anchor for anchor in chain if anchor in added]
        if candidates:
            row, *others = candidates
            for other in others:
                other.state, other.resolved = "merged", None
                other.tell("merge", min(new, default=other.opened), id(row))
            if row.state == "resolved" and new:
                row.state, row.resolved = "open", None
                row.tell("reopen", new[0])
        else:
            former = [row for row in rows if row.anchor == chain[0] and row.state in ("retracted", "merged")]
            row = former[0] if former else Alert(anchor=chain[0], detected=now, reminded=chain[0])
            row.tell("reopen" if former else "open", chain[0])
            row.state, row.resolved = "open", None
            rows += [] if former else [row]
        row.opened, row.last = chain[0], chain[-1]
        row.resolved = row.last + self._asked.resolve_after if row.state == "resolved" else None
        row.value = _value(self._asked, [crossings[anchor] for anchor in chain])
        for threshold in self._asked.escalate:
            reached = [anchor for anchor in chain if crossings[anchor].value >= threshold]
            if reached:
                row.tell("escalate", reached[0], threshold)

    def told(self) -> list[tuple[Any, ...]] | None:
        if self._asked.step is not None:
            return None
        return sorted(
            (group, row.opened, row.last, row.state, row.value, row.detected, str(row.resolved), row.notices)
            for group, rows in self._rows.items()
            for row in rows
        )
