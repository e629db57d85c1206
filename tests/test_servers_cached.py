"""What tests bring is kept for the next test, also when two bring it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.cached import keep


def test_the_first_who_brings_a_thing_keeps_it_and_the_second_uses_it(tmp_path: Path) -> None:
    for content in ("first", "second"):
        made = tmp_path / content
        made.mkdir()
        (made / "jar").write_text(content)
        keep(made, tmp_path / "kept")
    assert (tmp_path / "kept" / "jar").read_text() == "first"


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        keep(tmp_path / "nothing", tmp_path / "kept")
