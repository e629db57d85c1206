"""The language that a source's settings declare for posts that do not say theirs."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from hustings.language_tags import setting_tag

__all__ = ["DeclaredLanguage"]


def _tag(text: str) -> str:
    return setting_tag(text) if text else ""


DeclaredLanguage = Annotated[str, Field(max_length=64), AfterValidator(_tag)]
"""A BCP 47 tag, or empty for none."""
