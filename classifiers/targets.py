"""At whom is an abusive post aimed? A first rule, plain enough to be argued with.

A person becomes `aimed_at` when all of this holds:

1. the post carries a flag of abuse or threat (`G…`, `A…`, `N-PART-THREAT`) and not that of an answer
   (`X-COUNTER`), and does not speak up against it in so many words ("stop attacking …");
2. the person is addressed and the post speaks to somebody ("you"), or is the only one whom the post names, or is named
   within the same sentence as a word that spoke for the flag.

It cannot tell who is quoted from who speaks, and it cannot see irony.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from classifiers.phrases import Phrases
from hustings.types import Assessment, Flag, Span, Target

__all__ = ["Targets"]

_ABUSE = ("G", "A", "N-PART-THREAT")
_SENTENCE_END = re.compile(r"[.!?؟。!?।\n]+")


class Targets:
    """Raises the role of a target to `aimed_at`. The only step that changes what an earlier one wrote, and only so."""

    name = "targets"
    version = "rule-1"

    def __init__(self) -> None:
        self._second_person = Phrases("second_person")
        self._stands_up = Phrases("stands_up")

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [self._aimed(one) if one.targets and _is_abusive(one.flags) else one for one in assessments]

    def _aimed(self, assessment: Assessment) -> Assessment:
        if any(flag.code == "X-COUNTER" for flag in assessment.flags) or self._stands_up.occur_in(assessment.tokens):
            return assessment
        attacked = self._attacked(assessment)
        people = (replace(one, role="aimed_at") if one.id in attacked else one for one in assessment.targets)
        return replace(assessment, targets=tuple(people))

    def _attacked(self, assessment: Assessment) -> frozenset[str]:
        """Ids of the people whom the abuse is aimed at."""
        people = assessment.targets
        if len(people) == 1:
            return frozenset({people[0].id})
        addressed = frozenset(target.id for target in people if target.role == "addressed")
        if addressed and self._second_person.occur_in(assessment.tokens):
            return addressed
        reasons = [span for flag in assessment.flags if _is_abusive((flag,)) for span in flag.spans]
        return frozenset(target.id for target in people if _shares_sentence(target, reasons, assessment))


def _shares_sentence(target: Target, reasons: Sequence[Span], assessment: Assessment) -> bool:
    texts = {"text": assessment.post.text, "title": assessment.post.title}
    return any(
        named.part == reason.part and not _SENTENCE_END.search(_between(texts[named.part], named, reason))
        for named in target.spans
        for reason in reasons
    )


def _between(text: str, one: Span, other: Span) -> str:
    first, second = sorted((one, other), key=lambda span: span.start)
    return text[first.end : second.start]


def _is_abusive(flags: Sequence[Flag]) -> bool:
    return any(flag.code == code or flag.code.startswith(code + "-") for flag in flags for code in _ABUSE)
