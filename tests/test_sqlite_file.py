"""What SQLite and the file system say, in our own words: every text that an operator may read, as a golden file."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hustings.errors import HustingsError, StoreError, Unavailable
from hustings.sqlite_file import connect, stamp, transaction, translated, verify


def provoke(path: Path, action: Callable[[], object]) -> HustingsError:
    try:
        with translated(path):
            action()
    except HustingsError as problem:
        return problem
    raise AssertionError("nothing was raised")


def made(path: Path) -> Path:
    with closing(connect(path, create=True)) as connection:
        stamp(connection, 1)
        connection.execute("CREATE TABLE words (word TEXT)")
        connection.executemany("INSERT INTO words VALUES (?)", [("x" * 500,)] * 200)
    return path


def missing(path: Path) -> None:
    connect(path).close()


def no_database(path: Path) -> None:
    path.write_bytes(b"a letter" * 1000)
    missing(path)


def damaged(path: Path) -> None:
    raw = bytearray(made(path).read_bytes())
    raw[8192:24576] = b"\xff" * 16384
    path.write_bytes(raw)
    with closing(connect(path)) as connection:
        connection.execute("SELECT count(*) FROM words").fetchall()


def full(path: Path) -> None:
    with closing(connect(made(path))) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        connection.executemany("INSERT INTO words VALUES (?)", [("y" * 500,)] * 200)


def read_only(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("INSERT INTO words VALUES ('y')")


def busy(path: Path) -> None:
    made(path)
    with closing(connect(path)) as one, closing(sqlite3.connect(path, timeout=0)) as two:
        one.execute("BEGIN IMMEDIATE")
        two.execute("BEGIN IMMEDIATE")


def of_another_program(path: Path) -> None:
    with closing(connect(path, create=True)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
        verify(connection, path, 1, "a log")


def newer(path: Path) -> None:
    with closing(connect(made(path))) as connection:
        stamp(connection, 3)
        verify(connection, path, 2, "a log")


def older(path: Path) -> None:
    with closing(connect(made(path))) as connection:
        verify(connection, path, 2, "a log")


def a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    path.write_bytes(b"")


PROVOKED = (
    missing,
    no_database,
    damaged,
    full,
    read_only,
    busy,
    of_another_program,
    newer,
    older,
    a_folder_in_its_place,
)


def test_every_trouble_has_its_text(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    lines = []
    for number, action in enumerate(PROVOKED):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        problem = provoke(folder / "log.db", lambda action=action, folder=folder: action(folder / "log.db"))  # type: ignore[misc]
        text = str(problem).replace(str(folder), "data/log")
        lines.append(f"{action.__name__}\n    {type(problem).__name__}: {text}\n")
    golden("store_errors.txt", "".join(lines))


def test_what_may_pass_is_unavailable_and_what_needs_a_person_is_a_store_error(tmp_path: Path) -> None:
    assert isinstance(provoke(tmp_path / "a.db", lambda: full(tmp_path / "a.db")), Unavailable)
    assert isinstance(provoke(tmp_path / "b.db", lambda: busy(tmp_path / "b.db")), Unavailable)
    assert isinstance(provoke(tmp_path / "c.db", lambda: damaged(tmp_path / "c.db")), StoreError)


def delete_and_fail(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("DELETE FROM words")
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(connect(made(tmp_path / "a.db"))) as connection:
        with pytest.raises(ZeroDivisionError):
            delete_and_fail(connection)
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (200,)


def test_a_writer_waits_for_another_and_gets_the_lock_soon_after(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db")
    with closing(connect(path)) as one, closing(connect(path)) as two:
        one.execute("BEGIN IMMEDIATE")
        later = threading.Timer(0.3, lambda: one.execute("COMMIT"))
        later.start()
        began = time.monotonic()
        with transaction(two):
            waited = time.monotonic() - began
        later.join()
    assert 0.25 < waited < 5
