"""What people see of the demo: a progress bar, then tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.commands.terminal import say, table
from runtime.demo.run import DemoResult, Progress
from runtime.demo.score import Score

__all__ = ["following", "show_result", "show_score"]


@contextmanager
def following(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A function that shows progress: a bar on a terminal, nothing when `quiet` or piped."""
    if quiet or not sys.stdout.isatty():
        yield lambda progress: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns) as bar:
        task = bar.add_task("posts", total=None)

        def tell(progress: Progress) -> None:
            description = f"posts analysed · {progress.alerts} alerts · {progress.delivered} delivered"
            bar.update(task, completed=progress.analysed, total=progress.expected, description=description)

        yield tell


def show_result(result: DemoResult) -> None:
    """The table of what was found."""
    alerts = ", ".join(f"{count} {state}" for state, count in sorted(result.alerts_by_state.items())) or "none"
    table(
        "Velmara 2027",
        ["what", "found"],
        [
            ["posts in the log", f"{result.posts:,}"],
            ["languages", ", ".join(f"{lang} {count:,}" for lang, count in result.languages.items())],
            ["flags", ", ".join(f"{code} {count:,}" for code, count in result.flags.items())],
            ["stories", f"{result.stories:,}"],
            ["alerts", alerts],
            ["deliveries", f"{result.deliveries:,} (released by a script, shown as such)"],
            ["dead letters", f"{result.dead_letters:,} (planted broken lines)"],
            ["silence", ", ".join(result.silences) or "none"],
            ["books balanced", "yes" if result.balanced else "NO"],
            ["seconds", f"{result.seconds:.1f} ({result.posts_per_second:,.0f} posts/s, all loops on this machine)"],
            [
                "against the truth file",
                f"alert precision {_share(result.score.alert_precision)}, recall {_share(result.score.alert_recall)}",
            ],
        ],
    )


def show_score(score: Score) -> None:
    """Every planted event and every kind of flag."""
    table(
        "Planted events",
        ["event", "kind", "right", "alerts", "minutes to alert"],
        [
            [
                event.event,
                "harmful" if event.harmful else "harmless look-alike",
                "yes" if event.right else "NO",
                event.alerts,
                "-" if event.minutes_to_alert is None else event.minutes_to_alert,
            ]
            for event in score.events
        ]
        + [["silence of a region", "harmful", "yes" if score.silence_found else "NO", 0, "-"]],
    )
    table(
        "Flags",
        ["kind", "planted", "flagged", "right", "precision", "recall"],
        [[f.kind, f.planted, f.flagged, f.right, _share(f.precision), _share(f.recall)] for f in score.flags],
    )
    say(f"protected speech flagged: {score.protected_flagged:.1%}")
    for other in score.alerts_elsewhere:
        say(f"alert about nothing planted: {other}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
