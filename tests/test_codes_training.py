"""Codes are learnt beside a task, with few of a base's pieces: with PyTorch, on a tiny encoder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers.torch_environment import run_with_torch

pytestmark = [pytest.mark.torch, pytest.mark.xdist_group("torch"), pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    printed = run_with_torch(
        "-m",
        "tests.train_tiny_reader",
        str(tmp_path_factory.mktemp("reader")),
        what="training an encoder that reads codes",
    )
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_pieces_of_the_texts_are_kept_and_letters_of_their_script_but_no_capitals_and_no_other_script(
    facts: dict[str, Any],
) -> None:
    assert facts["kept"] == ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁the", "▁vote", "▁is", *"dehimostv"]
    assert facts["network_knows"] == [len(facts["kept"])] * 2
    assert facts["of_another_script"] == "<s> ▁ <unk> </s>"


def test_what_is_kept_is_read_as_before(facts: dict[str, Any]) -> None:
    before, after = facts["read_alike"]
    assert before == after == ["<s>", "▁the", "▁vote", "▁is", "▁", *"dome", "</s>"]
    assert facts["vectors_are_the_same"]
    assert facts["logits_differ_by"] < 1e-5
    assert facts["pad"] == "<pad>"


def test_pieces_of_another_kind_of_tokenizer_are_not_left_out(facts: dict[str, Any]) -> None:
    assert facts["wordpiece"].endswith("this one is WordPiece")


def test_codes_are_learnt(facts: dict[str, Any]) -> None:
    assert facts["losses"][-1] < facts["losses"][0]
    assert facts["codes_told"] == facts["codes"]


def test_an_interrupted_training_with_a_mean_of_its_weights_ends_the_same(facts: dict[str, Any]) -> None:
    assert facts["resumed_otherwise"] == []


def test_a_training_that_is_over_but_not_yet_written_is_not_done_again(facts: dict[str, Any]) -> None:
    assert facts["epochs_of_a_training_that_is_over"] == 12
    assert facts["over_is_the_same"]


def test_what_is_served_is_read_back_as_what_was_trained(facts: dict[str, Any]) -> None:
    found = facts["read_back"]
    assert found["weights"] == 5 + 16, "all but the outputs: the embeddings and one layer"
    assert found["weights_off_by"] < 0.01
    assert found["logits_off_by"] < 0.05
    assert found["told"][0] == found["told"][1]
    assert found["heads"] == 2
    assert found["pad"] == "<pad>"


def test_attention_in_one_node_and_a_network_in_two_parts_say_the_same(facts: dict[str, Any]) -> None:
    found = facts["divided"]
    assert found["nodes"][1] < 0.7 * found["nodes"][0]
    assert found["fused_off_by"] < 0.05
    assert found["whole_off_by"] == 0
    assert found["divided_off_by"] < 1e-4
    assert found["early_off_by"] < 1e-4


def test_first_layers_learn_to_guess_what_the_whole_says_and_nothing_where_it_says_nothing(
    facts: dict[str, Any],
) -> None:
    found = facts["divided"]
    assert found["guesses_like_the_whole"] > 0.8
    assert found["guesses_about_elections"] < -1
    assert found["the_same_again"]
    assert found["beside"] == {"elections": 0.0, "abuse": 0.0}


def test_a_new_code_begins_as_what_its_texts_were_called_before_and_changes_no_other(facts: dict[str, Any]) -> None:
    found = facts["grown"]
    assert (found["codes"], found["called_before"]) == (3, 0)
    assert found["old_ones_off_by"] < 1e-5
    assert found["new_one_off_by"] < 1e-5
    assert found["without_texts"] == "a new code without texts"


def test_another_network_than_is_served_is_not_trained_on(facts: dict[str, Any]) -> None:
    exact, other = facts["not_read_back"]
    assert exact.startswith("tiny: not a network as training writes it:")
    assert "at least 0.995 is needed" in other


def test_of_several_networks_that_begin_as_one_the_mean_of_the_weights_serves(facts: dict[str, Any]) -> None:
    found = facts["soup"]
    assert found["began_alike"] == [True, True, True]
    assert found["moved_by"] == pytest.approx([3.0, 3.0, 3.0], abs=1e-4)
    assert found["told"] == "time 0"
    assert found["of_none"] == "0 networks: at least one must learn"


def test_teachers_judge_each_row_once_and_one_that_was_interrupted_goes_on(facts: dict[str, Any]) -> None:
    found = facts["teachers"]
    assert found["stopped_in"] == 2
    assert found["opened"] == [1, 2, 2, 3], "the first is not trained again, nor is any when all is done"
    assert found["steps_of_all"] == [4 * 12 * 4], (
        "four parts, twelve epochs, and two thirds of the rows in four batches"
    )
    assert found["the_same_again"]
    assert found["shape"] == [22, 3], "a task and two codes"
    assert found["codes_sum_to"] == pytest.approx([1.0, 1.0], abs=1e-5)
    assert found["within"][0] >= 0.0
    assert found["within"][1] <= 1.0
    assert found["left"] == [".teacher"] * 3
    assert found["left_after"] == []


def test_a_label_is_half_what_teachers_say(facts: dict[str, Any]) -> None:
    assert facts["teachers"]["unsure_about_codes"] == pytest.approx(0.75, abs=0.07)
    assert facts["teachers"]["unsure_about_the_task"] == pytest.approx(0.75, abs=0.12)
