"""ElectionCheck and the abuse functions: the files, how they become posts, and how a run is judged."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from classifiers.checks.disguises import DISGUISES, letters
from classifiers.checks.expand import FEWEST_CASES, PAIRS, expand, load_suite
from classifiers.checks.free import TITLES, Edition, load_free_suite
from classifiers.checks.page import page
from classifiers.checks.runner import Report, below, is_right, run, uneven
from classifiers.checks.suite import Function, Functions, Phrasing, Suite, Swap, read_functions, read_phrasing
from classifiers.checks.templates import fill, slots
from classifiers.narratives.seeds import ORDINARY, load_seeds, seed_languages
from classifiers.pipeline import Pipeline
from hustings.errors import ConfigError
from hustings.types import Assessment, Flag
from runtime.build import codebook
from runtime.commands.check_models import app
from tests.near_copies import near_copies

DOCS = Path(__file__).parents[1] / "docs" / "election-check.md"

OF_ABUSE = ("free-abuse", "free-abuse-2", "free-abuse-3")


@pytest.fixture(scope="module")
def election() -> Suite:
    return load_suite("election")


@pytest.fixture(scope="module")
def abuse() -> Suite:
    return load_suite("abuse")


@pytest.fixture(scope="module")
def free() -> tuple[Suite, ...]:
    """Every edition."""
    return tuple(map(load_free_suite, TITLES))


@pytest.fixture(scope="module")
def both(election: Suite, abuse: Suite) -> tuple[Suite, Suite]:
    return election, abuse


# ── the files ──


def test_election_check_has_thirty_functions_in_six_languages(election: Suite) -> None:
    everywhere = [function for function in election.functions if not function.languages]
    assert len(everywhere) >= 30
    assert election.languages == ("ar", "en", "es", "fr", "hi", "pt")


def test_abuse_has_eighteen_functions_in_seven_languages(abuse: Suite) -> None:
    assert len([function for function in abuse.functions if not function.languages]) >= 18
    assert abuse.languages == ("ar", "de", "en", "es", "fr", "hi", "pt")


def test_every_function_has_twelve_different_posts_in_each_of_its_languages(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        texts: dict[tuple[str, str], set[str]] = defaultdict(set)
        for case in suite.cases:
            texts[case.language, case.function].add(case.text)
        for language in suite.languages:
            for function in suite.functions:
                if function.speaks(language):
                    assert len(texts[language, function.id]) >= FEWEST_CASES, (language, function.id)


def test_a_free_suite_has_so_many_posts_of_each_code_of_harm_and_of_each_protected_one(
    free: tuple[Suite, ...],
) -> None:
    known = codebook().codes
    for suite, fewest_of_harm, fewest_protected in zip(
        free, (8, 11, 11, 12, 12, 11, 15, 25, 18), (15, 20, 20, 20, 20, 18, 10, 12, 11), strict=True
    ):
        german = ("de",) if suite.name in OF_ABUSE else ()
        assert suite.languages == tuple(sorted(("ar", *german, "en", "es", "fr", "hi", "pt")))
        counts = Counter((case.language, case.function) for case in suite.cases)
        for function in suite.functions:
            fewest = fewest_of_harm if function.expected else fewest_protected
            assert min(counts[language, function.id] for language in suite.languages) >= fewest, function.id
            assert function.id == ORDINARY or function.id in known


def test_no_post_stands_twice_in_the_free_suites_which_have_the_same_functions_and_names_of_their_own(
    free: tuple[Suite, ...],
) -> None:
    texts = [case.text for suite in free for case in suite.cases]
    assert len(set(texts)) == len(texts)
    assert [suite.name for suite in free] == ["free", *(f"free-{n}" for n in range(2, 7)), *OF_ABUSE]
    assert len({suite.title for suite in free}) == len(free)
    for first, *others in (free[: -len(OF_ABUSE)], free[-len(OF_ABUSE) :]):
        functions = {one.id: one.expected for one in first.functions}
        since = {"A-OTHERGROUND": ("A-OTHERGROUND",)}  # no model gave it before
        for suite in others:
            own = {one.id: one.expected for one in suite.functions}
            assert own == (functions | since if suite.name == "free-abuse-3" else functions)


def test_no_slot_is_left_open_and_ids_name_one_post(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        assert not [case.text for case in suite.cases if "{" in case.text or "}" in case.text]
        assert len({(case.id, case.side) for case in suite.cases}) == len(suite.cases)


def test_one_text_never_stands_for_two_expectations(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        expected: dict[str, tuple[str, ...]] = {}
        for case in suite.cases:
            assert expected.setdefault(case.text, case.expected) == case.expected, case.text


def test_expected_codes_may_be_given_by_a_model(both: tuple[Suite, Suite]) -> None:
    known = codebook().codes
    for suite in both:
        for code in {code for function in suite.functions for code in function.expected}:
            assert not known[code].human_only
            assert not known[code].protected


def test_every_word_list_is_used_and_repeats_no_word(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        for language, phrasing in read_phrasing(suite.name).items():
            used = {
                slot.rstrip("23") for templates in phrasing.templates.values() for t in templates for slot in slots(t)
            }
            assert set(phrasing.words) <= used, (language, set(phrasing.words) - used)
            for slot, words in phrasing.words.items():
                assert len(set(words)) == len(words), (language, slot)


def test_the_same_files_give_the_same_posts(election: Suite) -> None:
    again = expand("election", read_functions("election"), read_phrasing("election"))
    assert again.cases == election.cases
    assert again.digest == election.digest


def test_a_function_and_its_pair_are_minimal_pairs(election: Suite) -> None:
    """The n-th post of either names the same day and place."""
    stated = [case.text for case in election.cases if case.language == "en" and case.function == "date-changed"]
    debunked = [case.text for case in election.cases if case.language == "en" and case.function == "date-debunked"]
    words = read_phrasing("election")["en"].words
    for one, other in zip(stated, debunked, strict=True):
        for slot in ("place", "day", "date"):
            assert [w for w in words[slot] if w in one] == [w for w in words[slot] if w in other], (one, other)


def test_swaps_come_in_pairs_that_differ_in_their_side_alone(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        swapped = [case for case in suite.cases if case.side]
        for one, other in zip(swapped[::2], swapped[1::2], strict=True):
            assert one.id == other.id
            assert one.side != other.side
            assert one.text != other.text
            assert one.expected == other.expected


def test_a_swap_has_enough_pairs_for_two_points_to_show(both: tuple[Suite, Suite]) -> None:
    for suite in both:
        pairs = Counter((case.language, case.function) for case in suite.cases if case.side)
        assert set(pairs.values()) == {2 * PAIRS}


# ── apart from what models learn from ──


def test_near_copies_are_found_when_there_are_any(election: Suite) -> None:
    one = next(case for case in election.cases if case.language == "en")
    assert near_copies([one.text], [one.text.replace("Sunday", "sunday!")])


@pytest.mark.parametrize("language", seed_languages())
def test_no_post_is_a_near_copy_of_a_seed(both: tuple[Suite, Suite], free: tuple[Suite, ...], language: str) -> None:
    seeds = load_seeds(language)
    texts = [*(example.text for example in (*seeds.examples, *seeds.held_out)), *seeds.ordinary]
    cases = [case.text for suite in (*both, *free) for case in suite.cases if case.language == language]
    assert near_copies(cases, texts) == []


@pytest.mark.shared
def test_no_post_is_a_near_copy_of_hatecheck(shared_data: Path, abuse: Suite) -> None:
    import csv

    for language, name in (("en", "hatecheck/public.csv"), ("de", "multilingual_hatecheck/german.csv")):
        with (shared_data / name).open(encoding="utf-8", newline="") as lines:
            texts = [row["test_case"] for row in csv.DictReader(lines)]
        assert near_copies([case.text for case in abuse.cases if case.language == language], texts) == []


# ── templates ──


def test_a_template_is_filled_from_its_lists() -> None:
    words = {"place": ["Ash", "Elm", "Oak"], "day": ["Monday"]}
    filled = {fill("{place} votes on {day}", words, seed="x", nth=nth) for nth in range(3)}
    assert filled == {"Ash votes on Monday", "Elm votes on Monday", "Oak votes on Monday"}


def test_a_slot_with_a_figure_takes_another_word_of_the_list() -> None:
    words = {"place": ["Ash", "Elm", "Oak"]}
    for nth in range(6):
        one, other = fill("from {place} to {place2}", words, seed="x", nth=nth).removeprefix("from ").split(" to ")
        assert one != other


def test_a_sentence_that_begins_with_a_slot_begins_with_a_capital() -> None:
    assert fill("{count} ballots", {"count": ["nine"]}, seed="x", nth=0) == "Nine ballots"


def test_an_alternation_gives_either_side() -> None:
    assert [fill("{she|he} lost", {}, seed="x", nth=0, side=side) for side in (0, 1)] == ["She lost", "He lost"]


def test_an_unknown_slot_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match=r"no words for \{town\}; known are day, place"):
        fill("in {town}", {"place": ["Ash"], "day": ["Monday"]}, seed="x", nth=0)


def test_an_alternation_without_a_swap_is_an_error() -> None:
    with pytest.raises(ConfigError, match="needs a function with `swap`"):
        fill("{she|he} lost", {}, seed="x", nth=0)


# ── disguises ──

PLAIN = Phrasing(
    language="en",
    words={},
    templates={},
    telling=("vot", "ballot"),
    texted={"tomorrow": "tmrw"},
    padding=("Hello.", "Lovely day.", "Bye.", "See you."),
)


@pytest.mark.parametrize(
    ("disguise", "text", "expected"),
    [
        ("leet", "Your vote is lost", "Your v073 is lost"),
        ("masked", "The ballots are gone", "The bal*ots are gone"),
        ("look-alikes", "Your vote is lost", "Your vоtе is lost"),
        ("zero-width", "we vote", "we v\u200bo\u2060t\u00ade"),
        ("spaced", "we vote", "we v o t e"),
        ("dotted", "we vote", "we v.o.t.e"),
        ("shouted", "No vote today.", "NO VOTE TODAY!!!"),
        ("stretched", "closed doors", "closeeeed doors"),
        ("mistyped", "closed doors", "clsoed doors"),
        ("texted", "Vote tomorrow.", "vote tmrw"),
        ("padded", "No vote.", "Hello.\nLovely day.\nNo vote.\nBye.\nSee you."),
        ("answering", "No vote.", "@kestrel_77 @harbourlight No vote."),
        ("tagged", "No vote.", "No vote. #Vote2026 #Debate"),
    ],
)
def test_each_disguise(disguise: str, text: str, expected: str) -> None:
    assert DISGUISES[disguise](text, PLAIN) == expected


def test_a_text_without_a_telling_word_has_every_second_long_word_hidden() -> None:
    assert DISGUISES["leet"]("Stay home this weekend people", PLAIN) == "574y home 7h15 weekend p30pl3"


def test_letters_keep_marks_and_conjuncts_whole() -> None:
    assert letters("चुनाव") == ["चु", "ना", "व"]
    assert letters("केंद्र") == ["कें", "द्र"]
    assert letters("صوّت") == ["ص", "وّ", "ت"]


def test_no_disguise_begins_a_letter_with_a_mark(both: tuple[Suite, Suite]) -> None:
    """A vowel sign torn from its consonant is something that nobody types."""
    torn = re.compile(r"(?:^|[\s.*])(.)")
    for suite in both:
        for case in suite.cases:
            for found in torn.finditer(case.text):
                assert not unicodedata.category(found[1]).startswith("M"), case.text


# ── the loader ──


def _functions(*functions: Function) -> Functions:
    return Functions(title="Trial", harm=("N",), function=functions)


def test_a_suite_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="'elections' does not exist; known are election, abuse"):
        read_functions("elections")


def test_all_that_is_wrong_with_a_suite_is_told_at_once() -> None:
    functions = _functions(
        Function(id="a", tests="…", pair="z"),
        Function(id="b", tests="…", disguise="braille", of=("a",)),
        Function(id="c", tests="…", swap="age"),
    )
    phrasing = Phrasing(
        language="en",
        words={},
        templates={"a": ("one",), "d": ("two",)},
        swap={"party": Swap(sides=("x", "y"), words={"rival": (("p",), ("q", "r"))})},
    )
    with pytest.raises(ConfigError) as raised:
        expand("trial", functions, {"en": phrasing})
    assert str(raised.value).splitlines() == [
        "checks: trial: function 'a': there is no function 'z'",
        "checks: trial: function 'b': disguise 'braille'; known are " + ", ".join(DISGUISES),
        "checks: trial: en: templates for 'd', which functions.toml has not",
        "checks: trial: en: no [swap.age], which 'c' needs",
        "checks: trial: en: swap.party: 'rival' has 1 words on one side and 2 on the other",
    ]


def test_a_function_with_too_few_posts_is_an_error() -> None:
    phrasing = Phrasing(language="en", words={}, templates={"a": ("one", "two")})
    with pytest.raises(
        ConfigError, match="en: a: only 2 different posts; write more templates or words, 12 are needed"
    ):
        expand("trial", _functions(Function(id="a", tests="…")), {"en": phrasing})


def test_a_function_without_templates_is_an_error() -> None:
    phrasing = Phrasing(language="en", words={}, templates={})
    with pytest.raises(ConfigError, match="en: a: only 0 different posts"):
        expand("trial", _functions(Function(id="a", tests="…")), {"en": phrasing})


# ── judging ──


@pytest.mark.parametrize(
    ("flags", "expected", "right"),
    [
        ((), (), True),
        (("X-COUNTER",), (), True),
        (("K-NET",), (), True),
        (("N-DELEG",), (), False),
        ((), ("N-PROC-DATE",), False),
        (("N-PROC-DATE",), ("N-PROC-DATE",), True),
        (("N-PROC",), ("N-PROC-DATE",), True),
        (("N",), ("N-PROC-DATE",), False),
        (("N-PROC-CANCEL",), ("N-PROC-DATE",), False),
        (("N-PROC-DATE-HOURS",), ("N-PROC-DATE",), True),
        (("G",), ("G",), True),
        (("G-HATE-SLUR",), ("G",), True),
        (("G",), ("G-THR",), False),
        (("N-DELEG", "A-THREAT"), ("N-PART-THREAT", "A-THREAT"), True),
    ],
)
def test_what_counts_as_right(flags: Sequence[str], expected: Sequence[str], right: bool) -> None:
    assert is_right(flags, expected, ("N", "G", "A")) is right


# ── a run ──


class Words:
    """A classifier that is one: a post with one of these words gets the code."""

    name = "words"
    version = "1"

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = codes

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [
            replace(
                assessment,
                lang=assessment.post.lang,
                flags=tuple(
                    Flag(code=code, score=1.0) for word, code in self._codes.items() if word in assessment.tokens
                ),
                models={"words": self.version},
            )
            for assessment in assessments
        ]


@pytest.fixture(scope="module")
def trial() -> Suite:
    towns = tuple(f"Town{number}" for number in range(13))
    return expand(
        "trial",
        _functions(
            Function(id="stated", tests="Moved.", expected=("N-PROC-DATE",)),
            Function(id="debunked", tests="Not moved.", pair="stated"),
            Function(id="praised", tests="Liked."),
            Function(id="loud", tests="Moved, loud.", disguise="shouted", of=("stated",)),
            Function(id="accused", tests="A party.", swap="party", expected=("N-DELEG",)),
        ),
        {
            "en": Phrasing(
                language="en",
                words={"place": towns},
                templates={
                    "stated": ("The vote in {place} has moved",),
                    "debunked": ("The vote in {place} has not moved",),
                    "praised": ("Lovely {place}",),
                    "accused": ("The {rival} cheats in {place}",),
                },
                swap={"party": Swap(sides=("red", "blue"), words={"rival": (("reds",), ("blues",))})},
            )
        },
    )


@pytest.fixture(scope="module")
def report(trial: Suite) -> Report:
    """What becomes of a classifier that flags every "moved", and cheating of one party only."""
    return run(trial, Pipeline([Words({"moved": "N-PROC-DATE", "reds": "N-DELEG-FRAUD"})]))


def test_functions_stand_worst_first(report: Report) -> None:
    assert [(score.function, score.accuracy) for score in report.scores] == [
        ("debunked", 0.0),
        ("accused", 0.5),
        ("loud", 1.0),
        ("praised", 1.0),
        ("stated", 1.0),
    ]


def test_failures_show_post_and_flags(report: Report) -> None:
    worst = report.scores[0]
    assert (worst.n, worst.flagged, len(worst.failures)) == (12, 1.0, 3)
    assert worst.failures[0].flags == ("N-PROC-DATE",)
    assert worst.failures[0].text.endswith("has not moved")


def test_a_one_sided_classifier_shows_in_the_swap(report: Report) -> None:
    (swap,) = report.swaps
    assert (swap.sides, swap.rates, swap.difference) == (("red", "blue"), (1.0, 0.0), 100.0)
    assert swap.unequal == swap.pairs == 13
    assert uneven(report) == (swap,)
    assert uneven(report, 100.0) == ()


def test_a_language_is_summed_up(report: Report) -> None:
    (score,) = report.languages
    assert (score.functions, score.below_floor, score.harm, score.innocent) == (5, 1, 0.8333, 0.5)
    assert (score.protected_n, score.protected_flagged) == (24, 0.5)


def test_below_the_floor_is_what_is_under_it(report: Report) -> None:
    assert [score.function for score in below(report)] == ["debunked"]
    assert [score.function for score in below(report, 0.51)] == ["debunked", "accused"]


def test_a_run_names_models_and_posts(trial: Suite, report: Report) -> None:
    assert report.models == {"words": "1"}
    assert (report.cases, report.digest) == (len(trial.cases), trial.digest)


def test_the_page_reads_well(report: Report, golden: Callable[[str, str], None]) -> None:
    golden("checks_page.md", page([report]))


def test_a_detector_that_says_nothing_is_not_praised_for_it(trial: Suite) -> None:
    silent = run(trial, Pipeline([Words({})]))
    assert silent.languages[0].innocent == 1.0
    assert "In en nothing was found at all: accuracy on innocent posts says nothing there." in page([silent])


# ── the command ──


def test_the_command_gives_scores_as_json() -> None:
    done = CliRunner().invoke(app, ["run", "--suite", "abuse", "--language", "de", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["floor"] == 0.5
    (suite,) = told["suites"]
    assert {"suite", "digest", "cases", "models", "scores", "swaps", "languages"} <= suite.keys()
    accuracies = [score["accuracy"] for score in suite["scores"]]
    assert accuracies == sorted(accuracies)


def test_the_command_fails_below_a_floor() -> None:
    done = CliRunner().invoke(app, ["run", "--suite", "free-abuse", "--language", "de", "--floor", "1"])
    assert done.exit_code == 1
    assert "below 1.00" in done.stderr


def test_the_command_prints_posts() -> None:
    done = CliRunner().invoke(app, ["cases", "--suite", "election", "--language", "pt"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["language"] for line in lines} == {"pt"}
    assert {"id", "function", "text", "expected"} <= lines[0].keys()


@pytest.mark.parametrize("edition", TITLES)
def test_a_free_suite_is_run_when_it_is_asked_for_by_its_name(edition: Edition) -> None:
    done = CliRunner().invoke(app, ["cases", "--suite", edition, "--language", "pt"])
    assert done.exit_code == 0
    posts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(posts) == len(load_free_suite(edition).only(["pt"]).cases)


def test_an_unknown_language_is_named_with_those_that_are_known() -> None:
    done = CliRunner().invoke(app, ["run", "--language", "xx"])
    assert done.exit_code == 2
    assert "known are ar, de, en, es, fr, hi, pt" in " ".join(done.stderr.replace("│", " ").split())


# ── the page ──


def test_the_committed_page_is_of_these_suites(both: tuple[Suite, Suite]) -> None:
    """Its numbers are those of the models that it names; `hustings checks page` writes it again."""
    text = DOCS.read_text("utf-8")
    for suite in both:
        assert f"suite `{suite.digest}`" in text, f"docs/election-check.md is of another {suite.name} suite"
        for function in suite.functions:
            assert f"| `{function.id}` |" in text
