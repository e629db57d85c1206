"""Which seed sentences the shipped reader of codes has learnt, and which were held out: so that when seeds are added
nothing that it knows is ever taken for something that it does not.

`learnt_seeds.json` is the record of one network, which it names by its SHA-256; training writes such a record beside
each network that it makes, and whoever ships the network commits its record. Of a sentence stand there the first
signs of a hash. Near-copies stay together: what is like a sentence that was learnt counts as learnt, what is like one
that was held out is held out; and of what is new and like nothing known, a fifth is held out, by a hash of the
sentence, whatever else is added. A sentence that was changed counts as new. So whoever changes many makes the network
anew from a base instead of training it on.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifiers.training.duplicates import clusters
from hustings.errors import ConfigError

__all__ = [
    "NOTHING",
    "RECORD",
    "Divided",
    "LearntSeeds",
    "check_record",
    "divide",
    "is_known",
    "pack_record",
    "read_record",
    "recorded",
]

RECORD = "learnt_seeds.json"
_PARTS = 5
"""One of so many parts is held out."""
_SIGNS = 5
"""Of a hash in base64: of a thousand million a language has some thousands. A new sentence that shares one by chance is
taken for known."""
_A_LINE = 20

Held = NDArray[np.bool_]


class Divided(NamedTuple):
    """The hashes of a language's sentences: those that were learnt, those that were held out."""

    learnt: frozenset[str]
    held_out: frozenset[str]


NOTHING = Divided(frozenset(), frozenset())


class LearntSeeds(NamedTuple):
    """The record of the network with this SHA-256, by language."""

    network: str
    seeds: Mapping[str, Divided]

    def of(self, language: str) -> Divided:
        return self.seeds.get(language, NOTHING)


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    learnt: tuple[str, ...]
    held_out: tuple[str, ...]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    network: str
    seeds: dict[str, _Written]


@cache
def recorded() -> LearntSeeds:
    """The committed record. Raises `ConfigError` when there is none."""
    where = f"classifiers/training/{RECORD}"
    try:
        raw = files("classifiers.training").joinpath(RECORD).read_bytes()
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read ({error.strerror})") from error
    return read_record(raw, where)


def check_record(network: str, name: str) -> None:
    """Raises `ConfigError` when the committed record is not that of this network."""
    if recorded().network != network:
        raise ConfigError(
            f"classifiers/training/{RECORD} is the record of a network with SHA-256 {recorded().network}; that of "
            f"{name} is {network}. Put in its place what was written beside the network, *.{RECORD}: without "
            "it nobody can tell which seeds it has learnt"
        )


def read_record(raw: bytes, where: str) -> LearntSeeds:
    """What `pack_record` wrote. Raises `ConfigError` when it is something else."""
    try:
        record = msgspec.json.decode(raw, type=_Record)
        seeds = {name: Divided(_cut(one.learnt), _cut(one.held_out)) for name, one in record.seeds.items()}
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
    return LearntSeeds(record.network, seeds)


def divide(texts: Sequence[str], known: Divided) -> Held:
    """Which of the texts are held out."""
    groups: dict[int, list[int]] = {}
    for place, number in enumerate(clusters(texts).tolist()):
        groups.setdefault(number, []).append(place)
    held = np.zeros(len(texts), dtype=bool)
    for group in groups.values():
        hashes = {_hash(texts[place]) for place in group}
        if not hashes & known.learnt:
            held[group] = bool(hashes & known.held_out) or _drawn(min(texts[place] for place in group))
    return held


def is_known(text: str, known: Divided) -> bool:
    """Whether this very sentence was learnt."""
    return _hash(text) in known.learnt


def pack_record(network: str, seeds: Mapping[str, tuple[Sequence[str], Held]]) -> bytes:
    """The record of a network that learnt of these texts those that were not held out."""
    written = {}
    for language, (texts, held) in sorted(seeds.items()):
        sides: dict[bool, set[str]] = {False: set(), True: set()}
        for text, is_held in zip(texts, held.tolist(), strict=True):
            sides[is_held].add(_hash(text))
        written[language] = {"learnt": _lines(sides[False]), "held_out": _lines(sides[True])}
    return (json.dumps({"network": network, "seeds": written}, indent=1) + "\n").encode()


def _hash(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest())[:_SIGNS].decode()


def _drawn(text: str) -> bool:
    """By another part of the hash than stands in the record."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[-8:]) % _PARTS == 0


def _lines(hashes: set[str]) -> list[str]:
    ordered = sorted(hashes)
    return ["".join(ordered[start : start + _A_LINE]) for start in range(0, len(ordered), _A_LINE)]


def _cut(lines: Sequence[str]) -> frozenset[str]:
    whole = "".join(lines)
    if len(whole) % _SIGNS:
        raise ValueError(f"{len(whole)} signs are no hashes of {_SIGNS} signs each")
    return frozenset(whole[start : start + _SIGNS] for start in range(0, len(whole), _SIGNS))
