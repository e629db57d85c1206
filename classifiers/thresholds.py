"""From which score on a model decides, which of its thresholds that is, and what each is known to be worth.

An encoder has one threshold a head. Narratives have one where meaning is asked, one of columns alone, and one of
likeness to an example. Every other model has the one of its manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from classifiers.encoder.heads import EncoderHead, heads_in
from classifiers.manifest import Manifest, Metric, Threshold

__all__ = [
    "COLUMNS_ALONE",
    "LIKENESS",
    "READ_ALL",
    "WITH_MEANING",
    "Deciding",
    "decides",
    "served_rows",
    "thresholds_of",
]

WITH_MEANING, COLUMNS_ALONE, LIKENESS = "with meaning", "columns alone", "likeness"
READ_ALL = ", read all"
"""Ends the name of rows of which the encoder read all, also those that it is not asked about where it serves."""
_OF_LIKENESS = ": likeness, "
_PLAIN_EXAMPLES = "plain examples, each left out in turn, and held-out sentences"


class Deciding(Struct, frozen=True, kw_only=True):
    """One threshold. `name` tells it from others of the model, and is empty where there is no other. Precision, recall
    and the share of other posts that reach it are those on the rows `on`; None where nobody measured them."""

    name: str
    value: float
    reason: str
    chosen_by: str
    chosen_at: str
    chosen_on: str
    on: str = ""
    precision: float | None = None
    recall: float | None = None
    false_positive_rate: float | None = None


def decides(manifest: Manifest) -> tuple[str, float]:
    """Name and value of the threshold that stands first: what serves, and of an encoder that of its first head."""
    if manifest.kind == "encoder":
        return manifest.code, manifest.threshold.value
    if manifest.kind == "narratives":
        first = next(_of_narratives(manifest))
        return first.name, first.value
    return "", manifest.threshold.value


def thresholds_of(manifest: Manifest, folder: Path) -> tuple[Deciding, ...]:
    """All of them, the one that serves first. Raises `ModelError` for an encoder whose file of heads is none."""
    if manifest.kind == "encoder":
        return tuple(_of_head(manifest, head) for head in heads_in(folder, manifest))
    if manifest.kind == "narratives":
        return tuple(_of_narratives(manifest))
    return (_deciding("", manifest.threshold, _first_rows(manifest)),)


def served_rows(manifest: Manifest, beside: str) -> str:
    """The rows on which the head of an encoder that speaks beside `beside` was measured as it serves: the last ones,
    where what is asked was chosen on other folds. Empty where nothing was measured."""
    found = [
        one.on
        for one in manifest.metrics
        if one.on.startswith(f"{beside}: ") and one.name in ("pr_auc", "precision") and one.group is None
    ]
    return found[-1] if found else ""


def _of_head(manifest: Manifest, head: EncoderHead) -> Deciding:
    return _deciding(head.code, head.threshold, _measured(manifest, served_rows(manifest, head.beside)))


def _of_narratives(manifest: Manifest) -> Iterator[Deciding]:
    columns, settings = manifest.threshold, manifest.settings
    seeds = _first_rows(manifest)
    if "sense_threshold" in settings:
        least = f", and no lower than {settings['sense_least_score']}" if "sense_least_score" in settings else ""
        beside = f"where {settings.get('sense_encoder', 'an encoder')} serves and is asked"
        told = _deciding(WITH_MEANING, columns, seeds, reason=f"{beside}; {columns.reason}{least}")
        yield _at(told, settings["sense_threshold"])
        alone = _deciding(COLUMNS_ALONE, columns, {}, reason=f"where no encoder is asked; {columns.reason}")
        yield alone if (alone.precision, alone.recall) != (told.precision, told.recall) else _unmeasured(alone)
    else:
        yield _deciding(COLUMNS_ALONE, columns, seeds)
    if "likeness_threshold" in settings:
        answers = settings.get("likeness_protected_threshold", "the same")
        reason = (
            "where a post is like one of our plain examples, and columns find it likely too; it is taken for an answer "
            f"to one instead where that reaches {answers}"
        )
        rows = next((one.on for one in manifest.metrics if _OF_LIKENESS in one.on), "")
        told = _deciding(LIKENESS, columns, _measured(manifest, rows), reason=reason, on=_PLAIN_EXAMPLES)
        yield _at(told if rows else _unmeasured(told), settings["likeness_threshold"])


def _first_rows(manifest: Manifest) -> dict[str, Metric]:
    """The measures on the first rows, as it serves: those that the threshold stands on."""
    found = [
        one.on
        for one in manifest.metrics
        if one.name in ("recall", "precision")
        and one.group is None
        and not one.on.endswith(READ_ALL)
        and _OF_LIKENESS not in one.on
    ]
    return _measured(manifest, found[0]) if found else {}


def _measured(manifest: Manifest, on: str) -> dict[str, Metric]:
    return {one.name: one for one in manifest.metrics if one.on == on}


def _deciding(
    name: str, threshold: Threshold, measured: dict[str, Metric], *, reason: str = "", on: str = ""
) -> Deciding:
    """What was measured says more than the threshold: that tells of the rows on which it was chosen."""
    precision, recall, wrong = (measured.get(one) for one in ("precision", "recall", "false_positive_rate"))
    return Deciding(
        name=name,
        value=threshold.value,
        reason=reason or threshold.reason,
        chosen_by=threshold.chosen_by,
        chosen_at=threshold.chosen_at,
        chosen_on=on or threshold.chosen_on,
        on=recall.on if recall is not None else on or threshold.chosen_on,
        precision=precision.value if precision is not None else threshold.precision,
        recall=recall.value if recall is not None else threshold.recall,
        false_positive_rate=wrong.value if wrong is not None and recall is not None else None,
    )


def _at(deciding: Deciding, value: float | str) -> Deciding:
    return replace(deciding, value=float(value))


def _unmeasured(deciding: Deciding) -> Deciding:
    """Versions of before wrote what meaning is worth beside the threshold of columns alone."""
    return replace(deciding, on="", precision=None, recall=None, false_positive_rate=None)
