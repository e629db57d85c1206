"""The codebook: what may be said of a post, in codes that are stable and never reused.

The shipped one is `configs/codebook.toml`. A deployment may add codes of its own, each a child of a shipped code, so
that every label can be read by everybody at the level that is shared.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from msgspec import Struct, structs

from hustings.errors import ConfigError

__all__ = ["CHECK_WORTHY", "Code", "Codebook", "load_codebook", "matches"]

CHECK_WORTHY: Final = "CW"
"""Whether a post states something worth checking. Heads with this code only rank: they give a score, never a flag."""


class Code(Struct, frozen=True, kw_only=True):
    """One thing that may be said. `parent` is the code that it refines, empty for the head of a list.

    `negative` records that nothing of its list applies, which is a judgement and not a blank. `protected` is speech
    that must not be flagged as harm. `human_only` is never written by a model. `introduced` and `deprecated` are
    versions of the codebook; a deprecated code stays readable, and `replaced_by` says how to read it now.
    """

    code: str
    title: str
    definition: str
    parent: str = ""
    negative: bool = False
    protected: bool = False
    human_only: bool = False
    introduced: str = "1"
    deprecated: str = ""
    replaced_by: str = ""


class Codebook(Struct, frozen=True, kw_only=True):
    """All codes by name, in the order of the file, and readable aliases for one or more of them."""

    version: str
    codes: dict[str, Code]
    aliases: dict[str, tuple[str, ...]]

    def expand(self, name: str) -> tuple[str, ...] | None:
        """The codes that a code or alias stands for; None when it is neither."""
        return (name,) if name in self.codes else self.aliases.get(name)

    def is_known(self, code: str) -> bool:
        """Whether labels may carry this code; an alias is no code."""
        return code in self.codes

    def title(self, code: str) -> str:
        """How people read a code; one that this version does not know reads as itself."""
        found = self.codes.get(code)
        return code if found is None else found.title

    def children(self, code: str) -> tuple[str, ...]:
        """The codes that refine `code` by one step."""
        return tuple(child.code for child in self.codes.values() if child.parent == code)

    def current(self, code: str) -> str:
        """How an old label reads in this version: the code itself unless it was replaced."""
        while (found := self.codes.get(code)) is not None and found.replaced_by:
            code = found.replaced_by
        return code

    def nearest(self, name: str) -> str | None:
        """The code or alias that looks most like `name`, if any does."""
        folded = {known.casefold(): known for known in (*self.codes, *self.aliases)}
        near = get_close_matches(name[:LONGEST_CODE].casefold(), folded, n=1)
        return folded[near[0]] if near else None


LONGEST_CODE: Final = 40
"""Characters of a code or alias."""


def matches(code: str, wanted: str) -> bool:
    """Whether a label `code` answers to `wanted`: the same, or a refinement of it (`G-THR-KILL` of `G-THR`)."""
    return code == wanted or code.startswith(wanted + "-")


def load_codebook(raw: bytes, *, local: bytes = b"") -> Codebook:
    """Read a codebook, and the codes that a deployment adds to it. Raises `ConfigError` with all problems at once."""
    problems: list[str] = []
    core = _Reader("codebook", raw, problems)
    codes = core.codes({})
    aliases = core.aliases()
    if local:
        added = _Reader("local codes", local, problems, is_local=True)
        codes |= added.codes(codes)
        aliases |= added.aliases()
    problems += _check_links(codes, aliases)
    if problems:
        raise ConfigError("\n".join(problems))
    return Codebook(version=core.version(), codes=codes, aliases=aliases)


_CODE = re.compile(r"[A-Z]{1,4}[0-9]?(?:-[A-Z0-9]{1,16})*")
_ALIAS = re.compile(r"[a-z]+(?:-[a-z]+)*")
_TEXTS: Final = ("code", "title", "definition", "introduced", "deprecated", "replaced_by")
_FLAGS: Final = ("negative", "protected", "human_only")


class _Reader:
    """One file: reads what it can and notes what it cannot."""

    def __init__(self, name: str, raw: bytes, problems: list[str], *, is_local: bool = False) -> None:
        self._name = name
        self._problems = problems
        self._is_local = is_local
        try:
            self._tree: dict[str, Any] = tomllib.loads(raw.decode())
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            problems.append(f"{name}: not TOML: {problem}")
            self._tree = {"version": "-"}
        known = ("code", "aliases") if is_local else ("version", "list", "aliases")
        self._check_known(self._tree, known, "")

    def version(self) -> str:
        version = self._tree.get("version")
        return version if isinstance(version, str) else ""

    def codes(self, core: dict[str, Code]) -> dict[str, Code]:
        """The codes of this file; those of a local one refine codes of `core`."""
        if not self._is_local and not self.version():
            self._problem("", "the key `version` is missing or no string")
        found: dict[str, Code] = {}
        for where, head, row in self._rows():
            code = self._code(where, head, row)
            if code is None:
                continue
            if code.code in found or code.code in core:
                self._problem(where, f"the code {code.code} stands twice")
            elif self._is_local and code.parent not in core:
                self._problem(where, f"{code.code} refines no code of the core codebook; {_hint(code.parent, core)}")
            found[code.code] = _inherit(code, found.get(code.parent) or core.get(code.parent))
        return found

    def aliases(self) -> dict[str, tuple[str, ...]]:
        aliases: dict[str, tuple[str, ...]] = {}
        for name, codes in self._table(self._tree, "aliases", dict).items():
            if not _ALIAS.fullmatch(name) or len(name) > LONGEST_CODE:
                self._problem(f"aliases.{name}", "an alias is lower-case words joined by hyphens")
            elif not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
                self._problem(f"aliases.{name}", f"expected a list of codes, found {codes!r}")
            else:
                aliases[name] = tuple(codes)
        return aliases

    def _rows(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Where, the head of the list, and the row, for each code in the file."""
        if self._is_local:
            for i, row in enumerate(self._table(self._tree, "code", list)):
                yield f"code[{i}]", {}, row
        for i, head in enumerate(self._table(self._tree, "list", list)):
            where = f"list[{i}]"
            if not isinstance(head, dict):
                self._problem(where, f"expected a table, found {head!r}")
                continue
            yield where, {}, {key: value for key, value in head.items() if key != "codes"}
            for j, row in enumerate(self._table(head, "codes", list, where)):
                yield f"{where}.codes[{j}]", head, row

    def _code(self, where: str, head: dict[str, Any], row: object) -> Code | None:
        if not isinstance(row, dict):
            self._problem(where, f"expected a table, found {row!r}")
            return None
        self._check_known(row, (*_TEXTS, *_FLAGS), where)
        name = row.get("code")
        if not isinstance(name, str) or not _CODE.fullmatch(name) or len(name) > LONGEST_CODE:
            self._problem(where, f"a code is capitals and digits joined by hyphens, as in G-THR; found {name!r}")
            return None
        texts = {key: self._value(row, key, str, "", f"{where} ({name})") for key in _TEXTS[1:] if key in row}
        flags = {key: self._value(row, key, bool, False, f"{where} ({name})") for key in _FLAGS if key in row}
        for key in ("title", "definition"):
            if not texts.get(key):
                self._problem(f"{where} ({name})", f"the key `{key}` is missing or empty")
        parent = name.rpartition("-")[0] or str(head.get("code", ""))
        return Code(**{"title": "", "definition": ""} | texts | flags, code=name, parent=parent)

    def _value(self, row: dict[str, Any], key: str, kind: type, default: object, where: str) -> Any:
        if isinstance(row[key], kind):
            return row[key]
        self._problem(where, f"`{key}` is {'a text' if kind is str else 'true or false'}; found {row[key]!r}")
        return default

    def _table(self, tree: dict[str, Any], key: str, kind: type, where: str = "") -> Any:
        found = tree.get(key, kind())
        if isinstance(found, kind):
            return found
        self._problem(where, f"`{key}` has the wrong type: {found!r}")
        return kind()

    def _check_known(self, table: dict[str, Any], known: Iterable[str], where: str) -> None:
        for key in sorted(table.keys() - set(known)):
            self._problem(where, f"unknown key `{key}`; {_hint(key, known)}")

    def _problem(self, where: str, what: str) -> None:
        self._problems.append(f"{self._name}: {where + ': ' if where else ''}{what}")


