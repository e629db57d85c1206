"""What the pipeline flags as harm is what somebody finds who rates the same posts and judges at the threshold."""

from collections.abc import Sequence

import pytest

from classifiers.encoder.codes import load_code_readers
from classifiers.encoder.readable import Readable
from classifiers.narratives.answers import answers
from classifiers.narratives.reader import FLAGGED_HARM
from classifiers.narratives.seeds import example_languages, load_examples
from classifiers.narratives.sense import Sense
from classifiers.narratives.teller import Teller, load_tellers
from classifiers.pipeline import shipped_models
from classifiers.spelling import Spelling
from classifiers.store import serving
from hustings.text import analyse_all

FOLDERS = serving(shipped_models())
TELLERS = {teller.manifest.language: teller for teller in load_tellers(FOLDERS.values())}
CLAIM = "The election was cancelled, the president signed the decree last night"
LIKE_AN_EXAMPLE_WHILE_COLUMNS_DISAGREE = (
    "Breaking from the allotment: cucumbers to vote on Saturday, radishes on Thursday, slugs disenfranchised",
)
ANSWERED = "FALSE: voting has NOT been moved to Tuesday. Election day is still Sunday."


def found(teller: Teller, texts: Sequence[str]) -> list[bool]:
    """Whether each text is rated at the threshold or above."""
    lang, spelling = teller.manifest.language, teller.reader.lexicon.spelling
    rated = [
        teller.rate(analysed.tokens, Readable(text, language=lang, spelling=spelling))
        for text, analysed in zip(texts, analyse_all(texts), strict=True)
    ]
    return [rate >= teller.manifest.threshold.value for rate in rated]


def flagged(teller: Teller, texts: Sequence[str]) -> list[bool]:
    """Whether the pipeline's step flags each text as harm, on which the encoder's head and all else have no say."""
    return [code.startswith((*FLAGGED_HARM, "G")) for code in answers(teller, texts, nothing="nothing")]


@pytest.mark.parametrize("language", sorted(TELLERS))
def test_a_rating_is_at_the_threshold_or_above_where_a_post_is_flagged_and_below_where_not(language: str) -> None:
    speaking = language if language in example_languages() else "en"
    texts = [example.text for example in load_examples(speaking).held_out]
    assert found(TELLERS[language], texts) == flagged(TELLERS[language], texts)


@pytest.mark.parametrize("text", LIKE_AN_EXAMPLE_WHILE_COLUMNS_DISAGREE)
def test_a_post_that_is_like_an_example_is_not_found_where_columns_let_it_be_flagged_for_nothing(text: str) -> None:
    assert TELLERS["en"].resemblance is not None
    alike = TELLERS["en"].resemblance.compare(analyse_all([text])[0].tokens)
    assert alike is not None
    assert alike.is_enough
    assert flagged(TELLERS["en"], [text]) == found(TELLERS["en"], [text]) == [False]


def test_an_answer_to_a_narrative_is_flagged_and_not_found_as_harm() -> None:
    assert answers(TELLERS["en"], [ANSWERED], nothing="nothing") == ["X-COUNTER"]
    assert found(TELLERS["en"], [ANSWERED]) == [False]


def test_meaning_has_a_threshold_of_its_own_and_what_it_flags_is_found_too() -> None:
    (reader,) = load_code_readers(FOLDERS.values())
    teller = TELLERS["en"]
    assert teller.sense is not None
    settings = teller.sense.settings._replace(threshold=0.0001, least=-20.0, least_early=-99.0)
    sense = Sense(settings, teller.reader.columns.codes, lambda network: reader, language="en", spelling=Spelling([]))
    easily = teller._replace(sense=sense, resemblance=None)
    texts = [CLAIM, ANSWERED, "I voted this morning and the queue was short"]
    assert found(easily, texts) == flagged(easily, texts)
    assert found(easily, texts) != found(teller._replace(resemblance=None), texts)
