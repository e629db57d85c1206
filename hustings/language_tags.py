"""Names of languages as people give them to corpora, models and settings: BCP 47, of languages that posts can be in."""

from __future__ import annotations

import re
from difflib import get_close_matches

from hustings.errors import ConfigError
from hustings.query.languages import LANGUAGES, code_of, primary

__all__ = ["language_tag", "setting_tag", "teaches"]

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY, _SCRIPT = 2, 4  # letters in their codes
_MOST_NEAR = 4
_LONGEST_COMPARED = 64  # comparing grows with the square


def language_tag(text: str) -> str:
    """The tag as it is usually written: `PT-br` is `pt-BR`. Raises `ConfigError` for what names no language."""
    first, *others = text.split("-")
    if _TAG.fullmatch(text) is None or not primary(first):
        raise ConfigError(f"{text!r} is no language tag; {_hint(text)}")
    return "-".join((primary(first), *map(_subtag, others)))


def setting_tag(text: str) -> str:
    """The same for settings, whose models add the name of the key: `pt_BR` will do too, and what names no language
    raises `ValueError`."""
    try:
        return language_tag(text.replace("_", "-"))
    except ConfigError as error:
        raise ValueError(str(error)) from error


def teaches(corpus: str, head: str) -> bool:
    """Whether texts in the language `corpus` can teach a head for `head`: the same one, or one of them says it closer
    (`en` and `en-IN`, but not `en-GB` and `en-IN`)."""
    return all(one == other for one, other in zip(_folded(corpus), _folded(head), strict=False))


def _folded(tag: str) -> list[str]:
    return tag.casefold().split("-")


def _subtag(part: str) -> str:
    if len(part) == _SCRIPT and part.isalpha():
        return part.title()
    return part.upper() if len(part) == _COUNTRY else part.lower()


def _hint(text: str) -> str:
    meant = code_of(text)
    dashed = text.replace("_", "-")
    if not meant and dashed != text and _TAG.fullmatch(dashed) and primary(dashed):
        meant = language_tag(dashed)
    if meant:
        return f"did you mean {meant!r}?"
    near = ", ".join(f"{code!r} ({LANGUAGES[code]})" for code in _near(text.casefold()[:_LONGEST_COMPARED]))
    return "write BCP 47, such as 'es', 'ckb' or 'pt-BR'" + (f"; near are {near}" if near else "")


def _near(text: str) -> list[str]:
    """Codes of languages whose name begins so or is spelt alike, then codes that are spelt alike."""
    codes = {name.casefold(): code for code, name in LANGUAGES.items()}
    names = [name for name in codes if text and name.startswith(text)] + get_close_matches(text, codes)
    alike = get_close_matches(text, LANGUAGES, cutoff=0.5)
    return list(dict.fromkeys(primary(code) for code in [*(codes[name] for name in names), *alike]))[:_MOST_NEAR]
