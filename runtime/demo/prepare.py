"""Writes the demo's folder: configuration, roster, rules, keys, the generated posts and their truth."""

from __future__ import annotations

import json
import secrets
import shutil
from base64 import b64encode
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from hustings import wire
from hustings.errors import ConfigError
from runtime.demo.generate import Election, Truth
from runtime.init import ready_rules

__all__ = ["prepare", "read_truth"]

MARKER = ".hustings-demo"
"""Marks a folder as the demo's own, which the next demo may throw away."""
LAST_DAY = "2027-03-24"


def prepare(
    folder: Path,
    election: Election,
    *,
    desk_port: int,
    webhook_port: int,
    tables: Mapping[str, Mapping[str, Any]] = {},
) -> Path:
    """Fill `folder` anew and return its configuration, with further `tables` of stores and workers. Raises
    `ConfigError` for a folder that is not the demo's."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise ConfigError(f"{folder}: holds something that no demo made; name another folder with --dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    demo = resources.files("configs").joinpath("demo")
    (folder / "roster.toml").write_text(demo.joinpath("roster.toml").read_text("utf-8"), "utf-8")
    for name, text in ready_rules(expires=LAST_DAY):
        _write(folder / "rules" / name, text)
    _secret(folder / "partner.key", secrets.token_hex(32))
    _secret(folder / "partner.whsec", "whsec_" + b64encode(secrets.token_bytes(32)).decode())
    text = Template(demo.joinpath("hustings.toml").read_text("utf-8")).substitute(
        desk_port=desk_port, webhook_port=webhook_port, database=toml_lines(tables.get("desk", {}))
    )
    text += toml_tables({name: table for name, table in tables.items() if name != "desk"})
    region_of = {o: region for region, outlets in election.truth.outlets_by_region.items() for o in outlets}
    for name, posts in election.posts.items():
        path = folder / "posts" / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        lines = [wire.encode(post) for post in posts]
        if name == "chatter-keyword":
            lines = _interspersed(lines, election.broken_lines)
        path.write_bytes(b"\n".join(lines) + b"\n")
        text += _source_table(name, region_of.get(name, ""))
    (folder / "truth.json").write_bytes(msgspec.json.encode(election.truth))
    config = folder / "hustings.toml"
    _write(config, text)
    return config


def toml_tables(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of numbers, texts and lists of them."""
    return "".join(f"\n[{name}]\n{toml_lines(table)}\n" for name, table in tables.items())


def toml_lines(table: Mapping[str, Any]) -> str:
    """One line a key; of such values JSON is TOML. What is None is left out."""
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None)


def read_truth(folder: Path) -> Truth:
    """What `prepare` wrote beside the posts."""
    return msgspec.json.decode((folder / "truth.json").read_bytes(), type=Truth)


def _interspersed(lines: list[bytes], broken: list[bytes]) -> list[bytes]:
    """Broken lines at equal distances: each alone, as in a real export."""
    step = len(lines) // (len(broken) + 1)
    mixed = list(lines)
    for n, line in enumerate(broken, start=1):
        mixed.insert(n * step + n - 1, line)
    return mixed


def _source_table(name: str, region: str) -> str:
    lines = ["", "[[source]]", f'name = "{name}"', 'kind = "files"', 'clock = "as-collected"']
    lines += [f'path = "posts/{name}.jsonl"'] + ([f'region = "{region}"'] if region else [])
    return "\n".join(lines) + "\n"


def _secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text + "\n", "utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
