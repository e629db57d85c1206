"""In which language is a post? Script first, then CLD2, then a second opinion; `und` when nothing tells.

Code-switching is normal in political posts, so the deployment's languages never filter an answer: they only say whom
to ask again about a text that CLD2 is unsure of.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol
from unicodedata import category, normalize

import pycld2
from msgspec.structs import replace

from classifiers.roster_names import NAME, NOBODY, Read, RosterNames, parts_of
from hustings.query.languages import primary
from hustings.text import all_latin, locate
from hustings.types import Assessment

__all__ = ["UNDETERMINED", "Answer", "LanguageStep", "SecondOpinion", "identify"]

UNDETERMINED = "und"

LONGEST_READ = 1_000
"""Characters that are looked at: more does not change the answer."""
LONGEST_CLEANED = 20_000
"""Characters from which what says nothing is taken out first, so that a row of it does not stand for the post: as many
as are read of a post to find whom it is about."""
FEWEST_LETTERS = 3
"""Below it no language is named, unless by its script: "ok" and "ja" are words of many."""
FEWEST_LETTERS_OF_A_SCRIPT = 2
"""Different ones, to name a language for certain by them: `π`, `ツ` and `ಠ_ಠ` are signs."""
FEWEST_LETTERS_ASKED_AGAIN = 8
"""Below it the second opinion, which always names one of its languages, is not asked."""
MIXED_BELOW = 0.5
"""A text whose main language has a smaller share is mixed."""
SURE_FROM = 0.9
"""The second opinion counts from this probability on."""
DECLARED_ALONE = 0.3
"""How sure it is where nothing but the source tells."""

# What says nothing about a post's language. The caps keep hostile input linear.
_NOISE = re.compile(r"(?:https?://|www\.)\S{1,2000}|[@#][\w.@-]{1,200}|&\w{1,10};|[\x00-\x08\x0b-\x1f\x7f]")
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]")

# Scripts in which one language is written nearly always; CLD2 needs a sentence where this needs a word.
_OWN_SCRIPT = {
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "hy": "\u0530-\u058f",
    "he": "\u0590-\u05ff",
    "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "or": "\u0b00-\u0b7f",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0dff",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f",
    "ka": "\u10a0-\u10ff",
    "km": "\u1780-\u17ff",
    "ko": "\u1100-\u11ff\uac00-\ud7af",
    "ja": "\u3040-\u30ff",
}
# Scripts of several languages: a short text is given to the deployment's only one, if it has just one.
_SHARED_SCRIPT = {
    "ar fa ur ps ckb sd ug": "\u0600-\u06ff\u0750-\u077f",
    "ru uk bg sr mk be kk ky mn tg": "\u0400-\u052f",
    "hi mr ne sa": "\u0900-\u097f",
    "zh": "\u4e00-\u9fff",
    "am ti": "\u1200-\u137f",
}
_SCRIPTS = [(code, re.compile(f"[{letters}]+")) for code, letters in (_OWN_SCRIPT | _SHARED_SCRIPT).items()]


class _ScriptOf(dict[str, int]):
    """The place in `_SCRIPTS` of each character met so far; -1 for all others."""

    def __missing__(self, character: str) -> int:
        places = (place for place, (_, pattern) in enumerate(_SCRIPTS) if pattern.match(character))
        place = self[character] = next(places, -1)
        return place


_SCRIPT_OF = _ScriptOf()


class _Letters(dict[int, str]):
    """Each letter and mark met so far as itself, what is invisible as nothing, and all else as a blank."""

    def __missing__(self, code: int) -> str:
        kind = category(chr(code))
        letter = self[code] = chr(code) if kind[0] in "LM" else "" if kind == "Cf" else " "
        return letter


_LETTERS = _Letters()
_BEYOND_LATIN = re.compile("[\u0370-\u1cff\u1f00-\u1fff\u2e80-\ud7ff]")

_BEYOND_LATIN_LANGUAGES = frozenset(code for codes in _OWN_SCRIPT | _SHARED_SCRIPT for code in codes.split()) - {"sr"}


class Answer(NamedTuple):
    """A code that `hustings.query.languages.primary` gives, or `und`, and how sure that is."""

    language: str
    score: float


class SecondOpinion(Protocol):
    """Whoever is asked about texts that CLD2 is unsure of."""

    def __call__(self, text: str) -> Answer: ...


class LanguageStep:
    """Writes `lang` and `lang_score`. What the people and parties are called who are watched tells nothing: none of
    these `names` is read, so that no post leaves its language for where a name comes from."""

    name = "language"
    version = f"cld2-{pycld2.VERSION}"

    def __init__(self, languages: Sequence[str] = (), names: RosterNames = NOBODY) -> None:
        self._names = names
        self._languages = frozenset(map(primary, languages)) - {""}
        self._ask = _Langid(sorted(self._languages))

    @classmethod
    def opened(cls, languages: Sequence[str], names: RosterNames = NOBODY) -> LanguageStep:
        """With the second opinion on its way into memory, where it is needed as soon as CLD2 is unsure of a post."""
        step = cls(languages, names)
        step._ask.load_ahead()
        return step

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        answers = [self._answer(assessment) for assessment in assessments]
        return [
            replace(assessment, lang=answer.language, lang_score=answer.score)
            for assessment, answer in zip(assessments, answers, strict=True)
        ]

    def _answer(self, assessment: Assessment) -> Answer:
        """What the text tells; where it tells nothing, what the analyser's words do, which see through disguises."""
        read = self._names.without(assessment.title_tokens, assessment.tokens)
        text, declared = _text(assessment, read), assessment.post.lang
        answer = identify(text, declared, self._languages, self._ask)
        if answer.language != UNDETERMINED and answer.score > DECLARED_ALONE:
            return answer
        is_other = assessment.removed > 0 or len(text) > LONGEST_READ
        words = _words(read.tokens, text[:LONGEST_CLEANED], is_other=is_other)
        again = _by_words(words, primary(declared), self._languages, self._ask)
        return again if again.language != UNDETERMINED else answer


