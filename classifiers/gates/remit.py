"""What a version may be judged by: the codes that it can give, in the languages that it reads."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from classifiers.checks.runner import is_right
from classifiers.checks.suite import Suite
from classifiers.encoder.codes import read_codes
from classifiers.encoder.heads import heads_in
from classifiers.manifest import Manifest, read_file
from classifiers.narratives.columns import CODES, codes_given
from classifiers.narratives.reader import FLAGGED_HARM

__all__ = ["FLAGGING", "answers_for", "codes_of", "remit_of", "suite_language", "tags_of"]

FLAGGING = ("linear", "narratives", "meaning", "encoder")
"""Kinds that flag posts; the suites and the cost of a post say nothing about the others."""

_NARRATIVES = "N-"


def codes_of(manifest: Manifest, folder: Path) -> tuple[str, ...]:
    """The codes of harm that the version can give."""
    if manifest.kind == "narratives":
        columns = next(file for file in manifest.files if file.name == CODES)
        return tuple(
            code for code in codes_given(read_file(folder, columns), str(folder)) if code.startswith(FLAGGED_HARM)
        )
    if manifest.kind == "meaning":
        codes = next(file for file in manifest.files if file.name == CODES)
        return read_codes(read_file(folder, codes), str(folder))
    if manifest.kind == "encoder":
        return tuple(head.code for head in heads_in(folder, manifest))
    return (manifest.code,)


def answers_for(manifest: Manifest, folder: Path) -> tuple[str, ...]:
    """Those that it is to blame for when they are missed. Threats and insults, which narratives flag too where they
    meet them, are for the models of abuse."""
    codes = codes_of(manifest, folder)
    return tuple(code for code in codes if code.startswith(_NARRATIVES)) if manifest.kind == "narratives" else codes


def tags_of(manifest: Manifest, folder: Path) -> tuple[str, ...]:
    """Whose flags count: the version's, and where it is an encoder, those of the heads that it leaves alone."""
    return (manifest.tag, *(f"{head.beside}@{head.beside_version}" for head in heads_in(folder, manifest)))


def suite_language(manifest: Manifest) -> str:
    """The language of the suites' posts that the version reads: "en" for "en-IN"."""
    return manifest.language.partition("-")[0]


def remit_of(suite: Suite, codes: tuple[str, ...], language: str) -> Suite:
    """The posts of the suite in that language in which nothing is to be found, or something that one of the codes would
    say rightly. A head for slurs is not to blame for threats that it misses."""
    spoken = suite.only([language])
    cases = tuple(
        case
        for case in spoken.cases
        if not case.expected or any(_is_there_for(code, case.expected, suite.harm) for code in codes)
    )
    return replace(spoken, cases=cases)


def _is_there_for(code: str, expected: tuple[str, ...], harm: tuple[str, ...]) -> bool:
    """Whether a flag with the code would be right, and silence wrong: a head for threats alone may flag a gendered
    threat where any gendered abuse is expected, but need not find the rest of it; and narratives, which may say that
    harm to a minority is called for, are to blame only where what is expected first is a narrative."""
    if code.startswith(_NARRATIVES) and not expected[0].startswith(_NARRATIVES):
        return False
    wanted = tuple(one for one in expected if "-" in one or one == code)
    return bool(wanted) and is_right((code,), wanted, harm)
