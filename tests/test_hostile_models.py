"""Model folders that must not be served: each is refused, with a message that says what is wrong."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
import shutil
import socket
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from classifiers.candidate import check_candidate
from classifiers.claims.rerank import read_trees
from classifiers.linear.features import BUCKETS
from classifiers.linear.model import WEIGHTS, load_head, load_heads
from classifiers.manifest import MANIFEST, manifest_bytes, read_manifest
from classifiers.narratives.columns import CODES
from classifiers.pipeline import open_pipeline, shipped_models
from classifiers.signing import ANYBODY, SIGNATURE, Signer, Signers, sign
from hustings.errors import ModelError
from hustings.roster import Roster
from runtime.build import codebook

NAME = "G-ta"
OURS, THEIRS = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def signer(key: Ed25519PrivateKey, name: str) -> Signer:
    raw = key.public_key().public_bytes_raw()
    return Signer(name, hashlib.sha256(raw).hexdigest()[:16], raw)


TRUSTED = Signers((signer(OURS, "ours.pub"),))


class Folder:
    """A sound, signed model that a case then spoils."""

    def __init__(self, place: Path, name: str = NAME) -> None:
        self.place = place
        self.path = Path(shutil.copytree(shipped_models() / name, place / name))
        self.seal()

    def seal(self, key: Ed25519PrivateKey = OURS) -> None:
        pem = self.place / "key.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self.path / SIGNATURE).write_bytes(sign((self.path / MANIFEST).read_bytes(), pem))

    def tree(self) -> dict[str, Any]:
        return msgspec.json.decode((self.path / MANIFEST).read_bytes())

    def write(self, raw: bytes) -> None:
        """Another manifest, signed by us: what hashes and types must find by themselves."""
        (self.path / MANIFEST).write_bytes(raw)
        self.seal()

    def edit(self, **changes: object) -> None:
        self.write(msgspec.json.encode({**self.tree(), **changes}))

    def weights(self, raw: bytes) -> None:
        """Other weights, with a signed manifest that vouches for them."""
        (self.path / WEIGHTS).write_bytes(raw)
        self.edit(files=[{"name": WEIGHTS, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}])

    def file(self, **changes: object) -> None:
        (known,) = self.tree()["files"]
        self.edit(files=[{**known, **changes}])

    def replace(self, name: str, raw: bytes) -> None:
        (self.path / name).write_bytes(raw)


def flip_a_bit(folder: Folder) -> None:
    raw = bytearray((folder.path / WEIGHTS).read_bytes())
    raw[100] ^= 1
    folder.replace(WEIGHTS, bytes(raw))


def of_another_manifest(folder: Folder) -> None:
    whole = (folder.path / MANIFEST).read_bytes()
    folder.edit(version="9")
    (folder.path / MANIFEST).write_bytes(whole)


def change_after_signing(folder: Folder) -> None:
    tree = folder.tree()
    tree["threshold"]["value"] = 0.0
    folder.replace(MANIFEST, msgspec.json.encode(tree))


def duplicate_key(folder: Folder) -> None:
    whole = msgspec.json.encode(folder.tree())
    folder.write(whole[:-1] + b',"code":"A-INSULT"}')


def link_weights(folder: Folder) -> None:
    (folder.path / WEIGHTS).rename(folder.place / "elsewhere")
    (folder.path / WEIGHTS).symlink_to(folder.place / "elsewhere")


def link_manifest(folder: Folder) -> None:
    (folder.path / MANIFEST).rename(folder.place / "elsewhere")
    (folder.path / MANIFEST).symlink_to(folder.place / "elsewhere")


def link_folder(folder: Folder) -> None:
    folder.path.rename(folder.place / "elsewhere")
    folder.path.symlink_to(folder.place / "elsewhere", target_is_directory=True)


def pipe(folder: Folder) -> None:
    (folder.path / WEIGHTS).unlink()
    os.mkfifo(folder.path / WEIGHTS)


def pipe_for_a_manifest(folder: Folder) -> None:
    (folder.path / MANIFEST).unlink()
    os.mkfifo(folder.path / MANIFEST)


def socket_inside(folder: Folder) -> None:
    here = Path.cwd()
    os.chdir(folder.path)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("listen")
    finally:
        os.chdir(here)


def packed(count: int) -> bytes:
    return zlib.compress(np.zeros(count, dtype="<i2").tobytes(), 9)


def not_a_number(folder: Folder, key: str, value: object) -> None:
    folder.edit(settings={**folder.tree()["settings"], "scale": 0.5, "intercept": -1.0, key: value})


class Payload:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/this-must-not-exist",)


CASES: dict[str, Callable[[Folder], object]] = {
    # the signature
    "unsigned": lambda f: (f.path / SIGNATURE).unlink(),
    "signed by a stranger": lambda f: f.seal(THEIRS),
    "signature of another manifest": of_another_manifest,
    "manifest changed after it was signed": change_after_signing,
    "a pickle for a signature": lambda f: f.replace(SIGNATURE, pickle.dumps(Payload())),
    "signature of another kind": lambda f: f.replace(SIGNATURE, b"rsa 0123456789abcdef " + b"A" * 88 + b"\n"),
    "endless signature": lambda f: f.replace(SIGNATURE, b"x" * 5000),
    # the manifest
    "no manifest": lambda f: (f.path / MANIFEST).unlink(),
    "huge manifest": lambda f: f.write(b" " * 2_000_000),
    "manifest is no JSON": lambda f: f.write(b"{"),
    "manifest is a pickle": lambda f: f.write(pickle.dumps(Payload())),
    "manifest is not UTF-8": lambda f: f.write(b'{"name": "\xff"}'),
    "key that stands twice": duplicate_key,
    "deep nesting": lambda f: f.write(b'{"name":' * 2000 + b"1" + b"}" * 2000),
    "unknown key": lambda f: f.edit(surprise=1),
    "format of the future": lambda f: f.edit(format=2),
    "unknown kind": lambda f: f.edit(kind="pickle"),
    "another model's name": lambda f: f.edit(name="G-en", version="1"),
    "a path for a name": lambda f: f.edit(name="../G-ta"),
    "a path for a version": lambda f: f.edit(version="../../1"),
    "threshold beyond one": lambda f: f.edit(threshold={**f.tree()["threshold"], "value": 1.5}),
    "calibration without bounds": lambda f: f.write(
        msgspec.json.encode(f.tree()).replace(b'"slope":', b'"slope":1e999,"was":', 1)
    ),
    "code that is unknown": lambda f: f.edit(code="G-NOSUCH"),
    "code for people only": lambda f: f.edit(code="T-FALSE"),
    # the files
    "changed weights": flip_a_bit,
    "truncated weights": lambda f: f.replace(WEIGHTS, (f.path / WEIGHTS).read_bytes()[:-1]),
    "lengthened weights": lambda f: f.replace(WEIGHTS, (f.path / WEIGHTS).read_bytes() + b"\0"),
    "missing weights": lambda f: (f.path / WEIGHTS).unlink(),
    "no file named": lambda f: f.edit(files=[]),
    "file named twice": lambda f: f.edit(files=f.tree()["files"] * 2),
    "file that nobody named": lambda f: f.replace("extra.pkl", pickle.dumps(Payload())),
    "folder inside": lambda f: (f.path / "more").mkdir(),
    "name that leads out": lambda f: f.file(name="../../key.pem"),
    "absolute name": lambda f: f.file(name="/etc/passwd"),
    "hidden name": lambda f: f.file(name=".weights"),
    "name with a line's end": lambda f: f.file(name=WEIGHTS + "\n"),
    "negative size": lambda f: f.file(bytes=-1),
    "size of a terabyte": lambda f: f.file(bytes=10**12),
    "hash that is none": lambda f: f.file(sha256="0"),
    "link for weights": link_weights,
    "link for a manifest": link_manifest,
    "link for a folder": link_folder,
    "pipe for weights": pipe,
    "pipe for a manifest": pipe_for_a_manifest,
    "socket inside": socket_inside,
    # what is in the files
    "a pickle for weights": lambda f: f.weights(pickle.dumps(Payload())),
    "bomb": lambda f: f.weights(packed(50_000_000)),
    "too few weights": lambda f: f.weights(packed(BUCKETS - 1)),
    "weights and more": lambda f: f.weights((f.path / WEIGHTS).read_bytes() + b"more"),
    "other number of buckets": lambda f: not_a_number(f, "buckets", 16),
    "scale that is no number": lambda f: not_a_number(f, "scale", "nan"),
    "intercept without bounds": lambda f: not_a_number(f, "intercept", "-inf"),
    "no scale": lambda f: f.edit(settings={"buckets": BUCKETS}),
}


# ── a re-ranker of claims, whose file is an archive of arrays ──


def archive(changes: dict[str, object] | None = None, *, packing: int = zipfile.ZIP_STORED) -> bytes:
    """Two leaves under one node, as `classifiers.claims.rerank` writes them, with some arrays replaced."""
    arrays: dict[str, Any] = {
        "start": np.zeros(1),
        "depth": np.array([1], dtype=np.int32),
        "roots": np.array([0], dtype=np.int32),
        "feature": np.zeros(3, dtype=np.int32),
        "split": np.array([0.5, np.inf, np.inf]),
        "low": np.array([1, 1, 2], dtype=np.int32),
        "high": np.array([2, 1, 2], dtype=np.int32),
        "value": np.array([0.0, -1.0, 1.0]),
    }
    arrays |= changes or {}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as opened:
        for name, array in arrays.items():
            if isinstance(array, bytes):
                opened.writestr(f"{name}.npy", array)
            else:
                raw = io.BytesIO()
                np.lib.format.write_array(raw, np.asarray(array), allow_pickle=True)
                opened.writestr(f"{name}.npy", raw.getvalue())
    return target.getvalue()


def header(shape: str) -> bytes:
    """An array that says how large it is and holds nothing."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


