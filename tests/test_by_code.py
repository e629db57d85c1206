"""How well each code is told: what counts as right, what a code is taken for, and the command that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.training.by_code import NOTHING, Confusion, Share, by_code, share_of
from tests.command_line import CommandLine, command_line

hustings = pytest.fixture(command_line)

POSTS = [
    ("N-PROC-DATE", "Reminder: the vote has been moved to Monday, so don't bother going on Sunday."),
    ("N-PROC-DATE", "They extended voting until Wednesday because of the heat, no need to rush today."),
    ("X-COUNTER", "FALSE: voting has NOT been moved to Tuesday. Election day is still Sunday."),
    (NOTHING, "Third coffee and it's not even ten, pray for me."),
]


def test_a_finer_answer_is_right_and_a_coarser_one_is_true_and_says_less() -> None:
    labels = ["N-PROC", "N-PROC-DATE", "N-PROC-DATE", "N-PROC-DATE"]
    coarse, fine = by_code(labels, ["N-PROC-DATE", "N-PROC-DATE", "N-PROC", "N-PROC-PLACE"])[:2]
    assert (coarse.code, coarse.n, coarse.given, coarse.coarser) == ("N-PROC", 1, 1, 0)
    assert (coarse.recall and coarse.recall.value, coarse.precision and coarse.precision.value) == (1.0, 1.0)
    assert (fine.code, fine.n, fine.given, fine.coarser) == ("N-PROC-DATE", 3, 2, 1)
    assert fine.recall
    assert fine.recall.value == pytest.approx(1 / 3, abs=1e-4)
    assert fine.precision
    assert fine.precision.value == 1.0
    assert fine.taken_for == Confusion("N-PROC-PLACE", 1)
    assert fine.given_for is None


def test_the_commonest_confusion_is_named_either_way_and_nothing_stands_last() -> None:
    labels = ["X-SATIRE"] * 4 + [NOTHING] * 2
    found = {one.code: one for one in by_code(labels, [NOTHING, NOTHING, "A-INSULT", "X-SATIRE", NOTHING, "X-SATIRE"])}
    assert list(found) == ["A-INSULT", "X-SATIRE", NOTHING]
    assert found["X-SATIRE"].taken_for == Confusion(NOTHING, 2)
    assert found["X-SATIRE"].given_for == Confusion(NOTHING, 1)
    assert found["A-INSULT"].given_for == Confusion("X-SATIRE", 1)
    assert (found["A-INSULT"].n, found["A-INSULT"].recall) == (0, None)


def test_a_code_that_is_never_given_has_no_precision() -> None:
    (code, _) = by_code(["G"], [NOTHING])
    assert (code.precision, code.recall) == (None, Share(0.0, 0.0, 0.7935))


@given(n=st.integers(1, 10_000), data=st.data())
def test_an_interval_holds_its_share_and_says_something_of_all_or_none(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    share = share_of(right, n)
    assert share is not None
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert share.low < share.high


CODES = st.sampled_from(["N-PROC", "N-PROC-DATE", "N-PROC-PLACE", "X-SATIRE", NOTHING])


@given(pairs=st.lists(st.tuples(CODES, CODES), min_size=1, max_size=40))
def test_every_post_and_every_answer_is_counted_once(pairs: list[tuple[str, str]]) -> None:
    labels, said = [one for one, _ in pairs], [other for _, other in pairs]
    found = by_code(labels, said)
    assert sum(one.n for one in found) == sum(one.given for one in found) == len(pairs)
    assert {one.code for one in found} == {*labels, *said}
    assert [one for one in by_code(labels, labels) if one.taken_for or one.coarser] == []


def written(folder: Path, posts: list[tuple[str, str]]) -> Path:
    path = folder / "codes.jsonl"
    path.write_text("".join(json.dumps({"text": text, "code": code}) + "\n" for code, text in posts))
    return path


def test_the_command_shows_each_code_of_a_model_of_narratives(tmp_path: Path, hustings: CommandLine) -> None:
    arguments = ("evaluate", "N-en", "--data", written(tmp_path, POSTS), "--label", "code", "--by-code")
    answer = hustings("model", *arguments, "--json")
    assert answer.status == 0, answer.err
    lines = {line["code"]: line for line in json.loads(answer.out)}
    assert {"N-PROC-DATE", "X-COUNTER", NOTHING} <= set(lines)
    date = lines["N-PROC-DATE"]
    assert (date["model"], date["on"], date["n"]) == ("N-en", "codes.jsonl", 2)
    assert date["precision"]["value"] == date["recall"]["value"] == 1.0
    assert lines["X-COUNTER"]["recall"]["value"] == 1.0
    assert lines[NOTHING]["recall"]["value"] == 1.0
    shown = hustings("model", *arguments).out
    assert "given for" in shown
    assert "N-PROC-DATE" in shown


@pytest.mark.parametrize(
    ("head", "posts", "options", "told"),
    [
        ("N-en", POSTS, ("--by-code", "--positive", "x"), "none of --positive, --negative, --group and --family"),
        ("N-en", POSTS, (), "--positive V; or say --by-code"),
        ("G-en", POSTS, ("--by-code",), "--by-code is for narratives"),
        ("N-en", [("N-PROC-DAT", "x")], ("--by-code",), "line 1: 'code' is 'N-PROC-DAT', no code and not 'none'; did"),
        ("N-en", [], ("--by-code",), "is empty"),
    ],
)
def test_what_cannot_be_told_by_code_is_refused(
    tmp_path: Path,
    hustings: CommandLine,
    head: str,
    posts: list[tuple[str, str]],
    options: tuple[str, ...],
    told: str,
) -> None:
    answer = hustings("model", "evaluate", head, "--data", written(tmp_path, posts), "--label", "code", *options)
    assert answer.status == 2
    assert told in answer.err
