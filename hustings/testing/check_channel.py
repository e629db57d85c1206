"""What every `contracts.Channel` keeps to, and the answers that every channel over HTTP gives to a status.

A test hands over a `Bench`: how to make the channel, and how to see what arrived at the other side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from hustings.contracts import Channel, Message

__all__ = ["CHECKS", "HTTP_ANSWERS", "NOW", "Bench", "message"]

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)

HTTP_ANSWERS: dict[int, Literal["delivered", "retry", "dead"]] = {
    200: "delivered",
    201: "delivered",
    202: "delivered",
    204: "delivered",
    301: "dead",
    302: "dead",
    400: "dead",
    401: "dead",
    403: "dead",
    404: "dead",
    408: "retry",
    410: "dead",
    413: "dead",
    422: "dead",
    425: "retry",
    429: "retry",
    500: "retry",
    502: "retry",
    503: "retry",
    504: "retry",
}
"""What an attempt becomes by the status of the answer: every channel over HTTP decides alike."""


class Bench(NamedTuple):
    """`arrived` lists the ids of the messages that reached the other side, in order; `secrets` are texts that must not
    show anywhere."""

    channel: Channel
    arrived: Callable[[], list[str]]
    reopened: Callable[[], Channel]
    secrets: tuple[str, ...] = ()


def message(name: str = "message-1", *, title: str = "A title") -> Message:
    """A message as `alerts.messages.render` makes it."""
    body = {"schema": 1, "id": name, "title": title, "text": "متن\nplain text ✓"}
    return Message(
        id=name,
        partner="partner-1",
        channel="channel-1",
        alert="alert-1",
        kind="open",
        tlp="GREEN",
        title=title,
        text="متن\nplain text ✓",
        body=msgspec.json.encode(body),
        at=NOW,
    )


def check_message_arrives(bench: Bench) -> None:
    assert bench.channel.send(message(), now=NOW).result == "delivered"
    assert bench.arrived() == ["message-1"]


def check_messages_arrive_in_order(bench: Bench) -> None:
    names = [f"message-{number}" for number in range(5)]
    for name in names:
        assert bench.channel.send(message(name), now=NOW).result == "delivered"
    assert bench.arrived() == names


def check_repeat_keeps_its_id(bench: Bench) -> None:
    bench.channel.send(message(), now=NOW)
    assert bench.channel.send(message(), now=NOW).result == "delivered"
    assert set(bench.arrived()) == {"message-1"}


def check_reopened_channel_goes_on(bench: Bench) -> None:
    bench.channel.send(message("message-1"), now=NOW)
    bench.channel.close()
    again = bench.reopened()
    assert again.send(message("message-2"), now=NOW).result == "delivered"
    again.close()
    assert bench.arrived() == ["message-1", "message-2"]


def check_hostile_title_does_not_stop_a_message(bench: Bench) -> None:
    hostile = message(title="x\r\nwebhook-id: forged\r\n\r\n\x00\u202e" + "ü" * 5000)
    assert bench.channel.send(hostile, now=NOW).result == "delivered"
    assert bench.arrived() == ["message-1"]


def check_secrets_do_not_show(bench: Bench) -> None:
    shown = f"{bench.channel!r} {vars(bench.channel)!r} {bench.channel.send(message(), now=NOW)!r}"
    for secret in bench.secrets:
        assert secret not in shown


def check_closing_twice_is_no_error(bench: Bench) -> None:
    bench.channel.close()
    bench.channel.close()


CHECKS: tuple[Callable[[Bench], None], ...] = (
    check_message_arrives,
    check_messages_arrive_in_order,
    check_repeat_keeps_its_id,
    check_reopened_channel_goes_on,
    check_hostile_title_does_not_stop_a_message,
    check_secrets_do_not_show,
    check_closing_twice_is_no_error,
)
