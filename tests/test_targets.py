"""Who is attacked: every rule in every language that has rules, names as data, and what holds of any post."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from classifiers.checks.who import TargetSuite, load_target_suite, run_targets
from classifiers.roster_links import RosterLinks
from classifiers.targets.cut import cut
from classifiers.targets.matching import Matching
from classifiers.targets.places import Places
from classifiers.targets.reader import LONGEST_READ, Reader
from classifiers.targets.reading import Cue, CueKind, Mention, Reading
from classifiers.targets.rules import ANY_LANGUAGE, load_rules, rule_languages
from classifiers.targets.settings import TargetSettings
from classifiers.targets.shields import Shields
from classifiers.targets.step import Targets
from classifiers.targets.subjects import Subjects
from classifiers.targets.verdict import CERTAINTY
from hustings.errors import ModelError
from hustings.roster import Person, Roster
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Role, Span
from runtime.commands.check_models import app
from tests.counted_steps import steps_of

NOW = datetime(2026, 10, 1, tzinfo=UTC)
NAMES = {
    "ana": ("Ana Velde", "woman", "آنا فيلدي", "अना वेल्डे"),
    "jon": ("Jon Riker", "man", "جون ريكر", "जॉन राइकर"),
    "rosa": ("Rosa Stone", "woman", "روزا ستون", "रोज़ा स्टोन"),
}
PEOPLE = tuple(
    Person(id=who, name=name, names=(arabic, hindi), handles=(f"chatter:{who}",), attributes={"gender": gender})
    for who, (name, gender, arabic, hindi) in NAMES.items()
)
ROSTER = Roster(people=PEOPLE)
LINKS = RosterLinks(ROSTER)


@pytest.fixture(scope="module")
def step() -> Targets:
    return Targets(ROSTER)


def linked(
    text: str,
    *,
    lang: str = "en",
    code: str = "G",
    because: str = "",
    extra: str = "",
    title: str = "",
    mentions: tuple[str, ...] = (),
) -> Assessment:
    """A post with its people, flagged for the words `because`."""
    post = Post(
        source="s", native_id="1", text=text, title=title, mentions=mentions, published_at=NOW, collected_at=NOW
    )
    start = text.find(because) if because else 0
    spans = (Span(start=start, end=start + len(because)),) if because else ()
    flags = [Flag(code=one, score=0.9, spans=spans) for one in (code, extra) if one]
    tokens, titled = analyse(text).tokens, analyse(title).tokens
    return LINKS.classify([Assessment(post=post, lang=lang, tokens=tokens, title_tokens=titled, flags=tuple(flags))])[0]


def roles(step: Targets, assessment: Assessment) -> dict[str, Role]:
    return {target.id: target.role for target in step.classify([assessment])[0].targets}


def aimed_at(step: Targets, text: str, **given: Any) -> set[str]:
    return {who for who, role in roles(step, linked(text, **given)).items() if role == "aimed_at"}


# ── which posts are read ──


@pytest.mark.parametrize("code", ["G", "G-THR-KILL", "A-INSULT", "A-THREAT", "N-PART-THREAT", "N-INCITE"])
def test_the_only_person_named_in_an_abusive_post_is_attacked(step: Targets, code: str) -> None:
    assert aimed_at(step, "Ana Velde is a fat cow", code=code) == {"ana"}


@pytest.mark.parametrize("code", ["", "N-DELEG-FRAUD", "X-SATIRE", "N-CAND", "GX"])
def test_nobody_is_attacked_without_a_flag_of_abuse(step: Targets, code: str) -> None:
    assert aimed_at(step, "Ana Velde is a fat cow", code=code) == set()


def test_spacy_is_not_imported_before_a_post_needs_it() -> None:
    fresh = Targets(ROSTER)
    fresh.classify([linked("Ana Velde spoke", code=""), linked("what a cow")])
    assert fresh._reader is None


def test_who_posts_is_no_target_by_that(step: Targets) -> None:
    post = Post(source="s", native_id="1", text="what a cow", author="ana", published_at=NOW, collected_at=NOW)
    flag = Flag(code="G", score=0.9)
    given = Assessment(post=post, lang="en", tokens=analyse(post.text).tokens, flags=(flag,))
    assert step.classify(LINKS.classify([given]))[0].targets == ()


def test_a_threat_that_begins_with_the_only_name_is_aimed_at_it_without_a_comma_too(step: Targets) -> None:
    text = "Ana Velde I know where you live. I will kill you tonight"
    assert aimed_at(step, text, code="G-THR", because="kill you") == {"ana"}
    assert aimed_at(step, "Ana Velde's voters, I know where you live, I will kill you", code="A-THREAT") == set()
    assert aimed_at(step, "Ana Velde and Jon Riker I will kill you all", code="A-THREAT") != {"ana"}


@pytest.mark.parametrize(
    ("text", "because", "attacked"),
    [
        ("Ana Velde lets them all in, throw the lot into the sea", "", set()),
        ("Throw the lamplighters into the sea, and vote for Ana Velde", "lamplighters", set()),
        ("Ana Velde is a fat cow of a lamplighter", "", {"ana"}),
        ("Go back to your swamp, Ana Velde, you dirty cow", "", {"ana"}),
    ],
)
def test_of_hate_of_a_minority_somebody_is_attacked_only_where_a_word_says_so(
    step: Targets, text: str, because: str, attacked: set[str]
) -> None:
    assert aimed_at(step, text, code="A-OTHERGROUND", because=because) == attacked
    assert aimed_at(step, text, code="A-OTHERGROUND", extra="A-INSULT", because=because) == {"ana"}


def test_an_answer_is_no_attack(step: Targets) -> None:
    text = "Ana Velde is a fat cow? That says a lot about you"
    assert aimed_at(step, text, extra="X-COUNTER") == set()


# ── rules, in every language ──


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        # a name, and what is said of it
        ("en", "Ana Velde is a fat cow", "ana"),
        ("es", "Ana Velde es una vaca", "ana"),
        ("fr", "Ana Velde est une grosse vache", "ana"),
        ("pt", "Ana Velde é uma vaca", "ana"),
        ("ar", "آنا فيلدي كذابة", "ana"),
        ("hi", "अना वेल्डे झूठी है", "ana"),
        ("de", "Ana Velde ist eine dumme Kuh", "ana"),
        ("xx", "Ana Velde ist eine dumme Kuh", "ana"),
        ("und", "Ana Velde 🤡🤡", "ana"),
        # two people, two sentences
        ("en", "Jon Riker gave a speech. Ana Velde is a fat cow.", "ana"),
        ("es", "Jon Riker habló. Ana Velde es una zorra.", "ana"),
        ("fr", "Jon Riker a parlé. Ana Velde est une menteuse.", "ana"),
        ("pt", "Jon Riker falou. Ana Velde é uma mentirosa.", "ana"),
        ("ar", "جون ريكر تحدث. آنا فيلدي كذابة.", "ana"),
        ("hi", "जॉन राइकर आए। अना वेल्डे झूठी है।", "ana"),
        ("de", "Jon Riker sprach. Ana Velde ist eine Hexe.", "ana"),
        # two people together
        ("en", "Ana Velde and Jon Riker are clowns", "ana jon"),
        ("es", "Ana Velde y Jon Riker son ladrones", "ana jon"),
        ("fr", "Ana Velde et Jon Riker sont des voleurs", "ana jon"),
        ("pt", "Ana Velde e Jon Riker são ladrões", "ana jon"),
        ("ar", "آنا فيلدي وجون ريكر لصوص", "ana jon"),
        ("hi", "अना वेल्डे और जॉन राइकर गधे हैं", "ana jon"),
        ("de", "Ana Velde und Jon Riker sind Clowns", "ana jon"),
        ("en", "Ana Velde, Rosa Stone and Jon Riker are clowns", "ana jon rosa"),
        # address
        ("en", "@ana you cow, Jon Riker will win", "ana"),
        ("en", "@jon you are right, Ana Velde is a cow", "ana"),
        ("en", "@somebody you idiot, Ana Velde will win", ""),
        ("en", "Shut up Ana Velde, you pig", "ana"),
        ("es", "Cállate Ana Velde, eres una zorra", "ana"),
        ("fr", "Ana Velde, tu es une menteuse", "ana"),
        ("pt", "@ana sua burra", "ana"),
        ("ar", "يا آنا فيلدي أنت كذابة", "ana"),
        ("hi", "अना वेल्डे तुम झूठी हो", "ana"),
        ("de", "Verpiss dich Ana Velde, du Hexe", "ana"),
        # possession
        ("en", "Ana Velde's supporters are idiots", ""),
        ("en", "The voters of Ana Velde are morons", ""),
        ("en", "Ana Velde's brain is empty, she is a moron", "ana"),
        ("es", "Los votantes de Ana Velde son idiotas", ""),
        ("fr", "Les partisans d'Ana Velde sont des idiots", ""),
        ("pt", "Os eleitores da Ana Velde são burros", ""),
        ("ar", "أنصار آنا فيلدي أغبياء", ""),
        ("hi", "अना वेल्डे के समर्थक गधे हैं", ""),
        ("de", "Die Wähler von Ana Velde sind Idioten", ""),
        # speech and quotation
        ("en", "Ana Velde said you are all idiots", ""),
        ("en", '"You are idiots," said Ana Velde', ""),
        ("en", "Jon Riker called Ana Velde a cow", ""),
        ("en", 'A man was fined for writing that Ana Velde is "a cow"', ""),
        ("en", "Everybody knows that Ana Velde is a whore", "ana"),
        ("en", "Ana Velde says she is a victim, what a liar", "ana"),
        ("en", "RT @jon: Ana Velde is a cow", "ana"),
        ("es", "Ana Velde dijo que ustedes son idiotas", ""),
        ("fr", "Selon Ana Velde, vous êtes des idiots", ""),
        ("pt", "Ana Velde disse que vocês são idiotas", ""),
        ("ar", "قالت آنا فيلدي إنكم أغبياء", ""),
        ("hi", "जॉन राइकर ने अना वेल्डे को कुतिया कहा", ""),
        ("de", "Ana Velde sagte, ihr seid Idioten", ""),
        # denial
        ("en", "Ana Velde is not a cow, she is our mayor", ""),
        ("en", "Ana Velde is not only a cow but a thief", "ana"),
        ("en", "Ana Velde is a cow and not a queen", "ana"),
        ("es", "Ana Velde no es una gorda, es nuestra alcaldesa", ""),
        ("fr", "Ana Velde n'est pas une menteuse", ""),
        ("pt", "Ana Velde não é burra", ""),
        ("ar", "آنا فيلدي ليست كذابة", ""),
        ("hi", "अना वेल्डे झूठी नहीं है", ""),
        ("de", "Ana Velde ist keine Hexe", ""),
        # defence
        ("en", "Stop calling her a fat cow. I stand with Ana Velde", ""),
        ("en", "Leave Ana Velde alone! You pigs!", ""),
        ("en", "I stand with women but Ana Velde is a fat cow", "ana"),
        ("es", "Dejen de insultar a Ana Velde, gorda dicen", ""),
        ("fr", "Arrêtez de traiter Ana Velde de menteuse", ""),
        ("pt", "Parem de chamar Ana Velde de burra", ""),
        ("ar", "كفى إهانات آنا فيلدي", ""),
        ("hi", "अना वेल्डे को झूठी कहना बंद करो", ""),
        ("de", "Hört auf, Ana Velde eine Hexe zu nennen", ""),
        # contrast and choice
        ("en", "Unlike Ana Velde, Jon Riker is a clown", "jon"),
        ("es", "A diferencia de Ana Velde, Jon Riker es un payaso", "jon"),
        ("fr", "Contrairement à Ana Velde, Jon Riker est un clown", "jon"),
        ("pt", "Ao contrário de Ana Velde, Jon Riker é um palhaço", "jon"),
        ("ar", "بعكس آنا فيلدي، جون ريكر كذاب", "jon"),
        ("hi", "अना वेल्डे के विपरीत जॉन राइकर झूठा है", "jon"),
        ("de", "Anders als Ana Velde ist Jon Riker ein Clown", "jon"),
        ("en", "You are an idiot if you vote for Ana Velde", ""),
        ("en", "Idiots vote for Ana Velde", ""),
        ("en", "Do not vote for Ana Velde, the stupid cow", "ana"),
        # pronouns and others
        ("en", "Jon Riker met Ana Velde. She is a cow.", "ana"),
        ("en", "Ana Velde met Jon Riker. She is a cow.", "ana"),
        ("en", "Women like Ana Velde are cows", "ana"),
        ("en", "The minister is a clown and Ana Velde knows it", ""),
        ("en", "Dr. Ana Velde is a clown", "ana"),
    ],
)
def test_a_post_attacks_whom_it_is_about(step: Targets, lang: str, text: str, expected: str) -> None:
    assert aimed_at(step, text, lang=lang) == set(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana Velde must be killed", "ana"),
        ("Somebody should hang Ana Velde while Jon Riker watches", "ana"),
        ("The children of Ana Velde will burn", "ana"),
        ("Nice daughter you have, Jon Riker, we will kill her", "jon"),
        ("Police say a man threatened to kill Ana Velde", ""),
    ],
)
def test_a_threat_is_aimed_at_whom_it_names_or_whose_family(step: Targets, text: str, expected: str) -> None:
    assert aimed_at(step, text, code="A-THREAT") == set(expected.split())


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("you are a whore", "aimed_at"),
        ("whore", "aimed_at"),
        ("she is a whore", "addressed"),
        ("They are all clowns", "addressed"),
    ],
)
def test_a_reply_without_a_name_attacks_who_is_listed_unless_it_is_about_others(
    step: Targets, text: str, role: Role
) -> None:
    assert roles(step, linked(text, mentions=("ana",))) == {"ana": role}


def test_the_words_of_the_flag_tell_where_no_word_is_known(step: Targets) -> None:
    text = "Jon Riker gave a speech. Ana Velde should iron shirts."
    assert aimed_at(step, text, because="iron shirts") == {"ana"}


def test_who_is_spoken_to_beside_the_attacked_becomes_addressed(step: Targets) -> None:
    text = "Listen to me now, Jon Riker, you know that Ana Velde is a cow"
    assert roles(step, linked(text)) == {"jon": "addressed", "ana": "aimed_at"}


def test_title_and_text_are_read_together(step: Targets) -> None:
    assert aimed_at(step, "She is a fat cow", title="Ana Velde again") == {"ana"}


@pytest.mark.parametrize(
    "text", ["Ana Velde is a c\u200bow", "Ana Velde is a c.o.w", "ANA VELDE IS A CÓW", "#AnaVelde is a cooow"]
)
def test_disguises_do_not_hide_a_word(step: Targets, text: str) -> None:
    verdict = step.verdicts(linked(text))["ana"]
    assert verdict.role == "aimed_at"


def test_swapping_names_swaps_the_roles(step: Targets) -> None:
    for one, other in itertools.permutations(NAMES, 2):
        text = f"{NAMES[other][0]} opened the bridge. {NAMES[one][0]} is a crook."
        assert roles(step, linked(text)) == {other: "mentioned", one: "aimed_at"}


# ── the suite ──


@pytest.fixture(scope="module")
def suite() -> TargetSuite:
    return load_target_suite()


def test_the_suite_asks_all_functions_in_all_languages_that_have_rules(suite: TargetSuite) -> None:
    assert suite.languages == rule_languages()
    assert len({case.id for case in suite.cases}) == len(suite.cases)
    asked = {(case.language, case.function) for case in suite.cases}
    assert asked == set(itertools.product(suite.languages, suite.tests))


def test_no_function_of_the_suite_falls_below_its_floor(suite: TargetSuite) -> None:
    report = run_targets(suite)
    assert [(score.language, score.function) for score in report.scores if score.accuracy < 0.8] == []
    for score in report.languages:
        assert (score.harm or 0) >= 0.98, score
        assert (score.innocent or 0) >= 0.97, score


def test_the_command_runs_the_suite() -> None:
    result = CliRunner().invoke(app, ["run", "--suite", "targets", "--language", "pt", "--json"])
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.output)["suites"]
    assert report["suite"] == "targets"
    assert [score["language"] for score in report["languages"]] == ["pt"]


# ── what holds of any post ──


words = st.sampled_from(
    [
        *(
            "Ana Velde",
            "Jon Riker",
            "@ana",
            "@somebody",
            "#JonRiker",
            "cow",
            "clowns",
            "you",
            "she",
            "not",
            "a",
            "is",
            "said",
        ),
        *(
            ",",
            ".",
            ":",
            '"',
            "«",
            "»",
            "!",
            "\n",
            "but",
            "stop calling",
            "vote for",
            "unlike",
            "supporters",
            "kill",
            "and",
        ),
        *("أنصار", "آنا فيلدي", "ليست", "كذابة", "अना वेल्डे", "नहीं", "झूठी", "林", "🤡", "\u200b", "https://x.example/a"),
    ]
)
texts = st.one_of(
    st.text(max_size=80), st.lists(words, max_size=24).map(" ".join), st.lists(words, max_size=24).map("".join)
)
posts = st.lists(
    st.builds(
        linked,
        texts,
        lang=st.sampled_from([*rule_languages(), "und", "", "zh", "en-IN"]),
        code=st.sampled_from(["G", "A-THREAT", ""]),
        because=st.sampled_from(["", "cow", "a"]),
        mentions=st.sampled_from([(), ("ana",)]),
    ),
    max_size=4,
)


SPARING: tuple[CueKind, ...] = ("chooses", "contrasts", "passes_on", "followers")
VOTERS: tuple[CueKind, ...] = ("second_person", "anyone", "others", "insults")
kinds: st.SearchStrategy[CueKind] = st.sampled_from(
    (*SPARING, *VOTERS, "but", "exclaims", "defends", "says", "reports", "hearsay", "kin")
)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Words with cues and names anywhere, some of them many words long, in sentences of one clause or several."""
    words = draw(st.lists(st.sampled_from(["ana", "$", "word", ","]), min_size=1, max_size=14))
    many = len(words)
    ranges = st.tuples(st.integers(0, many - 1), st.integers(1, 3)).map(lambda at: (at[0], min(many, sum(at))))
    cues = {Cue(kind, *place) for kind, place in draw(st.lists(st.tuples(kinds, ranges), max_size=10))}
    ends = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=many - 1, max_size=many - 1))
    return Reading(
        text=" ".join(words),
        words=tuple(words),
        ranges=(),
        sentences=tuple(itertools.accumulate((int(end == 2) for end in ends), initial=0)),
        clauses=tuple(itertools.accumulate((int(end > 0) for end in ends), initial=0)),
        mentions=tuple(Mention("ana", at) for at, word in enumerate(words) if word == "ana"),
        cues=tuple(sorted(cues, key=lambda cue: (cue.start, cue.end, cue.kind))),
        quotes=tuple(sorted(draw(st.lists(ranges, max_size=2)))),
        reasons=(),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given=posts)
