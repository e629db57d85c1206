"""Fewer word pieces: of a base that reads a hundred languages, those that the languages at hand write.

Two thirds and more of such a base are its pieces (96 of 118 million parameters for 250,000 of them). What is left out
is not lost, it is read by shorter pieces. After A. Abdaoui et al., "Load What You Need: Smaller Versions of
Multilingual BERT", SustaiNLP 2020.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from classifiers.training.encoder.network import Network
from classifiers.training.encoder.torch_extra import need
from hustings.errors import ConfigError

__all__ = ["keep_pieces"]

_FRAMES = "TemplateProcessing"
_FEWEST = 2
_COMMON_SCRIPT = 0.002
"""Share of all pieces that a script must have, for its common pieces to be kept though these texts lack them."""


def keep_pieces(network: Network, texts: Sequence[str], *, first: int) -> Network:
    """The network with those of its pieces that stand in the texts twice or more; of its `first`, the commonest, those
    in scripts of the texts; and all single characters of these scripts. Pieces with capitals go: the analyser folds
    them. Raises `ConfigError` for a tokenizer that is not Unigram, whose pieces hang together, or that frames texts by
    more than a template."""
    state = json.loads(network.tokenizer.to_str())
    if state["model"]["type"] != "Unigram":
        raise ConfigError(f"only pieces of a Unigram tokenizer can be left out; this one is {state['model']['type']}")
    framed = (state.get("post_processor") or {}).get("type", _FRAMES)
    if framed != _FRAMES:
        raise ConfigError(f"only special pieces that {_FRAMES} adds can be renumbered; this tokenizer has {framed}")
    vocabulary = state["model"]["vocab"]
    counts = Counter(piece for encoding in network.tokenizer.encode_batch(list(texts)) for piece in encoding.ids)
    scripts = _scripts(vocabulary, counts)
    special = {token["id"] for token in state["added_tokens"]} | {state["model"]["unk_id"]}
    special |= {number for one in _special_tokens(state).values() for number in one["ids"]}
    pad = network.module.encoder.config.pad_token_id
    special |= set() if pad is None else {pad}
    kept = [
        number
        for number, (piece, _) in enumerate(vocabulary)
        if number in special
        or counts[number] >= _FEWEST
        or ((number < first or len(piece.strip("▁")) == 1) and _legible(piece, scripts))
    ]
    renumbered = {number: place for place, number in enumerate(kept)}
    state["model"]["vocab"] = [vocabulary[number] for number in kept]
    state["model"]["unk_id"] = renumbered[state["model"]["unk_id"]]
    for token in state["added_tokens"]:
        token["id"] = renumbered[token["id"]]
    for one in _special_tokens(state).values():
        one["ids"] = [renumbered[number] for number in one["ids"]]
    _choose(network.module.encoder, kept)
    if pad is not None:
        network.module.encoder.config.pad_token_id = renumbered[pad]
    return Network(network.module, need("tokenizers").Tokenizer.from_str(json.dumps(state)))


def _special_tokens(state: dict[str, Any]) -> dict[str, Any]:
    processor = state.get("post_processor") or {}
    found: dict[str, Any] = processor.get("special_tokens", {})
    return found


def _choose(encoder: Any, kept: list[int]) -> None:
    torch = need("torch")
    whole = encoder.get_input_embeddings()
    fewer = torch.nn.Embedding(len(kept), whole.embedding_dim)
    with torch.no_grad():
        fewer.weight.copy_(whole.weight[torch.tensor(kept)])
    encoder.set_input_embeddings(fewer)
    encoder.config.vocab_size = len(kept)


def _scripts(vocabulary: list[list[Any]], counts: Counter[int]) -> frozenset[str]:
    """The scripts in which a good part of the pieces of the texts is written."""
    seen: Counter[str] = Counter()
    for number, count in counts.items():
        for script in {_script(sign) for sign in vocabulary[number][0]} - {""}:
            seen[script] += count
    total = sum(counts.values())
    return frozenset(script for script, count in seen.items() if count >= _COMMON_SCRIPT * total)


def _legible(piece: str, scripts: frozenset[str]) -> bool:
    return piece == piece.lower() and all(_script(sign) in scripts | {""} for sign in piece)


def _script(sign: str) -> str:
    """The first word of a letter's name ("ARABIC"); empty for what is no letter and no mark on one."""
    return unicodedata.name(sign, "?").split()[0] if unicodedata.category(sign)[0] in "LM" else ""
