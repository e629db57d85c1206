from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from classifiers.stories import MEMORY_AGE, Stories
from hustings.testing.check_classifier import check_classifier
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post

START = datetime(2026, 10, 1, tzinfo=UTC)
CLAIM = "Voting has been moved to Tuesday because of the ferry strike, do not go on Sunday, tell your neighbours"
COPY = "URGENT Voting has been moved to Tuesday because of the ferry strike, do not go on Sunday, tell neighbours!"
OTHER = "The election is cancelled in the islands, the boats with the ballots never arrived there last night"


def flagged(
    text: str, key: str = "1", *, code: str = "N-PROC-DATE", revision: int = 0, after: timedelta = timedelta(0)
) -> Assessment:
    post = Post(
        source="s",
        native_id=key,
        text=text,
        revision=revision,
        published_at=START + after,
        collected_at=START + after,
    )
    flags = (Flag(code=code, score=0.9),) if code else ()
    return Assessment(post=post, tokens=analyse(text).tokens, flags=flags)


def stories_of(*assessments: Assessment, memory: Stories | None = None) -> list[str]:
    return [found.story for found in (memory or Stories()).classify(assessments)]


def test_near_copies_tell_one_story_and_other_posts_another() -> None:
    claim, copy, other = stories_of(flagged(CLAIM, "1"), flagged(COPY, "2"), flagged(OTHER, "3"))
    assert claim == copy != other


def test_a_post_that_no_step_flagged_has_no_story() -> None:
    assert stories_of(flagged(CLAIM, "1"), flagged(CLAIM, "2", code=""))[1] == ""


def test_an_answer_that_quotes_the_claim_is_not_part_of_its_story() -> None:
    claim, answer = stories_of(flagged(CLAIM, "1"), flagged("False: " + CLAIM, "2", code="X-COUNTER"))
    assert claim != answer
    assert answer.startswith("answer-")


def test_the_id_is_a_function_of_the_words_that_began_the_story() -> None:
    assert stories_of(flagged(CLAIM, "1")) == stories_of(flagged(CLAIM, "999", after=timedelta(days=3)))


def test_one_by_one_is_the_same_as_all_at_once() -> None:
    posts = [flagged(text, str(place)) for place, text in enumerate([CLAIM, OTHER, COPY, CLAIM, OTHER + " again"])]
    memory = Stories()
    assert [memory.classify([post])[0].story for post in posts] == stories_of(*posts)


def test_a_memory_rebuilt_from_stored_assessments_goes_on_as_if_nothing_had_happened() -> None:
    first, then = flagged(CLAIM, "1"), flagged(COPY, "2", after=timedelta(minutes=5))
    whole = Stories().classify([first, then])
    restarted = Stories.remembering(Stories().classify([first]))
    assert restarted.classify([then])[0] == whole[1]


def test_work_done_again_after_a_crash_keeps_its_story() -> None:
    posts = [flagged(CLAIM, "1"), flagged(OTHER, "2"), flagged(COPY, "3")]
    done = Stories().classify(posts)
    again = Stories.remembering(done)
    assert again.classify(posts) == done


def test_an_edit_is_told_by_its_new_words() -> None:
    memory = Stories()
    before, after = stories_of(flagged(CLAIM), flagged(OTHER, revision=5), memory=memory)
    assert before != after
    assert stories_of(flagged(COPY, "2"), memory=memory) != [before], "the edited post's former words are forgotten"


def test_a_small_edit_stays_in_its_story() -> None:
    before, after = stories_of(flagged(CLAIM), flagged(COPY, revision=5))
    assert before == after


def test_memory_forgets_after_its_window() -> None:
    memory = Stories()
    stories_of(flagged(CLAIM, "1"), memory=memory)
    late = timedelta(seconds=1) + MEMORY_AGE
    stories_of(flagged(OTHER, "2", after=late), memory=memory)
    assert len(memory.classify([flagged(COPY, "3", after=late)])[0].story) == 32
    assert stories_of(flagged(COPY, "4", after=late), memory=memory) != stories_of(flagged(CLAIM, "1"))


def test_a_flood_of_copies_stays_cheap_and_one_story() -> None:
    memory = Stories()
    flood = [flagged(f"{CLAIM} number{number}", str(number)) for number in range(2_000)]
    assert len(set(stories_of(*flood, memory=memory))) == 1
    assert len(memory._sketches) <= 64


def test_titles_count() -> None:
    first = flagged(CLAIM, "1")
    second = replace(flagged("", "2"), title_tokens=first.tokens, tokens=())
    one, other = stories_of(first, second)
    assert one == other


def test_it_keeps_the_contract_of_a_classifier() -> None:
    check_classifier(Stories)
