"""What every test file may use: the Hypothesis profiles, the `golden` fixture, and a desk with posts to look at."""

from __future__ import annotations

import difflib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from index.elastic import ElasticSettings
    from tests.desk_world import World
    from tests.servers.elastic_node import ElasticNode
    from tests.servers.three_servers import ThreeServers

from tests.servers.postgres_server import PostgresMissing, PostgresServer, binaries

GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with posts and alerts to look at; a file's tests each have a copy."""
    from tests.desk_world import filled_desk

    return filled_desk(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def world(filled: Path, tmp_path: Path) -> Iterator[World]:
    """A copy of `filled`, open."""
    from tests.desk_world import copied_desk

    with copied_desk(filled, tmp_path / "desk") as made:
        yield made


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


ON_BOTH_ENGINES = ("test_desk_", "test_story_ledger")
"""Tests in files of these names that use `desk_url` run on SQLite and, marked `servers`, on a real PostgreSQL."""

ON_SERVER = (pytest.mark.servers, pytest.mark.xdist_group("postgres"))

_numbers = itertools.count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two engines for the tests of the desk's database; one, SQLite, for all that merely need a desk."""
    if "desk_url" in metafunc.fixturenames and metafunc.definition.path.name.startswith(ON_BOTH_ENGINES):
        metafunc.parametrize("desk_url", ["sqlite", pytest.param("postgresql", marks=ON_SERVER)], indirect=True)


@pytest.fixture
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty desk database of this test's own."""
    if getattr(request, "param", "sqlite") == "postgresql":
        yield from request.getfixturevalue("desk_databases")()
    else:
        blank: Path = request.getfixturevalue("_blank_desk")
        yield f"sqlite:///{shutil.copy(blank, tmp_path / 'desk.db')}"


@pytest.fixture
def engine(desk_url: str) -> Iterator[Engine]:
    """An empty desk database, open."""
    from desk.database.connect import open_database

    engine = open_database(desk_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _blank_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty desk database: copying it is twenty times quicker than migrating again."""
    from desk.database.connect import open_database

    path = tmp_path_factory.mktemp("blank") / "desk.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL; where none can be had the test says so and is left out, and under CI it fails."""
    try:
        found = binaries()
    except PostgresMissing as missing:
        reason = f"the desk on PostgreSQL is not tested: {missing}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with PostgresServer(found) as server:
        yield server


@pytest.fixture(scope="session")
def desk_databases(postgres: PostgresServer) -> Callable[[], Iterator[str]]:
    """Makes URLs of empty desk databases, as copies of a migrated one; each is thrown away behind its test."""
    from desk.database.connect import open_database

    open_database(postgres.create("blank")).dispose()

    def one() -> Iterator[str]:
        name = f"desk-{next(_numbers)}"
        yield postgres.create(name, template="blank")
        postgres.drop(name)

    return one


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The staged datasets beside the checkout, for tests marked `shared`; without them the test says so and skips."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the staged data (shared/data beside the checkout) are missing: real input is not tested")
    return path


@pytest.fixture(scope="session")
def elastic_node() -> Iterator[ElasticNode]:
    """One Elasticsearch for all tests on it; a test that kills it starts it again."""
    from tests.servers.elastic_world import running_node

    with running_node() as node:
        yield node


@pytest.fixture
def elastic_settings(elastic_node: ElasticNode) -> Iterator[ElasticSettings]:
    """Empty indices of this test's own."""
    from index.elastic import create
    from tests.servers.elastic_world import settings_for, wiped

    with wiped(elastic_node, settings_for(elastic_node.server)) as settings:
        create(settings)
        yield settings


@pytest.fixture(scope="module")
def three_servers() -> Iterator[ThreeServers]:
    """Three brokers, a node of Elasticsearch, a PostgreSQL."""
    from tests.servers.missing import leave_out
    from tests.servers.three_servers import ServerMissing, ThreeServers

    with ExitStack() as closing:
        try:
            servers = closing.enter_context(ThreeServers())
        except ServerMissing as missing:
            leave_out("what needs all three servers", missing)
        yield servers
