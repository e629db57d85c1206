"""Single letters in a row, and letters cut into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from hustings.text.characters import INDIC, INDIC_MARKS, VIRAMAS

__all__ = ["Gap", "fewest_pieces", "is_letter", "rows_of_letters"]

Gap = Literal["blank", "sign", "end"]
"""What stands behind a token: a blank, a sign without one, or both, as at the end of a sentence or of a text."""
_LETTER = re.compile(rf"(?![\d_])\w[{INDIC_MARKS}]*(?:(?<=[{VIRAMAS}])[{INDIC}][{INDIC_MARKS}]*)*")
_LONGEST_LETTER = 8
_FIRST_MARK = min(INDIC_MARKS)


def is_letter(token: str) -> bool:
    """Whether a token is one letter; in Indic scripts what is written as one."""
    if len(token) > 1 and token[1] < _FIRST_MARK:
        return False  # nearly all words, without asking more
    return len(token) <= _LONGEST_LETTER and _LETTER.fullmatch(token) is not None


def rows_of_letters(tokens: Sequence[str], gaps: Sequence[Gap] | None, longest: int) -> Iterator[tuple[int, int]]:
    """Where letters stand in a row with the same behind each, a blank or a sign: rows of two to `longest`, from one
    place to another; longer ones are given in pieces. Where two letters are followed by one with another gap, the
    second one begins the row (`l'u r n e`)."""
    begin, many = 0, len(tokens)
    while begin < many - 1:
        if not is_letter(tokens[begin]):
            begin += 1
            continue
        end = begin + 1
        while (
            end < many
            and is_letter(tokens[end])
            and (gaps is None or (gaps[end - 1] == gaps[begin] and gaps[end - 1] != "end"))
        ):
            end += 1
        if end - begin == 2 and end < many and is_letter(tokens[end]):
            end = begin + 1  # two letters, then another gap: the second one may begin a row
        for first in range(begin, end, longest):
            if min(first + longest, end) - first >= 2:
                yield first, min(first + longest, end)
        begin = end


def fewest_pieces(many: int, is_piece: Callable[[int, int], bool], longest: int) -> list[int]:
    """The ends of the fewest pieces into which so many letters can be cut, of as few the longest first; none where
    there is no way. `is_piece` is asked from where to where; a piece has `longest` letters at most, or one."""
    count: list[int | None] = [None] * many + [0]
    end_of = [0] * many
    for begin in range(many - 1, -1, -1):
        for end in range(min(begin + max(longest, 1), many), begin, -1):
            rest, best = count[end], count[begin]
            if rest is not None and (best is None or rest + 1 < best) and is_piece(begin, end):
                count[begin], end_of[begin] = rest + 1, end
    ends: list[int] = []
    place = 0 if many and count[0] is not None else many
    while place < many:
        place = end_of[place]
        ends.append(place)
    return ends
