"""The SQLite index: the checks that every index must pass, erasure down to the bytes, crashes, several processes."""

from __future__ import annotations

import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hustings.contracts import Outcome
from hustings.errors import StoreError, Unavailable
from hustings.query import Query
from hustings.query.tree import Everything, Is, Phrase
from hustings.testing.check_index import CHECKS, IndexCheck
from hustings.types import Assessment, Flag, Post
from index.sqlite import SqliteIndex

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
ALL = Query(text="*", node=Everything())


@contextmanager
def opened(path: Path) -> Iterator[SqliteIndex]:
    index = SqliteIndex(path).open()
    try:
        yield index
    finally:
        index.close()


def post(name: str, *tokens: str, revision: int = 0, deleted: bool = False, minutes: float = 0) -> Assessment:
    when = START + timedelta(minutes=minutes)
    return Assessment(
        post=Post(
            source="src",
            native_id=name,
            text=" ".join(tokens),
            revision=revision,
            deleted=deleted,
            author="" if deleted else "an author",
            published_at=when,
            collected_at=when,
        ),
        flags=(Flag(code="G", score=0.9),) if "flagged" in tokens else (),
        tokens=tokens,
        first_collected_at=when,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sqlite_index_keeps_the_contract(check: IndexCheck, tmp_path: Path) -> None:
    check(lambda: SqliteIndex(tmp_path / "index").open())


# ── the inverted index ───────────────────────────────────────────────────────────────────────────────────────────


def check_inverted_index(path: Path) -> None:
    """FTS5's own comparison of `words` with the rows that it stands for; raises when they differ."""
    connection = sqlite3.connect(path / "assessments.db")
    connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    connection.close()


def test_words_and_rows_stay_in_step_over_edits_deletions_and_pruning(tmp_path: Path) -> None:
    pick = random.Random(5)
    words = [f"word{number}" for number in range(60)]
    with opened(tmp_path / "index") as index:
        for revision in range(12):
            batch = [
                post(
                    f"{pick.randrange(200)}", *pick.choices(words, k=8), revision=revision, minutes=pick.randrange(900)
                )
                for _ in range(40)
            ]
            index.write(batch, log_id="log")
        index.prune(before=START + timedelta(minutes=200))
        left = index.search(ALL, limit=1000).assessments
        for word in words:
            expected = {one.key for one in left if word in one.tokens}
            found = index.search(Query(text=word, node=Phrase((word,))), limit=1000).assessments
            assert {one.key for one in found} == expected
    check_inverted_index(tmp_path / "index")


def test_the_inverted_index_check_notices_a_difference(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.write([post("1", "vote")], log_id="log")
    connection = sqlite3.connect(tmp_path / "index" / "assessments.db")
    connection.execute("UPDATE contents SET text = 'other'")
    connection.commit()
    connection.close()
    with pytest.raises(sqlite3.DatabaseError):
        check_inverted_index(tmp_path / "index")


def test_a_search_in_shuffled_order_is_still_newest_first(tmp_path: Path) -> None:
    """Posts that come in any order of publication, over many stretches of row ids, page by page."""
    pick = random.Random(9)
    minutes = list(range(9_000))
    pick.shuffle(minutes)
    query = Query(text="vote", node=Phrase(("vote",)))
    with opened(tmp_path / "index") as index:
        index.write([post(f"{n}", "vote" if n % 10 else "other", minutes=n) for n in minutes], log_id="log")
        page = index.search(query, limit=40)
        keys = [one.key for one in page.assessments]
        assert keys == [f"src:{n}" for n in range(8_999, 0, -1) if n % 10][:40]
        page = index.search(query, limit=40, after=page.next)
        assert [one.key for one in page.assessments] == [f"src:{n}" for n in range(8_999, 0, -1) if n % 10][40:80]


# ── erasure ──────────────────────────────────────────────────────────────────────────────────────────────────────


def traces(folder: Path, marker: str) -> list[str]:
    return [path.name for path in folder.iterdir() if marker.encode() in path.read_bytes()]


def test_deleted_words_are_nowhere_in_the_files_after_pruning(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with opened(folder) as index:
        index.write([post(f"{n}", "word", f"other{n}") for n in range(300)], log_id="log")
        index.write([post("gone", "zanzibarmarker", "word")], log_id="log")
        index.write([post(f"{n}", "more", f"other{n}") for n in range(300, 600)], log_id="log")
        assert traces(folder, "zanzibarmarker")
        index.write([post("gone", revision=1, deleted=True)], log_id="log")
        index.prune(before=START - timedelta(days=1))
        assert traces(folder, "zanzibarmarker") == []
        assert index.count(ALL) == 601
    assert traces(folder, "zanzibarmarker") == []
    check_inverted_index(folder)


def test_a_deleted_post_leaves_the_rows_at_once(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.write([post("gone", "zanzibarmarker", "flagged")], log_id="log")
        index.write([post("gone", revision=1, deleted=True)], log_id="log")
        assert index.count(Query(text="", node=Is("flag", ("G",)))) == 0
        assert index.count(Query(text="", node=Is("author", ("an author",)))) == 0
    connection = sqlite3.connect(tmp_path / "index" / "assessments.db")
    rows = [*connection.execute("SELECT * FROM contents"), *connection.execute("SELECT * FROM posts")]
    connection.close()
    assert "zanzibarmarker" not in repr(rows)


def test_pruned_posts_are_nowhere_in_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with opened(folder) as index:
        index.write([post("old", "zanzibarmarker"), post("young", "word", minutes=60)], log_id="log")
        index.prune(before=START + timedelta(minutes=30))
        assert traces(folder, "zanzibarmarker") == []


# ── crashes and company ──────────────────────────────────────────────────────────────────────────────────────────

CRASHING_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hustings.types import Assessment, Post
from index.sqlite import SqliteIndex

when = datetime(2026, 10, 1, tzinfo=UTC)
index = SqliteIndex(Path(sys.argv[1])).open()
offset = index.positions("posts").get(0, 0)
offset = max(0, offset - 7)  # a redo of what the log's reader had not committed
while True:
    batch = [
        Assessment(
            post=Post(source="src", native_id=f"{n}", text="vote", published_at=when, collected_at=when),
            tokens=("vote", f"word{n}"),
        )
        for n in range(offset, offset + 5)
    ]
    origins = [(0, n) for n in range(offset, offset + 5)]
    index.write(batch, log_id="log", origins=origins, positions={0: offset + 5})
    offset += 5
    sys.stdout.write(f"{offset}\\n")
    sys.stdout.flush()
"""


def test_writes_survive_kill_9_with_positions_and_books(tmp_path: Path) -> None:
    """Whatever was acknowledged is there, nothing is counted twice, and words and rows are in step."""
    acknowledged = 0
    for kill in range(8):
        command = [sys.executable, "-c", CRASHING_WRITER, str(tmp_path / "index")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(3 + 11 * kill % 20):
                acknowledged = int(writer.stdout.readline())
            writer.kill()
            rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
            acknowledged = int(rest[-1]) if rest else acknowledged
    with opened(tmp_path / "index") as index:
        position = index.positions("posts")[0]
        assert position >= acknowledged >= 8 * 3 * 5 - 8 * 7
        assert index.count(ALL) == index.count(Query(text="", node=Phrase(("vote",)))) == position
        assert index.books() == {
            "new": position,
            "revised": 0,
            "unchanged": 0,
            "conflicting": 0,
            "dead_letters": 0,
            "dropped": 0,
        }
        assert set(index.get([f"src:{n}" for n in range(acknowledged)])) == {f"src:{n}" for n in range(acknowledged)}
    check_inverted_index(tmp_path / "index")


def test_threads_read_while_another_writes(tmp_path: Path) -> None:
    """As the desk does: many readers, one index object, no error and never a torn result."""
    problems: list[BaseException] = []
    done = threading.Event()

    def read(index: SqliteIndex) -> None:
        try:
            while not done.is_set():
                found = index.search(Query(text="", node=Phrase(("vote",))), limit=20).assessments
                assert all("vote" in one.tokens for one in found)
                assert index.count(ALL) % 10 == 0
        except BaseException as problem:
            problems.append(problem)

    with opened(tmp_path / "index") as index:
        readers = [threading.Thread(target=read, args=(index,)) for _ in range(4)]
        for reader in readers:
            reader.start()
        for start in range(0, 300, 10):
            index.write([post(f"{n}", "vote", minutes=n) for n in range(start, start + 10)], log_id="log")
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []


def test_two_openings_share_one_index(tmp_path: Path) -> None:
    """As two processes do: each sees what the other wrote, at once."""
    with opened(tmp_path / "index") as one, opened(tmp_path / "index") as two:
        for number in range(20):
            (one if number % 2 else two).write([post(f"{number}", "vote")], log_id="log")
            assert one.count(ALL) == two.count(ALL) == number + 1


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_index_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its parent folder is missing"):
        SqliteIndex(tmp_path / "missing" / "index").open()


def test_a_file_is_not_an_index(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("mine")
    with pytest.raises(StoreError, match="must be a folder"):
        SqliteIndex(tmp_path / "index").open()


def test_an_index_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "index"):
        pass
    connection = sqlite3.connect(tmp_path / "index" / "hits.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="an index of hits of a newer Hustings"):
        SqliteIndex(tmp_path / "index").open()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "assessments.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreError, match=r"assessments.db: is not a SQLite database"):
        SqliteIndex(tmp_path / "index").open()


def test_another_log_is_named_with_what_to_do(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.write([post("1", "vote")], log_id="first log")
        with pytest.raises(StoreError, match=r"was filled from log first log, but the log is now second log.*rebuild"):
            index.write([post("2", "vote")], log_id="second log")


def test_a_closed_index_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        pass
    with pytest.raises(StoreError, match="is not open"):
        index.count(ALL)
    with pytest.raises(StoreError, match="is not open"):
        index.write([], log_id="log")


def test_a_full_disk_stops_the_index_and_leaves_it_whole(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.write([post("1", "vote")], log_id="log", positions={0: 1})
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))  # no file may grow further
        try:
            with pytest.raises(Unavailable, match="nothing of this write was kept"):
                index.write([post(f"{n}", "vote", f"word{n}" * 50) for n in range(900)], log_id="log", positions={0: 9})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert index.positions("posts") == {0: 1}
        assert index.write([post("2", "vote")], log_id="log", positions={0: 2}) == [Outcome.NEW]
        assert index.count(ALL) == 2
    check_inverted_index(tmp_path / "index")


def test_an_index_that_is_copied_file_by_file_while_closed_is_the_same(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.write([post("1", "vote")], log_id="log", positions={0: 1})
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    with opened(tmp_path / "copy") as copy:
        assert copy.count(ALL) == 1
        assert copy.positions("posts") == {0: 1}
