"""How the desk says no to a person. The pages show the text; nothing was changed."""

from __future__ import annotations

from hustings.errors import HustingsError

__all__ = ["Conflict", "Refused"]


class Refused(HustingsError):
    """What was asked is not allowed, or makes no sense; the text says why."""


class Conflict(HustingsError):
    """Somebody or something was faster: the lease is gone, the post was edited, the alert changed. Look again."""
