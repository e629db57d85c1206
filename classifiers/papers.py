"""What is known about a version beside its manifest: what making it took, what the gates said."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from classifiers.gates.record import GateRecord, read_record
from classifiers.manifest import Manifest, hash_of_manifest
from classifiers.plain_files import read_plain
from classifiers.typed_json import read_typed

__all__ = ["MADE", "NOT_RUN", "Papers", "read_papers", "write_made"]

MADE = "made.json"
NOT_RUN = "not run"
"""What is said of gates of which there is no record."""
_MOST_BYTES = 10_000


class _Made(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many seconds training took, for the manifest of that hash."""

    manifest: str
    seconds: float


class Papers(Struct, frozen=True, kw_only=True):
    """`training_s` and `record` are None where nobody wrote them, or for another manifest. `us_a_post` is what scoring
    a post took when the gates were run, on the machine where they were."""

    bytes: int
    training_s: float | None
    us_a_post: float | None
    record: GateRecord | None

    @property
    def gates(self) -> str:
        """The gates' answer in a few words: "passed" alone only where nothing had to be excused."""
        if self.record is None:
            return NOT_RUN
        counts = ((len(self.record.failed), "failed"), (len(self.record.excused), "excused"))
        told = ", ".join(f"{count} {what}" for count, what in counts if count)
        return told if self.record.failed else f"passed, {told}" if told else "passed"


def write_made(folder: Path, seconds: float) -> None:
    """Note what making the model in `folder` took."""
    made = _Made(manifest=hash_of_manifest(folder), seconds=round(seconds, 2))
    (folder / MADE).write_bytes(msgspec.json.encode(made) + b"\n")


def read_papers(folder: Path, manifest: Manifest) -> Papers:
    """Raises `ModelError` for a paper that is none of ours."""
    record = read_record(folder, manifest)
    return Papers(
        bytes=sum(file.bytes for file in manifest.files),
        training_s=_seconds(folder),
        us_a_post=round(record.seconds_a_thousand * 1000, 1) if record else None,
        record=record,
    )


def _seconds(folder: Path) -> float | None:
    path = folder / MADE
    if not path.exists():
        return None
    made = read_typed(read_plain(path, limit=_MOST_BYTES, holds="it is one line"), _Made, str(path))
    return made.seconds if made.manifest == hash_of_manifest(folder) else None
