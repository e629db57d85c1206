"""`hustings init`: what it writes checks as soon as what it left empty is filled in."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from classifiers.signing import create_key
from hustings.clock import VirtualClock
from hustings.errors import ConfigError
from runtime.check import find_problems
from runtime.config import load_config
from runtime.init import Answers, day, languages_of, write_election
from tests.command_line import CommandLine, command_line

CLOCK = VirtualClock(datetime(2027, 2, 10, 12, tzinfo=UTC))
FULL = Answers(
    name='The "spring" vote \\ 2027',
    requester="Observatory",
    mandate="Watch\nthe vote.",
    first_day=date(2027, 2, 1),
    last_day=date(2027, 4, 30),
    languages=("en", "es"),
    contact="desk@observatory.example",
)


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


def problems(folder: Path) -> list[str]:
    report = find_problems(folder / "hustings.toml", clock=CLOCK)
    return [problem.removeprefix(f"{folder / 'hustings.toml'}: ") for problem in report.problems]


def fill_in(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def without_comments(path: Path) -> None:
    """What an operator does who takes everything that the template suggests."""
    lines = path.read_text().splitlines()
    suggested = [line.removeprefix("# ") for line in lines if not line.startswith("#") or is_toml(line)]
    path.write_text("\n".join(suggested) + "\n")


def is_toml(comment: str) -> bool:
    text = comment.removeprefix("#").strip()
    return bool(text) and (text.startswith("[[") or " = " in text)


def test_without_answers_check_names_exactly_what_is_missing(tmp_path: Path) -> None:
    write_election(tmp_path / "new", Answers(name="New"))
    assert problems(tmp_path / "new") == [
        "charter: missing or empty: requester, mandate, period, languages, recipients, legal_basis, contacts, dpia_ref;"
        " nothing is collected until the charter is complete"
    ]


def test_with_answers_only_what_was_not_asked_is_missing(tmp_path: Path) -> None:
    write_election(tmp_path / "new", FULL)
    assert problems(tmp_path / "new") == [
        "charter: missing or empty: recipients, legal_basis, dpia_ref;"
        " nothing is collected until the charter is complete"
    ]
    config = load_config(tmp_path / "new" / "hustings.toml")
    assert config.deployment.name == FULL.name
    assert config.charter is not None
    assert (config.charter.mandate, config.charter.period) == (FULL.mandate, (FULL.first_day, FULL.last_day))


def test_once_filled_in_everything_checks(tmp_path: Path, hustings: CommandLine) -> None:
    folder = tmp_path / "new"
    write_election(folder, FULL)
    fill_in(
        folder / "hustings.toml",
        ("recipients = []", 'recipients = ["Support network"]'),
        ('legal_basis = ""', 'legal_basis = "public interest"'),
        ('dpia_ref = ""', 'dpia_ref = "DPIA-1"'),
        ("2027-02-01, 2027-04-30", "2097-02-01, 2097-04-30"),
    )
    answer = hustings("check", folder / "hustings.toml")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith("everything checks\n")


def test_what_the_templates_suggest_checks(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    write_election(folder, FULL)
    without_comments(folder / "hustings.toml")
    without_comments(folder / "roster.toml")
    fill_in(
        folder / "hustings.toml",
        ("recipients = []", 'recipients = ["Support network"]'),
        ('legal_basis = ""', 'legal_basis = "public interest"'),
        ('dpia_ref = ""', 'dpia_ref = "DPIA-1"'),
    )
    assert problems(folder) == [
        f"partner support-network.pseudonym_key.file: {folder}/secrets/support-network.key: no such file",
        f"partner support-network.channels hook.settings.secrets 1.file: {folder}/secrets/support-network.whsec: "
        "no such file",
        f"model_signers: {folder}/keys/models.pub: cannot be read (No such file or directory); wanted a public key",
    ]
    create_key(folder / "keys" / "models.key", folder / "keys" / "models.pub")
    (folder / "secrets").mkdir()
    for name in ("support-network.key", "support-network.whsec"):
        (folder / "secrets" / name).write_text("whsec_c2VjcmV0IG9mIHRoZSBwYXJ0bmVyIGZvciB0ZXN0cw==")
    report = find_problems(folder / "hustings.toml", clock=CLOCK)
    assert report.problems == []
    assert [note for note in report.warnings if "see every post" not in note] == []


def test_rules_end_with_the_mandate(tmp_path: Path) -> None:
    write_election(tmp_path / "new", FULL)
    rules = [tomllib.loads(path.read_text()) for path in (tmp_path / "new" / "rules").glob("*.toml")]
    assert {rule["expires"] for table in rules for rule in table["rule"]} == {FULL.last_day}


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigError, match="already holds something"):
        write_election(tmp_path, FULL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_questions_are_asked_again_until_the_answer_can_be_used(tmp_path: Path, hustings: CommandLine) -> None:
    answers = "Vote\nObservatory\nWatch\nspring\n2027-02-01\n2027-04-30\nenglish\nen, es\ndesk@observatory.example\n"
    answer = hustings("init", tmp_path / "new", stdin=answers.encode())
    assert answer.status == 0
    assert "'spring' is no day; write it as 2027-02-01" in answer.out + answer.err
    charter = load_config(tmp_path / "new" / "hustings.toml").charter
    assert charter is not None
    assert charter.languages == ("en", "es")


def test_given_answers_are_not_asked(tmp_path: Path, hustings: CommandLine) -> None:
    answer = hustings("init", tmp_path / "new", "--name", "Vote", "--yes")
    assert answer.status == 0
    assert "?" not in answer.out
    assert load_config(tmp_path / "new" / "hustings.toml").deployment.name == "Vote"


@pytest.mark.parametrize(("text", "found"), [("", None), (" 2027-02-01 ", date(2027, 2, 1))])
def test_days(text: str, found: date | None) -> None:
    assert day(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ()), ("en", ("en",)), (" en , es,ar ", ("en", "es", "ar")), ("en-IN", ("en-IN",)), ("ES,PT", ("es", "pt"))],
)
def test_languages(text: str, found: tuple[str, ...]) -> None:
    assert languages_of(text) == found
