"""Files of posts: rows in, posts and dead letters out."""

from __future__ import annotations

import gzip
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hustings import wire
from hustings.clock import VirtualClock, to_ms
from hustings.contracts import Collected, SourceContext
from hustings.errors import BadInput, Unavailable
from hustings.testing.check_source import check_source
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Post
from ingest.columns import parse_time
from ingest.files import FilesSettings, FilesSource
from ingest.rows import RowReader

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[1] / "configs" / "examples"
CONTEXT = SourceContext(LoopbackEgress(), DictMemory(), VirtualClock(NOW))
MAPPED = {"source": "forum", "columns": {"native_id": ["id"], "text": ["words"], "published_at": ["when"]}}


def source(path: Path, **given: object) -> FilesSource:
    return FilesSource("archive", FilesSettings.model_validate({"path": path, **given}), CONTEXT)


def read(path: Path, limit: int = 1_000, **given: object) -> Collected:
    reader = source(path, **given)
    try:
        return reader.collect(b"", now=NOW, limit=limit)
    finally:
        reader.close()


def drained(reader: FilesSource, cursor: bytes = b"", limit: int = 3) -> tuple[list[str], bytes]:
    ids: list[str] = []
    while True:
        result = reader.collect(cursor, now=NOW, limit=limit)
        ids += [item.post.native_id for item in result.items]
        cursor = result.cursor
        if result.done or result.again_after > timedelta(0):
            reader.close()
            return ids, cursor


def wire_line(n: int, **given: object) -> bytes:
    post = Post(
        source="forum", native_id=str(n), text=f"post {n}", published_at=NOW, collected_at=NOW + timedelta(minutes=n)
    )
    return wire.encode(msgspec.structs.replace(post, **given)) + b"\n"


def test_posts_in_the_wire_form_come_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(wire_line(1, author="carla") + b"\n" + wire_line(2))
    result = read(path)
    assert [item.post.native_id for item in result.items] == ["1", "2"]
    assert result.items[0].post.collected_at == NOW + timedelta(minutes=1)
    assert result.items[0].author_handle == "carla"
    assert result.items[0].raw == wire_line(1, author="carla").rstrip()
    assert result.done


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not_json"),
        (b"[]", "not_an_object"),
        (b'{"source": "forum"}', "missing_key"),
        (wire_line(1).strip().replace(b'"text"', b'"texts"'), "unknown_key"),
        (wire_line(1).strip().replace(b"post 1", b"\xff"), "not_json"),
        (b"{" + b" " * 4_000_001 + b"}", "too_large"),
    ],
)
def test_a_bad_row_is_a_dead_letter_with_its_line_and_bytes(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(wire_line(1) + line + b"\n" + wire_line(2))
    result = read(path)
    assert [item.post.native_id for item in result.items] == ["1", "2"]
    (letter,) = result.dead
    assert (letter.reason, letter.origin) == (reason, "archive: posts.jsonl, row 2")
    assert line.startswith(letter.original)
    assert len(letter.original) == min(len(line), wire.MAX_BYTES + 1)


def test_the_same_bad_row_has_the_same_id_when_it_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"nonsense\nnonsense\n")
    first, second = read(path).dead
    assert first.id != second.id
    assert read(path).dead[0].id == first.id


def test_mapped_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = {
        "id": 7,
        "words": "Vote",
        "when": 1_804_000_000,
        "user": {"id": "u9"},
        "seen": "2027-03-01T10:00:00+01:00",
        "edit": "2027-03-01 11:00:00",
        "tags": ["#vote", "now"],
        "views": "1,200",
    }
    path.write_text(json.dumps(row) + "\n")
    columns = {
        **MAPPED["columns"],  # type: ignore[dict-item] # a table of the settings
        "author": ["user.id"],
        "collected_at": ["seen"],
        "edited_at": ["edit"],
        "hashtags": ["tags"],
        "reach": ["views"],
    }
    (item,) = read(path, source="forum", columns=columns, lang="en", stream="account").items
    assert item.author_handle == "u9"
    assert item.post == Post(
        source="forum",
        native_id="7",
        text="Vote",
        published_at=datetime(2027, 3, 2, 15, 6, 40, tzinfo=UTC),
        collected_at=datetime(2027, 3, 1, 9, tzinfo=UTC),
        revision=to_ms(datetime(2027, 3, 1, 11, tzinfo=UTC)),
        hashtags=("vote", "now"),
        reach=1200,
        lang="en",
        stream="account",
    )


