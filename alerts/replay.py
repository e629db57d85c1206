"""Rules over a file of assessments, with the evaluator of production and a virtual clock.

Posts enter in the order of `collected_at`, ties in the order given; the progress marks come from them. At the end the
clock runs on: to `until`, or until every episode has settled. A tick-driven rule is not evaluated beyond the last post
unless `until` says so: no data is not zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from alerts.evaluator import Evaluator
from alerts.matcher import Matcher, event_time
from alerts.rule import Rule, RuleSet
from hustings.contracts import AlertChanges
from hustings.types import Alert, Amendment, Assessment, Hit, Mark, QueueEntry

__all__ = ["ReplayClock", "Replayed", "replay"]

ReplayClock = Literal["as-collected", "as-posted"]

_INSTANT = timedelta(microseconds=1)
_BEYOND = timedelta(seconds=1)
"""How far the clock runs past the last thing that waits for it: a whole second reads better than a microsecond."""


class Replayed(Struct, frozen=True, kw_only=True):
    """What the rules would have told. Alerts are sorted by (opened_at, rule name, group), amendments by (anchor, rule
    name, group, post). `as_of` is where the clock stood in the end, None when no post came."""

    alerts: tuple[Alert, ...]
    amendments: tuple[Amendment, ...]
    queue: tuple[QueueEntry, ...]
    counters: dict[str, int]
    as_of: datetime | None


class _Arrival(NamedTuple):
    """Hits that come in at one time."""

    at: datetime
    hits: tuple[Hit, ...]


def replay(
    ruleset: RuleSet,
    assessments: Iterable[Assessment],
    *,
    clock: ReplayClock = "as-collected",
    until: datetime | None = None,
) -> Replayed:
    """Run every rule of the set, whatever its state and `expires`. `as-posted` lets each post be collected when it was
    published (g = t), its edits as long after that as they were in truth. Posts collected after `until` do not enter.
    """
    counters: Counter[str] = Counter(dict.fromkeys(_ALWAYS_COUNTED, 0))
    entering = _as_posted(assessments) if clock == "as-posted" else list(assessments)
    entering.sort(key=lambda assessment: assessment.post.collected_at)
    if until is not None:
        entering = [assessment for assessment in entering if assessment.post.collected_at <= until]
    running = replace(ruleset, rules=tuple(replace(rule, state="active", expires=None) for rule in ruleset.rules))
    arrivals = _arrivals(running, entering, counters)
    last = entering[-1].post.collected_at if entering else None
    as_of = until if until is not None else last
    alerts: list[Alert] = []
    amendments: list[Amendment] = []
    queue: list[QueueEntry] = []
    for rule in running.rules:
        evaluator = Evaluator(replace(running, rules=(rule,)), partition=0, memory=None)
        entries: list[Hit | Mark] = []
        for arrival in arrivals.get(rule.id, ()):
            entries += (_mark(arrival.at), *arrival.hits)
        mine = [evaluator.feed(entries)]
        end = until or _end(rule, evaluator, last)
        if end is not None:
            mine.append(evaluator.feed([_mark(end + _INSTANT)]))  # everything up to and including `end` has entered
            as_of = end if as_of is None else max(as_of, end)
        alerts += evaluator.alerts()
        amendments += evaluator.amendments()
        queue += [entry for changes in mine for entry in changes.queue]
        _count(mine, counters)
    return Replayed(
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.opened_at, alert.rule_name, alert.group, alert.id))),
        amendments=tuple(sorted(amendments, key=lambda one: (one.anchor, one.rule_name, one.group, one.post))),
        queue=tuple({entry.id: entry for entry in reversed(queue)}.values())[::-1],
        counters=dict(counters),
        as_of=as_of,
    )


_ALWAYS_COUNTED = ("posts", "revised", "unchanged", "stale", "conflicting", "late", "no_group", "behind_horizon")
"""posts: distinct keys · revised, unchanged, stale (an older revision after a newer one), conflicting (the same
revision with other content; the first one stays): further lines of a key · late, no_group: posts that a rule matches,
once per rule · behind_horizon: hits that counted although the horizon had passed them. Further counters appear when
they are not zero."""


def _arrivals(ruleset: RuleSet, entering: Sequence[Assessment], counters: Counter[str]) -> dict[str, list[_Arrival]]:
    """The hits of each rule (by id) in order of arrival, revisions of a post after what they replace."""
    matcher = Matcher(ruleset)
    lateness = {rule.id: rule.lateness for rule in ruleset.rules}
    stored: dict[str, Assessment] = {}
    hits_by_key: dict[str, tuple[Hit, ...]] = {}
    late: set[tuple[str, str]] = set()
    no_group: set[tuple[str, str]] = set()
    arrivals: dict[str, list[_Arrival]] = {}
    for given in entering:
        key, former = given.key, stored.get(given.key)
        counted = "posts" if former is None else _outcome(given, former)
        counters[counted] += 1
        if counted not in ("posts", "revised"):
            continue
        ingested = given.ingested_at if former is None else former.ingested_at
        assessment = stored[key] = replace(given, first_collected_at=ingested)
        if assessment.post.published_at != event_time(assessment):
            counters["published_ahead"] += 1
        matched = matcher.match_one(assessment)
        hits = list(matched.hits) if former is None else matcher.revise(assessment, hits_by_key.get(key, ()))
        no_group.update((rule, key) for rule in matched.no_group)
        late.update((hit.rule, key) for hit in matched.hits if hit.g - hit.t > lateness[hit.rule])
        hits_by_key[key] = tuple(hit for hit in hits if not hit.withdrawn)
        for rule in dict.fromkeys(hit.rule for hit in hits):
            of_rule = tuple(hit for hit in hits if hit.rule == rule)
            arrivals.setdefault(rule, []).append(_Arrival(given.post.collected_at, of_rule))
    counters["late"] += len(late)
    counters["no_group"] += len(no_group)
    return arrivals


def _outcome(given: Assessment, stored: Assessment) -> str:
    """What a further line of a key is, by the rules of the index."""
    if given.post.revision != stored.post.revision:
        return "revised" if given.post.revision > stored.post.revision else "stale"
    return "unchanged" if _content(given) == _content(stored) else "conflicting"


def _content(assessment: Assessment) -> Assessment:
    """Without what a further collection changes by itself."""
    post = replace(
        assessment.post, collected_at=assessment.post.published_at, collector="", evidence="", reach=0, stream="keyword"
    )
    return replace(assessment, post=post, first_collected_at=None, assessed_at=None, models={})


def _as_posted(assessments: Iterable[Assessment]) -> list[Assessment]:
    """Each post collected when it was published; an edit or deletion as long afterwards as it was in truth."""
    given = list(assessments)
    shift: dict[str, timedelta] = {}
    for assessment in sorted(given, key=lambda one: one.post.collected_at):
        shift.setdefault(assessment.key, assessment.post.published_at - assessment.ingested_at)
    moved: list[Assessment] = []
    for assessment in given:
        by, ingested = shift[assessment.key], assessment.first_collected_at
        moved.append(
            replace(
                assessment,
                post=replace(assessment.post, collected_at=assessment.post.collected_at + by),
                first_collected_at=None if ingested is None else ingested + by,
            )
        )
    return moved


def _mark(at: datetime) -> Mark:
    return Mark(partition=0, offset=0, at=at)


def _end(rule: Rule, evaluator: Evaluator, last: datetime | None) -> datetime | None:
    """Where the clock stops without `until`: at the last post, or once everything has settled."""
    settles_at = evaluator.settles_at()
    if last is None or settles_at is None or rule.is_tick_driven:
        return last
    return last if settles_at <= last else settles_at.replace(microsecond=0) + _BEYOND


def _count(changes: Sequence[AlertChanges], counters: Counter[str]) -> None:
    """Add what the evaluator counted; late posts are counted once per rule already, not once per group."""
    for one in changes:
        for name, count in one.counters.items():
            if name != "late":
                counters[name] += count
