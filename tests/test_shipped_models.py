"""Every gate on every model that is shipped: what fails stands in `floors.toml`, and is as bad as it says there."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from classifiers.gates.floors import SHORTEST_REASON, outlived, read_floors
from classifiers.gates.judge import judge
from classifiers.manifest import read_manifest
from classifiers.pipeline import shipped_models
from classifiers.signing import shipped_signers
from classifiers.store import serving
from runtime.build import codebook

SHIPPED = serving(shipped_models())
JUDGED = [name for name, folder in sorted(SHIPPED.items()) if read_manifest(folder).kind != "embedder"]
FLOORS = Path(str(files("classifiers").joinpath("gates", "floors.toml")))


@pytest.mark.parametrize("name", JUDGED)
def test_a_shipped_model_passes_every_gate_but_for_what_is_written_down(name: str) -> None:
    folder, floors = SHIPPED[name], read_floors(FLOORS)
    record = judge(
        read_manifest(folder),
        folder,
        serving=SHIPPED,
        floors=floors,
        codebook=codebook(),
        signers=shipped_signers(),
        at=datetime.now(UTC).isoformat(),
    )
    assert [f"{check.gate}: {check.subject} {check.value}" for check in record.failed] == []
    assert outlived(record, floors) == []


def test_every_exception_is_of_a_model_that_is_shipped_and_says_why() -> None:
    exceptions = read_floors(FLOORS).exception
    assert {one.model for one in exceptions} <= set(SHIPPED)
    assert [one.subject for one in exceptions if len(one.reason) < SHORTEST_REASON or not one.at] == []
