"""`hustings checks`: ElectionCheck and the abuse functions, run through models, and functions of who is attacked."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.checks.runner import Report
    from classifiers.checks.suite import Suite
    from classifiers.checks.who import TargetSuite

__all__ = ["app"]

app = typer.Typer(
    name="checks",
    help="Functional tests of detection: what is told apart and what is not, by function and language.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class SuiteName(StrEnum):
    """The suites that are shipped."""

    ELECTION = "election"
    ABUSE = "abuse"
    TARGETS = "targets"
    FREE = "free"
    FREE_2 = "free-2"
    FREE_3 = "free-3"
    FREE_4 = "free-4"
    FREE_5 = "free-5"
    FREE_6 = "free-6"
    FREE_ABUSE = "free-abuse"
    FREE_ABUSE_2 = "free-abuse-2"
    FREE_ABUSE_3 = "free-abuse-3"


WATCHED = (SuiteName.ELECTION, SuiteName.ABUSE, SuiteName.TARGETS)
"""What is run unless somebody asks for a suite in free form: models were settled before those were looked at."""
Suites = Annotated[
    list[SuiteName] | None,
    typer.Option("--suite", help="a suite; may be repeated; default: all but those in free form"),
]
Languages = Annotated[list[str] | None, typer.Option("--language", help="a language; may be repeated; default: all")]
Models = Annotated[
    Path | None,
    typer.Option("--models", help="folder of models; default: the shipped ones", exists=True, file_okay=False),
]
WORST = 25


@app.command("run")
def run(
    suite: Suites = None,
    language: Languages = None,
    models: Models = None,
    floor: Annotated[float | None, typer.Option(help="exit status 1 when a function lies below", min=0, max=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Run suites and say how well each function is told, worst first.

    Example: hustings checks run --suite election --language en
    """
    import msgspec

    from classifiers.checks.runner import FLOOR, below
    from runtime.commands.terminal import complain, say

    least = FLOOR if floor is None else floor
    reports = _reports(_suites(suite, language), models)
    if as_json:
        say(msgspec.json.encode({"floor": least, "suites": reports}).decode())
    else:
        for report in reports:
            _show(report, least)
    failed = sum(len(below(report, least)) for report in reports)
    if floor is not None and failed:
        complain(f"{failed} function(s) below {floor:.2f}")
        raise typer.Exit(1)


@app.command("cases")
def cases(suite: Suites = None, language: Languages = None) -> None:
    """Print the posts of suites, one JSON object a line: for people who read them, or for another detector.

    Example: hustings checks cases --suite election --language hi | jq -r .text
    """
    import msgspec

    from runtime.commands.terminal import say

    for one in _suites(suite, language):
        for case in one.cases:
            say(msgspec.json.encode(case).decode())


@app.command("page")
def page(models: Models = None) -> None:
    """Print docs/election-check.md anew: the suites, and the numbers of the models.

    Example: hustings checks page > docs/election-check.md
    """
    from classifiers.checks.page import page as written
    from runtime.commands.terminal import say

    suites = _suites([one for one in SuiteName if one is not SuiteName.TARGETS], None)
    say(written(_reports(suites, models)).rstrip("\n"))


