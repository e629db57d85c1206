"""Names of languages as people give them to corpora and models: BCP 47, of a language that the analyser tells apart."""

from __future__ import annotations

import re

from hustings.errors import ConfigError
from hustings.query.languages import LANGUAGES, RENAMED

__all__ = ["language_tag", "teaches"]

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY, _SCRIPT = 2, 4  # letters in their codes


def language_tag(text: str) -> str:
    """The tag as it is usually written: `PT-br` is `pt-BR`. Raises `ConfigError` for what names no language."""
    primary, *others = text.split("-")
    primary = RENAMED.get(primary.casefold(), primary.casefold())
    if _TAG.fullmatch(text) is None or primary not in LANGUAGES:
        raise ConfigError(f"{text!r} is no language tag; {_hint(text)}")
    return "-".join((primary, *map(_subtag, others)))


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
    by_name = next((code for code, name in LANGUAGES.items() if name.casefold() == text.casefold()), None)
    dashed = text.replace("_", "-")
    if by_name is None and _TAG.fullmatch(dashed) and dashed != text and dashed.partition("-")[0].lower() in LANGUAGES:
        by_name = language_tag(dashed)
    return f"did you mean {by_name!r}?" if by_name else "write BCP 47, such as 'es', 'ckb' or 'pt-BR'"
