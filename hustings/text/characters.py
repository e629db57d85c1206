"""Which characters do what: the tables of the analyser, each a named constant with its source."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = [
    "AKSHARA_BEFORE",
    "AKSHARA_BEHIND",
    "AKSHARA_WORDS",
    "CURRENCY",
    "DEFAULT_IGNORABLE",
    "DISGUISED",
    "EMOJI",
    "EXTRA",
    "INDIC",
    "INDIC_MARKS",
    "JOINED",
    "LEET",
    "LEET_CYRILLIC",
    "LETTER",
    "LOOKALIKES",
    "NASALS",
    "NOT_IN_WORDS",
    "ONE_LETTER_WORDS",
    "SPACELESS",
    "SPACELESS_MARKS",
    "SPACER",
    "STRIPPED_MARKS",
    "VIRAMAS",
    "WORD",
]

# Each of the first group is the inside of a character class of `re`.

DEFAULT_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt): it spans Cf, Mn, Lo and unassigned, so that no
test by category finds it. With it the interlinear marks U+FFF9–FFFB, as invisible and as useless."""

JOINED: Final = "\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefc"
"""Scripts in which ZWNJ and ZWJ are spelling: Arabic with Persian, Syriac, N'Ko, the Indic scripts, Mongolian."""

SPACELESS_MARKS: Final = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060"
    "\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\u17b6-\u17d3\u17dd\u3099\u309a"
    "\ua9e5\uaa7b-\uaa7d"
)
"""Vowel signs and tones of the spaceless scripts: they stay with the character before them."""

SPACELESS: Final = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109f\u1780-\u17d3\u17d7\u17dc\u17dd"
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f"
    "\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Scripts written without spaces: Thai, Lao, Myanmar, Khmer, Han, kana, Bopomofo."""

EMOJI: Final = (
    "\u00a9\u00ae\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\u3030\u303d\U0001f000-\U0001f12f"
    "\U0001f18a-\U0001faff"
)
"""Pictures and the symbol blocks around them. Code points without a character there count too: newer emoji."""

CURRENCY: Final = "€¢£¥"
"""Signs that stand for a letter inside a word (`vot€r`), and end a word elsewhere."""

STRIPPED_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff\u093c"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
)
"""Marks that the matching copy does without: accents on Latin, Greek and Cyrillic, Hebrew points, Arabic tashkeel,
the nukta of Devanagari, enclosing marks. All others (the vowel signs of Indic scripts) are part of their word."""

DISGUISED: Final = (
    "\u1d2c-\u1d2e\u1d30-\u1d3a\u1d3c-\u1d4d\u1d4f-\u1d6a\u249c-\u24e9\U0001d400-\U0001d7cb"
    "\U0001f110-\U0001f12e\U0001f130-\U0001f189ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"
)
"""Letters in fancy dress (mathematical, circled, boxed, superscript, small capitals): nobody types them by accident."""

LEET: Final = dict(zip("0345679@$!€¢£¥", "oeasgtgasiecly", strict=True))
"""What stands for which Latin letter; `1` is `i` or `l` by its neighbours (`repair.undo_leet`)."""

LEET_CYRILLIC: Final = dict(zip("034", "озч", strict=True))
"""The same among Cyrillic letters."""

ONE_LETTER_WORDS: Final = frozenset("aeioukvwyzsqnавжзикосуяіїйє")
"""Letters that are a word by themselves in some language, or in its text messages (`o q n e`)."""

NOT_IN_WORDS: Final = rf"\x00-/:-@\[-`{{-\x7f{CURRENCY}{EMOJI}{SPACELESS}"
"""What ends a word in folded text, where no separator is left but those of ASCII."""

WORD: Final = f"[^{NOT_IN_WORDS}]"
LETTER: Final = f"[^{NOT_IN_WORDS}0-9]"
SPACER: Final = r"[ .\-_*|/~']"
"""What may stand between spaced-out letters."""