def test_a_csv_row_may_hold_quotes_commas_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(
        b'\xef\xbb\xbfid,words,when\r\n1,"He said ""no"",\r\nand left",2027-03-01T10:00:00Z\r\n2,plain,2027-03-01\r\n'
    )
    first, second = read(path, **MAPPED).items
    assert first.post.text == 'He said "no",\r\nand left'
    assert first.raw == b'1,"He said ""no"",\r\nand left",2027-03-01T10:00:00Z'
    assert second.post.published_at == datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("Mum &amp; dad &gt;&gt; &lt;3", "Mum & dad >> <3"),
        ("&quot;no&quot;, it&#39;s &#x27;off&#039;", "\"no\", it's 'off'"),
        ("R&D; caf&eacute; &amp;gt; &", "R&D; caf&eacute; &gt; &"),
    ],
)
def test_marks_that_an_export_wrote_as_html_are_read_as_they_were_typed(
    tmp_path: Path, escaped: str, text: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": 7, "words": escaped, "when": 1_804_000_000}) + "\n")
    (item,) = read(path, **MAPPED).items
    assert item.post.text == text
    assert escaped.encode() in item.raw.replace(b'\\"', b'"')


def test_a_quote_that_nobody_closes_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [f"{n},words,2027-03-01" for n in range(2_500)]
    rows[1] = '1,"open,2027-03-01'
    path.write_text("id,words,when\n" + "\n".join(rows) + "\n")
    result = read(path, limit=5_000, **MAPPED)
    assert len(result.items) == 2_499
    assert [letter.original for letter in result.dead] == [rows[1].encode()]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,words", "undecodable"),
        ("1,words,yesterday", "out_of_range"),
        (",words,2027-03-01", "missing_key"),
        ("1.23457E+18,words,2027-03-01", "out_of_range"),  # as a spreadsheet saves it: many rows would share this id
        ('"1,23457E+18",words,2027-03-01', "out_of_range"),
    ],
)
def test_bad_csv_rows(tmp_path: Path, row: str, reason: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"id,words,when\n{row}\n2,fine,2027-03-01\n")
    result = read(path, **MAPPED)
    assert [letter.reason for letter in result.dead] == [reason]
    assert len(result.items) == 1


def test_a_table_without_the_mapped_columns_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,body,when\n1,a,2027-03-01\n")
    with pytest.raises(Unavailable, match=r"no column for text \('words'\); found id, body, when"):
        read(path, **MAPPED)


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        read(tmp_path / "none.jsonl")


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "posts.jsonl", "posts.jsonl.gz"])
def test_every_row_comes_once_whatever_the_limit_and_wherever_it_was_interrupted(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "csv" in name:
        content = b"id,words,when\n" + b"".join(b'%d,"two\nlines",2027-03-01\n' % n for n in range(20))
    else:
        content = b"".join(wire_line(n) for n in range(20))
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    given = MAPPED if "csv" in name else {}
    wanted = [str(n) for n in range(20)]
    assert drained(source(path, **given))[0] == wanted
    first = source(path, **given).collect(b"", now=NOW, limit=7)
    rest, _ = drained(source(path, **given), first.cursor)
    assert [item.post.native_id for item in first.items] + rest == wanted
    check_source(lambda context: FilesSource("archive", FilesSettings.model_validate({"path": path, **given}), context))


def test_a_growing_file_is_followed_and_half_a_line_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(wire_line(1) + wire_line(2)[:20])
    reader = source(path, follow=True)
    ids, cursor = drained(reader)
    assert ids == ["1"]
    with path.open("ab") as file:
        file.write(wire_line(2)[20:] + wire_line(3))
    ids, cursor = drained(reader, cursor)
    assert ids == ["2", "3"]
    assert not reader.collect(cursor, now=NOW, limit=3).done
    reader.close()


@pytest.mark.parametrize("name", ["posts.jsonl", "rows.csv"])
def test_a_file_that_is_just_being_copied_here_is_not_done_at_half_a_row(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [b"id,words,when\n", *(b"%d,words,2027-03-01\n" % n for n in (1, 2, 3))]
    given = MAPPED if name == "rows.csv" else {}
    content = b"".join(rows if given else [wire_line(n) for n in (1, 2, 3)]).removesuffix(b"\n")

    def copied(share: float) -> None:
        path.write_bytes(content[: int(len(content) * share)])
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))

    copied(0.7)
    reader = source(path, **given)
    first = reader.collect(b"", now=NOW, limit=10)
    assert (first.dead, first.done, first.again_after > timedelta(0)) == ((), False, True)
    copied(1)
    second = reader.collect(first.cursor, now=NOW + timedelta(seconds=5), limit=10)
    assert not second.done  # its last row has no line end: more may come
    third = reader.collect(second.cursor, now=NOW + timedelta(minutes=2), limit=10)
    assert [item.post.native_id for result in (first, second, third) for item in result.items] == ["1", "2", "3"]
    assert (third.dead, third.done) == ((), True)


