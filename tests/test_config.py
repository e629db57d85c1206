"""The configuration file: all problems in one report, each naming file, key, what was found and what is known."""

from __future__ import annotations

import re
import shutil
import socket
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from pydantic import BaseModel

from hustings.clock import VirtualClock
from hustings.errors import ConfigError, RuleError
from index.elastic import ElasticSettings
from ingest.egress import EgressSettings
from ingest.log_kafka import KafkaSettings
from runtime.build import rule_set, vocabulary_of
from runtime.check import find_problems
from runtime.config import Charter, Config, known_keys, load_config, load_sound_part, missing_in_charter
from runtime.servers import Found, ask_servers

GOOD = """
[deployment]
name = "Test"
[charter]
requester = "Observatory"
mandate = "Watch"
period = [2027-03-10, 2027-03-24]
languages = ["en"]
recipients = ["Network"]
legal_basis = "consent"
contacts = ["desk@observatory.example"]
dpia_ref = "DPIA-1"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "hustings.toml"
    path.write_text(text)
    return path


def test_a_small_configuration_has_sensible_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.data == tmp_path / "var"
    assert config.base_url == "http://127.0.0.1:8780"
    assert config.database_url == f"sqlite:///{tmp_path / 'var' / 'desk.db'}"
    assert config.languages == ("en",)
    assert missing_in_charter(config.charter) == []


def test_languages_of_the_charter_are_written_in_one_way(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD.replace('["en"]', '["ES", "pt_br", "en-IN", "nb"]')))
    assert config.languages == ("es", "pt-BR", "en-IN", "no")


@pytest.mark.parametrize(
    ("written", "told"), [("sp", "near are 'es' (Spanish)"), ("Spanish", "did you mean 'es'?"), ("", "write BCP 47")]
)
def test_an_unknown_language_of_the_charter_is_an_error_with_its_key(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(write(tmp_path, GOOD.replace('["en"]', f'["en", "{written}"]')))
    assert f"charter.languages.1: '{written}' is no language tag" in str(raised.value)
    assert told in str(raised.value)


def test_all_problems_stand_in_one_report(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    path = write(
        tmp_path,
        """
