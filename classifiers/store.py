"""Versions of models side by side, and which of them serves.

A folder of models holds `G-en` (a model, in service as it lies there) and `G-en@7` (a version, in service once it is
promoted). `active.json` beside them records every promotion and rollback; the last promotion of a name that was
not taken back is what serves, and it names the hash of the manifest, so nothing that is put in its place later is
served. A name without one serves as it lies there, and so with every upgrade. The file is replaced as a whole: who
serves compares `state()` between two batches.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from classifiers.manifest import MANIFEST, Manifest, Sha256, hash_of_manifest, read_manifest
from classifiers.plain_files import read_plain
from classifiers.signing import ANYBODY
from classifiers.typed_json import read_typed
from hustings.errors import ConfigError, ModelError

__all__ = ["ACTIVE", "ModelStore", "Reserved", "Step", "Stored", "Survey", "Unreadable", "serving"]

ACTIVE = "active.json"
_MOST_BYTES = 4_000_000
_LOCK = "active.lock"


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change of what serves. `initial` is what served before the first promotion. `reason` is why, where a gate
    had failed or somebody said so; `failed` names those gates."""

    action: Literal["initial", "promote", "rollback"]
    version: str
    manifest: Sha256
    at: str
    by: str
    reason: str = ""
    failed: tuple[str, ...] = ()


class _Pointers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1] = 1
    models: dict[str, tuple[Step, ...]] = {}


class Stored(NamedTuple):
    """A version that lies in the store."""

    manifest: Manifest
    folder: Path
    is_active: bool


class Unreadable(NamedTuple):
    """A folder that should be a version of `name` and is none: what is wrong with it, and whether it `serves`, that is,
    would be opened by a worker that starts now."""

    name: str
    folder: Path
    problem: str
    serves: bool


class Reserved(NamedTuple):
    """Where a version that is being made is to lie, and its number."""

    folder: Path
    version: str


class Survey(NamedTuple):
    """All that lies in a store, by name and folder: one folder that is spoilt says nothing about the others."""

    versions: list[Stored]
    unreadable: list[Unreadable]


