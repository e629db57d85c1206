"""The gate on what a version would serve beside: heads of one language are scored together, an encoder speaks beside
the version of a linear head with which it was joined, and beside no other, and whoever asks an encoder what posts mean
asks one network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from classifiers.encoder.silence import Silence, silences
from classifiers.gates.comparing import yes_or_no
from classifiers.gates.record import Check, GateRecord
from classifiers.linear.model import load_heads
from classifiers.linear.step import LinearHeads
from classifiers.manifest import Manifest, read_manifest
from classifiers.signing import ANYBODY
from hustings.errors import ModelError

__all__ = ["company_checks", "join_command", "silent_encoders"]

_BESIDE = " beside "


def company_checks(manifest: Manifest, folder: Path, serving: Mapping[str, Path]) -> Iterator[Check]:
    """What would go wrong beside the models in `serving`; nothing is asked of kinds that serve alone."""
    if manifest.kind in ("claims", "targets"):
        return
    models = {**serving, manifest.name: folder}
    if manifest.kind == "linear":
        refusal = _refusal(manifest, models)
        yield _check(manifest, "is scored together with what serves", not refusal, refusal)
    silent = silences(models, manifest.name)
    for silence in silent:
        told = f"{silence}; {'' if silence.by_network else 'join it anew: '}{join_command(silence)}"
        yield _check(manifest, f"{silence.encoder}@{silence.version}{_BESIDE}{silence.beside}", False, told)
    if not silent:
        yield _check(manifest, "no encoder falls silent", True, "")


def silent_encoders(record: GateRecord) -> list[str]:
    """Names of the encoders that the gate found silent."""
    found = (check.subject for check in record.failed if check.gate == "company" and _BESIDE in check.subject)
    return list(dict.fromkeys(subject.partition("@")[0] for subject in found))


def join_command(silence: Silence) -> str:
    """The command that lets the encoder speak beside the version that would serve."""
    if silence.serves is None:
        return f"put a version of {silence.beside} into service first"
    if silence.by_network:
        return f"make it anew beside that one: hustings model train {silence.encoder} --model-version N"
    return f"hustings model join {silence.encoder} --beside {silence.beside}@{silence.serves}"


def _refusal(manifest: Manifest, models: Mapping[str, Path]) -> str:
    """Why the heads of its language cannot be scored together; empty when they can."""
    folders = [folder for folder in models.values() if read_manifest(folder, signers=ANYBODY).kind == "linear"]
    try:
        LinearHeads(load_heads(folders, signers=ANYBODY), (manifest.language,))
    except ModelError as error:
        return str(error)
    return ""


def _check(manifest: Manifest, subject: str, passed: bool, detail: str) -> Check:
    return yes_or_no("company", subject, manifest.language, passed, detail=detail)
