"""The production example: what make-secrets.sh makes is enough for real brokers with TLS and logins, and compose.yaml
names nothing that is not there."""

from __future__ import annotations

import gc
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.errors import Unavailable
from ingest.log_kafka import KafkaLog, KafkaSettings, create_topics
from tests.servers.kafka_cluster import KafkaMissing, jars

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
DEPLOY = Path(__file__).parents[1] / "deploy"
LOGGING = f"-Dlog4j2.configurationFile={Path(__file__).parent / 'servers' / 'kafka' / 'log4j2.properties'}"
NODES = (1, 2, 3)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: make-secrets.sh is not tested")
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run([DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(autouse=True)
def forgotten_sockets() -> Iterator[None]:
    """The client leaves the closing of a socket that could not connect to the garbage collector: collects them here,
    where the warning is switched off."""
    yield
    gc.collect()


def compose() -> dict[str, dict[str, dict[str, object]]]:
    loaded: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_every_secret_that_the_compose_file_names_is_made(secrets: Path) -> None:
    named = {str(entry["file"]) for entry in compose()["secrets"].values()}
    assert named == {f"secrets/{name}" for name in compose()["secrets"]}
    assert [name for name in named if not (secrets / Path(name).name).is_file()] == []


def test_every_secret_that_a_service_uses_is_declared() -> None:
    declared = set(compose()["secrets"])
    used = set()
    for service in compose()["services"].values():
        listed = service.get("secrets", [])
        assert isinstance(listed, list)
        used |= {entry if isinstance(entry, str) else entry["source"] for entry in listed}
    assert used == declared


def test_no_secret_stands_in_the_compose_file_or_in_what_a_service_is_told() -> None:
    for name, service in compose()["services"].items():
        environment = service.get("environment", {})
        assert isinstance(environment, dict)
        for key in environment:
            assert "PASSWORD" not in key or key.endswith("_FILE"), f"{name}: {key}"


def test_making_secrets_again_changes_none(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run([DEPLOY / "make-secrets.sh", secrets], check=True, capture_output=True)
    kept = {name: raw for name, raw in before.items() if not name.endswith(".keystore")}
    assert {name: (secrets / name).read_bytes() for name in kept} == kept


def test_the_authoritys_key_is_for_its_owner_alone(secrets: Path) -> None:
    assert (secrets / "ca.key").stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def brokers(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """The three brokers of the example, on loopback ports instead of host names."""
    try:
        libraries = jars()
    except KafkaMissing as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs the real brokers: {error}")
        pytest.skip(f"{error}: the brokers of the production example are not tested")
    folder = tmp_path_factory.mktemp("brokers")
    ports = {node: {port: _free_port() for port in (9093, 9094, 9095)} for node in NODES}
    environment = {**os.environ, "CLASSPATH": f"{libraries}/*"}
    java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", LOGGING]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for node in NODES:
            properties = folder / f"{node}.properties"
            text = (secrets / f"kafka-{node}.properties").read_text()
            properties.write_text(_on_loopback(text, node, ports, secrets=secrets, data=folder / f"data-{node}"))
            subprocess.run(
                [*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", str(properties)],
                env=environment,
                check=True,
                capture_output=True,
            )
            with (folder / f"output-{node}").open("wb") as output:
                running.append(
                    subprocess.Popen(
                        [*java, "kafka.Kafka", str(properties)],
                        env=environment,
                        stdout=output,
                        stderr=output,
                    )
                )
        yield KafkaSettings(
            servers=tuple(f"127.0.0.1:{ports[node][9093]}" for node in NODES),
            tls=True,
            ca_file=secrets / "ca.pem",
            user="hustings",
            password_file=secrets / "kafka-password",
            mechanism="PLAIN",
        )
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.servers
@pytest.mark.xdist_group("kafka-tls")
def test_the_brokers_of_the_example_take_records_over_tls_from_who_knows_the_password(
    brokers: KafkaSettings, tmp_path: Path
) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            create_topics(brokers, posts_partitions=2, hits_partitions=2)
            break
        except Exception:  # brokers that start refuse in many ways
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    log = KafkaLog(brokers, clock=SystemClock(), posts_partitions=2, hits_partitions=2)
    log.open()
    try:
        ((partition, offset),) = log.append("posts", [Record("example:1", b"{}")])
        assert (offset, log.ends("posts")[partition]) == (0, 1)
    finally:
        log.close()

    wrong = tmp_path / "wrong"
    wrong.write_text("not the password")
    stranger = KafkaLog(
        brokers.model_copy(update={"password_file": wrong}),
        clock=SystemClock(),
        posts_partitions=2,
        hits_partitions=2,
    )
    with pytest.raises(Unavailable, match=r"A refused login looks the same: see kafka\.user"):
        stranger.open()


def _on_loopback(text: str, node: int, ports: dict[int, dict[int, int]], *, secrets: Path, data: Path) -> str:
    """The same properties where every host is this one."""
    for other, of_other in ports.items():
        for named, port in of_other.items():
            text = text.replace(f"kafka-{other}:{named}", f"127.0.0.1:{port}")
    for named, port in ports[node].items():
        text = re.sub(rf"://:{named}\b", f"://127.0.0.1:{port}", text)
    return text.replace("/run/secrets/", f"{secrets}/").replace("/var/lib/kafka/data", str(data))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
