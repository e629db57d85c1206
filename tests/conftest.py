"""What every test file may use: the Hypothesis profiles and the `golden` fixture."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """`golden(name, text)` fails unless tests/golden/NAME holds exactly `text`; `UPDATE_GOLDEN=1` writes it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        if not path.exists():
            pytest.fail(f"tests/golden/{name} does not exist; run with UPDATE_GOLDEN=1 and read what it wrote")
        expected = path.read_bytes().decode()
        if text != expected:
            lines = difflib.unified_diff(
                expected.splitlines(), text.splitlines(), f"golden/{name}", "found now", lineterm=""
            )
            pytest.fail("\n".join(lines) or f"golden/{name}: line ends differ")

    return compare


@pytest.fixture(scope="session")
def _blank_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty desk database: copying it is twenty times quicker than migrating again."""
    from desk.database.connect import open_database

    path = tmp_path_factory.mktemp("blank") / "desk.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def desk_url(_blank_desk: Path, tmp_path: Path) -> str:
    """The URL of an empty desk database of this test's own."""
    return f"sqlite:///{shutil.copy(_blank_desk, tmp_path / 'desk.db')}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The staged datasets beside the checkout, for tests marked `shared`; without them the test says so and skips."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the staged data (shared/data beside the checkout) are missing: real input is not tested")
    return path
