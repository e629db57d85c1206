"""The step that flags election narratives, and what only looks like one, in languages that have a model of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from classifiers.by_language import places_by_language
from classifiers.encoder.readable import Readable
from classifiers.given import added, is_flagged
from classifiers.linear.explain import spans_of
from classifiers.linear.score import DECIMALS
from classifiers.narratives.decision import Told
from classifiers.narratives.likeness import LONGEST_READ, Likeness
from classifiers.narratives.resemblance import Alike
from classifiers.narratives.teller import Teller
from classifiers.roster_names import NOBODY, Read, RosterNames
from hustings.text import locate
from hustings.types import Assessment, Flag, Span

__all__ = ["Narratives"]


class Narratives:
    """Adds the score of the likeliest code, and a flag where the score reaches the threshold. A post that is like a
    plain example gets that one's code; on every other post columns and meaning have the say. A code that a post has
    already keeps its flag. What the people and parties are called who are watched counts for nothing: these `names` are
    not read. `networks` are those that models ask, and what to tell people where one is not in service."""

    name = "narratives"

    def __init__(self, tellers: Sequence[Teller], names: RosterNames = NOBODY) -> None:
        self._names = names
        self.version = "+".join(teller.label for teller in tellers) or "none"
        self._tellers = {teller.manifest.language: teller for teller in tellers}
        self.networks = tuple(
            (teller.sense.settings.network, f"{teller.label} without the network of {teller.sense.settings.encoder}")
            for teller in tellers
            if teller.sense is not None
        )

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        done = list(assessments)
        for language, mine in places_by_language(assessments, self._tellers).items():
            teller = self._tellers[language]
            read = [self._names.said(done[place].title_tokens, done[place].tokens) for place in mine]
            worth = teller.worth([one.tokens for one in read])
            for place, one, is_worth in zip(mine, read, worth, strict=True):
                done[place] = self._told(done[place], one, is_worth, teller)
        return done

    def _told(self, assessment: Assessment, read: Read, worth: float | None, teller: Teller) -> Assessment:
        tokens, post = read.tokens, assessment.post
        spelling = teller.reader.lexicon.spelling
        readable = Readable(post.title, post.text, language=assessment.lang, spelling=spelling, names=self._names)
        decision = teller.decide(tokens, readable, worth)
        alike, told = decision.alike, decision.told
        if alike is not None and teller.resemblance is not None:
            is_flagged = decision.decisive is not None and decision.is_flagged
            flag = _by_likeness(assessment, tokens, teller, teller.resemblance.likeness, alike) if is_flagged else None
            assessment = added(assessment, teller.manifest, alike.scores, flag)
        if told is None or decision.decisive is not None:
            return assessment
        return _by_columns(assessment, read, teller, told)


def _by_columns(assessment: Assessment, read: Read, teller: Teller, told: Told) -> Assessment:
    reading, score, threshold = told
    code, flag = reading.code, None
    if told.is_enough and not is_flagged(assessment, code):
        flag = Flag(
            code=code,
            score=score,
            threshold=threshold,
            classifier=teller.label,
            spans=spans_of(read.origins, reading.begin, teller.reader.words(reading), assessment),
            example=teller.nearest.sentence(read.tokens[reading.begin : reading.end], code),
        )
    scores = {reading.protected: round(reading.protected_share, DECIMALS), code: score}
    return added(assessment, teller.manifest, scores, flag)


def _by_likeness(
    assessment: Assessment, tokens: Sequence[str], teller: Teller, likeness: Likeness, alike: Alike
) -> Flag:
    return Flag(
        code=alike.code,
        score=alike.scores[alike.code],
        threshold=alike.threshold,
        classifier=teller.label,
        spans=_compared(assessment),
        example=likeness.nearest(tokens, alike.code).text,
    )


def _compared(assessment: Assessment) -> tuple[Span, ...]:
    """The words that were compared, as a span of the title or the text."""
    spans = []
    room = LONGEST_READ
    parts: tuple[tuple[Literal["title", "text"], str], ...] = (
        ("title", assessment.post.title),
        ("text", assessment.post.text),
    )
    for part, text in parts:
        located = locate(text).spans[: max(room, 0)] if text else ()
        room -= len(located)
        if located:
            spans.append(Span(start=located[0][0], end=max(end for _, end in located), part=part))
    return tuple(spans)
