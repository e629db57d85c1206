"""Putting a version into service and taking it out again: checked, recorded in the store and in the audit chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from hustings.clock import Clock, rfc3339
from hustings.errors import ConfigError
from runtime import build
from runtime.silenced import silenced

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from classifiers.signing import Signers
    from classifiers.store import ModelStore, Stored

__all__ = ["Changed", "promote", "rollback"]

SHORTEST_REASON = 12


class Changed(NamedTuple):
    """What serves now and what served before; None where nothing does or did. `failed` are gates that were passed
    over with a reason, `silenced` encoders that say nothing by it, each with the command that mends it."""

    name: str
    now: str | None
    before: str | None
    failed: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()


def promote(
    store: ModelStore,
    stored: Stored,
    *,
    signers: Signers,
    by: str,
    reason: str,
    clock: Clock,
    engine: Engine | None,
    where: str = "",
) -> Changed:
    """Put `stored` into service. Raises `ModelError` for a version that no worker would open, and `ConfigError` when a
    gate failed, none were run, or an encoder falls silent by it, and no reason is given. `where` are the options that
    name the store, for the commands that are told."""
    from classifiers.candidate import check_candidate

    manifest = stored.manifest
    serving = store.readable()  # one that is spoilt is no reason to leave the others, or itself, as they are
    check_candidate(manifest, stored.folder, serving=serving, codebook=build.codebook(), signers=signers)
    failed = _failed_gates(stored, where)
    silent = silenced(store, {**serving, manifest.name: stored.folder}, about=manifest.name, where=where)
    if (failed or silent) and len(reason) < SHORTEST_REASON:
        shown = "\n".join(f"  {line}" for line in failed[:20]) + ("\n  …" if len(failed) > 20 else "")
        wrong = [f"{len(failed)} gate check(s) failed:\n{shown}"] if failed else []
        raise ConfigError(
            f"{manifest.tag}: not promoted; " + "\n".join([*wrong, *silent]) + "\n"
            f"mend it, or say why it shall serve all the same (--reason, at least {SHORTEST_REASON} letters)"
        )
    with _audited(
        engine,
        clock,
        action="model-promote",
        subject=manifest.name,
        detail={
            "version": manifest.version,
            "by": by,
            "reason": reason,
            "failed": list(failed),
            **_told(silent),
        },
    ):
        former = store.promote(stored, at=rfc3339(clock.now()), by=by, reason=reason, failed=(*failed, *silent))
    return Changed(manifest.name, manifest.version, former.version if former else None, failed, silent)


def rollback(
    store: ModelStore,
    name: str,
    *,
    by: str,
    reason: str,
    clock: Clock,
    engine: Engine | None,
    where: str = "",
) -> Changed:
    """Put back what served before. Raises `ConfigError` when nothing was promoted under that name, and when an encoder
    falls silent by it and no reason is given."""
    silent = silenced(store, store.without_last(name), about=name, where=where)
    if silent and len(reason) < SHORTEST_REASON:
        raise ConfigError(
            f"{name}: not rolled back; " + "\n".join(silent) + "\n"
            f"say why it shall be done all the same (--reason, at least {SHORTEST_REASON} letters)"
        )
    detail: dict[str, str | list[str]] = {"by": by, "reason": reason, **_told(silent)}
    with _audited(engine, clock, action="model-rollback", subject=name, detail=detail):
        leaving, before = store.rollback(name, at=rfc3339(clock.now()), by=by, reason=reason)
    return Changed(name, before.version if before else None, leaving.version, silenced=silent)


def _told(silent: tuple[str, ...]) -> dict[str, list[str]]:
    """What the audit chain holds of encoders that fall silent: nothing where none does."""
    return {"silenced": list(silent)} if silent else {}


def _failed_gates(stored: Stored, where: str) -> tuple[str, ...]:
    """A line for each check that failed without a written exception; one line when the gates were not run, with the
    command that runs them on this version."""
    from classifiers.gates.record import read_record

    record = read_record(stored.folder, stored.manifest)
    if record is None:
        command = f"hustings model gates {stored.manifest.tag} {where}".rstrip()
        return (f"no gates were run on {stored.manifest.tag}; run `{command}`",)
    return tuple(
        f"{check.gate}: {check.subject} ({check.language}) is {check.value:g}"
        for check in record.failed
        if check.gate != "company"  # asked anew: what serves may have changed since
    )


@contextmanager
def _audited(
    engine: Engine | None, clock: Clock, *, action: str, subject: str, detail: Mapping[str, str | list[str]]
) -> Iterator[None]:
    """Record the act before it happens: a crash between the two leaves a trace without an act, never the reverse. An
    act that fails is recorded too."""
    if engine is None:
        yield
        return
    from desk import audit
    from desk.database.connect import writing

    def record(what: str) -> None:
        with writing(engine) as connection:
            audit.append(connection, at=clock.now(), actor="operator", action=what, subject=subject, detail=detail)

    record(action)
    try:
        yield
    except Exception:
        record(f"{action}-failed")
        raise
