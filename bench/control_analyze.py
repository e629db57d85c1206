"""The drill's negative control: an analyze loop that commits its position before it writes, as one must not.

python -m bench.control_analyze CONFIG.toml PARENT_PID [WORKER]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hustings.contracts import Entry
from runtime.loops.analyze import Analyzer
from runtime.start import analyze


class CommitsFirst(Analyzer):
    """Starts where it committed, commits what it has only read, and writes afterwards."""

    def start(self) -> None:
        self._positions = dict(self._reader.committed())
        self._reading.restart(self._positions)

    def _handle_batch(self, entries: Sequence[Entry], positions: Mapping[int, int]) -> int:
        self._reader.commit(positions)
        return super()._handle_batch(entries, positions)


if __name__ == "__main__":
    analyze(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:], kind=CommitsFirst)
