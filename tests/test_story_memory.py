"""What a restart of analyze reads back of stories: the memory that would have been, page by page."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.stories import MEMORY_AGE, Stories
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post
from index.sqlite import SqliteIndex
from runtime.build import story_memory

START = datetime(2026, 10, 1, tzinfo=UTC)
CLAIM = "Voting has been moved to Tuesday because of the ferry strike, do not go on Sunday, tell your neighbours"
OTHER = "The election is cancelled in the islands, the boats with the ballots never arrived there last night"
FLAGS = (Flag(code="N-PROC-DATE", score=0.9),)


tokens_of = cache(lambda text: analyse(text).tokens)


def told(
    key: object, *, text: str = CLAIM, published: float = 0, collected: float = 0, first: float | None = None
) -> Assessment:
    """A post with a story; times in days."""
    post = Post(
        source="s",
        native_id=str(key),
        text=text,
        revision=round(collected * 1000),
        published_at=START + timedelta(days=published),
        collected_at=START + timedelta(days=collected),
    )
    began = START + timedelta(days=collected if first is None else first)
    return Assessment(post=post, tokens=tokens_of(text), flags=FLAGS, story="x", first_collected_at=began)


def remembered(folder: Path, stored: Sequence[Assessment]) -> list[str]:
    with closing(SqliteIndex(folder).open()) as index:
        index.write(stored, log_id="log")
        return [one.post.native_id for one in story_memory(index)]


def test_an_index_without_stories_has_no_memory(tmp_path: Path) -> None:
    with closing(SqliteIndex(tmp_path).open()) as index:
        assert list(story_memory(index)) == []


def test_posts_come_as_they_were_collected_whenever_they_were_published(tmp_path: Path) -> None:
    stored = [
        told("edited late", published=1, collected=4, first=0),
        told("an old post found late", published=-300, collected=3),
        told("first", published=2, collected=2),
    ]
    assert remembered(tmp_path, stored) == ["first", "an old post found late", "edited late"]


def test_what_was_collected_before_the_memory_begins_is_not_read(tmp_path: Path) -> None:
    age = MEMORY_AGE / timedelta(days=1)
    stored = [
        told("too old", published=2.9),
        told("in time", published=1, collected=3),
        told("new", published=3 + age, collected=3 + age),
    ]
    assert remembered(tmp_path, stored) == ["in time", "new"]


def test_more_than_the_memory_holds_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.stories.MEMORY_SIZE", 600)
    stored = [told(number, published=-number, collected=number / 1000) for number in range(1_300)]
    assert remembered(tmp_path, stored) == [str(number) for number in range(700, 1_300)]


def test_no_more_than_pages_are_held(tmp_path: Path) -> None:
    long = [told(number, text="x" * 20_000, collected=number / 1000) for number in range(3_000)]
    with closing(SqliteIndex(tmp_path).open()) as index:
        index.write(long, log_id="log")
        del long
        tracemalloc.start()
        try:
            assert sum(len(one.post.text) for one in story_memory(index)) == 60_000_000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 40_000_000


happenings = st.lists(
    st.tuples(
        st.integers(0, 9),  # whose post it is, or an edit of it
        st.sampled_from([CLAIM, f"URGENT {CLAIM}!", OTHER, f"{OTHER} again"]),
        st.floats(-20, 20),  # published, in days
        st.sampled_from([0.001, 1.0, 6.0, 13.0, 15.0]),  # days until it is collected
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=50)
@given(happenings, st.integers(3, 12))
def test_the_memory_after_a_restart_is_the_one_that_would_have_been(
    happened: list[tuple[int, str, float, float]], size: int
) -> None:
    with (
        TemporaryDirectory() as folder,
        closing(SqliteIndex(Path(folder)).open()) as index,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("classifiers.stories.MEMORY_SIZE", size)
        first: dict[int, float] = {}
        collected = 0.0
        live = Stories()
        for key, text, published, later in happened:
            collected += later
            began = first.setdefault(key, collected)
            index.write(
                live.classify([told(key, text=text, published=published, collected=collected, first=began)]),
                log_id="log",
            )
        assert _memory_of(Stories.remembering(story_memory(index))) == _memory_of(live)


def _memory_of(stories: Stories) -> object:
    wordings = {wording: (bool(one.number), one.story, one.posts) for wording, one in stories._wordings.items()}
    return list(stories._known.items()), wordings
