"""What is said over and over counts a few times only: a head sums its words, so that forty laughing faces, "ha" without
end or a list of handles would make abuse of any post."""

from __future__ import annotations

from classifiers.roster_names import NOBODY, Read, parts_of

__all__ = ["MOST_OF_A_KIND", "MOST_OF_A_RUN", "as_scored", "few_repeats"]

MOST_OF_A_RUN = 3
"""Times that a token counts where it stands again and again without another in between."""
MOST_OF_A_KIND = 5
"""Handles that count, each with its parts, and tags. The words of further tags count: they are what a post says."""


def few_repeats(read: Read) -> Read:
    """What is scored of these tokens."""
    tokens = read.tokens
    kept: list[int] = []
    handles = tags = run = place = 0
    while place < len(tokens):
        token = tokens[place]
        run = run + 1 if place and token == tokens[place - 1] else 1
        end = place + 1
        is_kept = run <= MOST_OF_A_RUN
        if token[0] == "@" and len(token) > 1:
            end = parts_of(tokens, place).stop
            handles += 1
            is_kept = handles <= MOST_OF_A_KIND
        elif token[0] == "#" and len(token) > 1:
            tags += 1
            is_kept = tags <= MOST_OF_A_KIND
        if is_kept:
            kept += range(place, end)
        place = end
    if len(kept) == len(tokens):
        return read
    return Read(tuple([tokens[place] for place in kept]), tuple([read.origins[place] for place in kept]))


def as_scored(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """What the pipeline's step gives the linear heads of these tokens, where nobody is watched."""
    return few_repeats(NOBODY.said(tokens)).tokens
