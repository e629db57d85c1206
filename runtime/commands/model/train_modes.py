"""Which options of `hustings model train` go together: one that would be ignored is refused instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hustings.errors import ConfigError

__all__ = ["ENCODER", "OWN_ENCODER", "REVIEWED", "SHIPPED", "Mode", "check_options"]


class Mode(NamedTuple):
    """A way of training, as people ask for it, and the options that say something there."""

    said: str
    options: frozenset[str]


ALWAYS = frozenset({"names", "by", "key", "as_json"})
_INTO_A_FOLDER = frozenset({"data", "out", "model_version", "at", "seed"})

SHIPPED = Mode("shipped models", _INTO_A_FOLDER | {"jobs"})
REVIEWED = Mode("--corpus or --from-desk", frozenset({"corpus", "from_desk", "config", "split", "precision"}))
ENCODER = Mode("--kind encoder", _INTO_A_FOLDER | {"kind", "base", "network", "teachers", "soup"})
OWN_ENCODER = Mode(
    "--kind encoder --beside",
    frozenset(
        {"kind", "beside", "corpus", "from_desk", "config", "base", "network", "precision", "epochs", "rate", "seed"}
    ),
)
MODES = (SHIPPED, REVIEWED, ENCODER, OWN_ENCODER)


def check_options(mode: Mode, given: Iterable[str]) -> None:
    """Raises `ConfigError` with each option that says nothing in this mode, and where it does."""
    wrong = [
        f"{_flag(name)} does not go with {mode.said}; it goes with "
        + ", or ".join(one.said for one in MODES if name in one.options)
        for name in given
        if name not in mode.options | ALWAYS
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
