"""`hustings init`: writes a configuration, roster template and rules for one's own election."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["init"]


def init(
    folder: Annotated[Path, typer.Argument(help="a new or empty folder")] = Path("my-election"),
    name: Annotated[str, typer.Option(help="what the deployment is called")] = "",
    requester: Annotated[str, typer.Option(help="who asked for the monitoring")] = "",
    mandate: Annotated[str, typer.Option(help="what it is for, in a sentence")] = "",
    first_day: Annotated[str, typer.Option(help="first day, such as 2027-02-01")] = "",
    last_day: Annotated[str, typer.Option(help="last day, such as 2027-04-30")] = "",
    languages: Annotated[str, typer.Option(help="languages watched, such as en,es,ar")] = "",
    contact: Annotated[str, typer.Option(help="who answers objections")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="ask nothing; leave what is not given for you to fill in")] = False,
) -> None:
    """Write the files for an election of your own.

    Asks a few questions and writes hustings.toml, roster.toml and rules/. What you leave empty stays empty in the
    charter, and `hustings check` names it.

    Example: hustings init spring-2027
    """
    from runtime.commands.terminal import say
    from runtime.init import Answers, day, languages_of, write_election

    def ask(given: str, question: str, read: Callable[[str], Any] = str.strip) -> Any:
        if given or yes:
            return read(given)
        return typer.prompt(question, default="", show_default=False, value_proc=lambda text: _again(read, text))

    answers = Answers(
        name=ask(name, "What is this deployment called?") or folder.resolve().name,
        requester=ask(requester, "Who asked for the monitoring?"),
        mandate=ask(mandate, "What is it for, in a sentence?"),
        first_day=ask(first_day, "First day (YYYY-MM-DD)?", day),
        last_day=ask(last_day, "Last day (YYYY-MM-DD)?", day),
        languages=ask(languages, "Languages, such as en,es,ar?", languages_of),
        contact=ask(contact, "Who answers objections (an address)?"),
    )
    for path in write_election(folder, answers):
        say(f"wrote {path}")
    say(f"next: fill in {folder}/roster.toml, add sources, then: hustings check {folder}/hustings.toml")


def _again(read: Callable[[str], Any], text: str) -> Any:
    """The answer as `read` takes it; what it refuses is asked again."""
    from hustings.errors import ConfigError

    try:
        return read(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
