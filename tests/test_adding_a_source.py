"""Follows docs/adding-a-source.md to the letter: its code is taken out, registered, and held to the contract."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hustings.clock import VirtualClock
from hustings.contracts import SourceContext
from hustings.errors import ConfigError
from hustings.registry import resolve
from hustings.testing.check_source import check_source
from hustings.testing.local_http import LocalHttp, Reply
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from ingest import SOURCES
from runtime.config import load_config
from runtime.source_tables import source_tables

PAGE = Path(__file__).parents[1] / "docs" / "adding-a-source.md"
NOTICES = b"""1|2027-03-01T08:00:00Z|Polling stations open at seven.
nonsense
2|2027-03-01T09:30:00+01:00|Bring your card | or passport.
3|2027-03-01T10:00:00Z|Counting is public.
"""


def code() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return block


@pytest.fixture
def bulletin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bulletin.py").write_text(code(), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield resolve("bulletin", {**SOURCES, "bulletin": "bulletin:BulletinSource"}, group="hustings.sources")
    sys.modules.pop("bulletin", None)


def test_the_source_of_the_page_holds_the_contract(bulletin) -> None:
    with LocalHttp(lambda request: Reply(body=NOTICES)) as server:
        settings = bulletin.Settings(url=f"{server.origin}/bulletin.txt")
        check_source(lambda context: bulletin("office", settings, context))


def test_the_source_of_the_page_reads_notices_and_keeps_what_is_none(bulletin) -> None:
    context = SourceContext(LoopbackEgress(), DictMemory(), VirtualClock(datetime(2027, 3, 1, tzinfo=UTC)))
    with LocalHttp(lambda request: Reply(body=NOTICES)) as server:
        office = bulletin("office", bulletin.Settings(url=server.origin), context)
        result = office.collect(b"", now=context.clock.now(), limit=10)
    assert [item.post.text for item in result.items] == [
        "Polling stations open at seven.",
        "Bring your card | or passport.",
        "Counting is public.",
    ]
    assert [(letter.original, letter.origin) for letter in result.dead] == [(b"nonsense", "office: line 2")]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("bulletin:Buletin", "'bulletin:Buletin', which does not load: AttributeError"),
        ("buletin:BulletinSource", "which does not load: ModuleNotFoundError"),
        ("bulletin:BulletinSettings", "BulletinSettings has no pydantic model `Settings`"),
    ],
)
def test_a_source_that_is_registered_wrongly_is_a_problem_of_the_configuration(
    bulletin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    entry = EntryPoint("office", named, "hustings.sources")
    monkeypatch.setattr("hustings.registry.entry_points", lambda **_: [entry])
    path = tmp_path / "hustings.toml"
    path.write_text('[deployment]\nname = "T"\n[[source]]\nname = "o"\nkind = "office"\nurl = "https://o.example"\n')
    with pytest.raises(ConfigError, match=said):
        source_tables(load_config(path))


def test_the_page_has_ten_lines_and_its_code_imports_only_the_vocabulary() -> None:
    assert re.findall(r"^(\d+)\. ", PAGE.read_text("utf-8"), re.MULTILINE) == [str(n) for n in range(1, 11)]
    modules = {node.module for node in ast.walk(ast.parse(code())) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules if module} == {"datetime", "pydantic", "hustings"}


def test_every_built_in_source_is_there_under_its_name() -> None:
    for kind in SOURCES:
        found = resolve(kind, SOURCES, group="hustings.sources")
        for field in found.Settings.model_fields.values():
            assert field.description


def test_every_built_in_source_has_an_example_that_is_valid() -> None:
    tables = tomllib.loads((PAGE.parents[1] / "configs" / "examples" / "sources.toml").read_text("utf-8"))["source"]
    for table in tables:
        assert table.pop("name")
        resolve(table.pop("kind"), SOURCES, group="hustings.sources").Settings.model_validate(table)
    text = (PAGE.parents[1] / "configs" / "examples" / "sources.toml").read_text("utf-8")
    assert {kind for kind in SOURCES if f'kind = "{kind}"' in text} == set(SOURCES)
