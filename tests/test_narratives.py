"""Narratives and what must not be taken for them, in sentences that are not among the seeds."""

from datetime import UTC, datetime

import pytest

from classifiers.narratives.likeness import LONGEST_READ, Likeness
from classifiers.narratives.seeds import Seeds, example_languages, load_examples
from classifiers.narratives.step import Narratives, load_tellers
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from hustings.codebook import load_codebook
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
TELLERS = load_tellers(serving(shipped_models()).values())
STEP = Narratives(TELLERS)


def assessed(text: str, lang: str) -> Assessment:
    post = Post(source="s", native_id="1", text=text, published_at=NOW, collected_at=NOW)
    return STEP.classify([Assessment(post=post, lang=lang, tokens=analyse(text).tokens)])[0]


def codes(text: str, lang: str) -> list[str]:
    return [flag.code for flag in assessed(text, lang).flags]


@pytest.mark.parametrize(
    ("lang", "text", "code"),
    [
        ("en", "Reminder!! the vote was moved to Monday, do not bother going on Sunday", "N-PROC-DATE"),
        ("en", "You can vote by text message this year, send your candidate's name to 5566", "N-PROC-HOW"),
        ("en", "the election was cancelled, the president signed the decree last night", "N-PROC-CANCEL"),
        ("en", "dead people voted for the government by the thousands, all of it is fraud", "N-DELEG-FRAUD"),
        ("es", "cambiaron la fecha de las elecciones, ahora son el 21 y no el 20, pásenlo", "N-PROC-DATE"),
        ("es", "puedes votar por mensaje este año, manda el nombre de tu candidato al 5566", "N-PROC-HOW"),
        ("es", "cállate zorra y vuelve a la cocina, la política no es para mujeres", "G"),
        ("ar", "غيروا موعد الانتخابات صارت يوم 21 وليس 20 انشروها", "N-PROC-DATE"),
        ("ar", "يمكنكم التصويت برسالة هذه السنة، أرسل اسم مرشحك إلى 5566", "N-PROC-HOW"),
    ],
)
def test_a_narrative_worded_like_an_example_is_flagged(lang: str, text: str, code: str) -> None:
    assert codes(text, lang) == [code]


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "FALSE: the vote has NOT been moved to Monday, election day is Sunday as always"),
        ("en", "The electoral commission announces that voting takes place on Sunday 20 September."),
        ("en", "Notice: polling station 31 has been relocated to the town hall, voters were informed by letter."),
        ("en", "I don't trust the commission and I am not going to vote this time."),
        ("en", "Turnout stood at 44 percent by midday, the commission reported."),
        ("en", "Our match was moved to Monday, do not bother coming on Sunday"),
        ("es", "FALSO: la votación NO pasó al lunes, la elección sigue siendo el domingo"),
        ("es", "La comisión electoral informa que la votación se celebra el domingo 20 de septiembre."),
        ("es", "Aviso: la mesa 31 se trasladó al ayuntamiento, los votantes fueron informados por carta."),
        ("es", "No confío en la comisión y esta vez no voy a votar."),
        ("ar", "كذب: التصويت لم ينقل إلى الاثنين والانتخابات ما زالت يوم الأحد"),
        ("ar", "تعلن لجنة الانتخابات أن التصويت يجري يوم الأحد 20 أيلول."),
        ("ar", "لا أثق باللجنة ولن أصوت هذه المرة."),
    ],
)
def test_notices_debunks_reports_opinion_and_other_matters_are_not(lang: str, text: str) -> None:
    assert [code for code in codes(text, lang) if not code.startswith("X-")] == []


def test_an_answer_to_a_narrative_is_marked_as_one() -> None:
    assert codes("FALSE: voting has NOT been moved to Tuesday. Election day is still Sunday.", "en") == ["X-COUNTER"]


def test_no_held_out_protected_sentence_is_flagged() -> None:
    for language in example_languages():
        found = [e for e in load_examples(language).held_out if e.is_protected]
        assert [e.text for e in found if _harm(codes(e.text, language))] == []


def _harm(found: list[str]) -> bool:
    return any(not code.startswith("X-") for code in found)


def test_a_flag_shows_the_words_that_were_compared() -> None:
    text = "Reminder!! the vote was moved to Monday, do not bother going on Sunday"
    (span,) = assessed(text, "en").flags[0].spans
    assert text[span.start : span.end] == text


def test_a_post_of_a_language_without_seeds_is_left_alone() -> None:
    assert assessed("Die Wahl wurde auf Montag verschoben, geht nicht am Sonntag", "de").scores == {}


def test_only_the_beginning_of_a_long_post_is_compared() -> None:
    claim = "Reminder the vote was moved to Monday do not bother going on Sunday"
    assert codes("and so on " * LONGEST_READ + claim, "en") == []


def test_likeness_names_the_nearest_example() -> None:
    likeness = Likeness(load_examples("en"))
    verdict = likeness.compare(analyse("the vote has been moved to Monday, don't bother going on Sunday").tokens)
    assert verdict is not None
    assert likeness.examples[verdict.example].text.startswith("Reminder: the vote has been moved to Monday")


@pytest.fixture(params=example_languages())
def seeds(request: pytest.FixtureRequest) -> Seeds:
    return load_examples(request.param)


TOP_CODES = [
    "N-PROC-DATE",
    "N-PROC-PLACE",
    "N-PROC-HOW",
    "N-PROC-CANCEL",
    "N-DELEG-FRAUD",
    "N-DELEG-RESULT",
    "N-CAND-STATUS",
    "N-PART-THREAT",
    "X-OFFICIAL",
    "X-SATIRE",
    "X-COUNTER",
    "X-REPORT",
    "X-OPINION",
    "X-NOTELEX",
]


def test_every_top_code_has_a_dozen_different_examples(seeds: Seeds) -> None:
    texts = [example.text for example in (*seeds.examples, *seeds.held_out)]
    assert len(set(texts)) == len(texts)
    for code in TOP_CODES:
        assert sum(example.code == code for example in seeds.examples) >= 12, code


def test_every_seed_code_is_one_that_a_model_may_give(seeds: Seeds) -> None:
    from importlib.resources import files

    codebook = load_codebook(files("configs").joinpath("codebook.toml").read_bytes())
    for code in {example.code for example in seeds.examples}:
        assert code in codebook.codes
        assert not codebook.codes[code].human_only


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(lambda: Narratives(TELLERS))
