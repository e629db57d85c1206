"""What the evaluator forgets, it forgets after it has told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.evaluator import Evaluator
from alerts.rules import load_rules
from hustings.contracts import AlertChanges
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Alert, Hit, Mark

START = datetime(2027, 3, 10, tzinfo=UTC)
RULE = """
[[rule]]
id = "5e0b7c1e-7f0f-4f3a-9a55-0c4a4f0f9c11"
name = "many"
kind = "count"
where = "word"
window = "1h"
lateness = "10m"
when = { gte = 3 }
"""


def hits(rule: str, logic: str) -> list[Hit]:
    times = [START + timedelta(minutes=n) for n in range(4)]
    return [Hit(rule=rule, logic=logic, key=f"s:{n}", t=t, g=t, revised_at=t) for n, t in enumerate(times)]


def settled(far: timedelta, *, at_once: bool) -> Alert:
    """The alert after four hits and one mark that lies so far ahead that everything is forgotten."""
    rules = load_rules({"r.toml": RULE}, vocabulary=query_vocabulary(), now=START, required=False)
    rule = rules.rules[0]
    evaluator = Evaluator(rules, partition=0)
    mark = Mark(partition=0, offset=4, at=START + far)
    told: list[AlertChanges] = []
    if at_once:
        told.append(evaluator.feed([*hits(rule.id, rule.logic), mark]))
    else:
        told.extend(evaluator.feed([entry]) for entry in [*hits(rule.id, rule.logic), mark])
    return {alert.id: alert for changes in told for alert in changes.alerts}.popitem()[1]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_alert_that_settles_while_its_posts_are_forgotten_keeps_its_evidence(at_once: bool) -> None:
    alert = settled(timedelta(days=30), at_once=at_once)
    assert alert.state == "resolved"
    assert alert.evidence == ("s:0", "s:1", "s:2", "s:3")
    assert alert.value == 4
