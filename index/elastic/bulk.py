"""Many documents in few requests: in pieces that the nodes can take, asked again where they could not, one answer each.

Every operation is harmless when it is sent twice: it names its document and the version that it makes. So whatever is
not known to have happened is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from hustings.errors import HustingsError
from index.elastic.nodes import Nodes
from index.elastic.patience import OVERLOADED
from index.elastic.troubles import answered, described

__all__ = ["Answer", "BulkWriter", "Operation"]

LEAST_BYTES = 100_000
"""A request is not made smaller than this, however overloaded the nodes are."""
LEAST_DOCUMENTS = 100
"""Fewer documents are not worth a second request at the same time."""
SHOWN = ",".join(
    [
        *("errors", "items.*.status", "items.*._seq_no", "items.*._primary_term"),
        *("items.*.error.type", "items.*.error.reason", "items.*.error.caused_by"),
    ]
)
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
    """What the server says: which writing of the document it was, or why it was none."""

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
        self._senders = ThreadPoolExecutor(nodes.settings.bulk_senders, thread_name_prefix="bulk")

    def close(self) -> None:
        self._senders.shutdown()

    def send(self, operations: Sequence[Operation], *, doing: str) -> list[Answer]:
        """One answer each, in order: written, conflict or refused. Raises `Unavailable` when the nodes are overloaded
        for too long, or when something is wrong that is no document's fault; what was written until then stays."""
        answers: list[Answer] = [Answer(0)] * len(operations)
        waiting = list(range(len(operations)))
        patience = self._nodes.patience()
        while waiting:
            again: list[int] = []
            for place, answer in self._send_all(operations, waiting, doing):
                answers[place] = answer
                if answer.status in OVERLOADED:
                    again.append(place)
                elif not (answer.is_written or answer.is_conflict or answer.is_refused):
                    raise self._told(answer, doing)
            if again and not patience.wait():
                raise self._told(answers[again[0]], doing)
            waiting = again
        return answers

    def _send_all(
        self, operations: Sequence[Operation], places: Sequence[int], doing: str
    ) -> Iterator[tuple[int, Answer]]:
        """Each place with its answer. Several requests are on their way at a time: an index takes the documents of one
        request one after the other."""
        pieces = list(self._pieces(operations, places))
        sent = [[operations[place] for place in piece] for piece in pieces]
        if len(pieces) == 1:
            answered_pieces: Iterable[list[Answer]] = [self._send(sent[0], doing)]
        else:
            answered_pieces = self._senders.map(lambda piece: self._send(piece, doing), sent)
        for piece, answers in zip(pieces, answered_pieces, strict=True):
            yield from zip(piece, answers, strict=True)

    def _pieces(self, operations: Sequence[Operation], places: Sequence[int]) -> Iterator[list[int]]:
        """Runs of places whose operations fit into one request; one that is too large goes alone."""
        settings = self._nodes.settings
        fair_share = -(-len(places) // settings.bulk_senders)
        most = min(settings.bulk_documents, max(fair_share, LEAST_DOCUMENTS))
        piece: list[int] = []
        size = 0
        for place in places:
            if piece and (size + operations[place].size > self._most_bytes or len(piece) == most):
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