def _text(assessment: Assessment, read: Read) -> str:
    """Title and text as they are written, without names."""
    post = assessment.post
    if NAME not in read.tokens:
        return f"{post.title}\n{post.text}" if post.title else post.text
    kept = {origin for token, origin in zip(read.tokens, read.origins, strict=True) if token != NAME}
    titled = len(assessment.title_tokens)
    hidden = [place for place in range(titled + len(assessment.tokens)) if place not in kept]
    title = _blanked(post.title, [place for place in hidden if place < titled])
    return f"{title}\n{_blanked(post.text, [place - titled for place in hidden if place >= titled])}"


def _blanked(text: str, tokens: Sequence[int]) -> str:
    """The text without the words of these tokens."""
    spans = locate(text).spans if tokens else ()
    kept: list[str] = []
    done = 0
    for start, end in (spans[place] for place in tokens):
        if end > done:  # else a part of a tag that went whole
            kept += (text[done:start], " " * (end - max(start, done)))
            done = end
    return "".join((*kept, text[done:]))


def _words(tokens: tuple[str, ...], text: str, *, is_other: bool) -> str:
    """Each distinct word of the text once: said forty times, a word is no more of a language. Tags are their words,
    handles none; a sign of one letter (`π`, `ツ`) is no word. Nothing unless the analyser made other words (`is_other`)
    of what is written, or most of them are said again: the same words tell the same."""
    written = _written(text)
    words: dict[str, None] = {}
    said = place = 0
    while place < len(tokens):
        token = tokens[place]
        if len(token) > 1 and token[0] == "@":
            place = parts_of(tokens, place).stop
            continue
        place += 1
        if len(token) > 1 and token[0] == "#":
            is_other = True
        elif len(token) > 1 and token[0].isalpha():
            said += 1
            words[written.get(token, token)] = None
            is_other = is_other or token not in written
    return " ".join(words)[:LONGEST_READ] if is_other or 2 * len(words) <= said else ""


