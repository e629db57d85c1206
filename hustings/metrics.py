"""Every number that Hustings counts and every event that it logs, named once with unit and meaning.

A misspelt name is a type error. Nothing here holds a value: `runtime.events` writes them.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["Event", "describe"]

Event = Literal[
    # A loop opened its stores and begins to work; fields: pid.
    "loop_started",
    # A loop was asked to stop and has finished what it had begun; fields: none.
    "loop_stopped",
    # A loop ended because it cannot go on; fields: error (the type), detail. A person must put right what it names.
    "loop_failed",
    # A child process died; fields: loop, exit_status, again_in_s. Look at the last lines of that loop.
    "child_died",
    # Workers came or went, and this one goes on with other partitions of its topic; fields: detail.
    "partitions_changed",
    # A dependency does not answer, the loop waits; fields: detail, again_in_s. Look at the named dependency.
    "dependency_unavailable",
    # A step raised on one post alone and the post became a dead letter; fields: key, error. Report it as a bug.
    "post_failed",
    # Posts that left the log by age before the index had them; fields: count. Expected after `index rebuild` of a log
    # that was pruned; otherwise the log keeps too short a time.
    "posts_dropped_unread",
    # Posts that became dead letters in one batch; fields: count.
    "dead_letters",
    # One batch went through; fields: posts, hits, seconds. Level debug.
    "batch_done",
    # A source's reader was stopped by its brake; fields: source, detail. A person must look, then lift the brake.
    "brake_pulled",
    # The rule set that this worker evaluates; fields: rules, shadow.
    "rules_loaded",
    # Rules past their day: they fire no more; fields: rules. Retire them, or give them a later day.
    "rules_expired",
    # Models that were made for another analyser than this one; fields: models. Their scores may be off: train again.
    "models_stale",
    # Other models serve from this batch on, after a promotion or rollback; fields: models.
    "models_changed",
    # Models were promoted that cannot be opened, so those that served go on; fields: detail, models (those that serve).
    "models_refused",
    # An index that was lost or restored has its hits back from the log; fields: partitions, hits. Expected after that
    # only: otherwise ask who removed it.
    "index_filled",
    # Rules that were edited, now or before the index was lost, wait for posts that the index does not hold yet and know
    # no post of before; fields: rules. Expected while analyze fills a lost index: look whether it runs.
    "rules_wait_for_posts",
    # Rules that were edited have their past: the posts that the index holds were matched anew; fields: rules, hits.
    "rules_rematched",
    # What the evaluators rebuilt from the index; fields: partitions, hits, alerts, seconds.
    "windows_restored",
    # What one step of the evaluator recorded; fields: alerts, notices, amendments, queue. Level debug.
    "alerts_recorded",
    # Attempts of the deliver loop; fields: count.
    "deliveries_attempted",
    # The desk listens; fields: address.
    "desk_listening",
    # A page of the desk was answered; fields: page (its route, never the address), status, ms. Level debug.
    "page_served",
    # A page of the desk raised and its visitor saw a 500; fields: page, error (the type), at. Report it as a bug.
    "page_failed",
    # A new desk has no people yet: the one-time link that makes whoever opens it the lead; fields: link.
    "first_link",
]


def describe() -> dict[str, str]:
    """`{event: meaning}`, read from the comments above (they are the one place where meanings stand)."""
    import inspect
    import sys

    meanings: dict[str, str] = {}
    comment = ""
    for line in inspect.getsource(sys.modules[__name__]).splitlines():
        text = line.strip()
        if text.startswith("# "):
            comment = f"{comment} {text[2:]}".lstrip()
        elif text.startswith('"') and text.endswith('",') and comment:
            meanings[text[1:-2]] = comment
            comment = ""
    return meanings
