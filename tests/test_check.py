"""`hustings check`: every kind of problem stands in one report, and what hangs on a broken part is said to wait."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hustings.clock import VirtualClock
from runtime import build
from runtime.check import find_problems
from runtime.config import load_config
from runtime.init import ready_rules
from runtime.only_one import only_one
from tests.command_line import command_line

CLOCK = VirtualClock(datetime(2027, 3, 10, 12, tzinfo=UTC))
CHARTER = """
[charter]
requester = "Observatory"
mandate = "Watch"
period = [2027-03-01, 2027-03-24]
languages = ["en"]
recipients = ["Network"]
legal_basis = "public interest"
contacts = ["desk@observatory.example"]
dpia_ref = "DPIA-1"
"""
ROSTER = """
[[person]]
id = "c01"
name = "Ana Torre"
[[person]]
id = "c02"
name = "Omar Nil"
"""
PARTNER = """
[[partner]]
id = "network"
name = "Network"
tlp = "AMBER+STRICT"
pseudonym_key = { file = "network.key" }
[[partner.channels]]
name = "archive"
kind = "file"
settings = { path = "received.jsonl" }
"""


def deployment(folder: Path, config: str, *, roster: str = ROSTER) -> Path:
    (folder / "rules").mkdir()
    for name, text in ready_rules(expires="2027-03-24"):
        (folder / "rules" / name).write_text(text)
    (folder / "roster.toml").write_text(roster)
    (folder / "network.key").write_text("6b" * 32)
    path = folder / "hustings.toml"
    path.write_text('roster = "roster.toml"\nrules = ["rules/*.toml"]\n' + config)
    return path


GOOD = '[deployment]\nname = "Test"\n' + CHARTER + '[[source]]\nname = "tips"\nkind = "tips"\n' + PARTNER


def test_what_is_right_checks_and_makes_nothing(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD)
    before = sorted(tmp_path.rglob("*"))
    report = find_problems(path, clock=CLOCK)
    assert report.problems == []
    assert [note.partition(": ")[2] for note in report.warnings] == [
        "rules: 8 name no word without which they cannot match; they see every post"
    ]
    assert [fact for fact in report.facts if not fact.startswith("models")] == [
        "charter: complete, 2027-03-01 to 2027-03-24",
        "calendar: 0 phases",
        "roster: 2 people",
        "rules: 8 rules",
        "sources: 1 source",
        "partners: 1 partner",
    ]
    assert sorted(tmp_path.rglob("*")) == before


EVERY_PROBLEM = """
[deployment]
name = "Test"
data = "roster.toml/var"

[charter]
requester = "Observatory"
period = [2027-03-24, 2027-03-01]
languages = ["en", "sw"]
recipients = ["Network"]
legal_basis = "public interest"
contacts = ["desk@observatory.example"]

[log]
keep_days = 1
keep_hours = 3

[[phase]]
code = "P-CAMPAIGN"
start = 2027-03-01T00:00:00Z
end = 2027-03-12T00:00:00Z

[[source]]
name = "radio"
kind = "radio"

[[source]]
name = "radio"
kind = "feeds"
urls = ["https://news.example/feed.xml"]

[[source]]
name = "archive"
kind = "files"
path = "none.jsonl"
clock = "as-posted"

[[source]]
kind = "tips"

[[source]]
name = "square"
kind = "mastodon"
instance = "social.example"
token_file = "none.token"

[[partner]]
id = "network"
name = "Network"
targets = ["c01", "c99"]
topics = ["weather"]
pseudonym_key = { file = "none.key" }
[[partner.channels]]
name = "hook"
kind = "webhok"

[[partner]]
id = "network"
name = "Another network"
pseudonym_key = "0123456789abcdef"
[[partner.channels]]
name = "hook"
kind = "webhook"
settings = { url = "partner.example", secrets = ["whsec_c2VjcmV0IG9mIHRoZSBwYXJ0bmVy"] }

[egress]
allow = ["not an origin at all"]

