"""Joins nodes into the simplest tree that means the same, so that equal queries have equal trees."""

from __future__ import annotations

from collections.abc import Iterable

from hustings.query.tree import And, Everything, Is, Node, Not, Or

__all__ = ["all_of", "any_of", "is_any", "none_of"]


def all_of(nodes: Iterable[Node]) -> Node:
    """All of them: nested ANDs become one, repetitions and `Everything` go."""
    flat: dict[Node, None] = {}
    for node in nodes:
        for inner in node.nodes if isinstance(node, And) else (node,):
            flat[inner] = None
    flat.pop(Everything(), None)
    return _joined(And, tuple(flat)) if flat else Everything()


def any_of(nodes: Iterable[Node]) -> Node:
    """Any of them: nested ORs become one, repetitions go, values of one keyword field come together."""
    flat: dict[Node, None] = {}
    values: dict[str, list[str]] = {}
    places: dict[str, Is] = {}
    for node in nodes:
        for inner in node.nodes if isinstance(node, Or) else (node,):
            if isinstance(inner, Is):
                values.setdefault(inner.field, []).extend(inner.values)
                inner = places.setdefault(inner.field, inner)
            flat[inner] = None
    if Everything() in flat:
        return Everything()
    return _joined(Or, tuple(is_any(node.field, values[node.field]) if isinstance(node, Is) else node for node in flat))


def none_of(node: Node) -> Node:
    """Every post without: a negation of a negation is the node itself."""
    return node.node if isinstance(node, Not) else Not(node)


def is_any(field: str, values: Iterable[str]) -> Is:
    """A keyword field has one of the values, in one order."""
    return Is(field, tuple(sorted(set(values))))


def _joined(kind: type[And] | type[Or], nodes: tuple[Node, ...]) -> Node:
    return nodes[0] if len(nodes) == 1 else kind(nodes)
