"""How a name changes inside a sentence: possessives, plurals, prefixed particles, cases.

Works on the analyser's tokens, so spelling and marks are already settled. Too many forms do no harm (a form that is no
word is never met); a form that is another word belongs in the roster's `ambiguous`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

__all__ = ["inflected"]

_LATIN_ENDINGS = ("s", "es")  # plurals and genitives; the analyser ends a word at an apostrophe, so "Ana's" is "ana"
_ARABIC_PARTICLES = ("و", "ف", "ب", "ل", "ك", "وب", "ول", "وك", "فب", "فل", "يا")
_ARABIC_ARTICLE = "ال"
_CYRILLIC_ENDINGS = {
    "ий": ("ого", "ому", "им", "ом"),
    "ый": ("ого", "ому", "ым", "ом"),
    "ая": ("ой", "ую"),
    "а": ("ы", "и", "е", "у", "ой", "ою"),
    "я": ("и", "е", "ю", "ей"),
    "й": ("я", "ю", "ем", "е"),
    "ь": ("я", "ю", "ем", "е", "и", "ью"),
    "": ("а", "у", "ом", "ем", "ым", "е", "ы", "и"),
}
_MOST_FORMS = 64
"""Of one name: beyond it only the last word is inflected."""


def inflected(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """`tokens` themselves and every form of them, each once."""
    seen: set[tuple[str, ...]] = set()
    for form in _forms(tokens):
        if form not in seen:
            seen.add(form)
            yield form


def _forms(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield tokens
    letters = "".join(tokens)
    if any("\u0600" <= letter <= "\u06ff" for letter in letters):
        yield from _arabic(tokens)
    elif any("\u0400" <= letter <= "\u04ff" for letter in letters):
        yield from _cyrillic(tokens)
    elif any(letter.isalpha() and letter < "\u0250" for letter in letters):
        for ending in _LATIN_ENDINGS:
            yield (*tokens[:-1], tokens[-1] + ending)


def _arabic(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Particles are written together with the first word; ل melts with the article ال into لل."""
    first, *others = tokens
    for particle in _ARABIC_PARTICLES:
        if particle.endswith("ل") and first.startswith(_ARABIC_ARTICLE):
            yield (particle + "ل" + first.removeprefix(_ARABIC_ARTICLE), *others)
        else:
            yield (particle + first, *others)


def _cyrillic(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    forms = [_cases(token) for token in tokens]
    count = 1
    for cases in forms:
        count *= len(cases)
    if count <= _MOST_FORMS:
        yield from product(*forms)
    else:
        yield from ((*tokens[:-1], last) for last in forms[-1])


def _cases(word: str) -> tuple[str, ...]:
    ending = next(ending for ending in _CYRILLIC_ENDINGS if word.endswith(ending))
    stem = word.removesuffix(ending)
    return (word, *(stem + other for other in _CYRILLIC_ENDINGS[ending]))
