"""The contract of a classifier, checked on any implementation: `hustings.contracts.Classifier`.

A test calls `check_classifier(make)`; `make` opens a fresh one each time, so that a step with a memory starts empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from hustings import wire
from hustings.contracts import Classifier
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Target

__all__ = ["check_classifier", "hostile_assessments", "sample_assessments"]

_ROLES = ("mentioned", "addressed", "aimed_at")
_START = datetime(2026, 10, 1, 8, tzinfo=UTC)

_SAMPLE = (
    "Voting day is the 19th now, not the 18th. Pass it on to everyone you know!",
    "Voting day is the 19th now, not the 18th. Pass it on to everybody you know!",
    "FALSE: voting has NOT been moved. Election day is still Sunday, do not share this message.",
    "The bakery on the corner closes at noon on Sundays now, what a pity.",
    "Cambiaron la fecha de las elecciones, ahora son el 19 y no el 18. ¡Pásenlo!",
    "غيّروا موعد الانتخابات، أصبحت يوم 19 وليس 18. انشروها!",
    "women like her are stupid and belong in the kitchen, @ana_velde you whore",
    "Hey Ana Velde, you were great in the debate #AnaVelde",
    "मतदान रविवार को है",
    "投票日は日曜日です",
    "",
)
_HOSTILE = (
    "\x00\x01\x02",
    "\ud800 lone surrogate",
    "\u202e\u200b\u2060\ufeff",
    "a" * 20_000,
    " ".join(["word"] * 4_000),
    "🏳️‍🌈" * 500,
    "e" + "\u0301" * 5_000,
    "\ufdfa" * 1_000,
    "\n\t \r",
    "@" * 300 + "#" * 300,
    "https://example.org/" + "a" * 3_000,
    "ا" * 3_000,
    "漢" * 3_000,
)


def sample_assessments(*, lang: str = "en") -> list[Assessment]:
    """Ordinary and telling posts in several languages, analysed and with `lang` set; some are flagged already."""
    assessments = [_assessment(str(place), text, lang) for place, text in enumerate(_SAMPLE)]
    flag = Flag(code="N-PROC-DATE", score=0.9, threshold=0.5, classifier="check@1")
    person = Target(id="c1", role="mentioned")
    assessments[:2] = [_with(assessment, flag, person) for assessment in assessments[:2]]
    return assessments


def hostile_assessments(*, lang: str = "en") -> list[Assessment]:
    """What adversaries and broken clients send."""
    return [_assessment(f"hostile-{place}", text, lang) for place, text in enumerate(_HOSTILE)]


def check_classifier(make: Callable[[], Classifier]) -> None:
    """Length and order, nothing earlier touched, the same twice, the same in any batch, no exception for content."""
    for lang in ("en", "es", "ar", "de", "und", ""):
        given = sample_assessments(lang=lang) + hostile_assessments(lang=lang)
        whole = make().classify(given)
        _check_order(given, whole)
        for before, after in zip(given, whole, strict=True):
            _check_kept(before, after)
        assert _bytes(make().classify(given)) == _bytes(whole), "the same posts again gave another result"
        one_by_one = make()
        singly = [one_by_one.classify([assessment])[0] for assessment in given]
        assert _bytes(singly) == _bytes(whole), "posts alone gave another result than posts in a batch"
    assert make().classify([]) == []
    classifier = make()
    assert classifier.name
    assert classifier.version


def _check_order(given: Sequence[Assessment], found: Sequence[Assessment]) -> None:
    assert isinstance(found, list), f"classify returned {type(found).__name__}, wanted a list"
    assert [one.key for one in found] == [one.key for one in given], "posts were lost, added or put in another order"


def _check_kept(before: Assessment, after: Assessment) -> None:
    """What an earlier step wrote stays: flags, scores and targets may be added, and a target's role may rise."""
    assert after.post is before.post or after.post == before.post
    assert after.tokens == before.tokens
    assert after.title_tokens == before.title_tokens
    assert after.flags[: len(before.flags)] == before.flags, "an earlier flag was changed"
    assert before.scores.items() <= after.scores.items(), "an earlier score was changed"
    assert before.models.items() <= after.models.items()
    for old, new in zip(before.targets, after.targets, strict=False):
        assert (old.id, old.spans) == (new.id, new.spans), "an earlier target was changed"
        assert _ROLES.index(new.role) >= _ROLES.index(old.role), "a target's role fell"
    assert len(after.targets) >= len(before.targets)
    length = {"text": len(after.post.text), "title": len(after.post.title)}
    spans = [span for flag in after.flags for span in flag.spans]
    spans += [span for target in after.targets for span in target.spans]
    for span in spans:
        assert 0 <= span.start < span.end <= length[span.part], f"{span} lies outside the post"


def _assessment(number: str, text: str, lang: str) -> Assessment:
    at = _START + timedelta(minutes=len(number))
    post = Post(source="check", native_id=number, text=text, published_at=at, collected_at=at)
    found = analyse(text)
    return Assessment(post=post, lang=lang, tokens=found.tokens, removed=found.removed)


def _with(assessment: Assessment, flag: Flag, person: Target) -> Assessment:
    return replace(assessment, flags=(flag,), targets=(person,))


def _bytes(assessments: Sequence[Assessment]) -> list[bytes]:
    plain = (replace(one, post=replace(one.post, text="")) for one in assessments)  # a lone surrogate has no bytes
    return [wire.encode(one) for one in plain]