def _written(text: str) -> dict[str, str]:
    """How the words of a text are written, by what the analyser makes of them where that leaves accents out only:
    without them a language is mistaken for others. Of a letter with several marks nothing is kept."""
    words = dict.fromkeys(normalize("NFC", text.lower()).translate(_LETTERS).split())
    folded = ((word, "".join(map(_unaccented, word))) for word in words)
    return {plain: word for word, plain in folded if len(plain) == len(word)} | dict(zip(words, words, strict=True))


def _unaccented(letter: str) -> str:
    return normalize("NFD", letter)[0]


def identify(text: str, declared: str, languages: frozenset[str], ask: SecondOpinion) -> Answer:
    """The language of `text`. `declared` is what the source says, believed only where the text tells nothing
    else; never raises, whatever the text holds."""
    text = _shortened(_without_noise(text[:LONGEST_CLEANED]))
    if not text.isascii() and (latin := all_latin(text.lower()))[1]:
        text = latin[0]  # a word in another alphabet's look-alikes hides no post from its language's models
    by_script = UNDETERMINED
    if not text.isascii() and _BEYOND_LATIN.search(text):
        by_script, certain = _by_script(text, languages)
        if certain:
            return Answer(by_script, 1.0)
    return _by_words(text, primary(declared), languages, ask, by_script)


def _without_noise(text: str) -> str:
    """The text with a space for whatever says nothing. Most texts hold no sign of such and are not searched further."""
    if "@" in text or "#" in text or "://" in text or "www." in text or "&" in text or not text.isprintable():
        return _NOISE.sub(" ", text)
    return text


def _shortened(text: str) -> str:
    """What is looked at of a text. Of a long one the letters: a thousand dots in front would stand for all of it."""
    if len(text) <= LONGEST_READ:
        return text
    return " ".join(text.translate(_LETTERS).split())[:LONGEST_READ]


def _by_words(
    text: str, declared: str, languages: frozenset[str], ask: SecondOpinion, by_script: str = UNDETERMINED
) -> Answer:
    """What CLD2 and the second opinion say, or else the source."""
    letters = _few_letters(text)
    if letters < FEWEST_LETTERS:
        return Answer(UNDETERMINED, 0.0)
    reliable, language, share = _cld2(text, best_effort=False)
    if reliable and language != UNDETERMINED:
        return Answer(language, share) if share >= MIXED_BELOW else Answer(UNDETERMINED, share)
    return _unsure(text, letters, declared, by_script, languages, ask)


def _unsure(
    text: str, letters: int, declared: str, by_script: str, languages: frozenset[str], ask: SecondOpinion
) -> Answer:
    """CLD2 was not sure: two that agree are an answer, be they guesses or what the source says; one guess alone is not.
    Otherwise what a party is called could take a post out of its language. A source that names a language of the
    deployment is believed against a guess: undetermined, the post would be read by nobody."""
    guess = _cld2(text, best_effort=True)[1]
    if by_script != UNDETERMINED:
        return Answer(by_script, 0.5) if guess in (UNDETERMINED, by_script) else Answer(UNDETERMINED, 0.0)
    if guess != UNDETERMINED and guess == declared:
        return Answer(guess, 0.5)
    if letters >= FEWEST_LETTERS_ASKED_AGAIN:
        answer = ask(text)
        if answer.score >= SURE_FROM and (guess == UNDETERMINED or answer.language in (guess, declared)):
            return answer
    too_short_to_contradict = guess == UNDETERMINED or letters < FEWEST_LETTERS_ASKED_AGAIN
    is_ours = declared in languages and not _BEYOND_LATIN.search(text)
    if (too_short_to_contradict or is_ours) and declared and declared not in _BEYOND_LATIN_LANGUAGES:
        return Answer(declared, DECLARED_ALONE)
    return Answer(UNDETERMINED, 0.0)


