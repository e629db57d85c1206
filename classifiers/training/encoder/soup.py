"""One network from several: the mean of their weights.

Networks that begin as one and learn the same rows in another order err elsewhere, and the mean of their weights errs
less than each; it costs no more to ask. After M. Wortsman et al., "Model soups", 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from classifiers.training.encoder.network import Network
from classifiers.training.encoder.torch_extra import need

__all__ = ["average_of"]

_Told = TypeVar("_Told")


def average_of(count: int, network: Network, taught: Callable[[int], _Told]) -> _Told:
    """Let `network` learn `count` times, each time from the weights that it has now: `taught` changes it in place, for
    the number of the time. It ends with the mean of what it became. Gives what was told of the first time. Raises
    `ValueError` for a count below 1."""
    if count < 1:
        raise ValueError(f"{count} networks: at least one must learn")
    torch = need("torch")
    began = _copy(network)
    told = taught(0)
    mean = _copy(network)
    for number in range(1, count):
        network.module.load_state_dict(began)
        taught(number)
        for name, weights in network.module.state_dict().items():
            if torch.is_floating_point(weights):
                mean[name].lerp_(weights, 1.0 / (number + 1))
    network.module.load_state_dict(mean)
    return told


def _copy(network: Network) -> dict[str, Any]:
    return {name: weights.detach().clone() for name, weights in network.module.state_dict().items()}
