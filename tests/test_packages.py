"""The packages: what is on disk is what is shipped, and imports point one way only."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def test_exactly_the_packages_on_disk_are_shipped_layered_and_typed() -> None:
    not_shipped = {"tests", "bench", "docs", "deploy", "scripts"}
    on_disk = {p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file()} - not_shipped
    assert on_disk == set(PACKAGES)
    assert PROJECT["tool"]["importlinter"]["root_packages"] == PACKAGES
    assert set(PROJECT["tool"]["mypy"]["packages"]) == set(PACKAGES)


def test_every_package_is_marked_as_typed() -> None:
    assert [p for p in PACKAGES if not (ROOT / p / "py.typed").is_file()] == []


def test_no_test_folder_shadows_a_package() -> None:
    assert {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()}.isdisjoint(PACKAGES)


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(config)]
    return subprocess.run(command, cwd=config.parent, capture_output=True, text=True, timeout=120, check=False)


def test_imports_point_down_only() -> None:
    result = lint_imports(ROOT / "pyproject.toml")
    assert result.returncode == 0, result.stdout


def test_a_planted_import_between_siblings_is_found(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "alerts" / "planted.py").write_text("import ingest\n")
    text = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text[text.index("[tool.importlinter]") :])
    begin = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
    code = f"{begin}; from importlinter.cli import lint_imports_command as main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", "pyproject.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode != 0
    assert "alerts is not allowed to import ingest" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = (
        "pydantic",
        "numpy",
        "sqlalchemy",
        "fastapi",
        "sklearn",
        "spacy",
        "transformers",
        "httpx",
        "msgspec",
        "scipy",
    )
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom runtime.cli import app\n"
        "result = CliRunner().invoke(app, ['--help'])\nassert result.exit_code == 0, result.output\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr
