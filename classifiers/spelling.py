"""Careless and hidden spellings: which word of a language a token stands for.

The analyser repairs what it can without knowing any word (look-alikes, stretched letters, most figures for letters).
Beside a vocabulary more can be told: two neighbours that changed places, figures at a word's edges, a doubled letter
that went with the stretched ones (`looook`: `lok`), a letter behind a sign, at which the analyser cut the word in two
(`fr*ud`: `fr`, `ud`), and which words letters without blanks are. A token that is a word itself is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from classifiers.memory import Memory
from hustings.errors import ModelError
from hustings.text.characters import AKSHARA_WORDS, INDIC, INDIC_MARKS, VIRAMAS

__all__ = ["NOTHING", "SHORTEST_APART", "WORDS_FILE", "Spelling", "pack_words"]

WORDS_FILE = "words.txt"
"""The file of a model with the words of its language, one a line."""

NOTHING = ""
"""Stands in place of a token that belongs to the word before it."""
_SHORTEST = 4
_SHORTEST_SWAPPED_ARABIC = 5
"""Shorter words of Arabic, written without vowels, are too many beside each other. In other scripts one in ten thousand
words is read as another (`prat`, `part`)."""
_VOWELS = "aeiou"
_FIGURES = str.maketrans("0134579@$!", "oieastgasi")
_MOST_HIDDEN = 4
"""Characters that one sign may hide: a Devanagari letter has its marks with it. In other scripts it is one."""
_MARKS_FROM = "\u0900"
_FEWEST_LETTERS = 3
"""Of letters that stand for figures, and of the letters of a word among letters set apart."""
_HIDDEN_TWICE = re.compile(
    r"(?=(?:[^a-z]*[a-z]){3}).*(?:[a-z][0134579@$!]+[a-z]+[0134579@$!]|[0134579@$!][a-z]+[0134579@$!]+[a-z])"
)
"""What nobody writes who does not hide a word: figures on both sides of letters, which are three at least in all
(`c0n73st0n4`)."""
_LONGEST_SPLIT = 60
"""Letters of a tag, or set apart; longer ones are left as they are."""
SHORTEST_APART = 4
"""Letters of a word among those that were set apart and joined as one: a rare word may look like two short ones."""
_LETTERS_OF_A_WORD = 2
"""Of words that are written without blanks, on an average: nearly anything can be spelt with shorter ones."""
_AKSHARA = re.compile(f"[{INDIC}](?:[{INDIC_MARKS}]|(?<=[{VIRAMAS}])[{INDIC}])*|.")
"""What is written as one letter in an Indic script; in others a letter."""
_TAG = "#"
_TWO_LETTERS = b"\1\1"
"""Lengths of tokens."""
_ONE_LETTER = re.compile(rf"(?![\d_])\w[{INDIC_MARKS}]*(?:(?<=[{VIRAMAS}])[{INDIC}][{INDIC_MARKS}]*)*")


def pack_words(words: Iterable[str]) -> bytes:
    """The bytes of such a file."""
    return ("\n".join(words) + "\n").encode()


class Spelling:
    """Knows the words of one language."""

    @classmethod
    def unpack(cls, raw: bytes, where: str) -> Spelling:
        """Of what `pack_words` wrote. Raises `ModelError` when it is no text."""
        try:
            return cls(raw.decode().split())
        except UnicodeDecodeError as error:
            raise ModelError(f"{where}: {WORDS_FILE}: {error}") from error

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._longest = max(map(len, self._words), default=0)
        self._is_indic = any(word >= _MARKS_FROM for word in self._words)
        self._right = Memory(self.main_word)
        self._parts = Memory(self.split)
        self._bounds: dict[tuple[str, str, int], list[str]] = {}
        for word in sorted(one for one in self._words if len(one) >= _SHORTEST):
            self._bounds.setdefault((word[0], word[-1], len(word)), []).append(word)

    def knows(self, token: str) -> bool:
        """Whether the token is a word itself."""
        return token in self._words

    def word(self, token: str) -> str:
        """The word that this token stands for; itself where it is one, or is none that is known."""
        if len(token) < _FEWEST_LETTERS or token in self._words:
            return token
        is_short = len(token) < _SHORTEST
        plain = token
        if not token.isalpha() and not token.isdigit() and not is_short:
            plain = token.translate(_FIGURES)
            if plain in self._words:
                return plain
            plain = plain if plain.isalpha() and _HIDDEN_TWICE.match(token) else token
        if len(token) < _SHORTEST_SWAPPED_ARABIC and "\u0600" <= token[0] <= "\u06ff":
            return token
        slips = _doubled(plain, _VOWELS) if is_short else (*_swapped(plain), *_doubled(plain))
        return next((word for word in slips if word in self._words), plain)

    def respelt(self, tokens: Sequence[str]) -> Sequence[str]:
        """The main words that the tokens stand for, `NOTHING` behind one that had been cut."""
        if self._words.issuperset(tokens):
            return tokens
        return [word and self._right[word] for word in self.rejoin(tokens)]

    def said(self, tokens: Sequence[str]) -> Sequence[str]:
        """The same with the words of tags without capitals one by one: there may be more words than tokens."""
        read = self.respelt(tokens)
        if _TAG not in "".join([token[:1] for token in tokens]):
            return read
        words: list[str] = []
        begun = ""  # of `#f r a u d` the analyser took `#f` for a tag
        for place, (token, word) in enumerate(zip(tokens, read, strict=True)):
            is_part = place > 0 and tokens[place - 1] == _TAG + token
            parts = self._parts[begun + word] if (is_part or begun) and word not in self._words else []
            if begun and parts:
                words.pop()
            words += parts or (word,)
            begun = token if is_part and len(token) == 1 else ""
        return words

    def main_word(self, token: str) -> str:
        """The word that this token stands for, without words of one letter that went together with it."""
        word = self.word(token)
        if len(token) < _SHORTEST or word != token or token in self._words:
            return word
        letters = _AKSHARA.findall(token)
        first, last = letters[0], letters[-1]
        for before, after in ((first, ""), ("", last), (first, last)):
            rest = token[len(before) : len(token) - len(after)]
            if rest in self._words and len(rest) >= _FEWEST_LETTERS and self._words.issuperset({before, after} - {""}):
                return rest
        return token

    def split(self, letters: str, shortest: int = 1) -> list[str]:
        """The fewest words that letters written without blanks are, as in a tag without capitals; none where they
        cannot all be read. Words have `shortest` letters at least, those at the ends one or as many; one that has only
        such words of one letter beside it may have three."""

        def is_word(begin: int, end: int) -> bool:
            word = letters[begin:end]
            if word not in self._words:
                return False
            if (begin == 0 or end == len(letters)) and _ONE_LETTER.fullmatch(word):
                return True
            is_alone = begin <= 1 and end >= len(letters) - 1
            return len(word) >= (min(shortest, _FEWEST_LETTERS) if is_alone else shortest)

        found = _fewest(letters, is_word, self._longest) if len(letters) <= _LONGEST_SPLIT else None
        return found if found and len(letters) >= _LETTERS_OF_A_WORD * len(found) else []

    def rejoin(self, tokens: Sequence[str], cut: Sequence[bool] | None = None) -> list[str]:
        """The tokens with words that a sign had cut in two, or blanks into letters, in one piece again, and `NOTHING`
        behind each. `cut` says behind which tokens there is a sign and no blank; columns have tokens alone and give
        none: then each may be."""
        joined = self._letters_joined(tokens, cut)
        known = list(map(self._words.__contains__, joined))
        for place in range(len(joined) - 1):
            if (known[place] and known[place + 1]) or (cut is not None and not cut[place]):
                continue
            one, other = joined[place], joined[place + 1]
            if one and other and (word := self._around(one, other)) is not None:
                joined[place : place + 2] = word, NOTHING
                known[place : place + 2] = True, True
        return joined

    def _letters_joined(self, tokens: Sequence[str], cut: Sequence[bool] | None) -> list[str]:
        """With what the analyser left of letters set apart, since one of them may be a word of its own: those in a row
        that are a word."""
        joined = list(tokens)
        if not self._is_indic and _TWO_LETTERS not in bytes(map(len, joined)):
            return joined  # nearly all posts
        for begin, end in _rows([_ONE_LETTER.fullmatch(one) is not None for one in tokens], cut):
            joined[begin:end] = self._row_joined(tokens[begin:end])
        return joined

    def _row_joined(self, letters: Sequence[str]) -> list[str]:
        def is_word(begin: int, end: int) -> bool:
            if end - begin == 1:
                return True
            if "".join(letters[begin:end]) not in self._words:
                return False
            if letters[begin] < _MARKS_FROM:
                return end - begin >= _FEWEST_LETTERS
            return not AKSHARA_WORDS.issuperset(letters[begin:end])

        ends = _ends_of_fewest(len(letters), is_word, self._longest) or range(1, len(letters) + 1)
        pieces = pairwise((0, *ends))
        return [part for one, end in pieces for part in ("".join(letters[one:end]), *[NOTHING] * (end - one - 1))]

    def _around(self, one: str, other: str) -> str | None:
        length = len(one) + len(other)
        for hidden in range(1, _MOST_HIDDEN + 1 if one[0] >= _MARKS_FROM else 2):
            for word in self._bounds.get((one[0], other[-1], length + hidden), ()):
                if word.startswith(one) and word.endswith(other):
                    return word
        return None


def _swapped(token: str) -> Iterator[str]:
    """With two neighbours behind the first letter in each other's place."""
    letters = _AKSHARA.findall(token)
    for place in range(1, len(letters) - 1):
        yield "".join((*letters[:place], letters[place + 1], letters[place], *letters[place + 2 :]))


