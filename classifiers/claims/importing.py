"""Claims from files: ClaimReview as JSON-LD or a feed of it, CSV with named columns, or our own JSONL.

Every record that cannot be used is told with its place and the reason; the others are taken.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from classifiers.claims.claim import Claim
from classifiers.claims.reviews import Nodes, flat, is_review, nodes_by_id, reviews_of
from classifiers.csv_table import read_table
from classifiers.training.text_file import read_text
from hustings.errors import ConfigError

__all__ = ["COLUMNS", "Imported", "NoClaim", "read_claims", "without_taken"]

MOST_BYTES = 500_000_000
"""Of one file, unpacked."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "claim_id", "vclaim_id"),
    "text": ("text", "claim", "claimreviewed", "claim_reviewed", "vclaim"),
    "title": ("title", "headline", "name"),
    "publisher": ("publisher", "author", "site", "source"),
    "url": ("url", "link"),
    "rating": ("rating", "alternatename", "alternativename", "verdict", "label"),
    "published": ("published", "datepublished", "date", "published_at"),
    "lang": ("lang", "language", "inlanguage"),
}
"""By field of `Claim`, the names of columns and keys that are taken for it, in lower case, the first one there wins."""


_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,20})(?:\s[^<>]*)?/?>")
_WITHIN_WORDS = frozenset({"a", "abbr", "b", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u"})
"""Tags that part no words; any other one stands between two."""


class NoClaim(NamedTuple):
    """A record that is no claim: where it stood, and what is wrong with it."""

    where: str
    why: str


class Imported(NamedTuple):
    """What a file held. Of several records of one claim, by id and text, the last stays, if one publisher wrote all."""

    claims: list[Claim]
    refused: list[NoClaim]


def read_claims(path: Path) -> Imported:
    """The claims of a file, plain or gzip, by its name: `.csv`, `.tsv`, `.jsonl`, else JSON. Raises `ConfigError` when
    it is none of them, is longer than 500 MB, unpacked, or cannot be read."""
    raw = read_text(path, most_bytes=MOST_BYTES)
    kind = [suffix for suffix in map(str.lower, path.suffixes) if suffix != ".gz"][-1:]
    readers: dict[str, Callable[[str, Path], Iterator[tuple[str, Any]]]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _json_lines,
    }
    rows = readers.get("".join(kind), _json_records)(raw, path)
    claims: dict[str, Claim] = {}
    refused: list[NoClaim] = []
    for where, record in rows:
        made = record if isinstance(record, NoClaim) else _claim(record, where)
        if isinstance(made, NoClaim):
            refused.append(made)
        elif (former := claims.get(made.id)) is not None and former.text != made.text:
            refused.append(NoClaim(where, f"has the id {made.id!r} of another claim of this file: {_told(former)}"))
        elif former is not None and _is_of_another(former.publisher, made.publisher):
            why = f"has the id {made.id!r} of a claim of this file that {former.publisher} checked: {_told(former)}"
            refused.append(NoClaim(where, f"{why}; give it one of its own"))
        else:
            claims[made.id] = _kept_in(made, former) if former else made
    return Imported(list(claims.values()), refused)


def without_taken(files: Iterable[Imported], held: Iterable[Claim]) -> list[Imported]:
    """Refuse what has the id of another publisher's claim, be it among those `held` or in a file before: two archives
    that number from 1 would take each other's places. A publisher that is not named on either side is no other one.
    What lacks a verdict or a publisher keeps the one that is held, if it is the same claim, and is refused if not."""
    by_id = {claim.id: claim for claim in held}
    usable = []
    for imported in files:
        claims, refused = [], list(imported.refused)
        for claim in imported.claims:
            former = by_id.get(claim.id)
            if former is None:
                claims.append(claim)
            elif _is_of_another(former.publisher, claim.publisher):
                why = f"is the id of a claim that {former.publisher} checked: {_told(former)}; give it one of its own"
                refused.append(NoClaim(f"id {claim.id!r}", why))
            elif (kept := _kept_in(claim, former)) != claim and html.unescape(former.text) != claim.text:
                lacks = "the verdict" if kept.rating != claim.rating else "the publisher"
                why = f"is the id of a claim in other words and lacks {lacks} that is held for it: {_told(former)}"
                refused.append(NoClaim(f"id {claim.id!r}", why))
            else:
                claims.append(kept)
        by_id |= {claim.id: claim for claim in claims}
        usable.append(Imported(claims, refused))
    return usable


def _kept_in(claim: Claim, former: Claim) -> Claim:
    """The claim, with the verdict and the publisher of the former one where it has none."""
    return replace(claim, rating=claim.rating or former.rating, publisher=claim.publisher or former.publisher)


def _is_of_another(one: str, other: str) -> bool:
    return bool(one and other) and one.casefold() != other.casefold()


def _told(claim: Claim) -> str:
    return repr(claim.text[:80])


def _csv_rows(raw: str, path: Path) -> Iterator[tuple[str, Any]]:
    table = read_table(raw, str(path))
    names = {name.strip().lower() for name in table.columns}
    if not names.intersection(COLUMNS["text"]):
        raise ConfigError(
            f"{path}: no column holds what was claimed; found {', '.join(sorted(names)) or 'no columns'}, "
            f"known are {', '.join(COLUMNS['text'])}"
        )
    for line in table.lines:
        where = f"line {line.number}"
        if line.is_askew:
            yield where, NoClaim(where, "has more cells than the header; a text that holds the separator needs quotes")
        else:
            yield where, {name.strip().lower(): value for name, value in line.cells.items()}


def _json_lines(raw: str, path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(raw.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield where, NoClaim(where, f"not JSON: {error}")
            continue
        yield from ((where, found) for found in _records(record))


def _json_records(raw: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    reviews = list(reviews_of(tree))
    if isinstance(tree, list) and not any(map(is_review, reviews)):
        for number, record in enumerate(tree, start=1):
            yield from ((f"record {number}", found) for found in _records(record))
    elif reviews:
        nodes = nodes_by_id(tree)
        for number, review in enumerate(reviews, start=1):
            yield f"ClaimReview {number}", _of_review(review, nodes)
    else:
        raise ConfigError(f"{path}: holds no ClaimReview and is no list of claims")


def _records(tree: Any) -> list[Any]:
    """The reviews in it, or else the whole as a record."""
    nodes = nodes_by_id(tree)
    return [_of_review(review, nodes) for review in reviews_of(tree)] or [tree]


def _of_review(review: Mapping[str, Any], nodes: Nodes) -> dict[str, str]:
    """What a review says. One that does not say that it is one may be a plain record, whose own names come first."""
    return flat(review, nodes) | ({} if is_review(review) else {k: v for k, v in _by_column(review).items() if v})


def _claim(record: Any, where: str) -> Claim | NoClaim:
    if not isinstance(record, dict):
        return NoClaim(where, f"no object but {type(record).__name__}")
    fields = _by_column(record)
    if not fields["text"]:
        return NoClaim(where, f"says not what was claimed: none of {', '.join(COLUMNS['text'])}")
    if any("\ud800" <= character <= "\udfff" for value in fields.values() for character in value):
        return NoClaim(where, "holds half of a character (a lone surrogate)")
    # Made before entities are undone: what was imported in former versions keeps its id.
    fields["id"] = fields["id"] or _made_id(fields["url"], fields["text"])
    fields["title"] = _without_tags(fields["title"])
    for field in ("text", "title", "publisher", "rating"):
        fields[field] = html.unescape(fields[field]).strip()
    if not fields["text"]:
        return NoClaim(where, "says not what was claimed: its text is blank")
    try:
        return msgspec.convert(fields, Claim)
    except msgspec.ValidationError as error:
        return NoClaim(where, str(error))


def _without_tags(headline: str) -> str:
    untagged = _TAG.sub(lambda tag: "" if tag[1].lower() in _WITHIN_WORDS else " ", headline)
    return untagged if untagged == headline else " ".join(untagged.split())


def _by_column(record: Mapping[str, Any]) -> dict[str, str]:
    lower = {str(key).lower(): value for key, value in record.items()}
    return {field: _first(lower, names) for field, names in COLUMNS.items()}


def _first(record: Mapping[str, Any], names: Iterable[str]) -> str:
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _made_id(url: str, text: str) -> str:
    """For a record without one: the same check has the same id in the next import too."""
    return hashlib.blake2b(f"{url}\n{text}".encode(), digest_size=10).hexdigest()
