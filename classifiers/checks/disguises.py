"""How people hide a sentence from machines, write carelessly, or put it among handles and hashtags; readers still
understand.

Every disguise is a function of the text alone. Those that hide from machines touch the words that tell (`telling` in
the language's file: vote, ballot, slurs). The careless ones change every second word of at least four letters; so
do the others in a text without a telling word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from classifiers.checks.suite import Phrasing

__all__ = ["DISGUISES", "WORD", "letters"]

_FEWEST_LETTERS = 4
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u064b-\u0652\u0900-\u0903\u093a-\u094f\u200c\u200d])*")
"""A word with its marks, in any script."""
_VIRAMAS = "\u094d\u0bcd"
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_LOOK_ALIKES = str.maketrans(
    {
        **dict(zip("aceopxyijsABCEHKMOPSTX", "асеорхуіјѕАВСЕНКМОРЅТХ", strict=True)),  # Latin to Cyrillic
        **dict(zip("يكه", "یکہ", strict=True)),  # Arabic to Persian and Urdu letters
    }
)
_INVISIBLE = "\u200b\u2060\u00ad"
_VOWELS = frozenset("aeiouáéíóúàèêâîôûãõäöüاويािीुूेैोौ")


def letters(word: str) -> list[str]:
    """A word as people see its letters: marks stay with their base, and Indic conjuncts whole."""
    seen: list[str] = []
    for character in word:
        joined = seen and (seen[-1][-1] in _VIRAMAS or seen[-1][-1] == "\u200d" or character in "\u200c\u200d")
        if joined or (seen and unicodedata.category(character).startswith("M")):
            seen[-1] += character
        else:
            seen.append(character)
    return seen


def _every_second(text: str, change: Callable[[str], str]) -> str:
    """Applies `change` to the first, third, fifth … of the words that are long enough."""
    count = 0

    def changed(word: re.Match[str]) -> str:
        nonlocal count
        if len(letters(word[0])) < _FEWEST_LETTERS:
            return word[0]
        count += 1
        return change(word[0]) if count % 2 else word[0]

    return WORD.sub(changed, text)


def _telling(text: str, phrasing: Phrasing, change: Callable[[str], str]) -> str:
    """Applies `change` to the words that tell, or to every second one where none does."""

    def changed(word: re.Match[str]) -> str:
        return change(word[0]) if word[0].casefold().startswith(phrasing.telling) else word[0]

    done = WORD.sub(changed, text)
    return done if done != text else _every_second(text, change)


def _leet(text: str, phrasing: Phrasing) -> str:
    """El3c710n."""
    return _telling(text, phrasing, lambda word: word.lower().translate(_LEET))


def _masked(text: str, phrasing: Phrasing) -> str:
    """One inner letter becomes an asterisk."""

    def mask(word: str) -> str:
        seen = letters(word)
        if len(seen) > 1:
            seen[len(seen) // 2] = "*"
        return "".join(seen)

    return _telling(text, phrasing, mask)


def _look_alikes(text: str, phrasing: Phrasing) -> str:
    """Letters of another alphabet that look the same."""
    return _telling(text, phrasing, lambda word: word.translate(_LOOK_ALIKES))


def _zero_width(text: str, phrasing: Phrasing) -> str:
    """Invisible characters inside words."""

    def split(word: str) -> str:
        seen = letters(word)
        return "".join(f"{letter}{_INVISIBLE[place % 3]}" for place, letter in enumerate(seen[:-1])) + seen[-1]

    return _telling(text, phrasing, split)


def _spaced(text: str, phrasing: Phrasing) -> str:
    """L e t t e r s set apart."""
    return _telling(text, phrasing, lambda word: " ".join(letters(word)))


def _dotted(text: str, phrasing: Phrasing) -> str:
    """L.e.t.t.e.r.s set apart by points."""
    return _telling(text, phrasing, lambda word: ".".join(letters(word)))


def _shouted(text: str, _: Phrasing) -> str:
    """IN CAPITALS!!!"""
    return text.upper().rstrip(".!।") + "!!!"


def _stretched(text: str, _: Phrasing) -> str:
    """A voooowel is drawn out, as one speaks for emphasis."""

    def stretch(word: str) -> str:
        places = [place for place, character in enumerate(word) if character.lower() in _VOWELS and place]
        if not places:
            return word
        place = places[-1]
        return word[:place] + word[place] * 4 + word[place + 1 :]

    return _every_second(text, stretch)


def _mistyped(text: str, _: Phrasing) -> str:
    """Two inner letters change places."""

    def swap(word: str) -> str:
        seen = letters(word)
        place = len(seen) // 2
        seen[place - 1], seen[place] = seen[place], seen[place - 1]
        return "".join(seen)

    return _every_second(text, swap)


def _texted(text: str, phrasing: Phrasing) -> str:
    """As on a telephone: small letters, short spellings of the language, no full stop."""

    def short(word: re.Match[str]) -> str:
        return phrasing.texted.get(word[0], word[0])

    return WORD.sub(short, text.lower()).rstrip(".")


def _padded(text: str, phrasing: Phrasing) -> str:
    """Sunk in friendly chatter, before and after."""
    middle = len(phrasing.padding) // 2
    return "\n".join((*phrasing.padding[:middle], text, *phrasing.padding[middle:]))


def _answering(text: str, _: Phrasing) -> str:
    """In answer to people of whom nobody knows anything."""
    return f"@kestrel_77 @harbourlight {text}"


def _tagged(text: str, _: Phrasing) -> str:
    """Filed under hashtags."""
    return f"{text} #Vote2026 #Debate"


DISGUISES: dict[str, Callable[[str, Phrasing], str]] = {
    "leet": _leet,
    "masked": _masked,
    "look-alikes": _look_alikes,
    "zero-width": _zero_width,
    "spaced": _spaced,
    "dotted": _dotted,
    "shouted": _shouted,
    "stretched": _stretched,
    "mistyped": _mistyped,
    "texted": _texted,
    "padded": _padded,
    "answering": _answering,
    "tagged": _tagged,
}
"""Every disguise by the name that `functions.toml` uses."""
