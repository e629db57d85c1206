"""The package `classifiers` with a sample of its seed sentences, so that what learns from them does so in seconds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import classifiers

__all__ = ["package_with_few_seeds"]

ONE_IN = 10
OTHER_POSTS = "abuse"
"""The folder of posts that linear heads learn from, as they are."""
ABOUT = "about"
"""Words that every code must find, and no sentences: they stay whole."""


def package_with_few_seeds(folder: Path) -> Path:
    """`folder`, from which Python imports `classifiers` before all others: links to all that it holds, and one seed
    sentence in `ONE_IN`."""
    whole = Path(classifiers.__file__).parent
    package = folder / "classifiers"
    package.mkdir(parents=True)
    for entry in whole.iterdir():
        if entry.name == "seeds":
            _sample(entry, package / "seeds")
        elif entry.name != "__pycache__":
            (package / entry.name).symlink_to(entry)
    return folder


def _sample(whole: Path, seeds: Path) -> None:
    for path in whole.rglob("*.toml"):
        target = seeds / path.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == OTHER_POSTS:
            target.symlink_to(path)
        else:
            target.write_text("\n".join(_written(tomllib.loads(path.read_text("utf-8")))), "utf-8")


def _written(tree: dict[str, Any]) -> list[str]:
    """As TOML, whose strings and lists of strings are those of JSON."""
    lines = [f"{key} = {_json(_few(value))}" for key, value in tree.items() if not isinstance(value, dict)]
    for name, table in tree.items():
        if isinstance(table, dict):
            lines += ["", f"[{_json(name)}]"]
            lines += [
                f"{_json(key)} = {_json(value if name == ABOUT else _few(value))}" for key, value in table.items()
            ]
    return lines


def _few(value: Any) -> Any:
    return value[::ONE_IN] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
