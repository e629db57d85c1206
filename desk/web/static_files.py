"""The three files beside the pages, read once; their address holds their hash, so a browser may keep them for ever."""

from __future__ import annotations

import hashlib
from importlib import resources

__all__ = ["StaticFiles"]

_KINDS = {
    "desk.css": "text/css; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}


class StaticFiles:
    """Content and address of each file."""

    def __init__(self) -> None:
        folder = resources.files("desk.web").joinpath("static")
        self._contents = {name: folder.joinpath(name).read_bytes() for name in _KINDS}
        self._digests = {name: hashlib.sha256(raw).hexdigest()[:16] for name, raw in self._contents.items()}

    def path(self, name: str) -> str:
        """The address of a file. Raises `KeyError` for one that is not shipped."""
        return f"/static/{self._digests[name]}/{name}"

    def find(self, digest: str, name: str) -> tuple[bytes, str] | None:
        """(content, media type) of the file at that address, None when there is none."""
        if self._digests.get(name) != digest:
            return None
        return self._contents[name], _KINDS[name]
