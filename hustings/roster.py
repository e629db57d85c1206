"""The roster: the public people whom a deployment watches over, and the phases of their election.

Both are values; `runtime.config` loads them from TOML. Gender and party come from public registers only and are
never inferred.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

__all__ = ["Person", "Phase", "Roster", "phase_at"]


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One listed person. `names` are full spellings in any script, `aliases` nicknames and short forms; an alias in
    `ambiguous` links only with one of `context` nearby. `handles` are `platform:handle`. `attributes` are free
    (`party`, `gender`, `office`, …) and are what `target.<attribute>` queries read."""

    id: str
    name: str
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    attributes: dict[str, str] = {}


class Roster(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All listed people."""

    version: str = ""
    people: tuple[Person, ...] = ()

    def attribute_names(self) -> frozenset[str]:
        return frozenset(name for person in self.people for name in person.attributes)

    def ids(self) -> frozenset[str]:
        return frozenset(person.id for person in self.people)

    def ids_with(self, attribute: str, value: str) -> frozenset[str]:
        """Ids of the people whose `attribute` equals `value`, letter case aside."""
        wanted = value.casefold()
        return frozenset(p.id for p in self.people if p.attributes.get(attribute, "").casefold() == wanted)

    def by_handle(self, source: str, handle: str) -> str | None:
        """The roster id that owns `handle` on `source`, if any."""
        wanted = f"{source}:{handle.lstrip('@')}".casefold()
        return next((p.id for p in self.people if any(h.casefold() == wanted for h in p.handles)), None)


class Phase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the electoral calendar: `code` from the codebook (`P-CAMP`), start included, end not."""

    code: str
    start: datetime
    end: datetime


def phase_at(phases: Iterable[Phase], when: datetime) -> str:
    """The code of the first phase that holds `when`, else the empty string."""
    return next((phase.code for phase in phases if phase.start <= when < phase.end), "")
