"""Files of posts: our wire form as JSON lines, or anybody's JSON lines and CSV tables with their columns mapped.

Compressed with gzip (`.gz`) or plain; a plain file may still be growing, or be copied here just now. The cursor is an
offset with a fingerprint of the file's beginning, so that another file under the same name is read from its start.
"""

from __future__ import annotations

import csv
import time
from codecs import BOM_UTF8 as BOM
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from pydantic import Field, model_validator

from hustings import wire
from hustings.contracts import Collected, SourceContext, SourceItem
from hustings.errors import BadInput, Unavailable
from hustings.types import DeadLetter, Post
from ingest.columns import PRESETS, Columns, Fixed, item_of_row
from ingest.dead_letters import dead_letter
from ingest.foreign_json import read_object
from ingest.rows import Row, RowReader, open_bytes

__all__ = ["FilesSource"]

FINGERPRINT_BYTES = 1_024
TIME_BOUND_S = 10.0
SETTLED_S = 60.0
"""A last row without its line end is left, as one that is still being written, until the file is unchanged so long."""

Format = Literal["wire", "jsonl", "csv"]


class FilesSettings(Fixed):
    """`kind = "files"`"""

    path: Path = Field(description="the file; gunzipped when its name ends in .gz")
    format: Literal["auto", "wire", "jsonl", "csv"] = Field(
        default="auto",
        description="wire: posts in our own JSON form; jsonl: JSON objects with mapped columns; csv: a table with a "
        "header row. auto: csv by its name, else jsonl when columns are mapped, else wire",
    )
    preset: Literal["", "4cat", "junkipedia"] = Field(default="", description="columns of a known export")
    columns: Columns = Field(default=Columns(), description="which column holds what; goes before the preset")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="between the cells of a CSV row")
    source: str = Field(
        default="", max_length=64, pattern=r"^[^:\s]*$", description="platform of mapped rows: name space of their ids"
    )
    follow: bool = Field(default=False, description="the file is still growing: never done, read on as it grows")
    poll_s: float = Field(default=5.0, ge=0.1, le=3600, description="how often a growing file is looked at")

    @model_validator(mode="after")
    def _goes_together(self) -> FilesSettings:
        if self.follow and self.path.suffix == ".gz":
            raise ValueError("follow: a compressed file cannot be followed while it grows")
        mapped = self.columns_used != Columns()
        if self.row_format == "wire":
            if mapped or self.source:
                raise ValueError("format: posts in the wire form name their own source and need no columns")
        elif not self.source:
            raise ValueError("source: name the platform that the rows come from")
        elif not mapped:
            raise ValueError("columns: say which columns hold native_id, text and published_at, or give a preset")
        return self

    @property
    def columns_used(self) -> Columns:
        """The columns of the preset, with those set here in their place."""
        preset = PRESETS.get(self.preset, Columns())
        return preset.model_copy(update={name: getattr(self.columns, name) for name in self.columns.model_fields_set})

    @property
    def row_format(self) -> Format:
        if self.format != "auto":
            return self.format
        if ".csv" in self.path.suffixes or ".tsv" in self.path.suffixes:
            return "csv"
        return "jsonl" if self.preset or self.columns != Columns() else "wire"


class Cursor(Struct, frozen=True, kw_only=True):
    """How far a file was read, and which file that was."""

    fingerprint: str
    fingerprint_bytes: int
    offset: int
    row: int


