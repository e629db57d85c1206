"""`[encoder]` of the configuration: how many posts the encoder reads again."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EncoderSettings"]


class EncoderSettings(BaseModel):
    """Which posts an encoder reads. A post is chosen by its own linear scores, never by a quota, so that the result
    does not depend on what stands beside it; `docs/encoder.md` shows the share of posts that each setting reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = Field(default=True, description="read the posts that the linear heads find uncertain or important")
    keep: float = Field(
        default=0.98,
        ge=0.0,
        le=1.0,
        description="share of what the encoder would find on all posts that must be found still; 1 reads every post",
    )
    keep_listed: float = Field(
        default=0.98, ge=0.0, le=1.0, description="the same for posts that name somebody of the roster"
    )
    threads: int = Field(default=2, ge=1, le=64, description="posts that are read at the same time; no more than cores")
