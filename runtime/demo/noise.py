"""How people really write: typos, stretched letters, slang, disguised spelling, another language in between."""

from __future__ import annotations

from random import Random

__all__ = ["disguised", "near_copy", "noisy"]

LOOK_ALIKES = str.maketrans({"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х"})
LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"})
SLANG = {"you": "u", "are": "r", "because": "cuz", "please": "pls", "people": "ppl", "que": "q", "porque": "xq"}
SWITCHES = ("en serio", "in any case", "والله", "yalla", "de verdad", "honestly", "inshallah", "oye")
FILLERS = {
    "en": ("", "omg ", "wow ", "guys ", "listen: ", "just heard: "),
    "es": ("", "ojo ", "oigan ", "amigos ", "acabo de oír: "),
    "ar": ("", "يا جماعة ", "انتبهوا ", "سمعت الآن: "),
}


def noisy(text: str, *, rng: Random, sloppiness: float) -> str:
    """`text` as a hurried person types it; `sloppiness` 0 to 1 is how likely each change is."""
    words = text.split(" ")
    if rng.random() < sloppiness:
        words = [SLANG.get(word, word) for word in words]
    if rng.random() < sloppiness and len(words) > 3:
        place = rng.randrange(len(words))
        words[place] = _typo(words[place], rng)
    if rng.random() < sloppiness / 4:
        place = rng.randrange(len(words))
        word = words[place]
        if word and word[-1].isalpha() and word[-1].isascii():
            words[place] = word + word[-1] * rng.randint(2, 5)
    if rng.random() < sloppiness / 5:
        words.append(rng.choice(SWITCHES))
    text = " ".join(words)
    return text.lower() if rng.random() < sloppiness / 3 and text.isascii() else text


def disguised(text: str, *, rng: Random) -> str:
    """`text` with one or two of its longer Latin words spelt to get past a word list."""
    words = text.split(" ")
    places = [n for n, word in enumerate(words) if len(word) >= 4 and word.isascii() and word.isalpha()]
    for place in rng.sample(places, k=min(len(places), rng.randint(1, 2))):
        words[place] = rng.choice((_leet, _look_alike, _zero_width, _spaced))(words[place])
    return " ".join(words)


def near_copy(text: str, *, lang: str, rng: Random) -> str:
    """`text` as it is passed on: a filler before it, a word less, other punctuation, an emoji."""
    text = rng.choice(FILLERS[lang]) + text
    if rng.random() < 0.3:
        text = text.replace("!", "!!").replace(",", "")
    if rng.random() < 0.2:
        text = text + rng.choice((" ‼️", " 🚨", " 👇", " #Velmara2027"))
    return text


def _typo(word: str, rng: Random) -> str:
    if len(word) < 4:
        return word
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _leet(word: str) -> str:
    return word.translate(LEET)


def _look_alike(word: str) -> str:
    return word.translate(LOOK_ALIKES)


def _zero_width(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + "\u200b" + word[middle:]


def _spaced(word: str) -> str:
    return ".".join(word)
