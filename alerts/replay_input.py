"""Assessments from a file of JSON lines, as strict as every edge; what a minimal line leaves out is worked out."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hustings import wire
from hustings.errors import BadInput
from hustings.text import analyse_all
from hustings.types import Assessment

__all__ = ["DeadLine", "read_assessments"]


class DeadLine(Exception):
    """Lines that are no assessments; `problems` are ready-made lines, each naming its number."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


MOST_SHOWN = 20
"""Dead lines that are told one by one."""


def read_assessments(lines: Iterable[bytes], *, name: str) -> list[Assessment]:
    """One assessment for each line that is not blank, in order. Raises `DeadLine` for all lines that do not decode.

    A minimal line is `{"post":{…},"flags":[{"code","score"}],"targets":[{"id","role"}]}`; tokens that it lacks are
    those that the analyser gives for its text, as in `analyze`."""
    assessments: list[Assessment] = []
    problems: list[str] = []
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            assessments.append(wire.decode_strict(raw, Assessment))
        except BadInput as error:
            problems.append(f"{name}:{number}: {error}")
    if problems:
        more = len(problems) - MOST_SHOWN
        raise DeadLine(problems[:MOST_SHOWN] + ([f"{name}: {more} more dead lines"] if more > 0 else []))
    return _analysed(assessments)


def _analysed(assessments: list[Assessment]) -> list[Assessment]:
    """Each with its tokens."""
    bare = [
        number
        for number, assessment in enumerate(assessments)
        if not (assessment.tokens or assessment.title_tokens) and (assessment.post.text or assessment.post.title)
    ]
    texts = analyse_all([assessments[number].post.text for number in bare])
    titles = analyse_all([assessments[number].post.title for number in bare])
    for number, text, title in zip(bare, texts, titles, strict=True):
        assessments[number] = replace(
            assessments[number],
            tokens=text.tokens,
            title_tokens=title.tokens,
            removed=assessments[number].removed or text.removed + title.removed,
        )
    return assessments
