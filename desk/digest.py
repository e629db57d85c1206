"""What the database keeps of a secret that a cookie or a link holds: it names the row and opens nothing."""

from __future__ import annotations

import hashlib

__all__ = ["digest"]


def digest(secret: str) -> str:
    """SHA-256, in hexadecimal. Enough for a random number of 256 bits, which nobody guesses; never for a password."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
