"""Raw captures, sealed: what the outside really sent, before anything was made of it.

One file a batch ("pack"), named by the SHA-256 of its content, written durably and read-only before any of its posts
is acknowledged. A pack is a magic line, then for each capture a JSON line about it and its raw bytes. Nothing in it is
changed afterwards; raw account names exist here and nowhere else.

Where captures are erased because somebody asked for it, the pack goes. What else it held is sealed again as a pack of
its own, byte for byte, and a file in its place (`<pack>.erased`) says when, how many captures went, and where the
others are: not what they were, nor whose.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from hustings.clock import rfc3339
from hustings.errors import StoreError, Unavailable
from hustings.sqlite_file import sync_folder

__all__ = ["Capture", "CaptureRecord", "Erasure", "EvidenceFolder", "Flaw", "Held"]

MAGIC = b"hustings-evidence 1\n"
SUFFIX = ".evidence"
ERASED = ".erased"
_encoder = msgspec.json.Encoder(order="deterministic")


class Capture(Struct, frozen=True, kw_only=True):
    """One thing to seal: which source entry brought it, for which native ids, with which headers."""

    raw: bytes
    collector: str
    keys: tuple[str, ...]
    at: datetime
    headers: dict[str, str] = {}


class CaptureRecord(Struct, frozen=True, kw_only=True):
    """The JSON line before the raw bytes of a capture."""

    sha256: str
    length: int
    collector: str
    keys: tuple[str, ...]
    at: datetime
    code_version: str
    headers: dict[str, str] = {}


class Flaw(Struct, frozen=True, kw_only=True):
    """Something in the folder that is not as it was sealed. `keys` are the posts whose capture it touches."""

    path: str
    problem: str
    keys: tuple[str, ...] = ()


class Held(Struct, frozen=True, kw_only=True):
    """A pack that holds captures of certain posts: `alone` are of no other post, `shared` are of others too. `keys` are
    those of the posts that were found in it."""

    pack: str
    alone: int
    shared: int
    keys: tuple[str, ...]


class Erasure(Struct, frozen=True, kw_only=True):
    """What stands in the place of a pack of which captures were erased. `rest` is the pack that holds its others, empty
    when there are none."""

    pack: str
    at: datetime
    captures: int
    rest: str = ""


class EvidenceFolder:
    """The folder of packs. Safe for several writers: equal content has an equal name."""

    def __init__(self, folder: Path, *, code_version: str) -> None:
        self._folder = folder
        self._code_version = code_version

    def seal(self, captures: Sequence[Capture]) -> list[str]:
        """Write the captures as one pack; returns the evidence id of each, in order: `<pack>/<SHA-256 of the raw
        bytes>`. After this they survive a power cut. Equal raw bytes with equal headers are stored once.

        Raises `Unavailable` when the disk is full or fails: nothing may be acknowledged then.
        """
        if not captures:
            return []
        parts, hashes = self._packed(captures)
        pack = hashlib.sha256(b"".join(parts)).hexdigest()
        try:
            self._write(self._path(pack), parts)
        except OSError as error:
            raise Unavailable(f"evidence cannot be sealed in {self._folder}: {error}") from error
        return [f"{pack}/{raw_hash}" for raw_hash in hashes]

    def read(self, evidence: str) -> tuple[CaptureRecord, bytes]:
        """The capture behind an evidence id. Raises `StoreError` when it is absent, erased or not as it was sealed."""
        pack, _, raw_hash = evidence.partition("/")
        path = self._path(pack)
        erasure = None if path.exists() else self._erasure(self._marker(pack))
        if erasure is not None:
            if erasure.rest:
                with contextlib.suppress(StoreError):
                    return self.read(f"{erasure.rest}/{raw_hash}")
            raise StoreError(f"{path}: this capture was erased at {rfc3339(erasure.at)}")
        try:
            for record, raw in _captures(path.read_bytes()):
                if record.sha256 == raw_hash and hashlib.sha256(raw).hexdigest() == raw_hash:
                    return record, raw
        except FileNotFoundError:
            raise StoreError(f"{path}: no such evidence") from None
        except ValueError as error:
            raise StoreError(f"{path}: damaged: {error}") from error
        raise StoreError(f"{path}: holds no intact capture {raw_hash}")

    def verify(self) -> Iterator[Flaw]:
        """Every flaw of the packs that are there; none when each byte is as it was sealed. Reads everything. Whether an
        erasure was rightful, only the audit chain can say (`erasures`)."""
        for path in sorted(self._folder.glob(f"*/*{SUFFIX}")):
            try:
                content = path.read_bytes()
            except OSError as error:
                yield Flaw(path=str(path), problem=f"cannot be read: {error.strerror}")
                continue
            if path.stat().st_mode & 0o222:
                yield Flaw(path=str(path), problem="may be written to; packs are read-only")
            if hashlib.sha256(content).hexdigest() == path.name.removesuffix(SUFFIX):
                continue
            named = False
            try:
                for record, raw in _captures(content):
                    if hashlib.sha256(raw).hexdigest() != record.sha256:
                        named = True
                        yield Flaw(path=str(path), problem="the raw bytes of a capture were changed", keys=record.keys)
            except ValueError as error:
                named = True
                yield Flaw(path=str(path), problem=f"its structure was changed: {error}")
            if not named:
                yield Flaw(path=str(path), problem="what is said about its captures was changed")

        yield from self._erasure_flaws()

    def erasures(self) -> list[Erasure]:
        """What was erased here, in the order of time. What cannot be read is left to `verify`."""
        found = (self._erasure(path) for path in self._folder.glob(f"*/*{ERASED}"))
        return sorted((one for one in found if one is not None), key=lambda one: (one.at, one.pack))

    def keys(self) -> set[str]:
        """Every post of which there is a capture. Reads everything; packs that cannot be read are left to `verify`."""
        found: set[str] = set()
        for path in self._folder.glob(f"*/*{SUFFIX}"):
            with contextlib.suppress(OSError, ValueError):
                found.update(key for record, _ in self._sealed(path) for key in record.keys)
        return found

    def holding(self, keys: AbstractSet[str]) -> tuple[list[Held], list[Flaw]]:
        """The packs with captures of these posts, and those that could not be looked through, or are not as they were
        sealed: what is sealed anew would hide that. Reads everything."""
        held: list[Held] = []
        flaws: list[Flaw] = []
        for path in sorted(self._folder.glob(f"*/*{SUFFIX}")):
            try:
                found = [record for record, _ in self._sealed(path) if not keys.isdisjoint(record.keys)]
            except (OSError, ValueError) as error:
                flaws.append(Flaw(path=str(path), problem=f"could not be looked through: {error}"))
                continue
            if found:
                alone = sum(keys >= set(record.keys) for record in found)
                of = {key for record in found for key in record.keys if key in keys}
                pack = path.name.removesuffix(SUFFIX)
                held.append(Held(pack=pack, alone=alone, shared=len(found) - alone, keys=tuple(sorted(of))))
        return held, flaws

    def erase(self, pack: str, keys: AbstractSet[str], *, shared: bool, at: datetime) -> Erasure | None:
        """Take the captures of these posts out of a pack, with `shared` also those that are of other posts too; None
        when it holds none that goes. The others stay as they were sealed. Durable when it returns; after a crash it is
        begun again with the same result.

        Raises `Unavailable` when the disk is full or fails, and `StoreError` when the pack cannot be read."""
        path = self._path(pack)
        former = self._erasure(self._marker(pack))
        if former is not None:  # a crash came before the pack went: what was to stay lies in its rest already
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
            return self.erase(former.rest, keys, shared=shared, at=at) if former.rest else None
        parts, gone = [MAGIC], 0
        try:
            for record, raw in self._sealed(path):
                if keys >= set(record.keys) or (shared and not keys.isdisjoint(record.keys)):
                    gone += 1
                else:
                    parts += [_encoder.encode(record), b"\n", raw, b"\n"]
        except ValueError as error:
            raise StoreError(f"{path}: damaged: {error}") from error
        except OSError as error:
            raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
        if not gone:
            return None
        rest = hashlib.sha256(b"".join(parts)).hexdigest() if len(parts) > 1 else ""
        erasure = Erasure(pack=pack, at=at, captures=gone, rest=rest)
        try:
            if rest:
                self._write(self._path(rest), parts)
            self._write(self._marker(pack), [_encoder.encode(erasure), b"\n"])
            path.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise Unavailable(f"evidence cannot be erased in {self._folder}: {error}") from error
        return erasure

    def missing(self, named: Iterable[tuple[str, str]]) -> Iterator[Flaw]:
        """A flaw for each pack that is not there. `named` are evidence ids, each with the key of a post that names it:
        a folder alone cannot show that one of its files was taken away."""
        there: set[str] = set()
        lost: dict[str, list[str]] = {}
        for evidence, key in named:
            pack = evidence.partition("/")[0]
            if pack in lost:
                lost[pack].append(key)
            elif pack not in there:
                if self._path(pack).exists() or self._marker(pack).exists():
                    there.add(pack)
                else:
                    lost[pack] = [key]
        for pack, keys in sorted(lost.items()):
            yield Flaw(path=str(self._path(pack)), problem="is missing", keys=tuple(dict.fromkeys(keys)))

    def _sealed(self, path: Path) -> Iterator[tuple[CaptureRecord, bytes]]:
        """The captures of a pack. Raises `ValueError` when it is not as it was sealed."""
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != path.name.removesuffix(SUFFIX):
            raise ValueError("it is not as it was sealed")
        return _captures(content)

    def _packed(self, captures: Sequence[Capture]) -> tuple[list[bytes], list[str]]:
        """The parts of a pack, and the hash of each capture's raw bytes."""
        hashes = [hashlib.sha256(capture.raw).hexdigest() for capture in captures]
        together: dict[tuple[str, tuple[tuple[str, str], ...]], list[Capture]] = {}
        for raw_hash, capture in zip(hashes, captures, strict=True):
            together.setdefault((raw_hash, tuple(sorted(capture.headers.items()))), []).append(capture)
        parts = [MAGIC]
        for (raw_hash, _), same in together.items():
            first = same[0]
            record = CaptureRecord(
                sha256=raw_hash,
                length=len(first.raw),
                collector=first.collector,
                keys=tuple(key for capture in same for key in capture.keys),
                at=first.at,
                code_version=self._code_version,
                headers=first.headers,
            )
            parts += [_encoder.encode(record), b"\n", first.raw, b"\n"]
        return parts, hashes

    def _path(self, pack: str) -> Path:
        return self._folder / pack[:2] / f"{pack}{SUFFIX}"

    def _marker(self, pack: str) -> Path:
        return self._folder / pack[:2] / f"{pack}{ERASED}"

    def _erasure(self, marker: Path) -> Erasure | None:
        """None where there is none, or none that can be read."""
        try:
            return msgspec.json.decode(marker.read_bytes(), type=Erasure)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _erasure_flaws(self) -> Iterator[Flaw]:
        for marker in sorted(self._folder.glob(f"*/*{ERASED}")):
            erasure = self._erasure(marker)
            if erasure is None or erasure.pack != marker.name.removesuffix(ERASED):
                yield Flaw(path=str(marker), problem="what is said about an erasure was changed")
                continue
            if self._path(erasure.pack).exists():
                problem = "captures of it were to be erased, and it is still there; erase them again"
                yield Flaw(path=str(self._path(erasure.pack)), problem=problem)
            rest = self._path(erasure.rest)
            if erasure.rest and not rest.exists() and not self._marker(erasure.rest).exists():
                problem = f"is missing; it held what was not erased of {erasure.pack}"
                yield Flaw(path=str(rest), problem=problem)

    def _write(self, path: Path, parts: Sequence[bytes]) -> None:
        if path.exists():
            return
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(path.parent.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".sealing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fchmod(file.fileno(), 0o400)
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)


def _captures(content: bytes) -> Iterator[tuple[CaptureRecord, bytes]]:
    """The captures of a pack. Raises `ValueError` where the structure is not one."""
    if not content.startswith(MAGIC):
        raise ValueError("the first line is not the magic line")
    position = len(MAGIC)
    while position < len(content):
        end = content.find(b"\n", position)
        if end < 0:
            raise ValueError(f"no JSON line at byte {position}")
        try:
            record = msgspec.json.decode(content[position:end], type=CaptureRecord)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"the JSON line at byte {position} cannot be read ({error})") from error
        position = end + 1 + record.length
        if content[position : position + 1] != b"\n":
            raise ValueError(f"the capture that starts at byte {end + 1} does not end where it should")
        yield record, content[end + 1 : position]
        position += 1
