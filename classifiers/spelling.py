"""Careless and hidden spellings: which word of a language a token stands for.

The analyser repairs what it can without knowing any word (look-alikes, stretched letters, most figures for letters).
Beside a vocabulary more can be told: two neighbours that changed places, figures at a word's edges, a doubled letter
that went with the stretched ones (`looook`: `lok`), a letter behind a sign, at which the analyser cut the word in two
(`fr*ud`: `fr`, `ud`), and which words letters without blanks are. A token that is a word itself is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from classifiers.letter_rows import Gap, fewest_pieces, is_letter, rows_of_letters
from classifiers.memory import Memory
from hustings.errors import ModelError
from hustings.text.characters import AKSHARA_WORDS, INDIC, INDIC_MARKS, VIRAMAS

__all__ = ["IN_A_TAG", "NOTHING", "SET_APART", "WORDS_FILE", "Spelling", "pack_words"]

WORDS_FILE = "words.txt"
"""The file of a model with the words of its language, one a line."""

NOTHING = ""
"""Stands in place of a token that belongs to the word before it."""
IN_A_TAG = 2
"""Letters of a word among those of a tag that is written without capitals."""
SET_APART = 4
"""The same among letters that were set apart and joined as one: a rare word may look like two short ones."""
_SHORTEST = 4
"""Letters of a token that may be a slip."""
_FEWEST_APART = 3
"""Letters of a word among letters set apart, and of what is left when a word of one letter is taken away."""
_SHORTEST_SWAPPED_ARABIC = 5
"""Shorter words of Arabic, written without vowels, are too many beside each other. In other scripts one in ten thousand
words is read as another (`prat`, `part`)."""
_SHORTEST_DOUBLED = 6
"""With a letter twice too many short words are others (`god`, `good`)."""
_FIGURES = str.maketrans("0134579@$!", "oieastgasi")
_HIDDEN_TWICE = re.compile(r"(?![0-9a-f]+\Z)(?=(?:[^a-z]*[a-z]){3}).*[a-z][0134579@$!]+[a-z]+[0134579@$!]+[a-z]")
"""What hardly anybody writes who does not hide a word: figures between letters twice, at least three letters, and
others than those of hexadecimal figures (`c0n73st0n4`) …"""
_DURATION = re.compile(r"(?:\d+[a-z]{1,4})+\d*")
"""… or of a duration (`10h30m15s`)."""
_MOST_HIDDEN = 4
"""Characters that one sign may hide: a Devanagari letter has its marks with it. In other scripts it is one."""
_MARKS_FROM = "\u0900"
_LONGEST_SPLIT = 60
"""Letters of a tag, or set apart: longer tags are left as they are, longer rows are read in pieces."""
_SHORTEST_SPLIT = 8
"""Letters of a tag: shorter ones may be anything, names above all."""
_ONE_LONG = 4
"""Letters that one word of a tag has at least."""
_LETTERS_OF_A_WORD = 3
"""Of the words of a tag, on an average: nearly anything can be spelt with shorter ones."""
_AT_FRONT, _AT_END = frozenset("aeiouyو"), frozenset("aeoy")
"""Words of one letter that may have gone together with the one behind or before them."""
_AKSHARA = re.compile(f"[{INDIC}](?:[{INDIC_MARKS}]|(?<=[{VIRAMAS}])[{INDIC}])*|.")
"""What is written as one letter in an Indic script; in others a letter."""
_BARE = re.compile(f"[{INDIC}]")
_TAG = "#"
_BETWEEN = str.maketrans("", "", "#_")


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
        self._meant = Memory(self._word)
        self._right = Memory(self._main_word)
        self._cut = Memory(self._around)
        self._parts = Memory(self.split)

    @cached_property
    def _bounds(self) -> dict[tuple[str, str, int], list[str]]:
        """Words by their first and last letter and their length, of which a sign may hide some letters."""
        bounds: dict[tuple[str, str, int], list[str]] = {}
        for word in sorted(one for one in self._words if len(one) >= _SHORTEST):
            bounds.setdefault((word[0], word[-1], len(word)), []).append(word)
        return bounds

    def knows(self, token: str) -> bool:
        """Whether the token is a word itself."""
        return token in self._words

    def word(self, token: str) -> str:
        """The word that this token stands for; where it is none that is known, the token itself, or what its figures
        hide."""
        return self._meant[token]

    def _word(self, token: str) -> str:
        if not _SHORTEST <= len(token) <= self._longest + 1 or token in self._words:
            return token
        plain = token
        if not token.isalpha() and not token.isdigit():
            plain = token.translate(_FIGURES)
            if plain in self._words:
                return plain
            hides = plain.isalpha() and _HIDDEN_TWICE.match(token) and not _DURATION.fullmatch(token)
            plain = plain if hides else token
        if len(token) < _SHORTEST_SWAPPED_ARABIC and "\u0600" <= token[0] <= "\u06ff":
            return token
        if (found := self._first(_swapped(plain))) is not None:
            return found
        found = self._first(_doubled(plain)) if len(plain) >= _SHORTEST_DOUBLED else None
        return plain if found is None else found

    def _first(self, words: Iterator[str]) -> str | None:
        return next((word for word in words if word in self._words), None)

    def respelt(self, tokens: Sequence[str]) -> Sequence[str]:
        """For a head that counts words: the words that the tokens stand for, `NOTHING` behind one that had been cut,
        without a word of one letter that went together with one (`acow`, of letters set apart)."""
        return [word and self._right[word] for word in self.rejoin(tokens)]

    def said(self, tokens: Sequence[str]) -> Sequence[str]:
        """The same with the words of tags one by one: there may be more words than tokens."""
        read = self.respelt(tokens)
        if _TAG not in "".join([token[:1] for token in tokens]):
            return read
        words: list[str] = []
        rest = begun = ""  # what is left of a tag's letters; the `f` of `#f r a u d`, which the analyser took for a tag
        for token, word in zip(tokens, read, strict=True):
            is_part = bool(rest) and rest.startswith(token)
            parts = self._parts[begun + token] if (is_part or begun) and token not in self._words else []
            if begun and parts:
                words.pop()
            words += parts or (word,)
            begun = token if is_part and token == rest and len(token) == 1 else ""
            rest = rest[len(token) :] if is_part else token.translate(_BETWEEN) if token[:1] == _TAG else ""
        return words

    def _main_word(self, token: str) -> str:
        word = self.word(token)
        if not _SHORTEST <= len(token) <= self._longest + 2 or word != token or token in self._words:
            return word
        front, end = token[0] in _AT_FRONT, token[-1] in _AT_END
        for rest in (token[front:], token[: len(token) - end], token[front : len(token) - end]):
            if len(rest) >= _FEWEST_APART and rest in self._words:
                return rest
        return token

    def split(self, letters: str, shortest: int = IN_A_TAG) -> list[str]:
        """The fewest words that letters written without blanks are, one where they are a word; none where they cannot
        all be read. Of several, words have so many letters at least, those at the ends one or as many; one that has
        only such words of one letter beside it may have three."""
        if letters in self._words:
            return [letters]
        if len(letters) > _LONGEST_SPLIT or (shortest == IN_A_TAG and len(letters) < _SHORTEST_SPLIT):
            return []

        def is_word(begin: int, end: int) -> bool:
            word = letters[begin:end]
            if word not in self._words:
                return False
            if (begin == 0 or end == len(letters)) and is_letter(word):
                return True
            is_alone = begin <= 1 and end >= len(letters) - 1
            return len(word) >= (min(shortest, _FEWEST_APART) if is_alone else shortest)

        ends = fewest_pieces(len(letters), is_word, self._longest)
        words = [letters[begin:end] for begin, end in pairwise((0, *ends))]
        if shortest == IN_A_TAG and words:
            is_like_words = len(letters) >= _LETTERS_OF_A_WORD * len(words) and max(map(len, words)) >= _ONE_LONG
            return words if is_like_words else []
        return words

    def rejoin(self, tokens: Sequence[str], gaps: Sequence[Gap] | None = None) -> list[str]:
        """The tokens with words that a sign had cut in two, or blanks into letters, in one piece again, and `NOTHING`
        behind each. `gaps` says what stands behind each token; columns have tokens alone and give none: then a sign may
        stand behind each."""
        joined = self._letters_joined(tokens, gaps)
        known = list(map(self._words.__contains__, joined))
        for place in range(len(joined) - 1):
            if (known[place] and known[place + 1]) or (gaps is not None and gaps[place] != "sign"):
                continue
            one, other = joined[place], joined[place + 1]
            if one and other and (word := self._cut[one, other]) is not None:
                joined[place : place + 2] = word, NOTHING
                known[place : place + 2] = True, True
        return joined

    def _letters_joined(self, tokens: Sequence[str], gaps: Sequence[Gap] | None) -> list[str]:
        """With what the analyser left of letters set apart, since one of them may be a word of its own: those in a row
        that are a word."""
        joined = list(tokens)
        if not self._is_indic and [*map(len, tokens)].count(1) < _FEWEST_APART:
            return joined  # most posts
        for begin, end in rows_of_letters(tokens, gaps, _LONGEST_SPLIT):
            joined[begin:end] = self._row_joined(tokens[begin:end])
        return joined

    def _row_joined(self, letters: Sequence[str]) -> list[str]:
        def is_word(begin: int, end: int) -> bool:
            if end - begin == 1:
                return True
            if "".join(letters[begin:end]) not in self._words:
                return False
            return end - begin >= _FEWEST_APART if letters[begin] < _MARKS_FROM else self._is_cut(letters[begin:end])

        ends = fewest_pieces(len(letters), is_word, self._longest)
        pieces = pairwise((0, *ends))
        return [part for one, end in pieces for part in ("".join(letters[one:end]), *[NOTHING] * (end - one - 1))]

    def _is_cut(self, letters: Sequence[str]) -> bool:
        """Whether letters of an Indic script are no words by themselves, as half of a sentence may be: of two, one is a
        bare consonant; of more, one is no word."""
        if len(letters) == 2:
            return any(_BARE.fullmatch(one) and one not in AKSHARA_WORDS for one in letters)
        return any(one not in AKSHARA_WORDS and one not in self._words for one in letters)

    def _around(self, parts: tuple[str, str]) -> str | None:
        one, other = parts
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


def _doubled(token: str) -> Iterator[str]:
    """With one letter twice that is not beside itself."""
    for place, letter in enumerate(token):
        if letter not in token[max(0, place - 1) : place] + token[place + 1 : place + 2]:
            yield token[:place] + letter + token[place:]
