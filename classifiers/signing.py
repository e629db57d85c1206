"""Who vouches for a model: an Ed25519 signature over the exact bytes of its manifest, which names every file's hash.

`manifest.sig` is one line, `ed25519 KEY SIGNATURE`: the key's id (the first 16 hexadecimal digits of the SHA-256 of its
32 raw bytes), then the signature in base64. Public and private keys are PEM files, as OpenSSL writes them.
"""

from __future__ import annotations

import binascii
import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from classifiers.plain_files import read_plain
from hustings.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "ANYBODY",
    "SIGNATURE",
    "Signer",
    "Signers",
    "check_key",
    "check_signature",
    "create_key",
    "load_signers",
    "shipped_signers",
    "sign",
]

SIGNATURE = "manifest.sig"
_ALGORITHM = "ed25519"
_MOST_BYTES = 1000  # of a signature or a key file: both are a few lines


class Signer(NamedTuple):
    """A public key under the name of its file."""

    name: str
    key_id: str
    public: bytes

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"


class Signers(NamedTuple):
    """Whose signature makes a model trustworthy. `asks` False takes unsigned models too, and those of strangers: for
    the workbench (measure, compare, show), never for serving."""

    known: tuple[Signer, ...]
    asks: bool = True


ANYBODY = Signers((), asks=False)
"""Hashes are checked, signatures are not."""


def shipped_signers() -> Signers:
    """Those who sign the models that come with Hustings."""
    folder = files("classifiers").joinpath("signers")
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".pub")), key=lambda entry: entry.name)
    return Signers(tuple(_signer(entry.name, entry.read_bytes(), where=entry.name) for entry in entries))


def load_signers(paths: Sequence[Path]) -> Signers:
    """The shipped signers and those whose public keys lie in these files. Raises `ConfigError` for a file that is no
    Ed25519 public key."""
    added = []
    for path in paths:
        try:
            added.append(
                _signer(path.name, read_plain(path, limit=_MOST_BYTES, holds="wanted a public key"), where=str(path))
            )
        except ModelError as error:
            raise ConfigError(f"model_signers: {error}") from error
    return Signers((*shipped_signers().known, *added))


def check_signature(folder: Path, manifest: bytes, signers: Signers) -> None:
    """Raises `ModelError` unless one of the signers signed exactly these bytes."""
    if not signers.asks:
        return
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    path = folder / SIGNATURE
    if not path.exists() and not path.is_symlink():
        raise ModelError(f"{folder}: not signed; `hustings model sign {folder} --key FILE` signs what you trust")
    key_id, signature = _parsed(read_plain(path, limit=_MOST_BYTES, holds="a signature is one line"), path)
    signer = next((one for one in signers.known if one.key_id == key_id), None)
    if signer is None:
        trusted = ", ".join(map(str, signers.known)) or "nobody"
        raise ModelError(f"{path}: signed with the key {key_id}, which is not trusted here; trusted are {trusted}")
    try:
        Ed25519PublicKey.from_public_bytes(signer.public).verify(signature, manifest)
    except InvalidSignature:
        raise ModelError(
            f"{path}: not a signature of this manifest by {signer}; manifest or signature was changed"
        ) from None


def sign(manifest: bytes, key_file: Path) -> bytes:
    """The content of `manifest.sig`. Raises `ConfigError` when the file holds no Ed25519 private key."""
    key = _private_key(key_file)
    signature = b64encode(key.sign(manifest)).decode()
    return f"{_ALGORITHM} {_key_id(key.public_key().public_bytes_raw())} {signature}\n".encode()


def check_key(key_file: Path) -> None:
    """Raises `ConfigError` when nothing could be signed with the file: to be known before half an hour of training."""
    _private_key(key_file)


def _private_key(key_file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"{key_file}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{key_file}: no private key in PEM form; `hustings model keygen` makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{key_file}: a {type(key).__name__}; models are signed with Ed25519")
    return key


def create_key(private: Path, public: Path) -> Signer:
    """Make a pair of keys. Raises `ConfigError`, and writes neither, when one of the files exists (a key is never
    overwritten) or the private one would be called as public ones are: those are handed out."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    if private.suffix == public.suffix:
        raise ConfigError(f"{private}: ends as public keys do, which are handed out; name the private one otherwise")
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise ConfigError(_taken(path))
    key = Ed25519PrivateKey.generate()
    for path, content, mode in (
        (private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600),
        (public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise ConfigError(_taken(path)) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    raw = key.public_key().public_bytes_raw()
    return Signer(public.name, _key_id(raw), raw)


def _taken(path: Path) -> str:
    return f"{path}: exists already; name another file, or move the old key away first"


def _signer(name: str, content: bytes, *, where: str) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content)
    except ValueError as error:
        raise ConfigError(f"{where}: no public key in PEM form; `hustings model keygen` makes one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{where}: a {type(key).__name__}; models are signed with Ed25519")
    raw = key.public_bytes_raw()
    return Signer(name, _key_id(raw), raw)


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _parsed(raw: bytes, path: Path) -> tuple[str, bytes]:
    """Key id and signature of a `manifest.sig`."""
    try:
        algorithm, key_id, signature = raw.decode("ascii").split()
        decoded = b64decode(signature, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ModelError(f"{path}: not a signature; it is one line, `{_ALGORITHM} KEY SIGNATURE`") from error
    if algorithm != _ALGORITHM or len(decoded) != 64:
        raise ModelError(f"{path}: an {algorithm!r} signature of {len(decoded)} bytes; wanted {_ALGORITHM}, 64 bytes")
    return key_id, decoded
