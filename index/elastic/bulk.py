"""Many documents in few requests: in pieces that the nodes can take, asked again where they could not, one answer each.

Every operation is harmless when it is sent twice: it names its document and the version that it makes. So whatever is
not known to have happened is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hustings.errors import HustingsError
from index.elastic.nodes import Nodes
from index.elastic.patience import OVERLOADED
from index.elastic.troubles import answered, described

__all__ = ["Answer", "BulkWriter", "Operation"]

LEAST_BYTES = 100_000
"""A request is not made smaller than this, however overloaded the nodes are."""
SHOWN = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by"
"""What is sent back of each answer."""


class Operation(NamedTuple):
    """One document: the line that says what to do with it, and the document, both as JSON."""

    action: bytes
    document: bytes

    @property
    def size(self) -> int:
        return len(self.action) + len(self.document) + 2


class Answer(NamedTuple):
    """What became of one operation: the HTTP status it would have had alone, and why not."""

    status: int
    body: Any = None

    @property
    def reason(self) -> str:
        return described(self.body)

    @property
    def is_written(self) -> bool:
        return self.status in (200, 201)

    @property
    def is_conflict(self) -> bool:
        """The document is there already, in this version or a higher one."""
        return self.status == 409

    @property
    def is_refused(self) -> bool:
        """The server will never take this document."""
        return self.status in (400, 413)


class BulkWriter:
    """Sends operations of one process. The size of requests follows what the nodes can take just now."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._most_bytes = nodes.settings.bulk_bytes

    def send(self, operations: Sequence[Operation], *, doing: str) -> list[Answer]:
        """One answer each, in order: written, conflict or refused. Raises `Unavailable` when the nodes are overloaded
        for too long, or when something is wrong that is no document's fault; what was written until then stays."""
        answers: list[Answer] = [Answer(0)] * len(operations)
        waiting = list(range(len(operations)))
        patience = self._nodes.patience()
        while waiting:
            again: list[int] = []
            for places in self._pieces(operations, waiting):
                for place, answer in zip(places, self._send([operations[p] for p in places], doing), strict=True):
                    if answer.status in OVERLOADED:
                        again.append(place)
                    elif answer.is_written or answer.is_conflict or answer.is_refused:
                        pass
                    else:
                        raise self._told(answer, doing)
                    answers[place] = answer
            if again and not patience.wait():
                raise self._told(answers[again[0]], doing)
            waiting = again
        return answers

    def _pieces(self, operations: Sequence[Operation], places: Sequence[int]) -> Iterator[list[int]]:
        """Runs of places whose operations fit into one request; one that is too large goes alone."""
        piece: list[int] = []
        size = 0
        for place in places:
            full = size + operations[place].size > self._most_bytes or len(piece) == self._nodes.settings.bulk_documents
            if piece and full:
                yield piece
                piece, size = [], 0
            piece.append(place)
            size += operations[place].size
        if piece:
            yield piece

    def _send(self, operations: Sequence[Operation], doing: str) -> list[Answer]:
        """One request. When it is refused as a whole, its halves, until what is to blame stands alone."""
        lines = [line for operation in operations for line in operation]
        status, body = self._nodes.try_once(doing, lambda client: client.bulk, operations=lines, filter_path=SHOWN)
        if status == 200:
            self._most_bytes = min(self._nodes.settings.bulk_bytes, self._most_bytes + self._most_bytes // 4)
            return [_answer(item) for item in body["items"]]
        if status in OVERLOADED or status == 413:
            self._most_bytes = max(LEAST_BYTES, self._most_bytes // 2)
        if status in OVERLOADED or len(operations) == 1:
            return [Answer(status, body)] * len(operations)
        middle = len(operations) // 2
        return self._send(operations[:middle], doing) + self._send(operations[middle:], doing)

    def _told(self, answer: Answer, doing: str) -> HustingsError:
        return answered(answer.status, answer.body, self._nodes.settings, doing)


def _answer(item: dict[str, dict[str, Any]]) -> Answer:
    """`{"index": {"status": …}}`: the action is the only key."""
    (said,) = item.values()
    return Answer(said["status"], said)
