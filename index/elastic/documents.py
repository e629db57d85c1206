"""Assessments and hits as the documents of the index, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hustings import wire
from hustings.query.fields import keyword_values, score_values, with_parents
from hustings.types import Assessment, Hit, hash_id
from index.elastic.mapping import TREE_FIELDS
from index.elastic.scores import score_term
from index.elastic.standing import Standing
from index.times import from_us, to_us

__all__ = [
    "ASSESSMENT_PARTS",
    "HIT_PARTS",
    "document_id",
    "hit_document",
    "post_document",
    "read_assessment",
    "read_hit",
]

LONGEST_ID = 512
"""Bytes of a document's `_id`; Elasticsearch refuses longer ones."""

ASSESSMENT_PARTS = ["body", "text", "title"]
"""What `read_assessment` needs of a document."""
HIT_PARTS = ["body"]
"""What `read_hit` needs of a document."""

_encoder = msgspec.json.Encoder()

_SINGLE_FIELDS = ("lang", "source", "collector", "medium", "stream", "outlet", "author", "story", "key")


def document_id(key: str) -> str:
    """The `_id` of a post: its key; a hash of it where the key is too long for one. A key never begins with a colon."""
    return key if len(key) <= LONGEST_ID // 4 or len(key.encode()) <= LONGEST_ID else f":{hash_id(key)}"


# ── assessments ──────────────────────────────────────────────────────────────────────────────────────────────────


def post_document(assessment: Assessment, standing: Standing) -> bytes:
    """The tokens stand where they are searched, and not again in the body."""
    post = assessment.post
    published_us = to_us(post.published_at)
    fields: dict[str, Any] = {
        "reach": float(post.reach),
        "published": published_us // 1000,
        "published_us": published_us,
        "collected_us": to_us(post.collected_at),
        "first_collected_us": standing.first_collected_us,
        "standing": standing,
        "body": _body(assessment, standing),
    }
    if assessment.tokens:
        fields["text"] = " ".join(assessment.tokens)
    if assessment.title_tokens:
        fields["title"] = " ".join(assessment.title_tokens)
    for name in (*_SINGLE_FIELDS, *_several(assessment, fields)):
        values = keyword_values(assessment, name)
        if values:
            fields[name] = values
            if name in TREE_FIELDS:
                fields[TREE_FIELDS[name]] = with_parents(name, values)
    if assessment.scores or assessment.flags:
        fields["score"] = [score_term(code, score) for code, score in score_values(assessment).items()]
    return _encoder.encode(fields)


def read_assessment(source: Mapping[str, Any]) -> Assessment:
    """As it was written, with the time of the first collection."""
    return msgspec.structs.replace(
        wire.decode(source["body"].encode(), Assessment),
        tokens=_tokens(source.get("text", "")),
        title_tokens=_tokens(source.get("title", "")),
    )


def _body(assessment: Assessment, standing: Standing) -> str:
    """JSON within JSON: nothing in it can be taken for a field, and it comes back byte by byte."""
    kept = msgspec.structs.replace(
        assessment, tokens=(), title_tokens=(), first_collected_at=from_us(standing.first_collected_us)
    )
    return wire.encode(kept).decode()


def _several(assessment: Assessment, fields: Mapping[str, Any]) -> list[str]:
    """Those of the fields with several values that can have one here. Most posts have few, and asking for the rest
    would cost more than everything else about a post."""
    post = assessment.post
    words = fields.get("text", "") + fields.get("title", "")
    names: list[str] = []
    if assessment.targets:
        names += ["target", "aimed_at", "addressed"]
    if assessment.flags:
        names.append("flag")
    if assessment.claims:
        names.append("claim")
    if post.links or post.url:
        names.append("domain")
    if post.hashtags or "#" in words:
        names.append("hashtag")
    if post.mentions or "@" in words:
        names.append("mention")
    return names


def _tokens(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(" ")) if joined else ()


# ── hits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def hit_document(hit: Hit, body: str) -> bytes:
    return _encoder.encode(
        {
            "rule": hit.rule,
            "logic": hit.logic,
            "key": hit.key,
            "withdrawn": hit.withdrawn,
            "t_us": to_us(hit.t),
            "g_us": to_us(hit.g),
            "revision": hit.revision,
            "body": body,
        }
    )


def read_hit(source: Mapping[str, Any]) -> Hit:
    return wire.decode(source["body"].encode(), Hit)
