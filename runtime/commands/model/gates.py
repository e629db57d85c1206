"""`hustings model gates`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import (
    AsJson,
    ConfigFile,
    Models,
    Version,
    chosen_versions,
    complain_of,
    loaded,
    store_of,
)

if TYPE_CHECKING:
    from classifiers.gates.floors import Floors
    from classifiers.gates.record import GateRecord

__all__ = ["gates"]


def gates(
    names: Annotated[list[str] | None, typer.Argument(help="models to judge, NAME or NAME@VERSION")] = None,
    every: Annotated[bool, typer.Option("--all", help="judge every model that serves")] = False,
    version: Version = None,
    models: Models = None,
    config: ConfigFile = None,
    floors: Annotated[
        Path | None, typer.Option("--floors", help="file of floors; without it, floors.toml of the folder of models")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="write down what is found as floors and exceptions; a fall needs --reason")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="why a floor falls, or a failure is borne")] = "",
    as_json: AsJson = False,
) -> None:
    """Judge models by every gate: signature, company, quality floors, calibration, robustness, swaps, groups, protected
    speech, functions, speed. Exit status 1 when one fails that no written exception covers. The result is stored beside
    the model. With --all, a model that cannot be opened is named as refused, with exit status 1, and the others are
    judged.

    Over the shipped models, a version under the name of one of them is held against the floors and exceptions of that
    one, until --record writes the deployment's own.

    Example: hustings model gates --all
    """
    import msgspec

    from classifiers.gates.floors import judged_by, read_floors, recorded, write_floors
    from classifiers.gates.judge import judge
    from classifiers.gates.record import write_record
    from classifiers.signing import shipped_signers
    from classifiers.store import Unreadable
    from hustings.clock import SystemClock, rfc3339
    from hustings.errors import ConfigError, ModelError
    from runtime import build
    from runtime.commands.progress import stages
    from runtime.commands.terminal import complain, say
    from runtime.model_making import floors_in, floors_of

    if reason and not record:
        raise ConfigError("--reason is written down beside floors and exceptions; it goes with --record")
    if floors is not None and not record and not floors.exists():
        raise ConfigError(f"{floors}: no such file of floors; --record makes one")
    configuration = loaded(config)
    store = store_of(models, configuration)
    chosen, refused = chosen_versions(store, names or [], every, version)
    path = floors or floors_of(store)

    def asked() -> Floors:
        return read_floors(path) if floors is not None else floors_in(store)

    now = rfc3339(SystemClock().now())
    serving = store.readable()
    records = []
    with stages(len(chosen), shown=not as_json) as progress:
        for stored in chosen:
            tag = stored.manifest.tag
            try:
                found = judge(
                    stored.manifest,
                    stored.folder,
                    serving=serving,
                    floors=asked(),
                    codebook=build.codebook(),
                    signers=build.model_signers(configuration) if configuration else shipped_signers(),
                    at=now,
                    tell=partial(progress.at, tag),
                )
            except ModelError as error:
                if not every:
                    raise
                refused.append(Unreadable(stored.manifest.name, stored.folder, str(error), serves=True))
                progress.done()
                continue
            if record:
                known = recorded(asked(), stored.manifest, found, at=now[:10], reason=reason)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_floors(path, known)
                found = judged_by(found, known)
            try:
                write_record(stored.folder, found)
            except OSError as error:  # shipped models may lie where nobody writes
                complain(f"{stored.folder}: the result is not stored ({error.strerror})")
            records.append(found)
            progress.done()
    if as_json:
        say(msgspec.json.encode(records).decode())
    else:
        for found in records:
            show(found)
    failed = sum(len(found.failed) for found in records)
    if failed:
        complain(f"{failed} check(s) failed")
    complain_of(refused)
    if failed:
        raise typer.Exit(1)


def show(record: GateRecord) -> None:
    """One version's checks for people: a line a gate, then whatever did not pass."""
    from runtime.commands.terminal import say, table

    by_gate: dict[str, list[int]] = {}
    for check in record.checks:
        counts = by_gate.setdefault(check.gate, [0, 0, 0])
        counts[0 if check.passed else 1 if check.excused else 2] += 1
    table(
        f"{record.model}@{record.version}: gates",
        ["gate", "passed", "excused", "failed"],
        [[gate, *counts] for gate, counts in by_gate.items()],
    )
    wrong = [check for check in record.checks if not check.passed]
    if wrong:
        # a reason often stands for many checks: it is told once, below
        known = list(dict.fromkeys(check.excused for check in record.excused))
        reasons = {reason: f"reason {number}" for number, reason in enumerate(known, start=1)}
        table(
            "did not pass",
            ["gate", "what", "language", "value", "limit", "why it is borne, or what was seen"],
            [
                [
                    check.gate,
                    check.subject,
                    check.language,
                    f"{check.value:g}",
                    f"{'≥' if check.at_least else '≤'} {check.limit:g}",
                    f"FAILED: {check.detail}" if not check.excused else f"excused: {reasons[check.excused]}",
                ]
                for check in wrong
            ],
        )
        for reason, number in reasons.items():
            say(f"{number}: {reason}")
    for check in record.not_applicable:
        say(f"nothing to compare: {check.gate}: {check.subject}: {check.detail}")
    say(f"{record.model}@{record.version}: {told(record)}")


def told(record: GateRecord) -> str:
    """The whole in a line."""
    borne = f", {len(record.excused)} check(s) excused" if record.excused else ""
    return f"{f'{len(record.failed)} check(s) FAILED' if record.failed else 'passed'}{borne}"
