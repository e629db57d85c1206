"""Where the index is: positions and books of each partition, and the log that filled it.

One document per partition, so that workers of different partitions never touch the same one. It holds the position and
the books together, and is written after the documents that they speak of, only if nobody changed it meanwhile: then it
is read again, and only what lies beyond the position that it has by then is counted. So the books at a position are the
same whoever wrote them, and a worker that slept and wakes up moves nothing back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hustings.contracts import Topic
from hustings.errors import StoreError, Unavailable
from index.books import BOOKS, DROPPED
from index.elastic.bulk import BulkWriter, Operation
from index.elastic.lookup import Found, find
from index.elastic.nodes import Nodes
from index.elastic.standing import Origin

__all__ = ["State", "check_log", "check_not_emptied", "claim_for_log", "read_all", "read_log_id", "read_some", "store"]

LOG_DOCUMENT = "log"
NOTHING: Mapping[int, int] = {}
PARTS = ("log_id", "position", "books")
MOST_PARTITIONS = 10_000
"""As many as one search returns."""
TRIES = 20
"""Of writing a partition's document while others change it. Two workers on one partition are a mistake that ends with
the next rebalance, so a few tries are plenty."""

Counted = tuple[Origin, str]
"""A place of the log and the book that it belongs to."""

_encoder = msgspec.json.Encoder()


class State(NamedTuple):
    """One partition's document. `seq_no` and `term` say which writing of it was read; None when there is none yet."""

    position: int = 0
    books: Mapping[str, int] = {}
    seq_no: int | None = None
    term: int | None = None


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def read_some(nodes: Nodes, index: str, topic: Topic, partitions: Iterable[int]) -> tuple[str | None, dict[int, State]]:
    """The log's id and the partitions' states, as they are now."""
    wanted = {_id_of(topic, partition): partition for partition in partitions}
    found = find(nodes, [index], [LOG_DOCUMENT, *wanted], parts=PARTS, doing="reading positions")
    log = found.get(LOG_DOCUMENT)
    states = {partition: _state(found.get(id_)) for id_, partition in wanted.items()}
    return (None if log is None else str(log.parts["log_id"])), states


def read_all(nodes: Nodes, index: str, topic: Topic) -> dict[int, State]:
    """The states of all partitions of a topic."""
    nodes.refresh([index])
    answer = nodes.ask(
        "reading positions",
        lambda client: client.search,
        index=index,
        query={"bool": {"filter": [{"term": {"topic": topic}}]}},
        size=MOST_PARTITIONS,
        allow_partial_search_results=False,
    )
    found = [hit["_source"] for hit in answer["hits"]["hits"]]
    return {
        source["partition"]: State(source["position"], source["books"])
        for source in sorted(found, key=lambda source: int(source["partition"]))
    }


def read_log_id(nodes: Nodes, index: str) -> str | None:
    found, _ = read_some(nodes, index, "posts", ())
    return found


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def claim_for_log(nodes: Nodes, writer: BulkWriter, index: str, log_id: str) -> None:
    """Remember which log fills this index; of two workers that begin together the first decides."""
    action = _encoder.encode({"create": {"_index": index, "_id": LOG_DOCUMENT}})
    (answer,) = writer.send([Operation(action, _encoder.encode({"log_id": log_id}))], doing="claiming the index")
    if answer.is_refused:
        raise StoreError(f"{index}: the log's id is refused: {answer.reason}")
    if answer.is_conflict:
        check_log(index, read_log_id(nodes, index), log_id)


def check_log(index: str, found: str | None, log_id: str) -> None:
    """Raise `StoreError` unless the index was filled from this log: the offsets of another one mean other posts."""
    if found is not None and found != log_id:
        raise StoreError(
            f"{index}: was filled from log {found}, but the log is now {log_id}; restore the log that belongs to it,"
            " or rebuild the index from the new one (`hustings index rebuild`)"
        )


def check_not_emptied(index: str, partition: int, found: State, known: int) -> None:
    """Raise `Unavailable` when the position is less than it was: it never goes back by itself."""
    if found.position < known:
        raise Unavailable(
            f"{index}: was emptied meanwhile: partition {partition} is at {found.position} and was at {known};"
            " it has to be filled again from there"
        )


def store(
    nodes: Nodes,
    writer: BulkWriter,
    index: str,
    topic: Topic,
    *,
    known: Mapping[int, State],
    positions: Mapping[int, int],
    counted: Sequence[Counted],
    dropped: Mapping[int, int] = NOTHING,
) -> dict[int, State]:
    """Move the positions on, never back, and count what lies at or beyond those that are stored; what lies below the
    places `dropped` is counted as that. `known` are the states
    as they were read or written before, one for each partition that is touched; returns them as they are afterwards.
    Raises `Unavailable` when the index holds less than was known: it was emptied, and has to be filled from there."""
    states = dict(known)
    late: Collection[int] = states.keys()
    for _ in range(TRIES):
        changed = {
            partition: state
            for partition in late
            if (state := _moved(states[partition], partition, positions, counted, dropped)) is not None
        }
        operations = [_operation(index, topic, partition, state) for partition, state in changed.items()]
        answers = dict(zip(changed, writer.send(operations, doing="storing positions"), strict=True))
        for partition, answer in answers.items():
            if answer.is_refused:
                raise StoreError(f"{index}: the position of partition {partition} is refused: {answer.reason}")
            if answer.is_written:
                writing = answer.body["_seq_no"], answer.body["_primary_term"]
                states[partition] = State(changed[partition].position, changed[partition].books, *writing)
        late = [partition for partition, answer in answers.items() if answer.is_conflict]
        if not late:
            return states
        _, found = read_some(nodes, index, topic, late)
        for partition, now in found.items():
            check_not_emptied(index, partition, now, states[partition].position)
        states |= found
    raise Unavailable(f"{index}: others keep changing the positions of partitions {sorted(late)}")


def _moved(
    before: State,
    partition: int,
    positions: Mapping[int, int],
    counted: Sequence[Counted],
    dropped: Mapping[int, int],
) -> State | None:
    """The state that follows; None when nothing changes."""
    begins = max(before.position, dropped.get(partition, 0))
    more = Counter(book for origin, book in counted if origin.partition == partition and origin.offset >= begins)
    more[DROPPED] += begins - before.position
    position = max(begins, positions.get(partition, 0))
    is_new = before.seq_no is None and (partition in positions or more.total() > 0)
    if position == before.position and not more.total() and not is_new:
        return None
    books = {name: before.books.get(name, 0) + more[name] for name in BOOKS}
    return before._replace(position=position, books=books)


def _operation(index: str, topic: Topic, partition: int, state: State) -> Operation:
    """Written only over the writing that was read, or where there is none."""
    where: dict[str, Any] = {"_index": index, "_id": _id_of(topic, partition)}
    if state.seq_no is None:
        action = {"create": where}
    else:
        action = {"index": {**where, "if_seq_no": state.seq_no, "if_primary_term": state.term}}
    document = {"topic": topic, "partition": partition, "position": state.position, "books": state.books}
    return Operation(_encoder.encode(action), _encoder.encode(document))


def _id_of(topic: Topic, partition: int) -> str:
    return f"{topic}-{partition}"


def _state(found: Found | None) -> State:
    if found is None:
        return State()
    return State(found.parts["position"], found.parts["books"], found.seq_no, found.term)
