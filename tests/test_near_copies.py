"""Near-copies are found as the plain definition finds them, which compares all with all."""

from hypothesis import given
from hypothesis import strategies as st

from tests.near_copies import near_copies, near_pairs

WORDS = st.sampled_from(["vote", "votes", "on", "Monday", "monday!", "the", "harbour", "harbours", "a", "b"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=12)


def grams(text: str) -> set[str]:
    flat = " ".join(text.casefold().split())
    return {flat[place : place + 5] for place in range(max(1, len(flat) - 4))}


def near(one: str, other: str) -> bool:
    return len(grams(one) & grams(other)) / len(grams(one) | grams(other)) >= 0.6


@given(TEXTS)
def test_among_texts(texts: list[str]) -> None:
    pairs = [(one, other) for place, other in enumerate(texts) for one in texts[:place] if near(one, other)]
    assert near_pairs(texts) == pairs


@given(TEXTS, TEXTS)
def test_between_texts_and_others(texts: list[str], others: list[str]) -> None:
    assert near_copies(texts, others) == [(one, other) for one in texts for other in others if near(one, other)]
