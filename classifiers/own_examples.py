"""What does a flag for abuse mean? Shown by the post of our own that reads most like the one that was flagged.

Only posts that heads of the flag's code should flag, in the post's language (`classifiers.own_posts`). A flag of a code
or in a language of which there are none has no example. Nothing is read before the first flag of a code.
"""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.closest import Sentences
from classifiers.narratives.likeness import features_of
from classifiers.own_posts import either_side, own_languages, read_own
from classifiers.roster_names import NAME
from hustings.text import analyse

__all__ = ["OwnExamples", "as_shown"]

BLANK = "…"
"""Stands where any name or party would: an example is about nobody."""


class OwnExamples:
    """The posts of our own by language and code, each read when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Sentences | None] = {}

    @property
    def read(self) -> tuple[tuple[str, str], ...]:
        """The pairs of language and code that were asked for by now."""
        return tuple(self._known)

    def sentence(self, tokens: Sequence[str], code: str, language: str) -> str:
        """The post of that code and language which reads most like these tokens; "" where there is none. A roster's
        names in them count for nothing."""
        asked = (language, code)
        if asked not in self._known:
            self._known[asked] = _read(code, language)
        sentences = self._known[asked]
        return "" if sentences is None else sentences.closest(_features(tokens))


def as_shown(post: str, named: Sequence[str] = ()) -> tuple[str, ...]:
    """A post of ours for either of its sides, each once, with a blank for every name and party: where any may stand,
    and where one of those `named` was written out."""
    for name in ("{name}", "{party}", *named):
        post = post.replace(name, BLANK)
    sides = either_side(post)
    return tuple(dict.fromkeys(side[:1].upper() + side[1:] if post[:1] == "{" else side for side in sides))


def _read(code: str, language: str) -> Sentences | None:
    if language not in own_languages():
        return None
    own = read_own(language)
    posts = (post for group in own.group if group.label(code) == 1 for post in group.posts)
    texts = list(dict.fromkeys(text for post in posts for text in as_shown(post, (*own.names, *own.parties))))
    return Sentences(texts, [_features(analyse(text).tokens) for text in texts]) if texts else None


def _features(tokens: Sequence[str]) -> list[str]:
    return features_of([token for token in tokens if token != NAME])
