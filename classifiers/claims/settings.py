"""`[claims]` of the configuration: how far a post is compared with known fact-checks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ClaimSettings"]


class ClaimSettings(BaseModel):
    """Whether posts that words leave undecided are compared by meaning, and how much is read for one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_meaning: bool = Field(
        default=True, description="compare English posts by meaning where words decide nothing (docs/claims.md)"
    )
    most_read: int = Field(
        default=10,
        ge=1,
        le=30,
        description="most claims that are read for one post, at about 3 ms each; what was read is kept",
    )
