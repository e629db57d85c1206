"""One disguised word to the word that it stands for: look-alikes, digits for letters, stretched letters.

Words come in lower case. Each step leaves a word alone unless it is sure, and the result of all is stable.
"""

from __future__ import annotations

import re
from typing import Final

from hustings.text.characters import LEET, LEET_CYRILLIC, LOOKALIKES

__all__ = ["MAX_TOKEN", "all_latin", "repair"]

MAX_TOKEN: Final = 255
"""Characters of a token; Elasticsearch's `whitespace` analyzer would cut a longer one in two."""

_SCRIPTS: Final = {
    "latin": re.compile("[a-zà-öø-ɏᴀ-ᶿḀ-ỿ]"),
    "cyrillic": re.compile("[Ѐ-ԯᲀ-᲏Ꙁ-ꚟ]"),
    "greek": re.compile("[Ͱ-Ͽἀ-῿]"),
    "armenian": re.compile("[԰-֏]"),
}
_OTHER_LETTER = re.compile("[Ͱ-ϿЀ-ԯ԰-֏ᲀ-᲏ἀ-῿Ꙁ-ꚟ]")
_WITHOUT_LOOKALIKE = re.compile(f"{_OTHER_LETTER.pattern}(?<![{''.join(LOOKALIKES['latin'])}])")
_OTHER_WORD = re.compile(rf"(?<!\w){_OTHER_LETTER.pattern}+(?!\w)")
_MIXED_WORD = re.compile(f"[a-zß-ɏ]{_OTHER_LETTER.pattern}|{_OTHER_LETTER.pattern}[a-zß-ɏ]")
_LATIN_WORD = re.compile(r"(?<![\w#@/.])[a-zß-ɏ]{2,}(?![\w@/]|\.\w)")
"""No handle, tag or address: those are Latin in posts of any script."""
_FEWEST_LATIN = 3
_LATIN_OF = str.maketrans(LOOKALIKES["latin"])
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_KEPT_REPEATS = re.compile(
    r"(.)\1\1"  # www, xxx, aaa
    r"|m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})"  # viii
)
_HAS_LEET = re.compile(r"[^\W\d_][013457@$!€¢£¥]{1,3}[^\W\d_]|\$\$\Z|[^\W\d_]{4}\$\Z|\A[@$]")
_LEFT_ALONE = re.compile(
    r"\d+(?:d|h|hrs?|m|mins?|s|secs?)(?:\d+(?:d|h|hrs?|m|mins?|s|secs?))*\d*"  # durations: 1h30m
    r"|[a-z]{3,}4[a-z]{3,}"  # four for `for`: all4truth
    r"|\d+x\d+\w*"  # sizes: 4x4
    r"|h\dn\d+\w?"  # strains of influenza
    r"|s\d+e\d+"  # episodes
    r"|(?=(?:\d*[a-f]+\d+){2})[0-9a-f]{6,}"  # hexadecimal
)
_SIGN = re.compile(r"[0-9@$!€¢£¥]")
_SIGN_RUN = re.compile(r"([0-9@$!€¢£¥])\1*")
_LEET_OF: Final = {frozenset({"latin"}): LEET, frozenset({"cyrillic"}): LEET_CYRILLIC}
_VOWELS = frozenset("aeiouy")


def repair(word: str) -> tuple[str, int]:
    """The token for a lower-case word, and how many of its characters were replaced as disguise. Stretching is
    emphasis, not disguise: it is undone but not counted."""
    plain = _unstretch(word[:MAX_TOKEN])
    lookalikes = leet = 0
    if not plain.isascii():
        plain, lookalikes = _undo_lookalikes(plain)
        plain = _unstretch(plain)
    if not plain.isalpha():
        plain, leet = _undo_leet(plain)
        plain = _unstretch(plain)
    return plain, lookalikes + leet


def all_latin(lower: str) -> tuple[str, int]:
    """A text in lower case with the words in Latin that are wholly of another script's look-alikes (`воса` for `boca`),
    and how many letters that were. Only where a word mixes scripts, so that somebody hides (`рutа`; a name such as
    `Москва` alone stays what it is), no fewer words are Latin, three at least, and no letter of the other scripts is
    without a look-alike: one in three letters of a text in Russian has none."""
    if lower.isascii() or not (first := _OTHER_LETTER.search(lower)) or _WITHOUT_LOOKALIKE.search(lower, first.start()):
        return lower, 0
    fewest = max(_FEWEST_LATIN, len(_OTHER_WORD.findall(lower)))
    if not _MIXED_WORD.search(lower) or len(_LATIN_WORD.findall(lower)) < fewest:
        return lower, 0
    return lower.translate(_LATIN_OF), len(_OTHER_LETTER.findall(lower))


def _unstretch(word: str) -> str:
    """Three or more of the same letter become one: `soooo` is `so`. (`soo` stays; so does `goood` become `god`: one
    rule for all languages, and it holds for the words of a query just as well.) Roman numerals and a letter exactly
    three times (`www`) stay."""
    if not _STRETCHED.search(word) or _KEPT_REPEATS.fullmatch(word):
        return word
    return _STRETCHED.sub(r"\1", word)


def _undo_lookalikes(word: str) -> tuple[str, int]:
    """A word of several scripts in the one that has most of its letters, else in Latin: if that can spell all of it."""
    scripts = [_script(ch) for ch in word if ch.isalpha()]
    if len(set(scripts)) < 2:
        return word, 0
    for target in sorted(LOOKALIKES, key=scripts.count, reverse=True):  # stable: Latin is first among equals
        if target not in scripts or (target != "latin" and scripts.count(target) < max(map(scripts.count, scripts))):
            continue
        table = LOOKALIKES[target]
        if all(_script(ch) == target or ch in table for ch in word if ch.isalpha()):
            repaired = "".join(ch if _script(ch) == target else table.get(ch, ch) for ch in word)
            return repaired, len(scripts) - scripts.count(target)
    return word, 0


def _script(ch: str) -> str:
    """The script of a letter, as far as look-alikes are known for it; else the empty string."""
    if ch.isascii():
        return "latin"
    return next((name for name, letter in _SCRIPTS.items() if letter.match(ch)), "")


def _undo_leet(word: str) -> tuple[str, int]:
    """`v0te` → `vote`: only when a sign stands between letters (or is `$` at an end, `@` before a short word), the
    letters are of one script and no fewer than runs of a sign, every sign has a reading, and the word is no
    duration, size, strain or hash."""
    signs = len(_SIGN.findall(word))
    if (
        not signs
        or len(word) - signs < len(_SIGN_RUN.findall(word))
        or not _HAS_LEET.search(word)
        or _LEFT_ALONE.fullmatch(word)
    ):
        return word, 0
    table = _LEET_OF.get(frozenset(_script(ch) for ch in word if ch.isalpha()))
    if table is None:
        return word, 0
    letters: list[str] = []
    for i, ch in enumerate(word):
        if ch == "1" and table is LEET:
            letters.append(_reading_of_one(word[:i], word[i + 1 :]))
        elif _SIGN.match(ch):
            if ch not in table:
                return word, 0
            letters.append(table[ch])
        else:
            letters.append(ch)
    return "".join(letters), signs


def _reading_of_one(before: str, after: str) -> str:
    """`i` between consonants, `l` between vowels, beside another 1 and at the end: `b1tch`, `e1ection`, `ki11`."""
    if before.endswith("1") or after.startswith("1"):
        return "l"
    if not after:
        return "l"
    opened = not before or before[-1] in _VOWELS
    return "l" if opened and after[0] in _VOWELS else "i"
