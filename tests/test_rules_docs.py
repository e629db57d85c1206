"""docs/alert-rules.md: its rules check, their tests hold, and what it names exists."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.rules import load_rules
from alerts.rules.kinds import KINDS
from runtime.build import vocabulary

PAGE = (Path(__file__).parent.parent / "docs" / "alert-rules.md").read_text("utf-8")
RULES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_every_rule_of_the_page_checks_with_its_tests(number: int) -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    assert len(load_rules({"page": RULES[number]}, vocabulary=vocabulary(None), now=now).rules) == 1


def test_the_page_lists_the_kinds_that_are_built() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [name for name, kind in KINDS.items() if kind.is_built]
