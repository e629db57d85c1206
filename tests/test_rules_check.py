"""`hustings rules check` and `test`: every code of alert-rules.md §4 that applies, one report, each problem with its
place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.rules import RuleSet, load_rules
from alerts.rules.durations import read_duration, show_duration
from hustings.errors import RuleError
from hustings.query.vocabulary import Vocabulary
from hustings.roster import Person, Phase, Roster
from runtime.build import vocabulary
from runtime.commands.rules import app

NOW = datetime(2026, 10, 1, tzinfo=UTC)
VOCABULARY = vocabulary(None)
ROSTER = Roster(
    people=tuple(Person(id=f"c{n}", name=f"Candidate {n}", attributes={"party": f"p{n % 2}"}) for n in range(1, 6))
)
WITH_ROSTER = Vocabulary(
    codebook=VOCABULARY.codebook,
    roster=ROSTER,
    phases=(Phase(code="P-CAMP", start=NOW, end=NOW + timedelta(days=30)),),
)

EXAMPLE = """\
[[rule]]
id = "5e0b7c1e-7f0f-4f3a-9a55-0c4a4f0f9c11"
name = "gendered-abuse-pile-on"
version = 3
state = "shadow"
owner = "desk-north"
expires = 2027-03-31
why = "Early warning for the support network of a candidate."
outcome = "alert"
kind = "distinct"
where = 'score.G:>=0.80 aimed_at:* -medium:article'
group_by = ["aimed_at"]
of = "author"
window = "1h"
lateness = "10m"
when = { gte = 12 }
guard = { min_posts = 15 }
episode = { resolve_after = "2h", renotify = "6h", escalate = [50, 200] }
evidence = { samples = 5, pick = "highest_score_per_author" }
limits = { max_groups = 500 }
review = "required"
route = { severity = "high", tlp = "AMBER", topics = ["gendered-abuse"] }

[[rule.test]]
name = "twelve authors in one hour"
posts = { every = "4m", n = 15, author = ["a1","a2","a3","a4","a5","a6","a7","a8","a9","a10","a11","a12","a1","a2","a3"], aimed_at = "c1", "score.G" = 0.9 }
expect = [ { open = { at = "+56m", group = "c1", value = 12 } } ]

