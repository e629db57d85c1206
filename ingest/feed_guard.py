"""What an XML feed may not be: a bomb. Looked at before any parser sees it, in time linear in its size.

Entity declarations are refused, harmless document types are not: RSS 0.91 in the wild has them. Depth is counted as
browsers do it: a closing tag closes whatever was left open inside.
"""

from __future__ import annotations

import re

from hustings.errors import BadInput

__all__ = ["MAX_DEPTH", "check_xml"]

MAX_DEPTH = 64
"""Nesting beyond which a feed is refused. Real feeds with XHTML inside reach about 20."""
_NAME = re.compile(rb"</?([^\s<>/!?]+)")
_BRACKET = re.compile(rb"[<>]")
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


def check_xml(data: bytes) -> None:
    """Raise `BadInput` when `data` (in UTF-8) declares entities or nests deeper than `MAX_DEPTH`."""
    data = data.replace(b"\0", b"")  # what is left of UTF-16 that nobody declared
    if re.search(rb"<!\s*ENTITY", data, re.IGNORECASE):
        raise BadInput("undecodable", "the feed declares entities, which are refused")
    missing: set[bytes] = set()
    open_names: list[bytes] = []
    position = 0
    while (position := data.find(b"<", position)) >= 0:
        skipped = _after_section(data, position, missing)
        if skipped:
            position = skipped
            continue
        name = _NAME.match(data, position)
        if name is None:
            position += 1
            continue
        bracket = _BRACKET.search(data, name.end())
        end = bracket.start() if bracket else len(data)
        if data[position + 1 : position + 2] == b"/":
            if name[1] in open_names:
                while open_names.pop() != name[1]:
                    pass
        elif data[end - 1 : end] != b"/":
            open_names.append(name[1])
            if len(open_names) > MAX_DEPTH:
                raise BadInput("too_deep", f"the feed nests elements deeper than {MAX_DEPTH}")
        position = end


def _after_section(data: bytes, position: int, missing: set[bytes]) -> int:
    """The position after a comment, CDATA section or instruction that begins here; 0 when none does, or when it has
    no end (remembered in `missing`, so that the end is not looked for again)."""
    if data[position + 1 : position + 2] not in (b"!", b"?"):
        return 0
    for start, end in _ENDS.items():
        if data.startswith(start, position) and end not in missing:
            found = data.find(end, position + len(start))
            if found >= 0:
                return found + len(end)
            missing.add(end)
    return 0
