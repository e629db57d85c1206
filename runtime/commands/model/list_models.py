"""`hustings model list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.commands.model.options import AsJson, ConfigFile, Models, loaded, store_of

if TYPE_CHECKING:
    from classifiers.manifest import Manifest

__all__ = ["list_models"]


def list_models(models: Models = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Every version of every model: what serves, what waits, threshold, data, measured quality, size, speed.

    Example: hustings model list --json | jq '.[].name'
    """
    import json

    import msgspec

    from classifiers.papers import read_papers
    from runtime.commands.terminal import say, table

    store = store_of(models, loaded(config))
    found = [(one, read_papers(one.folder, one.manifest)) for one in store.versions()]
    if as_json:
        told = [
            {
                "head": one.manifest.name,
                **msgspec.to_builtins(one.manifest),
                "active": one.is_active,
                "folder": str(one.folder),
                "bytes": papers.bytes,
                "training_s": papers.training_s,
                "us_a_post": papers.us_a_post,
                "gates": papers.gates,
            }
            for one, papers in found
        ]
        say(json.dumps(told, ensure_ascii=False))
        return
    table(
        f"Models in {store.own}",
        ["model", "code", "lang", "threshold", "precision", "recall", "PR-AUC", "size", "training", "a post", "gates"],
        [
            [
                f"{one.manifest.tag}{'' if one.is_active else ' (waits)'}",
                one.manifest.code,
                one.manifest.language,
                one.manifest.threshold.value,
                *(_measured(one.manifest, name) for name in ("precision", "recall", "pr_auc")),
                f"{papers.bytes / 1000:,.0f} kB",
                "-" if papers.training_s is None else f"{papers.training_s:,.1f} s",
                "-" if papers.us_a_post is None else f"{papers.us_a_post:,.0f} µs",
                papers.gates,
            ]
            for one, papers in found
        ],
    )


def _measured(manifest: Manifest, name: str) -> str:
    """The measure of that name on the rows by which the version is judged."""
    found = [metric for metric in manifest.metrics if metric.name == name and metric.on == manifest.judged_on]
    return f"{found[-1].value:.3f} [{found[-1].low:.3f}, {found[-1].high:.3f}]" if found else "-"
