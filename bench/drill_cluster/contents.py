"""What stands in the stores after a run, and what a disturbed run lost, doubled or changed against an undisturbed one.

Contents are compared, never counters of processes or requests: a post by everything that its assessment says, a hit
and an alert likewise.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from desk import audit, outbox
from hustings import wire
from hustings.types import Alert, Assessment
from ingest.dead_letters import read_dead_letters
from runtime import build
from runtime.demo.run import EVERYTHING, Demo
from runtime.status import books_of

__all__ = ["Contents", "contents", "differences", "fix_pseudonyms"]

KEY = "d0" * 32
"""Of the pseudonyms of all the elections that are compared: with a key of its own each would name authors anew."""
UNFINISHED = ("queued", "sending", "retrying", "dead")
SHOWN = 3
"""Ids that a difference names, to look for."""


class Contents(NamedTuple):
    """By id, a digest of everything that is said of it. `addressed` are the pairs of alert and route to which at least
    one message went; what is in `undelivered` has not arrived, and of `unreceived` the partner knows nothing although
    it counts as delivered."""

    posts: Mapping[str, str]
    hits: Mapping[str, str]
    alerts: Mapping[str, str]
    addressed: frozenset[tuple[str, str]]
    doubled_rows: int
    undelivered: int
    unreceived: int
    dead_letters: int
    balanced: bool
    books: str
    audited: int
    repeats: int


def fix_pseudonyms(demo: Demo) -> None:
    """Give a demo that has not begun the key that all have."""
    path = demo.config.data / "keys" / "pseudonyms.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(KEY + "\n")


def contents(demo: Demo) -> Contents:
    """Read everything from the stores of a demo, and what its partner got."""
    words = build.vocabulary_of(demo.config)
    rules = build.rule_set(demo.config, words).rules
    demo.index.refresh()
    hits = [hit for rule in rules for hit in demo.index.hits(rule.id, rule.logic)]
    alerts = demo.alerts()
    rows = [row for alert in alerts for row in outbox.of_alert(demo.engine, alert.id)]
    counts = outbox.counts(demo.engine)
    received = {message.id for message in demo.receiver.received}
    filed = _filed(demo)
    arrived = [row for row in rows if row.state == "delivered"]
    books = books_of(demo.log, demo.index)
    posts = list(build.pages(demo.index, EVERYTHING, limit=10_000_000))
    return Contents(
        posts={f"{one.key} r{one.post.revision}": _digest(wire.encode(_without_seal(one))) for one in posts},
        hits={hit.id: _digest(wire.encode(hit)) for hit in hits},
        alerts={alert.id: _digest(_facts(alert)) for alert in alerts},
        addressed=frozenset((row.alert, row.route) for row in rows),
        doubled_rows=sum(count - 1 for count in Counter(row.id for row in rows).values()),
        undelivered=sum(counts.get(state, 0) for state in UNFINISHED),
        unreceived=sum(row.id not in (received if row.route.endswith("/hook") else filed) for row in arrived),
        dead_letters=len({letter.id for letter in read_dead_letters(demo.log)}),
        balanced=books.balanced and books.unread == 0 and books.log == demo.expected,
        books=f"{books.log} = {books.new} + {books.revised} + {books.unchanged} + {books.conflicting}"
        f" + {books.dead_letters}, {books.unread} unread",
        audited=audit.verify(demo.engine),
        repeats=len(demo.receiver.received) - len(received),
    )


def differences(expected: Contents, found: Contents) -> list[str]:
    """In words; empty when nothing was lost, doubled or changed."""
    problems = []
    for name in ("posts", "hits", "alerts"):
        problems += _differing(name, getattr(expected, name), getattr(found, name))
    if not found.balanced:
        problems.append(f"the books do not balance: {found.books}")
    if lost := expected.addressed - found.addressed:
        problems.append(f"{len(lost)} routes never told of an alert")
    if extra := found.addressed - expected.addressed:
        problems.append(f"{len(extra)} routes told of an alert that was none of theirs")
    if found.doubled_rows:
        problems.append(f"{found.doubled_rows} outbox rows doubled")
    if found.undelivered:
        problems.append(f"{found.undelivered} outbox rows not delivered")
    if found.unreceived:
        problems.append(f"{found.unreceived} outbox rows delivered that nobody received")
    if expected.dead_letters != found.dead_letters:
        problems.append(f"{found.dead_letters} dead letters, not {expected.dead_letters}")
    return problems


def _differing(name: str, expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    lost = sorted(expected.keys() - found.keys())
    extra = sorted(found.keys() - expected.keys())
    changed = sorted(one for one in expected.keys() & found.keys() if expected[one] != found[one])
    named = ((lost, "lost"), (extra, "that should not be there"), (changed, "changed"))
    return [f"{len(ids)} {name} {what} ({', '.join(ids[:SHOWN])})" for ids, what in named if ids]


def _facts(alert: Alert) -> bytes:
    """All that an alert says but how often it was revised and told: that counts how its work was cut into steps."""
    return repr(
        (
            (alert.rule, alert.logic, alert.group, alert.state, alert.merged_into),
            (alert.opening_anchor, alert.opened_at, alert.last_crossing_at, alert.resolved_at),
            (alert.value, sorted(alert.evidence), alert.severity, alert.tlp),
        )
    ).encode()


def _without_seal(assessment: Assessment) -> Assessment:
    """Where the raw capture lies is chosen anew in each election."""
    return msgspec.structs.replace(assessment, post=msgspec.structs.replace(assessment.post, evidence=""))


def _filed(demo: Demo) -> set[str]:
    """The ids in the partner's file."""
    path = demo.folder / "received.jsonl"
    return {json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()} if path.exists() else set()


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
