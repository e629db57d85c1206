"""A tiny encoder is made, taught, interrupted, exported and quantised with PyTorch, and then served without it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from classifiers.encoder.model import Encoder, load_encoder
from classifiers.signing import ANYBODY
from tests.servers.torch_environment import run_with_torch

pytestmark = [pytest.mark.torch, pytest.mark.xdist_group("torch"), pytest.mark.timeout(1500)]


class Trained:
    def __init__(self, encoder: Encoder, facts: dict[str, Any]) -> None:
        self.encoder = encoder
        self.facts = facts

    def metric(self, name: str, on: str) -> float:
        return next(one.value for one in self.encoder.manifest.metrics if one.name == name and one.on == on)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("encoder")
    printed = run_with_torch("-m", "tests.train_tiny_encoder", str(folder), what="training an encoder")
    facts = json.loads(printed.splitlines()[-1])
    return Trained(load_encoder(folder / "models" / "encoder-en", signers=ANYBODY), facts)


def test_the_8_bit_network_serves_what_it_was_taught(trained: Trained) -> None:
    rude, kind, threat = trained.encoder.session.logits(
        ["that crook met 900 at river", "that nurse met 901 at church", "that snake hang 902 at market"]
    )
    assert rude[0] > kind[0] + 1  # where 0 lies between them our own posts decide, which are many times these rows
    assert kind[0] < 0
    assert threat[1] > max(rude[1], kind[1]) + 0.1  # our own posts, of which few threaten, make none likely yet


def test_only_the_outputs_beside_a_linear_head_are_exported(trained: Trained) -> None:
    assert trained.encoder.session.outputs == 2
    assert [(one.code, one.beside, one.beside_version) for one in trained.encoder.heads] == [
        ("G", "G-en", "4"),
        ("G-THR", "G-THR-en", "4"),
    ]


def test_quantising_stayed_within_its_gate_and_is_on_record(trained: Trained) -> None:
    changed = trained.metric("quantised_changed", "G-en: edos-sexist-dev")
    assert 0.0 <= changed <= 0.02
    assert trained.metric("quantised_largest", "G-en: edos-sexist-dev") > 0.0


def test_quality_is_measured_on_rows_nobody_trained_on(trained: Trained) -> None:
    assert trained.metric("pr_auc", "G-en: edos/dev.csv, cascade, chosen on other folds") > 0.95
    assert trained.metric("recall_kept", "G-en: edos/dev.csv, cascade, chosen on other folds") > 0.9
    assert {one.use for one in trained.encoder.manifest.data} == {"training", "measuring"}


def test_a_card_can_draw_each_head_as_it_was_chosen_on_other_folds(trained: Trained) -> None:
    drawn = trained.encoder.manifest.curves
    assert [one.on for one in drawn] == [
        f"{head}: edos/dev.csv, cascade, chosen on other folds" for head in ("G-en", "G-THR-en")
    ]
    rows = next(one.n for one in trained.encoder.manifest.metrics if one.on == drawn[0].on)
    assert all(sum(bar.n for bar in one.reliability) == rows for one in drawn)


def test_an_interrupted_training_goes_on_and_ends_the_same(trained: Trained) -> None:
    before, after = trained.facts["epochs_before_and_after_the_interruption"]
    assert (before, after) == (1, 2)
    assert trained.facts["resumed_is_the_same"]
    assert trained.facts["checkpoints_left"] == []


def test_a_manifest_says_which_teachers_judged_what_was_learnt(trained: Trained) -> None:
    sha = trained.encoder.manifest.settings["base_weights_sha256"]
    assert trained.facts["teachers"] == {
        "teachers": 2,
        "teachers_base": "base",
        "teachers_base_weights_sha256": sha,
        "teachers_base_licence": "see its source",
        "teachers_epochs": 1,
    }
    assert trained.facts["epochs_told_with_teachers"] == 1, "the pupil's alone"


def test_of_several_networks_a_manifest_says_how_many_there_were(trained: Trained) -> None:
    assert trained.facts["soup"] == {"networks_averaged": [3, 1], "is_another": True}


def test_reading_more_keeps_more(trained: Trained) -> None:
    for one in trained.encoder.heads:
        points = [(keep.keep, keep.from_score) for keep in one.keeps]
        assert points == sorted(points, key=lambda point: (point[0], -point[1]))
        assert points[-1] == (1.0, 0.0)


def test_the_manifest_says_what_it_was_made_of(trained: Trained) -> None:
    settings = trained.encoder.manifest.settings
    assert settings["base"] == "base"
    assert len(str(settings["base_weights_sha256"])) == 64
    assert trained.encoder.manifest.libraries["torch"] != "not installed"
    assert np.isfinite(trained.encoder.heads[0].calibration.slope)
