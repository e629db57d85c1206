import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.linear.features import CHARACTER_SIZES, NOTHING, HashKey, features

KEY = HashKey.from_seed(1)
TOKENS = st.lists(st.text(st.characters(exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cs")), min_size=1, max_size=12))


def sizes_by_hand(tokens: list[str]) -> list[int]:
    """Features that begin in each word, counted the slow way."""
    return [
        sum(max(len(token) + 3 - size, 0) for size in CHARACTER_SIZES) + 1 + (place + 1 < len(tokens))
        for place, token in enumerate(tokens)
    ]


@given(st.lists(TOKENS, max_size=5))
def test_every_word_has_the_features_that_counting_by_hand_gives(posts: list[list[str]]) -> None:
    found = features(posts, KEY)
    assert found.sizes.tolist() == [size for tokens in posts for size in sizes_by_hand(tokens)]
    buckets = sum(int((part != NOTHING).sum()) for part in (*found.characters, found.words, found.pairs))
    assert buckets == int(found.sizes.sum())


@given(st.lists(TOKENS, min_size=1, max_size=5))
def test_a_post_has_the_same_buckets_alone_and_among_others(posts: list[list[str]]) -> None:
    together = features(posts, KEY)
    for place, tokens in enumerate(posts):
        alone = features([tokens], KEY)
        first, end = together.first_word[place], together.first_word[place + 1]
        assert together.words[first:end].tolist() == alone.words.tolist()
        assert together.pairs[first:end].tolist() == alone.pairs.tolist()
        if tokens:
            start = int(together.starts[first])
            for whole, own in zip(together.characters, alone.characters, strict=True):
                assert whole[start : start + len(own)].tolist() == own.tolist()


def test_words_of_different_posts_make_no_pair() -> None:
    found = features([["one"], [], ["two", "three"]], KEY)
    assert (found.pairs != NOTHING).tolist() == [False, True, False]


def test_another_seed_gives_other_buckets() -> None:
    other = features([["vote"]], HashKey.from_seed(2))
    assert not np.array_equal(features([["vote"]], KEY).characters[0], other.characters[0])


def test_ascii_text_and_the_same_words_beside_other_scripts_hash_alike() -> None:
    assert features([["vote"]], KEY).words[0] == features([["vote", "صوتوا"]], KEY).words[0]


def test_hashes_spread_evenly() -> None:
    words = [[f"word{number}"] for number in range(20_000)]
    found = features(words, KEY).words
    assert len(np.unique(found)) > 19_000
