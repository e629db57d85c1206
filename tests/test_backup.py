"""Backup and restore: a copy taken while everything is written, checked by reading it back, and put back to work."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from desk import audit, queue
from hustings.clock import VirtualClock
from hustings.errors import StoreError
from ingest.evidence import Capture, EvidenceFolder
from runtime import build
from runtime.backup import File, Manifest, back_up, restore, verify
from runtime.config import load_config
from runtime.status import books_of
from tests.command_line import CommandLine, command_line
from tests.loops_world import ALL, CALM, START, SUNDAY, LoopsWorld, post

CLOCK = VirtualClock(START)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def blank_desk(desk_url: str) -> Path:
    """A migrated, empty desk database."""
    return Path(desk_url.removeprefix("sqlite:///"))


@pytest.fixture
def data(tmp_path: Path, blank_desk: Path) -> Path:
    """The data folder of a deployment that has worked and stopped."""
    folder = tmp_path / "data"
    folder.mkdir()
    with ExitStack() as opened:
        world = world_in(folder, blank_desk, opened)
        world.append(*SUNDAY, *CALM)
        world.run_to_the_end()
    EvidenceFolder(folder / "evidence", code_version="test").seal(
        [Capture(raw=b"as it came", collector="c", keys=("net:0",), at=START)]
    )
    (folder / "keys").mkdir(mode=0o700)
    (folder / "keys" / "pseudonyms.key").write_text("5a" * 32)
    (folder / "keys" / "pseudonyms.key").chmod(0o600)
    return folder


def world_in(folder: Path, blank_desk: Path, opened: ExitStack) -> LoopsWorld:
    desk = folder / "desk.db"
    if not desk.exists():
        shutil.copy(blank_desk, desk)
    return LoopsWorld(folder, f"sqlite:///{desk}", opened)


def copied(data: Path, to: Path) -> Manifest:
    return back_up(data, to, deployment="Test", clock=CLOCK)


def test_a_backup_holds_every_store_and_reads_back(data: Path, tmp_path: Path) -> None:
    manifest = copied(data, tmp_path / "copy")
    assert [file.path for file in manifest.files if "evidence" not in file.path] == [
        "log/log.db",
        "desk.db",
        "index/assessments.db",
        "index/hits.db",
        "log/dead-letters-00000001.db",
        "log/hits-00000001.db",
        "log/posts-00000001.db",
        "keys/pseudonyms.key",
    ], "what readers committed first, the log after desk and index"
    assert verify(tmp_path / "copy") == manifest


def test_a_restored_deployment_says_what_the_former_one_said_and_goes_on(
    data: Path, tmp_path: Path, stack: ExitStack, blank_desk: Path
) -> None:
    before = world_in(data, blank_desk, stack)
    copied(data, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    world = world_in(tmp_path / "new", blank_desk, stack)
    assert world.everything() == before.everything()
    assert world.log.id == before.log.id
    world.append(post("later", "vote on sunday", minutes=5))
    world.run_to_the_end()
    assert books_of(world.log, world.index).balanced
    assert [alert.value for alert in world.alerts()] == [5.0]


def test_modes_of_keys_and_evidence_come_back(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    new = tmp_path / "new"
    assert (new / "keys").stat().st_mode & 0o777 == 0o700
    assert (new / "keys" / "pseudonyms.key").stat().st_mode & 0o777 == 0o600
    assert [pack.stat().st_mode & 0o777 for pack in new.glob("evidence/*/*")] == [0o400]
    assert list(EvidenceFolder(new / "evidence", code_version="test").verify()) == []
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700


def test_restored_stores_are_written_ahead_as_new_ones_are(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    for path in (tmp_path / "new").rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",), path


def test_a_flipped_byte_is_found_and_its_file_named(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    damaged = tmp_path / "copy" / "data" / "index" / "hits.db"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(StoreError, match=r"index/hits\.db is not what was backed up: its SHA-256 differs"):
        verify(tmp_path / "copy")
    with pytest.raises(StoreError, match=r"index/hits\.db"):
        restore(tmp_path / "copy", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_every_file_that_is_wrong_is_named(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "desk.db").unlink()
    (tmp_path / "copy" / "data" / "keys" / "pseudonyms.key").write_text("other")
    with pytest.raises(StoreError) as caught:
        verify(tmp_path / "copy")
    assert [line.partition("copy: ")[2] for line in str(caught.value).splitlines()] == [
        "desk.db is missing",
        "keys/pseudonyms.key is not what was backed up: its SHA-256 differs",
    ]


def test_restore_refuses_a_folder_that_holds_something(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    with pytest.raises(StoreError, match="already holds something"):
        restore(tmp_path / "copy", data)


def test_backup_refuses_a_folder_that_holds_something(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    with pytest.raises(StoreError, match="already holds something"):
        copied(data, tmp_path / "copy")


def test_backup_refuses_a_folder_inside_the_data(data: Path) -> None:
    with pytest.raises(StoreError, match="lies inside the data folder"):
        copied(data, data / "copies" / "today")
    assert not (data / "copies").exists()


def test_a_copy_that_did_not_finish_is_never_restored(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").unlink()
    with pytest.raises(StoreError, match=r"no manifest\.json: not a backup, or one that did not finish"):
        restore(tmp_path / "copy", tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"files": 3}'], ids=["empty", "binary", "another form"])
def test_a_manifest_that_is_none_is_named(data: Path, tmp_path: Path, content: bytes) -> None:
    copied(data, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"manifest\.json: unreadable"):
        verify(tmp_path / "copy")


def test_a_manifest_cannot_lead_out_of_the_folder(data: Path, tmp_path: Path) -> None:
    copied(data, tmp_path / "copy")
    manifest = tmp_path / "copy" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"desk.db"', '"../../outside.db"'))
    with pytest.raises(StoreError, match="leads out of the backup"):
        restore(tmp_path / "copy", tmp_path / "new")


def test_folders_on_another_disk_behind_a_link_are_copied(data: Path, tmp_path: Path) -> None:
    (data / "evidence").rename(tmp_path / "big-disk")
    (data / "evidence").symlink_to(tmp_path / "big-disk")
    copied(data, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")
    packs = [pack.relative_to(tmp_path / "new") for pack in (tmp_path / "new").glob("evidence/*/*")]
    assert packs == [pack.relative_to(data) for pack in data.glob("evidence/*/*")]
    assert len(packs) == 1


def test_a_link_whose_disk_is_not_there_is_no_backup(data: Path, tmp_path: Path) -> None:
    (data / "evidence").rename(tmp_path / "big-disk")
    (data / "evidence").symlink_to(tmp_path / "not-mounted")
    with pytest.raises(StoreError, match=r"evidence: is a link to .*not-mounted, which is not there; is its disk"):
        copied(data, tmp_path / "copy")


@pytest.mark.parametrize("leads_to", ["data", "backups"])
def test_a_link_into_the_data_or_the_copy_ends_in_an_error(data: Path, tmp_path: Path, leads_to: str) -> None:
    (tmp_path / leads_to).mkdir(exist_ok=True)
    (data / "old").symlink_to(tmp_path / leads_to)
    with pytest.raises(StoreError, match=r"a link leads to .*, which is the copy itself or is copied already"):
        copied(data, tmp_path / "backups" / "copy")


def test_there_is_nothing_to_back_up_where_nothing_ran(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such data folder"):
        copied(tmp_path / "none", tmp_path / "copy")


@pytest.mark.parametrize("moment", range(7))
def test_a_copy_heals_whatever_happened_between_any_two_of_its_files(
    tmp_path: Path, blank_desk: Path, stack: ExitStack, moment: int
) -> None:
    """Between two files of the copy the posts come that open an alert, and everything is done for them; before the
    next one, some more."""
    data = tmp_path / "data"
    data.mkdir()
    live = world_in(data, blank_desk, stack)
    live.append(*SUNDAY[:2], *CALM)
    live.run_to_the_end()
    files: list[File] = []

    def go_on(file: File) -> None:
        files.append(file)
        if len(files) - 1 in (moment, moment + 1):
            live.append(*(post(f"{file.path}-{n}", "they vote on sunday", minutes=5) for n in range(3)))
            live.run_to_the_end()

    back_up(data, tmp_path / "copy", deployment="Test", clock=CLOCK, tell=go_on)
    assert len(files) == 7
    restore(tmp_path / "copy", tmp_path / "new")
    check_all_is_there(tmp_path / "new", blank_desk)


def test_copies_taken_while_everything_is_written_lose_nothing(
    tmp_path: Path, blank_desk: Path, stack: ExitStack
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    live = world_in(data, blank_desk, stack)
    analyzer, watcher = live.analyzer(batch=7), live.watcher()
    evidence = EvidenceFolder(data / "evidence", code_version="test")
    stop = threading.Event()

    def collect() -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            text = "they vote on sunday" if number % 3 == 0 else "a fine day"
            made = post(number, text, minutes=number / 10)
            evidence.seal([Capture(raw=text.encode(), collector="c", keys=(made.key,), at=made.collected_at)])
            live.append(made)

    def work(step: Callable[[], int]) -> None:
        while not stop.is_set():
            if not step():
                stop.wait(0.001)

    threads = [threading.Thread(target=collect)]
    threads += [threading.Thread(target=work, args=(worker.step,)) for worker in (analyzer, watcher)]
    for thread in threads:
        thread.start()
    try:
        for number in range(2):
            stop.wait(0.3)
            copied(data, tmp_path / f"copy-{number}")
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
    for number in range(2):
        restore(tmp_path / f"copy-{number}", tmp_path / f"new-{number}")
        check_all_is_there(tmp_path / f"new-{number}", blank_desk)
        sealed = EvidenceFolder(tmp_path / f"new-{number}" / "evidence", code_version="test")
        assert list(sealed.verify()) == []


def check_all_is_there(folder: Path, blank_desk: Path) -> None:
    """Once the restored loops have done what was left, every post of the log is known, once, with all that follows."""
    with ExitStack() as opened:
        world = world_in(folder, blank_desk, opened)
        world.run_to_the_end()
        books = books_of(world.log, world.index)
        assert books.balanced
        assert books.log == books.new == world.index.count(ALL) > 0
        matching = {a.key: a.post.published_at for a in world.index.search(ALL, limit=10_000).assessments if a.flags}
        assert {hit.key for hit in world.hits()} == matching.keys()
        assert queue.depth(world.engine, clock=world.clock).waiting == len(matching)
        if len(matching) < 3:
            assert world.alerts() == ()
            return
        (alert,) = world.alerts()
        assert [notice.kind for notice in alert.notices if notice.kind in {"open", "retract", "reopen"}] == ["open"]
        first = max(matching.values()) - timedelta(hours=1)
        assert alert.value == sum(at > first for at in matching.values())
        assert len({notice.key for notice in alert.notices}) == len(alert.notices)


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def config(data: Path, tmp_path: Path) -> Path:
    path = tmp_path / "hustings.toml"
    path.write_text(f'[deployment]\nname = "Test"\ndata = "{data}"\n')
    return path


def test_the_audit_chain_says_that_a_backup_was_made_and_where(
    config: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    made = hustings("backup", tmp_path / "copy", "--config", config)
    assert (made.status, made.err) == (0, "")
    engine = build.open_engine(load_config(config))
    (row,) = audit.of_action(engine, "backup")
    engine.dispose()
    assert (row.actor, row.subject) == ("operator", str(tmp_path / "copy"))
    assert msgspec.json.decode(row.detail)["files"] == len(verify(tmp_path / "copy").files)


def test_the_audit_chain_says_that_a_backup_was_restored_and_from_where(
    config: Path, data: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    hustings("backup", tmp_path / "copy", "--config", config)
    data.rename(tmp_path / "old")
    assert hustings("restore", tmp_path / "copy", "--config", config).status == 0
    engine = build.open_engine(load_config(config))
    (row,) = audit.of_action(engine, "restore")
    engine.dispose()
    assert (row.actor, row.subject) == ("operator", str(tmp_path / "copy"))
    assert msgspec.json.decode(row.detail)["at"] == verify(tmp_path / "copy").at


def test_a_copy_is_made_also_where_the_audit_chain_cannot_be_written_to(
    config: Path, data: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    (data / "desk.db").unlink()
    made = hustings("backup", tmp_path / "copy", "--config", config)
    assert made.status == 1
    assert made.err.startswith("hustings: the copy is whole, but the audit chain does not say that it was made: ")
    assert verify(tmp_path / "copy")