[[rule.test]]
name = "one obsessive account is not a pile-on"
posts = { every = "1m", n = 60, author = "a1", aimed_at = "c1", "score.G" = 0.9 }
expect = []
"""  # noqa: E501 - the example of the design page, as it stands there

BARE = '[[rule]]\nid = "r"\nname = "r"\nkind = "count"\nwhere = "flag:G"\nwindow = "1h"\nwhen = { gte = 3 }\n'


def problems(text: str, *, words: Vocabulary = VOCABULARY, required: bool = True, **around: object) -> list[str]:
    try:
        load_rules({"r.toml": text}, vocabulary=words, now=NOW, required=required, **around)  # type: ignore[arg-type]
    except RuleError as error:
        return error.problems
    return []


def codes(found: list[str]) -> list[str]:
    return [match.group() for line in found if (match := re.search(r"\b[EW]\d\d\b", line))]


def test_the_example_of_the_design_page_checks() -> None:
    ruleset = load_rules({"r.toml": EXAMPLE}, vocabulary=VOCABULARY, now=NOW)
    (rule,) = ruleset.rules
    assert (rule.window, rule.resolve_after, rule.escalate) == (timedelta(hours=1), timedelta(hours=2), (50, 200))
    assert codes(list(ruleset.warnings)) == ["W05"]


def test_run_needs_only_id_name_kind_where_and_the_keys_of_the_kind() -> None:
    assert problems(BARE, required=False) == []
    assert codes(problems(BARE)) == [*["E04"] * 9, "E19", "E20", "E20"]


OPTIONAL = {"guard", "episode", "evidence", "limits"}
KEYS = [line.split(" =")[0] for line in EXAMPLE.split("\n\n")[0].splitlines()[1:]]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in OPTIONAL])
def test_every_key_of_the_example_is_required(key: str) -> None:
    text = "".join(line + "\n" for line in EXAMPLE.splitlines() if not line.startswith(f"{key} ="))
    found = problems(text)
    assert any(f" {key}: required" in line and re.search("E04|E19", line) for line in found), found


@pytest.mark.parametrize("key", sorted(OPTIONAL - {"guard"}))
def test_guard_episode_evidence_and_limits_may_be_left_out(key: str) -> None:
    assert problems("".join(line + "\n" for line in EXAMPLE.splitlines() if not line.startswith(f"{key} ="))) == []


WRONG = [
    ("E01", 'window = "1h"', 'windw = "1h"\nwindow = "1h"', "did you mean `window`?"),
    ("E01", "renotify", "renotfy", "episode.renotfy: no such key; did you mean `renotify`?"),
    ("E01", "gte = 12", "gte = 12, gtee = 3", "when.gtee"),
    ("E02", '"distinct"', '"distnct"', "did you mean `distinct`?"),
    ("E02", '"distinct"', '"spike"', "is not built yet; built are match, count, distinct"),
    ("E03", '"distinct"', '"count"', "of: not allowed for the kind 'count'"),
    ("E03", '"distinct"', '"match"', "window: not allowed for the kind 'match'"),
    ("E03", "gte = 12", "ratio_gte = 3", "goes with the kind spike only"),
    ("E03", 'of = "author"', 'of = "author"\nstep = "5m"', "goes with `lt` or `lte` only"),
    ("E03", 'of = "author"', 'of = "author"\nmin_current = 3', "not allowed"),
    ("E03", 'outcome = "alert"', 'outcome = "alert"\nsample = 0.5', "never left to chance"),
    ("E03", 'outcome = "alert"', 'outcome = "review"', "it queues posts, not windows"),
    ("E04", 'window = "1h"\n', "", "window: required"),
    ("E04", "gte = 12", "lt = 12", "step: required with `lt` or `lte`"),
    ("E05", '"1h"', '"0h"', "more than zero; found '0h'"),
    ("E05", '"1h"', '"-1h"', "found '-1h'"),
    ("E05", '"1h"', "60", "found 60"),
    ("E05", '"1h"', '"1 week"', "found '1 week'"),
    ("E05", '"6h"', '"6"', "episode.renotify"),
    ("E06", 'when = { gte = 12 }', 'step = "7m"\nwhen = { lt = 12 }', "window 1h is not a multiple of step 7m"),
    ("E06", 'when = { gte = 12 }', 'step = "7m"\nwhen = { lt = 12 }', "window 1h"),
    ("E07", "{ gte = 12 }", "{}", "no comparator"),
    ("E07", "{ gte = 12 }", "12", "no comparator"),
    ("E07", "gte = 12", "gte = 12, gt = 3", "contradict"),
    ("E07", 'when = { gte = 12 }', 'step = "5m"\nwhen = { gte = 12, lt = 5 }', "no number meets all of them"),
    ("E07", 'when = { gte = 12 }', 'step = "5m"\nwhen = { gt = 4, lt = 5 }', "no number meets all of them"),
    ("E08", "gte = 12", "gte = 0", "always true"),
    ("E08", "gte = 12", "gte = -1", "always true"),
    ("E08", "gte = 12", "gt = -1", "always true"),
    ("E08", "gte = 12", "gte = nan", "no count is ever compared with nan"),
    ("E08", 'when = { gte = 12 }', 'step = "5m"\nwhen = { lt = 0 }', "never true"),
    ("E08", "min_posts = 15", "min_posts = 0", "has to be 1 or more"),
    ("E08", "[50, 200]", "[200, 50]", "ascending"),
    ("E09", "score.G:", "scor.G:", "no field `scor.G`"),
    ("E09", '["aimed_at"]', '["aimd_at"]', "did you mean `aimed_at`?"),
    ("E09", 'of = "author"', 'of = "autor"', "did you mean `author`?"),
    ("E09", '["aimed_at"]', '["aimed_at.party"]', "name the configuration with --config"),
    ("E10", '["aimed_at"]', '["text"]', "analysed text"),
    ("E10", 'of = "author"', 'of = "title"', "analysed text"),
    ("E11", "score.G:>=0.80", "flag:G-DEROGG", "did you mean `G-DEROG`?"),
    ("E11", "-medium:article", "-medium:artcle", "did you mean `article`?"),
    ("E11", "-medium:article", "lang:xx", "no language 'xx'"),
    ("E11", '"shadow"', '"shadw"', "did you mean `shadow`?"),
    ("E11", '"AMBER"', '"PURPLE"', "known are"),
    ("E12", "aimed_at:*", "aimed_at:c*", "are for words only"),
    ("E12", '["aimed_at"]', '["reach"]', "makes no groups"),
    ("E12", '["aimed_at"]', '"aimed_at"', "takes a list of texts"),
    ("E12", "gte = 12", 'gte = "12"', "takes a number"),
    ("E12", "version = 3", 'version = "3"', "takes a whole number"),
    ("E12", "limits = { max_groups = 500 }", "limits = 3", "takes a table"),
    ("E01", "max_groups = 500", "episodes_per_hour = 6", "no longer a setting: it never limited anything; take it out"),
    ("E13", "aimed_at:*", "a " * 401, "more than 400"),
    ("E13", "aimed_at:*", "((((((a))))))", "more than 5 deep"),
    ("E19", "2027-03-31", "2026-09-30", "is past"),
    ("E19", "2027-03-31", '"2027-03-31"', "takes a day such as"),
    ("E20", "expect = []", 'expect = [ { open = { at = "+1m" } } ]', "no non-firing test"),
    ("E21", "value = 12", "value = 13", "fails: expected open at +56m for aimed_at=c1 with 13"),
    ("E21", "n = 60", "n = 0", "n takes a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "found", "instead", "text"), WRONG)
def test_a_problem_has_its_code_and_says_what_is_known(code: str, found: str, instead: str, text: str) -> None:
    assert found in EXAMPLE
    told = problems(EXAMPLE.replace(found, instead, 1))
    code = "E12" if "n takes" in text else code
    assert any(code in line and text in line for line in told), told


def test_every_problem_of_every_file_is_in_one_report_with_its_place(golden: Callable[[str, str], None]) -> None:
    first = (
        EXAMPLE.replace('window = "1h"', 'windw = "1h"\nwindow = "0h"')
        .replace("score.G:>=0.80", "scor.G:>=0.80")
        .replace('"aimed_at"]', '"aimd_at"]')
        .replace("gte = 12", "gte = 0")
        .replace("renotify", "renotfy")
        .replace('"AMBER"', '"ORANGE"')
        .replace("2027-03-31", "2026-03-31")
        .replace("version = 3\n", "")
    )
    second = EXAMPLE.replace("5e0b", "6e0b").replace('"distinct"', '"sum"').replace("value = 12", "valu = 12")
    texts = {"first.toml": first, "second.toml": second, "third.toml": 'x = 1\n[[rule]\nname = "no TOML"\n'}
    with pytest.raises(RuleError) as caught:
        load_rules(texts, vocabulary=VOCABULARY, now=NOW)
    golden("rule_errors.txt", str(caught.value) + "\n")


def test_places_are_found_in_subtables_and_below_long_texts() -> None:
    text = BARE.replace("[[rule]]", "[[rule]]\nwhy = '''long\n[[rule]]\nkind = 1\n'''")
    text += '[rule.episode]\nresolve_aftr = "1h"\n'
    (line,) = problems(text, required=False)
    assert line.startswith("r.toml:13:1: E01")


# ── rules beside each other, and what stands around them ─────────────────────────────────────────────────────────


def test_an_id_or_name_is_used_once() -> None:
    with pytest.raises(RuleError) as caught:
        load_rules({"a.toml": BARE, "b.toml": BARE}, vocabulary=VOCABULARY, now=NOW, required=False)
    assert codes(caught.value.problems) == ["E17", "E17"]
    assert all(line.startswith("b.toml") for line in caught.value.problems)


def loaded(text: str, **more: object) -> RuleSet:
    return load_rules({"r.toml": text}, vocabulary=VOCABULARY, now=NOW, **more)  # type: ignore[arg-type]


def test_a_changed_logic_needs_a_higher_version() -> None:
    former = loaded(EXAMPLE)
    assert codes(problems(EXAMPLE.replace('"10m"', '"20m"'), former=former)) == ["E18"]
    assert problems(EXAMPLE.replace('"10m"', '"20m"').replace("version = 3", "version = 4"), former=former) == []


COSMETIC = [
    ("version = 3", "version = 9"),
    ('"desk-north"', '"desk-south"'),
    ("Early warning", "Warning"),
    ("2027-03-31", "2028-03-31"),
    ('"shadow"', '"active"'),
    ("samples = 5", "samples = 9"),
    ("max_groups = 500", "max_groups = 900"),
    ('"high"', '"low"'),
    ('"6h"', '"7h"'),
    ("[50, 200]", "[60]"),
    ('"gendered-abuse-pile-on"', '"another name"'),
    ('window = "1h"', 'window = "60m"'),
    ("gte = 12", "gte = 12.0"),
    ("score.G:>=0.80 aimed_at:*", "aimed_at:* score.G:>=0.8"),
    ("outcome =", 'on_missing_group = "skip"\noutcome ='),
]
LOGICAL = [
    ('"10m"', '"20m"'),
    ('"2h"', '"3h"'),
    ("gte = 12", "gte = 11"),
    ("gte = 12", "gt = 12"),
    ("min_posts = 15", "min_posts = 12"),
    ("score.G:>=0.80", "score.G:>=0.81"),
    ('of = "author"', 'of = "domain"'),
    ("outcome =", 'on_missing_group = "bucket"\noutcome ='),
    ("outcome =", "active_from = 2026-01-01T00:00:00Z\noutcome ="),
]


@pytest.mark.parametrize(("found", "instead"), COSMETIC)
def test_a_cosmetic_edit_keeps_the_logic_hash(found: str, instead: str) -> None:
    assert loaded(EXAMPLE.replace(found, instead)).rules[0].logic == loaded(EXAMPLE).rules[0].logic


@pytest.mark.parametrize(("found", "instead"), LOGICAL)
def test_a_logic_edit_changes_the_hash(found: str, instead: str) -> None:
    edited = load_rules({"r": EXAMPLE.replace(found, instead)}, vocabulary=VOCABULARY, now=NOW, required=False)
    assert edited.rules[0].logic != loaded(EXAMPLE).rules[0].logic


def test_a_rule_may_not_reach_further_back_than_the_index() -> None:
    assert codes(problems(EXAMPLE, retention=timedelta(hours=3))) == ["E15"]
    assert problems(EXAMPLE, retention=timedelta(hours=4)) == []


def test_a_marking_above_every_partner_cannot_be_routed() -> None:
    assert codes(problems(EXAMPLE, ceilings=["CLEAR", "GREEN"])) == ["E22"]
    assert problems(EXAMPLE, ceilings=["CLEAR", "RED"]) == []


def test_the_roster_tells_how_many_groups_there_can_be() -> None:
    assert codes(problems(EXAMPLE.replace("max_groups = 500", "max_groups = 4"), words=WITH_ROSTER)) == ["E23"]
    by_party = EXAMPLE.replace("max_groups = 500", "max_groups = 2").replace('["aimed_at"]', '["aimed_at.party"]')
    by_party = by_party.replace('group = "c1"', 'group = "p1"')
    assert problems(by_party, words=WITH_ROSTER) == []


def test_a_private_person_is_never_watched_and_a_rule_without_review_names_nobody() -> None:
    watching = EXAMPLE.replace("aimed_at:*", "author:someone aimed_at:*")
    assert "E24" in codes(problems(watching, words=WITH_ROSTER))
    assert codes(problems(EXAMPLE.replace('"required"', '"none"'))) == ["E24"]


def test_roster_attributes_and_phases_need_a_configuration() -> None:
    for where in ("aimed_at.party:p1", "phase:P-CAMP"):
        text = BARE.replace("flag:G", where)
        assert codes(problems(text, required=False)) == ["E09"]
        assert problems(text, words=WITH_ROSTER, required=False) == []


# ── durations ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "1", "h", "1w", "1h 30m", "-1h", "1e3s", "１h", "9" * 20 + "d", "1.s"])
def test_what_is_no_duration(text: str) -> None:
    assert read_duration(text) is None


@pytest.mark.parametrize(
    ("text", "shown"), [("90s", "90s"), ("60m", "1h"), ("1.5h", "90m"), ("0s", "0s"), ("48h", "2d")]
)
def test_durations_are_shown_as_short_as_they_can_be(text: str, shown: str) -> None:
    span = read_duration(text)
    assert span is not None
    assert show_duration(span) == shown


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_check_ends_with_one_on_an_error_and_names_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(EXAMPLE.replace("2027-03-31", "2999-12-31"))
    good = CliRunner().invoke(app, ["check", str(path)])
    assert (good.exit_code, good.stdout.splitlines()[-1]) == (0, "1 rule(s) check")
    path.write_text(EXAMPLE.replace("gte", "gtee").replace("owner", "ownr"))
    bad = CliRunner().invoke(app, ["check", str(path)])
    assert bad.exit_code == 1
    assert {"E01", "E04", "E07"} <= set(codes(bad.stdout.splitlines()))


def test_test_runs_the_tests_of_rules_that_lack_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    case = '[[rule.test]]\nposts = { every = "1m", n = %d, flag = "G" }\n'
    case += 'expect = [ { open = { at = "+2m", value = 3 } } ]\n'
    path.write_text(BARE + case % 3)
    assert CliRunner().invoke(app, ["test", str(path)]).stdout == "ok    r: number 1\n1 passed, 0 failed\n"
    path.write_text(BARE + case % 4)
    failed = CliRunner().invoke(app, ["test", str(path)])
    assert failed.exit_code == 1
    assert failed.stdout == (
        "FAIL  r: number 1\n        expected open at +2m with 3\n        found open at +2m with 4\n0 passed, 1 failed\n"
    )


CASES = (
    BARE.replace("[[rule]]", '[[rule]]\nlateness = "10m"')
    + """
