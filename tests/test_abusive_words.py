"""Abusive words that no classifier pointed at are masked for partners as well, in every language."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from alerts.abusive_words import abusive_words
from alerts.redaction import Redactor, masked
from hustings.roster import Roster
from hustings.types import Assessment, Flag, Post, Span

WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)
LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "pt")

ALREADY_SEEN = [  # the posts in which a reviewer found readable slurs
    ("es", "Esa <perra> <malparida>, hija de <puta>, gorda"),
    ("es", "Esta <puta>, <vadia>, <vagabunda>"),
    ("de", "Diese dumme <Schlampe>, eine <Hure> und ein fettes <Schwein>"),
    ("fr", "Cette sale <pute> est une <chienne> et une <traînée>"),
    ("hi", "यह <रंडी>, <कुतिया> और <छिनाल> कुर्सी छोड़े"),
    ("ar", "يا <كلبة> يا <عاهرة> يا <حقيرة>"),
]
SENTENCES = [
    ("ar", "هذه المرشحة <شرموطة> <والقحبة> أختها تعمل معها في البلدية"),
    ("ar", "اخرسي يا <سافلة> فأنت <حثالة> المجلس كله"),
    ("ar", "رئيس الحزب <حمار> وابنه <خنزير> والناس تعرف"),
    ("ar", "من انتخب هذه <الساقطة> هو <معتوه> أو <غبي>"),
    ("ar", "اليوم تكلمت <العانس> <الشمطاء> عن الميزانية أمام الصحافة"),
    ("de", "Gestern hat die <Hexe> im Rat geredet, diese <Dreckshure> gehört abgewählt"),
    ("de", "Sie ist eine <Fotze> und ihr Mann ein <Hurensohn>, sagt der ganze Kreis"),
    ("de", "Wer diese <Tussi> gewählt hat, ist ein <Vollidiot> und ein <Arschloch>"),
    ("de", "Liebe Frau Kessler, Sie sind ein <Miststück> und eine <Nutte> der Baufirmen"),
    ("de", "Am Sonntag wird der <Kanake> abgewählt und die <Emanze> gleich mit"),
    ("en", "She is a <slut> and her deputy is a <bastard>, says the whole county"),
    ("en", "Nobody voted for this <cunt>, only <retards> and <whores> did"),
    ("en", "The mayor is a <skank> who lets every <faggot> and <tranny> on the board"),
    ("en", "Our senator, that old <hag>, is a lying <b.i.t.c.h> and a <m0ron>"),
    ("en", "Today the <feminazi> spoke about schools and the <dickhead> beside her clapped"),
    ("es", "La alcaldesa es una <zorra> y su marido un <maricón> de plaza"),
    ("es", "Quien votó a esta <guarra> es un <gilipollas> o un <pendejo>"),
    ("es", "Hoy habló la <bruja>, una <mujerzuela> que cobra por sesión"),
    ("es", "Sos una <conchuda> y una <yegua>, devolvé la plata del hospital"),
    ("es", "Menuda <furcia> tenemos en obras, vaya <hijaputa> con sueldo"),
    ("fr", "La maire est une <salope> et son adjoint un <connard> de première"),
    ("fr", "Qui a voté pour cette <garce>, des <abrutis> ou des <enculés>"),
    ("fr", "Hier la <poufiasse> a parlé du budget avec son <pédé> de collègue"),
    ("fr", "Vous êtes une <grognasse> madame, une <truie> en tailleur"),
    ("fr", "Cette <pétasse> du conseil, quelle <mégère>, quelle <ordure> aussi"),
    ("hi", "यह औरत <चुड़ैल> है और उसका पति <भड़वा> है"),
    ("hi", "आज <कुतिया> बोली और <हरामज़ादे> ताली बजाते रहे"),
    ("hi", "इस <बदचलन> को वोट देने वाला <चूतिया> या <गधा> है"),
    ("hi", "hamari vidhayak ek <randi> hai aur uska bhai <madarchod> hai"),
    ("hi", "मेयर <कमीनी> है, <बेहया> है, पैसा खा गई"),
    ("pt", "A prefeita é uma <piranha> e o vice um <corno> da cidade"),
    ("pt", "Quem votou nessa <cadela> é um <otário> ou um <babaca>"),
    ("pt", "Ontem falou a <bruxa>, uma <biscate> que vive do povo"),
    ("pt", "Essa deputada <safada> é uma <vaca> e uma <arrombada>"),
    ("pt", "Fora <galdéria> do governo, fora <cabrões> e <filhos-da-puta>"),
]


def excerpt(text: str, lang: str, *, code: str = "A-INSULT", end: int = 1) -> str:
    post = Post(source="t", native_id="1", text=text, published_at=WHEN, collected_at=WHEN)
    flags = (Flag(code=code, score=0.9, spans=(Span(start=0, end=end),)),)
    assessment = Assessment(post=post, lang=lang, first_collected_at=WHEN, flags=flags)
    return Redactor(key="key", roster=Roster(), mask_slurs=True).excerpt(assessment)


def _masked_words(found: re.Match[str]) -> str:
    return re.sub(r"[^\s.\-]+", lambda word: masked(word[0]), found[1])


@pytest.mark.parametrize(("lang", "marked"), ALREADY_SEEN + SENTENCES)
def test_slurs_outside_of_a_flags_spans_are_masked_and_other_words_stay(lang: str, marked: str) -> None:
    """The flag points at the first word alone; slurs stand in brackets."""
    first = len(marked.split()[0])
    shown = re.sub(r"<([^>]*)>", _masked_words, marked[first:])
    assert excerpt(re.sub("[<>]", "", marked), lang, end=first) == masked(marked[:first]) + shown


@pytest.mark.parametrize(
    ("lang", "text"),
    [("en", "I #BitchMayor spoke"), ("en", "I bi\u200btch"), ("en", "I bítch"), ("ar", "I شـ رموطة شـ-ـرمـ-ـوطة")],
)
def test_no_tag_and_no_disguise_that_the_analyser_undoes_hides_a_slur(lang: str, text: str) -> None:
    assert excerpt(text, lang).count("*") >= len("itch")


@pytest.mark.parametrize("code", ["A-THREAT", "G-THR"])
def test_a_threat_stays_readable_but_for_abusive_words(code: str) -> None:
    threat = "We will burn your house down tonight, you bitch"
    assert excerpt(threat, "en", code=code, end=len(threat)) == "We will burn your house down tonight, you b****"
    assert excerpt(threat, "en", code="A-INSULT", end=len(threat)).startswith("W* w*** b***")


def test_a_post_that_is_not_flagged_for_abuse_keeps_its_words() -> None:
    assert (
        excerpt("They called her a bitch at the polls", "en", code="N-PROC") == "They called her a bitch at the polls"
    )


def test_in_a_language_without_words_of_its_own_those_of_all_are_masked() -> None:
    assert excerpt("அவள் bitch puta schlampe", "ta", end=4).endswith("b**** p*** s*******")


def test_there_are_a_hundred_words_for_each_language_and_each_is_one_token() -> None:
    table = tomllib.loads(files("alerts").joinpath("abusive_words.toml").read_text(encoding="utf-8"))
    assert tuple(table) == LANGUAGES
    for language, entry in table.items():
        words = entry["words"].split()
        assert len(words) == len(set(words)) >= 100, language
        assert all(word.rstrip("*") for word in words)
        abusive_words(language)
