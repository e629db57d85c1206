"""The command line: every command in one list. Heavy imports stand inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from runtime.commands import (
    assess,
    audit,
    backup,
    capacity,
    check,
    check_models,
    claims,
    corpus,
    dead_letters,
    demo,
    erase,
    evidence,
    index,
    init,
    loop,
    model,
    move,
    people,
    prune,
    replay,
    rules,
    run,
    search,
    setup,
    source,
    status,
    topics,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="hustings",
    help="Watches public media around an election: collects posts, flags disinformation and gendered abuse, lets people"
    " review, warns partners. People decide; the machine ranks, matches, explains and remembers.",
    epilog="Exit status: 0 done, 1 something was found wrong, 2 it could not be done.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("setup")(setup.setup)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("capacity")(capacity.capacity)
app.command("assess")(assess.assess)
app.command("search")(search.search)
app.add_typer(rules.app)
app.add_typer(model.app)
app.add_typer(check_models.app)
app.add_typer(claims.app)
app.add_typer(corpus.app)
app.add_typer(dead_letters.app)
app.add_typer(source.app)
app.add_typer(people.app)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("prune")(prune.prune)
app.command("erase")(erase.erase)
app.add_typer(index.app)
app.add_typer(move.app)
app.command("replay")(replay.replay)
app.add_typer(evidence.app)
app.add_typer(audit.app)
app.command("collect")(loop.collect)
app.command("analyze")(loop.analyze)
app.command("watch")(loop.watch)
app.command("deliver")(loop.deliver)
app.command("desk")(loop.desk)
app.add_typer(topics.app)
app.command("loop", hidden=True)(loop.loop)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; `arguments` None means those of the process. Our own errors and those of the file system are told in
    plain words with exit status 2; a traceback means a bug of ours."""
    from hustings.errors import HustingsError

    try:
        app(args=arguments, prog_name="hustings")
    except HustingsError as error:
        _end(str(error))
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, but Python must not complain at exit.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        # Python does not say which file was open when a disk is full.
        _end(f"{error.filename or 'a file could not be read or written'}: {error.strerror or error}")


def _end(text: str) -> NoReturn:
    print(f"hustings: {text}", file=sys.stderr)  # noqa: T201 - this is the terminal
    sys.exit(2)


if __name__ == "__main__":
    main()
