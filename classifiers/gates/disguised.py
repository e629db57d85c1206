"""The gate of robustness where training measured none: what disguises cost on the suites' own posts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from classifiers.checks.disguises import DISGUISES
from classifiers.checks.runner import Assessing, run
from classifiers.checks.suite import Case, Phrasing, Suite, read_phrasing
from classifiers.gates.comparing import at_most
from classifiers.gates.measured import LOST_AMONG_MARKS, LOST_RECALL
from classifiers.gates.record import Check
from classifiers.gates.remit import FLAGGING
from classifiers.manifest import Manifest
from hustings.codebook import CHECK_WORTHY

__all__ = ["MOST_POSTS", "disguise_checks", "ranks_only"]

MOST_POSTS = 300
"""Of a suite's posts in which something is to be found, spread over its functions: an encoder reads some two hundred
posts a second, and each is read in twelve forms."""


def disguise_checks(
    manifest: Manifest, suites: Sequence[Suite], assessing: Assessing, language: str
) -> Iterator[Check]:
    """What each disguise costs of the suites' posts in that language that are judged rightly as they are written.
    Nothing measured is a failure, except for a model that flags nothing."""
    if ranks_only(manifest):
        yield _check(manifest, "disguises", 0.0, 0.0, "it ranks and flags nothing: no flag can be lost", applies=False)
        return
    judged = [(suite, read_phrasing(suite.name)[language]) for suite in (_plain(one) for one in suites) if suite.cases]
    count = sum(len(suite.cases) for suite, _ in judged)
    clean = sum(_right(suite, assessing) for suite, _ in judged)
    if not clean:
        told = f"not by this version's training, and it finds none of {count} posts of the suites as they are written"
        yield _check(manifest, "not measured", 1.0, 0.0, told)
        return
    for name, limit in (LOST_RECALL | LOST_AMONG_MARKS).items():
        hidden = [_hidden(suite, phrasing, name) for suite, phrasing in judged]
        changed = sum(
            one.text != other.text
            for (suite, _), hiding in zip(judged, hidden, strict=True)
            for one, other in zip(suite.cases, hiding.cases, strict=True)
        )
        if changed * 2 > count:  # figures for letters change nothing in Devanagari
            found = sum(_right(suite, assessing) for suite in hidden)
            told = f"{count} posts of the suites: {clean / count:.1%} judged rightly, {found / count:.1%} in disguise"
            yield _check(manifest, name, round((clean - found) / count, 4), limit, told)


def ranks_only(manifest: Manifest) -> bool:
    """Whether the model never flags: a head for check-worthiness, a re-ranker of claims."""
    return manifest.code == CHECK_WORTHY or manifest.kind not in FLAGGING


def _plain(suite: Suite) -> Suite:
    """Posts in which something is to be found, neither disguised already nor one side of a swap."""
    written = {function.id for function in suite.functions if not function.disguise and not function.swap}
    cases = [case for case in suite.cases if case.expected and case.function in written]
    step = -(-len(cases) // MOST_POSTS) or 1
    return replace(suite, cases=tuple(cases[::step]))


def _hidden(suite: Suite, phrasing: Phrasing, disguise: str) -> Suite:
    def hide(case: Case) -> Case:
        return replace(case, text=DISGUISES[disguise](case.text, phrasing))

    return replace(suite, cases=tuple(hide(case) for case in suite.cases))


def _right(suite: Suite, assessing: Assessing) -> float:
    """How many of the posts are judged rightly."""
    return sum(score.accuracy * score.n for score in run(suite, assessing).scores)


def _check(manifest: Manifest, subject: str, value: float, limit: float, detail: str, *, applies: bool = True) -> Check:
    return at_most("robustness", subject, manifest.language, value=value, limit=limit, detail=detail, applies=applies)
