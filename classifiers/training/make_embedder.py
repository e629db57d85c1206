"""A base encoder, not fine-tuned, as 8-bit network for similarity: exported, quantised, held against the exact one."""

from __future__ import annotations

import numpy as np

from classifiers.encoder.embed import FILES
from classifiers.encoder.session import MOST_PIECES, Session
from classifiers.manifest import Manifest, Metric
from classifiers.training.encoder.bases import Base
from classifiers.training.encoder.export import export_mean, quantise, tokenizer_bytes
from classifiers.training.encoder.network import open_base
from classifiers.training.network_manifest import write_network
from classifiers.training.order import Order
from hustings.errors import ModelError

__all__ = ["EMBEDDERS", "LEAST_COSINE", "make_embedder"]

EMBEDDERS = {"embed-en": "en"}
"""Those that can be made, and their languages."""

LEAST_COSINE = 0.98
"""Mean cosine of the 8-bit vectors with the exact ones, below which the network is refused."""

_PROBES = (
    "The polls open at seven in the morning and close at eight in the evening.",
    "A video shows ballots being burnt behind a school.",
    "Did the candidate really say that people over seventy may not vote?",
    "vote by text message this year",
    "Turnout was higher than four years ago, the commission said on Monday.",
    "no",
)


def make_embedder(name: str, language: str, base: Base, order: Order) -> Manifest:
    """Write `order.models/<name>`. Raises `ModelError` when quantising moves the vectors too far."""
    network = open_base(base.at, 1, seed=order.seed)
    exact = export_mean(network)
    tokenizer = tokenizer_bytes(network)
    small = quantise(exact)
    vectors = [Session.open(raw, tokenizer, where=name).logits(_PROBES) for raw in (exact, small)]
    unit, unit_small = (found / np.linalg.norm(found, axis=1, keepdims=True) for found in vectors)
    cosine = round(float((unit * unit_small).sum(axis=1).mean()), 4)
    if cosine < LEAST_COSINE:
        raise ModelError(
            f"{name}: 8-bit vectors have a mean cosine of {cosine} with exact ones, {LEAST_COSINE} is least"
        )
    content = dict(zip(FILES, (small, tokenizer), strict=True))
    return write_network(
        order.models / name,
        content,
        order,
        language=language,
        label="How alike two texts are in meaning: claims with posts, stories with each other.",
        limits="Says that two texts are about alike things, not that they say the same: a claim and its denial are "
        f"near each other. Reads {MOST_PIECES} word pieces.",
        data=(),
        settings={
            "base": base.name,
            "base_weights_sha256": base.weights_sha256,
            "base_licence": base.licence,
            "base_source": base.source,
            "most_pieces": MOST_PIECES,
        },
        metrics=(Metric(name="quantised_cosine", on="probes", value=cosine, low=cosine, high=cosine, n=len(_PROBES)),),
    )
