"""Secrets stand in files of their own, never in the configuration."""

from __future__ import annotations

from pathlib import Path

from hustings.errors import ConfigError

__all__ = ["secret_in"]


def secret_in(path: Path, *, where: str) -> str:
    """What the file holds, without the space around it. Raises `ConfigError` when it is empty or cannot be read."""
    try:
        secret = path.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: {path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{where}: {path}: cannot be read: {error.strerror}") from error
    if not secret:
        raise ConfigError(f"{where}: {path}: is empty")
    return secret
