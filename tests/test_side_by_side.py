"""Steps whose work several threads share: the same comes of it, in the same order, or the same error."""

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Barrier

import pytest
from msgspec.structs import replace

from classifiers.side_by_side import classified
from hustings.types import Assessment, Post
from tests.loops_world import Poisonous

NOW = datetime(2026, 10, 1, tzinfo=UTC)


class Echo:
    """Writes what it read as the language; where there is a barrier, two must read at the same time."""

    name, version = "echo", "1"

    def __init__(self, barrier: Barrier | None = None) -> None:
        self.sizes: list[int] = []
        self._barrier = barrier

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        self.sizes.append(len(assessments))
        if self._barrier is not None:
            self._barrier.wait(timeout=20)
        return [replace(one, lang=one.post.text) for one in assessments]


def given(*texts: str) -> list[Assessment]:
    posts = [
        Post(source="s", native_id=str(place), text=text, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    return [Assessment(post=post, tokens=tuple(post.text.split())) for post in posts]


@pytest.mark.parametrize("many", [0, 1, 2, 31, 33, 200])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_all_posts_come_back_in_their_order(many: int, threads: int) -> None:
    texts = [str(number) for number in range(many)]
    assert [one.lang for one in classified(Echo(), given(*texts), threads=threads)] == texts


def test_two_threads_work_at_the_same_time_on_parts_of_at_most_32_posts() -> None:
    step = Echo(Barrier(2))  # a single thread would wait in vain, and fail
    assert len(classified(step, given(*["x"] * 128), threads=2)) == 128
    assert step.sizes == [32] * 4


def test_one_thread_gets_all_at_once() -> None:
    step = Echo()
    classified(step, given(*["x"] * 100), threads=1)
    assert step.sizes == [100]


def test_whatever_a_step_raises_goes_through() -> None:
    with pytest.raises(ZeroDivisionError, match="a bug in this step"):
        classified(Poisonous(), given(*["fine"] * 70, "poison", *["fine"] * 70), threads=2)
