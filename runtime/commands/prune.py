"""`hustings prune`: forgets what is older than the deployment keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigPath

__all__ = ["prune"]


def prune(
    config: ConfigPath,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Forget what is older than log.keep_days.

    Posts, hits and dead letters go from the log and from the index, tips from the desk; loops may run. What was not
    read yet stays.
    Sealed evidence, alerts, reviews and the audit chain stay too.

    Example: hustings prune my.toml --dry-run
    """
    import msgspec

    from desk import audit
    from desk.database.connect import writing
    from hustings.clock import SystemClock
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.prune import cutoff_of, old_tips, would_prune
    from runtime.prune import prune as forget
    from runtime.stores import open_stores

    loaded, clock = load_config(config), SystemClock()
    before = cutoff_of(loaded, clock.now())
    loaded.require_data()
    with open_stores(loaded, clock) as (engine, memory, log, index):
        tips = old_tips(loaded, memory, before=before)
        if dry_run:
            pruned = would_prune(log, index, tips=tips, before=before)
        else:
            pruned = forget(log, index, memory, tips=tips, before=before)
            entries = {f"log_{topic}": count for topic, count in pruned.log_entries.items()}
            detail: audit.Detail = {
                "before": pruned.before,
                "index_posts": pruned.index_posts,
                "tips": pruned.tips,
                **entries,
            }
            with writing(engine) as connection:
                audit.append(
                    connection, at=clock.now(), actor="operator", action="prune", subject="retention", detail=detail
                )
    if as_json:
        say(msgspec.json.encode(pruned).decode())
        return
    word = "would forget about" if dry_run else "forgot"
    of_log = ", ".join(f"{count:,} of {topic}" for topic, count in pruned.log_entries.items())
    of_index = f"{pruned.index_posts:,} posts of the index, {pruned.tips:,} tips of the desk"
    say(f"{word} what came before {pruned.before}: {of_index}; in the log {of_log}")
    for topic, count in pruned.kept_unread.items():
        say(f"kept: {count:,} old entries of {topic} that are not read yet; is its loop running?")
