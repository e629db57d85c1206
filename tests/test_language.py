from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.language import UNDETERMINED, LanguageStep
from classifiers.roster_names import RosterNames
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def step() -> LanguageStep:
    return LanguageStep(("en", "es", "ar"))


def told(step: LanguageStep, text: str, *, title: str = "", declared: str = "") -> str:
    post = Post(source="s", native_id="1", text=text, title=title, lang=declared, published_at=NOW, collected_at=NOW)
    (tokens, removed), titled = analyse(text), analyse(title).tokens
    assessment = Assessment(post=post, tokens=tokens, title_tokens=titled, removed=removed)
    return step.classify([assessment])[0].lang


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The polling stations close at seven and the count begins", "en"),
        ("La votación será el domingo próximo en todo el país", "es"),
        ("يوم الانتخابات هو الأحد القادم", "ar"),
        ("Die Wahl findet am kommenden Sonntag statt", "de"),
        ("मतदान रविवार को होगा", "hi"),
        ("உதவி", "ta"),
        ("선거", "ko"),
        ("選挙は日曜日です", "ja"),
    ],
)
def test_a_sentence_or_a_script_tells_its_language(step: LanguageStep, text: str, language: str) -> None:
    assert told(step, text) == language


@pytest.mark.parametrize(
    "text", ["", "ok", "😀😀😀", "12 + 12", "@user https://example.org/vote", "#", "Merci beaucoup"]
)
def test_what_does_not_tell_is_undetermined(step: LanguageStep, text: str) -> None:
    assert told(step, text) == UNDETERMINED


def test_words_in_look_alikes_of_another_alphabet_take_no_post_out_of_its_language(step: LanguageStep) -> None:
    hidden = str.maketrans("aceopxs", "асеорх\u0455")
    text = "Todos saben que el alcalde miente: esa vaca se sale con el cargo cada vez que el pleno vota"
    every_second = (word.translate(hidden) if n % 2 else word for n, word in enumerate(text.split()))
    assert told(step, " ".join(every_second)) == "es"


def test_links_and_mentions_say_nothing_about_the_language(step: LanguageStep) -> None:
    text = "@the_english_account la votación es el domingo https://example.org/this-is-an-english-page #vote"
    assert told(step, text) == "es"


@pytest.mark.parametrize("scheme", ["https://www.", "www."])
def test_a_link_says_nothing_whether_or_not_it_has_a_scheme(step: LanguageStep, scheme: str) -> None:
    link = f"{scheme}the-morning-herald.com/politics/the-polling-stations-close-at-seven-and-the-count-begins"
    assert told(step, f"La votación será el domingo {link}") == "es"


