"""Words without which a post cannot match: how a matcher finds the few rules that are worth a full look."""

from __future__ import annotations

from collections.abc import Callable

from hustings.query.tree import And, Node, Or, Phrase, Query

__all__ = ["by_length", "required_words"]

Frequency = Callable[[str], float]


def by_length(word: str) -> float:
    """A guess at how frequent a word is when nothing better is known: each character makes it a quarter as frequent.
    Only the order matters."""
    return 0.25 ** len(word)


def required_words(query: Query, *, frequency: Frequency = by_length) -> frozenset[str] | None:
    """A set of tokens of which every matching post holds at least one, in text or title; None when there is none, and
    the query has to be checked on every post (W05).

    Of the parts of an AND the set that is rarest by `frequency` is taken, of the words of a phrase the rarest one; an
    OR needs the union of its parts'.
    """
    found = _required(query.node, frequency)
    return None if found is None else found[1]


def _required(node: Node, frequency: Frequency) -> tuple[float, frozenset[str]] | None:
    """How often the set is met, and the set."""
    match node:
        case Phrase(tokens, prefix):
            whole = tokens[:-1] if prefix else tokens
            return min(((frequency(word), frozenset({word})) for word in whole), key=_cost, default=None)
        case And(nodes):
            found = (_required(inner, frequency) for inner in nodes)
            return min((one for one in found if one is not None), key=_cost, default=None)
        case Or(nodes):
            every = [_required(inner, frequency) for inner in nodes]
            union: frozenset[str] = frozenset()
            for one in every:
                if one is None:
                    return None
                union |= one[1]
            return sum(frequency(word) for word in union), union
        case _:
            return None


def _cost(found: tuple[float, frozenset[str]]) -> float:
    return found[0]
