"""Components by name: built-ins stand in plain tables of strings, third parties register entry points.

Nothing is imported until a name is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from hustings.errors import ConfigError

__all__ = ["names", "resolve"]


def resolve(kind: str, table: Mapping[str, str], *, group: str) -> Any:
    """The class registered as `kind`: from `table` (`"package.module:Class"`), else from the entry points of `group`
    (`hustings.sources`). Raises `ConfigError` that names the known kinds, or says why somebody else's does not load."""
    target = table.get(kind)
    if target is None:
        for entry in entry_points(group=group, name=kind):
            try:
                return entry.load()
            except Exception as error:  # somebody else's code: whatever it raises
                raise ConfigError(
                    f"{group}: {kind!r} is registered as {entry.value!r}, which does not load: "
                    f"{type(error).__name__}: {error}"
                ) from error
        known = names(table, group=group)
        near = get_close_matches(kind, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{group}: no such kind {kind!r}; known are {', '.join(known)}.{hint}")
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def names(table: Mapping[str, str], *, group: str) -> list[str]:
    """Every kind known under `group`, built in or registered."""
    return sorted({*table, *(entry.name for entry in entry_points(group=group))})
