"""Small models for tests: a head that one word sways, made in a blink and signed with a key of the tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from classifiers.linear.features import BUCKETS, HashKey, features
from classifiers.linear.model import Weights, pack, save_head
from classifiers.manifest import (
    MANIFEST,
    Calibration,
    Dataset,
    Manifest,
    Metric,
    Threshold,
    analyser_hash,
)
from classifiers.signing import SIGNATURE, Signer, Signers, sign

SEED = 5


class Keys:
    """A pair of keys on disk."""

    def __init__(self, folder: Path, name: str = "ours") -> None:
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        folder.mkdir(parents=True, exist_ok=True)
        self.private, self.public = folder / f"{name}.key", folder / f"{name}.pub"
        self.private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        raw = key.public_key().public_bytes_raw()
        self.signers = Signers((Signer(self.public.name, hashlib.sha256(raw).hexdigest()[:16], raw),))


def metric(name: str, value: float, on: str = "5-fold cross-validation, rows.csv", n: int = 1000) -> Metric:
    return Metric(name=name, on=on, value=value, low=value - 0.02, high=value + 0.02, n=n)


METRICS = (metric("pr_auc", 0.7), metric("macro_f1", 0.75), metric("ece", 0.01), metric("precision", 0.8))


def manifest_of(name: str = "G-en", version: str = "1", **changes: object) -> Manifest:
    code, _, language = name.rpartition("-")
    given: dict[str, object] = {
        "kind": "linear",
        "name": name,
        "code": code,
        "language": language,
        "version": version,
        "label": "Posts with one word.",
        "limits": "Knows one word.",
        "data": (
            Dataset(
                name="Rows",
                file="rows.csv",
                sha256="0" * 64,
                licence="CC0-1.0",
                source="made for tests",
                rows=1000,
                positives=250,
                use="training",
            ),
        ),
        "settings": {"buckets": BUCKETS, "scale": 1.0, "intercept": -2.0},
        "calibration": Calibration(slope=1.0, intercept=0.0),
        "threshold": Threshold(
            value=0.5,
            reason="a test",
            chosen_by="a test",
            chosen_at="2026-10-01",
            chosen_on="rows.csv",
            precision=0.8,
            recall=0.6,
        ),
        "metrics": METRICS,
        "files": (),
        "analyser": analyser_hash(language),
        "code_version": "0",
        "libraries": {},
        "seed": SEED,
    }
    return Manifest(**{**given, **changes})  # type: ignore[arg-type]


def make_head(
    folder: Path, *words: str, keys: Keys | None = None, name: str = "G-en", version: str = "1", **changes: object
) -> Path:
    """A head in `folder` that flags posts with one of the words, and no others."""
    by_bucket = np.zeros(BUCKETS + 1, dtype=np.int16)
    for word in words:
        by_bucket[features([[word]], HashKey.from_seed(SEED)).words] = 1000
    packed, file = pack(Weights(by_bucket, 1.0, -2.0))
    save_head(folder, manifest_of(name, version, files=(file,), **changes), packed)
    if keys is not None:
        (folder / SIGNATURE).write_bytes(sign((folder / MANIFEST).read_bytes(), keys.private))
    return folder
