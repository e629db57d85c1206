"""The nodes, as everything here talks to them: one client, our own patience, its errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hustings.clock import Clock
from hustings.errors import StoreError, Unavailable
from index.elastic.names import KINDS, Live, alias_of, live_from
from index.elastic.patience import OVERLOADED, Patience
from index.elastic.settings import ElasticSettings
from index.elastic.troubles import described, told

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

__all__ = ["Nodes"]

Method = Callable[["Elasticsearch"], Callable[..., Any]]
"""Names a method of the client: `lambda client: client.indices.refresh`."""

CONNECTIONS = 8
"""Kept open per node for the threads of one process."""


class Nodes:
    """A connection to the cluster that `settings` name. Safe from many threads."""

    def __init__(self, settings: ElasticSettings, *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._client: Elasticsearch | None = None

    def open(self) -> Nodes:
        """Reads the secrets; connects with the first question only. Raises `ConfigError` for a secret that is not
        there."""
        from elasticsearch import Elasticsearch

        from index.elastic.serializer import MsgspecSerializer

        settings = self.settings
        options: dict[str, Any] = {}
        if settings.ca_file is not None:
            options["ca_certs"] = str(settings.ca_file)
        self._client = Elasticsearch(
            list(settings.servers),
            api_key=settings.api_key(),
            basic_auth=settings.login(),
            request_timeout=settings.timeout_s,
            # Another node is tried when one cannot be reached; what a node answers is for `Patience` to judge, since
            # the client would ask again at once.
            max_retries=len(settings.servers) - 1,
            retry_on_status=(),
            retry_on_timeout=False,
            connections_per_node=CONNECTIONS,
            serializers={"application/json": MsgspecSerializer()},
            **options,
        )
        return self

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask(
        self, doing: str, method: Method, *, ignore_status: int = 0, timeout_s: float = 0.0, **parameters: Any
    ) -> Any:
        """The body of the answer to one method of the client. `doing` says in an error what was tried. Goes on asking
        while the nodes say that they are overloaded, as long as the settings allow; then, and when nobody answers,
        raises `Unavailable`."""
        from elasticsearch import ApiError, TransportError

        client = self._options(ignore_status, timeout_s)
        patience = self.patience()
        while True:
            try:
                return method(client)(**parameters).body
            except ApiError as problem:
                if problem.meta.status not in OVERLOADED or not patience.wait():
                    raise told(problem, self.settings, doing) from problem
            except TransportError as problem:
                raise told(problem, self.settings, doing) from problem

    def try_once(self, doing: str, method: Method, **parameters: Any) -> tuple[int, Any]:
        """The status and the body of the answer, also when it says that the request is bad, too large, or comes when
        the nodes are overloaded; raises for everything else that is wrong."""
        from elasticsearch import ApiError, TransportError

        try:
            answer = method(self._options(0, 0.0))(**parameters)
        except ApiError as problem:
            if problem.meta.status not in (400, 413, *OVERLOADED):
                raise told(problem, self.settings, doing) from problem
            return problem.meta.status, problem.body
        except TransportError as problem:
            raise told(problem, self.settings, doing) from problem
        return answer.meta.status, answer.body

    def _options(self, ignore_status: int, timeout_s: float) -> Elasticsearch:
        if self._client is None:
            raise StoreError("the index is not open")
        options: dict[str, Any] = {}
        if ignore_status:
            options["ignore_status"] = ignore_status
        if timeout_s:
            options["request_timeout"] = timeout_s
        return self._client.options(**options) if options else self._client

    def refresh(self, indices: Sequence[str]) -> None:
        """After this, searches see every acknowledged write to them. A copy that could not is `Unavailable`: a search
        might ask that one."""
        answer = self.ask("refreshing", lambda client: client.indices.refresh, index=list(indices))
        if answer["_shards"]["failed"]:
            failure = described({"error": answer["_shards"]["failures"][0].get("reason", {})})
            raise Unavailable(f"Elasticsearch at {', '.join(self.settings.servers)}: refreshing: {failure}")

    def patience(self) -> Patience:
        return Patience(self.clock, for_s=self.settings.overload_s)

    def live(self) -> Live:
        """The index set behind the aliases now."""
        names = [alias_of(self.settings.prefix, kind) for kind in KINDS]
        # An alias without an index yet is a 404 with the other two in its body.
        answer = self.ask("finding the indices", lambda client: client.indices.get_alias, ignore_status=404, name=names)
        return live_from(answer, self.settings.prefix)
