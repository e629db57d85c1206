"""Our own claims with posts about them, and posts that only look like it: what the re-ranker learns from."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import NamedTuple

from hustings.errors import ModelError

__all__ = ["Pair", "load_pairs", "pair_languages"]


class Pair(NamedTuple):
    """A claim, its check's headline, posts that make or answer the claim, and `near`: posts about something else in
    much the same words, for which nothing should be found."""

    text: str
    title: str
    posts: tuple[str, ...]
    near: tuple[str, ...]


def pair_languages() -> list[str]:
    """Languages of which there is a file in `classifiers/claims/pairs/`."""
    folder = files("classifiers").joinpath("claims", "pairs")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_pairs(language: str) -> tuple[list[Pair], str]:
    """The pairs of one language, and the SHA-256 of their file. Raises `ModelError` for one that says too little."""
    raw = files("classifiers").joinpath("claims", "pairs", f"{language}.toml").read_bytes()
    pairs = [
        Pair(entry["text"], entry["title"], tuple(entry["posts"]), tuple(entry.get("near", ())))
        for entry in tomllib.loads(raw.decode())["pair"]
    ]
    for number, pair in enumerate(pairs, start=1):
        if not (pair.text and pair.title and pair.posts and all(pair.posts) and all(pair.near)):
            raise ModelError(f"claims/pairs/{language}.toml: pair {number}: needs text, title and posts, none empty")
    return pairs, hashlib.sha256(raw).hexdigest()
