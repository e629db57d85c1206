"""The libraries of the `torch` extra, or a sentence that says how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hustings.errors import ConfigError

__all__ = ["check_extra", "need"]

_MODULES = ("torch", "onnx", "onnxscript")


def check_extra() -> None:
    """Raises `ConfigError` when the extra is not installed, before anything else takes time."""
    for module in _MODULES:
        need(module)


def need(module: str) -> Any:
    """The module. Raises `ConfigError` when it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"training an encoder needs {module.partition('.')[0]!r}, which is not installed ({error}); "
            "in the checkout: uv sync --frozen --inexact --extra torch (.venv/bin/uv where the set-up brought it)"
        ) from error