def test_any_post_gets_known_roles_alone_as_in_a_batch(step: Targets, given: list[Assessment]) -> None:
    whole = step.classify(given)
    assert [step.classify([one])[0] for one in given] == whole
    for before, after in zip(given, whole, strict=True):
        assert [(one.id, one.spans) for one in after.targets] == [(one.id, one.spans) for one in before.targets]
        assert {one.role for one in after.targets} <= {"mentioned", "addressed", "aimed_at"}
        for verdict in step.verdicts(after).values() if after.targets else ():
            assert verdict.because in CERTAINTY


@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_nothing_of_a_text_is_lost_in_its_words(text: str) -> None:
    found = cut(text)
    assert "".join(word.text for word in found) == text
    assert [word.start for word in found] == list(itertools.accumulate((len(word.text) for word in found), initial=0))[
        :-1
    ]


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(Targets)


def test_what_stands_behind_all_that_is_read_tells_nothing(step: Targets) -> None:
    read = 'Ana Velde said Jon Riker is not a cow, "you" but ' * (LONGEST_READ // 40)
    assert step.verdicts(linked(read[:LONGEST_READ])) == step.verdicts(linked(read + "Ana Velde is a cow" * 200))


@pytest.mark.parametrize("code", ["G", "A-THREAT"])
@pytest.mark.parametrize(
    "flood",
    [
        "Ana Velde said ",
        "vote for Ana Velde ",
        '"Ana Velde" said ',
        "stop calling Ana Velde ",
        "Ana Velde said what a liar ",
        'Ana Velde said Jon Riker is not a cow, "you" but ',
    ],
)
def test_a_flood_twice_as_long_in_one_sentence_is_twice_the_work_and_no_more(
    step: Targets, flood: str, code: str
) -> None:
    def work(times: int) -> int:
        post = linked("I will kill Ana Velde, " + flood * times, code=code)
        step.verdicts(post)  # the rules of the language are read at its first post
        return steps_of(lambda: step.verdicts(post), inside="classifiers/targets")

    assert work(120) < 2.5 * work(60)


@settings(max_examples=200, deadline=None)
@given(reading=readings())
def test_where_a_sentence_turns_is_found_as_if_each_of_its_words_were_looked_at(reading: Reading) -> None:
    places = Places(reading)
    exclaims = [cue.start for cue in reading.cues if cue.kind == "exclaims"]
    for end in range(1, len(reading.words) + 1):
        last = places.sentence(end - 1)[1]
        to_but = next((place for place in range(end, last) if places.is_a(place, "but")), last)
        assert places.up_to_but(end) == to_but
        assert places.up_to_exclaim(end, last) == min([last, *(start for start in exclaims if end <= start < last)])


@settings(max_examples=200, deadline=None)
@given(reading=readings())
def test_who_is_spared_is_found_as_if_each_sentence_were_read_for_each_name(reading: Reading) -> None:
    places = Places(reading)
    shields = Shields(places)
    spared = Subjects(places, {}, shields, is_threat=False).spared
    defended = [(places.sentence(cue.start)[0], places.up_to_but(cue.end)) for cue in places.cues("defends")]
    said = {place for cue in shields.says for place in places.named_within(cue)}
    for place in places.names:
        is_defended = any(start <= place < end for start, end in defended)
        assert (spared.get(place) == "defended") == is_defended == shields.is_defended(place)
        if is_defended or place in said:
            continue
        by = [kind for kind in (*SPARING, "kin") if any(c.start <= place < c.end for c in places.cues(kind))]
        is_about_voters = any(places.is_a(other, *VOTERS) for other in range(*places.sentence(place)))
        if by == ["chooses"]:
            assert spared.get(place) == ("chosen" if is_about_voters else None)
        elif not by:
            assert place not in spared


@settings(max_examples=200, deadline=None)
@given(reading=readings())
def test_a_word_is_alone_where_all_others_of_its_clause_are_signs(reading: Reading) -> None:
    places = Places(reading)
    for place in range(len(reading.words)):
        others = [other for other in range(*places.clause(place)) if other != place]
        assert places.is_alone(place) == (not any(places.is_word(other) for other in others))


def test_words_once_read_are_forgotten(step: Targets) -> None:
    step.classify([linked("Ana Velde is a cow")])
    reader = step._reader
    assert reader is not None
    known = len(reader._nlp.vocab.strings)
    step.classify([linked(f"Ana Velde is a cow called {'x' * 5}{number}z") for number in range(50)])
    assert len(reader._nlp.vocab.strings) == known


# ── rules as data ──


@pytest.mark.parametrize("language", [ANY_LANGUAGE, *rule_languages()])
def test_every_file_of_rules_can_be_read_and_matched(language: str) -> None:
    rules = load_rules(language)
    assert rules.words
    assert Matching(Reader.open()._nlp.vocab, rules).rules is rules


def test_languages_with_rules_say_what_the_documents_promise() -> None:
    assert rule_languages() == ("ar", "de", "en", "es", "fr", "hi", "pt")
    page = (Path(__file__).parents[1] / "docs" / "targets.md").read_text("utf-8")
    for because in CERTAINTY:
        assert f"`{because}`" in page
    kinds = {kind for language in rule_languages() for kind in load_rules(language).patterns}
    kinds |= {kind for language in rule_languages() for own in load_rules(language).words.values() for kind in own}
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in page] == []


