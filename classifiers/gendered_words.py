"""Words that agree with the gender of who is spoken of, by language: feminine and masculine, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

__all__ = ["WORDS", "Endings", "Gendered"]

Endings = tuple[tuple[re.Pattern[str], str], ...]


class Gendered(NamedTuple):
    """`pairs` are feminine to masculine; a word that is the same for both only makes the article before it agree.
    `articles` agree with a word of the pairs that follows; before those that are `states` an `esta` is a verb without
    its accent. Of `endings` of words that are no pairs the first leads to the masculine, the second back.
    What follows is read as of men, never the other way round: more pairs, articles and endings, which articles melt
    with the word before them, and what becomes of a word `before` one that matches (Spanish `la` before a verb)."""

    pairs: Mapping[str, str]
    articles: Mapping[str, str] = {}
    states: frozenset[str] = frozenset()
    endings: Endings = ()
    men: Mapping[str, str] = {}
    men_articles: Mapping[str, str] = {}
    men_endings: Endings = ()
    melted: Mapping[tuple[str, str], str] = {}
    before: Mapping[str, tuple[str, re.Pattern[str]]] = {}


def _pairs(words: str) -> dict[str, str]:
    """Feminine to masculine, of `feminine masculine, …`."""
    women, men = zip(*(pair.split() for pair in words.split(",")), strict=True)
    return dict(zip(women, men, strict=True))


def _either(words: str) -> frozenset[str]:
    return frozenset(words.replace(",", " ").split())


def _before(particles: tuple[str, ...], pairs: Mapping[str, str]) -> dict[str, str]:
    """The pairs with each of these particles written before them."""
    return {one + woman: one + man for one, (woman, man) in product(particles, pairs.items())}


_HINDI_VERBS = "कर हो जा सक कह दे ले आ बोल चाह रह मान जान लग दिख सुन समझ बन चल मिल पढ़ लिख खा पी सो मर बेच झूठ हँस बता रो"
_HINDI = """
    रही रहा, थी था, गई गया, गयी गया, हुई हुआ, आई आया, चुकी चुका, वाली वाला, अपनी अपना, उसकी उसका, इसकी इसका, मेरी मेरा,
    तेरी तेरा, कैसी कैसा, ऐसी ऐसा, अच्छी अच्छा, बड़ी बड़ा, झूठी झूठा, गंदी गंदा, पगली पागल, निकली निकला, बनी बना, श्रीमती श्री
"""
_HINDI_MEN = """
    लाई लाया, पाई पाया, मरी मरा, हारी हारा, जीती जीता, बैठी बैठा, पहुँची पहुँचा, पहुंची पहुंचा, भागी भागा, लौटी लौटा, उतरी उतरा,
    चली चला, बची बचा, डरी डरा, पकड़ी पकड़ा, लड़ी लड़ा, दिखी दिखा, लगी लगा, मिली मिला, सकी सका, जाती जाता, होती होता
"""
_HINDI_PEOPLE = """
    महिला पुरुष, औरत पुरुष, पत्नी पति, बेटी बेटा, लड़की लड़का, बहन भाई, माँ पिता, मां पिता, दादी दादा, नानी नाना, चाची चाचा,
    मामी मामा, सास ससुर, अध्यक्षा अध्यक्ष, री रे, अरी अरे, जैसी जैसा, ऐसी ऐसा, इतनी इतना
