"""What a reader of codes learns codes from: seed sentences about elections, and our own posts about abuse.

The posts about abuse say which heads should flag them; here each becomes a row with the one code of its group: of harm,
or of protected speech where no head should flag it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Dataset
from classifiers.narratives.seeds import ORDINARY, Example, seed_languages
from classifiers.own_posts import OwnFile, read_own_with_hash
from classifiers.training.learnt_seeds import divide, is_known, recorded
from classifiers.training.ordinary import everyday_posts, ordinary_posts
from classifiers.training.own_posts import sides
from classifiers.training.seed_rows import held_out, is_harm, seed_rows
from hustings.text import analyse

__all__ = ["ABUSE", "CodeRows", "abuse_rows", "code_rows", "codes_of"]

ABUSE = "abuse-"
"""Before a language, the name in the record of learnt seeds for its posts about abuse."""


class CodeRows(NamedTuple):
    """Rows of one language under the name that they have in the record of learnt seeds, where each stands as
    `recorded`: as it was written, before names were put in. `names` are words that only name somebody; `held` [rows]
    are those that no encoder may learn, `of_minorities` [rows] those that name a minority, where somebody said so."""

    key: str
    language: str
    rows: tuple[Example, ...]
    recorded: tuple[str, ...]
    names: frozenset[str]
    datasets: tuple[Dataset, ...]
    held: NDArray[np.bool_]
    of_minorities: NDArray[np.bool_]

    def learnt(self) -> list[Example]:
        """The rows that are not held out."""
        return [row for row, is_held in zip(self.rows, self.held.tolist(), strict=True) if not is_held]

    def held_out(self) -> list[Example]:
        """The others."""
        return [row for row, is_held in zip(self.rows, self.held.tolist(), strict=True) if is_held]

    def learnt_of_minorities(self) -> list[bool]:
        """Which of the `learnt` rows name a minority."""
        found: list[bool] = self.of_minorities[~self.held].tolist()
        return found

    def familiar(self) -> list[bool]:
        """Which of the `learnt` rows the shipped encoder knows."""
        known = recorded().of(self.key)
        return [is_known(text, known) for text, held in zip(self.recorded, self.held.tolist(), strict=True) if not held]


def code_rows(narratives: Sequence[str], abuse: Sequence[str] = ()) -> list[CodeRows]:
    """Those of the seeds of the languages `narratives`, then those about abuse. Raises `ConfigError`."""
    return [*map(_of_seeds, narratives), *map(abuse_rows, abuse)]


def codes_of(parts: Sequence[CodeRows]) -> tuple[str, ...]:
    """The codes that the rows give, in order: the outputs of a reader of codes."""
    return tuple(sorted({row.code for part in parts for row in part.rows}))


@cache
def _of_seeds(language: str) -> CodeRows:
    own = seed_rows(language)
    written = tuple(row.text for row in own.rows)
    nobody = np.zeros(len(own.rows), dtype=bool)
    return CodeRows(language, language, own.rows, written, own.names, (own.dataset,), held_out(language), nobody)


@cache
def abuse_rows(language: str) -> CodeRows:
    """Our own posts about abuse, each read once; behind them everyday posts, and the ordinary posts of a language
    without seeds. What was learnt among its seeds is not held out here. Raises `ConfigError`."""
    own, digest = read_own_with_hash(language)
    written = [post for group in own.group for post in group.posts]
    rows = [Example(group.code, _read(post, own)) for group in own.group for post in group.posts]
    datasets = [
        Dataset(
            name=f"Hustings, own posts ({language})",
            file=f"classifiers/seeds/abuse/{language}.toml",
            sha256=digest,
            licence="CC0-1.0",
            source="written for Hustings",
            rows=len(rows),
            positives=sum(is_harm(row.code) for row in rows),
            use="training",
        )
    ]
    ordinary = None if language in seed_languages() else ordinary_posts(language)
    for texts, dataset in filter(None, (everyday_posts(language), ordinary)):
        written += texts
        rows += [Example(ORDINARY, text) for text in texts]
        datasets.append(dataset)
    names = frozenset(token for name in own.names for token in analyse(name).tokens)
    key = f"{ABUSE}{language}"
    known, seeds = recorded().of(key), recorded().of(language)
    held = divide(written, known._replace(learnt=known.learnt | seeds.learnt))
    of_minorities = [group.names_minority for group in own.group for _ in group.posts]
    of_minorities += [False] * (len(rows) - len(of_minorities))
    return CodeRows(
        key, language, tuple(rows), tuple(written), names, tuple(datasets), held, np.array(of_minorities, dtype=bool)
    )


def _read(post: str, own: OwnFile) -> str:
    """One of its sides, with names drawn by the post itself: the same whatever posts stand beside it."""
    digest = hashlib.sha256(post.encode()).digest()
    readings = sides(post, own, int.from_bytes(digest[:4]))
    return readings[digest[4] % len(readings)]
