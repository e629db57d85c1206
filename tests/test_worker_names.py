"""What workers are called, and which partitions are whose where shares are fixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hustings.errors import ConfigError
from runtime.config import Config, load_config
from runtime.worker_names import Share, share_of, shares, workers_of

BASE = '[deployment]\nname = "Test"\n'
SHARED = "[log]\nposts_partitions = 5\nhits_partitions = 2\n[analyze]\nworkers = 3\n[watch]\nworkers = 2\n"
KAFKA = '[kafka]\nservers = ["127.0.0.1:9092"]\n'


def configured(folder: Path, text: str) -> Config:
    path = folder / "hustings.toml"
    path.write_text(BASE + text)
    return load_config(path)


def test_one_worker_has_the_name_of_its_loop_and_all_partitions(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    assert workers_of(config, "analyze") == ["analyze"]
    assert share_of(config, "analyze", "") == Share("analyze", [0])
    assert share_of(config, "desk", "") == Share("desk", None)


def test_several_workers_are_numbered_and_share_every_partition_once(tmp_path: Path) -> None:
    config = configured(tmp_path, SHARED)
    assert workers_of(config, "analyze") == ["analyze-1", "analyze-2", "analyze-3"]
    assert workers_of(config, "collect") == ["collect"]
    given = [share_of(config, "analyze", worker).partitions for worker in workers_of(config, "analyze")]
    assert given == [[0, 3], [1, 4], [2]]
    assert share_of(config, "watch", "watch-2") == Share("watch-2", [1])
    assert shares(2, 3) == [[0], [1], []]


def test_on_kafka_any_name_will_do_and_the_brokers_share_out_the_partitions(tmp_path: Path) -> None:
    config = configured(tmp_path, KAFKA)
    assert share_of(config, "analyze", "") == Share("analyze", None)
    assert share_of(config, "watch", "machine-7") == Share("machine-7", None)


@pytest.mark.parametrize(
    ("text", "loop", "worker", "said"),
    [
        (SHARED, "analyze", "", "analyze.workers = 3: say which, --worker analyze-1"),
        (SHARED, "analyze", "analyze-4", "no worker 'analyze-4'; on the log of one machine each has a fixed share"),
        ("", "analyze", "other", "no worker 'other'"),
        (KAFKA, "deliver", "deliver-2", "has one worker only, so it takes no --worker"),
        ("", "harvest", "", "no such loop 'harvest'; known are collect, analyze, watch, deliver, desk"),
    ],
)
def test_a_worker_that_cannot_be_is_refused(tmp_path: Path, text: str, loop: str, worker: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        share_of(configured(tmp_path, text), loop, worker)
