"""A language's model of abuse: which codes it gives, which posts it asks the encoder about, and what it makes of the
answer. Its folder holds the codes; words and network are the encoder's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifiers.encoder.asked import Asked, OpenEncoder
from classifiers.encoder.codes import CODES, read_codes
from classifiers.encoder.said import Said, windows
from classifiers.linear.score import DECIMALS
from classifiers.manifest import Manifest, read_file, read_manifest
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["FILES", "MeaningHead", "Meant", "load_meaning_head", "load_meaning_heads", "margin_of"]

FILES = (CODES,)
_LEAST = 1e-6
"""Shares nearer to 0 or 1 than this tell nothing more."""


class Meant(NamedTuple):
    """What a post means: the likeliest `code`, the `score`, how likely it is any, and which tokens were read."""

    code: str
    score: float
    begin: int
    end: int


class MeaningHead:
    """An open model. `encoder` is the name of the one that it asks."""

    def __init__(self, manifest: Manifest, codes: tuple[str, ...], open_encoder: OpenEncoder, where: str) -> None:
        self.manifest = manifest
        self.codes = codes
        try:
            self.encoder = str(manifest.settings["encoder"])
            self.least = float(manifest.settings["least_worth"])
            network = str(manifest.settings["network"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"{where}: settings lack a value for {error}") from error
        self.asked = Asked(network, codes, open_encoder, manifest.language)

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return self.manifest.tag

    def worth(self, posts: Sequence[Sequence[str]]) -> list[float]:
        """How much each post is worth asking about; less than is asked about where there is no encoder."""
        found = self.asked.worth(posts)
        return [-math.inf] * len(posts) if found is None else found

    def tell(self, tokens: Sequence[str], said: Said, worth: float) -> Meant | None:
        """None for a post about which the encoder is not asked, or cannot be."""
        if worth < self.least:
            return None
        places = windows(len(tokens))
        begin, end = places[self.asked.most_telling([tokens[begin:end] for begin, end in places])]
        shares = self.asked.shares(said(begin, end))
        if shares is None:
            return None
        score = round(self.manifest.calibration.probability(margin_of(float(shares.sum()))), DECIMALS)
        return Meant(self.codes[int(np.argmax(shares))], score, begin, end)

    def rate(self, tokens: Sequence[str], said: Said) -> float:
        """One number for a post: how likely it is abuse; 0 where the encoder is not asked."""
        (worth,) = self.worth([tokens])
        meant = self.tell(tokens, said, worth)
        return 0.0 if meant is None else meant.score


def margin_of(share: float) -> float:
    """The log-odds of a share."""
    inside = min(max(share, _LEAST), 1.0 - _LEAST)
    return math.log(inside / (1.0 - inside))


def load_meaning_heads(
    folders: Iterable[Path], *, open_encoder: OpenEncoder, signers: Signers | None = None
) -> list[MeaningHead]:
    """Those among these model folders, in their order. Raises `ModelError` for the first bad one."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    return [
        load_meaning_head(folder, open_encoder=open_encoder, signers=signers)
        for folder, kind in kinds
        if kind == "meaning"
    ]


def load_meaning_head(folder: Path, *, open_encoder: OpenEncoder, signers: Signers | None = None) -> MeaningHead:
    """The one in `folder`; `open_encoder` is asked when a first post needs it. Raises `ModelError` when anything is not
    what the manifest says."""
    manifest = read_manifest(folder, kind="meaning", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(f"{folder}: a model of abuse has the files {FILES!r}; the manifest names {tuple(files)!r}")
    codes = read_codes(read_file(folder, files[CODES]), str(folder))
    return MeaningHead(manifest, codes, open_encoder, str(folder))
