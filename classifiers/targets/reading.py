"""What was read of a post, as plain values: words, who is named where, and the cues that the rules found."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Cue", "CueKind", "Mention", "Reading"]

CueKind = Literal[
    "anyone",
    "but",
    "calls",
    "chooses",
    "concedes",
    "contrasts",
    "defends",
    "denies",
    "denies_that",
    "exclaims",
    "followers",
    "harm",
    "he",
    "hearsay",
    "insult",
    "insults",
    "joins",
    "kin",
    "likens",
    "others",
    "passes_on",
    "pronoun",
    "reports",
    "says",
    "second_person",
    "she",
    "somebody",
]
"""What a rule can say of the words that it matches; docs/targets.md explains each."""


class Cue(NamedTuple):
    """A rule matched the words from `start` up to, not including, `end`."""

    kind: CueKind
    start: int
    end: int


class Mention(NamedTuple):
    """A person of the roster is named by the word `at`: a name of several words is one word here."""

    person: str
    at: int


class Reading(NamedTuple):
    """A post as the rules see it.

    Words are counted from 0, the title's first; `ranges` are their characters in `text`, which is the title, if there
    is one, a line feed, and the text of the post. `sentences` and `clauses` hold the number of each word's sentence and
    clause; both rise. `quotes` are ranges of words between quotation marks. `reasons` are the words for which the post
    was flagged, by the spans of its flags. `negation_follows` is said of languages in which a word of denial stands
    behind what it denies. `greeted` are people of the roster among the mentions with which the post begins, or whom the
    source lists as mentioned; `strangers` says that it begins with mentions of others alone. `subjects` are reasons,
    each with the word that a parser found it to be about."""

    text: str
    words: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]
    sentences: tuple[int, ...]
    clauses: tuple[int, ...]
    mentions: tuple[Mention, ...]
    cues: tuple[Cue, ...]
    quotes: tuple[tuple[int, int], ...]
    reasons: tuple[int, ...]
    negation_follows: bool = False
    greeted: tuple[str, ...] = ()
    strangers: bool = False
    subjects: tuple[tuple[int, int], ...] = ()