"""
"""These two are read as of men only: heads learnt without."""
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
    daughter son, wife husband, sister brother, aunt uncle, lady gentleman, ladies gentlemen, mrs mr, ms mr, madam sir,
    chairwoman chairman, councilwoman councilman, congresswoman congressman, spokeswoman spokesman,
    policewoman policeman, queen king, grandmother grandfather, grandma grandpa, niece nephew, female male,
    landlady landlord, widow widower
"""
_SPANISH = """
    ella él, ellas ellos, mujer hombre, mujeres hombres, señora señor, sra sr, doña don, chica chico, madre padre,
    hija hijo, esposa esposo, hermana hermano, candidata candidato, candidatas candidatos, alcaldesa alcalde,
    diputada diputado, senadora senador, presidenta presidente, ministra ministro, gobernadora gobernador,
    concejala concejal, jueza juez, funcionaria funcionario, opositora opositor, vecina vecino, doctora doctor,
    profesora profesor, abogada abogado, ingeniera ingeniero, corrupta corrupto, ladrona ladrón, mentirosa mentiroso,
    misma mismo, criminal criminal, fiscal fiscal, líder líder, dirigente dirigente, representante representante,
    activista activista, nosotras nosotros, vecinas vecinos, diputadas diputados, electora elector, electoras electores,
    delegada delegado, observadora observador, consejera consejero, magistrada magistrado, compañera compañero,
    amiga amigo, tía tío, abuela abuelo, suegra suegro, cuñada cuñado, nieta nieto, traidora traidor
"""
_SPANISH_STATES = """
    electa electo, elegida elegido, reelegida reelegido, detenida detenido, arrestada arrestado, acusada acusado,
    condenada condenado, imputada imputado, procesada procesado, encarcelada encarcelado, muerta muerto,
    fallecida fallecido, asesinada asesinado, hospitalizada hospitalizado, desaparecida desaparecido, enferma enfermo,
    viva vivo, inhabilitada inhabilitado, descalificada descalificado, destituida destituido, derrotada derrotado,
    sola solo, loca loco, cansada cansado, encantada encantado, orgullosa orgulloso, decidida decidido
"""
_SPANISH_MEN = """
    tonta tonto, boba bobo, payasa payaso, tramposa tramposo, estafadora estafador, embustera embustero, burra burro,
    vaga vago, inepta inepto, estúpida estúpido, bruta bruto, necia necio, ridícula ridículo, histérica histérico,
    malvada malvado, maldita maldito, sucia sucio, asquerosa asqueroso, desgraciada desgraciado, descarada descarado,
    rata rata, farsante farsante, idiota idiota, imbécil imbécil, inútil inútil, sinvergüenza sinvergüenza,
    fea feo, gorda gordo, segura seguro, hecha hecho, menuda menudo,
    nacida nacido, inscrita inscrito, acompañada acompañado, casada casado, nombrada nombrado, invitada invitado,
    preparada preparado, callada callado, sentada sentado, tranquila tranquilo, amenazada amenazado, perdida perdido
"""
"""These, as those of French, Portuguese and Arabic, are read as of men only."""
_SPANISH_VERB = re.compile(
    r"(?!(?:mano|foto|radio|moto|modelo|soprano|libido|testigo|piloto|miembro|disco|video|auto|expo|magneto)\Z)"
    r"(?:\w+(?:[aei]mos|[aeo]ron|aban|[aei]remos|[aei]ran|o)|voy|vas?|van|vamos|he|has?|han|mat[ae]n?|quem[ae]n?)\Z"
)
"""Before such a word `la` is her, whom somebody does something to, and no article (few nouns that end so have it)."""
_FRENCH_MEN = """
    idiote idiot, crétine crétin, bouffonne bouffon, tricheuse tricheur, escroc escroc, incapable incapable,
    imbécile imbécile, abrutie abruti, conne con, connasse connard, salope salaud, pourrie pourri, nulle nul,
    vendeuse vendeur, profiteuse profiteur, hypocrite hypocrite, ridicule ridicule, minable minable, traîtresse traître,
    sotte sot, bête bête, laide laid,
    née né, arrivée arrivé, restée resté, enregistrée enregistré, prévenue prévenu, entendue entendu, nommée nommé,
    quelle quel, mariée marié, invitée invité, venue venu, assise assis, prête prêt, seule seul, menacée menacé
"""
_PORTUGUESE_MEN = """
    palhaça palhaço, burra burro, tonta tonto, idiota idiota, imbecil imbecil, vagabunda vagabundo, safada safado,
    ridícula ridículo, incompetente incompetente, inútil inútil, covarde covarde, hipócrita hipócrita,
    vigarista vigarista, trapaceira trapaceiro, estúpida estúpido, nojenta nojento, maldita maldito,
    desgraçada desgraçado, feia feio, gorda gordo, errada errado, nascida nascido, recebida recebido,
    casada casado, nomeada nomeado, convidada convidado, preparada preparado, calada calado, sentada sentado,
    ameaçada ameaçado, perdida perdido
"""
_ARABIC_MEN = """
    غبية غبي, حقيرة حقير, منافقة منافق, فاشلة فاشل, كذابة كذاب, حمقاء أحمق, تافهة تافه, خائنة خائن, نصابة نصاب,
    محتالة محتال, جبانة جبان, قذرة قذر, وقحة وقح, جاهلة جاهل, مجنونة مجنون, بليدة بليد, عديمة عديم, مخطئة مخطئ,
    حية حي, حيا حي, هذه هذا
"""
_ARABIC_VERBS_MEN = "زارت زار, تحدثت تحدث, قدمت قدم, ولدت ولد, فعلت فعل, تكلمت تكلم, وعدت وعد, طلبت طلب"
_FRENCH = """
    elle il, elles ils, femme homme, femmes hommes, madame monsieur, mme m, fille garçon, mère père, épouse époux,
    sœur frère, candidate candidat, candidates candidats, députée député, sénatrice sénateur, présidente président,
    conseillère conseiller, mairesse maire, voisine voisin, directrice directeur, élue élu, arrêtée arrêté, morte mort,
    décédée décédé, accusée accusé, voleuse voleur, menteuse menteur, inéligible inéligible, celle celui,
    réélue réélu, retirée retiré, battue battu, disqualifiée disqualifié, condamnée condamné, inculpée inculpé,
    emprisonnée emprisonné, hospitalisée hospitalisé, assassinée assassiné, rayée rayé, exclue exclu, vendue vendu,
    contente content, fière fier, folle fou, ministre ministre, juge juge, responsable responsable,
    procureure procureur, avocate avocat, adjointe adjoint, corrompue corrompu,
    gouverneure gouverneur, préfète préfet, sortante sortant, électrice électeur, électrices électeurs,
    déléguée délégué, assesseure assesseur, observatrice observateur, citoyenne citoyen, citoyennes citoyens,
    militante militant, tante oncle, cousine cousin, amie ami, nièce neveu, voisines voisins
"""
_PORTUGUESE = """
    ela ele, elas eles, dela dele, delas deles, nela nele, mulher homem, mulheres homens, senhora senhor, sra sr,
    moça moço, mãe pai, filha filho, esposa esposo, irmã irmão, candidata candidato, candidatas candidatos,
    prefeita prefeito, deputada deputado, senadora senador, presidenta presidente, ministra ministro,
    governadora governador, vereadora vereador, juíza juiz, vizinha vizinho, doutora doutor, professora professor,
    ladra ladrão, mentirosa mentiroso, mesma mesmo, própria próprio, corrupta corrupto, advogada advogado,
    líder líder, dirigente dirigente, representante representante, mesária mesário,
    delegada delegado, vizinhas vizinhos, conselheira conselheiro, companheira companheiro, amiga amigo,
    tia tio, sogra sogro, cunhada cunhado, neta neto, traidora traidor, servidora servidor
"""
_PORTUGUESE_STATES = """
    eleita eleito, reeleita reeleito, presa preso, detida detido, morta morto, falecida falecido, acusada acusado,
    condenada condenado, indiciada indiciado, cassada cassado, assassinada assassinado, internada internado,
    derrotada derrotado, sozinha sozinho, viva vivo, louca louco, cansada cansado, encantada encantado,
    orgulhosa orgulhoso, inelegível inelegível
"""
_ARABIC_NOUNS = """
    امرأة رجل, نساء رجال, سيدة سيد, مرشحة مرشح, نائبة نائب, وزيرة وزير, رئيسة رئيس, عمدة عمدة, مديرة مدير, ابنة ابن,
    أخت أخ, زوجة زوج, أستاذة أستاذ, دكتورة دكتور, كاذبة كاذب, فاسدة فاسد, لصة لص, متهمة متهم, مسؤولة مسؤول, محامية محام,
    عضوة عضو, زعيمة زعيم, قاضية قاضي, ناخبة ناخب, موظفة موظف, جارة جار, عمة عم, خالة خال, والدة والد, صديقة صديق,
    مواطنة مواطن
"""
_ARABIC_VERBS = """
    انسحبت انسحب, توفيت توفي, ماتت مات, فازت فاز, خسرت خسر, سرقت سرق, قالت قال, أعلنت أعلن, قررت قرر, استقالت استقال,
    تراجعت تراجع, تنازلت تنازل, اعتقلت اعتقل, انتخبت انتخب, زورت زور, اشترت اشترى, دفعت دفع, كذبت كذب,
    هربت هرب, رمت رمى, صوتت صوت, جاءت جاء, كانت كان, أصبحت أصبح, رفضت رفض, صارت صار, ليست ليس, هي هو
"""
_ARABIC_PRESENT = "جيب عرف فعل قول ريد علن نسحب ترشح خوض كذب سرق زور دفع شتري هدد رفض بتسم تحدث تكلم فوز خسر هرب ستقيل"
"""Verbs without the letter before them that tells whether she or he does it."""
_ARABIC_PRESENT_MEN = """
    نام موت صل عود خرج دخل مشي سكن عيش بقى ظهر قف جلس حضر غادر رجع سافر نزل صعد كتب قرأ لبس أكل شرب ضحك صرخ بكي حكي حكم
    دير دفن قتل حترق ندم ستحق ستطيع ظن عتقد حاول بدأ نتهي سكت رد شوف روح طلع وصل
"""
"""These are read as of men only."""
_ARABIC_ANYBODY = "امرأة شخص, رجل شخص"
"""A man is written like a leg."""
_ARABIC_BEFORE_VERBS = ("", "و", "ف")
_ARABIC_BEFORE_PRESENT = ("", "و", "ف", "س", "وس", "فس", "ل")
_ARABIC_BEFORE_NOUNS = ("", "و", "ف", "ب", "ل", "ال", "وال", "فال", "بال", "كال", "لل", "ولل")
_ARTICLES = {
    "es": "la el, una un, las los, esta este, esa ese, aquella aquel, nuestra nuestro",
    "fr": "la le, une un, cette ce, sa son, ma mon, ta ton, notre notre",
    "pt": "a o, uma um, as os, da do, na no, pela pelo, essa esse, esta este, nossa nosso, à ao",
}
"""What agrees with the noun that follows."""

