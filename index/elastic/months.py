"""The index of a month: made when the first document of the month comes."""

from __future__ import annotations

from collections.abc import Iterable

from hustings.errors import StoreError
from index.elastic.names import Kind, Live, alias_of
from index.elastic.nodes import Nodes

__all__ = ["make_missing"]

EXISTS = "resource_already_exists_exception"


def make_missing(nodes: Nodes, live: Live, kind: Kind, wanted: Iterable[str]) -> None:
    """Make those of the wanted indices that are not behind the alias yet. The template that `hustings index create`
    left gives them mapping and alias; another worker may be making them too."""
    known = live.posts if kind == "posts" else live.hits
    missing = sorted(set(wanted) - set(known))
    for index in missing:
        _make(nodes, index)
    if not missing:
        return
    now = nodes.live()
    astray = set(missing) - set(now.posts if kind == "posts" else now.hits)
    if astray and now.set == live.set:
        raise StoreError(
            f"{', '.join(sorted(astray))}: made, but not behind the alias"
            f" {alias_of(nodes.settings.prefix, kind)!r}: the index template is missing or another one comes before it."
            " Delete the index, then `hustings index create` puts the template back"
        )


def _make(nodes: Nodes, index: str) -> None:
    status, body = nodes.try_once("making an index", lambda client: client.indices.create, index=index)
    if status == 400 and EXISTS in str(body):
        return
    if status != 200:
        nodes.ask("making an index", lambda client: client.indices.create, index=index)