ARCHIVES: dict[str, bytes] = {
    "no archive": pickle.dumps(Payload()),
    "pickled objects in an array": archive({"value": np.array([Payload(), 0, 0], dtype=object)}),
    "bomb": archive({"value": np.zeros(20_000_000)}, packing=zipfile.ZIP_DEFLATED),
    "an array of terabytes": archive({"value": header("(10000000000000,)")}),
    "an array of a negative size": archive({"value": header("(-3,)")}),
    "a missing array": archive({"value": b""}),
    "lists of different lengths": archive({"value": np.zeros(4)}),
    "a child outside": archive({"low": np.array([7, 1, 2], dtype=np.int32)}),
    "a feature that there is not": archive({"feature": np.array([999, 0, 0], dtype=np.int32)}),
    "values that are no numbers": archive({"value": np.array([0.0, np.nan, 1.0])}),
    "endless depth": archive({"depth": np.array([2**30], dtype=np.int32)}),
    "truncated archive": archive()[:-40],
}


def test_the_trees_that_the_cases_spoil_can_be_read() -> None:
    assert read_trees(archive()).depth == 1


def test_every_hostile_archive_is_refused(golden: Callable[[str, str], None]) -> None:
    told = {}
    for name, raw in ARCHIVES.items():
        with pytest.raises(ModelError) as refused:
            read_trees(raw)
        told[name] = re.sub(r"(Unable to allocate) .*", r"\1 …", str(refused.value))  # numpy's own words
    assert not Path("/tmp/this-must-not-exist").exists()
    golden("hostile_archives.txt", "".join(f"{name}\n    {text}\n" for name, text in told.items()))


