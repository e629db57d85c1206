"""The heads in use: scores, windows, reasons, the step."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.linear.explain import reasons
from classifiers.linear.features import BUCKETS, HashKey, features
from classifiers.linear.model import Head, Weights, Withholding, load_head, load_heads
from classifiers.linear.repeats import few_repeats
from classifiers.linear.score import (
    WINDOW_HANDICAP,
    WINDOW_WORDS,
    Scorer,
    calibrated,
    feature_counts,
    scored_segments,
    segment_margins,
    segments,
    word_sums,
)
from classifiers.linear.step import LinearHeads, heads_for
from classifiers.linear.vocabulary import number_words, vocabulary
from classifiers.manifest import Calibration
from classifiers.pipeline import shipped_models
from classifiers.roster_names import NAME, Read
from classifiers.store import serving
from classifiers.training.calibration import margin_of
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Post

WITHHELD = load_head(shipped_models() / "G-en")
HEAD = WITHHELD._replace(withholding=None)
HEADS = load_heads(serving(shipped_models()).values())
ABUSE = "women like her are stupid bitches who belong in the kitchen"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
WORDS = st.sampled_from(["she", "is", "stupid", "woman", "kitchen", "vote", "on", "sunday", "harbour", "🙂", "صوتوا"])


def assessed(text: str, *, title: str = "", lang: str = "en", languages: tuple[str, ...] = ()) -> Assessment:
    post = Post(source="s", native_id="1", text=text, title=title, published_at=NOW, collected_at=NOW)
    given = Assessment(post=post, lang=lang, tokens=analyse(text).tokens, title_tokens=analyse(title).tokens)
    return LinearHeads(HEADS, languages).classify([given])[0]


def shown(found: Assessment) -> list[str]:
    texts = {"text": found.post.text, "title": found.post.title}
    return [texts[span.part][span.start : span.end] for flag in found.flags for span in flag.spans]


@settings(max_examples=30)
@given(st.lists(st.lists(WORDS, max_size=80), min_size=1, max_size=12), st.integers(1, 5))
def test_scores_are_the_same_to_the_last_bit_in_any_batch(posts: list[list[str]], size: int) -> None:
    scorer = Scorer([HEAD])
    whole = scorer.margins(posts)
    pieces = [scorer.margins(posts[start : start + size]) for start in range(0, len(posts), size)]
    assert np.array_equal(whole, np.concatenate(pieces, axis=1))


@settings(max_examples=50)
@given(st.lists(st.lists(WORDS | st.just(NAME) | st.text("abcé", min_size=1, max_size=4), max_size=30), max_size=8))
def test_distinct_words_of_a_batch_sum_to_what_all_of_its_words_sum_to(posts: list[list[str]]) -> None:
    key = HashKey.from_seed(HEAD.manifest.seed)
    found, by_distinct_words = features(posts, key), vocabulary(number_words(posts), key)
    assert by_distinct_words.sizes.tolist() == found.sizes.tolist()
    assert by_distinct_words.first_word.tolist() == found.first_word.tolist()
    assert word_sums(by_distinct_words, HEAD.weights).tolist() == word_sums(found, HEAD.weights).tolist()


def test_a_batch_of_endless_new_words_is_scored_in_pieces_like_each_post_alone() -> None:
    scorer = Scorer([HEAD])
    endless = [[f"{post}x{word}".ljust(250, "y") for word in range(300)] for post in range(12)]
    alone = [scorer.margins([tokens])[0, 0] for tokens in endless]
    assert scorer.margins(endless)[0].tolist() == alone


def test_a_very_long_post_is_scored_in_bounded_pieces_like_a_short_one() -> None:
    scorer = Scorer([HEAD])
    long = ["word"] * 100_000
    tokens = list(analyse(ABUSE).tokens)
    assert scorer.scores([long, tokens])[0, 1] == scorer.scores([tokens])[0, 0]


def test_abuse_scores_above_and_ordinary_talk_below_the_threshold() -> None:
    scores = Scorer([HEAD]).scores([analyse(ABUSE).tokens, analyse("the polls close at seven").tokens])[0]
    assert scores[0] >= HEAD.manifest.threshold.value > scores[1]


def test_friendly_words_around_abuse_do_not_hide_it() -> None:
    padding = "thank you for the lovely afternoon at the market with all our neighbours and friends " * 3
    assert [flag.code for flag in assessed(padding + ABUSE + " " + padding).flags] == ["G"]


@settings(max_examples=50)
@given(st.lists(WORDS, min_size=1, max_size=70))
def test_contributions_sum_to_the_margin(tokens: list[str]) -> None:
    [why] = reasons(HEAD, [tokens])
    is_window = why.end - why.begin < len(tokens)
    handicap = WINDOW_HANDICAP if is_window else 0.0
    assert why.contributions.sum() == pytest.approx(why.margin - HEAD.weights.intercept + handicap, abs=1e-9)
    assert why.margin == Scorer([HEAD]).margins([tokens])[0, 0]
    assert not is_window or why.end - why.begin == WINDOW_WORDS


@settings(max_examples=30)
@given(st.lists(st.lists(WORDS, max_size=70), max_size=8))
def test_a_reason_is_the_same_among_others_and_alone(posts: list[list[str]]) -> None:
    for together, tokens in zip(reasons(WITHHELD, posts), posts, strict=True):
        [alone] = reasons(WITHHELD, [tokens])
        assert together[:3] == alone[:3]
        assert together.contributions.tolist() == alone.contributions.tolist()


def second_opinion(*words: str, at: float) -> Withholding:
    """Speaks of words such as these, and then puts the margin at -3."""
    by_bucket = np.zeros(BUCKETS + 1, dtype=np.int16)
    key = HashKey.from_seed(HEAD.manifest.seed)
    for word in words:
        by_bucket[features([[word]], key).words] = 1000
    return Withholding(Weights(by_bucket, 1.0, 0.0), at, -3.0)


def test_a_second_opinion_withholds_a_flag() -> None:
    head = HEAD._replace(withholding=second_opinion("shameful", at=1.0))
    abuse = list(analyse(ABUSE).tokens)
    plain, quoted = Scorer([head]).margins([abuse, [*abuse, "shameful"]])[0]
    assert plain == Scorer([HEAD]).margins([abuse])[0, 0]
    assert quoted == -3.0
    assert reasons(head, [[*abuse, "shameful"]])[0].margin == -3.0


@settings(max_examples=30)
@given(st.lists(st.lists(WORDS, max_size=60), min_size=1, max_size=8), st.floats(-2, 2), st.floats(-3, 1))
def test_a_second_opinion_asked_only_where_it_could_withhold_says_the_same(
    posts: list[list[str]], at: float, to: float
) -> None:
    draw = np.random.default_rng(4)
    second = Weights(np.append(draw.integers(-900, 900, BUCKETS, dtype=np.int16), np.int16(0)), 0.01, 0.2)
    found = features(posts, HashKey.from_seed(HEAD.manifest.seed))
    places = segments(found.first_word)
    roots = np.sqrt(feature_counts(found, places))
    first, other = (segment_margins(one, word_sums(found, one), places, roots) for one in (HEAD.weights, second))
    asked_everywhere = np.where(other >= at, np.minimum(first, to), first)
    scored = scored_segments(HEAD.weights, Withholding(second, at, to), found, places, roots)
    assert np.array_equal(scored, asked_everywhere)


def test_a_second_opinion_about_one_window_withholds_nothing_from_another() -> None:
    head = HEAD._replace(withholding=second_opinion("shameful", at=1.0))
    chatter = ["thank", "you", "for", "the", "lovely", "afternoon"] * 8
    posts = [["shameful", *chatter, *analyse(ABUSE).tokens]]
    assert Scorer([head]).scores(posts)[0, 0] >= HEAD.manifest.threshold.value


def test_scores_of_a_bent_calibration_are_those_that_it_says_of_one_margin() -> None:
    bent = Calibration(slope=1.5, intercept=-0.5, knots=((-2.0, -1.0), (0.0, 0.5), (3.0, 2.0)))
    margins = np.linspace(-5, 5, 41)
    one_by_one = [bent.probability(margin) for margin in margins.tolist()]
    assert calibrated(margins, bent) == pytest.approx(one_by_one)
    assert (np.diff(calibrated(margins, bent)) > 0).all()
    assert [margin_of(score, bent) for score in one_by_one] == pytest.approx(margins.tolist())


def test_a_flag_shows_the_words_that_spoke_for_it() -> None:
    found = assessed("The ferry was late again. What a stupid bitch!")
    assert "bitch" in " ".join(shown(found))
    assert "ferry" not in " ".join(shown(found))


def test_words_of_the_title_are_shown_in_the_title() -> None:
    assert "bitches" in " ".join(shown(assessed("See the picture.", title=ABUSE)))


def test_a_post_is_scored_by_the_heads_of_its_own_language_only() -> None:
    assert {"G", "G-THR"} <= set(assessed(ABUSE, lang="en").scores)
    assert set(assessed(ABUSE, lang="de").scores) == {"A-INSULT"}
    assert assessed(ABUSE, lang="und").scores == {}


def test_scores_travel_with_model_and_version() -> None:
    found = assessed(ABUSE)
    assert found.models["G-en"] == HEAD.manifest.version
    assert [(flag.classifier, flag.threshold) for flag in found.flags if flag.code == "G"] == [
        (HEAD.label, HEAD.manifest.threshold.value)
    ]


def names(heads: list[Head]) -> list[str]:
    return sorted(head.name for head in heads)


def test_a_regional_head_speaks_only_where_the_deployment_lists_the_region() -> None:
    assert names(heads_for("en", HEADS, ("en", "hi"))) == ["CW-en", "G-THR-en", "G-en"]
    assert names(heads_for("en", HEADS, ("en-IN", "hi"))) == ["CW-en", "G-THR-en", "G-en-IN"]


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(lambda: LinearHeads(HEADS))


HARMLESS = [
    ("hi", "आज बाज़ार में मौसम बहुत अच्छा था, शनिवार को मिलते हैं"),
    ("de", "Die Fähre kam heute Morgen wieder zu spät, willkommen in unserer Stadt"),
    ("en", "The ferry was late again this morning, welcome to our town"),
]
SAID_AGAIN = {
    "laughter": "{} " + "😂" * 100,
    "ha": "{} " + "ha " * 60,
    "handles": " ".join(f"@someuser{n}" for n in range(50)) + " {}",
}


@pytest.mark.parametrize("again", SAID_AGAIN)
@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_what_is_said_again_and_again_makes_no_abuse_of_a_post(language: str, text: str, again: str) -> None:
    found = LinearHeads(HEADS, ("en", "de", "hi")).classify([assessed(SAID_AGAIN[again].format(text), lang=language)])
    assert found[0].flags == ()


@pytest.mark.parametrize(
    ("text", "scored"),
    [
        ("ha ha ha ha ha no ha ha ha ha", "ha ha ha no ha ha ha"),
        ("no no no yes", "no no no yes"),
        ("@a_b @c @d @e @f @g_h hi @i", "@a_b a b @c c @d d @e e @f f hi"),
        ("#ab #cd #ef #gh #ij #stupid #bitch", "#ab ab #cd cd #ef ef #gh gh #ij ij stupid bitch"),
    ],
)
def test_of_repeats_handles_and_tags_the_first_ones_are_scored(text: str, scored: str) -> None:
    tokens = analyse(text).tokens
    read = few_repeats(Read(tokens, range(len(tokens))))
    assert read.tokens == tuple(scored.split())
    assert [tokens[place] for place in read.origins] == list(read.tokens)


def test_words_behind_repeats_are_shown_where_they_stand() -> None:
    text = "ha " * 20 + "@a @b @c @d @e @f @g " + ABUSE
    flag = LinearHeads([HEAD]).classify([assessed(text)])[0].flags[-1]
    assert "bitches" in " ".join(text[span.start : span.end] for span in flag.spans)
    assert all(span.start >= text.index(ABUSE) for span in flag.spans)
