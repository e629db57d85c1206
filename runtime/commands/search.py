"""`hustings search`: the query language over the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import HERE, ConfigHere

if TYPE_CHECKING:
    from runtime.config import Config

__all__ = ["search"]


def search(
    query: Annotated[str, typer.Argument(help="for example: 'flag:N-PROC-DATE lang:es \"polling station\"'")],
    config: ConfigHere = HERE,
    limit: Annotated[int, typer.Option(min=1, help="most posts printed")] = 50,
    count: Annotated[bool, typer.Option("--count", help="only how many match")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header, safe for spreadsheets")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="assessments as JSON lines")] = False,
) -> None:
    """Posts that match, newest first. The language: docs/query-language.md.

    With --csv and --json whole posts leave Hustings: how many, and by which query, stands in the audit chain first.

    Examples: hustings search 'flag:G aimed_at:* -lang:en' · hustings search 'score.G-THR:>=0.8' --json
    """
    import sys

    from hustings import wire
    from hustings.errors import QueryError
    from hustings.query.parser import parse
    from runtime import build
    from runtime.commands.terminal import complain, printable, say, table
    from runtime.config import load_config
    from runtime.export import write_csv

    loaded = load_config(config)
    try:
        parsed = parse(query, vocabulary=build.vocabulary_of(loaded))
    except QueryError as error:
        complain(f"hustings: {error}\n  {printable(query)}\n  {'^':>{error.column}}")
        raise typer.Exit(2) from None
    loaded.require_data()
    index = build.open_index(loaded)
    try:
        total = index.count(parsed)
        if count:
            say(str(total))
            return
        if as_csv or as_json:
            _record(loaded, query, form="json" if as_json else "csv", posts=min(total, limit))
        found = build.pages(index, parsed, limit=limit)
        if as_json:
            for assessment in found:
                sys.stdout.buffer.write(wire.encode(assessment) + b"\n")
            sys.stdout.buffer.flush()
        elif as_csv:
            write_csv(sys.stdout, found)
        else:
            rows = [
                [
                    a.post.published_at.strftime("%Y-%m-%d %H:%M"),
                    a.lang,
                    " ".join(flag.code for flag in a.flags) or "-",
                    " ".join(target.id for target in a.targets) or "-",
                    a.post.text.replace("\n", " ")[:120],
                    a.key,
                ]
                for a in found
            ]
            table(f"{total:,} match", ["published (UTC)", "lang", "flags", "people", "text", "key"], rows)
        if total > limit:
            complain(f"{total:,} match, {limit:,} shown; raise --limit for more")
    finally:
        index.close()


def _record(config: Config, query: str, *, form: str, posts: int) -> None:
    """The export in the audit chain, before its first row: nothing leaves unseen because something broke."""
    from runtime.audited import append_as_operator

    append_as_operator(config, "export", subject="posts", detail={"query": query, "form": form, "posts": posts})
