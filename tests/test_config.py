"""The configuration file: all problems in one report, each naming file, key, what was found and what is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from pydantic import BaseModel

from hustings.clock import VirtualClock
from hustings.errors import ConfigError
from ingest.egress import EgressSettings
from runtime.check import find_problems
from runtime.config import Charter, Config, known_keys, load_config, load_sound_part, missing_in_charter

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


def test_a_rule_pattern_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, 'rules = ["rules/*.toml"]\n' + GOOD))
    with pytest.raises(ConfigError, match="finds no file"):
        config.rule_files()


def test_a_charter_names_all_that_is_missing() -> None:
    assert missing_in_charter(None) == list(Charter.model_fields)
    assert missing_in_charter(Charter(requester="x", mandate="y", languages=("en",))) == [
        "period",
        "recipients",
        "legal_basis",
        "contacts",
        "dpia_ref",
    ]


LAPTOP = Path(str(resources.files("configs").joinpath("laptop.toml")))


def test_the_ready_configuration_checks() -> None:
    report = find_problems(LAPTOP, clock=VirtualClock(datetime(2027, 3, 10, tzinfo=UTC)))
    assert report.problems == []


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