class ModelStore:
    """A folder of models over `base`, whose models serve under every name of which `own` has none in service."""

    def __init__(self, own: Path, *, base: Path | None = None) -> None:
        self.own = own
        self.base = base

    def serving(self) -> dict[str, Path]:
        """The folder that serves under each name. Raises `ModelError` when a promoted version is gone or is another
        one now, and when there is neither folder."""
        found, gone = self._serving()
        for error in gone.values():
            raise error
        return found

    def _serving(self) -> tuple[dict[str, Path], dict[str, ModelError]]:
        """What serves under each name, and why under others nothing does though a version was promoted."""
        if self.base is None and not self.own.is_dir():
            raise ModelError(f"{self.own}: no such folder of models")
        found = {**_plain_models(self.base), **_plain_models(self.own)}
        gone = {}
        for name in self._pointers().models:
            step = self._active(name)
            try:
                if step is not None:
                    found[name] = self._folder_of(name, step)
            except ModelError as error:
                found.pop(name, None)
                gone[name] = error
        return dict(sorted(found.items())), gone

    def readable(self) -> dict[str, Path]:
        """What of `serving` can be read. A worker would not start with less than all; this is for judging a version
        beside the others, and for putting in service what cures a spoilt one."""
        return dict(sorted((one.manifest.name, one.folder) for one in self.versions() if one.is_active))

    def state(self) -> tuple[int, int, int] | None:
        """Changes whenever what serves was changed by `promote` or `rollback`; one look at a file's dates."""
        try:
            found = (self.own / ACTIVE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def survey(self, name: str | None = None) -> Survey:
        """What lies in the store, of that name or of all, whether it can be read or not. Signatures are not asked for
        here."""
        found, gone = self._serving() if self.own.is_dir() or self.base else ({}, {})
        active = set(found.values())
        survey = Survey([], [])
        for folder in self._folders():
            own = folder.name.partition("@")[0]
            if name in (None, own):
                try:
                    survey.versions.append(Stored(read_manifest(folder, signers=ANYBODY), folder, folder in active))
                except ModelError as error:
                    survey.unreadable.append(Unreadable(own, folder, str(error), folder in active))
        for own, why in gone.items():
            if name in (None, own):
                survey.unreadable.append(Unreadable(own, self.own / ACTIVE, str(why), serves=True))
        return survey

    def versions(self, name: str | None = None) -> list[Stored]:
        """What lies in the store and can be read, by name and folder; `survey` tells of the rest."""
        return self.survey(name).versions

    def find(self, name: str, version: str | None = None) -> Stored:
        """The version of that name; without `version`, the one that serves. Raises `ModelError` for one that is not
        there, with those that are, and for one that cannot be read."""
        stored, unreadable = self.survey(name)
        for one in reversed(stored):  # our own before those of the base
            if one.manifest.version == version or (version is None and one.is_active):
                return one
        for bad in unreadable:
            if bad.serves if version is None else bad.folder.name == f"{name}@{version}":
                raise ModelError(bad.problem)
        if not stored:
            for bad in unreadable:
                raise ModelError(bad.problem)
            known = sorted({one.manifest.name for one in self.versions()})
            raise ModelError(f"{self.own}: no model {name!r}; there are {', '.join(known) or 'none'}")
        versions = ", ".join(f"{one.manifest.version}{' (active)' if one.is_active else ''}" for one in stored)
        if version is None:
            raise ModelError(f"{name}: no version serves; name one of {versions} with --version")
        raise ModelError(f"{name}: no version {version!r}; there are {versions}")

    def next_version(self, name: str) -> str:
        """The smallest whole number above all versions of that name, those that cannot be read included."""
        stored, unreadable = self.survey(name)
        numbers = [one.manifest.version for one in stored] + [bad.folder.name.partition("@")[2] for bad in unreadable]
        return str(1 + max((int(number) for number in numbers if number.isdecimal()), default=0))

    @contextmanager
    def reserve(self, name: str) -> Iterator[Reserved]:
        """An empty folder for the next version of that name: of two trainings at once each gets one of its own. It is
        removed when what fills it fails or is stopped, so that no half of a version stays."""
        number = int(self.next_version(name))
        while True:
            folder = self.own / f"{name}@{number}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                break
        try:
            yield Reserved(folder, str(number))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # why it failed says more than why it stays
            raise

    def history(self, name: str) -> tuple[Step, ...]:
        """Every change of what serves under that name, oldest first."""
        return self._pointers().models.get(name, ())

    def promoted(self, name: str) -> str | None:
        """The version of that name which was promoted last and not taken back, whether it can be read or not."""
        step = self._active(name)
        return step.version if step is not None and step.action != "initial" else None

    def without_last(self, name: str) -> dict[str, Path]:
        """What would serve after a rollback of that name, by name. Raises `ConfigError` when there is no promotion to
        take back."""
        stack = _standing(self._pointers().models.get(name, ()))
        _check_promoted(name, stack)
        found = {other: folder for other, folder in self._serving()[0].items() if other != name}
        before = self._before(name, stack, at="")
        if before is not None:
            found[name] = self._folder_of(name, before)
        return dict(sorted(found.items()))

    def promote(
        self, stored: Stored, *, at: str, by: str, reason: str = "", failed: tuple[str, ...] = ()
    ) -> Step | None:
        """Put a version into service; returns the step that it replaces, None when nothing served. The caller has
        checked that it may serve."""
        manifest = stored.manifest
        digest = hash_of_manifest(stored.folder)
        with self._changing() as models:
            former = self._serves_now(manifest.name, self._active(manifest.name, models), at)
            if former is not None and former.manifest == digest:
                raise ConfigError(f"{manifest.tag} serves already")
            steps = models.get(manifest.name) or ((former,) if former is not None else ())
            step = Step(
                action="promote", version=manifest.version, manifest=digest, at=at, by=by, reason=reason, failed=failed
            )
            models[manifest.name] = (*steps, step)
        return former

    def rollback(self, name: str, *, at: str, by: str, reason: str = "") -> tuple[Step, Step | None]:
        """Take the version that serves out of service and put back what served before it. Returns both; the second is
        None when nothing did. Raises `ConfigError` when nothing was ever promoted under that name."""
        with self._changing() as models:
            stack = _standing(models.get(name, ()))
            _check_promoted(name, stack)
            leaving, before = stack[-1], self._before(name, stack, at)
            if before is not None:
                self._folder_of(name, before)
            version, digest = (before or leaving).version, (before or leaving).manifest
            step = Step(action="rollback", version=version, manifest=digest, at=at, by=by, reason=reason)
            models[name] = (*models[name], step)
        return leaving, before

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _pointers(self) -> _Pointers:
        path = self.own / ACTIVE
        if not path.exists():
            return _Pointers()
        raw = read_plain(path, limit=_MOST_BYTES, holds="it is a list of steps")
        pointers = read_typed(raw, _Pointers, str(path))
        for name, steps in pointers.models.items():
            _check_order(steps, f"{path}: {name}")
        return pointers

    @contextmanager
    def _changing(self) -> Iterator[dict[str, tuple[Step, ...]]]:
        """The steps by name, to be changed; written as a whole at the end, one writer at a time."""
        self.own.mkdir(parents=True, exist_ok=True)
        with (self.own / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            models = dict(self._pointers().models)
            yield models
            content = msgspec.json.format(msgspec.json.encode(_Pointers(models=models)), indent=1) + b"\n"
            fresh = self.own / f"{ACTIVE}.new"
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.own / ACTIVE)

    # ── which folder ─────────────────────────────────────────────────────────────────────────────────────────────

    def _active(self, name: str, models: dict[str, tuple[Step, ...]] | None = None) -> Step | None:
        known = self._pointers().models if models is None else models
        stack = _standing(known.get(name, ()))
        return stack[-1] if stack else None

    def _before(self, name: str, standing: list[Step], at: str) -> Step | None:
        """What a rollback puts back."""
        return self._serves_now(name, standing[-2] if len(standing) > 1 else None, at)

    def _serves_now(self, name: str, step: Step | None, at: str) -> Step | None:
        """The step; in place of one that stands for what lay there, what lies there now: it may have been upgraded."""
        if step is not None and step.action != "initial":
            return step
        return self._initial(name, at) or step

    def _initial(self, name: str, at: str) -> Step | None:
        """What serves by lying there, as a step."""
        folder = self._plain(name)
        if folder is None:
            return None
        manifest = read_manifest(folder, signers=ANYBODY)
        return Step(action="initial", version=manifest.version, manifest=hash_of_manifest(folder), at=at, by="")

    def _folder_of(self, name: str, step: Step) -> Path:
        if step.action == "initial" and (plain := self._plain(name)) is not None:
            return plain
        folders = [folder for folder in self._folders() if folder.name in (name, f"{name}@{step.version}")]
        for folder in folders:
            if _hash_or_none(folder) == step.manifest:
                return folder
        raise ModelError(
            f"{self.own / ACTIVE}: {name} version {step.version} serves, but no folder holds the manifest "
            f"{step.manifest[:16]}… that was promoted; found {', '.join(map(str, folders)) or 'none'}"
        )

    def _plain(self, name: str) -> Path | None:
        """The folder that serves under that name unless a version is promoted."""
        return {**_plain_models(self.base), **_plain_models(self.own)}.get(name)

    def _folders(self) -> list[Path]:
        return [
            folder
            for place in (self.base, self.own)
            if place is not None and place.is_dir()
            for folder in sorted(place.iterdir())
            if _is_model(folder)
        ]


def serving(models: Path) -> dict[str, Path]:
    """What serves in one folder of models, by name."""
    return ModelStore(models).serving()


def _plain_models(place: Path | None) -> dict[str, Path]:
    """Folders without a version in their name."""
    if place is None or not place.is_dir():
        return {}
    return {folder.name: folder for folder in place.iterdir() if "@" not in folder.name and _is_model(folder)}


def _is_model(folder: Path) -> bool:
    return (folder / MANIFEST).exists() or (folder / MANIFEST).is_symlink()


def _check_promoted(name: str, standing: list[Step]) -> None:
    if not standing or standing[-1].action == "initial":
        raise ConfigError(f"{name}: no promotion to take back; `hustings model list` shows what serves")


def _hash_or_none(folder: Path) -> str | None:
    """What cannot be read is not what was promoted, and does not stand in the way of a folder that is."""
    try:
        return hash_of_manifest(folder)
    except ModelError:
        return None


def _check_order(steps: tuple[Step, ...], where: str) -> None:
    """Raises `ModelError` for a list that we did not write."""
    left = 0
    for number, step in enumerate(steps, start=1):
        left += -1 if step.action == "rollback" else 1
        if left < 0:
            raise ModelError(f"{where}: step {number} is a rollback, and no step is left to take back")


def _standing(steps: tuple[Step, ...]) -> list[Step]:
    """The steps that were not taken back, the last one in service."""
    stack: list[Step] = []
    for step in steps:
        if step.action == "rollback":
            stack.pop()
        else:
            stack.append(step)
    return stack
