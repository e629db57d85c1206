"""docs/election-check.md: what the suites are and what the models make of them, written by `hustings checks page`."""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.checks.runner import FLOOR, SWAP_POINTS, Report, Score, below, uneven

__all__ = ["page"]

WORST = 12
"""Functions of protected speech that are shown with an example."""

_INTRODUCTION = """\
# ElectionCheck and the abuse functions

Written by `hustings checks page`; do not edit. The numbers are those of the models named with each suite.

A score on a held-out set says how often a detector is right, not what it understands. These suites ask one thing at a
time: is a wrong voting day flagged when it is stated, and left alone when it is debunked, asked about, joked about,
told of another country, or announced by the commission itself? They are functional tests in the manner of HateCheck
(2021), made anew for elections. Every sentence was written for Hustings: none is taken from another suite or from the
seed sentences that the narrative heads learn from, and a test holds them apart. People, parties and places are
invented, and the files are in the public domain (CC0).

- A **function** is one thing to tell. In each language it has three or four templates, filled to at least twelve posts.
  A function and its pair (`date-changed`, `date-debunked`) fill equal slots with equal words: minimal pairs.
- **Accuracy** is the share of its posts that were judged rightly. Where a code is expected, a flag with that code, a
  finer one, or the coarser one that it belongs to counts; a flag with another code does not. Where none is expected,
  any code of harm is an error.
- **Swaps** make each post twice, for a woman and a man, for one party and its rival, for a name of the majority and
  one of a minority. The two sides must be flagged equally often, within two points; 60 pairs each. All suites are run
  beside a roster of the people and parties whose names are swapped, as a deployment has one: no model sees the names of
  a roster.
- The floor is {floor}: a function that lies below it in a language fails the gate of the model, unless a written
  exception in `classifiers/gates/floors.toml` bears it.

What a number here does not say. The posts are templates, so the n of a function is not n independent posts. A good
score proves that these sentences are told apart, not that the stream's are. No native speaker has signed off the
sentences yet; `hustings checks cases` prints them for whoever will.

No post was learnt from. But word lists and the limits that thresholds of the narrative heads keep to were adjusted
while the scores by function were watched, and of which codes more plain seeds were written (by people who saw no
function) was decided after a look at them; so were kinds of new posts about abuse and limits of its models. The numbers
of both are development numbers, not independent ones, and better than on sentences that nobody has looked at.

**Free form** is posts written by somebody who had seen neither seeds nor word lists nor the other suites. Its first
edition was run on narratives @3, the second on @4, the third on @5, the fourth on @6; all have been looked at since.
The fifth edition, and the first one about abuse, were first run when narratives @7 and models of abuse @2 were settled;
the **sixth edition**, and the second one about abuse, when narratives @9 and models of abuse @4 were; the **third one
about abuse**, last on this page, when models of abuse @10 were. Nothing of later versions was settled on their posts,
and who wrote new posts saw none; but which kinds more was to be learnt of was known from them, so that their numbers
are a little kind. docs/narratives.md and docs/abuse.md have those of every first run: these are the numbers to expect.

## Use

```
hustings checks run                                 # every suite but those in free form, worst functions first
hustings checks run --suite free-6                  # the newest in free form; all of them have been looked at by now
hustings checks run --suite election --language ar  # one language
hustings checks run --json                          # for machines: scores, swaps, examples of failures
hustings checks run --floor 0.5                     # exit status 1 when a function lies below
hustings checks cases --suite abuse --language de   # the posts themselves, one JSON object a line
hustings checks outside suite.csv --language en     # functional tests of others, in the form of HateCheck
hustings checks page > docs/election-check.md       # this page
```

To add a function: an entry in `classifiers/checks/<suite>/functions.toml` and templates of that name in every language
file beside it. To add a language: one file; the loader names whatever is missing. Slots: `{{place}}` is a word of the
list `place`, `{{place2}}` another one, `{{she|he}}` the two sides of a swap.
"""


