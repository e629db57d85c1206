"""`DeskMemory` keeps the contract of `Memory`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desk.database.connect import open_database
from desk.memory import DeskMemory
from hustings.contracts import Memory
from hustings.testing.check_memory import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_desk_memory_keeps_the_contract(check: Callable[[Memory], None], tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/desk.db")
    check(DeskMemory(engine))
    engine.dispose()
