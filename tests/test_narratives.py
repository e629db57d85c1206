"""Narratives and what must not be taken for them, in sentences that are not among the seeds."""

import json
import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.encoder.codes import load_code_readers
from classifiers.manifest import MANIFEST
from classifiers.narratives.columns import CODES, COLUMNS, unpack_columns
from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.evidence import features_in
from classifiers.narratives.likeness import Likeness
from classifiers.narratives.reader import FLAGGED_HARM, parent_of
from classifiers.narratives.seeds import Seeds, example_languages, load_examples, load_seeds, seed_languages
from classifiers.narratives.step import Narratives
from classifiers.narratives.subject import load_subjects
from classifiers.narratives.teller import load_teller, load_tellers
from classifiers.pipeline import shipped_models
from classifiers.roster_names import RosterNames
from classifiers.signing import ANYBODY
from classifiers.store import serving
from hustings.codebook import load_codebook
from hustings.errors import ModelError
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FOLDERS = serving(shipped_models())
READERS = {reader.network: reader for reader in load_code_readers(FOLDERS.values())}
TELLERS = load_tellers(FOLDERS.values(), open_encoder=READERS.get)
STEP = Narratives(TELLERS)


def assessed(text: str, lang: str) -> Assessment:
    post = Post(source="s", native_id="1", text=text, published_at=NOW, collected_at=NOW)
    return STEP.classify([Assessment(post=post, lang=lang, tokens=analyse(text).tokens)])[0]


def codes(text: str, lang: str) -> list[str]:
    return [flag.code for flag in assessed(text, lang).flags]


def harm(text: str, lang: str) -> list[str]:
    return [code for code in codes(text, lang) if not code.startswith("X-")]


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
        ("fr", "Info du voisin : on ne vote plus dimanche, le scrutin est passé à jeudi, faites passer", "N-PROC-DATE"),
        ("fr", "Cette année on peut voter par SMS, envoyez le nom de votre candidat au 5566", "N-PROC-HOW"),
        ("pt", "Mudou a data da eleição, agora é dia 21 e não dia 20, repassem", "N-PROC-DATE"),
        ("pt", "Este ano dá para votar por mensagem, mande o nome do seu candidato para 5566", "N-PROC-HOW"),
        ("hi", "चुनाव की तारीख बदल गई, अब 21 को वोट पड़ेंगे 20 को नहीं, सबको बताओ", "N-PROC-DATE"),
        ("hi", "इस साल मैसेज से वोट डाल सकते हैं, अपने उम्मीदवार का नाम 5566 पर भेजो", "N-PROC-HOW"),
    ],
)
def test_a_plain_narrative_is_flagged(lang: str, text: str, code: str) -> None:
    (found,) = codes(text, lang)
    assert found in (code, parent_of(code))


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
        ("fr", "FAUX : le vote n'est pas déplacé à lundi, l'élection a bien lieu dimanche"),
        ("fr", "La commission électorale annonce que le scrutin se tient le dimanche 20 septembre."),
        ("fr", "Notre match est déplacé à lundi, ne venez pas dimanche"),
        ("pt", "FALSO: a votação NÃO mudou para segunda, a eleição continua no domingo"),
        ("pt", "Nosso jogo mudou para segunda, não venham no domingo"),
        ("hi", "झूठ: मतदान सोमवार को नहीं हुआ है, चुनाव रविवार को ही होगा"),
        ("hi", "हमारा मैच सोमवार को कर दिया गया है, रविवार को मत आना"),
    ],
)
def test_notices_debunks_reports_opinion_and_other_matters_are_not(lang: str, text: str) -> None:
    assert harm(text, lang) == []


def test_an_answer_to_a_narrative_is_marked_as_one() -> None:
    assert codes("FALSE: voting has NOT been moved to Tuesday. Election day is still Sunday.", "en") == ["X-COUNTER"]


@pytest.mark.parametrize("language", seed_languages())
def test_of_the_ordinary_posts_hardly_any_is_flagged(language: str) -> None:
    """They were learnt from, so every third will do: on posts that were not, see the manifest's `ordinary rows`."""
    ordinary = load_seeds(language).ordinary[::3]
    assert sum(bool(harm(post, language)) for post in ordinary) <= len(ordinary) // 50


@pytest.mark.parametrize("language", example_languages())
def test_hardly_any_held_out_protected_example_is_flagged(language: str) -> None:
    found = [e for e in load_examples(language).held_out if e.is_protected]
    assert sum(bool(harm(e.text, language)) for e in found) <= len(found) // 20


def test_a_flag_by_likeness_shows_the_words_that_were_compared() -> None:
    text = "Reminder!! the vote was moved to Monday, do not bother going on Sunday"
    (span,) = assessed(text, "en").flags[0].spans
    assert text[span.start : span.end] == text


def test_a_flag_by_columns_shows_the_words_that_spoke_for_it() -> None:
    text = "Mudou a data da eleição, agora é na terça"
    shown = " ".join(text[span.start : span.end] for span in assessed(text, "pt").flags[0].spans)
    assert shown
    assert len(shown) < len(text)
    assert "agora" in shown or "data" in shown or "Mudou" in shown


def test_a_post_of_a_language_without_seeds_is_left_alone() -> None:
    assert assessed("Die Wahl wurde auf Montag verschoben, geht nicht am Sonntag", "de").scores == {}