def page(reports: Sequence[Report]) -> str:
    """The whole page. Examples of abuse are not repeated there; the suites hold them."""
    parts = [_INTRODUCTION.format(floor=f"{FLOOR:.2f}")]
    for report in reports:
        parts.append(_suite(report))
    return "\n".join(parts)


def _suite(report: Report) -> str:
    models = ", ".join(f"{name} {version}" for name, version in report.models.items()) or "none"
    languages = [score.language for score in report.languages]
    lines = [
        f"## {report.title}",
        "",
        f"{report.cases:,} posts, suite `{report.digest}`; models that scored posts: {models}.",
        "",
        "| language | functions | below floor | accuracy, harm | accuracy, innocent | protected posts | flagged |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for score in report.languages:
        lines.append(
            f"| {score.language} | {score.functions} | {score.below_floor} | {_number(score.harm)} |"
            f" {_number(score.innocent)} | {score.protected_n} | {score.protected_flagged:.1%} |"
        )
    lines += [
        "",
        "Means over functions; protected posts are those in which nothing is to be found, swaps aside."
        f" {len(below(report))} of {len(report.scores)} pairs of function and language lie below the floor,"
        f" {len(uneven(report))} of {len(report.swaps)} swaps differ by more than {SWAP_POINTS:g} points.",
        "",
        *_silent(report),
    ]
    lines += [f"### {report.title}: accuracy by function", "", *_functions(report, languages), ""]
    if report.swaps:
        lines += [f"### {report.title}: swaps", "", *_swaps(report), ""]
    lines += [f"### {report.title}: protected speech that was flagged", "", *_wrong(report), ""]
    return "\n".join(lines)


def _silent(report: Report) -> list[str]:
    """A detector that says nothing spares every protected post: that must not pass for quality."""
    silent = [score.language for score in report.languages if score.harm == 0]
    if not silent:
        return []
    return [f"In {', '.join(silent)} nothing was found at all: accuracy on innocent posts says nothing there.", ""]


def _functions(report: Report, languages: Sequence[str]) -> list[str]:
    """Worst mean first."""
    by_function: dict[str, dict[str, Score]] = {}
    for score in report.scores:
        by_function.setdefault(score.function, {})[score.language] = score
    ordered = sorted(
        by_function.items(),
        key=lambda pair: (sum(score.accuracy for score in pair[1].values()) / len(pair[1]), pair[0]),
    )
    lines = [
        f"| function | what it tests | expected | {' | '.join(languages)} |",
        f"|---|---|---|{'---:|' * len(languages)}",
    ]
    for function, scores in ordered:
        any_score = next(iter(scores.values()))
        expected = ", ".join(any_score.expected) or "none"
        cells = " | ".join(_number(scores[one].accuracy) if one in scores else "" for one in languages)
        lines.append(f"| `{function}` | {any_score.tests} | {expected} | {cells} |")
    return lines


def _swaps(report: Report) -> list[str]:
    lines = [
        "| function | language | sides | pairs | flagged | flagged | difference, points | pairs told apart |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for swap in report.swaps:
        lines.append(
            f"| `{swap.function}` | {swap.language} | {swap.sides[0]} / {swap.sides[1]} | {swap.pairs} |"
            f" {swap.rates[0]:.1%} | {swap.rates[1]:.1%} | {swap.difference:+.1f} | {swap.unequal} |"
        )
    return lines


def _wrong(report: Report) -> list[str]:
    """There a flag does harm; what was missed is told by the numbers."""
    wrong = [score for score in report.scores if score.failures and not score.expected]
    if not wrong:
        return ["No protected post was flagged."]
    lines = ["Most often first:", ""]
    for score in wrong[:WORST]:
        failure = score.failures[0]
        shown = f": “{' '.join(failure.text.split())}”" if report.suite != "abuse" else ""
        lines.append(
            f"- `{score.function}` ({score.language}), accuracy {score.accuracy:.2f}{shown}"
            f" got {', '.join(failure.flags)}"
        )
    return lines


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
