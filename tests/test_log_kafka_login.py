"""A broker that asks for a login (SCRAM-SHA-512): the right password lets in, a wrong one is told in words. TLS is
tried by the production example (`tests/test_deploy.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.errors import ConfigError, HustingsError
from ingest.log_kafka import KafkaLog, KafkaSettings, create_topics
from runtime.config import load_config
from runtime.servers import ask_servers
from tests.servers.kafka_cluster import KafkaCluster, KafkaMissing, jars
from tests.servers.missing import leave_out

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("kafka")]
LOGIN = ("hustings", "right-9f2c")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        found = jars()
    except KafkaMissing as missing:
        leave_out("a login at Kafka", missing)
    with KafkaCluster(tmp_path_factory.mktemp("kafka"), jars=found, login=LOGIN) as cluster:
        yield cluster


def settings_of(cluster: KafkaCluster, folder: Path, password: str, **changes: object) -> KafkaSettings:
    file = folder / "password"
    file.write_text(password + "\n")
    given = {"servers": cluster.servers, "user": LOGIN[0], "password_file": file, "replication": 1, "min_insync": 1}
    return KafkaSettings.model_validate({**given, "answer_s": 4.0, "deliver_s": 8.0, **changes})


def test_the_right_password_lets_in(guarded: KafkaCluster, tmp_path: Path) -> None:
    settings = settings_of(guarded, tmp_path, LOGIN[1])
    create_topics(settings)
    with closing(KafkaLog(settings, clock=SystemClock(), worker="analyze-1").open()) as log:
        assert log.append("posts", [Record("a", b"1")]) == [(0, 0)]
        assert log.ends("posts") == {0: 1}


@pytest.mark.parametrize("changes", [{}, {"user": "nobody"}], ids=["wrong password", "unknown user"])
def test_a_wrong_login_is_told_with_the_settings_to_look_at(
    guarded: KafkaCluster, tmp_path: Path, changes: dict[str, object]
) -> None:
    settings = settings_of(guarded, tmp_path, "wrong-77aa", **changes)
    with pytest.raises(HustingsError) as caught:
        KafkaLog(settings, clock=SystemClock()).open()
    told = str(caught.value)
    assert "kafka.user" in told
    assert "login" in told
    assert "wrong-77aa" not in told


def test_a_client_without_a_login_is_told_too(guarded: KafkaCluster) -> None:
    settings = KafkaSettings(servers=guarded.servers, replication=1, min_insync=1, answer_s=4.0, deliver_s=8.0)
    with pytest.raises(HustingsError, match=guarded.servers[0]):
        KafkaLog(settings, clock=SystemClock()).open()


def test_the_check_of_a_configuration_says_it(guarded: KafkaCluster, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong-77aa")
    path = tmp_path / "hustings.toml"
    path.write_text(
        f'[deployment]\nname = "T"\n[kafka]\nservers = ["{guarded.servers[0]}"]\nuser = "hustings"\n'
        'password_file = "password"\nreplication = 1\nmin_insync = 1\nanswer_s = 4\ndeliver_s = 8\n'
    )
    (found,) = ask_servers(load_config(path))
    assert found.server == "kafka"
    assert "kafka.password_file" in found.problems[0] or "kafka.user" in found.problems[0]


def test_a_password_file_that_is_gone_is_named(guarded: KafkaCluster, tmp_path: Path) -> None:
    settings = settings_of(guarded, tmp_path, LOGIN[1])
    (tmp_path / "password").unlink()
    with pytest.raises(ConfigError, match=r"kafka.password_file .* cannot be read"):
        KafkaLog(settings, clock=SystemClock()).open()
