"""Assessments into the index: looked up, judged, written in bulk, then counted.

In this order, so that a crash anywhere leaves something that the same batch, done again, completes: documents first,
each with what it is made of (standing.py), then positions and books (state.py). The server itself keeps the highest
revision, and of one revision the first (external versions): whoever comes late, or wakes up after others went on,
changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from hustings.contracts import Outcome
from hustings.errors import Unavailable, WriteRefused
from hustings.types import Assessment
from index.books import BOOK_OF, DEAD_LETTERS
from index.elastic import state
from index.elastic.bulk import BulkWriter, Operation
from index.elastic.documents import document_id, post_document
from index.elastic.lookup import Found, find
from index.elastic.months import make_missing
from index.elastic.names import Live, month_index
from index.elastic.nodes import Nodes
from index.elastic.recent import Recent, Stored
from index.elastic.standing import Origin, Reading, Standing, judged, said_by, trimmed
from index.times import from_us, to_us

__all__ = ["external", "stored_in", "write"]

TRIES = 5
"""Of judging a post anew because somebody wrote it meanwhile. Two workers on one key are a zombie and its successor, so
the second try finds what the other wrote."""

_encoder = msgspec.json.Encoder()


def write(
    nodes: Nodes,
    writer: BulkWriter,
    recent: Recent,
    assessments: Sequence[Assessment],
    *,
    log_id: str,
    origins: Sequence[tuple[int, int]],
    dead: Sequence[tuple[int, int]],
    dropped: Mapping[int, int],
    positions: Mapping[int, int],
) -> list[Outcome]:
    """What the contract's `write` says."""
    live, stored = recent.take([one.key for one in assessments]) or (nodes.live(), None)
    places = [Origin(*origin) for origin in origins]
    losses = [Origin(*origin) for origin in dead]
    partitions = {*positions, *dropped, *(place.partition for place in (*places, *losses))}
    states = recent.begin(nodes, writer, live, "posts", partitions, log_id=log_id)
    readings = _readings(assessments, places)
    counted_to = {partition: known.position for partition, known in states.items()}
    outcomes = _write_documents(nodes, writer, live, assessments, readings, stored, counted_to)
    counted = [(place, BOOK_OF[outcome]) for place, outcome in zip(places, outcomes, strict=bool(places))]
    counted += [(place, DEAD_LETTERS) for place in losses]
    states = state.store(
        nodes, writer, live.state, "posts", known=states, positions=positions, counted=counted, dropped=dropped
    )
    recent.stored(live, "posts", states)
    return outcomes


def external(index: str, id_: str, version: int) -> bytes:
    """The action that makes a document, or replaces one of a lower version, and nothing else."""
    where = {"_index": index, "_id": id_, "version": version, "version_type": "external"}
    return _encoder.encode({"index": where})


def _readings(assessments: Sequence[Assessment], origins: Sequence[Origin]) -> list[Reading]:
    known: list[Origin | None] = [*origins] if origins else [None] * len(assessments)
    return [
        Reading(one.post.revision, said_by(one.post), to_us(one.ingested_at), origin)
        for one, origin in zip(assessments, known, strict=True)
    ]


def _write_documents(
    nodes: Nodes,
    writer: BulkWriter,
    live: Live,
    assessments: Sequence[Assessment],
    readings: Sequence[Reading],
    stored: Mapping[str, Stored] | None,
    counted_to: Mapping[int, int],
) -> list[Outcome]:
    """One outcome each, in order; all that they say is durable. `stored` is what stands, as far as it is known."""
    outcomes = [Outcome.NEW] * len(assessments)
    places_by_key: dict[str, list[int]] = {}
    for place, assessment in enumerate(assessments):
        places_by_key.setdefault(assessment.key, []).append(place)
    months = set(live.posts)
    refused: dict[int, str] = {}
    pending: Collection[str] = places_by_key
    for _ in range(TRIES):
        if stored is None:
            stored = stored_of(nodes, months, pending)
        operations: list[Operation] = []
        last_places: list[int] = []
        wanted: set[str] = set()
        for key in pending:
            found = stored.get(key)
            last, standing = _judge(found, places_by_key[key], readings, outcomes)
            if last is None or standing is None:
                continue
            index = found.index_name if found else month_index(live.set, "posts", from_us(standing.first_collected_us))
            document = post_document(assessments[last], trimmed(standing, counted_to))
            operations.append(Operation(external(index, document_id(key), standing.revision), document))
            last_places.append(last)
            wanted.add(index)
        make_missing(nodes, live, "posts", wanted - months)
        months |= wanted
        answers = list(zip(last_places, writer.send(operations, doing="writing assessments"), strict=True))
        refused |= {place: answer.reason for place, answer in answers if answer.is_refused}
        pending, stored = [assessments[place].key for place, answer in answers if answer.is_conflict], None
        if not pending:
            break
    else:
        raise Unavailable(f"{live.set}posts: others keep writing the same posts, {sorted(pending)[:3]} for example")
    if refused:
        raise WriteRefused(f"{live.set}posts", refused)
    return outcomes


def _judge(
    found: Stored | None, places: Sequence[int], readings: Sequence[Reading], outcomes: list[Outcome]
) -> tuple[int | None, Standing | None]:
    """Sets the outcomes of one key's readings; returns which of them made what stands now, None when none did."""
    standing = None if found is None else found.standing
    last: int | None = None
    for place in places:
        outcomes[place], after = judged(standing, readings[place])
        if after is not standing:
            last, standing = place, after
    return last, standing


def stored_of(nodes: Nodes, months: Collection[str], keys: Collection[str]) -> dict[str, Stored]:
    """What stands of those keys, by key."""
    by_id = {document_id(key): key for key in keys}
    found = find(nodes, sorted(months), list(by_id), parts=["standing"])
    return {by_id[id_]: stored_in(document) for id_, document in found.items()}


def stored_in(document: Found) -> Stored:
    return Stored(document.index_name, msgspec.convert(document.parts["standing"], Standing))