class FilesSource:
    """Rows of one file as posts."""

    Settings = FilesSettings

    def __init__(self, name: str, settings: FilesSettings, context: SourceContext) -> None:
        self.name = name
        self._settings = settings
        self._columns = settings.columns_used
        self._fixed = Fixed(**settings.model_dump(include=set(Fixed.model_fields))) if settings.source else None
        self._rows: RowReader | None = None
        self._header: list[str] = []
        self._head = b""

    def open(self) -> None:
        """Nothing to do: the file may come later."""

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        path = self._settings.path
        try:
            before = self._begin(msgspec.json.decode(cursor, type=Cursor) if cursor else None, now)
            collected = self._collect(before, now=now, limit=limit)
        except OSError as error:
            self.close()
            raise Unavailable(f"{path}: {error.strerror or error}") from error
        except BadInput:
            self.close()
            raise
        if path.suffix != ".gz" or collected.done:  # only a compressed file is dear to open again where it was
            self.close()
        return collected

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, cursor: Cursor | None, now: datetime) -> Cursor:
        """Stand at the cursor; at the start when the file is another one than the cursor's, or became shorter."""
        path = self._settings.path
        with path.open("rb") as file:
            head = file.read(FINGERPRINT_BYTES)
        if cursor is not None:
            same = _hash(head[: cursor.fingerprint_bytes]) == cursor.fingerprint
            shorter = path.suffix != ".gz" and path.stat().st_size < cursor.offset
            cursor = cursor if same and not shorter else None
        offset, row = (cursor.offset, cursor.row) if cursor else (0, 0)
        if self._rows is None or self._rows.offset != offset or self._head != head:
            self.close()
            self._rows = self._opened(offset, now)
            offset = self._rows.offset
        self._head = head
        return Cursor(fingerprint=_hash(head), fingerprint_bytes=len(head), offset=offset, row=row)

    def _opened(self, offset: int, now: datetime) -> RowReader:
        """The file opened at `offset`; a table's header is read first, wherever reading goes on."""
        settings = self._settings
        rows = RowReader(
            open_bytes(settings.path),
            offset=0,
            quoted=settings.row_format == "csv",
            growing=settings.follow or self._is_being_written(now),
            max_bytes=wire.MAX_BYTES,
        )
        try:
            if settings.row_format == "csv":
                first = rows.next_row()
                self._header = [] if first is None else self._header_of(first)
            if rows.offset < offset:
                rows.skip_to(offset)
        except BaseException:
            rows.close()
            raise
        return rows

    def _is_being_written(self, now: datetime) -> bool:
        path = self._settings.path
        return path.suffix != ".gz" and abs(now.timestamp() - path.stat().st_mtime) < SETTLED_S

    def _header_of(self, row: Row) -> list[str]:
        where = f"{self._settings.path}, first row"
        try:
            header = [name.strip() for name in self._cells(row.raw.removeprefix(BOM))]
        except BadInput as error:
            raise Unavailable(f"{where}: no header of a table: {error.detail}") from error
        for field in ("native_id", "text", "published_at"):
            wanted = getattr(self._columns, field)
            if not set(wanted) & set(header):
                raise Unavailable(
                    f"{where}: no column for {field} ({', '.join(map(repr, wanted))}); found {', '.join(header)[:400]}"
                )
        return header

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self, before: Cursor, *, now: datetime, limit: int) -> Collected:
        assert self._rows is not None  # noqa: S101 - `_begin` opened it
        items: list[SourceItem] = []
        dead: list[DeadLetter] = []
        row_number = before.row
        deadline = time.monotonic() + TIME_BOUND_S
        at_end = False
        while len(items) + len(dead) < limit and time.monotonic() < deadline:
            row = self._rows.next_row()
            if row is None:
                at_end = True
                break
            row_number += 1
            if not row.raw.strip():
                continue
            try:
                items.append(self._item(row, is_first=row_number == 1, now=now))
            except BadInput as error:
                origin = f"{self._settings.path.name}, row {row_number}"
                dead.append(dead_letter(self.name, error.reason, error.detail, origin=origin, original=row.raw, at=now))
        after = msgspec.structs.replace(before, offset=self._rows.offset, row=row_number)
        return Collected(
            items=tuple(items),
            dead=tuple(dead),
            cursor=msgspec.json.encode(after),
            again_after=timedelta(seconds=self._settings.poll_s if at_end else 0),
            caps_hit={"row_too_large": large} if (large := sum(d.reason == "too_large" for d in dead)) else {},
            done=at_end and not self._settings.follow and not self._rows.has_more,
        )

    def _item(self, row: Row, *, is_first: bool, now: datetime) -> SourceItem:
        if row.problem is not None:
            raise row.problem
        raw = row.raw.removeprefix(BOM) if is_first else row.raw
        if self._fixed is None:
            post = wire.decode_strict(raw, Post)
            return SourceItem(raw=row.raw, post=post, author_handle=post.author)
        if self._settings.row_format == "jsonl":
            return item_of_row(read_object(raw), self._columns, self._fixed, raw=row.raw, now=now)
        cells = self._cells(raw)
        if len(cells) != len(self._header):
            raise BadInput("undecodable", f"the row has {len(cells)} cells, the header {len(self._header)}")
        named = dict(zip(self._header, cells, strict=True))
        return item_of_row(named, self._columns, self._fixed, raw=row.raw, now=now)

    def _cells(self, raw: bytes) -> list[str]:
        try:
            return next(csv.reader([raw.decode()], delimiter=self._settings.delimiter, strict=True), [])
        except UnicodeDecodeError as error:
            raise BadInput("undecodable", f"not UTF-8: {error}") from error
        except csv.Error as error:
            raise BadInput("undecodable", f"not a CSV row: {error}") from error


def _hash(head: bytes) -> str:
    return sha256(head).hexdigest()