_HINDI_PAIRS = {**{f"{one}ती": f"{one}ता" for one in _HINDI_VERBS.split()}, **_pairs(_HINDI)}


def _of_many(pairs: Mapping[str, str]) -> dict[str, str]:
    """Hindi speaks of one person as of several, to be polite: `गए` and `गईं` to `गया`."""
    found: dict[str, str] = {}
    for woman, man in pairs.items():
        if man.endswith(("ा", "आ")):
            found |= {f"{woman}ं": man, _MANY.sub(_many, man): man}
    return found


_MANY = re.compile("(?:या|आ|ा)$")


def _many(end: re.Match[str]) -> str:
    return "े" if end.group() == "ा" else "ए"


WORDS: Mapping[str, Gendered] = {
    "hi": Gendered(
        _HINDI_PAIRS,
        endings=_HINDI_ENDINGS,
        men={**_pairs(_HINDI_MEN), **_pairs(_HINDI_PEOPLE), **_of_many(_HINDI_PAIRS | _pairs(_HINDI_MEN))},
        men_endings=((re.compile(r"([ेए])ं?ग[ीे]\Z"), r"\1गा"),),
    ),
    "de": Gendered(
        {**_pairs(_GERMAN), **{f"{man}in": man for man in _GERMAN_MEN.split()}},
        endings=_GERMAN_ENDINGS,
        men={"ihn": "er"},
        men_endings=(_GERMAN_ENDINGS[0], (re.compile(r"(\w{2}(?:los|ig|isch|lich|end|bar|sam|haft)e)r\Z"), r"\1")),
    ),
    "en": Gendered(_pairs(_ENGLISH), men={"him": "his"}),
    "ar": Gendered(
        {
            **_before(_ARABIC_BEFORE_NOUNS, _pairs(_ARABIC_NOUNS)),
            **_before(_ARABIC_BEFORE_VERBS, _pairs(_ARABIC_VERBS)),
            **_before(_ARABIC_BEFORE_PRESENT, {f"ت{one}": f"ي{one}" for one in _ARABIC_PRESENT.split()}),
        },
        men={
            **_before(_ARABIC_BEFORE_NOUNS, _pairs(_ARABIC_ANYBODY) | _pairs(_ARABIC_MEN)),
            **_before(_ARABIC_BEFORE_VERBS, _pairs(_ARABIC_VERBS_MEN)),
            **_before(_ARABIC_BEFORE_PRESENT, {f"ت{one}": f"ي{one}" for one in _ARABIC_PRESENT_MEN.split()}),
        },
        men_endings=((re.compile(r"(\w{2})ها\Z"), r"\1ه"),),
    ),
    "es": Gendered(
        _pairs(_SPANISH) | _pairs(_SPANISH_STATES),
        _pairs(_ARTICLES["es"]),
        _either(_SPANISH_STATES),
        men=_pairs(_SPANISH_MEN),
        men_endings=((re.compile(r"(\w[aei]r)la\Z"), r"\1lo"),),
        melted={("de", "el"): "del", ("a", "el"): "al"},
        before={"la": ("lo", _SPANISH_VERB)},
    ),
    "fr": Gendered(
        _pairs(_FRENCH),
        _pairs(_ARTICLES["fr"]),
        men=_pairs(_FRENCH_MEN),
        melted={("de", "le"): "du", ("a", "le"): "au"},
        before={"s": ("si", re.compile(r"ils?\Z"))},
    ),
    "pt": Gendered(
        _pairs(_PORTUGUESE) | _pairs(_PORTUGUESE_STATES),
        _pairs(_ARTICLES["pt"]),
        _either(_PORTUGUESE_STATES),
        men=_pairs(_PORTUGUESE_MEN),
        men_articles={"ao": "o", "aos": "os"},
        before={"a": ("o", re.compile(r"(?:maior|pior)\Z"))},
    ),
}
