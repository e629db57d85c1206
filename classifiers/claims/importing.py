"""Claims from files: ClaimReview as JSON-LD or a feed of it, CSV with named columns, or our own JSONL.

Every record that cannot be used is told with its place and the reason; the others are taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from classifiers.claims.claim import Claim
from classifiers.csv_table import read_table
from classifiers.training.text_file import read_text
from hustings.errors import ConfigError

__all__ = ["COLUMNS", "Imported", "NoClaim", "read_claims", "without_taken"]

MOST_BYTES = 500_000_000
"""Of one file, unpacked."""
_DEPTH = 12
"""How deep ClaimReview may be wrapped: `DataFeed` → `dataFeedElement` → `item` → … is 5."""

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
    kind = [suffix.lower() for suffix in path.suffixes if suffix != ".gz"][-1:]
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
            claims[made.id] = made
    return Imported(list(claims.values()), refused)


def without_taken(files: Iterable[Imported], held: Iterable[Claim]) -> list[Imported]:
    """Refuse what has the id of another publisher's claim, be it among those `held` or in a file before: two archives
    that number from 1 would take each other's places. A publisher that is not named on either side is no other one."""
    by_id = {claim.id: claim for claim in held}
    usable = []
    for imported in files:
        claims, refused = [], list(imported.refused)
        for claim in imported.claims:
            former = by_id.get(claim.id)
            if former is not None and _is_of_another(former.publisher, claim.publisher):
                why = f"is the id of a claim that {former.publisher} checked: {_told(former)}; give it one of its own"
                refused.append(NoClaim(f"id {claim.id!r}", why))
            else:
                claims.append(claim)
        by_id |= {claim.id: claim for claim in claims}
        usable.append(Imported(claims, refused))
    return usable


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
        reviews = list(_claim_reviews(record))
        for review in reviews or [record]:
            yield where, review if not reviews else _flat(review)


def _json_records(raw: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    reviews = list(_claim_reviews(tree))
    if reviews:
        for number, review in enumerate(reviews, start=1):
            yield f"ClaimReview {number}", _flat(review)
    elif isinstance(tree, list):
        yield from ((f"record {number}", record) for number, record in enumerate(tree, start=1))
    else:
        raise ConfigError(f"{path}: holds no ClaimReview and is no list of claims")


def _claim_reviews(tree: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object of type ClaimReview, however a publisher wraps it."""
    if depth > _DEPTH:
        return
    if isinstance(tree, list):
        for part in tree:
            yield from _claim_reviews(part, depth + 1)
    elif isinstance(tree, dict):
        kinds = tree.get("@type", "")
        if "ClaimReview" in (kinds if isinstance(kinds, list) else [kinds]):
            yield tree
            return
        for part in tree.values():
            if isinstance(part, list | dict):
                yield from _claim_reviews(part, depth + 1)


def _flat(review: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a ClaimReview that we keep, under the names of `COLUMNS`."""
    rating = review.get("reviewRating")
    return {
        "id": _id_anywhere(str(review.get("@id") or ""), str(review.get("url") or "")),
        "text": review.get("claimReviewed"),
        "title": review.get("headline") or review.get("name") or "",
        "publisher": _name(review.get("publisher")) or _name(review.get("author")),
        "url": review.get("url") or "",
        "rating": (rating.get("alternateName") or rating.get("name") or "") if isinstance(rating, dict) else "",
        "published": review.get("datePublished") or "",
        "lang": review.get("inLanguage") or "",
    }


def _id_anywhere(own: str, url: str) -> str:
    """What names the review outside its document too: a part of a page goes with its page. Blank nodes (`_:b0`) are
    numbered anew in each document, so the next file would write its reviews over the former ones."""
    if own.startswith("#"):
        return f"{url}{own}" if url else ""
    return "" if own.startswith("_:") else own


def _name(who: Any) -> str:
    if isinstance(who, list):
        return _name(who[0]) if who else ""
    return str((who.get("name") or who.get("url") or "") if isinstance(who, dict) else who or "")


def _claim(record: Any, where: str) -> Claim | NoClaim:
    if not isinstance(record, dict):
        return NoClaim(where, f"no object but {type(record).__name__}")
    lower = {str(key).lower(): value for key, value in record.items()}
    fields = {field: _first(lower, names) for field, names in COLUMNS.items()}
    if not fields["text"]:
        return NoClaim(where, f"says not what was claimed: none of {', '.join(COLUMNS['text'])}")
    if any("\ud800" <= character <= "\udfff" for value in fields.values() for character in value):
        return NoClaim(where, "holds half of a character (a lone surrogate)")
    fields["id"] = fields["id"] or _made_id(fields["url"], fields["text"])
    try:
        return msgspec.convert(fields, Claim)
    except msgspec.ValidationError as error:
        return NoClaim(where, str(error))


def _first(record: Mapping[str, Any], names: Iterable[str]) -> str:
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _made_id(url: str, text: str) -> str:
    """For a record without one: the same check has the same id in the next import too."""
    return hashlib.blake2b(f"{url}\n{text}".encode(), digest_size=10).hexdigest()
