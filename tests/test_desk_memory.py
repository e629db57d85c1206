"""`DeskMemory`, and what stands in for it in tests, keep the contract of `Memory`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desk.database.connect import open_database
from desk.memory import DeskMemory
from hustings.contracts import Memory
from hustings.testing.check_memory import CHECKS
from hustings.testing.memory import DictMemory


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_desk_memory_keeps_the_contract(check: Callable[[Memory], None], desk_url: str) -> None:
    engine = open_database(desk_url)
    check(DeskMemory(engine))
    engine.dispose()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_memory_of_the_tests_keeps_it_too(check: Callable[[Memory], None]) -> None:
    check(DictMemory())