[desk]
tips_token_file = "none.token"
"""
BROKEN_ROSTER = """
versoin = "1"
[[person]]
id = "c01"
name = "Ana Torre"
aliases = ["Torre"]
ambiguous = ["Torre"]
handles = ["@ana", "mastodon:ana@social.example"]
[[person]]
id = "c01"
name = "Omar Nil"
partie = "Unity"
handles = ["mastodon:ana@social.example"]
[[person]]
name = "Nobody"
[[person]]
id = "c 04"
name = 4
"""
BROKEN_RULE = """
[[rule]]
id = "0d6d3f0a-6f5e-4a53-9a86-5b0b8a3f3aff"
name = "broken"
version = 1
state = "active"
owner = "desk"
expires = 2026-01-01
why = "to see what is said"
kind = "count"
where = "flags:G"
window = "6 hours"
when = { gte = 3 }
"""


def test_every_kind_of_problem_stands_in_one_report(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    path = deployment(tmp_path, EVERY_PROBLEM, roster=BROKEN_ROSTER)
    (tmp_path / "rules" / "broken.toml").write_text(BROKEN_RULE)
    golden("check_every_problem.txt", shown(path))


def test_with_a_sound_roster_the_rules_are_checked_too(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    sound = EVERY_PROBLEM.replace("keep_hours = 3\n", "").replace("P-CAMPAIGN", "P-CAMP")
    path = deployment(tmp_path, sound)
    (tmp_path / "rules" / "broken.toml").write_text(BROKEN_RULE)
    golden("check_rules_and_partners.txt", shown(path))


def shown(path: Path) -> str:
    report = find_problems(path, clock=CLOCK)
    lines = [*report.problems, *(f"note: {note}" for note in report.warnings)]
    return "\n".join(lines).replace(str(path.parent), "/here") + "\n"


def test_a_secret_never_stands_in_the_report(tmp_path: Path) -> None:
    text = GOOD.replace('pseudonym_key = { file = "network.key" }', 'pseudonym_key = ["do-not-show-me"]')
    report = find_problems(deployment(tmp_path, text), clock=CLOCK)
    assert len(report.problems) == 1
    assert "do-not-show-me" not in str(report)


def test_a_data_folder_that_others_may_read_is_noted(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD)
    (tmp_path / "var").mkdir()
    (tmp_path / "var").chmod(0o755)
    (note,) = (note for note in find_problems(path, clock=CLOCK).warnings if "deployment.data" in note)
    assert "var has mode 0755: other users of this machine may read posts" in note
    (tmp_path / "var").chmod(0o700)
    assert "deployment.data" not in str(find_problems(path, clock=CLOCK))


def test_the_data_folder_is_made_for_one_user_alone(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD)
    build.open_engine(load_config(path)).dispose()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    with only_one(tmp_path / "elsewhere"):
        assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o700


def test_an_empty_pseudonym_key_is_a_problem(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD)
    (tmp_path / "network.key").write_text("\n")
    report = find_problems(path, clock=CLOCK)
    assert [problem.replace(str(tmp_path), "/here") for problem in report.problems] == [
        "/here/hustings.toml: partner network.pseudonym_key.file: /here/network.key: is empty"
    ]


HOOK = """
[[partner.channels]]
name = "hook"
kind = "webhook"
settings = { url = "https://partner.example/hook", secrets = [{ file = "hook.key" }, "whsec_do-not-show-me"] }
"""


def test_a_key_that_cannot_sign_is_a_problem_before_the_first_alert(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD + HOOK)
    (tmp_path / "hook.key").write_text(b64encode(bytes(32)).decode())
    report = find_problems(path, clock=CLOCK)
    assert [problem.partition(".toml: ")[2] for problem in report.problems] == [
        "partner network: channel hook: secrets.1: a webhook key begins with whsec_ or whsk_",
        "partner network: channel hook: secrets.2: a whsec_ key is base64 of 24 to 64 bytes",
    ]
    (tmp_path / "hook.key").unlink()
    assert [problem.rpartition(": ")[2] for problem in find_problems(path, clock=CLOCK).problems] == [
        "no such file",
        "a whsec_ key is base64 of 24 to 64 bytes",
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "http://partner.example/hook?token=do-not-show-me",
            "http://partner.example:80: only https on port 443 is open",
        ),
        ("https://partner.example:8443/hook", "https://partner.example:8443: only https on port 443 is open"),
        ("https://10.0.0.7/hook", "10.0.0.7:443 is 10.0.0.7: refused as private network"),
        ("https://me:do-not-show-me@partner.example/", "partner.example: credentials in the address are refused"),
    ],
)
def test_a_webhook_that_nothing_may_be_sent_to_is_a_problem_before_the_first_alert(
    tmp_path: Path, url: str, said: str
) -> None:
    hook = HOOK.replace("https://partner.example/hook", url).replace(', "whsec_do-not-show-me"', "")
    path = deployment(tmp_path, GOOD + hook)
    (tmp_path / "hook.key").write_text("whsec_" + b64encode(bytes(32)).decode())
    (problem,) = find_problems(path, clock=CLOCK).problems
    assert f"partner network: channel hook: url: {said}" in problem
    assert "do-not-show-me" not in problem
    if "8443" in url:
        path.write_text(path.read_text() + '[egress]\nallow = ["https://partner.example:8443"]\n')
        assert find_problems(path, clock=CLOCK).problems == []


def test_the_key_that_the_partner_verifies_with_is_told(tmp_path: Path) -> None:
    path = deployment(tmp_path, GOOD + HOOK.replace(', "whsec_do-not-show-me"', ""))
    (tmp_path / "hook.key").write_text("whsk_" + b64encode(bytes(32)).decode())
    report = find_problems(path, clock=CLOCK)
    assert report.problems == []
    assert (
        "partner network: channel hook: the partner verifies v1a with whpk_O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
    ) in report.facts


def test_pseudonym_keys_that_are_short_or_shared_are_noted(tmp_path: Path) -> None:
    other = PARTNER.replace('id = "network"', 'id = "other"')
    path = deployment(tmp_path, GOOD + other)
    notes = [
        note.partition("partner ")[2] for note in find_problems(path, clock=CLOCK).warnings if "pseudonym_key:" in note
    ]
    assert notes == [
        "other: pseudonym_key: is the one of network, so that the two can tell that they were told of the same account"
    ]
    (tmp_path / "network.key").write_text("velmara")
    assert "network: pseudonym_key: has 7 characters; who guesses it" in str(find_problems(path, clock=CLOCK).warnings)
    assert "velmara" not in str(find_problems(path, clock=CLOCK))


def test_a_language_without_a_model_and_a_mandate_that_ended_are_noted(tmp_path: Path) -> None:
    text = GOOD.replace('languages = ["en"]', 'languages = ["en", "sw"]').replace("2027-03-24", "2027-03-09")
    report = find_problems(deployment(tmp_path, text), clock=CLOCK)
    assert report.problems == []
    assert [note.partition(": ")[2] for note in report.warnings if "rules:" not in note] == [
        "charter.period: ended on 2027-03-09; is there still a mandate?",
        "charter.languages: no model knows 'sw'; only rules on words can find such posts",
    ]


def test_unknown_languages_of_partners_and_sources_are_problems_with_their_keys(tmp_path: Path) -> None:
    feed = '[[source]]\nname = "feed"\nkind = "feeds"\nurl = "https://news.example/feed.xml"\nlang = "sp"\n'
    partner = PARTNER.replace('tlp = "AMBER+STRICT"', 'languages = ["es-MX", "xyz"]')
    report = find_problems(deployment(tmp_path, GOOD.replace(PARTNER, feed + partner)), clock=CLOCK)
    assert [problem.partition(" is no language tag")[0].rpartition("toml: ")[2] for problem in report.problems] == [
        "source feed: lang: 'sp'",
        "partner network: languages.1: 'xyz'",
    ]
    assert "near are 'es' (Spanish)" in report.problems[0]


def test_a_clock_that_cannot_be_read_is_one_problem_however_many_sources_go_with_it(tmp_path: Path) -> None:
    text = GOOD.replace('"Test"\n', '"Test"\nclock = "relpay"\n').replace(
        'kind = "tips"\n', 'kind = "tips"\nclock = "as-collected"\n'
    )
    report = find_problems(deployment(tmp_path, text), clock=CLOCK)
    assert [problem.rpartition("toml: ")[2] for problem in report.problems] == [
        "deployment.clock: input should be 'live' or 'replay', found 'relpay'"
    ]
    assert any("sources: not checked until deployment can be read" in note for note in report.warnings)


def test_sources_to_which_the_way_out_is_closed_are_noted(tmp_path: Path) -> None:
    feed = '[[source]]\nname = "{name}"\nkind = "feeds"\nurl = "{url}"\n'
    addresses = {
        "plain": "http://news.example/feed",
        "inside": "https://10.0.0.7/feed",
        "open": "https://news.example/",
    }
    feeds = "".join(feed.format(name=name, url=url) for name, url in addresses.items())
    path = deployment(tmp_path, GOOD + feeds)
    notes = [note.partition(": ")[2] for note in find_problems(path, clock=CLOCK).warnings if "source " in note]
    assert [note.partition(": nothing will be collected from there: ")[::2] for note in notes] == [
        (
            "source plain: url",
            "http://news.example:80: only https on port 443 is open; list the origin under egress.allow if meant",
        ),
        ("source inside: url", "10.0.0.7:443 is 10.0.0.7: refused as private network 10.0.0.0/8"),
    ]
    path.write_text(path.read_text() + '[egress]\nallow = ["http://news.example"]\n')
    assert not any("source plain" in note for note in find_problems(path, clock=CLOCK).warnings)


def test_the_command_says_it_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deployment(tmp_path, GOOD.replace('dpia_ref = "DPIA-1"', "").replace("2027", "2099"))
    answer = command_line(capsys, monkeypatch)("check", path, "--json")
    said = json.loads(answer.out)
    assert answer.status == 1
    assert said["ok"] is False
    assert [line.partition("charter: ")[2] for line in said["problems"]] == [
        "missing or empty: dpia_ref; nothing is collected until the charter is complete"
    ]
    assert {"warnings", "facts"} <= said.keys()
