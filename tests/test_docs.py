"""The documents: every file that they point to exists, what they say of models is so, no line names this machine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "bench").glob("*.md")])
PATH = re.compile(r"`((?:hustings|ingest|classifiers|index|alerts|configs|desk|runtime|tests|bench|docs)/[\w./-]*)`")


MODELS = ROOT / "classifiers" / "models"
TENTHS = {0.7: "seven tenths", 0.8: "eight tenths", 0.9: "nine tenths"}
LANGUAGES = {"English": "en", "Spanish": "es", "French": "fr", "Arabic": "ar", "Portuguese": "pt", "Hindi": "hi"}


def manifest(name: str) -> dict[str, Any]:
    return json.loads((MODELS / name / "manifest.json").read_bytes())  # type: ignore[no-any-return]  # checked elsewhere


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


def test_no_command_in_documents_or_help_names_a_version_of_a_shipped_model_by_a_number() -> None:
    """What training makes has the next number, which changes with every release: a copied one fails."""
    shipped = "|".join(sorted((path.name for path in MODELS.iterdir() if path.is_dir()), key=len, reverse=True))
    numbered = re.compile(rf"hustings model [^\n`]*\b(?:{shipped})(?:@\d|[^\n`]*--(?:model-)?version \d)")
    texts = [*DOCUMENTS, *(ROOT / "runtime" / "commands" / "model").glob("*.py")]
    folded = {path.name: re.sub(r"\\\n +", "", path.read_text("utf-8")) for path in texts}
    assert [(name, found) for name, text in folded.items() for found in numbered.findall(text)] == []


def test_the_table_of_what_is_worth_checking_holds_the_numbers_of_the_manifests() -> None:
    said = re.findall(r"^\| (\w+) \| (\S+ \[.+\]) \| (\S+) \| ([\d,]+) \| (\S+) \|$",
                      (ROOT / "docs" / "claims.md").read_text("utf-8"), re.MULTILINE)  # fmt: skip
    assert {language for language, *_ in said} == set(LANGUAGES)
    for language, ranked, ece, sentences, recall in said:
        head = manifest(f"CW-{LANGUAGES[language]}")
        pr_auc, error = (next(one for one in head["metrics"] if one["name"] == name) for name in ("pr_auc", "ece"))
        low, high = share(pr_auc["low"]), share(pr_auc["high"])
        measured = (f"{share(pr_auc['value'])} [{low}, {high}]", share(error["value"]), f"{pr_auc['n']:,}")
        assert (ranked, ece, sentences) == measured, language
        assert recall == share(head["threshold"]["recall"], 2), language


def share(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def test_the_page_on_narratives_says_how_much_of_the_say_what_a_post_means_has() -> None:
    (served,) = {manifest(path.name)["settings"]["sense_share"] for path in MODELS.glob("N-*")}
    assert f"**What the post means has {TENTHS[served]} of the say.**" in (ROOT / "docs" / "narratives.md").read_text(
        "utf-8"
    )


def test_nobody_is_told_to_install_a_package_that_is_not_released() -> None:
    command = ["git", "grep", "-lF", "hustings[torch]", "--", "."]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [path for path in found if path != "tests/test_docs.py"] == []


def test_the_readme_says_how_the_command_comes_on_the_path() -> None:
    before, _, after = (ROOT / "README.md").read_text("utf-8").partition("\nhustings init")
    assert "source .venv/bin/activate" in before
    assert after