def _inherit(code: Code, parent: Code | None) -> Code:
    """A refinement of protected speech is protected, one of a code for people only is for people only."""
    if parent is None:
        return code
    protected, human_only = code.protected or parent.protected, code.human_only or parent.human_only
    return structs.replace(code, protected=protected, human_only=human_only)


def _check_links(codes: dict[str, Code], aliases: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Parents, replacements and aliases must lead to codes that exist, and replacements must end."""
    for code in codes.values():
        if code.parent and code.parent not in codes:
            yield f"codebook: {code.code}: its parent {code.parent} is no code"
        if code.replaced_by and code.replaced_by not in codes:
            hint = _hint(code.replaced_by, codes)
            yield f"codebook: {code.code}: replaced by {code.replaced_by!r}, which is no code; {hint}"
        if code.replaced_by and not code.deprecated:
            yield f"codebook: {code.code}: replaced by {code.replaced_by} but not deprecated"
        seen = {code.code}
        following = code.replaced_by
        while following in codes:
            if following in seen:
                yield f"codebook: {code.code}: its replacements lead back to {following}"
                break
            seen.add(following)
            following = codes[following].replaced_by
    for name, wanted in aliases.items():
        for code_name in wanted:
            if code_name not in codes:
                yield f"codebook: aliases.{name}: {code_name!r} is no code; {_hint(code_name, codes)}"


def _hint(found: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(found[:LONGEST_CODE], names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"
