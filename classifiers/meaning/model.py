"""A language's model of abuse: which codes it gives, which posts it asks the encoder about, and what it makes of the
answer. Its folder holds the codes and the words of the language; the network is the encoder's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked, OpenEncoder
from classifiers.encoder.codes import CODES, read_codes
from classifiers.encoder.readable import Readable
from classifiers.linear.model import read_number
from classifiers.linear.score import DECIMALS, F64
from classifiers.manifest import Manifest, of_kind, read_file, read_manifest
from classifiers.meaning.reading import read_for_abuse
from classifiers.roster_names import said_in
from classifiers.signing import Signers
from classifiers.spelling import WORDS_FILE, Spelling
from hustings.errors import ModelError

__all__ = [
    "FILES",
    "THREATS",
    "MeaningHead",
    "Meant",
    "likely_threats",
    "load_meaning_head",
    "load_meaning_heads",
    "named",
]

FILES = (CODES, WORDS_FILE)
_PROTECTED = "least_protected"
_EARLY = "least_early"
_LEAST = np.float32(1e-12)
"""Shares that add up to nothing say nothing."""
THREATS = ("A-THREAT", "G-THR")
"""Codes that say that somebody is threatened; the second one's threats have a gendered element."""


class Meant(NamedTuple):
    """What a post means: the likeliest `code`, the `score`, how likely it is any, and which tokens were read."""

    code: str
    score: float
    begin: int
    end: int


class MeaningHead:
    """An open model: the codes that it gives, from which worth on it asks (`least_worth`), from which guess of the
    first layers on all of them read (`least_early`), how much worth counts beside the answer (`worth_says`), how likely
    a threat must be (`least_threat`), how likely protected speech, so that nobody flags it (`least_protected`), and the
    `encoder` of that name, whose network has that SHA-256."""

    def __init__(
        self,
        manifest: Manifest,
        codes: tuple[str, ...],
        spelling: Spelling,
        open_encoder: OpenEncoder,
        *,
        least_worth: float,
        least_early: float,
        worth_says: float,
        least_threat: float,
        least_protected: float,
        encoder: str,
        network: str,
    ) -> None:
        self.manifest = manifest
        self.codes = codes
        self.spelling = spelling
        self.encoder = encoder
        self.network = network
        self._least_worth = least_worth
        self._least_early = least_early
        self._worth_says = worth_says
        self._least_threat = least_threat
        self._least_protected = least_protected
        self._asked = Asked(network, "abuse", codes, open_encoder, language=manifest.language, spelling=spelling)

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return self.manifest.tag

    def worth(self, posts: Sequence[Sequence[str]]) -> list[float]:
        """How much each post is worth asking about; less than is asked about where there is no encoder."""
        found = self._asked.worth(posts)
        return [-math.inf] * len(posts) if found is None else found

    def tell(self, tokens: Sequence[str], post: Readable, worth: float) -> Meant | None:
        """None for a post about which the encoder is not asked, or cannot be, or that is not read to the end."""
        if worth < self._least_worth or not tokens:
            return None
        read = read_for_abuse(self._asked, tokens, post, self._worth_says, whole=worth, least_early=self._least_early)
        if read is None:
            return None
        score = round(self.manifest.calibration.probability(read.margin), DECIMALS)
        return Meant(named(read.shares, self.codes, score, self._least_threat), score, read.begin, read.end)

    def protects(self, tokens: Sequence[str], post: Readable) -> bool:
        """Whether a post that another model flags is protected speech by its meaning, whatever it is worth; not where
        the encoder cannot be asked."""
        read = read_for_abuse(self._asked, tokens, post, self._worth_says) if tokens else None
        return read is not None and read.protected >= self._least_protected

    def words(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        """[tokens]: how much each of them says that the encoder is worth asking."""
        return self._asked.words(tokens)

    def rate(self, text: str) -> float:
        """One number for a text: how likely it is abuse; 0 where the encoder is not asked."""
        tokens = said_in(text)
        (worth,) = self.worth([tokens])
        meant = self.tell(tokens, Readable(text, language=self.manifest.language, spelling=self.spelling), worth)
        return 0.0 if meant is None else meant.score


def named(shares: NDArray[np.float32], codes: Sequence[str], score: float, least_threat: float) -> str:
    """The code that a post gets which is abuse with the probability `score`: the likeliest, threats taken together; a
    threat only where the post is so likely one, and then the likelier of them."""
    is_threat = np.isin(codes, THREATS)
    threat, rest = np.where(is_threat, shares, -1.0), np.where(is_threat, -1.0, shares)
    threatens = likely_threats(shares, codes, score) >= least_threat and shares[is_threat].sum() > rest.max()
    return codes[int(np.argmax(threat if threatens else rest))]


def likely_threats(shares: NDArray[np.float32], codes: Sequence[str], score: float | F64) -> F64:
    """How likely posts are threats: how likely they are abuse, times how much of their shares [..., codes] is said of
    threats. Of a stream far fewer posts are abuse than of the rows on which scores are settled; a score near the
    threshold is enough to be looked at, not to warn."""
    threats = shares[..., np.isin(codes, THREATS)].sum(axis=-1)
    likely: F64 = np.float64(score) * (threats / np.maximum(shares.sum(axis=-1), _LEAST))
    return likely


def load_meaning_heads(
    folders: Iterable[Path], *, open_encoder: OpenEncoder, signers: Signers | None = None
) -> list[MeaningHead]:
    """Those among these model folders, in their order. Raises `ModelError` for the first bad one."""
    found = of_kind(folders, "meaning", signers=signers)
    return [load_meaning_head(folder, open_encoder=open_encoder, signers=signers) for folder in found]


def load_meaning_head(folder: Path, *, open_encoder: OpenEncoder, signers: Signers | None = None) -> MeaningHead:
    """The one in `folder`; `open_encoder` is asked when a first post needs it. Raises `ModelError` when anything is not
    what the manifest says."""
    manifest = read_manifest(folder, kind="meaning", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(
            f"{folder}: a model of abuse has the files {FILES!r}; the manifest names {tuple(files)!r}; "
            f"`hustings model train {manifest.name}` makes it anew"
        )
    try:
        encoder, network = str(manifest.settings["encoder"]), str(manifest.settings["network"])
    except KeyError as error:
        raise ModelError(f"{folder}: settings lack {error}") from error
    return MeaningHead(
        manifest,
        read_codes(read_file(folder, files[CODES]), str(folder)),
        Spelling.unpack(read_file(folder, files[WORDS_FILE]), str(folder)),
        open_encoder,
        least_worth=read_number(folder, manifest, "least_worth"),
        # up to version 11 they read all to the end
        least_early=read_number(folder, manifest, _EARLY) if _EARLY in manifest.settings else -math.inf,
        worth_says=read_number(folder, manifest, "worth_says"),
        least_threat=read_number(folder, manifest, "least_threat"),
        # up to version 10 they had no say in what others flag
        least_protected=read_number(folder, manifest, _PROTECTED) if _PROTECTED in manifest.settings else math.inf,
        encoder=encoder,
        network=network,
    )
