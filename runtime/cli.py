"""The command line: every command in one list. Heavy imports stand inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys

import typer

from runtime.commands import assess, backup, check, demo, init, loop, rules, run, search, status

__all__ = ["app", "main"]

app = typer.Typer(
    name="hustings",
    help="Watches public media around an election: collects posts, flags disinformation and gendered abuse, lets people"
    " review, warns partners. People decide; the machine ranks, matches, explains and remembers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("assess")(assess.assess)
app.command("search")(search.search)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(rules.app)
app.command("loop", hidden=True)(loop.loop)


def main() -> None:
    """Entry point: our own errors are told in plain words with exit status 2, never as a traceback."""
    from hustings.errors import HustingsError

    try:
        app()
    except HustingsError as error:
        print(f"hustings: {type(error).__name__}:\n{error}", file=sys.stderr)  # noqa: T201 - this is the terminal
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, but Python must not complain at exit.
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
