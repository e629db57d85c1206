"""What Elasticsearch is told about our documents: every field by name, and nothing else is taken.

A document holds what queries read, and beside it `body`, the value as it was written, which is only kept. Keyword
fields hold what `hustings.query.fields` says, so a field means here what it means to the predicate.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from hustings.query.fields import FIELDS
from index.elastic.names import Kind

__all__ = ["ANALYSIS", "MAPPINGS", "MAPPING_VERSION", "META", "TREE_FIELDS", "VALUE_FIELDS", "index_template"]

KEYWORD: dict[str, Any] = {"type": "keyword"}
SEARCHED_KEYWORD: dict[str, Any] = {"type": "keyword", "doc_values": False}
"""Found, never counted or sorted by."""
NUMBER: dict[str, Any] = {"type": "double"}
MICROSECONDS: dict[str, Any] = {"type": "long"}
"""Times as whole microseconds since 1970: exactly what a datetime holds."""
MILLISECONDS: dict[str, Any] = {"type": "date", "format": "epoch_millis"}
"""For histograms alone, which Elasticsearch counts exactly on dates only."""
TOKENS: dict[str, Any] = {"type": "text", "analyzer": "tokens", "norms": False}
"""The analyser's tokens, with a space between them. No norms: nothing is ranked."""
KEPT: dict[str, Any] = {"type": "object", "enabled": False}
"""Comes back as it was written; not parsed, not searched."""

MOST_UNITS = 512
"""Longest token in UTF-16 units: the analyser's 255 characters, each of at most two. The default, 255, would cut a
long word of a rare script in two."""

ANALYSIS: dict[str, Any] = {
    "tokenizer": {"at_spaces": {"type": "whitespace", "max_token_length": MOST_UNITS}},
    "analyzer": {"tokens": {"type": "custom", "tokenizer": "at_spaces"}},
}
"""A token holds no white space of any kind, so the tokens that are indexed are the ones that the project's own analyser
made."""

VALUE_FIELDS = tuple(name for name, row in FIELDS.items() if row.groupable)
"""Keyword fields that hold the values themselves (`keyword_values`)."""
TREE_FIELDS = {"flag": "flag_tree", "domain": "domain_tree"}
"""Where the values with everything above them are (`search_values`): what a search asks; counts ask for the values."""

MAPPINGS: dict[Kind, dict[str, Any]] = {
    "posts": {
        "dynamic": "strict",
        "properties": {
            **dict.fromkeys(VALUE_FIELDS, KEYWORD),
            **dict.fromkeys(TREE_FIELDS.values(), SEARCHED_KEYWORD),
            "score": SEARCHED_KEYWORD,
            "text": TOKENS,
            "title": TOKENS,
            "reach": NUMBER,
            "published": MILLISECONDS,
            "published_us": MICROSECONDS,
            "collected_us": MICROSECONDS,
            "first_collected_us": MICROSECONDS,
            "standing": KEPT,
            "body": KEPT,
        },
    },
    "hits": {
        "dynamic": "strict",
        "properties": {
            "rule": SEARCHED_KEYWORD,
            "logic": SEARCHED_KEYWORD,
            "key": KEYWORD,
            "withdrawn": {"type": "boolean"},
            "t_us": MICROSECONDS,
            "g_us": MICROSECONDS,
            "revision": {"type": "long", "index": False, "doc_values": False},
            "body": KEPT,
        },
    },
    "state": {
        "dynamic": "strict",
        "properties": {
            "log_id": KEPT,
            "topic": KEYWORD,
            "partition": {"type": "integer"},
            "position": {"type": "long"},
            "books": KEPT,
        },
    },
}

MAPPING_VERSION = hashlib.sha256(
    msgspec.json.encode([ANALYSIS, MAPPINGS], order="deterministic"), usedforsecurity=False
).hexdigest()[:12]
"""Changes with every change of the above; stands in each index, and an index of another version is refused."""

META = "hustings_mapping"
"""Where the version stands: in the `_meta` of an index's mapping."""


def index_template(
    kind: Kind, *, pattern: str, aliases: list[str], shards: int, replicas: int, refresh_s: float
) -> dict[str, Any]:
    """What every index of this kind is made by. The nodes never make one by themselves: a writer that slept while its
    month was dropped gets an error instead of a new month."""
    settings: dict[str, Any] = {
        "number_of_shards": 1 if kind == "state" else shards,
        "number_of_replicas": replicas,
        "refresh_interval": f"{int(refresh_s * 1000)}ms",
        "translog.durability": "request",
        # pruning leaves no trace of what was erased: every piece with something erased in it is written again
        "merge.policy.expunge_deletes_allowed": 0,
    }
    if kind == "posts":
        settings["analysis"] = ANALYSIS
    return {
        "index_patterns": [pattern],
        "allow_auto_create": False,
        "priority": 500,
        "template": {
            "aliases": {alias: {} for alias in aliases},
            "settings": {"index": settings},
            "mappings": {**MAPPINGS[kind], "_meta": {META: MAPPING_VERSION}},
        },
    }
