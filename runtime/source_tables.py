"""Every `[[source]]` of the configuration, checked by the source that it configures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pydantic import BaseModel

from hustings.errors import ConfigError
from hustings.registry import resolve
from runtime.component_settings import checked, resolved, settings_of
from runtime.config import Config
from runtime.config_problems import Problems

if TYPE_CHECKING:
    from ingest.polling import ClockKind

__all__ = ["COMMON_KEYS", "SourceTable", "source_tables"]

COMMON_KEYS = {
    "name": ("text", "required", "what this source is called; each has a name of its own"),
    "kind": ("text", "required", "one of the kinds below, or one that a package registered under hustings.sources"),
    "clock": (
        "`live`, `as-collected`, `as-posted`",
        '`"live"`',
        "the last two are for archives, which a replay reads by when posts were collected or published",
    ),
    "region": ("text", '`""`', "sources of one region that all fall silent at once are told as such"),
}
"""Keys that go with any kind: type, default, meaning."""


class SourceTable(NamedTuple):
    """One checked `[[source]]`."""

    name: str
    kind: str
    clock: ClockKind
    region: str
    component: type[Any]
    settings: BaseModel


def source_tables(config: Config) -> list[SourceTable]:
    """Every `[[source]]`, checked; raises one report for all of them. `clock` and `region` go with any kind."""
    problems = Problems()
    tables: list[SourceTable] = []
    names: set[str] = set()
    for number, given in enumerate(config.sources, start=1):
        name = str(given.get("name", ""))
        where = f"{config.path}: source {name or number}"
        if name in names:
            problems.add(where, "this name is used twice")
        names.add(name)
        with problems.under(where):
            tables.append(_source_table(config, given, where=where))
    problems.raise_any()
    return tables


def _source_table(config: Config, given: Mapping[str, Any], *, where: str) -> SourceTable:
    from ingest import SOURCES

    table = dict(given)
    name, kind = str(table.pop("name", "")), str(table.pop("kind", ""))
    clock, region = str(table.pop("clock", "live")), str(table.pop("region", ""))
    if not name or not kind:
        raise ConfigError("needs both `name` and `kind`")
    if clock not in {"live", "as-collected", "as-posted"}:
        raise ConfigError(f"clock: found {clock!r}; known are live, as-collected, as-posted")
    if (clock != "live") is not config.is_replay:
        raise ConfigError(
            f"clock: {clock!r} does not go with deployment.clock = {config.deployment.clock!r}: "
            "a deployment is either live or a replay"
        )
    component = resolve(kind, SOURCES, group="hustings.sources")
    settings = checked(settings_of(component), resolved(config, table), where=where)
    return SourceTable(name, kind, cast("ClockKind", clock), region, component, settings)
