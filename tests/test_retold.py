"""What else tells a post's story, in other words: found by meaning, in English, among flagged posts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from classifiers.encoder.embed import Embedder, load_embedder
from classifiers.pipeline import serving, shipped_models
from classifiers.retold import MOST_READ, Retold
from desk.web.services import Silent
from hustings.errors import ModelError
from hustings.types import Assessment, Flag
from index.sqlite import SqliteIndex
from runtime.retold import retold_finder
from tests.desk_world import assessed

MOVED = "They have moved the vote in Halverley to Monday, so stay at home on Sunday."
SAME = "Halverley does not vote on Sunday any more, voting there was put off until Monday."
OTHER = "The mayor of Halverley opened a new swimming pool on Sunday and everybody got in for free."
UNLIKE = "Our bakery sells the best bread rolls of the whole valley."
NAMES = Flag(code="N-PROC-DATE", score=0.9, threshold=0.7)


def told(name: str, text: str, *, story: str, lang: str = "en") -> Assessment:
    return assessed(name, text, lang=lang, story=story, flags=(NAMES,))


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    found = load_embedder(serving(shipped_models()).values(), "en")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def retold(embedder: Embedder) -> Retold:
    return Retold({"en": embedder}.get)


def keys(found: Sequence[Assessment]) -> list[str]:
    return [one.post.native_id for one in found]


def test_a_story_is_found_in_other_words_and_another_matter_is_not(retold: Retold) -> None:
    others = [told("same", SAME, story="b"), told("other", OTHER, story="c"), told("unlike", UNLIKE, story="d")]
    assert keys(retold.of(told("asked", MOVED, story="a"), others)) == ["same"]


def test_copies_of_the_same_story_are_not_named_again(retold: Retold) -> None:
    asked = told("asked", MOVED, story="a")
    assert retold.of(asked, [asked, told("copy", MOVED, story="a")]) == []


def test_of_a_story_in_other_words_one_post_stands_for_all(retold: Retold) -> None:
    others = [told(f"same-{number}", SAME, story="b") for number in range(5)]
    assert len(retold.of(told("asked", MOVED, story="a"), others)) == 1


def test_the_most_alike_come_first(retold: Retold) -> None:
    nearly = MOVED.replace("stay at home", "do not go")
    others = [told("same", SAME, story="b"), told("nearly", nearly, story="c")]
    assert keys(retold.of(told("asked", MOVED, story="a"), others)) == ["nearly", "same"]


def test_what_was_asked_before_changes_no_answer(embedder: Embedder) -> None:
    others = [told("same", SAME, story="b"), told("other", OTHER, story="c")]
    asked = told("asked", MOVED, story="a")
    fresh, used = Retold({"en": embedder}.get), Retold({"en": embedder}.get)
    used.of(others[0], [asked, others[1]])
    assert used.of(asked, others) == fresh.of(asked, others)


def test_an_edited_post_is_read_anew(retold: Retold) -> None:
    asked = told("asked", MOVED, story="a")
    assert keys(retold.of(asked, [told("edited", SAME, story="b")])) == ["edited"]
    edited = assessed("edited", UNLIKE, story="b", flags=(NAMES,), revision=2)
    assert retold.of(asked, [edited]) == []


def test_a_language_without_a_model_has_no_answers(retold: Retold) -> None:
    assert not retold.speaks("fr")
    french = [told("même", "Le vote est reporté à lundi.", story="b", lang="fr")]
    assert retold.of(told("demande", "Le vote est reporté à lundi.", story="a", lang="fr"), french) == []


def test_of_many_posts_those_with_words_in_common_are_read(retold: Retold) -> None:
    many = [told(f"bread-{number:02}", f"{UNLIKE} {number}", story=f"s{number}") for number in range(MOST_READ + 10)]
    assert keys(retold.of(told("asked", MOVED, story="a"), [*many, told("same", SAME, story="b")])) == ["same"]


def test_the_newest_flagged_posts_of_the_index_are_asked(tmp_path: Path, embedder: Embedder) -> None:
    index = SqliteIndex(tmp_path).open()
    try:
        asked = told("asked", MOVED, story="a")
        unflagged = assessed("unflagged", SAME)
        index.write([asked, told("same", SAME, story="b"), unflagged, told("other", OTHER, story="c")], log_id="log")
        find = retold_finder(index, {"en": embedder}.get, Silent())
        assert keys(find(asked)) == ["same"]
    finally:
        index.close()


def test_a_model_that_cannot_be_trusted_is_named_once_and_finds_nothing(tmp_path: Path) -> None:
    said: list[dict[str, object]] = []

    class Listening(Silent):
        def error(self, event: object, **fields: object) -> None:
            said.append(fields)

    def refused(language: str) -> Embedder | None:
        raise ModelError("embed-en: manifest.sig is not that of its manifest")

    index = SqliteIndex(tmp_path).open()
    try:
        find = retold_finder(index, refused, Listening())
        asked = told("asked", MOVED, story="a")
        assert (find(asked), find(asked)) == ([], [])
    finally:
        index.close()
    assert [fields["detail"] for fields in said] == ["embed-en: manifest.sig is not that of its manifest"]
