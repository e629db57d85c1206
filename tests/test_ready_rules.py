"""The rules that are shipped check as a deployment would check them, together and with their own tests."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from alerts.rules import load_rules
from hustings.codebook import load_codebook
from hustings.query import Vocabulary

SHIPPED = sorted(entry.name for entry in files("configs").joinpath("rules").iterdir() if entry.name.endswith(".toml"))


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The shipped codebook and no roster: a ready rule fits every election."""
    return Vocabulary(codebook=load_codebook(files("configs").joinpath("codebook.toml").read_bytes()))


def test_all_ready_rules_check_together(vocabulary: Vocabulary) -> None:
    texts = {name: files("configs").joinpath("rules", name).read_text("utf-8") for name in SHIPPED}
    ruleset = load_rules(texts, vocabulary=vocabulary, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert [f"{rule.name}.toml" for rule in ruleset.rules] == SHIPPED
    assert {
        "coordinated-copy",
        "doctored-result",
        "gendered-abuse-pile-on",
        "hate-surge",
        "review-flagged",
        "review-random-slice",
        "threat-named-target",
        "voting-info-claim",
    } <= {rule.name for rule in ruleset.rules}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_ready_rule_leaves_its_end_to_the_charter_in_one_line(name: str) -> None:
    lines = files("configs").joinpath("rules", name).read_text("utf-8").splitlines()
    assert sum(line.startswith("expires = ") for line in lines) == 1
