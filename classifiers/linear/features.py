"""Tokens to hashed n-grams, a whole batch at once, without a Python loop over words.

Character n-grams of 2 to 5 stay inside " word " (scikit-learn calls this `char_wb`); words and pairs of neighbouring
words have their own half of the buckets. Everything is an array over the *positions* of one string in which all posts
stand one after the other, so a feature belongs to the character where it begins, and a reason can be shown for a score.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.roster_names import NAME

__all__ = [
    "BUCKETS",
    "CHARACTER_SIZES",
    "HASH_SEED",
    "NOTHING",
    "Features",
    "HashKey",
    "WordFeatures",
    "features",
    "first_words",
    "paired",
    "word_features",
]

HASH_SEED = 20261018
"""The hash key of every head that is trained: heads of one language are scored in one pass, so they share it. What
training draws at random has a seed of its own."""

CHARACTER_BUCKETS = 1 << 18
WORD_BUCKETS = 1 << 18
BUCKETS = CHARACTER_BUCKETS + WORD_BUCKETS
"""2^16 instead of 2^18 cost .003 to .006 of PR-AUC when tried."""
NOTHING = BUCKETS
"""The bucket of a position where no n-gram begins. Its weight is 0."""
CHARACTER_SIZES = (2, 3, 4, 5)

_SHIFT = np.uint32(14)  # keeps the top 18 of 32 bits
_MIX_1 = np.uint32(0x85EBCA6B)
_MIX_2 = np.uint32(0xC2B2AE35)
_LONGEST_WORD = 1024  # powers at hand; the analyser's tokens have 255 characters at most

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Index = NDArray[np.intp]


class HashKey(NamedTuple):
    """Numbers that the hash depends on, all made from one seed. A model is worthless under another key."""

    multiplier: np.uint32
    powers: U32
    salts: tuple[np.uint32, ...]

    @classmethod
    def from_seed(cls, seed: int) -> HashKey:
        """Odd multiplier and one salt per kind of n-gram (SplitMix64 of `seed`)."""
        return _key_of(seed)


class WordFeatures(NamedTuple):
    """Buckets of words by themselves; words of the same letters have the same.

    `characters[k][i]` is the bucket of the n-gram of `CHARACTER_SIZES[k]` that begins at position i, `NOTHING` where
    there is none; `words[w]` is that of word w. Word w owns the positions `starts[w]:starts[w + 1]` (the blank before
    it and its characters), and `sizes[w]` counts its features. `hashes[w]` is what `words[w]` and the buckets of its
    pairs are made of. `names` are the places of `NAME`, which has as many features as any word of its length, but all
    their buckets are `NOTHING`.
    """

    characters: tuple[Index, ...]
    hashes: U32
    words: Index
    starts: Index
    sizes: I64
    names: Index


class Features(NamedTuple):
    """Buckets of a batch of posts: those of `WordFeatures`, and in `pairs[w]` that of word w with its successor in the
    same post, `NOTHING` where there is none.

    Post p owns the words `first_word[p]:first_word[p + 1]`. `sizes[w]` counts the features that begin in word w. The
    neighbours of a `NAME` have pairs with it, but their buckets are `NOTHING` too.
    """

    characters: tuple[Index, ...]
    words: Index
    pairs: Index
    starts: Index
    first_word: Index
    sizes: I64


def features(posts: Sequence[Sequence[str]], key: HashKey) -> Features:
    """Buckets of the tokens of each post. Tokens hold no white space; a post may have no token."""
    first_word = first_words(posts)
    alone = word_features(list(chain.from_iterable(posts)), key)
    pairs, sizes = paired(alone.hashes, alone.sizes, alone.names, first_word, key)
    return Features(alone.characters, alone.words, pairs, alone.starts, first_word, sizes)


def first_words(posts: Sequence[Sequence[str]]) -> Index:
    """Where the words of each post begin among those of all posts, and behind the last post their number."""
    counts = np.fromiter(map(len, posts), dtype=np.intp, count=len(posts))
    return np.concatenate((np.zeros(1, dtype=np.intp), np.cumsum(counts)))


def word_features(words: Collection[str], key: HashKey) -> WordFeatures:
    """Buckets of each word by itself."""
    if not words:
        nothing = np.zeros(0, dtype=np.intp)
        return WordFeatures((nothing,) * 4, nothing.astype(np.uint32), nothing, nothing, nothing, nothing)
    text = f" {' '.join(words)} "
    codes = _codes(text)
    blanks = np.flatnonzero(codes == ord(" "))
    starts, lengths = blanks[:-1], np.diff(blanks)  # a length counts the blank before the word
    to_end = np.repeat(blanks[1:], lengths) - np.arange(blanks[-1])
    hashes = _word_hashes(codes, starts, lengths, key)
    whole = _mixed(hashes + key.salts[4]).astype(np.intp) + CHARACTER_BUCKETS
    sizes = sum(np.maximum(lengths + 2 - size, 0) for size in CHARACTER_SIZES) + 1
    characters = tuple(_character_buckets(codes, to_end, key))
    names = np.flatnonzero(codes[starts + 1] == ord(NAME[0])) if NAME in text else np.zeros(0, dtype=np.intp)
    _silence(names, starts, characters, whole)
    return WordFeatures(characters, hashes, whole, starts, sizes, names)


def paired(hashes: U32, sizes: I64, names: Index, first_word: Index, key: HashKey) -> tuple[Index, I64]:
    """The bucket of each word with its successor in the same post, and `sizes` with these features among them; both
    from what is known of the words by themselves."""
    pairs = np.full(len(hashes), NOTHING, dtype=np.intp)
    pairs[:-1] = _mixed(hashes[:-1] * key.multiplier + hashes[1:] + key.salts[5]) + CHARACTER_BUCKETS
    last_words = first_word[1:][np.diff(first_word) > 0] - 1
    pairs[last_words] = NOTHING
    together = sizes + 1
    together[last_words] -= 1
    if len(names):
        pairs[names] = NOTHING
        pairs[names[names > 0] - 1] = NOTHING
    return pairs, together


def _silence(names: Index, starts: Index, characters: tuple[Index, ...], words: Index) -> None:
    if not len(names):
        return
    words[names] = NOTHING
    begin, length = starts[names], len(NAME) + 1
    for buckets in characters:
        buckets[(begin[:, None] + np.arange(length)).ravel()] = NOTHING


def _codes(text: str) -> U32:
    if text.isascii():
        return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.uint32)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)


def _character_buckets(codes: U32, to_end: Index, key: HashKey) -> list[Index]:
    """Rolling polynomial: each size is made of the one before it with one multiplication and one addition."""
    positions = len(to_end)
    near_end = np.minimum(to_end, CHARACTER_SIZES[-1]).astype(np.uint8)  # bytes are compared fastest
    rolling = codes
    found = []
    for size, salt in zip(CHARACTER_SIZES, key.salts, strict=False):
        rolling = rolling[:-1] * key.multiplier  # empty once the text is shorter than `size`
        rolling += codes[size - 1 :]
        fitting = rolling[:positions]
        buckets = np.empty(positions, dtype=np.intp)
        buckets[: len(fitting)] = _mixed(fitting + salt)
        buckets[len(fitting) :] = NOTHING
        if size > CHARACTER_SIZES[0]:
            np.copyto(buckets, NOTHING, where=near_end < size - 1)
        found.append(buckets)
    return found


def _word_hashes(codes: U32, starts: Index, lengths: Index, key: HashKey) -> U32:
    place = np.arange(starts[-1] + lengths[-1]) - np.repeat(starts, lengths)
    weighted = codes[: len(place)] * key.powers[place % _LONGEST_WORD]
    hashes: U32 = np.add.reduceat(weighted, starts, dtype=np.uint32)
    return hashes


def _mixed(hashes: U32) -> U32:
    """Spreads what a polynomial leaves together (MurmurHash3's finaliser), in place, and keeps the top bits."""
    shifted = hashes >> np.uint32(16)
    hashes ^= shifted
    hashes *= _MIX_1
    np.right_shift(hashes, np.uint32(13), out=shifted)
    hashes ^= shifted
    hashes *= _MIX_2
    hashes >>= _SHIFT
    return hashes


@lru_cache(maxsize=8)  # a process has one hash key, or a few while models change
def _key_of(seed: int) -> HashKey:
    numbers = [np.uint32(_split_mix(seed, step) >> 32) for step in range(len(CHARACTER_SIZES) + 3)]
    multiplier = numbers[0] | np.uint32(1)
    factors = np.full(_LONGEST_WORD, multiplier, dtype=np.uint32)
    factors[0] = 1
    powers = np.cumprod(factors, dtype=np.uint32)
    powers.flags.writeable = False
    return HashKey(multiplier, powers, tuple(numbers[1:]))


def _split_mix(seed: int, step: int) -> int:
    mask = (1 << 64) - 1
    number = (seed + (step + 1) * 0x9E3779B97F4A7C15) & mask
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & mask
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & mask
    return number ^ (number >> 31)