def test_every_file_of_rules_says_that_it_is_free_to_use() -> None:
    for entry in files("classifiers").joinpath("targets", "rules").iterdir():
        assert "CC0" in entry.read_text("utf-8")


# ── installed models ──


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy model of ours: its parser takes the first noun phrase for the subject of everything in a sentence."""
    import spacy
    from spacy.language import Language
    from spacy.tokens import Doc

    def make(nlp: Language, name: str) -> Any:
        def parse(doc: Doc) -> Doc:
            heads, deps, pos = [], [], []
            last = len(doc) - 1
            for token in doc:
                is_first = token.i == 0
                heads.append(last)
                deps.append("ROOT" if token.i == last else "nsubj" if is_first else "dep")
                pos.append("PROPN" if is_first else "NOUN")
            return Doc(
                doc.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc], heads=heads, deps=deps, pos=pos
            )

        return parse

    if not Language.has_factory("tests_first_is_subject"):
        Language.factory("tests_first_is_subject", func=make)
    nlp = spacy.blank("en")
    nlp.add_pipe("tests_first_is_subject", name="parser")
    nlp.meta["name"] = "first"
    folder = tmp_path_factory.mktemp("models") / "en_first"
    nlp.to_disk(folder)
    return folder


def test_a_configured_model_says_what_a_word_is_about(model: Path, step: Targets) -> None:
    text = "Jon, whom nobody ever saw with Ana Velde, is a clown"
    links = RosterLinks(Roster(people=(*PEOPLE, Person(id="j", name="Jon"))))
    given = links.classify([linked(text)])[0]
    parsing = Targets.open(ROSTER, TargetSettings(spacy_model={"en": str(model)}))
    assert parsing.version.endswith("+en_first-0.0.0")
    ruled = {who: verdict.role for who, verdict in step.verdicts(given).items()}
    parsed = parsing.verdicts(given)
    assert ruled["ana"] == "aimed_at"
    assert (parsed["j"].because, parsed["ana"].role) == ("parsed", "mentioned")


def test_a_pipeline_that_takes_over_keeps_what_was_loaded(model: Path) -> None:
    wanted = TargetSettings(spacy_model={"en": str(model)})
    former = Targets.open(ROSTER, wanted)
    former.load()
    after = Targets.open(Roster(), wanted, former=former)
    assert (after._parsers, after._reader) == (former._parsers, former._reader)
    assert Targets.open(Roster(), TargetSettings(), former=former)._parsers is not former._parsers


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [
        ("en", "en_core_nowhere", "neither an installed spaCy package nor the folder of a model"),
        ("de", "", "is a model of 'en'"),
    ],
)
def test_a_model_that_cannot_serve_is_told_when_the_pipeline_opens(
    model: Path, language: str, name: str, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        Targets.open(ROSTER, TargetSettings(spacy_model={language: name or str(model)}))


def test_a_model_without_a_parser_is_refused(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "m")
    with pytest.raises(ModelError, match="has no dependency parser"):
        Targets.open(ROSTER, TargetSettings(spacy_model={"en": str(tmp_path / "m")}))


def test_a_folder_of_a_model_is_beside_the_configuration() -> None:
    given = TargetSettings(spacy_model={"en": "en_core_web_sm", "pt": "models/pt"})
    assert given.beside(Path("/etc/h")).spacy_model == {"en": "en_core_web_sm", "pt": "/etc/h/models/pt"}


def test_sentences_are_marked_in_less_time_than_words_are_made() -> None:
    """spaCy walks the whole document when one token is told that a sentence begins: of 5,000 that took 1.4 s."""
    nlp = Reader.open()._nlp
    with nlp.memory_zone():
        began = time.process_time()
        doc = nlp.make_doc("Go. " * 5_000)
        made = time.process_time()
        doc = nlp.get_pipe("hustings_sentences")(doc)
        assert time.process_time() - made < made - began
        assert len(list(doc.sents)) == 5_000
