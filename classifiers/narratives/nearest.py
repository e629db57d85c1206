"""Which of our own sentences does a flagged post read most like?

For the people who look at a flag. No score asks for it, and a post without a flag costs nothing: the sentences of a
code are read when its first post is flagged.
"""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.closest import Sentences
from classifiers.narratives.concepts import Concepts
from classifiers.narratives.likeness import LONGEST_READ, features_of
from classifiers.narratives.seeds import Example, load_seeds
from hustings.text import analyse

__all__ = ["Nearest"]


class Nearest:
    """The seed sentences of one language, each under its code.

    They are those that the model learnt from, which `sha256` tells; beside other seeds than its own a model still
    flags as it did, and nothing is said to be like a post.
    """

    def __init__(self, concepts: Concepts, sha256: str) -> None:
        self._concepts = concepts
        self._sha256 = sha256
        self._seeds: tuple[Example, ...] | None = None
        self._by_code: dict[str, Sentences] = {}

    @property
    def codes_read(self) -> tuple[str, ...]:
        """Codes whose sentences were read by now."""
        return tuple(self._by_code)

    def sentence(self, tokens: Sequence[str], code: str) -> str:
        """The sentence of this code, or of one below it, that reads most like the first words of a post, by the cosine
        of their features. How near it is tells nothing (ordinary talk of the election is as near), so there is always
        one, but where no sentence has a feature of the post."""
        sentences = self._by_code.get(code)
        if sentences is None:
            sentences = self._by_code[code] = self._of(code)
        return sentences.closest(self._features(tokens))

    def _of(self, code: str) -> Sentences:
        texts = [one.text for one in self._learnt_from() if one.code == code or one.code.startswith(f"{code}-")]
        return Sentences(texts, [self._features(analyse(text).tokens) for text in texts])

    def _learnt_from(self) -> tuple[Example, ...]:
        if self._seeds is None:
            seeds = load_seeds(self._concepts.language)
            self._seeds = (*seeds.examples, *seeds.held_out) if seeds.sha256 == self._sha256 else ()
        return self._seeds

    def _features(self, tokens: Sequence[str]) -> list[str]:
        """Words and what they mean for an election, each once: two sentences may say the same in other words."""
        read = tokens[:LONGEST_READ]
        meant = (f"#{one.concept}" for one in self._concepts.find(read))
        return [*features_of(read), *dict.fromkeys(meant)]
