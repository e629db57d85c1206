"""The tables of the configuration file whose keys are fixed: every key with type, default and help."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hustings.language_tags import setting_tag
from runtime.events import Level

__all__ = [
    "AnalyzeSettings",
    "Charter",
    "DeliverSettings",
    "DeploymentSettings",
    "DeskSettings",
    "LogSettings",
    "LoggingSettings",
    "PhaseSettings",
    "Section",
    "WatchSettings",
    "missing_in_charter",
]


class Section(BaseModel):
    """What all tables share: nothing changes after loading, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeploymentSettings(Section):
    """`[deployment]`"""

    name: str = Field(description="what this deployment is called in pages and messages")
    data: Path = Field(default=Path("var"), description="folder of log, index, desk database, evidence and keys")
    clock: Literal["live", "replay"] = Field(
        default="live", description="`replay`: all sources read archives and time is what they say"
    )


class Charter(Section):
    """`[charter]`: who asked for the monitoring and under which mandate. `collect` refuses to start while it is
    incomplete; the keys are optional here so that `check` can name all that is missing at once."""

    requester: str = Field(default="", description="who asked for the monitoring")
    mandate: str = Field(default="", description="what it is for, in a sentence or two")
    period: tuple[date, date] | None = Field(default=None, description="first and last day")
    languages: tuple[Annotated[str, AfterValidator(setting_tag)], ...] = Field(
        default=(), description="languages that are watched (BCP 47)"
    )
    recipients: tuple[str, ...] = Field(default=(), description="who may receive alerts")
    legal_basis: str = Field(default="", description="on what legal ground personal data are processed")
    contacts: tuple[str, ...] = Field(default=(), description="who answers objections")
    dpia_ref: str = Field(default="", description="where the data protection impact assessment is kept")


def missing_in_charter(charter: Charter | None) -> list[str]:
    """The keys of the charter that are absent or empty, in the order of the table; all of them without a charter."""
    given = charter or Charter()
    return [name for name in Charter.model_fields if not getattr(given, name)]


def _utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("needs a time zone, for example 2027-03-14T06:00:00Z")
    return when.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]


class PhaseSettings(Section):
    """`[[phase]]`: a part of the electoral calendar."""

    code: str = Field(description="a P-code of the codebook, such as P-CAMP")
    start: Moment = Field(description="first moment that belongs to it")
    end: Moment = Field(description="first moment after it")


class LogSettings(Section):
    """`[log]`"""

    posts_partitions: int = Field(default=1, ge=1, le=64, description="partitions of the posts topic")
    hits_partitions: int = Field(default=1, ge=1, le=64, description="partitions of the hits topic")
    keep_days: int = Field(
        default=30, ge=1, description="`hustings prune` forgets what came before that, in the log and in the index"
    )


class AnalyzeSettings(Section):
    """`[analyze]`"""

    workers: int = Field(
        default=1, ge=1, le=64, description="processes that `hustings run` starts; they share the posts partitions"
    )
    batch: int = Field(default=512, ge=1, le=10_000, description="most posts a batch")
    wait_ms: int = Field(default=20, ge=1, le=10_000, description="longest wait for the first post of a batch")


class WatchSettings(Section):
    """`[watch]`"""

    workers: int = Field(
        default=1, ge=1, le=64, description="processes that `hustings run` starts; they share the hits partitions"
    )


class DeliverSettings(Section):
    """`[deliver]`"""

    idle_ms: int = Field(default=5, ge=1, le=60_000, description="pause when nothing is due")


class DeskSettings(Section):
    """`[desk]`"""

    bind: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8780, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    base_url: str = Field(default="", description="address that people use, when it is not bind:port")
    database_url: str = Field(
        default="", description="such as postgresql+pg8000://USER@HOST:5432/NAME; empty means SQLite in the data folder"
    )
    database_password_file: Path | None = Field(
        default=None, description="file with the password of the user in database_url"
    )
    tips_token_file: Path | None = Field(default=None, description="file with the token that guards POST /api/tips")


class LoggingSettings(Section):
    """`[logging]`"""

    format: Literal["console", "json"] = Field(default="console", description="one line an event, either way")
    level: Level = Field(default="info", description="least level written")
