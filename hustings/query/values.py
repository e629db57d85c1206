"""Keyword fields of a query: what may stand behind `lang:`, `flag:`, `target.party:` and the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from hustings.codebook import Codebook
from hustings.errors import QueryError
from hustings.query.calendar import read_phase
from hustings.query.combine import is_any
from hustings.query.excerpt import shortened, shown
from hustings.query.fields import PEOPLE_FIELDS, fold_host, fold_signed
from hustings.query.languages import code_of, primary
from hustings.query.scanner import Lexeme
from hustings.query.tree import Has, Node
from hustings.query.vocabulary import Vocabulary, nearest
from hustings.types import Medium, Stream

__all__ = ["read_code", "read_value"]


def read_value(field: str, lexeme: Lexeme, vocabulary: Vocabulary) -> Node:
    """The node for one value of a keyword field, or for any value (`*`)."""
    family, dot, attribute = field.partition(".")
    if lexeme.kind == "range":
        raise QueryError(f"a range is for times; `{field}` takes a single value", column=lexeme.column)
    if lexeme.kind == "word" and "*" in lexeme.text and lexeme.text != "*":
        hint = ", which finds its subdomains too," if field == "domain" else ""
        message = f"wildcards are for words only; `{field}` takes a whole value{hint} or `*` for any"
        raise QueryError(message, column=lexeme.column)
    value = None if lexeme.kind == "word" and lexeme.text == "*" else lexeme.text
    if value == "":
        raise QueryError(f"the value is empty; to find posts without one, write `-{field}:*`", column=lexeme.column)
    if field == "phase":
        return read_phase(value, lexeme, vocabulary)
    if dot:
        return _people_with(family, attribute, value, lexeme, vocabulary)
    if value is None:
        return Has(field)
    reader = _READERS.get(field)
    return is_any(field, reader(value, lexeme, vocabulary) if reader is not None else (value,))


def read_code(name: str, column: int, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The codes behind a code or alias, letter case aside."""
    codebook = vocabulary.codebook
    for spelling in (name, name.upper(), name.lower()):
        codes = codebook.expand(spelling)
        if codes is not None:
            _refuse_human_codes(codes, column, codebook)
            return codes
    known = [*codebook.codes, *codebook.aliases]
    raise QueryError(
        f"no code or alias {shown(name)} in codebook {codebook.version}; {nearest(name, known)}",
        column=column,
        code="E11",
    )


def _refuse_human_codes(codes: tuple[str, ...], column: int, codebook: Codebook) -> None:
    """Codes that only people give stand in reviews: no post is ever flagged with one."""
    for code in codes:
        if codebook.codes[code].human_only:
            raise QueryError(f"{code} is for people only: no post is ever flagged with it", column=column, code="E11")


# ── one field each ───────────────────────────────────────────────────────────────────────────────────────────────


def _flag(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
    return read_code(value, lexeme.column, vocabulary)


def _language(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
    code = primary(value)
    if code and value.isalpha():
        return (code,)
    if by_name := code_of(value):
        hint = f"did you mean `{by_name}`?"
    elif code:
        hint = f"regions and scripts are not told apart, write `{code}`"
    elif value.casefold() == "und":
        hint = "for posts whose language is unknown write `-lang:*`"
    else:
        hint = "write an ISO 639 code such as `es`, `ar` or `ckb`"
    raise QueryError(f"no language {shown(value)}; {hint}", column=lexeme.column, code="E11")


def _person(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
    if vocabulary.roster is None:
        return (value,)
    ids = vocabulary.roster.ids()
    if value in ids:
        return (value,)
    folded = tuple(known for known in ids if known.casefold() == value.casefold())
    if folded:
        return folded
    raise QueryError(f"no person {shown(value)} in the roster; {nearest(value, ids)}", column=lexeme.column, code="E11")


def _choice(field: str, known: tuple[str, ...]) -> Callable[[str, Lexeme, Vocabulary], tuple[str, ...]]:
    def read(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
        if value.casefold() in known:
            return (value.casefold(),)
        raise QueryError(f"no {field} {shown(value)}; {nearest(value, known)}", column=lexeme.column, code="E11")

    return read


def _domain(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
    host = "" if set(value) & set("/:@?#[]") else fold_host(value.removeprefix("."))
    if not host:
        raise QueryError(
            f"expected the name of a host such as `example.org`; found {shown(value)}", column=lexeme.column, code="E11"
        )
    return (host,)


def _signed(sign: str) -> Callable[[str, Lexeme, Vocabulary], tuple[str, ...]]:
    def read(value: str, lexeme: Lexeme, vocabulary: Vocabulary) -> tuple[str, ...]:
        folded = fold_signed(sign, value)
        if not folded:
            raise QueryError(f"nothing stands behind the `{sign}`; found {shown(value)}", column=lexeme.column)
        return (folded,)

    return read


_READERS: dict[str, Callable[[str, Lexeme, Vocabulary], tuple[str, ...]]] = {
    "lang": _language,
    "medium": _choice("medium", get_args(Medium)),
    "stream": _choice("stream", get_args(Stream)),
    "flag": _flag,
    **dict.fromkeys(PEOPLE_FIELDS, _person),
    "domain": _domain,
    "hashtag": _signed("#"),
    "mention": _signed("@"),
}
"""Fields whose values are checked or folded; those of the others are taken as they are."""


def _people_with(role: str, attribute: str, value: str | None, lexeme: Lexeme, vocabulary: Vocabulary) -> Node:
    """The people whom the roster gives this attribute (and value), as ids of the role's own field."""
    field = f"{role}.{attribute}"
    if vocabulary.roster is None:
        raise QueryError(
            f"`{shortened(field)}` reads the roster, which is not loaded; name the configuration with --config",
            column=lexeme.column - len(field) - 1,
            code="E09",
        )
    held = [person for person in vocabulary.roster.people if person.attributes.get(attribute)]
    if not held:
        known = nearest(attribute, vocabulary.roster.attribute_names())
        column = lexeme.column - len(attribute) - 1
        raise QueryError(f"no attribute {shown(attribute)} in the roster; {known}", column=column, code="E09")
    if value is None:
        return is_any(role, (person.id for person in held))
    ids = vocabulary.roster.ids_with(attribute, value)
    if not ids:
        known = nearest(value, {person.attributes[attribute] for person in held})
        raise QueryError(
            f"nobody in the roster has {attribute} {shown(value)}; {known}", column=lexeme.column, code="E11"
        )
    return is_any(role, ids)