INDIC: Final = "\u0900-\u0dff"
INDIC_MARKS: Final = "".join(chr(code) for code in range(0x900, 0xE00) if unicodedata.category(chr(code))[0] == "M")
VIRAMAS: Final = "".join(mark for mark in INDIC_MARKS if unicodedata.combining(mark) == 9)
"""Signs that join the consonant before them with the next one; Unicode gives them a combining class of their own."""

_AKSHARA_WORDS = (
    "का की के को से में मे ने है हैं हो हूं था थी थे ना न तो ता ते ती भी ही हा हां जी जो जा वो व वे ये या दो दे दी ले लो ला ली मैं मै"
    " सो सा सी कि क्या क्यों तू मां रे री रो हे ओ ए आ सौ नौ पे पा पी गा गे गी"
)
_BEFORE, _BEHIND = "है हैं में ने जो", "है हैं में ने जो का की के को से तो भी ही"

AKSHARA_WORDS: Final = frozenset(_AKSHARA_WORDS.split())
"""Words of Hindi that are written as one letter with its signs; half of a sentence may be such."""

AKSHARA_BEFORE: Final = frozenset(_BEFORE.split())
AKSHARA_BEHIND: Final = frozenset(_BEHIND.split())
"""Those that stand before or behind a word oftener than they begin or end one."""

_CYRILLIC_TO_LATIN = dict(zip("авекмнорстухіїјѕһԁԛԝӏѵүҽ", "abekmhopctyxiijshdqwlvye", strict=True))
_GREEK_TO_LATIN = dict(zip("αβγεζηικμνορτυχω", "abyeznikmvoptuxw", strict=True))
_ARMENIAN_TO_LATIN = dict(zip("օոսհցզյք", "onuhgqjp", strict=True))

LOOKALIKES: Final[dict[str, dict[str, str]]] = {
    "latin": _CYRILLIC_TO_LATIN | _GREEK_TO_LATIN | _ARMENIAN_TO_LATIN,
    "cyrillic": dict(zip("abcehikmoptxy", "авсенікмортху", strict=True)),
    "greek": {latin: greek for greek, latin in _GREEK_TO_LATIN.items()},
}
"""Into which script, from which lower-case letter, to which. Used inside words that mix scripts,
and for words wholly in look-alikes beside such (`repair.all_latin`)."""

_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_BOXED = {chr(start + i): chr(97 + i) for start in (0x1F150, 0x1F170) for i in range(26)}

EXTRA: Final[dict[str, str]] = (
    _SMALL_CAPITALS
    | _BOXED
    | dict(zip("øØłŁđĐðÐħĦŧŦıȷɡɑ", "oOlLdDdDhHtTijga", strict=True))
    | {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ß": "ss", "ẞ": "Ss"}
    | {"ς": "σ", "Σ": "σ", "ё": "е", "Ё": "Е"}
    | {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": ""}
    | {"ی": "ي", "ک": "ك", "ہ": "ه", "ە": "ه", "ۀ": "ه"}
    | {"ँ": "ं", "ऩ": "न", "ऱ": "र", "ऴ": "ळ"}
    | dict.fromkeys("’‘‛ʼʻʹʾʿ′´`", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("·•‧∙⋅・", ".")
    | dict.fromkeys("\u2800\u2028\u2029", " ")
)
"""Characters whose matching form is not their own, beyond NFKC, case and accents: letters that Unicode does not
decompose, Greek final sigma, Russian yo, apostrophes, dashes, dots. Of Arabic what Lucene's `ArabicNormalizer` folds
(forms of alef, alef maksura, teh marbuta, tatweel), of Persian and Urdu what its `PersianNormalizer` does (yeh, yeh
barree, kaf, heh), and the Kurdish vowel ae, which looks like heh; of Devanagari, as its `HindiNormalizer`, chandrabindu
and nukta (see `STRIPPED_MARKS` too, and `NASALS`): people write them in either way."""

NASALS: Final = {"ङ": "क-घ", "ञ": "च-झ", "ण": "ट-ढ", "न": "त-ध", "म": "प-भ"}
"""Of Devanagari: a nasal that has no vowel, within a word and before a consonant of its own class, is written as
anusvara as well (`हिन्दी`, `हिंदी`)."""
