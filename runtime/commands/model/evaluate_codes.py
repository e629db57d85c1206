"""`hustings model evaluate --by-code`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.store import ModelStore, Stored
    from classifiers.training.by_code import CodeQuality, Confusion, Share

__all__ = ["evaluate_codes"]

COLUMNS = ["code", "n", "given", "precision", "95 %", "recall", "95 %", "coarser", "taken for", "given for"]


def evaluate_codes(store: ModelStore, stored: Stored, data: Path, *, text: str, label: str, as_json: bool) -> None:
    """Print what the version makes of each code that labels or answers name. It is asked as in the pipeline: beside the
    encoder of its language that serves in the store. Raises `ConfigError` for another kind of model and for labels that
    are no codes."""
    import json

    import msgspec

    from classifiers.encoder.codes import code_reader_finder
    from classifiers.narratives.answers import answers
    from classifiers.narratives.teller import load_teller
    from classifiers.signing import ANYBODY
    from classifiers.training.by_code import NOTHING, by_code
    from classifiers.training.text_file import told
    from hustings.errors import ConfigError
    from runtime.commands.model.posts import in_parts, labels_of, rows, texts_of
    from runtime.commands.progress import stages
    from runtime.commands.terminal import say, table

    manifest = stored.manifest
    if manifest.kind != "narratives":
        raise ConfigError(f"{manifest.tag}: --by-code is for narratives, such as N-en")
    found = list(rows(data, text, label))
    texts = texts_of(data, text, found)
    labels = _codes(told(data), label, labels_of(data, label, found))

    open_encoder = code_reader_finder(store.readable().values(), signers=ANYBODY)
    teller = load_teller(stored.folder, signers=ANYBODY, open_encoder=open_encoder)
    said: list[str] = []
    with stages(len(texts)) as progress:
        progress.at(manifest.tag, "codes")
        for some in in_parts(texts):
            said += answers(teller, some, nothing=NOTHING)
            progress.done(len(some))
    measured = by_code(labels, said)
    if as_json:
        model = {"model": manifest.name, "version": manifest.version, "on": Path(told(data)).name}
        say(json.dumps([{**model, **msgspec.to_builtins(one)} for one in measured], ensure_ascii=False))
        return
    table(f"{manifest.tag} on {len(texts):,} posts", COLUMNS, [_line(one) for one in measured])


def _codes(where: str, key: str, labels: list[str]) -> list[str]:
    """The labels as codes of today. Raises `ConfigError` when there are none, or for the first that is no code."""
    from classifiers.training.by_code import NOTHING
    from hustings.errors import ConfigError
    from runtime.build import codebook

    if not labels:
        raise ConfigError(f"{where}: is empty; there is nothing to measure on")
    book = codebook()
    for number, code in enumerate(labels, start=1):
        if code != NOTHING and not book.is_known(code):
            near = book.nearest(code)
            hint = f"; did you mean {near}?" if near else ""
            raise ConfigError(f"{where}: line {number}: {key!r} is {code[:40]!r}, no code and not {NOTHING!r}{hint}")
    return [book.current(code) for code in labels]


def _line(one: CodeQuality) -> list[object]:
    return [
        one.code,
        one.n,
        one.given,
        *_share(one.precision),
        *_share(one.recall),
        one.coarser or "",
        _confusion(one.taken_for),
        _confusion(one.given_for),
    ]


def _share(share: Share | None) -> tuple[str, str]:
    return ("-", "-") if share is None else (f"{share.value:.2f}", f"{share.low:.2f}–{share.high:.2f}")


def _confusion(found: Confusion | None) -> str:
    return "" if found is None else f"{found.code} {found.n}"
