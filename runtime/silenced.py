"""What whoever changes what serves should know before: which encoder falls silent by it, and the command that mends
it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.encoder.silence import Silence
    from classifiers.store import ModelStore

__all__ = ["silenced"]


def silenced(
    store: ModelStore, models: Mapping[str, Path], *, about: str | None = None, where: str = ""
) -> tuple[str, ...]:
    """A line for each head of an encoder that would say nothing if `models` served; with `about`, only for what
    concerns that name. `where` are the options that name the store, as the commands told shall carry them."""
    from classifiers.encoder.silence import silences

    return tuple(f"{silence}; {_remedy(store, models, silence, where)}" for silence in silences(models, about))


def _remedy(store: ModelStore, models: Mapping[str, Path], silence: Silence, where: str) -> str:
    """A version that lies there and is joined with all that would serve is put into service; else one is made."""
    from classifiers.encoder.silence import silences
    from classifiers.gates.company import join_command

    for stored in reversed(store.versions(silence.encoder)):
        if not silences({**models, silence.encoder: stored.folder}, silence.encoder):
            version = stored.manifest.version
            return _command(f"then: hustings model promote {silence.encoder} --version {version}", where)
    if silence.serves is None or silence.by_network:
        return join_command(silence)
    return _command(f"join it anew (needs no torch): {join_command(silence)}", where)


def _command(command: str, where: str) -> str:
    return f"{command} {where}".rstrip()
