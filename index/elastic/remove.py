"""Delete everything under a prefix: for those who made it to throw it away, such as a demo."""

from __future__ import annotations

from hustings.clock import Clock
from index.elastic.indices import opened, template_name
from index.elastic.names import KINDS
from index.elastic.settings import ElasticSettings

__all__ = ["remove"]


def remove(settings: ElasticSettings, *, clock: Clock | None = None) -> list[str]:
    """The indices that were deleted, with the templates of the first set; whatever used them gets `StoreError`."""
    with opened(settings, clock) as nodes:
        for kind in KINDS:
            nodes.ask(
                "deleting a template",
                lambda client: client.indices.delete_index_template,
                ignore_status=404,
                name=template_name(settings.prefix, kind),
            )
        patterns = [f"{settings.prefix}{kind}-*" for kind in KINDS]
        answer = nodes.ask(
            "finding the indices", lambda client: client.indices.get_settings, index=patterns, expand_wildcards="all"
        )
        found = sorted(answer)
        if found:
            nodes.ask("dropping", lambda client: client.indices.delete, ignore_status=404, index=found)
        return found
