"""Does this tree fit the value? Unknown keys, newer schemas, times; and msgspec's refusals in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from hustings.errors import BadInput, DeadReason
from hustings.strict_json import shown
from hustings.types import SCHEMA

__all__ = ["YEARS", "Shape", "check_keys", "in_utc", "refusal", "shape_of"]

YEARS: Final = range(1970, 2200)
"""Years of a time at the edge: any window around them is still a time, in UTC and in every store."""


class Shape(NamedTuple):
    """What has to be known about a type to name what is wrong: the keys of an object and the shapes behind them, the
    shape of a list's members under `""`, the values of an enumeration, and whether there is a time within."""

    name: str = ""
    members: Mapping[str, Shape] = {}
    values: tuple[str, ...] = ()
    timed: bool = False

    def at(self, key: str) -> Shape | None:
        return self.members.get(key, self.members.get(""))


@lru_cache
def shape_of(kind: type) -> Shape:
    """The shape of a Struct type."""
    return _shape(inspect.type_info(kind))


def _shape(info: inspect.Type) -> Shape:
    match info:
        case inspect.StructType(cls=cls, fields=fields, tag_field=tag_field):
            members = {field.encode_name: _shape(field.type) for field in fields}
            if tag_field is not None:
                members[tag_field] = Shape()
            return Shape(cls.__name__, members, (), any(inner.timed for inner in members.values()))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            inner = _shape(item)
            return Shape("", {"": inner} if inner.members else {}, (), inner.timed)
        case inspect.UnionType(types=types):
            return next((shape for shape in map(_shape, types) if shape != Shape()), Shape())
        case inspect.LiteralType(values=values):
            return Shape("", {}, tuple(map(str, values)))
        case inspect.DateTimeType():
            return Shape("", {}, (), True)
        case _:
            return Shape()


def check_keys(tree: object, shape: Shape, where: str) -> None:
    """Refuse a newer schema, and a key that the value at `where` has not."""
    if isinstance(tree, list) and "" in shape.members:
        for i, member in enumerate(tree):
            check_keys(member, shape.members[""], f"{where}[{i}]")
    if not isinstance(tree, dict) or not shape.name:
        return
    schema = tree.get("schema")
    if "schema" in shape.members and isinstance(schema, int) and schema > SCHEMA:
        raise BadInput("newer_schema", f"{where}: schema {schema}; this version reads up to {SCHEMA}")
    for key, member in tree.items():
        inner = shape.members.get(key)
        if inner is None:
            known = sorted(shape.members)
            raise BadInput("unknown_key", f"{where}: {shape.name} has no key {shown(key)}; {_nearest(key, known)}")
        if inner.members:
            check_keys(member, inner, f"{where}.{key}")


def refusal(message: str, tree: object, kind: type) -> BadInput:
    """msgspec's words in ours: where, what was found, what is known."""
    said, _, path = message.partition(" - at `")
    where = path.removesuffix("`") or "$"
    found, shape = _look_up(where, tree, shape_of(kind))
    if key := _MISSING.fullmatch(said):
        return BadInput("missing_key", f"{where}: the required key '{key[1]}' is absent")
    if types := _MISMATCH.fullmatch(said):
        return BadInput("wrong_type", f"{where}: expected {types[1]}, found {types[2]}")
    if said.startswith("Invalid enum value") and shape is not None:
        return BadInput(
            "wrong_type", f"{where}: no such value {shown(str(found))}; {_nearest(str(found), shape.values)}"
        )
    if said.endswith("with a timezone component"):
        return BadInput("wrong_type", f"{where}: a time needs its zone, as in 2026-10-01T12:00:00Z")
    if said.startswith("Invalid RFC3339"):
        reason: DeadReason = "out_of_range" if _LIKE_A_TIME.match(str(found)) else "wrong_type"
        return BadInput(reason, f"{where}: no RFC 3339 time: {shown(str(found))}")
    if said.startswith("Expected `str` matching"):
        return BadInput("out_of_range", f"{where}: {shown(str(found))} does not match {said.partition('regex ')[2]}")
    reason = "out_of_range" if said.startswith("Expected") else "wrong_type"
    return BadInput(reason, f"{where}: {said[0].lower() + said[1:]}".replace("`", ""))


_MISSING = re.compile(r"Object missing required field `(\w+)`")
_MISMATCH = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_LIKE_A_TIME = re.compile(r"\d{4,}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def _look_up(where: str, tree: Any, shape: Shape | None) -> tuple[object, Shape | None]:
    """What stands at a path such as `$.media[0].kind`, and what should."""
    for key, index in _STEP.findall(where):
        try:
            tree = tree[key or int(index)]
        except (LookupError, TypeError):
            return None, None
        shape = shape.at(key) if shape is not None else None
    return tree, shape


def in_utc(value: object, where: str) -> object:
    """The value with every time in UTC. A year beyond `YEARS` is refused."""
    if isinstance(value, datetime):
        if value.year not in YEARS:
            raise BadInput("out_of_range", f"{where}: the year {value.year} is not in {YEARS[0]}…{YEARS[-1]}")
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    if isinstance(value, tuple):
        return tuple(in_utc(member, f"{where}[{i}]") for i, member in enumerate(value))
    if isinstance(value, msgspec.Struct):
        times = {key: shape for key, shape in shape_of(type(value)).members.items() if shape.timed}
        former = {key: getattr(value, key) for key in times}
        now = {key: in_utc(member, f"{where}.{key}") for key, member in former.items()}
        return msgspec.structs.replace(value, **now) if any(now[key] is not former[key] for key in times) else value
    return value


def _nearest(found: str, known: Sequence[str]) -> str:
    near = get_close_matches(found[:64], known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
