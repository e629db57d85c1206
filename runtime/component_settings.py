"""Tables that a component checks by its own settings: sources, channels, partners, servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hustings.errors import ConfigError
from runtime.config import Config
from runtime.config_problems import report_of

__all__ = ["checked", "named_files", "resolved", "settings_of"]

PATH_KEYS = frozenset({"path", "folder", "file"})
"""These, and every key that ends in `_file`, name a file."""

S = TypeVar("S", bound=BaseModel)


def settings_of(component: Any) -> type[BaseModel]:
    """The settings that a component declares. Raises `ConfigError` for one that declares none."""
    settings = getattr(component, "Settings", None)
    if isinstance(settings, type) and issubclass(settings, BaseModel):
        return settings
    name = getattr(component, "__qualname__", repr(component))
    raise ConfigError(f"{name} has no pydantic model `Settings`; see docs/adding-a-source.md")


def checked(kind: type[S], table: Mapping[str, Any], *, where: str) -> S:
    """A component's own settings, or a `ConfigError` that shows no value that may be a secret."""
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        lines = report_of(error, where=where, known={"": list(kind.model_fields)})
        raise ConfigError("\n".join(_without_secrets(line) for line in lines)) from None


def resolved(config: Config, given: Any) -> Any:
    """The same table with relative paths resolved: under a key that names a file, at any depth, they mean the folder of
    the configuration file."""
    if isinstance(given, list | tuple):
        return [resolved(config, part) for part in given]
    if not isinstance(given, Mapping):
        return given
    return {
        key: str(config.resolve(Path(value)))
        if isinstance(value, str) and _names_a_file(key)
        else resolved(config, value)
        for key, value in given.items()
    }


def named_files(given: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """(where, key, path) of every file that a table names, at any depth."""
    if isinstance(given, list | tuple):
        for number, part in enumerate(given, start=1):
            named = part.get("id") or part.get("name") if isinstance(part, Mapping) else None
            yield from named_files(part, f"{where} {named or number}")
    elif isinstance(given, Mapping):
        for key, value in given.items():
            if isinstance(value, str) and _names_a_file(key):
                yield where, key, value
            else:
                yield from named_files(value, f"{where}.{key}" if where else key)


def _names_a_file(key: str) -> bool:
    return key in PATH_KEYS or key.endswith("_file")


def _without_secrets(line: str) -> str:
    before, found, _ = line.partition(", found ")
    secret = any(word in before.lower() for word in ("secret", "token", "password", "key"))
    return f"{before} (value not shown)" if found and secret else line