@pytest.mark.parametrize("links", [1, 3])
def test_what_stands_behind_long_links_is_read(step: LanguageStep, links: int) -> None:
    link = "https://example.org/?utm_source=" + "the-news-of-today" * (60 // links) + " "
    assert told(step, link * links + "La votación será el domingo próximo en todo el país") == "es"


def test_a_language_that_the_deployment_does_not_list_is_still_named(step: LanguageStep) -> None:
    assert told(step, "Les bureaux de vote ferment à dix-neuf heures dimanche") == "fr"


def test_a_short_text_in_the_only_listed_language_of_its_script_is_given_to_it(step: LanguageStep) -> None:
    assert told(step, "صوتوا") == "ar"
    assert told(LanguageStep(("en", "fa", "ar")), "صوتوا") == UNDETERMINED


def test_the_declared_language_counts_where_the_text_tells_nothing(step: LanguageStep) -> None:
    assert told(step, "mira eso", declared="es-MX") == "es"
    assert told(step, "The polling stations close at seven", declared="es") == "en"


def test_what_the_source_says_agrees_with_a_second_opinion_against_an_unsure_first() -> None:
    step = LanguageStep(("en", "es", "pt"))
    text = "A Liga do Porto enfiou novecentas cédulas a mais nas urnas de Porto Quelim, fomos roubados"
    assert told(step, text, declared="pt") == "pt"
    assert told(step, text, declared="fr") == told(step, text) == UNDETERMINED


@pytest.mark.parametrize("declared", ["pt-BR", "pt_BR", "PT"])
def test_a_declared_language_counts_however_it_is_written(declared: str) -> None:
    step = LanguageStep(("en", "es", "pt"))
    text = "A Liga do Porto enfiou novecentas cédulas a mais nas urnas de Porto Quelim, fomos roubados"
    assert told(step, text, declared=declared) == "pt"
    assert told(step, "mira eso", declared=declared) == "pt"


@pytest.mark.parametrize(("declared", "language"), [("in", "id"), ("nb", "no"), ("fil-PH", "tl")])
def test_a_declared_language_is_called_as_a_detector_would(step: LanguageStep, declared: str, language: str) -> None:
    assert told(step, "mira eso", declared=declared) == language


@pytest.mark.parametrize("declared", ["Portuguese", "qme", "xx", "mul"])
def test_a_declared_language_that_does_not_exist_does_not_count(step: LanguageStep, declared: str) -> None:
    assert told(step, "mira eso", declared=declared) == UNDETERMINED


@pytest.mark.parametrize("languages", [("es", "pt"), ("ES", "PT"), ("es_MX", "pt_BR")])
def test_the_deployment_may_write_its_languages_in_any_way(languages: tuple[str, ...]) -> None:
    text = "A Liga do Porto enfiou novecentas cédulas a mais nas urnas de Porto Quelim, fomos roubados"
    assert told(LanguageStep(languages), text, declared="pt") == "pt"


def test_a_declared_language_of_another_script_does_not_count(step: LanguageStep) -> None:
    assert told(step, "aaaaaaa bbbbbbb", declared="ar") == UNDETERMINED


def test_the_title_is_read_too(step: LanguageStep) -> None:
    assert told(step, "", title="La votación será el domingo próximo") == "es"


UNRESTRICTED = LanguageStep()


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    post = Post(source="s", native_id="1", text=text, published_at=NOW, collected_at=NOW)
    found = UNRESTRICTED.classify([Assessment(post=post)])[0]
    assert 0.0 <= found.lang_score <= 1.0
    assert found.lang


def test_it_keeps_the_contract_of_a_classifier(step: LanguageStep) -> None:
    check_classifier(lambda: step)


@pytest.mark.parametrize("name", ["Wayra Mamanqui", "Karim Belhadouz", "Leandro Fuentepalma", "वायरा ममांकी"])
def test_what_somebody_of_the_roster_is_called_takes_no_post_out_of_its_language(name: str) -> None:
    roster = Roster(people=(Person(id="a", name=name),))
    step = LanguageStep(("es", "fr", "qu"), RosterNames(roster))
    for text in (f"Vaya payaso el tal {name}, vergüenza de San Telurio", f"Lárgate de Cerromalva, {name}, inútil"):
        assert told(step, text, declared="es") == told(step, text.replace(name, " " * len(name)), declared="es") == "es"
    assert told(step, "Mañana hay reunión", title=f"{name}: no vengas", declared="es") == "es"


SENTENCES = {
    "en": "women like you belong in the kitchen, not in the council",
    "es": "callate y vuelve a la cocina, la politica no es para mujeres",
    "fr": "ne va pas voter dimanche, les bureaux de vote sont fermes dans le nord",
    "pt": "volta para a cozinha, a politica do nosso pais precisa de homens",
    "de": "du bist so ein dummes Stueck Dreck, verschwinde endlich aus der Stadt",
}
DISGUISES: dict[str, Callable[[str], str]] = {
    "bold": lambda text: "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower()),
    "fullwidth": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "circled": lambda text: "".join(chr(0x24D0 + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower()),
    "zero width": "\u200b".join,
    "soft hyphen": "\u00ad".join,
    "heaped marks": lambda text: "".join(c + "\u0316\u0323\u0359" if c.isalpha() else c for c in text),
    "struck through": lambda text: "".join(c + "\u0336" for c in text),
    "look-alikes": lambda text: text.translate(str.maketrans("aeocpxy", "\u0430\u0435\u043e\u0441\u0440\u0445\u0443")),
    "spaced": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "dotted": lambda text: " ".join(".".join(word) for word in text.split()),
    "stretched": lambda text: "".join(c * 4 if c in "aeiou" else c for c in text),
    "tags": lambda text: " ".join(f"#{word}" for word in text.split()),
}


@pytest.fixture(scope="module")
def wide() -> LanguageStep:
    roster = Roster(people=(Person(id="ana", name="Ana Velde", handles=("chatter:ana_velde",)),))
    return LanguageStep(("en", "es", "fr", "pt", "de", "hi"), RosterNames(roster))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_post_that_is_disguised_as_a_whole_keeps_its_language(wide: LanguageStep, disguise: str) -> None:
    hidden = {language: DISGUISES[disguise](text) for language, text in SENTENCES.items()}
    assert {language: told(wide, text) for language, text in hidden.items()} == {one: one for one in SENTENCES}


@pytest.mark.parametrize(
    "nothing",
    ["\n" * 1000, "." * 1000, "😀" * 1000, "12 345 " * 150, "".join(f"@someuser{n} " for n in range(350)), "a" * 1000],
    ids=["lines", "dots", "emoji", "numbers", "handles", "one word"],
)
def test_a_thousand_characters_of_nothing_hide_no_language(wide: LanguageStep, nothing: str) -> None:
    hidden = {language: f"{nothing} {text}" for language, text in SENTENCES.items()}
    assert {language: told(wide, text) for language, text in hidden.items()} == {one: one for one in SENTENCES}


NOTHING_TOLD = (
    *("", "ok", "ja", "hmm", "lol", "lol lol lol", "haha haha haha", "ha " * 30, "wtf", "omg omg omg", "xoxo xoxo"),
    *("o.k.", "\U0001d428\U0001d424", "ｏｋ", "\u200b\u200b\u200b", "nooooo", "Brrrr", "GOOOOOL", "GOOOOOOL! GOOOOL!"),
    *("@someuser1 @otheruser", "@the_english_account @la_casa_verde @die_gruene_partei", "@a @b @c ok"),
    *("https://a.b/hello_world", "https://example.org/this-is-an-english-page-about-the-vote", "x.com/foo", "me@x.org"),
    *("Ana Velde", "@ana_velde Ana Velde #AnaVelde", "Ana Velde " * 12, "Maria Schmidt", "José Ramos Horta"),
    *("😀", "🎉 🎉 🎉 🎉", "1234 5678", "12:30", "50%", "#", "#2026", "#BTS", "J. K. R.", "a b c d", "see ಠ_ಠ", "ಠ_ಠ"),
)


@pytest.mark.parametrize("text", NOTHING_TOLD)
def test_what_does_not_tell_stays_undetermined_whatever_words_the_analyser_makes(wide: LanguageStep, text: str) -> None:
    assert told(wide, text) == UNDETERMINED


def test_words_keep_their_accents_where_the_analyser_is_asked(wide: LanguageStep) -> None:
    text = "Non, monsieur l’élu, désolé, l’équipe a été fermée #trop"
    assert told(wide, text) == told(wide, text.replace("#trop", "trop")) == "fr"


def test_words_that_are_said_again_and_again_are_read_once(wide: LanguageStep) -> None:
    assert told(wide, "eres una zorra " * 10) == "es"
    assert told(wide, "bitch " * 20 + "go home and shut up") == "en"
    assert told(wide, "Ana Velde bitch " * 6, declared="en") == "en"


def test_a_language_of_the_deployment_that_the_source_names_counts_against_a_guess() -> None:
    step = LanguageStep(("en", "es", "pt"))
    text = "A Liga do Porto enfiou novecentas cédulas a mais nas urnas de Porto Quelim, fomos roubados"
    assert told(step, text, declared="es") == "es"
    assert told(step, text, declared="fr") == UNDETERMINED
    assert told(step, "Гласање је у недељу 12. априла", declared="en") != "en"
