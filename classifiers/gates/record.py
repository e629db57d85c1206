"""What the gates said of one version: `gates.json` beside its manifest, bound to it by the manifest's hash.

Anybody who can write the folder can write this file: it reminds people of what was measured. What a worker trusts is
the signature.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from classifiers.manifest import Manifest, hash_of_manifest
from classifiers.plain_files import read_plain
from classifiers.typed_json import read_typed

__all__ = ["GATES", "Check", "GateName", "GateRecord", "read_record", "write_record"]

GATES = "gates.json"
_MOST_BYTES = 4_000_000

GateName = Literal[
    "signature",
    "analyser",
    "company",
    "quality",
    "calibration",
    "robustness",
    "swaps",
    "groups",
    "protected",
    "functions",
    "speed",
]


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One comparison with a limit. `subject` is what was looked at ("date-debunked", "pr_auc on edos/dev.csv"),
    `at_least` whether the limit is the smallest or the largest value that passes. `excused` holds the written reason
    why a failure is known and borne for now. A check that does not apply passes, and `detail` says why there is nothing
    to compare."""

    gate: GateName
    subject: str
    language: str
    value: float
    limit: float
    at_least: bool
    passed: bool
    detail: str = ""
    excused: str = ""
    applies: bool = True


class GateRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All checks of one version, at one time, with the suites by digest. `seconds_a_thousand` is what a thousand posts
    took on the machine that measured."""

    format: Literal[1] = 1
    model: str
    version: str
    manifest: str
    code_version: str
    at: str
    suites: dict[str, str]
    seconds_a_thousand: float
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """What did not pass and is not excused."""
        return tuple(check for check in self.checks if not check.passed and not check.excused)

    @property
    def excused(self) -> tuple[Check, ...]:
        """What did not pass, with a written reason."""
        return tuple(check for check in self.checks if not check.passed and check.excused)

    @property
    def not_applicable(self) -> tuple[Check, ...]:
        """What there was nothing to compare for."""
        return tuple(check for check in self.checks if not check.applies)


def write_record(folder: Path, record: GateRecord) -> None:
    """Write it beside the manifest."""
    (folder / GATES).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def read_record(folder: Path, manifest: Manifest) -> GateRecord | None:
    """What the gates said of this very manifest; None when they were not run since it was made. Raises `ModelError` for
    a file that is none of ours."""
    path = folder / GATES
    if not path.exists():
        return None
    raw = read_plain(path, limit=_MOST_BYTES, holds="it is a list of checks")
    record = read_typed(raw, GateRecord, str(path), cure=f"; run `hustings model gates {manifest.name}` again")
    return record if record.manifest == hash_of_manifest(folder) else None
