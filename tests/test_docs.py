"""The documents: every file that they point to exists, and no line names this machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "bench").glob("*.md")])
PATH = re.compile(r"`((?:hustings|ingest|classifiers|index|alerts|configs|desk|runtime|tests|bench|docs)/[\w./-]*)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_points_to_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    assert missing == []


def test_no_committed_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    command = ["git", "grep", "-lE", r"(/work/|/home/|/root/)(main|shared|\.pyenv|\.library)", "--", "."]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [path for path in found if path != "tests/test_docs.py"] == []