def test_another_file_under_the_same_name_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(wire_line(1) + wire_line(2))
    _, cursor = drained(source(path))
    path.write_bytes(wire_line(7) + wire_line(8) + wire_line(9))
    assert drained(source(path), cursor)[0] == ["7", "8", "9"]
    path.write_bytes(wire_line(7))  # cut short
    assert drained(source(path), cursor)[0] == ["7"]


def test_a_moved_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(wire_line(1) + wire_line(2))
    _, cursor = drained(source(path))
    os.rename(path, tmp_path / "moved.jsonl")
    assert drained(source(tmp_path / "moved.jsonl"), cursor)[0] == []


def test_a_gzip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 50_000_000))
    with pytest.raises(BadInput, match="unfolds"):
        read(path)
    path.write_bytes(gzip.compress(wire_line(1))[:-6])
    with pytest.raises(BadInput, match="cut off"):
        read(path)


@pytest.mark.parametrize(
    ("name", "preset", "platform"),
    [("4cat.csv", "4cat", "x"), ("junkipedia.jsonl", "junkipedia", "other")],
)
def test_the_presets_read_the_example_exports(name: str, preset: str, platform: str) -> None:
    result = read(EXAMPLES / name, preset=preset, source=platform)
    assert result.dead == ()
    items = result.items
    if preset == "4cat":
        post = items[0].post
        assert (post.source, post.native_id, post.lang, post.reach) == ("x", "1804000000000000001", "en", 5200)
        assert (items[0].author_handle, items[0].handles[:1]) == ("990001", ("harbourwatch",))
        assert (post.mentions, post.hashtags) == (("velmaravotes",), ("VelmaraVotes", "VoteNow"))
        assert post.published_at == datetime(2027, 3, 2, 15, 6, 40, tzinfo=UTC)
    else:
        assert [item.post.source for item in items] == ["facebook", "tiktok"]
        assert items[0].post.text == "Counting begins at eight."
        assert items[0].author_handle == "Velmara Harbour News"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "a.csv"}, "name the platform"),
        ({"path": "a.csv", "source": "forum"}, "say which columns"),
        ({"path": "a.jsonl", "source": "forum"}, "need no columns"),
        ({"path": "a.jsonl.gz", "follow": True}, "cannot be followed"),
        ({"path": "a.csv", "preset": "3cat", "source": "x"}, "4cat"),
        ({"path": "a.csv", "preset": "4cat", "source": "a:b"}, "pattern"),
        ({"path": "a.csv", "presets": "4cat"}, "Extra inputs"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FilesSettings.model_validate(given)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2027-03-01", datetime(2027, 3, 1, tzinfo=UTC)),
        ("2027-03-01 10:00:00", datetime(2027, 3, 1, 10, tzinfo=UTC)),
        ("2027-03-01T10:00:00.5+02:00", datetime(2027, 3, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("1804000000", datetime(2027, 3, 2, 15, 6, 40, tzinfo=UTC)),
        ("1804000000000", datetime(2027, 3, 2, 15, 6, 40, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31", None),
        ("99999999999", None),  # as seconds the year 5138
        ("", None),
    ],
)
def test_times_as_exports_write_them(text: str, when: datetime | None) -> None:
    assert parse_time(text) == when


@settings(max_examples=200)
@given(st.lists(st.text('ab"', max_size=9), max_size=8), st.booleans(), st.booleans())
def test_the_row_reader_loses_no_byte(lines: list[str], quoted: bool, growing: bool) -> None:
    content = "\n".join(lines).encode()
    reader = RowReader(io.BytesIO(content), offset=0, quoted=quoted, growing=growing, max_bytes=1_000)
    read = b""
    while (row := reader.next_row()) is not None:
        read += row.raw + (b"\n" if row.end > len(read) + len(row.raw) else b"")
        assert row.end == reader.offset == len(read)
    assert content.startswith(read)
    assert growing or read == content
