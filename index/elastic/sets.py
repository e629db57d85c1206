"""Index sets: one is live, others are made beside it, by a migration or a replay, and put in its place in one step.

beside = settings_of(settings, "r2")        # settings under which the other set is made, filled and searched
create(beside)
…                                           # fill it by ElasticIndex(beside)
switch(settings, to="r2")                   # from now on everybody reads and writes that one
drop(settings, "")                          # the former set, whose name was ""
"""

from __future__ import annotations

from typing import Any

from hustings.clock import Clock
from hustings.errors import ConfigError, StoreError
from index.elastic.indices import opened, put_templates, template_name
from index.elastic.names import KINDS, Live, alias_of, kind_of, set_of, state_index
from index.elastic.nodes import Nodes
from index.elastic.settings import ElasticSettings
from index.elastic.versions import check_versions

__all__ = ["block_writing", "drop", "live_set", "settings_of", "switch", "unblock_writing"]


def settings_of(settings: ElasticSettings, name: str) -> ElasticSettings:
    """Settings for the set of that name, which has aliases of its own until it is live. Raises `ConfigError` for a name
    that no index may have."""
    if not name or name.startswith(KINDS):
        raise ConfigError(
            f"{name!r} cannot be the name of an index set: it must have one, that does not begin with"
            f" {', '.join(KINDS)}"
        )
    try:
        return ElasticSettings.model_validate({**settings.model_dump(), "prefix": set_of(settings.prefix, name)})
    except ValueError as problem:
        raise ConfigError(
            f"{name!r} cannot be the name of an index set: small letters, digits, `.`, `_` and `-` only"
        ) from problem


def live_set(settings: ElasticSettings, *, clock: Clock | None = None) -> str:
    """The name of the set that is live: empty for the first one."""
    with opened(settings, clock) as nodes:
        return nodes.live().set.removeprefix(settings.prefix).removesuffix("-")


def switch(settings: ElasticSettings, *, to: str, clock: Clock | None = None) -> str:
    """Put the set of that name in place of the live one; returns the name of the former. The former takes no writes any
    more, so a worker that is in the middle of one gets `Unavailable` and begins again, with the positions of the new
    one. The set must be whole: nobody may be filling it still."""
    with opened(settings, clock) as nodes:
        live = nodes.live()
        wanted = set_of(settings.prefix, to)
        if wanted == live.set:
            raise StoreError(f"the index set {to!r} is live already")
        found = _indices(nodes, wanted)
        if state_index(wanted) not in found:
            raise StoreError(f"there is no index set {to!r}: {state_index(wanted)!r} is missing")
        check_versions(nodes, Live(wanted, tuple(found), ()))
        block_writing(nodes, live)
        _delete_templates(nodes, live.set)
        put_templates(nodes, wanted)
        unblock_writing(nodes, found)
        actions = [
            *_aliases("remove", settings.prefix, [live.state, *live.posts, *live.hits], live.set),
            *_aliases("add", settings.prefix, found, wanted),
            *_aliases("remove", wanted, found, wanted),
        ]
        nodes.ask("moving the aliases", lambda client: client.indices.update_aliases, actions=actions)
        return live.set.removeprefix(settings.prefix).removesuffix("-")


def drop(settings: ElasticSettings, name: str, *, clock: Clock | None = None) -> list[str]:
    """Delete a set that is not live, with all that is in it; returns the indices. Raises `StoreError` for the live
    one."""
    with opened(settings, clock) as nodes:
        wanted = set_of(settings.prefix, name)
        if wanted == nodes.live().set:
            raise StoreError(f"the index set {name!r} is live: it cannot be dropped")
        found = _indices(nodes, wanted)
        _delete_templates(nodes, wanted)
        if found:
            nodes.ask("dropping", lambda client: client.indices.delete, ignore_status=404, index=found)
        return found


def block_writing(nodes: Nodes, live: Live) -> None:
    """Returns when the writes that had begun are done."""
    indices = [live.state, *live.posts, *live.hits]
    nodes.ask("blocking writes", lambda client: client.indices.add_block, index=indices, block="write")


def unblock_writing(nodes: Nodes, indices: list[str]) -> None:
    nodes.ask(
        "allowing writes",
        lambda client: client.indices.put_settings,
        index=indices,
        settings={"index.blocks.write": None},
    )


def _indices(nodes: Nodes, of_set: str) -> list[str]:
    patterns = [f"{of_set}{kind}-*" for kind in KINDS]
    answer = nodes.ask(
        "finding the indices", lambda client: client.indices.get_settings, index=patterns, expand_wildcards="all"
    )
    return sorted(answer)


def _delete_templates(nodes: Nodes, of_set: str) -> None:
    for kind in KINDS:
        name = template_name(of_set, kind)
        nodes.ask(
            "deleting a template",
            lambda client: client.indices.delete_index_template,
            ignore_status=404,
            name=name,
        )


def _aliases(action: str, prefix: str, indices: list[str], of_set: str) -> list[dict[str, Any]]:
    """One action for each index; taking away an alias that is not there is none."""
    more = {"must_exist": False} if action == "remove" else {}
    return [{action: {"index": index, "alias": alias_of(prefix, kind_of(index, of_set)), **more}} for index in indices]
