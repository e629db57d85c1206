"""The page about the values is the one that the code makes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hustings.values_page import MEANINGS, page, values

PAGE = Path(__file__).parent.parent / "docs" / "values.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m hustings.values_page > docs/values.md"


def test_every_field_of_every_value_has_a_meaning_and_no_other() -> None:
    fields = {kind.__name__: {field.name for field in msgspec.structs.fields(kind)} for kind in values()}
    assert {name: set(meanings) for name, meanings in MEANINGS.items()} == fields