[[rule.test]]
name = "posts one by one: late, edited, deleted"
posts = [
  { at = "+0m", key = "a", flag = "G", text = "some words", lang = "es" },
  { at = "+1m", flag = ["G-THR", "A-INSULT"], score.G = 0.7 },
  { at = "+2m", flag = "G", collected = "+20m" },
  { at = "+3m", flag = "threat" },
  { at = "+0m", key = "a", collected = "+1h", revision = 1, deleted = true },
]
expect = [
  { open = { at = "+3m" } },
  { retract = { at = "+1h" } },
]

[[rule.test]]
name = "amendments are compared where they are named"
posts = [ { every = "1m", n = 2, flag = "G" }, { at = "+2m", key = "late", flag = "G", collected = "+20m" } ]
expect = [ { amendment = { post = "late", value = 3, at = "+2m" } } ]
"""
)


def test_a_case_may_name_posts_one_by_one_and_any_kind_of_notice(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(CASES.replace('"flag:G"', '"flag:G OR flag:threat"'))
    result = CliRunner().invoke(app, ["test", str(path)])
    assert result.stdout.endswith("2 passed, 0 failed\n"), result.output


@pytest.mark.parametrize(
    ("found", "instead", "text"),
    [
        ('lang = "es"', 'langg = "es"', "did you mean `lang`?"),
        ('at = "+0m"', 'at = "noon"', "expected a time such as `+56m`"),
        ('flag = "threat"', 'flag = "thret"', "did you mean `threat`?"),
        ("{ retract", "{ retrct", "did you mean `retract`?"),
        ("score.G = 0.7", "score.G = 7", "from 0 to 1"),
        ("n = 2", "n = 2000000", "100000 in all"),
        ("posts = [ { every", "posts = [ 3, { every", "takes tables"),
        ('every = "1m", n', "n", "needs `every`"),
    ],
)
def test_a_case_that_cannot_be_read_says_why(found: str, instead: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    assert found in CASES
    path.write_text(CASES.replace(found, instead, 1))
    result = CliRunner().invoke(app, ["test", str(path)])
    assert result.exit_code == 1
    assert text in result.stderr
