"""What disguises cost a head: right flags on posts of the corpus that are lost when the same posts are written so that
machines stumble over them, carelessly, or sunk in friendly talk. `classifiers.gates.measured` holds the limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.checks.disguises import DISGUISES, WORD, letters
from classifiers.checks.suite import Phrasing
from classifiers.gates.measured import LOST
from classifiers.manifest import Metric
from classifiers.training.resampling import RESAMPLES

__all__ = ["MEASURED", "MOST_POSTS", "disguised", "every_second", "lost_recall", "respelt"]

F64 = NDArray[np.float64]

MEASURED = (
    "leet",
    "look-alikes",
    "zero-width",
    "spaced",
    "dotted",
    "shouted",
    "mistyped",
    "stretched",
    "masked",
    "padded",
)
MOST_POSTS = 1500


def respelt(text: str, disguise: str, chatter: Sequence[str] = (), telling: Sequence[str] = ()) -> str:
    """The text in that disguise: words that begin like one of the `telling`, or every second of its longer words."""
    phrasing = Phrasing(
        language="", words={}, templates={}, swap={}, telling=tuple(telling), texted={}, padding=tuple(chatter)
    )
    return DISGUISES[disguise](text, phrasing)


def every_second(text: str, *, odd: bool) -> tuple[str, ...]:
    """The first, third, fifth … word of two letters or more, or, if not `odd`, the others, in small letters. Where
    letters are syllables, as in Devanagari, most words that tell have two or three."""
    words = [word for word in WORD.findall(text.casefold()) if len(letters(word)) > 1]
    return tuple(words[1 - odd :: 2])


def disguised(texts: Sequence[str], disguise: str, chatter: Sequence[str]) -> list[str] | None:
    """The texts in that disguise; None where it changes few of them (figures for letters in Tamil), or where there is
    no chatter to pad with."""
    if disguise == "padded" and not chatter:
        return None
    done = [respelt(text, disguise, chatter) for text in texts]
    changed = sum(one != other for one, other in zip(texts, done, strict=True))
    return done if changed * 2 > len(texts) else None


def lost_recall(
    texts: Sequence[str],
    clean: F64,
    score: Callable[[Sequence[str]], F64],
    threshold: float,
    chatter: Sequence[str],
    *,
    on: str,
    seed: int,
) -> list[Metric]:
    """What each disguise costs on these positives, which scored `clean`: the share that is flagged as they were written
    less the share that is flagged in disguise, with 95 % intervals over the posts."""
    metrics = []
    draw = np.random.default_rng(seed)
    places = draw.integers(0, len(texts), (RESAMPLES, len(texts)))
    for name in MEASURED:
        hidden = disguised(texts, name, chatter)
        if hidden is None:
            continue
        lost = (clean >= threshold).astype(np.int64) - (score(hidden) >= threshold)
        low, high = np.quantile(lost[places].mean(axis=1), (0.025, 0.975))
        metrics.append(
            Metric(
                name=f"{LOST}{name}",
                on=on,
                value=round(float(lost.mean()), 4),
                low=round(float(low), 4),
                high=round(float(high), 4),
                n=len(texts),
            )
        )
    return metrics