@app.command("outside")
def outside(
    file: Annotated[Path, typer.Argument(help="a table with the columns functionality, test_case and label_gold")],
    language: Annotated[str, typer.Option("--language", help="language of its posts")],
    models: Models = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Run functional tests of others, in the form of HateCheck and Multilingual HateCheck.

    A post counts as hateful where any code of abuse, a threat or incitement is flagged. Whoever learns from such tests,
    or settles anything on them, has no test any more.

    Example: hustings checks outside ../shared/data/hatecheck/public.csv --language en
    """
    import msgspec

    from classifiers.checks.outside import load_outside_suite, verdict
    from classifiers.checks.runner import FLOOR
    from runtime.commands.terminal import say

    (report,) = _reports([load_outside_suite(file, language)], models)
    found = verdict(report)
    if as_json:
        say(msgspec.json.encode({**msgspec.to_builtins(found), **msgspec.to_builtins(report)}).decode())
        return
    _show(report, FLOOR)
    say(
        f"macro-F1 {found.macro_f1:.3f} (hateful {found.f1_hateful:.3f}, others {found.f1_other:.3f}); "
        f"{found.hateful:,} of {found.posts:,} posts are hateful"
    )


def _suites(names: list[SuiteName] | None, languages: list[str] | None) -> list[Suite | TargetSuite]:
    """The suites asked for, in the languages asked for that they have. A language that none has is an error."""
    suites = [_suite(name) for name in dict.fromkeys(names or WATCHED)]
    if not languages:
        return suites
    known = sorted({language for suite in suites for language in suite.languages})
    for language in languages:
        if language not in known:
            raise typer.BadParameter(f"{language!r}: known are {', '.join(known)}", param_hint="--language")
    chosen = [suite.only(languages) for suite in suites]
    return [suite for suite in chosen if suite.cases]


def _suite(name: SuiteName) -> Suite | TargetSuite:
    from classifiers.checks.expand import load_suite
    from classifiers.checks.free import TITLES, load_free_suite
    from classifiers.checks.who import load_target_suite

    if name is SuiteName.TARGETS:
        return load_target_suite()
    edition = next((one for one in TITLES if one == str(name)), None)
    return load_suite(name) if edition is None else load_free_suite(edition)


def _reports(suites: Sequence[Suite | TargetSuite], models: Path | None) -> list[Report]:
    from classifiers.checks.runner import run as run_suite
    from classifiers.checks.suite import Suite
    from classifiers.checks.watched import watched
    from classifiers.checks.who import run_targets
    from classifiers.pipeline import open_pipeline
    from classifiers.signing import ANYBODY
    from classifiers.store import serving
    from runtime.build import codebook

    reports = [run_targets(suite) for suite in suites if not isinstance(suite, Suite)]
    tested = [suite for suite in suites if isinstance(suite, Suite)]
    if not tested:
        return reports
    languages = tuple(sorted({language for suite in tested for language in suite.languages}))
    pipeline = open_pipeline(
        models=serving(models) if models else None,
        roster=watched(),
        codebook=codebook(),
        languages=languages,
        signers=ANYBODY if models else None,
    )
    return [*(run_suite(suite, pipeline) for suite in tested), *reports]


def _show(report: Report, floor: float) -> None:
    """One suite for people."""
    from classifiers.checks.runner import below
    from runtime.commands.terminal import say, table

    table(
        f"{report.title} · {report.cases:,} posts · suite {report.digest}",
        ("language", "functions", f"below {floor:.2f}", "accuracy, harm", "accuracy, innocent", "protected flagged"),
        [
            (
                score.language,
                score.functions,
                sum(one.language == score.language for one in below(report, floor)),
                "" if score.harm is None else f"{score.harm:.2f}",
                "" if score.innocent is None else f"{score.innocent:.2f}",
                f"{score.protected_flagged:.1%} of {score.protected_n}",
            )
            for score in report.languages
        ],
    )
    table(
        f"worst {min(WORST, len(report.scores))} of {len(report.scores)} (--json has all)",
        ("function", "language", "expected", "n", "accuracy", "flagged", "for example"),
        [
            (
                score.function,
                score.language,
                " ".join(score.expected) or "none",
                score.n,
                f"{score.accuracy:.2f}",
                f"{score.flagged:.2f}",
                " ".join(score.failures[0].text.split())[:90] if score.failures else "",
            )
            for score in report.scores[:WORST]
        ],
    )
    if report.swaps:
        _show_swaps(report)
    models = " ".join(f"{name}@{version}" for name, version in report.models.items()) or "none"
    say(f"models that scored posts: {models}")


def _show_swaps(report: Report) -> None:
    from runtime.commands.terminal import table

    table(
        "swaps: share flagged on either side",
        ("function", "language", "sides", "pairs", "flagged", "difference, points"),
        [
            (
                swap.function,
                swap.language,
                " / ".join(swap.sides),
                swap.pairs,
                f"{swap.rates[0]:.1%} / {swap.rates[1]:.1%}",
                f"{swap.difference:+.1f}",
            )
            for swap in report.swaps
        ],
    )
