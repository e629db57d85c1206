"""`hustings model train --from-desk` and `--corpus`: one head, to the point where a person decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from runtime.model_making import Judged, Made

__all__ = ["next_steps", "tell_judgement", "train_from_corpus"]


def train_from_corpus(
    name: str,
    *,
    config: Path,
    corpus: str | None,
    split: Literal["grouped", "random"],
    precision: float | None,
    key: Path | None,
    by: str,
    as_json: bool,
) -> None:
    """Make a version of the head from a stored corpus, or (`corpus` None) from the desk's reviews as they stand, judge
    it, and say what comes next."""
    from classifiers.training.corpus_store import find_corpus
    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.progress import stages
    from runtime.config import load_config
    from runtime.model_making import Making, build_from_desk, corpora_of, make
    from runtime.teachable import teachable

    loaded, clock = load_config(config), SystemClock()
    code, language = teachable(name, build.model_store(loaded), build.codebook())
    making = Making(
        store=build.model_store(loaded),
        signers=build.model_signers(loaded),
        by=by,
        precision=precision,
        split=split,
        key=key,
    )
    with stages(1, shown=not as_json) as progress:
        progress.at(name, "reviews")
        stored = (
            build_from_desk(loaded, f"desk-{name}", code=code, language=language, clock=clock)
            if corpus is None
            else find_corpus(corpora_of(loaded), corpus)
        )
        made = make(name, stored, making, clock=clock, tell=lambda stage: progress.at(name, stage))
        progress.done()
    _tell(made, config, as_json)


def _tell(made: Made, config: Path, as_json: bool) -> None:
    import msgspec

    from runtime.commands.terminal import say

    manifest, paper = made.stored.manifest, made.corpus.paper
    steps = next_steps(made, config)
    if as_json:
        told = {
            "model": manifest.tag,
            "folder": str(made.stored.folder),
            "seconds": made.seconds,
            "corpus": msgspec.to_builtins(paper),
            "threshold": msgspec.to_builtins(manifest.threshold),
            "metrics": msgspec.to_builtins(manifest.metrics),
            "gates": msgspec.to_builtins(made.record),
            "card": str(made.card),
            "next": steps,
        }
        say(json.dumps(told, ensure_ascii=False))
        return
    say(
        f"corpus {paper.tag}: {paper.rows:,} rows, {paper.positives:,} positive; left out: "
        + (", ".join(f"{count:,} {reason}" for reason, count in paper.excluded.items()) or "nothing")
    )
    threshold = manifest.threshold
    say(
        f"{made.stored.folder}: {manifest.tag} in {made.seconds:.1f} s; threshold {threshold.value}, precision "
        f"{threshold.precision}, recall {threshold.recall} ({threshold.reason})"
    )
    tell_judgement(made, steps)


def tell_judgement(made: Made | Judged, steps: Sequence[str]) -> None:
    """What the gates said of a new version, where its card lies, and what comes next."""
    from runtime.commands.model.gates import show
    from runtime.commands.terminal import say

    show(made.record)
    say(f"card: {made.card}")
    say("\nNothing serves yet. Next:")
    for step in steps:
        say(f"  {step}")


def next_steps(made: Made | Judged, config: Path) -> list[str]:
    """The commands that a person runs now: sign what is unsigned, judge again then, join what falls silent, promote."""
    from classifiers.gates.company import silent_encoders

    manifest, where = made.stored.manifest, f"--config {config}"
    version = f"--version {manifest.version}"
    steps = []
    failed = {check.gate for check in made.record.failed}
    if "signature" in failed:
        steps.append(f"hustings model sign {made.stored.folder} --key FILE")
        steps.append(f"hustings model gates {manifest.name} {version} {where}")
    if manifest.kind == "linear":
        encoders = silent_encoders(made.record)
        steps += [f"hustings model join {one} --beside {manifest.tag} {where} --key FILE" for one in encoders]
    reason = ' --reason "why it shall serve although gates failed"' if failed - {"signature"} else ""
    steps.append(f"hustings model promote {manifest.name} {version} {where}{reason}")
    return steps
