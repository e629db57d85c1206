"""Which posts of a batch are in which language, for steps that have something to say in a few."""

from __future__ import annotations

from collections.abc import Container, Sequence

from hustings.types import Assessment

__all__ = ["places_by_language"]


def places_by_language(assessments: Sequence[Assessment], languages: Container[str]) -> dict[str, list[int]]:
    """Places of the posts that say something in one of the languages, by language in the order of first posts."""
    places: dict[str, list[int]] = {}
    for place, assessment in enumerate(assessments):
        if assessment.lang in languages and (assessment.tokens or assessment.title_tokens):
            places.setdefault(assessment.lang, []).append(place)
    return places
