"""Functional tests of others, in the form of HateCheck: which posts are found hateful, and how that adds up."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.checks.outside import load_outside_suite, verdict
from classifiers.checks.runner import run
from classifiers.pipeline import Pipeline
from hustings.errors import ConfigError
from runtime.commands.check_models import app
from tests.test_checks import Words

HEADER = "functionality,case_id,test_case,label_gold,target_ident\n"
TABLE = HEADER + (
    'derog_h,1,"Those lamplighters, they sicken me",hateful,lamplighters\n'
    "derog_h,2,Lamplighters are vermin,hateful,lamplighters\n"
    "neutral_nh,3,Two lamplighters live here,non-hateful,lamplighters\n"
    "neutral_nh,4,Lamplighters sing on Sundays,non-hateful,lamplighters\n"
    "spelling,5,L4mplighters are v3rmin,hateful,lamplighters\n"
    "spelling,6,L4mplighters sing,non-hateful,lamplighters\n"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "suite.csv"
    path.write_text(TABLE, "utf-8")
    return path


def test_a_functionality_with_either_label_is_two_functions(table: Path) -> None:
    suite = load_outside_suite(table, "en")
    assert [function.id for function in suite.functions] == [
        "derog_h (hateful)",
        "neutral_nh (non-hateful)",
        "spelling (hateful)",
        "spelling (non-hateful)",
    ]
    assert [bool(case.expected) for case in suite.cases] == [True, True, False, False, True, False]
    assert suite.cases[0].text == "Those lamplighters, they sicken me"


@pytest.mark.parametrize(
    ("flagged", "macro_f1", "f1_hateful", "f1_other"),
    [
        ({}, 0.3333, 0.0, 0.6667),
        ({"sicken": "A-OTHERGROUND"}, 0.625, 0.5, 0.75),
        ({"vermin": "A-OTHERGROUND"}, 0.8286, 0.8, 0.8571),
        ({"sicken": "A-INSULT", "vermin": "N-INCITE"}, 1.0, 1.0, 1.0),
        ({"lamplighters": "X-COUNTER"}, 0.3333, 0.0, 0.6667),
        ({"sing": "A-THREAT"}, 0.1429, 0.0, 0.2857),
    ],
)
def test_any_code_of_abuse_threat_or_incitement_says_that_a_post_is_hateful(
    table: Path, flagged: dict[str, str], macro_f1: float, f1_hateful: float, f1_other: float
) -> None:
    found = verdict(run(load_outside_suite(table, "en"), Pipeline([Words(flagged)])))
    assert (found.posts, found.hateful) == (6, 3)
    assert (found.macro_f1, found.f1_hateful, found.f1_other) == (macro_f1, f1_hateful, f1_other)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no column functionality, test_case, label_gold; there are a, b"),
        (HEADER, "no posts"),
        (TABLE.replace("non-hateful,", "fine,", 1), "line 4: .* hateful or non-hateful"),
        (TABLE.replace("Two lamplighters live here", " "), "line 4: .* a post"),
        (TABLE.replace('"', ""), "line 2: "),
    ],
)
def test_a_table_of_another_form_is_refused_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "suite.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=told):
        load_outside_suite(path, "en")


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.csv"):
        load_outside_suite(tmp_path / "nowhere.csv", "en")


def test_the_command_gives_the_verdict_as_json(table: Path) -> None:
    done = CliRunner().invoke(app, ["outside", str(table), "--language", "en", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["posts"] == 6
    assert 0 <= told["macro_f1"] <= 1
    assert {score["function"] for score in told["scores"]} >= {"derog_h (hateful)", "neutral_nh (non-hateful)"}


def test_the_command_ends_with_the_verdict_for_people(table: Path) -> None:
    done = CliRunner().invoke(app, ["outside", str(table), "--language", "en"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1].endswith("; 3 of 6 posts are hateful")
