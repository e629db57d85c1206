"""The client's errors in our words: what is only down for now, and what an operator has to mend.

The client's exceptions are told apart by what they carry, not by their classes, so that nothing here loads the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hustings.errors import ConfigError, HustingsError, StoreError, Unavailable
from index.elastic.patience import OVERLOADED
from index.elastic.settings import ElasticSettings

__all__ = ["answered", "described", "told"]

NOT_UNDERSTOOD = ("media_type_header_exception", "content_type_header_exception")
TOO_WIDE = ("too_many_nested_clauses", "expanded to too many terms", "maxclausecount", "too_many_clauses")
NOT_ELASTICSEARCH = "what answers is not Elasticsearch 8 or 9; is elasticsearch.servers right?"
LONGEST = 300


def told(problem: Exception, settings: ElasticSettings, doing: str) -> HustingsError:
    """What the client's error means for us. All that is not known to need an operator is `Unavailable`: the same work
    done again later changes nothing, because of the ids."""
    status = getattr(getattr(problem, "meta", None), "status", None)
    if type(problem).__name__ == "UnsupportedProductError":
        return StoreError(f"{_at(settings, doing)}: {NOT_ELASTICSEARCH}")
    if status is None:
        return _of_connection(problem, _at(settings, doing), settings)
    return answered(int(status), getattr(problem, "body", None), settings, doing)


def answered(status: int, body: object, settings: ElasticSettings, doing: str) -> HustingsError:
    """The same for an answer that says that something is wrong, by its status and body."""
    return _of_answer(status, body, _at(settings, doing), settings)


def described(body: object) -> str:
    """What the server says of an error, short."""
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(error, Mapping):
        parts = [str(error.get("type", ""))]
        seen = _reasons(error)
        parts += [reason for reason in dict.fromkeys(seen) if reason]
        text = ": ".join(part for part in parts if part)
    else:
        text = str(error)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _reasons(error: Mapping[str, Any]) -> list[str]:
    """The reasons, the deepest last: a search that failed says why in its `root_cause` or `caused_by` only."""
    found = [str(error.get("reason") or "")]
    roots = error.get("root_cause")
    if isinstance(roots, list):
        found += [str(root.get("reason") or "") for root in roots[:1] if isinstance(root, Mapping)]
    if isinstance(error.get("caused_by"), Mapping):
        found += _reasons(error["caused_by"])
    return found


def _at(settings: ElasticSettings, doing: str) -> str:
    return f"Elasticsearch at {', '.join(settings.servers)}: {doing}"


def _of_connection(problem: Exception, at: str, settings: ElasticSettings) -> HustingsError:
    kind = type(problem).__name__
    words = " ".join((_of_system(problem) or str(problem)).split())[:LONGEST]
    if kind == "TlsError":
        return ConfigError(
            f"{at}: the node's certificate is not accepted ({words}); elasticsearch.ca_file must hold the one that"
            " signed it, and the address must be the one that it was made for"
        )
    if kind == "SerializationError":
        return StoreError(f"{at}: {NOT_ELASTICSEARCH} ({words})")
    if kind == "ConnectionTimeout":
        return Unavailable(f"{at}: no answer within elasticsearch.timeout_s = {settings.timeout_s:g}")
    return Unavailable(f"{at}: no connection ({words}); is elasticsearch.servers right?")


def _of_system(problem: BaseException) -> str:
    """What the operating system says at the bottom of it, which the client leaves out: `Connection refused`."""
    below = problem.__cause__ or problem.__context__
    found = _of_system(below) if below is not None else ""
    return found or (problem.strerror or "" if isinstance(problem, OSError) else "")


def _of_answer(status: int, body: object, at: str, settings: ElasticSettings) -> HustingsError:
    words = described(body)
    if status == 401:
        with_what = "elasticsearch.api_key_file" if settings.api_key_file else "elasticsearch.user and password_file"
        missing = "" if settings.api_key_file or settings.user else "; neither is set"
        return ConfigError(f"{at}: the login fails, see {with_what}{missing}")
    if status == 403 and "security_exception" in words:
        return ConfigError(f"{at}: this login may not do that ({words}); `hustings index keys` makes one that may")
    if status == 403:
        return Unavailable(f"{at}: not allowed for now ({words}); a migration or a full disk blocks writing")
    if status == 406 or any(name in words for name in NOT_UNDERSTOOD):
        return StoreError(f"{at}: the node does not understand this client ({words}); Elasticsearch 8 or 9 is needed")
    if status == 404:
        return Unavailable(f"{at}: an index went away meanwhile, pruned or replaced ({words})")
    if any(name in words.casefold() for name in TOO_WIDE):
        return StoreError(
            f"{at}: a prefix in a phrase begins too many words for this cluster; write more of it ({words})"
        )
    if status in OVERLOADED:
        disk = "; the disk is full" if "flood-stage" in words else ""
        return Unavailable(f"{at}: overloaded, status {status}{disk} ({words})")
    if status >= 500:
        return Unavailable(f"{at}: status {status} ({words})")
    return StoreError(f"{at}: status {status} ({words})")
