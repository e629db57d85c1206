"""docs/configuration.md: generated from the settings, complete, and up to date."""

from __future__ import annotations

from pathlib import Path

from runtime.config import known_keys, load_config
from runtime.config_page import PERSON_KEYS, page
from runtime.roster_file import PERSON_KEYS as READ_OF_PEOPLE
from runtime.source_tables import COMMON_KEYS, source_tables

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"


def test_the_committed_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m runtime.config_page > docs/configuration.md"


def test_every_table_and_every_key_of_the_file_is_on_the_page() -> None:
    text, tables = page(), known_keys()
    for name in tables.pop(""):
        assert f"| `{name}` |" in text or f"## `[{name}]`" in text or f"## `[[{name}]]`" in text, name
    for table, keys in tables.items():
        of_table = text.partition(f"[{table}]")[2].partition("\n## ")[0]
        assert [key for key in keys if f"| `{key}` |" not in of_table] == [], table


def test_the_keys_of_a_person_are_those_that_a_roster_is_read_with() -> None:
    assert tuple(PERSON_KEYS) == READ_OF_PEOPLE


def test_the_keys_that_go_with_any_kind_of_source_are_taken_with_any_kind(tmp_path: Path) -> None:
    given = {"name": "tips", "kind": "tips", "clock": "live", "region": "North"}
    config = tmp_path / "my.toml"
    lines = "".join(f'{key} = "{given[key]}"\n' for key in COMMON_KEYS)
    config.write_text(f'[deployment]\nname = "x"\n[[source]]\n{lines}')
    (table,) = source_tables(load_config(config))
    assert {"name": table.name, "kind": table.kind, "clock": table.clock, "region": table.region} == given
