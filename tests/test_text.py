"""The analyser: text to the tokens that everything else reads."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hustings.text import Analysis, analyse, analyse_all, folding, is_spaceless, locate
from hustings.text.characters import DEFAULT_IGNORABLE, EMOJI, EXTRA, LOOKALIKES, SPACELESS, STRIPPED_MARKS
from hustings.text.folding import MAX_CHARACTERS, fold
from hustings.text.repair import MAX_TOKEN, all_latin, repair


def tokens(text: str) -> str:
    """The tokens in one line."""
    return " ".join(analyse(text).tokens)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  \n\t!?… ", ""),
        ("The poll is on Sunday.", "the poll is on sunday"),
        ("don't don’t O'Brien l’élection Ankara'da", "don t don t o brien l election ankara da"),
        ("well-known well‑known well–known", "well known well known well known"),
        ("10:30, 61.5 %, 1,000 €, $5m", "10 30 61 5 1 000 5m"),
        ("some_name a/b", "some name a b"),
        ("tab\there\x00zero\x7fend\x1fof\x85line\u2028s", "tab here zero end of line s"),
        ("<b>bold</b> & ^caret^ `tick`", "b bold b caret tick"),
    ],
)
def test_words_end_at_whatever_is_no_letter_digit_or_vowel_sign(text: str, expected: str) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Việt Nam, Łódź, Ærø, Straße, ŒUVRE, naïve", "viet nam lodz aero strasse oeuvre naive"),
        ("ΕΚΛΟΓΕΣ εκλογές Εκλογεσ", "εκλογεσ εκλογεσ εκλογεσ"),
        ("ещё Ещё йод их", "еще еще йод их"),
        ("п'ять п’ять пʼять", "п ять п ять п ять"),
        ("الانْتِخَابَاتُ مرحـــبا أحمد إحمد آحمد", "الانتخابات مرحبا احمد احمد احمد"),
        ("فى في إلى الي المدرسة المدرسه", "في في الي الي المدرسه المدرسه"),
        ("ایران كتاب", "ايران كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("मतदान केंद्र में नहीं", "मतदान केंद्र में नहीं"),
        ("हूँ हूं माँ मां पढ़ना पढना ज़रूर ऩ", "हूं हूं मां मां पढना पढना जरूर न"),
        ("हिन्दी हिंदी सम्पर्क अङ्क पञ्च घण्टा म्बाप्पे", "हिंदी हिंदी संपर्क अंक पंच घंटा म्बाप्पे"),
        ("अन्न सम्मान जन्म तुम्हारा वाङ्मय", "अन्न सम्मान जन्म तुम्हारा वाङ्मय"),
        ("தேர்தல் వోటు ভোট", "தேர்தல் వోటు ভোট"),
        ("٢٠٢٦ २०२६ 2026 ２０２６ ②", "2026 2026 2026 2026 2"),
        ("ﷺ", "صلي الله عليه وسلم"),
        ("각 가", "각 가"),
    ],
)
def test_accents_and_marks_go_where_they_are_not_part_of_the_letter(text: str, expected: str) -> None:
    assert tokens(text) == expected
    assert tokens(unicodedata.normalize("NFD", text)) == expected


def test_turkish_words_meet_with_each_kind_of_i() -> None:
    spellings = "İstanbul ISTANBUL ıstanbul istanbul i\u0307stanbul I\u0307stanbul"
    assert set(analyse(spellings).tokens) == {"istanbul"}
    assert tokens("KIZ kız KİZ kiz SEÇİM seçim SECIM") == "kiz kiz kiz kiz secim secim secim"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("投票abc日", "投 票 abc 日"),
        ("ひらがなカタカナ", "ひ ら が な カ タ カ ナ"),
        ("ｶﾞｷﾞ", "ガ ギ"),
        ("ก็ดี", "ก็ ดี"),
        ("ປະເທດ", "ປ ະ ເ ທ ດ"),
        ("ភាសាខ្មែរ", "ភា សា ខ្ មែ រ"),
        ("မြန်မာ", "မြ န် မာ"),
        ("𠮷野家", "𠮷 野 家"),
    ],
)
def test_a_script_without_spaces_gives_one_token_a_character(text: str, expected: str) -> None:
    assert tokens(text) == expected
    assert all(is_spaceless(token[0]) for token in analyse(text).tokens if token != "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ok 😂😂", ["ok", "😂", "😂"]),
        ("👍🏽 ❤\ufe0f ✊🏿", ["👍🏽", "❤", "✊🏿"]),
        ("👩\u200d⚖\ufe0f👨\u200d👩\u200d👧\u200d👦", ["👩\u200d⚖", "👨\u200d👩\u200d👧\u200d👦"]),
        ("🇺🇸🇬🇧", ["🇺🇸", "🇬🇧"]),
        ("1\ufe0f⃣ vote🗳now", ["1", "vote", "🗳", "now"]),
    ],
)
def test_each_emoji_sequence_is_a_token(text: str, expected: list[str]) -> None:
    assert list(analyse(text).tokens) == expected
    assert analyse(text).removed == 0


# ── tags and addresses ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#VoteNow", "#votenow vote now"),
        ("#vote_now", "#vote_now vote now"),
        ("#USAVotes2026!", "#usavotes2026 usa votes 2026"),
        ("#COVID19 #G20Summit #vote", "#covid19 covid19 #g20summit g20 summit #vote vote"),
        ("＃ＶｏｔｅＮｏｗ", "#votenow vote now"),
        ("#投票 #मतदान_केंद्र #ΨήφοςΤώρα", "#投票 投 票 #मतदान_केंद्र मतदान केंद्र #ψηφοστωρα ψηφοσ τωρα"),
        ("#1 # #_ C#", "1 c"),
        ("(#a,#b)", "#a a #b b"),
        ("@some_name: hi", "@some_name some name hi"),
        ("@JoeDoe's", "@joedoe joe doe s"),
        (
            "@desk@example.social @name.bsky.social",
            "@desk@example.social desk example social @name.bsky.social name bsky social",
        ),
        ("RT@desk .@desk", "rt @desk desk @desk desk"),
        ("@ @@ a @ b", "a b"),
        ("write to jo.doe@example.org.", "write to jo doe example org"),
        ("see https://example.org/v.o.t.e?q=#No now", "see now"),
        ("www.example.org/x HTTPS://EXAMPLE.ORG 投https://t.co/x票", "投 票"),
    ],
)
def test_tags_stay_whole_and_are_split_too_and_addresses_give_no_token(text: str, expected: str) -> None:
    assert tokens(text) == expected


# ── disguise ─────────────────────────────────────────────────────────────────────────────────────────────────────

UNDONE = [
    ("v0te h4te r4p3 l33t n00b wh0re", "vote hate rape leet noob whore", 9),
    ("b1tch l1ar d1e k1ll e1ection fema1e", "bitch liar die kill election female", 6),
    ("@ss @sshole $hit a$$ b!tch ca$h b@stard vot€r", "ass asshole shit ass bitch cash bastard voter", 9),
    ("г0л0с", "голос", 2),
    ("vоtе", "vote", 2),
    ("еаsу рaypal", "easy paypal", 4),
    ("пpивeт мiр", "привет мір", 3),
    ("εkλoγη", "εκλογη", 2),
    ("v\u200bo\u200bt\u200be s\u00adoft t\u2060e\ufeffst v\ufe0fote h\U000e0061i", "vote soft test vote hi", 8),
    ("v\u200do\u200cte", "vote", 2),
    ("𝐯𝐨𝐭𝐞 Ⓥⓞⓣⓔ ᴠᴏᴛᴇ 🅥🅞🅣🅔 🆅🅾🆃🅴 ᵛᵒᵗᵉ 🄥", "vote vote vote vote vote vote v", 25),
    ("ｖｏｔｅ", "vote", 4),
    ("v\u0336o\u0336t\u0336e\u0336", "vote", 4),
    ("v" + "\u0300" * 30 + "ote", "vote", 30),
    ("v o t e", "vote", 3),
    ("w a k e u p people", "wakeup people", 5),
    ("J A I L him, D I E", "jail him die", 5),
    ("v.o.t.e v·o·t·e v-o-t-e v_o_t_e v*o*t*e v|o|t|e v/o/t/e v~o~t~e v'o't'e v..o..t..e", " ".join(["vote"] * 10), 33),
    ("v  o  t  e   n o w t", "vote nowt", 9),
    ("v 0 t e h", "voteh", 5),
    ("#h4te", "#h4te hate", 1),
]


@pytest.mark.parametrize(("text", "expected", "removed"), UNDONE)
def test_disguise_is_undone_and_counted(text: str, expected: str, removed: int) -> None:
    assert tokens(text) == expected
    assert analyse(text).removed == removed


LEFT_ALONE = [
    "2026 a1 covid19 mp3 g20 web3 5g 3rd 10th 90s 4ever 3days 7eleven area51 b2b",
    "1h30m 10h30 4x4 h1n1 h5n1 s01e05 0a1b2c3d4e5f all4truth",
    "почему голос подъезд",
    "яндексnews",
    "a b",
    "я и в доме",
    "o q e o",
    "k y s",
    "가 나 다",
    "صوت",
    "می\u200cخواهم क्\u200dया",
    "www iii viii xviii xxx aaa",
    "schoo school",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_no_disguise_is_left_alone(text: str) -> None:
    assert analyse(text).tokens == tuple(text.replace("ی", "ي").split())
    assert analyse(text).removed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J. K. Rowling, J. K. R.", "j k rowling j k r"),
        ("$TSLA US$5 A$ R$ 10", "tsla us 5 a r 10"),
        ("Stop!Now great!thanks jo@home RT@desk", "stop now great thanks jo @home home rt @desk desk"),
        ("B.Sc. e.g. 5 p.m.", "b sc e g 5 p m"),
        ("U.S.A. a.k.a. F.B.I.", "usa aka fbi"),
        ("@v0ter1 @SZ", "@v0ter1 voterl @sz sz"),
        ("ｖｏｔｅ 投票", "vote 投 票"),
        ("a\u200e b\u200f c", "a b c"),
        ("\ufeffstart", "start"),
    ],
)
def test_what_only_looks_like_disguise_is_not_counted(text: str, expected: str) -> None:
    assert tokens(text) == expected
    assert analyse(text).removed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("soooo", "so"),
        ("so soo", "so soo"),
        ("NOOOOO wayyyy", "no way"),
        ("هههههه", "ه"),
        ("aaaa", "a"),
        ("1000000", "1000000"),
    ],
)
def test_three_or_more_of_a_letter_become_one_and_are_not_counted(text: str, expected: str) -> None:
    assert tokens(text) == expected
    assert analyse(text).removed == 0


def test_joiners_stay_only_where_a_script_needs_them() -> None:
    assert analyse("می\u200cخواهم").tokens == ("مي\u200cخواهم",)
    assert analyse("می\u200c\u200cخواهم") == (("مي\u200cخواهم",), 1)
    assert analyse("مِ\u200cن").tokens == ("م\u200cن",)
    assert analyse("ب\u200c ب\u200c").tokens == ("ب", "ب")
    assert analyse("🗳\u200d🗳").tokens == ("🗳\u200d🗳",)
    assert analyse("a\u200d🗳").tokens == ("a", "🗳")


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_text_is_read_up_to_its_limit_before_and_after_normalisation() -> None:
    assert analyse("word " * MAX_CHARACTERS).tokens == ("word",) * (MAX_CHARACTERS // 5)
    assert len(fold("ﷺ" * MAX_CHARACTERS)[0]) == MAX_CHARACTERS
    assert locate("ﷺ" * 2000).tokens == analyse("ﷺ" * 2000).tokens


def test_a_token_has_at_most_255_characters() -> None:
    for text in ("ab" * 300, "#" + "ab" * 300, "@" + "ab" * 300, "बा" * 300, "👍\u200d" * 300 + "👍", "ъ" + "ab" * 300):
        for token in analyse(text).tokens:
            assert len(token) <= MAX_TOKEN
            assert analyse(token).tokens[0] == token


@pytest.mark.parametrize(
    "text",
    [
        "a\u0301" + "\u0300\u0323" * 10_000,
        "z" + "\u0f71" * 20_000,
        "\u200c" * 20_000,
        "ب\u200c\u064e" * 7_000,
        "a." * 10_000,
        "a " * 10_000,
        "a@" * 10_000,
        "@" * 20_000,
        "#" * 20_000,
        "a1" * 10_000,
        "aaa" * 7_000,
        "vо" * 10_000,
        "a" * 20_000,
        "http://" * 3_000,
        "-" * 20_000,
        "a-_" * 7_000,
        "a-" * 9_998 + "a.b",
        "👩\u200d" * 10_000,
        "投" * 20_000,
    ],
)
def test_no_text_is_slow(text: str) -> None:
    start = time.process_time()
    analyse(text)
    locate(text)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("la gеnte no vota cierra la воса", "la gente no vota cierra la boca"),
        ("fire in Москва this morning", "fire in москва this morning"),
        ("la gente vota #сеrеbrо воса", "la gente vota #cerebro cerebro boca"),
        (
            "Мама RT @some_long_handle #one_two_three",
            "мама rt @some_long_handle some long handle #one_two_three one two three",
        ),
        ("vote for me now мама и папа", "vote for me now мама и папа"),
    ],
)
def test_a_word_wholly_in_look_alikes_is_latin_among_latin_words(text: str, expected: str) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("औ.र.त कु-ति-या क्षे.त्र.फ.ल बी.जे.पी.", "औरत कुतिया क्षेत्रफल बीजेपी"),
        ("झू ठी औ र त है", "झूठीऔरत है"),
        ("में कु र्सी चो र लु टे रा की", "में कुर्सीचोरलुटेरा की"),
        ("औ र त", "औ र त"),
        ("म त छु", "म त छु"),
        ("छी छी छी छी छी", "छी छी छी छी छी"),
        ("সে যে কি না হ્ય તે શું છે કે આ", "সে যে কি না হ્ય તે શું છે કે આ"),
        ("वह तो है ही ना", "वह तो है ही ना"),
        ("न तो मैं हूँ न ये", "न तो मैं हूं न ये"),
        ("S.c.h.o.ß E a i.d.i.o.t.a U.S.A.-based", "schoss e a idiota usa based"),
        ("b.i.t.c.h-x v-o-t-e.a", "bitch x vote a"),
        ("हि.न्.दी", "हिंदी"),
    ],
)
def test_a_letter_that_stands_apart_may_be_an_akshara_or_sharp_s(text: str, expected: str) -> None:
    assert tokens(text) == expected


# ── promises ─────────────────────────────────────────────────────────────────────────────────────────────────────

LATIN_WORDS = (
    "vote v0te h4te @ss #VoteNow #vote_now @some_name @a@b.org U.S.A. v.o.t.e https://t.co/x soooo don’t a$$ b!tch"
)
OTHER_WORDS = (
    "vоtе почему пpивeт 投票 ไทย ทำ هههههه مرحـبا می\u200cخواهم क्\u200dया हिन्दी लड़का हूँ إلى مدرسة 👩\u200d⚖\ufe0f 🇺🇸"
    " İstanbul ﷺ ½ ㍿ 각 가 ＃ｖｏｔｅ ＠ｎａｍｅ ℕ"
)
ODD_WORDS = [
    "1 2 a b J. K. jo@example.org",
    "v o t e",
    "s\u200be\u00adx",
    "v\u0336o\u0336t\u0336e\u0336",
    "e" + "\u0301" * 12,
    "ᄀ\u200dᅡ",
    "ᄀ\u0301ᅡ",
    "\u09c7\u200c\u09be",
    "ب\u200c\u200cب",
    "ب\u064e\u200cب",
    "\u0300" * 9 + "\u09bc\u200c\u09c7",
]
WORDS = st.sampled_from([*LATIN_WORDS.split(), *OTHER_WORDS.split(), *ODD_WORDS])
SIGNS = st.sampled_from(
    " .-_*|/~'#@$!€0134579abvotеоcсαοzZA,:\n\u200c\u200d\u200b\u00ad\ufe0f\u0301\u0338\u064e\u0640\u093c\u094d"
    "\u3099\u0e34\u11a8\u1161ᄀ가基กक本بпи👍🏽🇺♂"
)
CHARACTERS = st.characters(exclude_categories=["Cs"]) | SIGNS
PARTS = st.lists(WORDS | st.text(CHARACTERS, max_size=6), max_size=8)
TEXTS = st.text(CHARACTERS, max_size=40) | PARTS.map(" ".join) | PARTS.map("".join)


def has_look_alikes_in_latin_text(text: str) -> bool:
    """Where what a word is depends on the words around it."""
    return all_latin(fold(text)[0].lower())[1] > 0


@settings(max_examples=400)
@given(TEXTS)
@example("la gеnte no vota воса")
@example("0#\u09c7A")
@example("#\u0301\u09bcA")
@example("ｶﾞ#ﾞ=\u0338x")
def test_locate_gives_the_same_tokens_each_from_a_range_that_holds_it(text: str) -> None:
    located = locate(text)
    assert analyse(text) == (located.tokens, located.removed)
    whole = has_look_alikes_in_latin_text(text)
    before = 0
    for token, (start, end) in zip(located.tokens, located.spans, strict=True):
        assert before <= start < end <= len(text)
        assert whole or token in analyse(text[start:end]).tokens
        before = start


def folded_cluster_by_cluster(text: str) -> folding.Folded:
    """The plain way, to hold the quick ones against."""
    clean = folding._clean(text[:MAX_CHARACTERS])
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    left = MAX_CHARACTERS
    for start, end in folding._clusters(clean.text):
        compatible = unicodedata.normalize("NFKC", clean.text[start:end])[:left]
        left -= len(compatible)
        parts.append(folding._simple(compatible))
        starts += [clean.places[start]] * len(parts[-1])
        ends += [clean.places[end - 1] + 1] * len(parts[-1])
    folded = "".join(parts)
    for nasal, before in folding.NASALS.items():
        for place in [
            found.start() for found in re.finditer(f"(?<=[\u0900-\u097f]){nasal}\u094d(?=[{before}])", folded)
        ][::-1]:
            folded = f"{folded[:place]}ं{folded[place + 2 :]}"
            del starts[place + 1], ends[place]
    return folding.Folded(folded, starts, ends, clean.removed)


@settings(max_examples=400)
@given(TEXTS)
@example("\uffff\u0301ß\u0301")
@example("ﷺ" * 1_200)
@example("x" * 19_999 + "ﷺy\u0301")
def test_folding_with_origins_is_folding_each_cluster_alone(text: str) -> None:
    quick = folding.fold_with_origins(text)
    assert (quick.text, quick.removed) == fold(text)
    if text.isascii():
        assert list(zip(quick.starts, quick.ends, strict=True)) == [(i, i + 1) for i in range(len(text))]
        return
    assert quick._replace(starts=list(quick.starts), ends=list(quick.ends)) == folded_cluster_by_cluster(text)


@settings(max_examples=400)
@given(TEXTS)
@example("हि.न्.दी")
@example("\u09c7_\u09be_a")
def test_a_token_is_one_word_and_analyses_to_itself(text: str) -> None:
    """A tag analyses to itself and then its parts, as it did before."""
    for token in analyse(text).tokens:
        assert len(token) <= MAX_TOKEN
        assert token.split() == [token]
        if token[0] in "#@":
            assert analyse(token).tokens[0] == token
        else:
            assert analyse(token) == ((token,), 0)


@settings(max_examples=400)
@given(TEXTS)
def test_the_tokens_of_tokens_are_stable(text: str) -> None:
    """Joined by blanks, plain tokens come back as they are; but single letters that stood apart by other signs may then
    read as one spaced-out word, once."""
    plain = [token for token in analyse(text).tokens if token[0] not in "#@"]
    assume(not has_look_alikes_in_latin_text(" ".join(plain)))
    again = analyse(" ".join(plain)).tokens
    if all(len(token) > 1 for token in plain):
        assert list(again) == plain
    assume(not has_look_alikes_in_latin_text(" ".join(again)))
    assert analyse(" ".join(again)).tokens == again


@given(st.lists(TEXTS))
def test_a_batch_is_each_of_its_texts(texts: list[str]) -> None:
    assert analyse_all(texts) == [analyse(text) for text in texts]


@given(st.text(st.characters(codec="ascii"), max_size=60))
@example("a$$ #Tag @name don't 10:30 v.o.t.e")
def test_ascii_text_takes_a_shorter_way_to_the_same_tokens(text: str) -> None:
    assert analyse(f"ж, {text}").tokens == ("ж", *analyse(text).tokens)


def test_every_character_alone_is_stable_and_located() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x30000, 7), *range(0x1D400, 0x1D800), *range(0x1F000, 0x1FB00)):
        character = chr(code)
        found = analyse(character)
        for token in found.tokens:
            assert token[0] in "#@" or analyse(token) == ((token,), 0), hex(code)
        lower = fold("x" + character)[0].lower()
        assert fold(lower)[0] == lower, hex(code)


# ── the tables ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_character_with_a_category_of_its_own_is_missed_by_the_invisible() -> None:
    """Every format character of General Punctuation and the blocks around is either invisible or a separator."""
    for code in range(0x2000, 0x2070):
        if unicodedata.category(chr(code)) == "Cf":
            assert analyse(f"ab{chr(code)}cd").tokens == ("abcd",), hex(code)


def test_look_alikes_lead_from_one_script_into_another_and_in_lower_case() -> None:
    for table in LOOKALIKES.values():
        for source, target in table.items():
            assert len(source) == len(target) == 1
            assert source.lower() == source != target == target.lower()


@pytest.mark.parametrize("letters", [DEFAULT_IGNORABLE, EMOJI, SPACELESS, STRIPPED_MARKS])
def test_character_classes_are_in_order_and_do_not_overlap(letters: str) -> None:
    bounds = [ord(ch) for ch in letters.replace("-", "")]
    assert bounds == sorted(bounds)


def test_forms_are_plain() -> None:
    for source, form in EXTRA.items():
        assert fold(form)[0] == form, source


def test_repair_is_stable() -> None:
    for word in (
        "v0te",
        "soooo",
        "vоtе",
        "1000a",
        "a1b",
        "beeeat",
        "l00000l",
        "оооo",
        "aaaͱ",
        "оoо4abc",
        "h1n1",
        "aaaab1b3",
    ):
        once, _ = repair(word)
        assert repair(once) == (once, 0)


def test_an_analysis_is_a_pair_of_tokens_and_count() -> None:
    assert analyse("Vote!") == Analysis(("vote",), 0)
