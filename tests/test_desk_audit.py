"""The audit chain: what tampering it shows, and what only a lodged checkpoint shows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from desk import audit
from desk.audit import Checkpoint
from desk.database.connect import open_database, reading, writing
from desk.database.tables import audit as rows
from desk.database.tables import audit_head
from hustings.errors import StoreError

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(desk_url: str) -> Iterator[Engine]:
    engine = open_database(desk_url)
    for number in range(5):
        _append(engine, number)
    yield engine
    engine.dispose()


def _append(engine: Engine, number: int) -> int:
    with writing(engine) as connection:
        return audit.append(
            connection,
            at=NOW + timedelta(seconds=number),
            actor="p-1",
            action="review",
            subject=f"file:{number}",
            detail={"verdict": "log", "codes": ["N-PROC"]},
        )


def test_untouched_chain_verifies_and_counts_its_rows(engine: Engine) -> None:
    assert audit.verify(engine) == 5


def test_empty_chain_verifies(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/empty.db")
    assert audit.verify(engine) == 0
    assert audit.checkpoint(engine) == Checkpoint(sequence=0, hash="0" * 64)
    engine.dispose()


@pytest.mark.parametrize("column", ["actor", "action", "subject", "detail", "at"])
def test_edited_row_is_named(engine: Engine, column: str) -> None:
    with writing(engine) as connection:
        value = NOW if column == "at" else "something else"
        connection.execute(update(rows).where(rows.c.sequence == 3).values({column: value}))
    with pytest.raises(StoreError, match=r"row 3 .* was changed"):
        audit.verify(engine)


@pytest.mark.parametrize("value", ["'yesterday'", "9e99", "1e17 * 100"])
def test_row_whose_time_is_none_any_more_is_found(tmp_path: Path, value: str) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/desk.db")  # PostgreSQL takes no such value
    for number in range(3):
        _append(engine, number)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE audit SET at = {value} WHERE sequence = 2")
    with pytest.raises(StoreError, match=r"audit: a row after row \d was changed, it cannot be read"):
        audit.verify(engine)
    engine.dispose()


def test_deleted_row_is_named(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(rows).where(rows.c.sequence == 2))
    with pytest.raises(StoreError, match="row 2 is missing"):
        audit.verify(engine)


def test_swapped_rows_are_named(engine: Engine) -> None:
    with writing(engine) as connection:
        for former, new in ((2, 99), (4, 2), (99, 4)):
            connection.execute(update(rows).where(rows.c.sequence == former).values(sequence=new))
    with pytest.raises(StoreError, match="row 2 does not follow"):
        audit.verify(engine)


def test_row_that_was_put_in_is_named(engine: Engine) -> None:
    with writing(engine) as connection:
        row = connection.execute(select(rows).where(rows.c.sequence == 5)).one()
        connection.execute(rows.insert().values({**row._asdict(), "sequence": 6}))
    with pytest.raises(StoreError, match="row 6 does not follow"):
        audit.verify(engine)


def test_truncation_is_seen_by_the_head(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(rows).where(rows.c.sequence > 3))
    with pytest.raises(StoreError, match="ends at row 3"):
        audit.verify(engine)


def _cut_and_regrow(engine: Engine, *, to: int, grow: int) -> None:
    """What somebody with the whole database in their hands can do."""
    with writing(engine) as connection:
        connection.execute(delete(rows).where(rows.c.sequence > to))
        last = connection.execute(select(rows).where(rows.c.sequence == to)).one()
        connection.execute(update(audit_head).values(sequence=to, hash=last.hash))
    for number in range(100, 100 + grow):
        _append(engine, number)


def test_truncation_with_its_head_is_seen_only_by_a_lodged_checkpoint(engine: Engine) -> None:
    lodged = audit.checkpoint(engine)
    _cut_and_regrow(engine, to=3, grow=0)
    assert audit.verify(engine) == 3
    with pytest.raises(StoreError, match="lodged at row 5"):
        audit.verify(engine, lodged=lodged)


def test_chain_that_grew_again_is_not_the_one_of_the_checkpoint(engine: Engine) -> None:
    lodged = audit.checkpoint(engine)
    _cut_and_regrow(engine, to=3, grow=4)
    assert audit.verify(engine) == 7
    with pytest.raises(StoreError, match="row 5 is not the one"):
        audit.verify(engine, lodged=lodged)


def test_honest_growth_keeps_to_the_checkpoint(engine: Engine) -> None:
    lodged = audit.checkpoint(engine)
    _append(engine, 6)
    assert audit.verify(engine, lodged=lodged) == 6


def test_row_of_a_failed_transaction_leaves_no_gap(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            audit.append(connection, at=NOW, actor="p-1", action="review", subject="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert _append(engine, 6) == 6
    assert audit.verify(engine) == 6


def test_many_writers_make_one_chain(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        sequences = list(pool.map(lambda number: _append(engine, number), range(80)))
    assert sorted(sequences) == list(range(6, 86))
    assert audit.verify(engine) == 85


def test_latest_rows_come_newest_first_and_by_subject(engine: Engine) -> None:
    assert [row.subject for row in audit.latest(engine, limit=2)] == ["file:4", "file:3"]
    assert [row.sequence for row in audit.latest(engine, before=3)] == [2, 1]
    assert [row.sequence for row in audit.latest(engine, subject="file:1")] == [2]
    assert audit.latest(engine, limit=1)[0].detail == '{"codes":["N-PROC"],"verdict":"log"}'


def test_hash_of_a_row_is_what_the_documentation_says(engine: Engine) -> None:
    import hashlib

    with reading(engine) as connection:
        first = connection.execute(select(rows).where(rows.c.sequence == 1)).one()
    canonical = (
        '{"action":"review","actor":"p-1","at":"2026-10-01T12:00:00Z",'
        '"detail":"{\\"codes\\":[\\"N-PROC\\"],\\"verdict\\":\\"log\\"}",'
        f'"previous":"{"0" * 64}","sequence":1,"subject":"file:0"}}'
    )
    assert first.hash == hashlib.sha256(canonical.encode()).hexdigest()
