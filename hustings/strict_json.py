"""Is this JSON, and may it come in? The guard in front of everything that others wrote.

`json` of the standard library accepts NaN, keys that stand twice, halves of surrogate pairs and numbers without
bounds, and nests until it breaks. Here each of them is a `BadInput` with its reason, found in linear time.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from itertools import islice
from typing import Any, Final, NoReturn

from hustings.errors import BadInput
from hustings.types import MAX_INT

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ENTRIES", "decode_json_strict", "shown"]

MAX_BYTES: Final = 4_000_000
"""One value at the edge: beyond it `too_large`. A post of 1,000,000 four-byte characters just fits."""
MAX_DEPTH: Final = 64
"""Nesting at the edge: beyond it `too_deep`."""
MAX_ENTRIES: Final = 50_000
"""Members of all lists and objects of one value at the edge: beyond it `too_many_fields`. The tokens of the longest
text and title, one per character, still fit."""
MAX_DIGITS: Final = 400
"""Characters of one number with a fraction or exponent; the largest float has 309 digits before the point."""
SHOWN: Final = 60
"""Characters of somebody else's text in a message of ours."""


def decode_json_strict(raw: bytes) -> object:
    """The JSON value in `raw`. Raises `BadInput` when it is too large, not UTF-8, not exactly one JSON value, too deep,
    has too many members, names a key twice, holds a number beyond ±(2^63 - 1) or half of a surrogate pair."""
    if len(raw) > MAX_BYTES:
        raise BadInput("too_large", f"{len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    if raw.startswith(BOM_UTF8):
        raise BadInput("not_json", "a byte order mark stands before the value")
    text = _utf8(raw)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or raw.count(b",") >= MAX_ENTRIES:
        _check_size(text)
    try:
        tree: object = _JSON.decode(text)
    except json.JSONDecodeError as problem:
        raise BadInput("not_json", f"{problem.msg}, at character {problem.pos + 1}") from None
    if _ESCAPED_SURROGATE.search(text):
        _check_surrogates(tree)
    return tree


def shown(text: str) -> str:
    """Somebody else's text in a message: quoted, cut, without anything that could break a line."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        if _RAW_SURROGATE.match(raw, problem.start):
            raise BadInput("lone_surrogate", f"half of a surrogate pair at byte {problem.start + 1}") from None
        raise BadInput("not_json", f"not UTF-8 at byte {problem.start + 1}: {problem.reason}") from None


_RAW_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string; one without end reaches to the end of the text. It never fails after looking far ahead, so that a pass
is linear whatever the text."""
_BRACKET = re.compile(r"[\[\]{}]")


def _check_size(text: str) -> None:
    """Depth and number of members, before anything is built. What is no JSON at all is left to the parser, which gets
    no further than the first mistake."""
    too_many = text.count('"') - text.count('\\"') > 4 * MAX_ENTRIES + 2  # a member has at most a key and a string
    bare = _STRING.sub("", text[:MAX_ENTRIES] if too_many else text)
    depth = 0
    for bracket in islice(_BRACKET.finditer(bare), 2 * MAX_ENTRIES):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise BadInput("too_deep", f"lists and objects are nested deeper than {MAX_DEPTH}")
        if depth < 0:
            return
    if too_many or bare.count(",") + bare.count("[") + bare.count("{") > MAX_ENTRIES:
        raise BadInput("too_many_fields", f"more than {MAX_ENTRIES:,} members of lists and objects")


def _check_surrogates(tree: object) -> None:
    """The parser joins two halves that belong together; a half that is left has no encoding."""
    try:
        json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        half = f"\\u{ord(problem.object[problem.start]):04x}"
        raise BadInput("lone_surrogate", f"half of a surrogate pair: {half}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, member in pairs:
        if key in made:
            raise BadInput("duplicate_key", f"the key {shown(key)} stands twice in one object")
        made[key] = member
    return made


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_INT:
        raise BadInput("out_of_range", f"the integer {shown(digits)} is beyond ±{MAX_INT}")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
    if number in (float("inf"), float("-inf")):
        raise BadInput("out_of_range", f"the number {shown(digits)} is beyond what a float holds")
    return number


def _constant(name: str) -> NoReturn:
    raise BadInput("not_json", f"{name} is no JSON number")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant)
