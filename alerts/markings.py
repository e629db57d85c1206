"""Orders that decide who may be told: TLP 2.0 markings and severities."""

from __future__ import annotations

from typing import Literal, get_args

from hustings.errors import ConfigError

__all__ = ["SEVERITIES", "TLP", "Severity", "Tlp", "parse_tlp", "severity_at_least", "tlp_within"]

Tlp = Literal["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
"""Traffic Light Protocol 2.0 (FIRST, 2022)."""
TLP: tuple[Tlp, ...] = get_args(Tlp)
"""From the widest audience to the narrowest."""

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the most urgent."""


def parse_tlp(label: str) -> Tlp:
    """The marking that `label` means: letter case and a `TLP:` in front do not matter, WHITE (TLP 1.0) is CLEAR.

    Raises `ConfigError` for anything else: a marking that nobody understands must not travel."""
    name = label.strip().upper().removeprefix("TLP:").strip()
    if name == "WHITE":
        return "CLEAR"
    for known in TLP:
        if name == known:
            return known
    raise ConfigError(f"no such marking {label!r}; TLP 2.0 has {', '.join(TLP)}")


def tlp_within(marking: str, ceiling: Tlp) -> bool:
    """Whether somebody cleared up to `ceiling` may see something marked so; an unknown marking is above every one."""
    try:
        return TLP.index(parse_tlp(marking)) <= TLP.index(ceiling)
    except ConfigError:
        return False


def severity_at_least(severity: str, minimum: Severity) -> bool:
    """Whether `severity` reaches `minimum`; an unknown one does, because nobody has said that it is harmless."""
    if severity not in SEVERITIES:
        return True
    return SEVERITIES.index(severity) >= SEVERITIES.index(minimum)
