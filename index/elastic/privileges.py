"""Which loop may do what on the cluster, and an API key for each.

A loop's key can do what the loop does and nothing else: what breaks into the desk can read posts and cannot change
one. `collect` and `deliver` never touch the index and get none. An operator's commands (create, migrate, switch, prune)
make and delete indices: they use a login of the operator's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hustings.clock import Clock
from hustings.errors import ConfigError
from index.elastic.indices import opened
from index.elastic.names import Kind
from index.elastic.settings import ElasticSettings

__all__ = ["LOOPS", "create_keys", "role_of"]

READ = ("read", "view_index_metadata")
"""Search, look up, and ask which indices there are."""
REFRESH = "indices:admin/refresh*"
"""Make acknowledged writes visible to searches; the smallest built-in privilege that holds it also allows merging."""
WRITE = ("index", "create_index")
"""Make and replace documents, never delete them; make the index of a new month by the template."""

LOOPS: Mapping[str, Mapping[Kind, Sequence[str]]] = {
    "analyze": {
        "posts": (*READ, *WRITE, REFRESH),
        "hits": (*READ, REFRESH),
        "state": (*READ, "index", REFRESH),
    },
    "watch": {
        "posts": (*READ, REFRESH),
        "hits": (*READ, *WRITE, REFRESH),
        "state": (*READ, "index", REFRESH),
    },
    "desk": {
        "posts": READ,
        "hits": READ,
        "state": (*READ, REFRESH),
    },
}
"""By loop and kind of index. `watch` rebuilds its windows from refreshed hits, and reads posts: those behind an alert
that leaves by itself, and all that matter to a rule that was edited. The desk shows the books and the positions."""


def role_of(loop: str, prefix: str) -> dict[str, Any]:
    """The role descriptor of a loop's API key: every index set of this prefix, and nothing of the cluster. Raises
    `ConfigError` for a loop that needs no key."""
    if loop not in LOOPS:
        raise ConfigError(f"{loop!r} does not use the index; loops with a key of their own are {', '.join(LOOPS)}")
    return {
        "cluster": [],
        "indices": [
            {
                "names": [f"{prefix}{kind}", f"{prefix}{kind}-*", f"{prefix}*-{kind}", f"{prefix}*-{kind}-*"],
                "privileges": list(privileges),
            }
            for kind, privileges in LOOPS[loop].items()
        ],
    }


def create_keys(
    settings: ElasticSettings, *, loops: Sequence[str] = tuple(LOOPS), days: int = 365, clock: Clock | None = None
) -> dict[str, str]:
    """A new API key for each of these loops, in the encoded form that `elasticsearch.api_key_file` holds. `settings`
    log in as somebody who may manage API keys. They are shown this once, and end after so many days; keys made before
    stay valid until they end."""
    keys: dict[str, str] = {}
    with opened(settings, clock) as nodes:
        for loop in loops:
            answer = nodes.ask(
                "making an API key",
                lambda client: client.security.create_api_key,
                name=f"{settings.prefix}{loop}",
                role_descriptors={loop: role_of(loop, settings.prefix)},
                expiration=f"{int(timedelta(days=days).total_seconds())}s",
            )
            keys[loop] = answer["encoded"]
    return keys
