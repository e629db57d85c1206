"""A post as it would read of somebody of the other gender, roughly: for heads whose label does not depend on it.

Hindi verbs agree with who is spoken of, German has a word of its own for a woman who lies, and a corpus may hold more
abuse of women than praise. A head that learns each row in both readings gives endings and pronouns no say. What agrees
with something else as often (German *die*, Hindi *की*) is left alone; now and then a word is read wrongly, which costs
little, as both readings have the same label.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["GENDERED", "other_gender"]

_WORD = re.compile(r"[\w\u0900-\u097F]+")

_HINDI_VERBS = "कर हो जा सक कह दे ले आ बोल चाह रह मान जान लग दिख सुन समझ बन चल मिल पढ़ लिख खा पी सो मर बेच झूठ हँस बता रो"
_HINDI = """
    रही रहा, थी था, गई गया, गयी गया, हुई हुआ, आई आया, चुकी चुका, वाली वाला, अपनी अपना, उसकी उसका, इसकी इसका, मेरी मेरा,
    तेरी तेरा, कैसी कैसा, ऐसी ऐसा, अच्छी अच्छा, बड़ी बड़ा, झूठी झूठा, गंदी गंदा, पगली पागल, निकली निकला, बनी बना, श्रीमती श्री
"""
_HINDI_ENDINGS = ((re.compile(r"([ेए])गी\Z"), r"\1गा"), (re.compile(r"([ेए])गा\Z"), r"\1गी"))

_GERMAN = """
    sie er, ihr ihm, ihre seine, ihren seinen, ihrem seinem, ihres seines, eine ein, diese dieser, jene jener,
    jede jeder, solche solcher, keine kein, frau herr, tante onkel, dame herr, weib kerl
"""
_GERMAN_MEN = """
    idiot lügner heuchler versager verräter verbrecher spinner betrüger hetzer schwätzer nichtskönner politiker
    minister kanzler bürgermeister kandidat präsident bürger freund nachbar lehrer arzt redner sprecher vertreter
    moderator mörder täter dieb gauner schmarotzer ausländer chef führer wähler gegner anhänger demokrat
"""
_GERMAN_ENDINGS = (
    (re.compile(r"(\w{3,}(?:ist|ent|ant))in\Z"), r"\1"),
    (re.compile(r"(\w{3,}(?:ist|ent|ant))\Z"), r"\1in"),
)

_Endings = tuple[tuple[re.Pattern[str], str], ...]


def _pairs(words: str) -> dict[str, str]:
    """Feminine to masculine, of `feminine masculine, …`."""
    women, men = zip(*(pair.split() for pair in words.split(",")), strict=True)
    return dict(zip(women, men, strict=True))


def _either_way(pairs: dict[str, str]) -> dict[str, str]:
    """Both directions; of two feminine forms with one masculine the first comes back."""
    back: dict[str, str] = {}
    for woman, man in pairs.items():
        back.setdefault(man, woman)
    return {**back, **pairs}


def _reader(pairs: dict[str, str], endings: _Endings) -> Callable[[str], str]:
    words = _either_way(pairs)

    def read(word: str) -> str:
        small = word.lower()
        other = words.get(small)
        if other is None:
            other = next((ending.sub(to, small) for ending, to in endings if ending.search(small)), None)
        if other is None:
            return word
        return other.capitalize() if word[:1].isupper() else other

    return read


_READERS = {
    "hi": _reader({**{f"{one}ती": f"{one}ता" for one in _HINDI_VERBS.split()}, **_pairs(_HINDI)}, _HINDI_ENDINGS),
    "de": _reader({**_pairs(_GERMAN), **{f"{man}in": man for man in _GERMAN_MEN.split()}}, _GERMAN_ENDINGS),
}
GENDERED = tuple(_READERS)
"""Languages that can be read so."""


def other_gender(text: str, language: str) -> str:
    """The text with the words changed that agree with a gender. `language` is one of `GENDERED`."""
    read = _READERS[language]
    return _WORD.sub(lambda found: read(found.group()), text)
