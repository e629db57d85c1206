"""Tips: what people send in, by a form for those who are signed in and by a token-guarded address for programs.

A tip is only put down here; the collect loop's `tips` source makes it a post like any other."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.responses import JSONResponse, Response

from desk.web.visit import Visit
from hustings.clock import to_ms
from hustings.errors import BadInput
from hustings.wire import decode_strict, encode

__all__ = ["receive", "send", "show"]

FIELDS = ("text", "title", "url", "lang")
TIPS_TABLE = "tips"
"""Of `Memory`; keys sort by time."""
SENT_TABLE = "tips_sent"
"""Of `Memory`: which tip the same words from the same form, or of the same key of a program, became. Forgotten after
`SENT_AGAIN_WITHIN`."""
SENT_AGAIN_WITHIN = timedelta(minutes=5)
"""Shorter than the `tips` source looks back: a tip under the id of a first try that broke off is still found."""


class Tip(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What somebody sends in. Who sent it is not asked and not kept; `received_at` is written by the desk."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    title: Annotated[str, Meta(max_length=500)] = ""
    url: Annotated[str, Meta(max_length=4096)] = ""
    lang: Annotated[str, Meta(max_length=35)] = ""
    received_at: datetime | None = None


def show(visit: Visit) -> Response:
    """The form; after a tip it says that it has arrived."""
    return _page(visit, tip=dict.fromkeys(FIELDS, ""), arrived=visit.query("arrived") == "yes")


def send(visit: Visit) -> Response:
    """Put down the tip of somebody signed in. What the same form sends twice, as on a poor line, counts once."""
    fields = {name: visit.form.one(name).strip() for name in FIELDS}
    wait_s = visit.shared.tips_by_person.wait_s(visit.person.id)
    if wait_s:
        return _page(visit, tip=fields, problem=f"Many tips in a short time; try again in {wait_s} s.", status=429)
    try:
        tip = decode_strict(msgspec.json.encode({name: value for name, value in fields.items() if value}), Tip)
    except BadInput as error:
        return _page(visit, tip=fields, problem=error.detail, status=400)
    _put_down(visit, tip, _id_for(visit, tip, once=visit.form.one("once")))
    return visit.go("/tip?arrived=yes")


def receive(visit: Visit) -> Response:
    """`POST /api/tips` (docs/tips.md): one JSON object. 202 once it is on disk; what comes again under the same
    `Idempotency-Key`, since the answer was lost, has the answer of the first time."""
    token = visit.services.tips_token
    kind, _, given = visit.request.headers.get("authorization", "").partition(" ")
    wait_s = visit.shared.tips_by_program.wait_s("everybody")
    if wait_s:
        return JSONResponse({"error": "too many tips"}, status_code=429, headers={"retry-after": str(wait_s)})
    if not token or kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        return JSONResponse(
            {"error": "this address needs its token"}, status_code=401, headers={"www-authenticate": "Bearer"}
        )
    try:
        tip = decode_strict(visit.body, Tip)
    except BadInput as error:
        return JSONResponse({"error": error.reason, "detail": error.detail}, status_code=400)
    tip_id = _id_for(visit, tip, once=visit.request.headers.get("idempotency-key", "").strip())
    _put_down(visit, tip, tip_id)
    return JSONResponse({"id": tip_id}, status_code=202)


def _put_down(visit: Visit, tip: Tip, tip_id: str) -> None:
    """Make the tip durable, unless one of this id is."""
    received = msgspec.structs.replace(tip, received_at=visit.services.clock.now())
    visit.services.memory.replace(TIPS_TABLE, tip_id, None, encode(received))


def _new_id(visit: Visit) -> str:
    """It sorts by time."""
    return f"{to_ms(visit.services.clock.now()):013d}-{secrets.token_hex(8)}"


def _id_for(visit: Visit, tip: Tip, *, once: str) -> str:
    """The id of the tip: the one that these words have already under `once`, the form's number or the program's key, or
    a new one. Neither is kept, so that nothing here leads from a tip to a person."""
    memory, tip_id = visit.services.memory, _new_id(visit)
    until = f"{to_ms(visit.services.clock.now() - SENT_AGAIN_WITHIN):013d}"
    for key, sent in memory.entries(SENT_TABLE).items():
        if sent.decode() < until:
            memory.delete(SENT_TABLE, key)
    if not once:
        return tip_id
    key = hashlib.sha256(msgspec.json.encode((once, tip))).hexdigest()
    if memory.replace(SENT_TABLE, key, None, tip_id.encode()):
        return tip_id
    known = memory.get(SENT_TABLE, key)
    return tip_id if known is None else known.decode()


def _page(
    visit: Visit, *, tip: Mapping[str, str], problem: str = "", arrived: bool = False, status: int = 200
) -> Response:
    once = visit.form.one("once") or secrets.token_urlsafe(16)
    return visit.answer("tip.html", status=status, tip=tip, problem=problem, arrived=arrived, once=once)
