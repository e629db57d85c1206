"""The indices: made and checked by an operator's command. A loop makes months by the templates that are left here, and
needs no right to change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hustings.clock import Clock, SystemClock
from hustings.errors import StoreError
from index.elastic.mapping import MAPPING_VERSION, META, index_template
from index.elastic.months import EXISTS
from index.elastic.names import KINDS, Kind, Live, alias_of, state_index
from index.elastic.nodes import Nodes
from index.elastic.settings import ElasticSettings
from index.elastic.versions import check_server, check_versions, mapping_versions

__all__ = ["create", "opened", "problems", "put_templates", "template_name"]


def create(settings: ElasticSettings, *, clock: Clock | None = None) -> list[str]:
    """Make what is missing: templates and the state index; returns the names of indices that were made. What exists
    keeps its documents; months that are made from now on follow the settings as they are now. Raises `StoreError` when
    there are indices of another mapping."""
    with opened(settings, clock) as nodes:
        check_server(nodes)
        if (live := _live(nodes)) is not None:
            check_versions(nodes, live)
            put_templates(nodes, live.set)
            return []
        put_templates(nodes, settings.prefix)
        index = state_index(settings.prefix)
        status, body = nodes.try_once("making an index", lambda client: client.indices.create, index=index)
        if status != 200 and EXISTS not in str(body):
            raise StoreError(f"{index}: cannot be made, status {status} ({body})")
        return [index] if status == 200 else []


def problems(settings: ElasticSettings, *, clock: Clock | None = None) -> list[str]:
    """What is not as it must be, one line each; empty when all is well. Raises `Unavailable` when nobody answers, and
    `ConfigError` when the login fails."""
    with opened(settings, clock) as nodes:
        check_server(nodes)
        try:
            live = nodes.live()
        except StoreError as problem:
            return [str(problem)]
        return [*_template_problems(nodes, live.set), *_version_problems(nodes, live), *_health_problems(nodes, live)]


@contextmanager
def opened(settings: ElasticSettings, clock: Clock | None = None) -> Iterator[Nodes]:
    """The nodes, for one task of an operator."""
    nodes = Nodes(settings, clock=clock or SystemClock()).open()
    try:
        yield nodes
    finally:
        nodes.close()


def template_name(of_set: str, kind: Kind) -> str:
    return f"{of_set}{kind}"


def put_templates(nodes: Nodes, of_set: str) -> None:
    """From now on the months of this set are made so, and stand behind the aliases of `nodes.settings.prefix`."""
    for kind in KINDS:
        template = _template(nodes.settings, of_set, kind)
        nodes.ask(
            "storing a template",
            lambda client: client.indices.put_index_template,
            name=template_name(of_set, kind),
            **template,
        )


def _template(settings: ElasticSettings, of_set: str, kind: Kind) -> dict[str, Any]:
    return index_template(
        kind,
        pattern=f"{of_set}{kind}-*",
        aliases=[alias_of(settings.prefix, kind)],
        shards=settings.shards,
        replicas=settings.replicas,
        refresh_s=settings.refresh_s,
    )


def _live(nodes: Nodes) -> Live | None:
    """None when nothing stands behind the aliases yet."""
    alias = alias_of(nodes.settings.prefix, "state")
    status = nodes.ask("finding the indices", lambda client: client.indices.get_alias, ignore_status=404, name=alias)
    return None if "error" in status else nodes.live()


# ── what may be wrong ────────────────────────────────────────────────────────────────────────────────────────────


def _template_problems(nodes: Nodes, of_set: str) -> Iterator[str]:
    for kind in KINDS:
        name = template_name(of_set, kind)
        answer = nodes.ask(
            "reading a template",
            lambda client: client.indices.get_index_template,
            ignore_status=404,
            name=name,
        )
        if not answer.get("index_templates"):
            yield f"index template {name!r} is missing: `hustings index create` puts it back"
            continue
        template = answer["index_templates"][0]["index_template"]["template"]
        version = template.get("mappings", {}).get("_meta", {}).get(META, "none")
        if version != MAPPING_VERSION:
            yield f"index template {name!r} has mapping {version}, this Hustings has {MAPPING_VERSION}"
        alias = alias_of(nodes.settings.prefix, kind)
        if alias not in template.get("aliases", {}):
            yield f"index template {name!r} does not put its indices behind the alias {alias!r}"


def _version_problems(nodes: Nodes, live: Live) -> Iterator[str]:
    for index, version in mapping_versions(nodes, (live.state, *live.posts, *live.hits)).items():
        if version != MAPPING_VERSION:
            wanted = f"this Hustings has {MAPPING_VERSION}: `hustings index migrate`"
            yield f"index {index!r} has mapping {version}, {wanted}"


def _health_problems(nodes: Nodes, live: Live) -> Iterator[str]:
    indices = [live.state, *live.posts, *live.hits]
    health = nodes.ask("asking for the health", lambda client: client.cluster.health, index=indices, level="indices")
    for index, of_index in sorted(health["indices"].items()):
        if of_index["status"] == "red":
            yield f"index {index!r} is red: a shard of it is on no node, and what is in it cannot be read"
        elif of_index["status"] == "yellow":
            yield f"index {index!r} is yellow: {of_index['unassigned_shards']} of its copies are on no node"
    settings = nodes.ask("reading settings", lambda client: client.indices.get_settings, index=indices)
    for index in sorted(settings):
        for block, value in settings[index]["settings"]["index"].get("blocks", {}).items():
            if value in (True, "true"):
                yield f"index {index!r} takes no writes: index.blocks.{block} is set (a migration, or a full disk)"
