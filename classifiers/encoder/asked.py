"""An encoder that reads codes, as those ask it who want to know what a post means: by its network's SHA-256, about
their codes, one topic, in their language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.codes import CodeReader
from classifiers.encoder.windows import words_alone
from classifiers.encoder.worth import Topic, Worth
from classifiers.spelling import Spelling
from hustings.errors import ModelError

__all__ = ["Asked", "OpenEncoder", "places_in"]

OpenEncoder = Callable[[str], "CodeReader | None"]
"""The encoder whose network has that SHA-256; None where there is none."""

F32 = NDArray[np.float32]


class Asked:
    """Opens the encoder at the first question, and gives its answers in the order of `codes`. What a post is worth is
    told by the words that its tokens stand for."""

    def __init__(
        self,
        network: str,
        topic: Topic,
        codes: Sequence[str],
        open_encoder: OpenEncoder,
        *,
        language: str = "",
        spelling: Spelling,
    ) -> None:
        self._network = network
        self._topic: Topic = topic
        self._language = language
        self._spelling = spelling
        self._codes = tuple(codes)
        self._open = open_encoder
        self._encoder: CodeReader | None = None
        self._opened = False
        self._places: list[int] = []

    def worth(self, posts: Sequence[Sequence[str]]) -> list[float] | None:
        """How much each of the posts, given by its tokens, is worth asking about, as it stands or without what stands
        around its words: hashtags, and of abuse signs, which tell who jests about an election; None where nobody can be
        asked."""
        head = self._head()
        if head is None:
            return None
        found = head.margins(self._said(posts), self._language)
        bounds = [words_alone(tokens, signs=self._topic == "abuse") for tokens in posts]
        filed = [place for place, bound in enumerate(bounds) if bound != (0, len(posts[place]))]
        if filed:
            words = [posts[place][slice(*bounds[place])] for place in filed]
            found[filed] = np.maximum(found[filed], head.margins(self._said(words), self._language))
        return [float(one) for one in found]

    def most_telling(self, parts: Sequence[Sequence[str]]) -> int:
        """Which of the parts of a post to ask about."""
        head = self._head() if len(parts) > 1 else None
        return 0 if head is None else int(np.argmax(head.margins(self._said(parts), self._language)))

    def words(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        """[tokens]: how much each of them says that the encoder is worth asking; a tag in one word is one here."""
        head = self._head()
        return np.zeros(len(tokens)) if head is None else head.words(self._spelling.respelt(tokens), self._language)

    def shares(self, text: str) -> F32 | None:
        """How likely each code is by the meaning of the text; None where nobody can tell."""
        encoder = self._opened_encoder()
        return None if encoder is None else encoder.shares(text)[self._places]

    def early(self, text: str, worth: float) -> float | None:
        """What is known, at a fifth of the time, of how likely `shares` finds something of the topic in a text that is
        worth so much: log-odds; None where nobody can tell."""
        encoder = self._opened_encoder()
        return None if encoder is None else encoder.early(text, self._topic, worth)

    def likely_any(self, kind: str, text: str) -> float:
        """How likely it is any of the encoder's codes that begin with `kind`; 0 where nobody can tell."""
        encoder = self._opened_encoder()
        if encoder is None:
            return 0.0
        shares = zip(encoder.codes, encoder.shares(text).tolist(), strict=True)
        return float(sum(share for code, share in shares if code.startswith(kind)))

    def _said(self, posts: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        return [self._spelling.said(tokens) for tokens in posts]

    def _head(self) -> Worth | None:
        encoder = self._opened_encoder()
        return None if encoder is None else encoder.worth[self._topic]

    def _opened_encoder(self) -> CodeReader | None:
        if not self._opened:  # opened twice at the same time, the same encoder is found twice
            self._encoder = self._open(self._network)
            self._places = places_in(self._encoder.codes, self._codes) if self._encoder is not None else []
            self._opened = True
        return self._encoder


def places_in(known: Sequence[str], codes: Sequence[str]) -> list[int]:
    """Where each of the codes stands among those that an encoder knows. Raises `ModelError` for one that it does not
    know."""
    places = {code: place for place, code in enumerate(known)}
    if missing := [code for code in codes if code not in places]:
        raise ModelError(f"an encoder is asked about {missing!r}; it knows {tuple(known)!r}")
    return [places[code] for code in codes]