def _few_letters(text: str) -> int:
    """How many letters there are; a number that is enough once there are enough."""
    count = sum(map(str.isalpha, text[:24]))
    return count if count >= FEWEST_LETTERS_ASKED_AGAIN else sum(map(str.isalpha, text))


def _by_script(text: str, languages: frozenset[str]) -> tuple[str, bool]:
    """The language that the script tells, and whether it tells for certain. Marks count as letters, since many scripts
    write their vowels so; digits, currency and other signs of a script do not: `৳ 500` is in no language."""
    letters = sum(map(str.isalpha, text))
    for place in sorted({_SCRIPT_OF[character] for character in set(text)} - {-1}):
        codes, pattern = _SCRIPTS[place]
        of_script = "".join(pattern.findall(text))
        its_letters = sum(map(str.isalpha, of_script))
        marks = sum(of_script.count(sign) for sign in set(of_script) if category(sign).startswith("M"))
        if (its_letters + marks) / max(letters + marks, 1) < MIXED_BELOW:
            continue
        own = codes.split()
        if len(own) == 1:
            is_word = sum(map(str.isalpha, set(of_script))) >= FEWEST_LETTERS_OF_A_SCRIPT
            return codes, is_word and (codes != "zh" or not _has_kana(text))
        spoken = [code for code in own if code in languages]
        return (spoken[0], False) if len(spoken) == 1 else (UNDETERMINED, False)
    return UNDETERMINED, False


def _has_kana(text: str) -> bool:
    return any("\u3040" <= character <= "\u30ff" for character in text)


def _cld2(text: str, *, best_effort: bool) -> tuple[bool, str, float]:
    """(reliable, language, share of the text). CLD2 refuses some code points, which are then blanked."""
    try:
        reliable, _, found = pycld2.detect(text, isPlainText=True, bestEffort=best_effort)
    except (pycld2.error, UnicodeEncodeError):
        try:
            readable = _UNREADABLE.sub(" ", text)
            reliable, _, found = pycld2.detect(readable, isPlainText=True, bestEffort=best_effort)
        except (pycld2.error, UnicodeEncodeError):
            return False, UNDETERMINED, 0.0
    _, tag, percent, _ = found[0]
    language = primary(tag)
    return (reliable, language, percent / 100) if language else (False, UNDETERMINED, 0.0)


class _Langid:
    """py3langid. It always has an answer, so one counts only if it is a language of the deployment, ahead of all others
    and by far ahead of the deployment's others. Its model, one for the whole process, takes 0.6 s to load: beside other
    work from `load_ahead` on, else when it is first asked."""

    _loading = threading.Lock()
    _model: ClassVar[_Model | None] = None

    def __init__(self, languages: Sequence[str]) -> None:
        self._wanted = frozenset(languages)

    def load_ahead(self) -> None:
        if _Langid._model is None:
            threading.Thread(target=self._loaded, name="load-langid", daemon=True).start()

    def _loaded(self) -> _Model:
        with _Langid._loading:
            if _Langid._model is None:
                _Langid._model = _load_langid()
            return _Langid._model

    def __call__(self, text: str) -> Answer:
        ranked = (self._model or self._loaded()).rank(text)
        tag, best = ranked[0]
        language = primary(tag)
        if not language or (self._wanted and language not in self._wanted):
            return Answer(UNDETERMINED, 0.0)
        among = sum(score for other, score in ranked if not self._wanted or other in self._wanted)
        return Answer(language, round(float(best / among), 4))


class _Model(Protocol):
    def rank(self, text: str) -> Sequence[tuple[str, float]]: ...


def _load_langid() -> _Model:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model: _Model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return model
