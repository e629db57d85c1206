"""A post as it would read of somebody of the other gender, or of one alone, roughly: for what should not depend on it.

Hindi verbs agree with who is spoken of, German has a word of its own for a woman who lies, and a corpus may hold more
abuse of women than praise. A head that learns each row in both readings gives endings and pronouns no say. What agrees
with something else as often (German *die*, Hindi *की*) is left alone; now and then a word is read wrongly, which costs
little, as both readings have the same label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["GENDERED", "one_gender", "other_gender"]

_WORD = re.compile(r"[\w\u0900-\u097F\u064B-\u0652]+")

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

_ENGLISH = """
    she he, her his, hers his, herself himself, woman man, women men, girl boy, mother father, mum dad, mom dad,
    daughter son, wife husband, sister brother, aunt uncle, lady gentleman, mrs mr, ms mr, madam sir,
    chairwoman chairman, councilwoman councilman, congresswoman congressman, spokeswoman spokesman,
    policewoman policeman, queen king
"""
_SPANISH = """
    ella él, ellas ellos, mujer hombre, mujeres hombres, señora señor, sra sr, doña don, chica chico, madre padre,
    hija hijo, esposa esposo, hermana hermano, candidata candidato, candidatas candidatos, alcaldesa alcalde,
    diputada diputado, senadora senador, presidenta presidente, ministra ministro, gobernadora gobernador,
    concejala concejal, jueza juez, funcionaria funcionario, opositora opositor, vecina vecino, doctora doctor,
    profesora profesor, abogada abogado, ingeniera ingeniero, electa electo, elegida elegido, detenida detenido,
    acusada acusado, muerta muerto, inhabilitada inhabilitado, corrupta corrupto, ladrona ladrón, mentirosa mentiroso,
    misma mismo, sola solo
"""
_FRENCH = """
    elle il, elles ils, femme homme, femmes hommes, madame monsieur, mme m, fille garçon, mère père, épouse époux,
    sœur frère, candidate candidat, candidates candidats, députée député, sénatrice sénateur, présidente président,
    conseillère conseiller, mairesse maire, voisine voisin, directrice directeur, élue élu, arrêtée arrêté, morte mort,
    décédée décédé, accusée accusé, voleuse voleur, menteuse menteur, inéligible inéligible, celle celui
"""
_PORTUGUESE = """
    ela ele, elas eles, dela dele, nela nele, mulher homem, mulheres homens, senhora senhor, sra sr, dona seu,
    moça moço, mãe pai, filha filho, esposa esposo, irmã irmão, candidata candidato, candidatas candidatos,
    prefeita prefeito, deputada deputado, senadora senador, presidenta presidente, ministra ministro,
    governadora governador, vereadora vereador, juíza juiz, vizinha vizinho, doutora doutor, professora professor,
    eleita eleito, presa preso, morta morto, acusada acusado, cassada cassado, ladra ladrão, mentirosa mentiroso,
    mesma mesmo, própria próprio, sozinha sozinho
"""
_ARABIC = """
    هي هو, امرأة رجل, المرأة الرجل, نساء رجال, السيدة السيد, سيدة سيد, المرشحة المرشح, مرشحة مرشح, النائبة النائب,
    نائبة نائب, الوزيرة الوزير, وزيرة وزير, الرئيسة الرئيس, رئيسة رئيس, العمدة العمدة, القاضية القاضي, المديرة المدير,
    أم أب, ابنة ابن, أخت أخ, زوجة زوج, أستاذة أستاذ, الدكتورة الدكتور, دكتورة دكتور, انسحبت انسحب, توفيت توفي, ماتت مات,
    فازت فاز, خسرت خسر, سرقت سرق, كاذبة كاذب, فاسدة فاسد, لصة لص, متهمة متهم
"""
_ARTICLES = {
    "es": "la el, una un, las los, esta este, esa ese, nuestra nuestro, della del",
    "fr": "la le, une un, cette ce, sa son, ma mon, notre notre",
    "pt": "a o, uma um, as os, da do, na no, pela pelo, essa esse, esta este, nossa nosso, à ao",
}
"""What agrees with the noun that follows."""

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


class _Words(NamedTuple):
    """Small words to what they are read as, endings of others, and articles that go with the noun after them."""

    words: Mapping[str, str]
    endings: _Endings = ()
    articles: Mapping[str, str] = {}

    def text(self, text: str) -> str:
        """The text, read so."""
        found = list(_WORD.finditer(text))
        read = [self._other(one.group()) for one in found]
        parts, end = [], 0
        for place, (one, other) in enumerate(zip(found, read, strict=True)):
            word = one.group()
            if other is None and self.articles and place + 1 < len(read) and read[place + 1] is not None:
                other = self.articles.get(word.lower())
            parts += [text[end : one.start()], word if other is None else _as_written(other, word)]
            end = one.end()
        return "".join([*parts, text[end:]])

    def _other(self, word: str) -> str | None:
        small = word.lower()
        other = self.words.get(small)
        if other is None:
            other = next((ending.sub(to, small) for ending, to in self.endings if ending.search(small)), None)
        return other


def _as_written(word: str, former: str) -> str:
    return word.capitalize() if former[:1].isupper() else word


class _Readings(NamedTuple):
    """A language in both directions, and from women to men alone."""

    other: _Words
    one: _Words

    @classmethod
    def of(cls, pairs: dict[str, str], *, endings: _Endings = (), articles: str = "") -> _Readings:
        """`pairs` are feminine to masculine, and so is the first of the `endings`."""
        small = _pairs(articles) if articles else {}
        return cls(
            _Words(_either_way(pairs), endings, _either_way(small)),
            _Words(pairs, endings[:1], small),
        )


_LANGUAGES = {
    "hi": _Readings.of(
        {**{f"{one}ती": f"{one}ता" for one in _HINDI_VERBS.split()}, **_pairs(_HINDI)}, endings=_HINDI_ENDINGS
    ),
    "de": _Readings.of(
        {**_pairs(_GERMAN), **{f"{man}in": man for man in _GERMAN_MEN.split()}}, endings=_GERMAN_ENDINGS
    ),
    "en": _Readings.of(_pairs(_ENGLISH)),
    "ar": _Readings.of(_pairs(_ARABIC)),
    "es": _Readings.of(_pairs(_SPANISH), articles=_ARTICLES["es"]),
    "fr": _Readings.of(_pairs(_FRENCH), articles=_ARTICLES["fr"]),
    "pt": _Readings.of(_pairs(_PORTUGUESE), articles=_ARTICLES["pt"]),
}
GENDERED = tuple(_LANGUAGES)
"""Languages that can be read so."""


def other_gender(text: str, language: str) -> str:
    """The text with the words changed that agree with a gender. `language` is one of `GENDERED`."""
    return _LANGUAGES[language].other.text(text)


def one_gender(text: str, language: str) -> str:
    """The text as it would read of men alone; as it is in a language that is none of `GENDERED`."""
    return _LANGUAGES[language].one.text(text) if language in _LANGUAGES else text
