"""`hustings model list`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from runtime.commands.model.options import AsJson, ConfigFile, Models, complain_of, loaded, store_of

if TYPE_CHECKING:
    from classifiers.manifest import Manifest
    from classifiers.papers import Papers
    from classifiers.store import Stored, Unreadable

__all__ = ["list_models"]

COLUMNS = ("model", "state", "flag from", "precision", "recall", "PR-AUC", "size", "training", "a post", "gates")


def list_models(models: Models = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Every version of every model: whether it serves or waits, the threshold that decides, measured quality, size,
    speed, gates; as JSON also where it lies, its data and all measures.

    Of a linear head beside which an encoder speaks both thresholds are given, its own and that of the encoder, which
    decides (`with_encoder` in JSON). Its measures are those of the head alone.

    A folder that cannot be read is named as refused, with exit status 1; the others are listed.

    Example: hustings model list --json | jq '.[].name'
    """
    import json

    from classifiers.papers import read_papers
    from classifiers.store import Unreadable
    from hustings.errors import ModelError
    from runtime.commands.terminal import say, table

    store = store_of(models, loaded(config))
    versions, refused = store.survey()
    found = []
    for one in versions:
        try:
            found.append((one, read_papers(one.folder, one.manifest)))
        except ModelError as error:
            refused.append(Unreadable(one.manifest.name, one.folder, str(error), one.is_active))
    voices = _voices(one for one, _ in found)
    if as_json:
        told = [_told(one, papers, voices) for one, papers in found] + [_refused(bad) for bad in refused]
        say(json.dumps(told, ensure_ascii=False))
    else:
        lines = [_line(one, papers, voices) for one, papers in found]
        lines += [[bad.folder.name, "refused", *["-"] * (len(COLUMNS) - 2)] for bad in refused]
        table(f"Models in {store.own}", COLUMNS, lines)
    complain_of(refused)


def _voices(versions: Iterable[Stored]) -> dict[str, tuple[str, float]]:
    """By tag of a linear head: the serving encoder that speaks beside it, and from which score on it flags."""
    from classifiers.encoder.heads import heads_in

    return {
        f"{head.beside}@{head.beside_version}": (one.manifest.tag, head.threshold.value)
        for one in versions
        if one.is_active
        for head in heads_in(one.folder, one.manifest)
    }


def _told(one: Stored, papers: Papers, voices: Mapping[str, tuple[str, float]]) -> dict[str, object]:
    import msgspec

    voice = voices.get(one.manifest.tag) if one.is_active else None
    return {
        "head": one.manifest.name,
        **msgspec.to_builtins(one.manifest),
        "active": one.is_active,
        "folder": str(one.folder),
        "bytes": papers.bytes,
        "training_s": papers.training_s,
        "us_a_post": papers.us_a_post,
        "gates": papers.gates,
        **({"with_encoder": dict(zip(("model", "threshold"), voice, strict=True))} if voice else {}),
    }


def _refused(bad: Unreadable) -> dict[str, object]:
    return {"head": bad.name, "name": bad.name, "active": bad.serves, "folder": str(bad.folder), "refused": bad.problem}


def _line(one: Stored, papers: Papers, voices: Mapping[str, tuple[str, float]]) -> list[object]:
    voice = voices.get(one.manifest.tag) if one.is_active else None
    return [
        one.manifest.tag,
        "serves" if one.is_active else "waits",
        _flag_from(one.manifest) + (f"\n{voice[1]}\nwith {voice[0]}" if voice else ""),
        *(_measured(one.manifest, name) for name in ("precision", "recall", "pr_auc")),
        f"{papers.bytes / 1000:,.0f} kB",
        "-" if papers.training_s is None else f"{papers.training_s:,.1f} s",
        "-" if papers.us_a_post is None else f"{papers.us_a_post:,.0f} µs",
        papers.gates,
    ]


def _flag_from(manifest: Manifest) -> str:
    """The threshold that decides, and below it which one that is where the model has several."""
    from classifiers.thresholds import decides

    name, value = decides(manifest)
    return f"{value}\n{name}" if name else str(value)


def _measured(manifest: Manifest, name: str) -> str:
    """The measure of that name on the rows by which the version is judged, its interval below."""
    found = [metric for metric in manifest.metrics if metric.name == name and metric.on == manifest.judged_on]
    return f"{_share(found[-1].value)}\n{_share(found[-1].low)}–{_share(found[-1].high)}" if found else "-"


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
