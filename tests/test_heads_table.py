"""The table of all heads: where its numbers come from, and the page that is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from classifiers.gates.record import Check, GateRecord, read_record, write_record
from classifiers.heads_table import COLUMNS, SHOWN, heads_table, linear_training_s, page
from classifiers.manifest import hash_of_manifest
from classifiers.papers import write_made
from classifiers.pipeline import shipped_models
from classifiers.store import ModelStore
from tests.command_line import CommandLine, command_line
from tests.model_folders import make_head, metric

hustings = pytest.fixture(command_line)
PAGE = Path(__file__).parent.parent / "docs" / "heads.md"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Two linear heads: one with all its papers, the other measured on a development set too, but never timed."""
    first = make_head(tmp_path / "G-en", "clown")
    write_made(first, 3.25)
    record = GateRecord(
        model="G-en",
        version="1",
        manifest=hash_of_manifest(first),
        code_version="0.1.0",
        at="2026-11-25",
        suites={},
        seconds_a_thousand=0.0212,
        checks=(),
    )
    write_record(first, record)
    metrics = (
        metric("pr_auc", 0.6),
        metric("pr_auc", 0.55, "rows/dev.csv", n=400),
        metric("macro_f1", 0.7, "rows/dev.csv", n=400),
        metric("pr_auc", 0.2, "rows/dev.csv, gender=woman", n=40),
    )
    make_head(tmp_path / "A-INSULT-de", "Trottel", name="A-INSULT-de", metrics=metrics)
    return ModelStore(tmp_path)


def test_a_head_is_shown_with_its_development_rows_and_not_with_those_of_a_group(store: ModelStore) -> None:
    german, english = heads_table(store)
    assert (german.head, german.on) == ("A-INSULT-de", "rows/dev.csv")
    assert [(one.name, one.value, one.n) for one in german.metrics] == [("pr_auc", 0.55, 400), ("macro_f1", 0.7, 400)]
    assert english.on == "5-fold cross-validation, rows.csv"


def test_cost_and_training_are_those_on_paper_and_unknown_without(store: ModelStore) -> None:
    german, english = heads_table(store)
    assert (english.us_a_post, english.training_s, english.gates) == (21.2, 3.25, "passed")
    assert (german.us_a_post, german.training_s, german.gates) == (None, None, "not run")
    assert linear_training_s([german, english]) is None
    assert linear_training_s([english, english]) == 6.5
    assert linear_training_s([english, english, english], 2) == 6.5


def test_what_had_to_be_excused_is_counted_beside_passed(store: ModelStore) -> None:
    known, unknown = (
        Check(
            gate="functions",
            subject=subject,
            language="en",
            value=0.2,
            limit=0.5,
            at_least=True,
            passed=False,
            excused=reason,
        )
        for subject, reason in (("abuse: slur", "few slurs were in the data"), ("abuse: irony", ""))
    )
    record = read_record(store.own / "G-en", store.find("G-en").manifest)
    assert record is not None
    write_record(store.own / "G-en", replace(record, checks=(known, known)))
    assert heads_table(store)[1].gates == "passed, 2 excused"
    write_record(store.own / "G-en", replace(record, checks=(known, unknown)))
    assert heads_table(store)[1].gates == "1 failed, 1 excused"


def test_a_cost_that_was_measured_now_stands_in_its_place(store: ModelStore) -> None:
    german, english = heads_table(store, us_a_post={"G-en@1": 7.0, "A-INSULT-de@1": 8.0})
    assert (german.us_a_post, english.us_a_post) == (8.0, 7.0)


def test_the_page_says_all_of_it(store: ModelStore, golden: Callable[[str, str], None]) -> None:
    golden("heads.md", page(heads_table(store)))


def test_every_shipped_head_has_a_row_with_numbers(hustings: CommandLine) -> None:
    found = json.loads(hustings("model", "table", "--json").out)["heads"]
    assert {one["model"] for one in found} == set(ModelStore(shipped_models()).serving()) - {"embed-en", "encoder-mul"}
    assert {"encoder-en: G", "encoder-en: G-THR"} <= {one["head"] for one in found}
    for one in found:
        assert one["on"], one["head"]
        assert {metric["name"] for metric in one["metrics"]} <= set(SHOWN)
        assert any(metric["name"] in ("pr_auc", "precision") for metric in one["metrics"]), one["head"]
        assert one["bytes"] >= 0


def test_a_terminal_shows_the_table_and_where_it_was_measured(hustings: CommandLine) -> None:
    shown = hustings("model", "table").out
    assert "PR-AUC" in shown
    assert "edos/dev.csv, cascade" in shown


def test_the_cost_of_a_post_is_measured_when_asked_for(store: ModelStore, hustings: CommandLine) -> None:
    answer = hustings("model", "table", "--models", str(store.own), "--measure", "--json")
    costs = [one["us_a_post"] for one in json.loads(answer.out)["heads"]]
    assert all(0 < cost < 10_000 for cost in costs)
    assert costs[1] != 21.2


def test_no_page_is_made_that_would_say_of_gates_that_they_were_not_run(
    store: ModelStore, hustings: CommandLine
) -> None:
    answer = hustings("model", "table", "--models", store.own, "--page")
    assert (answer.status, answer.out) == (2, "")
    assert "were not run of A-INSULT-de@1: run `hustings model gates --all` first" in answer.err
    record = read_record(store.own / "G-en", store.find("G-en").manifest)
    assert record is not None
    german = replace(record, model="A-INSULT-de", manifest=hash_of_manifest(store.own / "A-INSULT-de"))
    write_record(store.own / "A-INSULT-de", german)
    assert hustings("model", "table", "--models", store.own, "--page").out == page(heads_table(store))


def without_papers(page: str) -> list[str]:
    """The lines of a page without the cells that come from what stands beside a manifest, which differs by machine."""
    kept = [place for place, name in enumerate(COLUMNS) if name not in ("µs a post", "training", "gates")]
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line and not line.startswith("All linear")]
    return [" | ".join(row[place] for place in kept) if len(row) == len(COLUMNS) else " | ".join(row) for row in rows]


def test_the_committed_page_is_that_of_the_shipped_models() -> None:
    made = without_papers(page(heads_table(ModelStore(shipped_models()))))
    assert made == without_papers(PAGE.read_text("utf-8")), "run: make docs"


def test_narratives_are_judged_by_all_seeds_left_out_and_not_by_likeness_on_its_own_sentences(
    hustings: CommandLine,
) -> None:
    shipped = [row for row in heads_table(ModelStore(shipped_models())) if row.kind == "narratives"]
    rows = "seeds, left out by 4 folds, those that the encoder did not learn"
    assert {row.on for row in shipped} == {f"{row.language}: {rows}" for row in shipped}
    assert min(metric.n for row in shipped for metric in row.metrics) > 1000
    listed = hustings("model", "list", "--models", str(shipped_models())).out
    for row in shipped:
        (precision,) = (metric for metric in row.metrics if metric.name == "precision")
        assert precision.value < 1
        assert f"{precision.value:.3f}".removeprefix("0") in listed, row.head
