"""`hustings status`: how the deployment is, from its stores."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigPath

__all__ = ["status"]


def status(
    config: ConfigPath,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show loops and their workers, lag by partition, books, sources and what waits.

    All of it is computed from the stores. Exit status 1 when the books do not balance.

    Example: hustings status my.toml --json | jq .books
    """
    import msgspec

    from runtime.build import deployment_status
    from runtime.commands.terminal import say, table
    from runtime.config import load_config

    loaded = load_config(config)
    loaded.require_data()
    found = deployment_status(loaded)
    if as_json:
        say(msgspec.json.encode(found).decode())
    else:
        table(
            f"{found.deployment} at {found.at}",
            ["loop", "worker", "alive", "pid", "last beat", "reads", "waits for"],
            [
                [
                    x.loop,
                    x.worker,
                    "yes" if x.alive else "no",
                    x.pid or "-",
                    x.last_beat or "-",
                    ", ".join(map(str, x.partitions)) or "-",
                    x.waiting_for or "-",
                ]
                for x in found.loops
            ],
        )
        table(
            "Lag",
            ["topic", "reader", "partition", "worker", "position", "end", "behind", "oldest unread (s)"],
            [
                [
                    x.topic,
                    x.reader,
                    x.partition,
                    x.worker or "nobody",
                    x.position,
                    x.end,
                    x.lag,
                    "-" if x.oldest_s is None else x.oldest_s,
                ]
                for x in found.lag
            ],
        )
        books = found.books
        table(
            "Books",
            [
                "posts in log",
                "new",
                "revised",
                "unchanged",
                "conflicting",
                "dead letters",
                "dropped",
                "unread",
                "balanced",
            ],
            [
                [
                    books.log,
                    books.new,
                    books.revised,
                    books.unchanged,
                    books.conflicting,
                    books.dead_letters,
                    books.dropped,
                    books.unread,
                    "yes" if books.balanced else "NO",
                ]
            ],
        )
        table(
            "Sources",
            ["source", "last success", "gap since", "items", "brake", "last error"],
            [
                [
                    x.source,
                    x.last_success or "-",
                    x.gap_since or "-",
                    x.items,
                    "PULLED" if x.brake else "-",
                    x.last_error or "-",
                ]
                for x in found.sources
            ],
        )
        for silence in found.silences:
            when = f"{silence.start:%Y-%m-%d %H:%M} to {silence.end:%Y-%m-%d %H:%M} UTC"
            lasts = ", and it lasts" if silence.lasts else ""
            say(f"SILENCE in {silence.region}: {when}, all {len(silence.sources)} sources quiet{lasts}")
        waiting = ", ".join(f"{state} {count}" for state, count in sorted(found.outbox.items())) or "empty"
        say(f"Alerts waiting for release: {found.alerts_waiting}   queue: {found.queue_waiting}   outbox: {waiting}")
    if not found.books.balanced:
        raise typer.Exit(1)
