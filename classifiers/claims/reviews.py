"""ClaimReview in JSON-LD, in the shapes that publishers write: wrapped, listed, referred to, without a type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["flat", "is_review", "nodes_by_id", "reviews_of"]

_DEPTH = 12
"""How deep ClaimReview may be wrapped: `DataFeed` → `dataFeedElement` → `item` → … is 5."""
_TYPE = "ClaimReview"
_NAMESPACES = ("", "schema:", "https://schema.org/", "http://schema.org/")

Nodes = Mapping[str, Mapping[str, Any]]


def reviews_of(tree: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object that is a review, however a publisher wraps it."""
    if depth > _DEPTH:
        return
    if isinstance(tree, list):
        for part in tree:
            yield from reviews_of(part, depth + 1)
    elif isinstance(tree, dict):
        if is_review(tree) or _property(tree, "claimReviewed"):
            yield tree
            return
        for part in tree.values():
            if isinstance(part, list | dict):
                yield from reviews_of(part, depth + 1)


def is_review(node: Mapping[str, Any]) -> bool:
    """Whether it says that it is one, by whatever name of schema.org: `schema:ClaimReview`, an address."""
    kinds = node.get("@type", "")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and kind.replace(":", "/").rsplit("/", 1)[-1] == _TYPE for kind in listed)


def nodes_by_id(tree: Any) -> Nodes:
    """The objects of a document that others may refer to."""
    found: dict[str, Mapping[str, Any]] = {}
    _collect(tree, found, 0)
    return found


def flat(review: Mapping[str, Any], nodes: Nodes) -> dict[str, str]:
    """The parts of a review that we keep, by field of `Claim`; what it refers to is looked up among `nodes`."""

    def words(name: str, *of_an_object: str) -> str:
        return _words(_property(review, name), of_an_object, nodes)

    rating = _property(review, "reviewRating")
    if isinstance(rating, int | float):  # on a scale that nobody tells
        rating = None
    url = words("url", "@id")
    return {
        "id": _id_anywhere(_words(review.get("@id"), (), nodes), url),
        "text": words("claimReviewed"),
        "title": words("headline") or words("name"),
        "publisher": words("publisher", "name", "url") or words("author", "name", "url"),
        "url": url,
        "rating": _words(rating, ("alternateName",), nodes) or _name_without_number(rating, nodes),
        "published": words("datePublished"),
        "lang": words("inLanguage", "alternateName", "name"),
    }


def _name_without_number(rating: Any, nodes: Nodes) -> str:
    """A rating's name is its verdict, but beside a number the name of the scale ("Fact Check Rating")."""
    return "" if _words(rating, ("ratingValue",), nodes) else _words(rating, ("name",), nodes)


def _words(value: Any, of_an_object: tuple[str, ...], nodes: Nodes, depth: int = 0) -> str:
    """What a value says: itself, the first of a list that says something, its `@value`, or the first of these
    properties of an object, be the object there or only referred to. What such a property holds is not followed
    further, so that objects that refer to each other cost nothing."""
    if depth > _DEPTH or value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return next(filter(None, (_words(part, of_an_object, nodes, depth + 1) for part in value)), "")
    if not isinstance(value, dict):
        return str(value).strip()
    if "@value" in value:
        return _words(value["@value"], (), nodes, depth + 1)
    own = value.get("@id")
    known = nodes.get(own, {}) if isinstance(own, str) else {}
    for name in of_an_object:
        for node in (value, known):
            if said := _words(_property(node, name), (), nodes, depth + 1):
                return said
    return ""


def _property(node: Mapping[str, Any], name: str) -> Any:
    if name.startswith("@"):
        return node.get(name)
    return next(filter(None, (node.get(f"{space}{name}") for space in _NAMESPACES)), None)


def _collect(tree: Any, found: dict[str, Mapping[str, Any]], depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(tree, list):
        for part in tree:
            _collect(part, found, depth + 1)
    elif isinstance(tree, dict):
        own = tree.get("@id")
        if isinstance(own, str) and len(tree) > 1:
            found[own] = {**tree, **found.get(own, {})}
        for part in tree.values():
            if isinstance(part, list | dict):
                _collect(part, found, depth + 1)


def _id_anywhere(own: str, url: str) -> str:
    """What names the review outside its document too: a part of a page goes with its page. Blank nodes (`_:b0`) are
    numbered anew in each document, so the next file would write its reviews over the former ones."""
    if own.startswith("#"):
        return f"{url}{own}" if url else ""
    return "" if own.startswith("_:") else own
