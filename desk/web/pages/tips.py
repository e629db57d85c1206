"""Tips: what people send in, by a form for those who are signed in and by a token-guarded address for programs.

A tip is only put down here; the collect loop's `tips` source makes it a post like any other."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
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
    """Put down the tip of somebody signed in."""
    fields = {name: visit.form.one(name).strip() for name in FIELDS}
    wait_s = visit.shared.tips_by_person.wait_s(visit.person.id)
    if wait_s:
        return _page(visit, tip=fields, problem=f"Many tips in a short time; try again in {wait_s} s.", status=429)
    try:
        tip = decode_strict(msgspec.json.encode({name: value for name, value in fields.items() if value}), Tip)
    except BadInput as error:
        return _page(visit, tip=fields, problem=error.detail, status=400)
    _put_down(visit, tip)
    return visit.go("/tip?arrived=yes")


def receive(visit: Visit) -> Response:
    """`POST /api/tips` with `Authorization: Bearer …`: one JSON object with `text` and, if known, `title`, `url`,
    `lang`. 202 once it is on disk."""
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
    return JSONResponse({"id": _put_down(visit, tip)}, status_code=202)


def _put_down(visit: Visit, tip: Tip) -> str:
    """Make the tip durable; returns its id, which sorts by time."""
    now = visit.services.clock.now()
    tip_id = f"{to_ms(now):013d}-{secrets.token_hex(8)}"
    visit.services.memory.put(TIPS_TABLE, tip_id, encode(msgspec.structs.replace(tip, received_at=now)))
    return tip_id


def _page(
    visit: Visit, *, tip: Mapping[str, str], problem: str = "", arrived: bool = False, status: int = 200
) -> Response:
    return visit.answer("tip.html", status=status, tip=tip, problem=problem, arrived=arrived)
