"""Dead letters: kept with their bytes, told once, and put in again by a person."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner

from desk import audit
from hustings import wire
from hustings.clock import SystemClock, VirtualClock
from hustings.errors import BadInput, ConfigError, StoreError
from hustings.roster import Person, Roster
from hustings.testing.memory import DictMemory
from hustings.types import DeadLetter, Post
from ingest.dead_letters import Brake, append_dead_letters, dead_letter, read_dead_letters, replay_dead_letter
from ingest.erased import bar
from ingest.log_sqlite import SqliteLog
from ingest.names import Names
from ingest.pseudonyms import Pseudonyms
from runtime import build
from runtime.commands import source
from runtime.commands.dead_letters import app
from runtime.config import load_config
from tests.limited_log import LimitedLog

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
NAMES = Names(Pseudonyms(b"k" * 32), Roster(people=(Person(id="carla", name="Carla", handles=("forum:carla_m",)),)))
POST = Post(source="forum", native_id="7", text="x", published_at=NOW, collected_at=NOW, author="eve")


@pytest.fixture
def log(tmp_path: Path):
    log = SqliteLog(tmp_path / "log", clock=VirtualClock(NOW))
    log.open()
    yield log
    log.close()


def letter(original: bytes, origin: str = "row 1") -> DeadLetter:
    return dead_letter("archive", "not_json", "bad", origin=origin, original=original, at=NOW)


def posts(log: SqliteLog) -> list[Post]:
    reader = log.reader("posts", "test")
    try:
        reader.seek(log.starts("posts"))
        return [wire.decode(entry.value, Post) for entry in reader.poll(limit=100, timeout_s=0)]
    finally:
        reader.close()


@given(st.binary(max_size=200))
def test_the_original_bytes_survive_the_log(original: bytes) -> None:
    assert wire.decode(wire.encode(letter(original)), DeadLetter).original == original


def test_a_letter_that_is_seen_again_is_told_once(log: SqliteLog) -> None:
    for _ in range(3):
        append_dead_letters(log, [letter(b"a"), letter(b"b")], code_version="hustings 1")
    found = read_dead_letters(log)
    assert [one.original for one in found] == [b"a", b"b"]
    assert found[0].code_version == "hustings 1"
    assert found[0].origin == "archive: row 1"
    assert len({letter(b"a").id, letter(b"b").id, letter(b"a", "row 2").id}) == 3


def test_a_letter_that_the_log_refuses_is_cut_and_says_so_and_costs_no_other(tmp_path: Path) -> None:
    large = letter(bytes(range(256)) * 40, "row 2")
    quoting = msgspec.structs.replace(letter(b"", "row 3"), detail="x" * 10_000)
    with closing(LimitedLog(tmp_path / "log", clock=VirtualClock(NOW), limits={"dead-letters": 5_000}).open()) as log:
        append_dead_letters(log, [letter(b"a"), large, quoting, letter(b"b")], code_version="hustings 1")
        found = {one.origin: one for one in read_dead_letters(log)}
        assert [one.original for one in read_dead_letters(log)][:2] == [b"a", b"b"]
    cut = found["archive: row 2"]
    assert (cut.id, cut.reason, cut.code_version) == (large.id, "not_json", "hustings 1")
    assert cut.original == large.original[:2_560]
    digest = sha256(large.original).hexdigest()
    assert cut.detail == f"bad [cut to the first 2,560 of 10,240 bytes, SHA-256 of all {digest}]"
    assert found["archive: row 3"].detail.startswith("x" * 1_000 + " [cut to the first 0 of 0 bytes")


def test_a_log_that_takes_no_letter_at_all_is_an_error(tmp_path: Path) -> None:
    with (
        closing(LimitedLog(tmp_path / "log", clock=VirtualClock(NOW), limits={"dead-letters": 100}).open()) as log,
        pytest.raises(StoreError, match="not even without its original: too_large"),
    ):
        append_dead_letters(log, [letter(b"a")], code_version="hustings 1")


def test_a_repaired_post_goes_into_the_log_with_its_people_renamed(log: SqliteLog) -> None:
    repaired = wire.encode(msgspec.structs.replace(POST, mentions=("carla_m", "mallory")))
    post = replay_dead_letter(log, letter(b"{"), names=NAMES, memory=DictMemory(), repaired=repaired)
    assert posts(log) == [post]
    assert post.mentions[0] == "carla"
    assert {len(post.author), len(post.mentions[1])} == {24}


def test_a_letter_of_analyze_goes_in_as_it_was(log: SqliteLog) -> None:
    written = wire.encode(msgspec.structs.replace(POST, author=NAMES.of("forum", "eve"), collector="archive"))
    replay_dead_letter(log, letter(written), names=NAMES, memory=DictMemory())
    assert wire.encode(posts(log)[0]) == written


def test_what_still_is_no_post_is_refused_and_nothing_is_appended(log: SqliteLog) -> None:
    with pytest.raises(BadInput, match="not_json"):
        replay_dead_letter(log, letter(b"{"), names=NAMES, memory=DictMemory())
    assert posts(log) == []


def test_a_post_that_was_erased_is_not_replayed(log: SqliteLog) -> None:
    memory = DictMemory()
    bar(memory, [POST.key], at=NOW)
    with pytest.raises(BadInput, match="forum:7 was erased, and is not collected again"):
        replay_dead_letter(log, letter(wire.encode(POST)), names=NAMES, memory=memory)
    assert posts(log) == []


def test_the_brake_forgets_a_good_past_slowly_and_a_bad_one_when_it_is_lifted() -> None:
    brake = Brake(DictMemory(), "archive")
    assert brake.saw(good=1_000_000, dead=0, now=NOW) == ""
    assert brake.saw(good=1, dead=9, now=NOW) == ""
    assert "of the last 1000" in brake.saw(good=1, dead=9, now=NOW)
    assert brake.is_on
    brake.lift()
    assert not brake.is_on
    assert brake.saw(good=1, dead=19, now=NOW) == ""


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hustings.toml"
    path.write_text('[deployment]\nname = "test"\n')
    (tmp_path / "var").mkdir()
    log = build.open_log(load_config(path), SystemClock())
    append_dead_letters(log, [letter(b"{na\xffme"), letter(wire.encode(POST), "row 2")], code_version="hustings 1")
    log.close()
    build.open_engine(load_config(path)).dispose()
    return path


def run(*words: str, group: Typer = app) -> str:
    result = CliRunner().invoke(group, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_show_and_replay(config: Path) -> None:
    lines = run("list", "--config", str(config), "--json").splitlines()
    first, second = (json.loads(line) for line in lines)
    assert (first["reason"], first["origin"]) == ("not_json", "archive: row 1")
    assert "2 dead letters" in run("list", "--config", str(config))
    assert "0 dead letters" in run("list", "--config", str(config), "--reason", "too_deep")
    assert "{na\\xffme" in run("show", first["id"][:12], "--config", str(config))
    assert run("replay", second["id"], "--config", str(config)) == "appended forum:7\n"
    repaired = config.parent / "post.json"
    repaired.write_bytes(wire.encode(msgspec.structs.replace(POST, native_id="8")))
    assert run("replay", first["id"], "--config", str(config), "--repaired", str(repaired)) == "appended forum:8\n"
    log = build.open_log(load_config(config), SystemClock())
    assert [post.key for post in posts(log)] == ["forum:7", "forum:8"]  # type: ignore[arg-type] # the SQLite log
    log.close()


def test_the_audit_chain_says_that_somebody_looked_at_the_bytes(config: Path) -> None:
    run("list", "--config", str(config))
    first = json.loads(run("list", "--config", str(config), "--json").splitlines()[0])["id"]
    run("show", first[:12], "--config", str(config))
    engine = build.open_engine(load_config(config))
    rows = audit.of_action(engine, "dead-letter-read")
    engine.dispose()
    assert [(row.actor, row.subject, row.detail) for row in rows] == [
        ("operator", "dead-letters", '{"letters":2}'),
        ("operator", first, '{"letters":1}'),
    ]


def test_accounts_of_a_repaired_post_are_named_as_their_source_names_them(config: Path) -> None:
    config.write_text(
        'roster = "roster.toml"\n[deployment]\nname = "test"\n'
        '[[source]]\nname = "archive"\nkind = "mastodon"\ninstance = "https://town.example"\n'
    )
    (config.parent / "roster.toml").write_text(
        '[[person]]\nid = "carla"\nname = "Carla"\nhandles = ["mastodon:carla_m@town.example"]\n'
    )
    repaired = config.parent / "post.json"
    repaired.write_bytes(
        wire.encode(msgspec.structs.replace(POST, source="town.example", author="carla_m@town.example"))
    )
    bad = json.loads(run("list", "--config", str(config), "--json").splitlines()[0])["id"]
    run("replay", bad, "--config", str(config), "--repaired", str(repaired))
    log = build.open_log(load_config(config), SystemClock())
    assert [post.author for post in posts(log)] == ["carla"]  # type: ignore[arg-type] # the SQLite log
    log.close()


def test_an_id_that_names_none_or_several_is_refused(config: Path) -> None:
    with pytest.raises(ConfigError, match="names 0 dead letters"):
        run("show", "zz", "--config", str(config))
    with pytest.raises(ConfigError, match="names 2 dead letters"):
        run("show", "", "--config", str(config))


def test_a_person_lifts_the_brake(config: Path) -> None:
    loaded = load_config(config)
    engine = build.open_engine(loaded)
    memory = build.open_memory(engine)
    Brake(memory, "archive").saw(good=0, dead=20, now=NOW)
    with pytest.raises(ConfigError, match="stopped are: archive"):
        run("lift", "herald", "--config", str(config), group=source.app)
    assert "goes on" in run("lift", "archive", "--config", str(config), group=source.app)
    assert not Brake(memory, "archive").is_on
    engine.dispose()