def _doubled(token: str, some: str = "") -> Iterator[str]:
    """With one letter twice, of `some` or any."""
    for place, letter in enumerate(token):
        if letter not in (some or letter) or letter in token[max(0, place - 1) : place] + token[place + 1 : place + 2]:
            continue
        yield token[:place] + letter + token[place:]


def _rows(is_letter: Sequence[bool], cut: Sequence[bool] | None) -> Iterator[tuple[int, int]]:
    """Where letters stand in a row, all with a sign between them or all with blanks: rows of two and more, from one
    place to another. The last letter of a row may be the first of the next one (`l'u r n e`)."""
    begin = 0
    for place in range(len(is_letter) + 1):
        if begin < place < len(is_letter) and is_letter[place]:
            if cut is None or place - begin < 2 or cut[place - 1] == cut[begin]:
                continue
            if place - begin > 2:
                yield begin, place - 1
            begin = place - 1
        else:
            if 2 <= place - begin <= _LONGEST_SPLIT and is_letter[begin]:
                yield begin, place
            begin = place if place < len(is_letter) and is_letter[place] else place + 1


def _fewest(letters: str, is_word: Callable[[int, int], bool], longest: int) -> list[str]:
    """The pieces of the letters that are words, as few as can be; none where they cannot all be read."""
    ends = _ends_of_fewest(len(letters), is_word, longest)
    return [letters[begin:end] for begin, end in pairwise((0, *ends))]


def _ends_of_fewest(many: int, is_word: Callable[[int, int], bool], longest: int) -> list[int]:
    """Where the fewest words end that so many letters can be cut into, of as few the longest first; none where there is
    no way. A word has `longest` letters at most."""
    best: list[list[int] | None] = [None] * many + [[]]
    for begin in range(many - 1, -1, -1):
        for end in range(min(begin + longest, many), begin, -1):
            rest, found = best[end], best[begin]
            if rest is not None and (found is None or len(rest) + 1 < len(found)) and is_word(begin, end):
                best[begin] = [end, *rest]
    return best[0] or []
