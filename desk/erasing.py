"""What the desk itself keeps of a post's words, taken away when the post is erased: excerpts in messages to partners,
and the fingerprints by which stories are told.

What people decided stays, and what it rests on: reviews and releases with their notes, alerts, the audit chain. They
name the post and hold no word of it, unless somebody wrote one into a note."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from desk.database.tables import outbox, tellings
from hustings.contracts import Message
from hustings.wire import decode, encode

__all__ = ["forget_excerpts", "forget_fingerprints", "messages_showing", "partners_addressed"]

KEYS_AT_ONCE = 500
"""Databases take a limited number of values in a statement."""


def partners_addressed(connection: Connection) -> set[str]:
    """Everybody to whom the outbox has a message, sent or not."""
    return {name.partition("/")[0] for name in connection.execute(select(outbox.c.route).distinct()).scalars()}


def messages_showing(connection: Connection, shown_as: Mapping[str, Collection[str]]) -> list[tuple[int, Message]]:
    """The messages of the outbox, sent or not, that say more of certain posts than their key, each with its place.
    `shown_as` has for each partner the keys that it knows them by. Reads every message."""
    found = select(outbox.c.sequence, outbox.c.message).order_by(outbox.c.sequence)
    rows = connection.execution_options(yield_per=500).execute(found)
    messages = ((row.sequence, decode(row.message, Message)) for row in rows)
    return [
        (sequence, message)
        for sequence, message in messages
        if any(_says_more(post) for post in _posts(_body(message), shown_as.get(message.partner, ())))
    ]


def forget_excerpts(
    connection: Connection, messages: Collection[tuple[int, Message]], shown_as: Mapping[str, Collection[str]]
) -> None:
    """Leave of these posts in these messages the key alone, as of a post that the index no longer knows. The SHA-256 of
    a message that was sent stays that of what was sent."""
    for sequence, message in messages:
        body = _body(message)
        for post in _posts(body, shown_as[message.partner]):
            key = post["key"]
            post.clear()
            post["key"] = key
        without = msgspec.structs.replace(message, body=msgspec.json.encode(body))
        this = update(outbox).where(outbox.c.sequence == sequence)
        connection.execute(this.values(message=encode(without)))
        unsent = this.where(outbox.c.state.in_(("queued", "retrying")))
        connection.execute(unsent.values(sha256=hashlib.sha256(without.body).hexdigest()))


def forget_fingerprints(connection: Connection, keys: Collection[str]) -> int:
    """Empty what the words of these posts could be recognised by; how many. Their places in the ledger stay: it is read
    in order and without gaps."""
    ordered, emptied = sorted(keys), 0
    for start in range(0, len(ordered), KEYS_AT_ONCE):
        these = tellings.c.key.in_(ordered[start : start + KEYS_AT_ONCE])
        told = update(tellings).where(these, tellings.c.wording != b"")
        emptied += connection.execute(told.values(wording=b"", sketch=b"")).rowcount
    return emptied


def _body(message: Message) -> dict[str, Any]:
    return msgspec.json.decode(message.body, type=dict[str, Any])


def _posts(body: Mapping[str, Any], keys: Collection[str]) -> Iterator[dict[str, Any]]:
    """The posts of `evidence` (docs/alert-message.md) with these keys."""
    return (post for post in body.get("evidence", ()) if post["key"] in keys)


def _says_more(post: Mapping[str, Any]) -> bool:
    return len(post) > 1
