"""Cuts a query into lexemes, each with its column. Knows quotes, fields and ranges; knows no field by name."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from hustings.errors import QueryError
from hustings.query.excerpt import shown

__all__ = ["Lexeme", "scan"]

Kind = Literal["(", ")", "-", "AND", "OR", "NOT", "field", "word", "quoted", "range", "end"]


class Lexeme(NamedTuple):
    """One piece of a query. `text` is what it says, quotes taken off; `column` counts characters from 1."""

    kind: Kind
    text: str
    column: int


CLOSING = {'"': '"', "“": "”", "”": "”", "„": "“”", "«": "»"}
"""Each opening quote with those that may close it: phones and word processors write the curved ones by themselves."""

_SIGNS: dict[str, Kind] = {"(": "(", ")": ")", "-": "-"}
_OPERATORS: dict[str, Kind] = {"AND": "AND", "OR": "OR", "NOT": "NOT"}
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*(?:\.[\w.-]*)?):")
_INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
"""Marks of direction and zero-width spaces that keyboards of right-to-left scripts leave between words."""

_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")


def scan(text: str) -> list[Lexeme]:
    """All lexemes in order, with one `end` after the last. Raises `QueryError` for what is cut off: a quote or a range
    that nothing closes."""
    lexemes: list[Lexeme] = []
    position = _skip_space(text, 0)
    while position < len(text):
        character = text[position]
        if character in _SIGNS:
            lexemes.append(Lexeme(_SIGNS[character], character, position + 1))
            position += 1
        elif field := _FIELD.match(text, position):
            lexemes.append(Lexeme("field", field[1], position + 1))
            position = _scan_value(text, field.end(), lexemes)
        elif character in CLOSING:
            position = _scan_quoted(text, position, lexemes)
        else:
            position = _scan_word(text, position, lexemes)
        position = _skip_space(text, position)
    lexemes.append(Lexeme("end", "", len(text) + 1))
    return lexemes


def _scan_value(text: str, position: int, lexemes: list[Lexeme]) -> int:
    """The value straight after a field's colon; nothing is added where there is none."""
    if position == len(text) or text[position] in "()" or _is_space(text[position]):
        return position
    if text[position] in CLOSING:
        return _scan_quoted(text, position, lexemes)
    if text[position] in "[{":
        return _scan_range(text, position, lexemes)
    end = _word_end(text, position)
    lexemes.append(Lexeme("word", _visible(text[position:end]), position + 1))
    return end


def _scan_word(text: str, position: int, lexemes: list[Lexeme]) -> int:
    end = _word_end(text, position)
    word = _visible(text[position:end])
    if word[0] in _DASHES and len(word) > 1:
        raise QueryError(
            f"found the dash {shown(word[0])}; to exclude something, write `-` before it", column=position + 1
        )
    lexemes.append(Lexeme(_OPERATORS.get(word, "word"), word, position + 1))
    return end


def _scan_quoted(text: str, position: int, lexemes: list[Lexeme]) -> int:
    """Up to the closing quote; a backslash takes the special meaning from a quote or a backslash."""
    closing = CLOSING[text[position]]
    characters: list[str] = []
    at = position + 1
    while at < len(text) and text[at] not in closing:
        if text[at] == "\\" and at + 1 < len(text) and (text[at + 1] in closing or text[at + 1] == "\\"):
            at += 1
        characters.append(text[at])
        at += 1
    if at == len(text):
        raise QueryError(f"the quote {text[position]} is never closed", column=position + 1)
    lexemes.append(Lexeme("quoted", "".join(characters), position + 1))
    return at + 1


def _scan_range(text: str, position: int, lexemes: list[Lexeme]) -> int:
    """Up to the bracket that closes, with both brackets kept: their shapes mean something."""
    ends = [end for end in (text.find("}", position), text.find("]", position)) if end >= 0]
    if not ends:
        raise QueryError("the range is never closed; write it as `[2026-10-01 TO 2026-10-02}`", column=position + 1)
    end = min(ends) + 1
    lexemes.append(Lexeme("range", text[position:end], position + 1))
    return end


def _word_end(text: str, position: int) -> int:
    end = position + 1
    while end < len(text) and not _is_space(text[end]) and text[end] not in "()":
        if text[end] in CLOSING and not _is_gershayim(text, end):
            break
        end += 1
    return end


def _is_gershayim(text: str, position: int) -> bool:
    """Hebrew acronyms are written with a straight quote before their last letter."""
    return text[position] == '"' and all("\u05d0" <= letter <= "\u05ea" for letter in _around(text, position))


def _around(text: str, position: int) -> tuple[str, str]:
    return text[position - 1], text[position + 1 : position + 2] or " "


def _is_space(character: str) -> bool:
    return character.isspace()


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and (_is_space(text[position]) or text[position] in _INVISIBLE):
        position += 1
    return position


def _visible(word: str) -> str:
    """The word without the invisible marks behind it; one that is nothing else stays."""
    end = len(word)
    while end > 1 and word[end - 1] in _INVISIBLE:
        end -= 1
    return word[:end]