[deployment]
nam = "Test"
clock = "sideways"
[charter]
requestr = "Observatory"
period = [2027-03-10]
[desk]
prt = 1
port = "many"
[[phase]]
code = "P-CAMP"
start = 2027-03-10T00:00:00
end = 2027-03-09T00:00:00Z
[nonsense]
x = 1
""",
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    golden("config_errors.txt", str(caught.value).replace(str(path), "hustings.toml") + "\n")


def test_a_phase_that_ends_before_it_starts_is_refused(tmp_path: Path) -> None:
    text = GOOD + '[[phase]]\ncode = "P-CAMP"\nstart = 2027-03-10T00:00:00Z\nend = 2027-03-09T00:00:00Z\n'
    with pytest.raises(ConfigError, match="before it starts"):
        load_config(write(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "says"), [(b"[deployment\n", "not TOML"), (b"\xff\xfe", "not UTF-8 text")], ids=["broken", "binary"]
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "hustings.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("pattern", ["rules/*.toml", "/nowhere/*.toml", "", "**none"])
def test_a_rule_pattern_that_finds_nothing_is_an_error(tmp_path: Path, pattern: str) -> None:
    config = load_config(write(tmp_path, f'rules = ["{pattern}"]\n' + GOOD))
    with pytest.raises(ConfigError, match=re.escape(f"rules: {pattern!r} finds no file")):
        config.rule_files()


def test_a_rule_pattern_may_be_absolute(tmp_path: Path) -> None:
    (rules := tmp_path / "rules").mkdir()
    (folder := tmp_path / "election").mkdir()
    for name in ("b.toml", "a.toml"):
        shutil.copy(CONFIGS / "rules" / "gendered-abuse-pile-on.toml", rules / name)
    config = load_config(write(folder, f'rules = ["{rules}/*.toml"]\n' + GOOD))
    assert config.rule_files() == [rules / "a.toml", rules / "b.toml"]
    with pytest.raises(RuleError, match=re.escape(f"{rules / 'b.toml'}")):
        rule_set(config, vocabulary_of(config))  # the same rule twice


def test_a_charter_names_all_that_is_missing() -> None:
    assert missing_in_charter(None) == list(Charter.model_fields)
    assert missing_in_charter(Charter(requester="x", mandate="y", languages=("en",))) == [
        "period",
        "recipients",
        "legal_basis",
        "contacts",
        "dpia_ref",
    ]


CONFIGS = Path(str(resources.files("configs")))
LAPTOP, CLUSTER = CONFIGS / "laptop.toml", CONFIGS / "cluster.toml"
IN_MARCH = VirtualClock(datetime(2027, 3, 10, tzinfo=UTC))


def test_the_ready_configuration_checks() -> None:
    assert find_problems(LAPTOP, clock=IN_MARCH).problems == []


def test_every_ready_configuration_loads() -> None:
    ready = [path for path in CONFIGS.glob("*.toml") if path.name != "codebook.toml"]
    assert {path.name for path in ready} == {"laptop.toml", "cluster.toml"}
    for path in ready:
        config = load_config(path)
        assert missing_in_charter(config.charter) == []
        assert config.rule_files()


def test_the_ready_configuration_of_a_cluster_checks_once_its_secrets_are_there(tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    path = tmp_path / "configs" / "cluster.toml"
    path.write_text(path.read_text("utf-8").replace("/run/secrets", str(tmp_path)), "utf-8")
    secrets = ("ca.pem", "kafka-password", "elasticsearch-password", "postgres-password")
    missing = find_problems(path, clock=IN_MARCH).problems
    assert [line for line in missing if not line.endswith("no such file")] == []
    assert {line.split(": ")[-2].rpartition("/")[2] for line in missing} == set(secrets)
    for name in secrets:
        (tmp_path / name).write_text("secret")
    report = find_problems(path, clock=IN_MARCH)
    assert report.problems == []
    assert "secret" not in str(report).replace("secrets", "")


def test_the_ready_configuration_of_a_cluster_names_every_key_of_the_servers() -> None:
    given = tomllib.loads(CLUSTER.read_text("utf-8"))
    assert set(KafkaSettings.model_fields) == given["kafka"].keys()
    assert set(ElasticSettings.model_fields) == given["elasticsearch"].keys() | {"api_key_file"}
    kafka = KafkaSettings.model_validate(given["kafka"])
    assert (kafka.replication, kafka.min_insync, kafka.tls) == (3, 2, True)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ('[kafka]\nserver = ["a:1"]', "kafka: server: unknown key. Did you mean 'servers'?"),
        ('[kafka]\nservers = ["a:1"]\nuser = "u"', "kafka: (file): user and password_file go together"),
        ('[elasticsearch]\nservers = ["a:1"]', "elasticsearch: servers.0: string should match pattern"),
        ('[elasticsearch]\nservers = ["https://a:1"]\nreplica = 0', "replica: unknown key. Did you mean 'replicas'?"),
        ('[kafka]\nservers = ["a:1"]\nca_file = "no.pem"\ntls = true', "kafka.ca_file"),
        ('[desk]\ndatabase_password_file = "none"', "desk.database_password_file"),
        (
            "[analyze]\nworkers = 3\n[log]\nposts_partitions = 2",
            "analyze.workers: 3 workers share 2 partitions of posts",
        ),
        ("[watch]\nworkers = 0", "watch.workers: input should be greater than or equal to 1, found 0"),
        (
            '[kafka]\nservers = ["a:1"]\n[watch]\nworkers = 2',
            "watch.workers: 2 workers share 1 partition of hits: 1 only",
        ),
    ],
)
def test_what_is_wrong_with_servers_and_workers_is_told(tmp_path: Path, tables: str, said: str) -> None:
    report = find_problems(write(tmp_path, GOOD + tables), clock=IN_MARCH)
    assert said in "\n".join([*report.problems, *report.warnings])


def test_what_servers_say_stands_in_the_report(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + '[kafka]\nservers = ["a:1"]\n')
    said = [Found("kafka", ["topic 'posts' is missing"], ""), Found("desk", [], "all is well")]
    report = find_problems(path, clock=IN_MARCH, ask=lambda _: said)
    assert f"{path}: kafka: topic 'posts' is missing" in report.problems
    assert "desk: all is well" in report.facts


def test_a_server_that_nobody_listens_at_is_a_problem_that_names_its_setting(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        tables = f"""
[kafka]
servers = ["127.0.0.1:{port}"]
[elasticsearch]
servers = ["http://127.0.0.1:{port}"]
[desk]
database_url = "postgresql+pg8000://hustings:x@127.0.0.1:{port}/hustings"
"""
        found = ask_servers(load_config(write(tmp_path, GOOD + tables)))
    assert [one.server for one in found] == ["kafka", "elasticsearch", "desk"]
    assert all(len(one.problems) == 1 and str(port) in one.problems[0] for one in found)
    for one, setting in zip(found, ("kafka.servers", "elasticsearch.servers", "desk.database_url"), strict=True):
        assert setting in one.problems[0]


def test_the_ready_configuration_names_every_key() -> None:
    text = LAPTOP.read_text("utf-8")
    sections = re.split(r"^(?:# )?\[+([a-z.]+)\]+", text, flags=re.MULTILINE)
    said = {"": sections[0]}
    for name, body in zip(sections[1::2], sections[2::2], strict=True):
        said[name] = said.get(name, "") + body
    known = known_keys() | {"egress": list(EgressSettings.model_fields)}
    for section, keys in known.items():
        for key in keys:
            if section == "" and key in said:
                continue
            assert re.search(rf"^(# )?{key} = ", said[section], re.MULTILINE), f"[{section}] {key} is not named"


def test_the_ready_configuration_says_the_defaults() -> None:
    config = load_config(LAPTOP)
    for name, field in Config.model_fields.items():
        default = field.default
        if isinstance(default, BaseModel):
            assert getattr(config, name) == default, name
    assert EgressSettings.model_validate(config.egress) == EgressSettings()


def test_a_table_that_is_broken_leaves_the_others_to_be_checked(tmp_path: Path) -> None:
    sound = load_sound_part(
        write(tmp_path, GOOD.replace('requester = "Observatory"', "requester = 3") + "[log]\nx = 1\n")
    )
    assert sound.broken == {"charter", "log"}
    assert len(sound.problems) == 2
    assert (sound.config.deployment.name, sound.config.charter) == ("Test", None)
