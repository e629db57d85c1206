"""The desk's database: migrations, transactions, several processes at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, create_engine, inspect, make_url, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.schema import CreateTable

from desk.database.columns import Instant
from desk.database.connect import open_database, reading, writing
from desk.database.migrate import newest, upgrade
from desk.database.tables import memory, metadata
from desk.database.upsert import insert_absent, upsert
from desk.memory import DeskMemory
from hustings.errors import ConfigError, StoreError, Unavailable
from tests.conftest import ON_SERVER
from tests.servers.postgres_server import PostgresServer

START = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=ON_SERVER)])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/desk.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    yield server.create("bare")
    server.drop("bare")


def test_migrations_build_exactly_the_tables_of_the_code(desk_url: str) -> None:
    engine = open_database(desk_url)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/deep/er/desk.db").dispose()
    assert (tmp_path / "deep" / "er" / "desk.db").exists()


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(1, int(newest()) + 1)])
def test_what_an_older_version_wrote_is_there_after_the_upgrade(bare_url: str, revision: str) -> None:
    parsed = make_url(bare_url)
    engine = create_engine(parsed)
    with engine.begin() as connection:
        upgrade(connection, revision)
        upsert(connection, memory, [{"area": "cursors", "key": "feed", "value": b"42"}])
    engine.dispose()
    upgraded = open_database(bare_url)
    with reading(upgraded) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == newest()
    assert DeskMemory(upgraded).get("cursors", "feed") == b"42"
    upgraded.dispose()


def test_opening_again_changes_nothing(desk_url: str) -> None:
    first = open_database(desk_url)
    DeskMemory(first).put("cursors", "feed", b"42")
    first.dispose()
    again = open_database(desk_url)
    assert DeskMemory(again).get("cursors", "feed") == b"42"
    again.dispose()


def test_sqlite_is_durable_waits_its_turn_and_checks_references(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/desk.db")
    with reading(engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("desk.db", "is not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://host/desk", "known are sqlite, postgresql"),
    ],
)
def test_url_that_cannot_be_a_desk_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        open_database(url)


def test_file_that_is_no_database_is_named_and_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"a letter, not a database " * 100)
    with pytest.raises(StoreError, match="is not a SQLite database"):
        open_database(f"sqlite:///{tmp_path}/desk.db")
    assert (tmp_path / "desk.db").read_bytes().startswith(b"a letter")


def test_database_of_a_newer_version_is_refused(desk_url: str) -> None:
    engine = open_database(desk_url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreError, match="newer than this program's"):
        open_database(desk_url)


def test_migrations_are_numbered_without_a_gap() -> None:
    versions = Path(str(files("desk.database") / "migrations" / "versions"))
    numbers = sorted(path.name[:4] for path in versions.glob("[0-9]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_failed_transaction_leaves_nothing(desk_url: str) -> None:
    engine = open_database(desk_url)

    def fail() -> None:
        with writing(engine) as connection:
            upsert(connection, memory, [{"area": "a", "key": "k", "value": b"1"}])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(engine) as connection:
        assert connection.execute(select(memory)).all() == []
    engine.dispose()


def test_reading_refuses_to_write_on_postgresql_and_is_one_snapshot_on_both(desk_url: str) -> None:
    engine = open_database(desk_url)
    store = DeskMemory(engine)
    store.put("a", "k", b"before")
    with reading(engine) as connection:
        wanted = select(memory.c.value).where(memory.c.key == "k")
        before = connection.execute(wanted).scalar()
        store.put("a", "k", b"after")
        assert connection.execute(wanted).scalar() == before == b"before"
    if engine.dialect.name == "postgresql":
        with pytest.raises(ProgrammingError, match="read-only transaction"), reading(engine) as connection:
            connection.execute(memory.delete())
    engine.dispose()


def test_a_row_that_breaks_a_rule_of_its_table_is_one_error_on_both_engines_and_shows_no_values(desk_url: str) -> None:
    engine = open_database(desk_url)
    row = {"token": "the-secret", "role": "lead", "made_at": START, "expires_at": START}
    with pytest.raises(IntegrityError) as caught, writing(engine) as connection:
        connection.execute(metadata.tables["links"].insert(), [row, row])
    assert "[SQL parameters hidden" in str(caught.value)
    engine.dispose()


def test_writer_that_waits_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.database.sqlite.BUSY_TIMEOUT_MS", 50)
    engine = open_database(f"sqlite:///{tmp_path}/desk.db")

    def write() -> None:
        with writing(engine):
            pass

    with writing(engine), pytest.raises(Unavailable, match=r"others have held its write lock for over 0\.05 s"):
        write()
    write()
    engine.dispose()


def test_insert_absent_says_what_was_new_and_keeps_the_first_of_a_double(desk_url: str) -> None:
    engine = open_database(desk_url)
    table = metadata.tables["links"]
    now = datetime(2026, 10, 1, tzinfo=UTC)
    row = {"token": "t1", "role": "lead", "made_at": now, "expires_at": now}
    with writing(engine) as connection:
        first = insert_absent(connection, table, [row, {**row, "role": "viewer"}], key=table.c.token)
        second = insert_absent(connection, table, [row, {**row, "token": "t2"}], key=table.c.token)
        assert (first, second) == ({"t1"}, {"t2"})
        assert connection.execute(select(table.c.role).where(table.c.token == "t1")).scalar() == "lead"
    engine.dispose()


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    )
)
def test_instant_comes_back_to_the_microsecond_in_utc(when: datetime) -> None:
    column = Instant()
    back = column.process_result_value(column.process_bind_param(when, None), None)  # type: ignore[arg-type]
    assert back == when
    assert back is not None
    assert back.tzinfo is UTC


OPEN_AND_WRITE = """
import sys
from desk.database.connect import open_database
from desk.memory import DeskMemory

url, number = sys.argv[1:]
engine = open_database(url)
for turn in range(20):
    DeskMemory(engine).put("turns", f"{number}-{turn}", b"x")
engine.dispose()
"""


def test_five_processes_may_create_and_write_one_database_at_once(bare_url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", OPEN_AND_WRITE, bare_url, str(number)]) for number in range(5)]
    assert [process.wait(60) for process in processes] == [0] * 5
    engine = open_database(bare_url)
    assert len(DeskMemory(engine).entries("turns")) == 100
    assert "alembic_version" in inspect(engine).get_table_names()
    engine.dispose()


def test_reader_sees_a_snapshot_while_a_writer_is_at_work(desk_url: str) -> None:
    engine = open_database(desk_url)
    store = DeskMemory(engine)
    store.put("a", "k", b"before")
    with writing(engine) as connection:
        upsert(connection, memory, [{"area": "a", "key": "k", "value": b"after"}])
        seen: list[bytes | None] = []
        thread = threading.Thread(target=lambda: seen.append(store.get("a", "k")))
        thread.start()
        thread.join(10)
        assert seen == [b"before"]
    assert store.get("a", "k") == b"after"
    engine.dispose()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_can_be_said_in_postgresql(table: Table) -> None:
    statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "BLOB" not in statement
    assert ("BIGSERIAL" in statement) == (table.name == "outbox")
