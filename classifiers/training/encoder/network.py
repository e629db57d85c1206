"""One encoder with one output per task, and behind them one per code: the mean of its last layer, and a linear layer on
it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.torch_extra import need

__all__ = ["MOST_PIECES", "Network", "Pieces", "logits", "module_of", "open_base", "padded", "split"]

MOST_PIECES = 96
"""Word pieces that are read; 99 % of the corpora's posts have fewer than 70."""

Pieces = Sequence[Sequence[int]]


class Network(NamedTuple):
    """A torch module (ids, mask) → logits [texts, outputs], and its fast tokenizer."""

    module: Any
    tokenizer: Any


def open_base(base: str | Path, outputs: int, *, seed: int) -> Network:
    """The pretrained encoder in a folder (or of that name on the hub), with fresh outputs. Raises `ConfigError` when it
    cannot be read or has no fast tokenizer."""
    torch, transformers = need("torch"), need("transformers")
    from hustings.errors import ConfigError

    transformers.utils.logging.disable_progress_bar()
    try:
        encoder = transformers.AutoModel.from_pretrained(str(base), use_safetensors=True).float()
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(base), use_fast=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{base}: no encoder that transformers can open ({str(error).splitlines()[0]})") from error
    known = getattr(encoder.config, "vocab_size", 0)
    if not known or encoder.config.is_encoder_decoder:
        kind = encoder.config.model_type
        raise ConfigError(f"{base}: is of the kind {kind!r}; wanted is an encoder of texts alone, such as BERT")
    backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
    if backend is None or backend.get_vocab_size() < known // 2:  # without its files, transformers makes an empty one
        raise ConfigError(
            f"{base}: has no tokenizer.json, nor a vocabulary that transformers can make one of; serving needs one"
        )
    if (largest := max(backend.get_vocab().values())) >= known:
        raise ConfigError(
            f"{base}: its tokenizer knows piece {largest}, its network {known:,} pieces; not of one model"
        )
    torch.manual_seed(seed)
    backend.no_padding()
    backend.enable_truncation(MOST_PIECES)
    return Network(module_of(torch, encoder, outputs), backend)


def module_of(torch: Any, encoder: Any, outputs: int) -> Any:
    """An encoder of transformers with fresh outputs."""

    class Heads(torch.nn.Module):  # type: ignore[misc]  # torch is not imported at module level
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.dropout = torch.nn.Dropout(0.1)
            self.heads = torch.nn.Linear(encoder.config.hidden_size, outputs)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            last = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(last.dtype)
            mean = (last * mask).sum(1) / mask.sum(1)
            return self.heads(self.dropout(mean))

    return Heads()


def split(network: Network, texts: Sequence[str]) -> list[list[int]]:
    """The word pieces of each text, special ones included."""
    return [list(encoding.ids) for encoding in network.tokenizer.encode_batch(list(texts))]


def padded(pieces: Pieces, pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and mask [texts, longest]."""
    longest = max(map(len, pieces))
    ids = np.full((len(pieces), longest), pad, dtype=np.int64)
    mask = np.zeros((len(pieces), longest), dtype=np.int64)
    for row, one in enumerate(pieces):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return ids, mask


def logits(network: Network, pieces: Pieces, *, batch: int = 64) -> NDArray[np.float64]:
    """[texts, outputs], in float32 and without dropout, in the order given."""
    torch = need("torch")
    network.module.eval()
    device = next(network.module.parameters()).device
    order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))
    found: NDArray[np.float64] | None = None
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            ids, mask = padded([pieces[place] for place in places], pad_id(network))
            read = network.module(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            part = read.double().cpu().numpy()
            if found is None:
                found = np.zeros((len(pieces), part.shape[1]))
            found[places] = part
    return np.zeros((0, 0)) if found is None else found


def pad_id(network: Network) -> int:
    """The piece that fills short rows."""
    pad = network.module.encoder.config.pad_token_id
    return 0 if pad is None else int(pad)
