"""Which mapping the indices were made with: an index of another one would find other posts, or take none."""

from __future__ import annotations

from collections.abc import Collection

from hustings.errors import StoreError
from index.elastic.mapping import MAPPING_VERSION, META
from index.elastic.names import Live
from index.elastic.nodes import Nodes

__all__ = ["check_server", "check_versions", "mapping_versions"]

OLDEST_SERVER = 8
NEWEST_SERVER = 9


def mapping_versions(nodes: Nodes, indices: Collection[str]) -> dict[str, str]:
    """By index; "none" for one that we did not make."""
    if not indices:
        return {}
    answer = nodes.ask("reading mappings", lambda client: client.indices.get_mapping, index=list(indices))
    return {index: str(answer[index]["mappings"].get("_meta", {}).get(META, "none")) for index in sorted(answer)}


def check_versions(nodes: Nodes, live: Live) -> None:
    """Raise `StoreError` unless all indices were made with this mapping."""
    found = mapping_versions(nodes, (live.state, *live.posts, *live.hits))
    other = {index: version for index, version in found.items() if version != MAPPING_VERSION}
    if other:
        shown = ", ".join(f"{index} ({version})" for index, version in list(other.items())[:3])
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        raise StoreError(
            f"these indices were made with another mapping than {MAPPING_VERSION}, the one of this Hustings: {shown}"
            f"{more}; `hustings index migrate` copies them into new ones"
        )


def check_server(nodes: Nodes) -> None:
    """Raise `StoreError` for a server that is too old or too new. Asks what a loop's login need not be allowed to."""
    found = nodes.ask("asking for the version", lambda client: client.info)["version"]["number"]
    if not OLDEST_SERVER <= int(found.partition(".")[0]) <= NEWEST_SERVER:
        raise StoreError(
            f"Elasticsearch at {', '.join(nodes.settings.servers)} is version {found}; this Hustings needs"
            f" {OLDEST_SERVER} or {NEWEST_SERVER}"
        )