def served(folder: Folder) -> None:
    """What a worker does with a model before it serves; the slow steps of a pipeline last."""
    load_heads([folder.path], signers=TRUSTED)
    open_pipeline(models={NAME: folder.path}, roster=Roster(), codebook=codebook(), languages=("hi",), signers=TRUSTED)


def refusal(folder: Folder) -> str:
    with pytest.raises(ModelError) as refused:
        served(folder)
    told = str(refused.value).replace(str(folder.place), "MODELS")
    told = re.sub(r"[0-9a-f]{64}", "HASH", told)  # weights are trained anew now and then
    return re.sub(r"\d+ bytes, the manifest says \d+", "N bytes, the manifest says M", told)


def test_the_model_that_the_cases_spoil_is_served_before(tmp_path: Path) -> None:
    served(Folder(tmp_path))


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {}
    for name, spoil in CASES.items():
        folder = Folder(tmp_path_factory.mktemp("hostile"))
        spoil(folder)
        found[name] = refusal(folder)
    return found


def test_every_hostile_folder_is_refused_with_what_is_wrong(
    refusals: dict[str, str], golden: Callable[[str, str], None]
) -> None:
    assert len(refusals) >= 40
    golden("hostile_models.txt", "".join(f"{name}\n    {told}\n" for name, told in refusals.items()))


def test_nothing_in_a_hostile_folder_was_run(refusals: dict[str, str]) -> None:
    assert refusals
    assert not Path("/tmp/this-must-not-exist").exists()


def test_a_bomb_costs_no_more_memory_than_weights_do(tmp_path: Path) -> None:
    import tracemalloc

    folder = Folder(tmp_path)
    folder.weights(packed(50_000_000))
    tracemalloc.start()
    try:
        refusal(folder)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_model_of_another_kind_is_not_loaded_as_a_head(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.edit(kind="narratives", files=[])
    (folder.path / WEIGHTS).unlink()
    with pytest.raises(ModelError, match="kind is 'narratives', wanted 'linear'"):
        load_head(folder.path, signers=TRUSTED)


def test_a_model_of_narratives_gives_no_code_of_its_own_making(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "N-hi")
    raw = (folder.path / CODES).read_bytes().replace(b'"N-PROC-DATE"', b'"N-MADE-UP"')
    folder.replace(CODES, raw)
    vouched = {"name": CODES, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    folder.edit(files=[vouched if file["name"] == CODES else file for file in folder.tree()["files"]])
    with pytest.raises(ModelError, match="N-hi: gives 'N-MADE-UP', which no model may give"):
        open_pipeline(
            models={"N-hi": folder.path}, roster=Roster(), codebook=codebook(), languages=("hi",), signers=TRUSTED
        )


def test_a_candidate_that_learnt_another_analysers_tokens_is_not_promoted(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.edit(analyser="0" * 64)
    manifest = read_manifest(folder.path, signers=TRUSTED)
    with pytest.raises(ModelError, match="made for another analyser"):
        check_candidate(manifest, folder.path, serving={}, codebook=codebook(), signers=TRUSTED)


def test_the_workbench_opens_what_is_unsigned_but_not_what_was_changed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.path / SIGNATURE).unlink()
    assert load_head(folder.path, signers=ANYBODY).name == NAME
    flip_a_bit(folder)
    with pytest.raises(ModelError, match="the file was changed"):
        load_head(folder.path, signers=ANYBODY)


def test_shipped_models_are_signed_with_the_shipped_key() -> None:
    for folder in sorted(shipped_models().iterdir()):
        read_manifest(folder)
        assert manifest_bytes(folder)
