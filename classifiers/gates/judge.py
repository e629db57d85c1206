"""Runs every gate on one version, in the company in which it would serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from classifiers.candidate import open_with_candidate
from classifiers.checks.expand import load_suite
from classifiers.checks.runner import run
from classifiers.checks.suite import SUITES
from classifiers.checks.watched import watched
from classifiers.gates.beside import judged_beside
from classifiers.gates.company import company_checks
from classifiers.gates.comparing import yes_or_no
from classifiers.gates.disguised import disguise_checks
from classifiers.gates.floors import Floors, excused
from classifiers.gates.measured import calibration_checks, group_checks, quality_checks, robustness_checks
from classifiers.gates.reading import OnlyFlagsOf
from classifiers.gates.record import Check, GateRecord
from classifiers.gates.remit import FLAGGING, answers_for, remit_of, suite_language, tags_of
from classifiers.gates.speech import speech_checks
from classifiers.gates.speed import measure_speed, ordinary_posts, speed_check
from classifiers.manifest import Manifest, hash_of_manifest, read_manifest
from classifiers.pipeline import Pipeline
from classifiers.rating import made_for_another_analyser
from classifiers.signing import ANYBODY, Signers
from hustings.codebook import Codebook
from hustings.errors import ModelError

__all__ = ["judge"]


def judge(
    manifest: Manifest,
    folder: Path,
    *,
    serving: Mapping[str, Path],
    floors: Floors,
    codebook: Codebook,
    signers: Signers,
    at: str,
    tell: Callable[[str], None] = lambda stage: None,
) -> GateRecord:
    """What every gate says of the version in `folder`; `serving` is what it would serve beside. Raises `ModelError`
    for a folder that cannot be opened at all. `tell` hears which gate is run now."""
    tell("signature")
    checks = [_signature(manifest, folder, signers), _analyser(manifest)]
    pipeline = open_with_candidate(
        manifest, folder, serving=judged_beside(manifest, serving), codebook=codebook, signers=ANYBODY, roster=watched()
    )
    tell("company")
    checks += company_checks(manifest, folder, serving)
    tell("quality")
    checks += [*quality_checks(manifest, floors), *calibration_checks(manifest)]
    checks += group_checks(manifest)
    suites: dict[str, str] = {}
    seconds = 0.0
    if manifest.kind in FLAGGING:
        spoken, suites, seconds = _on_posts(manifest, folder, pipeline, tell)
        checks += spoken
    else:
        checks += disguise_checks(manifest, (), pipeline, suite_language(manifest))
    return GateRecord(
        model=manifest.name,
        version=manifest.version,
        manifest=hash_of_manifest(folder),
        code_version=version("hustings"),
        at=at,
        suites=suites,
        seconds_a_thousand=seconds,
        checks=tuple(excused(check, manifest.name, floors) for check in checks),
    )


def _on_posts(
    manifest: Manifest, folder: Path, pipeline: Pipeline, tell: Callable[[str], None]
) -> tuple[list[Check], dict[str, str], float]:
    """What the suites and the clock say; the digests of the suites that speak the version's language; seconds for a
    thousand posts."""
    codes, language = answers_for(manifest, folder), suite_language(manifest)
    checks: list[Check] = []
    whole = {name: load_suite(name) for name in SUITES}
    suites = [remit_of(suite, codes, language) for suite in whole.values()]
    judged = [suite for suite in suites if suite.cases]
    assessing = OnlyFlagsOf(tags_of(manifest, folder), pipeline)
    for suite in judged:
        tell(suite.title)
        checks += speech_checks(run(suite, assessing))
    if not judged:
        checks.append(_no_suite(manifest))
    tell("disguises")
    checks += [*robustness_checks(manifest)] or disguise_checks(manifest, judged, assessing, language)
    tell("speed")
    speed = measure_speed(manifest, pipeline, ordinary_posts(suites, language), language)
    checks.append(speed_check(manifest, speed))
    return checks, {suite.name: whole[suite.name].digest for suite in judged}, round(speed.post_s * 1000, 6)


def _signature(manifest: Manifest, folder: Path, signers: Signers) -> Check:
    try:
        read_manifest(folder, signers=signers)
    except ModelError as error:
        detail, passed = str(error), False
    else:
        detail, passed = "by one of " + ", ".join(map(str, signers.known)), True
    return yes_or_no("signature", "manifest signed", manifest.language, passed, detail=detail)


def _analyser(manifest: Manifest) -> Check:
    passed = not made_for_another_analyser([manifest])
    told = "" if passed else "learnt from tokens that the analyser makes no longer; train it anew"
    return yes_or_no("analyser", "made for this analyser", manifest.language, passed, detail=told)


def _no_suite(manifest: Manifest) -> Check:
    told = "neither ElectionCheck nor the abuse functions speak it: nobody has tested what it understands"
    return yes_or_no("functions", "no suite in this language", manifest.language, False, detail=told)
