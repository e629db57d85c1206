"""`hustings init`: writes a configuration, roster template and rules for one's own election."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    """Ask a few questions and write hustings.toml, roster.toml and rules/ for your own election.

    What you leave empty stays empty in the charter, and `hustings check` names it. Example: hustings init spring-2027
    """
    from runtime.commands.terminal import say
    from runtime.init import Answers, write_election

    def ask(given: str, question: str) -> str:
        return given or ("" if yes else typer.prompt(question, default="", show_default=False))

    answers = Answers(
        name=ask(name, "What is this deployment called?") or folder.name,
        requester=ask(requester, "Who asked for the monitoring?"),
        mandate=ask(mandate, "What is it for, in a sentence?"),
        first_day=ask(first_day, "First day (YYYY-MM-DD)?"),
        last_day=ask(last_day, "Last day (YYYY-MM-DD)?"),
        languages=tuple(x.strip() for x in ask(languages, "Languages, such as en,es,ar?").split(",") if x.strip()),
        contact=ask(contact, "Who answers objections (an address)?"),
    )
    for path in write_election(folder, answers):
        say(f"wrote {path}")
    say(f"next: fill in {folder}/roster.toml, add sources, then: hustings check {folder}/hustings.toml")