def test_likeness_names_the_nearest_example() -> None:
    likeness = Likeness(load_examples("en"))
    tokens = analyse("the vote has been moved to Monday, don't bother going on Sunday").tokens
    verdict = likeness.compare(tokens)
    assert verdict is not None
    assert likeness.nearest(tokens, verdict.code).text.startswith("Reminder: the vote has been moved to Monday")


# ── concepts ──


def found(text: str, language: str) -> set[str]:
    concepts = load_concepts(language)
    return {concepts.names[one.concept] for one in concepts.find(analyse(text).tokens)}


def test_the_same_thing_said_in_six_languages_is_the_same_concepts() -> None:
    said = {
        "en": "the election is cancelled",
        "es": "cancelaron la elección",
        "fr": "l'élection est annulée",
        "pt": "cancelaram a eleição",
        "ar": "ألغيت الانتخابات",
        "hi": "चुनाव रद्द हो गया",
    }
    assert set(said) == set(concept_languages())
    for language, text in said.items():
        assert {"election", "cancel"} <= found(text, language), language


def test_every_language_has_the_same_concepts() -> None:
    assert len({load_concepts(language).names for language in concept_languages()}) == 1


@pytest.mark.parametrize("text", ["the electoin", "the ele*tion", "the ELECTION", "the elections"])
def test_a_disguised_word_is_found(text: str) -> None:
    assert "election" in found(text, "en")


def test_words_that_belong_together_are_found_only_together() -> None:
    assert "stay_home" in found("stay home on Sunday", "en")
    assert "stay_home" not in found("they stay at work", "en")


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12).filter(bool), max_size=60), st.sampled_from(concept_languages()))
def test_concepts_stand_in_order_at_tokens_that_exist(tokens: list[str], language: str) -> None:
    places = [one.place for one in load_concepts(language).find(tokens)]
    assert places == sorted(places)
    assert all(0 <= place < len(tokens) for place in places)


def test_a_post_that_names_no_violence_gets_no_call_to_it() -> None:
    concepts = load_concepts("en")
    subjects = load_subjects(concepts)
    quiet = {one.concept for one in concepts.find(analyse("They talk about hospital queues").tokens)}
    loud = {one.concept for one in concepts.find(analyse("Storm the hall with guns").tokens)}
    assert not subjects.possible("N-INCITE", quiet)
    assert subjects.possible("N-INCITE", loud)


# ── models ──


def test_columns_that_are_cut_off_are_refused() -> None:
    folder = shipped_models() / "N-fr"
    features = features_in(len(load_concepts("fr").names))
    packed = (folder / COLUMNS).read_bytes()
    with pytest.raises(ModelError, match="must hold exactly"):
        unpack_columns((folder / CODES).read_bytes(), packed[:-9], "N-fr", features=features)
    with pytest.raises(ModelError, match="stay below 100"):
        unpack_columns((folder / CODES).read_bytes(), packed, "N-fr", features=100)


def test_a_model_beside_other_columns_than_its_own_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped_models() / "N-fr", tmp_path / "N-fr"))
    shutil.copy(shipped_models() / "N-pt" / COLUMNS, folder / COLUMNS)
    with pytest.raises(ModelError, match=COLUMNS):
        load_teller(folder)


@pytest.mark.parametrize("key", ["sense_threshold", "sense_slope_else", "likeness_threshold"])
@pytest.mark.parametrize(("value", "said"), [("nan", "is nan"), ("inf", "is inf"), ("high", "lack a number")])
def test_settings_that_are_no_finite_numbers_are_refused(tmp_path: Path, key: str, value: str, said: str) -> None:
    folder = Path(shutil.copytree(shipped_models() / "N-en", tmp_path / "N-en"))
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["settings"][key] = value
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=said):
        load_teller(folder, signers=ANYBODY)


def test_every_code_that_columns_may_give_is_one_that_a_model_may_give() -> None:
    codebook = load_codebook(files("configs").joinpath("codebook.toml").read_bytes())
    for teller in TELLERS:
        for code in teller.reader.columns.codes:
            if code.startswith(FLAGGED_HARM):
                assert not codebook.codes[code].human_only
                assert parent_of(code) in codebook.codes
        assert set(load_subjects(load_concepts(teller.manifest.language)).groups) <= set(teller.reader.columns.codes)


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
    codebook = load_codebook(files("configs").joinpath("codebook.toml").read_bytes())
    for code in {example.code for example in seeds.examples}:
        assert code in codebook.codes
        assert not codebook.codes[code].human_only


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(lambda: Narratives(TELLERS))


NAMES = ("Oona Vell", "Ibrahim Tessaro", "Dead Poll")


@pytest.mark.parametrize("text", ["{} has withdrawn, do not vote for her", "the {} people stuffed the ballot boxes"])
def test_what_somebody_who_is_watched_is_called_changes_nothing(text: str) -> None:
    def told(name: str) -> tuple[dict[str, float], list[str]]:
        step = Narratives(TELLERS, RosterNames(Roster(people=(Person(id="one", name=name),))))
        said = text.format(name)
        post = Post(source="s", native_id="1", text=said, published_at=NOW, collected_at=NOW)
        (found,) = step.classify([Assessment(post=post, lang="en", tokens=analyse(said).tokens)])
        return found.scores, [flag.code for flag in found.flags]

    assert told(NAMES[0]) == told(NAMES[1]) == told(NAMES[2])
    assert told(NAMES[0])[0], "nothing was told"
