"""Outputs for codes that a network does not give yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.network import Network, logits, split
from classifiers.training.encoder.torch_extra import need

__all__ = ["grow_outputs"]


def grow_outputs(
    network: Network, codes: Sequence[str], wanted: Sequence[str], texts: Sequence[str], places: NDArray[np.int64]
) -> None:
    """Change a network that gives `codes` into one that gives all those `wanted`, in their order. The output of a new
    code begins as a mixture of the old ones, each as likely as the network so far finds it in the texts with the new
    code: those that are so called now were called something before. `places` [texts] are places among those wanted.
    Raises `ValueError` for a new code without texts."""
    torch = need("torch")
    shares = {code: _shares(network, texts, places == place) for place, code in enumerate(wanted) if code not in codes}
    mixing = np.zeros((len(wanted), len(codes)), dtype=np.float32)
    for place, code in enumerate(wanted):
        if code in shares:
            mixing[place] = shares[code]
        else:
            mixing[place, codes.index(code)] = 1.0
    former = network.module.heads
    grown = torch.nn.Linear(former.in_features, len(wanted))
    with torch.no_grad():
        grown.weight.copy_(torch.from_numpy(mixing) @ former.weight)
        grown.bias.copy_(torch.from_numpy(mixing) @ former.bias)
    network.module.heads = grown


def _shares(network: Network, texts: Sequence[str], which: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[codes] how likely each is on the mean."""
    chosen = [texts[place] for place in np.flatnonzero(which).tolist()]
    if not chosen:
        raise ValueError("a new code without texts")
    found = logits(network, split(network, chosen))
    odds = np.exp(found - found.max(axis=1, keepdims=True))
    mean: NDArray[np.float64] = (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)
    return mean
