"""Retention: what is older than the deployment keeps goes, what nobody has read stays, and the books still balance."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from classifiers.pipeline import Pipeline
from desk import audit
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import SystemClock, rfc3339, to_ms
from hustings.contracts import Record, SourceContext
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.types import Post
from index.sqlite import SqliteIndex
from ingest.evidence import Capture, EvidenceFolder
from ingest.log_sqlite import SqliteLog
from ingest.tips import TipsSource
from runtime import build
from runtime.config import load_config
from runtime.moving import move_index, move_log
from runtime.prune import Pruned, prune, would_prune
from runtime.refill import Period, refill_posts
from runtime.status import books_of
from tests.command_line import CommandLine, command_line
from tests.loops_world import ALL, CALM, SUNDAY, LoopsWorld, Poisonous

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as opened:
        yield LoopsWorld(tmp_path, desk_url, opened)


def forget(world: LoopsWorld, *, before: datetime) -> Pruned:
    return prune(world.log, world.index, DeskMemory(world.engine), tips=(), before=before)


def days_later(found: Post, days: int) -> Post:
    return msgspec.structs.replace(
        found,
        native_id=f"{found.native_id}-day-{days}",
        published_at=found.published_at + days * DAY,
        collected_at=found.collected_at + days * DAY,
    )


def test_what_is_old_and_read_goes_and_the_books_still_balance(world: LoopsWorld) -> None:
    for day in range(4):
        world.append(*(days_later(p, day) for p in (*SUNDAY, *CALM)))
        world.run_to_the_end()
        world.clock.advance(DAY)
    before = world.clock.now() - 2 * DAY - timedelta(hours=1)
    planned = would_prune(world.log, world.index, tips=(), before=before)
    assert world.index.count(ALL) == 32, "a dry run changes nothing"
    done = forget(world, before=before)
    assert (planned.index_posts, done.index_posts) == (16, 16)
    assert planned.log_entries["posts"] == done.log_entries["posts"] == 16
    assert done.kept_unread == {}
    assert world.index.count(ALL) == 16
    assert world.log.starts("posts") == {0: 16}
    assert books_of(world.log, world.index).balanced
    world.append(days_later(SUNDAY[0], 4))
    world.run_to_the_end()
    assert world.index.count(ALL) == 17
    assert books_of(world.log, world.index).balanced


def four_days_less_two(world: LoopsWorld) -> None:
    for day in range(4):
        world.append(*(days_later(p, day) for p in (*SUNDAY, *CALM)))
        world.run_to_the_end()
        world.clock.advance(DAY)
    forget(world, before=world.clock.now() - 2 * DAY - timedelta(hours=1))


def test_an_index_that_is_made_anew_behind_what_went_counts_it_as_dropped(world: LoopsWorld, tmp_path: Path) -> None:
    four_days_less_two(world)
    with closing(SqliteIndex(tmp_path / "fresh").open()) as fresh:
        refill_posts(world.log, fresh, Pipeline([Poisonous()]).assess, period=Period())
        books = books_of(world.log, fresh)
    assert (books.log, books.dropped, books.new, books.balanced) == (32, 16, 16, True)


def test_loops_that_begin_on_an_empty_index_count_what_went_as_dropped(world: LoopsWorld) -> None:
    four_days_less_two(world)
    world.lose_index()
    world.run_to_the_end()
    books = books_of(world.log, world.index)
    assert (books.log, books.dropped, books.new, books.balanced) == (32, 16, 16, True)


def test_a_deployment_moves_without_what_went(world: LoopsWorld, tmp_path: Path) -> None:
    four_days_less_two(world)
    new_log = SqliteLog(tmp_path / "new-log", clock=world.clock).open()
    with closing(new_log), closing(SqliteIndex(tmp_path / "new-index").open()) as fresh:
        move_log(world.log, new_log)
        move_index(new_log, world.index, fresh, Pipeline([Poisonous()]).assess, starts=lambda *_: lambda _: None)
        books = books_of(new_log, fresh)
        assert (books.log, books.new, books.balanced) == (16, 16, True)
        assert fresh.search(ALL, limit=99) == world.index.search(ALL, limit=99)


def test_what_is_not_read_yet_stays_however_old(world: LoopsWorld) -> None:
    world.append(*CALM)
    world.run_to_the_end()
    world.clock.advance(DAY)
    world.append(*(days_later(p, 1) for p in SUNDAY))
    world.clock.advance(30 * DAY)
    before = world.clock.now() - 2 * DAY
    planned = would_prune(world.log, world.index, tips=(), before=before)
    done = forget(world, before=before)
    assert planned.kept_unread == done.kept_unread == {"posts": 4}
    assert world.log.starts("posts") == {0: 4}
    world.run_to_the_end()
    assert {a.key for a in world.index.search(ALL).assessments} == {days_later(p, 1).key for p in SUNDAY}
    assert books_of(world.log, world.index).balanced


def test_an_index_that_is_being_filled_again_keeps_the_log(world: LoopsWorld) -> None:
    world.append(*CALM)
    world.run_to_the_end()
    world.lose_index()
    world.clock.advance(30 * DAY)
    done = forget(world, before=world.clock.now() - DAY)
    assert done.log_entries["posts"] == 0
    world.run_to_the_end()
    assert world.index.count(ALL) == 4


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hustings.toml"
    path.write_text('[deployment]\nname = "Test"\n[log]\nkeep_days = 2\n')
    (tmp_path / "var").mkdir()
    return path


def test_the_command_reports_and_leaves_an_audit_row(config: Path, hustings: CommandLine) -> None:
    assert hustings("prune", config, "--dry-run").out.startswith("would forget about what came before 20")
    said = json.loads(hustings("prune", config, "--json").out)
    assert (said["dry_run"], said["log_entries"], said["index_posts"]) == (
        False,
        {"posts": 0, "hits": 0, "dead-letters": 0},
        0,
    )
    engine = build.open_engine(load_config(config))
    (row,) = audit.latest(engine)
    engine.dispose()
    assert (row.actor, row.action) == ("operator", "prune"), "the dry run left none"


def test_tips_that_became_posts_are_forgotten_with_them_and_leave_no_trace(config: Path, hustings: CommandLine) -> None:
    config.write_text(config.read_text() + '[[source]]\nname = "post-box"\nkind = "tips"\n')
    engine = build.open_engine(load_config(config))
    memory, now = DeskMemory(engine), SystemClock().now()
    for days, text in ((5, "she told us in confidence"), (4, "collected later"), (0, "today")):
        tip_id = f"{to_ms(now - days * DAY):013d}-{days}"
        memory.put("tips", tip_id, json.dumps({"text": text}).encode())
        if days == 5:
            source = TipsSource(
                "post-box", TipsSource.Settings(), SourceContext(LoopbackEgress(), memory, SystemClock())
            )
            memory.put("cursors", "post-box", source.collect(b"", now=now, limit=10).cursor)
    assert json.loads(hustings("prune", config, "--dry-run", "--json").out)["tips"] == 1
    assert len(memory.entries("tips")) == 3
    assert "1 tips of the desk" in hustings("prune", config).out
    assert [json.loads(tip)["text"] for tip in memory.entries("tips").values()] == ["collected later", "today"]
    engine.dispose()
    assert b"in confidence" not in b"".join(path.read_bytes() for path in (config.parent / "var").glob("desk.db*"))


def test_a_stopped_source_is_lifted_and_leaves_an_audit_row(config: Path, hustings: CommandLine) -> None:
    engine = build.open_engine(load_config(config))
    memory = DeskMemory(engine)
    why = {"at": rfc3339(SystemClock().now()), "reason": "20 messages in a row could not be used"}
    memory.put("brakes", "radio", msgspec.json.encode(why))
    refused = hustings("source", "lift", "radoi", "--config", config)
    assert (refused.status, refused.err) == (2, "hustings: 'radoi' is not stopped; stopped are: radio\n")
    lifted = hustings("source", "lift", "radio", "--config", config)
    assert lifted.out == (
        "radio goes on at its next poll; it had been stopped because 20 messages in a row could not be used\n"
    )
    assert memory.entries("brakes") == {}
    assert [(row.action, row.subject) for row in audit.latest(engine)] == [("lift_brake", "radio")]
    engine.dispose()


def test_evidence_that_was_changed_is_found_with_its_posts(config: Path, hustings: CommandLine) -> None:
    folder = config.parent / "var" / "evidence"
    EvidenceFolder(folder, code_version="test").seal(
        [Capture(raw=b"as it came", collector="c", keys=("net:1",), at=SystemClock().now())]
    )
    whole = hustings("evidence", "verify", config)
    assert (whole.status, whole.out) == (0, "1 packs, each byte as it was sealed; 0 posts in the log were looked up\n")
    (pack,) = folder.glob("*/*")
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes().replace(b"as it came", b"as we like"))
    pack.chmod(0o400)
    changed = hustings("evidence", "verify", config)
    assert changed.status == 1
    assert changed.err == f"{pack}: the raw bytes of a capture were changed; posts net:1\n"
    assert len(json.loads(hustings("evidence", "verify", config, "--json").out)["flaws"]) == 1


def test_evidence_that_was_taken_away_is_found_by_the_posts_of_the_log(config: Path, hustings: CommandLine) -> None:
    folder = config.parent / "var" / "evidence"
    (seal,) = EvidenceFolder(folder, code_version="test").seal(
        [Capture(raw=b"as it came", collector="c", keys=("net:1",), at=SystemClock().now())]
    )
    with closing(build.open_log(load_config(config), SystemClock())) as log:
        found = [msgspec.structs.replace(CALM[0], native_id=str(number), evidence=seal) for number in range(30)]
        log.append("posts", [Record(each.key, wire.encode(each)) for each in found])
    assert hustings("evidence", "verify", config).out.endswith("sealed; 30 posts in the log were looked up\n")
    shutil.rmtree(folder)
    gone = hustings("evidence", "verify", config)
    assert (gone.status, gone.out) == (1, "0 packs, 1 flaw(s); 30 posts in the log were looked up\n")
    assert "is missing; posts net:0, net:1, " in gone.err
    assert gone.err.endswith("net:19 and 10 more\n")
    (flaw,) = json.loads(hustings("evidence", "verify", config, "--json").out)["flaws"]
    assert len(flaw["keys"]) == 30


def test_the_audit_chain_of_a_desk_that_is_not_there_is_not_whole(config: Path, hustings: CommandLine) -> None:
    gone = hustings("audit", "verify", config)
    assert (gone.status, gone.out) == (2, "")
    assert "desk.db: no such file; the desk has never run here, or its database was taken away" in gone.err
    assert not (config.parent / "var" / "desk.db").exists(), "looking makes nothing"
    odd = hustings("audit", "verify", config, "--lodged", "²:ab")
    assert (odd.status, odd.err) == (
        2,
        "hustings: --lodged: '²:ab' is no checkpoint; it is ROW:HASH as this command prints it\n",
    )


def test_the_audit_chain_is_checked_against_a_checkpoint(config: Path, hustings: CommandLine) -> None:
    hustings("prune", config)
    hustings("prune", config)
    first = hustings("audit", "verify", config)
    assert first.status == 0
    checkpoint = first.out.split()[-1]
    assert first.out == f"2 rows, unbroken; checkpoint {checkpoint}\n"
    hustings("prune", config)
    assert hustings("audit", "verify", config, "--lodged", checkpoint).status == 0
    forged = hustings("audit", "verify", config, "--lodged", "2:" + "0" * 64)
    assert (forged.status, forged.err) == (1, "audit: row 2 is not the one of the lodged checkpoint\n")
    engine = build.open_engine(load_config(config))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET action = 'nothing' WHERE sequence = 2")
    engine.dispose()
    broken = hustings("audit", "verify", config)
    assert (broken.status, broken.err) == (1, "audit: row 2 (nothing of retention) was changed\n")
