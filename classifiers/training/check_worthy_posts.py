"""Posts of our own that are worth checking, and posts that are not: the seed corpus, read for check-worthiness.

No data set for check-worthiness may be shipped from (CheckThat! is for research, ClaimBuster under the GPL), so the
heads learn from `classifiers/seeds/` and `classifiers/claims/pairs/`, all CC0.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from classifiers.claims.pairs import load_pairs, pair_languages
from classifiers.manifest import Dataset
from classifiers.narratives.seeds import ORDINARY
from classifiers.training.corpora import Corpus
from hustings.codebook import matches
from hustings.errors import ConfigError

__all__ = ["WORTHLESS", "WORTHY", "check_worthy_posts", "languages"]

WORTHY = ("N-PROC", "N-DELEG", "N-CAND", "N-PART-CONSEQ", "N-PART-FUTILE", "X-REPORT", "X-OFFICIAL")
"""State something that somebody could look up, count or ask, and that would mislead voters if it were wrong. A report
or a notice is worth it too: whether it is what it seems is what is checked."""
WORTHLESS = ("X-OPINION", "X-SATIRE", "X-NOTELEX", "N-PART-THREAT", "N-FRAUDCALL", "N-INCITE", "A")
"""Opinion, jokes, other matters, and what urges, threatens or insults. Counter-speech (`X-COUNTER`) is neither: it
names a claim to deny it."""


def languages() -> list[str]:
    """Languages with seeds and ordinary posts."""
    ordinary = {path.name for path in _seeds("ordinary").iterdir()}
    return sorted(
        path.name.removesuffix(".toml") for path in _seeds().iterdir() if path.is_file() and path.name in ordinary
    )


def check_worthy_posts(language: str) -> Corpus:
    """All posts of a language; a claim and the posts about it are one family. Raises `ConfigError` for a language
    without seeds or a file that cannot be read."""
    rows: dict[str, tuple[int, str]] = {}
    digest = hashlib.sha256()
    try:
        for text, label in _labelled(language, digest):
            rows.setdefault(text, (label, ""))
        if language in pair_languages():
            pairs, sha256 = load_pairs(language)
            digest.update(sha256.encode())
            for number, pair in enumerate(pairs):
                for text in (pair.text, *pair.posts):
                    rows.setdefault(text, (1, f"pair-{number}"))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ConfigError(f"seeds of {language!r}: {error!r}; there are seeds for {', '.join(languages())}") from error
    labels = [label for label, _ in rows.values()]
    dataset = Dataset(
        name="Hustings seeds, read for check-worthiness",
        file=f"classifiers/seeds/{language}.toml",
        sha256=digest.hexdigest(),
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(labels),
        positives=sum(labels),
        use="training",
    )
    return Corpus(list(rows), labels, [family for _, family in rows.values()], dataset)


def _labelled(language: str, digest: hashlib._Hash) -> Iterator[tuple[str, int]]:
    for path in (_seeds(f"{language}.toml"), *(_seeds(folder, f"{language}.toml") for folder in ("more", "wide"))):
        if path.is_file():
            raw = path.read_bytes()
            digest.update(raw)
            for code, lists in tomllib.loads(raw.decode()).items():
                label = _label(code)
                if label is not None:
                    yield from ((text, label) for part in ("examples", "held_out") for text in lists.get(part, ()))
    raw = _seeds("ordinary", f"{language}.toml").read_bytes()
    digest.update(raw)
    yield from ((text, 0) for text in tomllib.loads(raw.decode())["posts"])


def _label(code: str) -> int | None:
    if any(matches(code, one) for one in WORTHY):
        return 1
    return 0 if code == ORDINARY or any(matches(code, one) for one in WORTHLESS) else None


def _seeds(*path: str) -> Traversable:
    return files("classifiers").joinpath("seeds", *path)
