"""Which posts of an alert a message shows: as many as the `evidence.samples` of its rule, chosen by its `pick`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerts.rule import Evidence, Rule
from hustings.query.fields import number_value
from hustings.query.tree import And, Compare, Is, Node, Or
from hustings.types import Assessment

__all__ = ["scored", "shown"]


def shown(rule: Rule | None, evidence: Sequence[str], assessments: Sequence[Assessment]) -> tuple[str, ...]:
    """Keys of the evidence, which is in order of time, as they are to be shown. None is a rule that is gone.

    Of posts with the same score the older ones come first, posts that are not known any more last. With
    `highest_score_per_author` nobody is shown twice before everybody was shown once."""
    wanted = Evidence() if rule is None else rule.evidence
    if wanted.pick == "oldest":
        return tuple(evidence[: wanted.samples])
    if wanted.pick == "newest":
        return tuple(evidence[: -wanted.samples - 1 : -1])
    known = {assessment.key: assessment for assessment in assessments}
    fields = () if rule is None else scored(rule.query.node)
    ranked = sorted(evidence, key=lambda key: -_score(known.get(key), fields))
    if wanted.pick == "highest_score_per_author":
        ranked = _authors_in_turn(ranked, known)
    return tuple(ranked[: wanted.samples])


def scored(node: Node) -> tuple[str, ...]:
    """The score fields that a query asks for: those of its flags and of its comparisons."""
    match node:
        case Compare(field) if field.startswith("score."):
            return (field,)
        case Is("flag", codes):
            return tuple(f"score.{code}" for code in codes)
        case And(nodes) | Or(nodes):
            return tuple(dict.fromkeys(field for inner in nodes for field in scored(inner)))
        case _:  # what a query excludes says nothing about the posts that it finds
            return ()


def _score(assessment: Assessment | None, fields: Sequence[str]) -> float:
    """The highest of what the rule asks for; where it asks for none, of the flags."""
    if assessment is None:
        return -1.0
    found = [score for field in fields if (score := number_value(assessment, field)) is not None]
    return max(found or [flag.score for flag in assessment.flags], default=0.0)


def _authors_in_turn(keys: Sequence[str], known: Mapping[str, Assessment]) -> list[str]:
    """The first post of each author, then all others; a post whose author is not known is somebody else's."""
    first: dict[str, str] = {}
    for key in keys:
        author = known[key].post.author if key in known else ""
        first.setdefault(author or f"post {key}", key)
    chosen = set(first.values())
    return [*first.values(), *(key for key in keys if key not in chosen)]
