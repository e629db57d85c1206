"""Which models rows can teach: the linear heads, of one code each. The others are told what they learn from, before
anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hustings.codebook import CHECK_WORTHY, Codebook
from hustings.errors import ConfigError
from runtime.model_making import code_and_language

if TYPE_CHECKING:
    from classifiers.store import ModelStore

__all__ = ["teachable"]

LISTS = {"N": "narratives", "A": "meaning"}
"""Of these lists one model, of that kind, gives all codes in a language, and is called by the list."""
_OTHERS = {
    "narratives": "learns from seed sentences, not from rows: add what it misses to classifiers/seeds/{language}.toml "
    "or seeds/more/, then `hustings model train {name} --model-version N --out FOLDER`. Rows teach a linear head of "
    "one code, which speaks beside it: N-PROC-DATE-{language}",
    "meaning": "is settled beside the encoder that reads codes: add what it misses to "
    "classifiers/seeds/abuse/{language}.toml, train that encoder on, then `hustings model train {name}`. Rows teach a "
    "linear head of one code, which speaks before it: A-INSULT-{language}",
    "encoder": "learns beside a linear head that serves: `hustings model train {name} --kind encoder --beside HEAD "
    "--from-desk --config FILE` (or --corpus NAME)",
    "claims": "learns from pairs of posts and fact-checks (classifiers/claims/pairs), not from rows with a label: "
    "`hustings model train {name} --out FOLDER`",
    "embedder": "is served as it comes; nothing is learnt",
    "targets": "is made of rules; nothing is learnt",
}


def teachable(name: str, store: ModelStore, codebook: Codebook) -> tuple[str, str]:
    """Code and language of the linear head `name`. Raises `ConfigError` for a model of another kind, saying what it
    learns from, for a name that is none, and for a code that no model gives as a flag."""
    for stored in store.versions(name):
        kind = stored.manifest.kind
        if kind != "linear":
            told = _OTHERS[kind].format(name=name, language=stored.manifest.language)
            raise ConfigError(f"{name}: is of kind {kind}; it {told}")
    code, language = code_and_language(name, codebook)
    if code in LISTS:
        told = _OTHERS[LISTS[code]].format(name=name, language=language)
        raise ConfigError(f"{name}: is the name of a model of kind {LISTS[code]}; it {told}")
    if code.startswith(f"{CHECK_WORTHY}-"):
        raise ConfigError(f"{name}: {code} is ranked and never flagged; its head is called {CHECK_WORTHY}-{language}")
    return code, language
