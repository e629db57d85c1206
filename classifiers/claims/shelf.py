"""The claims of a deployment: one collection in the memory of the machine, replaced as a whole, the same for all."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from classifiers.claims.claim import MOST_CLAIMS, Claim
from classifiers.claims.importing import Imported, without_taken
from hustings.contracts import Memory
from hustings.errors import ConfigError, StoreError

__all__ = ["Added", "ClaimShelf"]

_TABLE, _CLAIMS, _VERSION = "claims", "collection", "version"
_MOST_BYTES = 1_000_000_000
"""Of the collection, unpacked."""


class Added(NamedTuple):
    """What of each file was taken and what was refused, and how many claims are held now."""

    files: list[Imported]
    held: int


class ClaimShelf:
    """Reads the collection once for each version of it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read: tuple[str, tuple[Claim, ...]] = ("", ())
        self._by_id: dict[str, Claim] = {}

    def version(self) -> str:
        """Changes with the collection; empty when there is none. Cheap: asked before every batch."""
        return (self._memory.get(_TABLE, _VERSION) or b"").decode()

    def claims(self) -> tuple[Claim, ...]:
        """All, by id; the same object as long as nothing was imported."""
        version = self.version()
        if version != self._read[0]:
            packed = self._memory.get(_TABLE, _CLAIMS) or b""
            self._read = (version, _unpacked(packed))
            self._by_id = {claim.id: claim for claim in self._read[1]}
        return self._read[1]

    def find(self, ids: Iterable[str]) -> list[Claim]:
        """Those of these claims that the collection still holds, in the order asked."""
        self.claims()
        return [self._by_id[one] for one in ids if one in self._by_id]

    def add(self, files: Sequence[Imported]) -> Added:
        """Put what files hold beside the claims that are there; one with a known id takes its place, unless that is
        another publisher's (`without_taken`). Raises `ConfigError` beyond `MOST_CLAIMS`, and for more than could be
        read again; then nothing was added."""
        usable: list[Imported] = []

        def change(by_id: dict[str, Claim]) -> dict[str, Claim]:
            usable[:] = without_taken(files, by_id.values())
            return by_id | {claim.id: claim for imported in usable for claim in imported.claims}

        held = self._change(change)
        return Added(usable, held)

    def remove(self, ids: Iterable[str]) -> int:
        """Take these away; returns how many stay."""
        gone = set(ids)
        return self._change(lambda by_id: {one: claim for one, claim in by_id.items() if one not in gone})

    def _change(self, change: Callable[[dict[str, Claim]], dict[str, Claim]]) -> int:
        """Done anew when somebody else changed the collection meanwhile: two imports at once lose nothing."""
        while True:
            former = self._memory.get(_TABLE, _CLAIMS)
            by_id = change({claim.id: claim for claim in _unpacked(former or b"")})
            if len(by_id) > MOST_CLAIMS:
                raise ConfigError(f"{len(by_id):,} claims; one collection takes {MOST_CLAIMS:,}")
            raw = msgspec.json.encode([by_id[one] for one in sorted(by_id)])
            if len(raw) > _MOST_BYTES:
                raise ConfigError(f"{len(raw):,} bytes of claims; one collection takes {_MOST_BYTES:,}")
            if self._memory.replace(_TABLE, _CLAIMS, former, zlib.compress(raw, 6)):
                break
        # Second, so that who sees the new version finds the new collection.
        self._memory.put(_TABLE, _VERSION, hashlib.blake2b(raw, digest_size=12).hexdigest().encode())
        return len(by_id)


def _unpacked(packed: bytes) -> tuple[Claim, ...]:
    if not packed:
        return ()
    try:
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(packed, _MOST_BYTES)
        return tuple(msgspec.json.decode(raw, type=list[Claim]))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise StoreError(f"the collection of claims cannot be read: {error}; import it again") from error
