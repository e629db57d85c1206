"""Appending to a log that may refuse some of a batch for good, so that it costs nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from hustings.contracts import Log, Record, Topic
from hustings.errors import BadInput

__all__ = ["append_taken"]


def append_taken(log: Log, topic: Topic, records: Sequence[Record]) -> dict[int, BadInput]:
    """Append, in their order, all records that the log takes; returns by place why it refuses the others. Durable when
    it returns; after any other error some may be in the log, and appending all again is what heals."""
    try:
        log.append(topic, records)
    except BadInput as refusal:  # all or none: by halves, until the one to blame stands alone
        if len(records) == 1:
            return {0: refusal}
        middle = len(records) // 2
        refused = append_taken(log, topic, records[:middle])
        after = append_taken(log, topic, records[middle:])
        return refused | {middle + place: reason for place, reason in after.items()}
    return {}
