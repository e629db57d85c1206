"""The configuration file: every key with type, default and help; all problems in one report.

Paths are relative to the folder of the file. Settings of sources, channels and partners live beside their components
and are checked here through the same tables that build them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from hustings.errors import ConfigError
from runtime.events import Level

__all__ = [
    "AnalyzeSettings",
    "Charter",
    "Config",
    "DeliverSettings",
    "DeskSettings",
    "Problems",
    "SoundPart",
    "known_keys",
    "load_config",
    "load_sound_part",
    "missing_in_charter",
    "read_toml",
    "report_of",
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
    languages: tuple[str, ...] = Field(default=(), description="languages that are watched (BCP 47)")
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

    batch: int = Field(default=512, ge=1, le=10_000, description="most posts a batch")
    wait_ms: int = Field(default=20, ge=1, le=10_000, description="longest wait for the first post of a batch")


class DeliverSettings(Section):
    """`[deliver]`"""

    idle_ms: int = Field(default=5, ge=1, le=60_000, description="pause when nothing is due")


class DeskSettings(Section):
    """`[desk]`"""

    bind: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8780, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    base_url: str = Field(default="", description="address that people use, when it is not bind:port")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty means SQLite in the data folder")
    tips_token_file: Path | None = Field(default=None, description="file with the token that guards POST /api/tips")


class LoggingSettings(Section):
    """`[logging]`"""

    format: Literal["console", "json"] = Field(default="console", description="one line an event, either way")
    level: Level = Field(default="info", description="least level written")


class Config(Section):
    """The whole file. `sources`, `partners` and `egress` stay tables here: their own components check them."""

    path: Path = Field(exclude=True, description="where the file lies")
    deployment: DeploymentSettings = Field(description="name, data folder and clock of this deployment")
    charter: Charter | None = Field(
        default=None, description="who asked for the monitoring; nothing is collected without"
    )
    roster: Path | None = Field(default=None, description="TOML file of listed people")
    rules: tuple[str, ...] = Field(default=(), description="rule files; patterns such as rules/*.toml are allowed")
    models: Path | None = Field(default=None, description="folder of models; absent means those shipped")
    model_signers: tuple[Path, ...] = Field(
        default=(), description="public keys whose models may serve, besides those signed by Hustings itself"
    )
    phases: tuple[PhaseSettings, ...] = Field(default=(), alias="phase", description="the electoral calendar")
    sources: tuple[dict[str, Any], ...] = Field(default=(), alias="source", description="where posts come from")
    partners: tuple[dict[str, Any], ...] = Field(default=(), alias="partner", description="who is told, and how")
    log: LogSettings = Field(default=LogSettings(), description="partitions, and how long posts are kept")
    egress: dict[str, Any] = Field(default={}, description="what may be reached besides https to public addresses")
    analyze: AnalyzeSettings = Field(default=AnalyzeSettings(), description="batches of the analyze loop")
    deliver: DeliverSettings = Field(default=DeliverSettings(), description="pace of the deliver loop")
    desk: DeskSettings = Field(default=DeskSettings(), description="where the desk listens, and its database")
    logging: LoggingSettings = Field(default=LoggingSettings(), description="how log lines are written")

    @field_validator("phases")
    @classmethod
    def _phases_end_after_they_start(cls, phases: tuple[PhaseSettings, ...]) -> tuple[PhaseSettings, ...]:
        for phase in phases:
            if phase.end <= phase.start:
                raise ValueError(f"phase {phase.code} ends at {phase.end.isoformat()}, before it starts")
        return phases

    @property
    def languages(self) -> tuple[str, ...]:
        return self.charter.languages if self.charter else ()

    @property
    def data(self) -> Path:
        return self.resolve(self.deployment.data)

    def require_data(self) -> Path:
        """The data folder, for commands that make none. Raises `ConfigError` when nothing has run here yet."""
        if not self.data.is_dir():
            raise ConfigError(f"{self.path}: deployment.data: no folder {self.data}; nothing has run here yet")
        return self.data

    @property
    def database_url(self) -> str:
        return self.desk.database_url or f"sqlite:///{self.data / 'desk.db'}"

    @property
    def base_url(self) -> str:
        return self.desk.base_url or f"http://{self.desk.bind}:{self.desk.port}"

    def resolve(self, path: Path) -> Path:
        """`path` as it is meant: relative to the folder of the configuration file."""
        return path if path.is_absolute() else self.path.parent / path

    def rule_files(self) -> list[Path]:
        """Rule files in order; raises `ConfigError` for a name or pattern that finds nothing."""
        found: list[Path] = []
        for pattern in self.rules:
            matches = sorted(self.path.parent.glob(pattern))
            if not matches:
                raise ConfigError(f"{self.path}: rules: {pattern!r} finds no file in {self.path.parent}")
            found.extend(matches)
        return found


class Problems:
    """Collects what is wrong, so that one report names everything."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        self.lines.append(f"{where}: {what}")

    def extend(self, error: ConfigError) -> None:
        self.lines.extend(str(error).splitlines())

    def raise_any(self) -> None:
        if self.lines:
            raise ConfigError("\n".join(self.lines))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file, or a `ConfigError` that says where it is wrong."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def load_config(path: Path) -> Config:
    """The checked configuration. Raises `ConfigError` with one line a problem."""
    try:
        return _validated(_tables(path), path)
    except ValidationError as error:
        raise ConfigError("\n".join(_report(error, path))) from error


class SoundPart(NamedTuple):
    """A configuration without the tables that have a problem; `broken` names those."""

    config: Config
    broken: frozenset[str]
    problems: tuple[str, ...]


def load_sound_part(path: Path) -> SoundPart:
    """What can be checked further although some tables are broken. Raises `ConfigError` when nothing can be read."""
    tables = _tables(path)
    try:
        return SoundPart(_validated(tables, path), frozenset(), ())
    except ValidationError as error:
        broken = frozenset(str(problem["loc"][0]) for problem in error.errors() if problem["loc"])
        problems = tuple(_report(error, path))
    sound = {key: value for key, value in tables.items() if key not in broken}
    return SoundPart(_validated({"deployment": {"name": path.stem}, **sound}, path), broken, problems)


def _tables(path: Path) -> dict[str, Any]:
    tables = read_toml(path)
    if "path" in tables:
        raise ConfigError(f"{path}: path: unknown key")
    return tables


def _validated(tables: Mapping[str, Any], path: Path) -> Config:
    return Config.model_validate({**tables, "path": path.resolve()})


def _report(error: ValidationError, path: Path) -> list[str]:
    return report_of(error, where=str(path), known=known_keys())


def report_of(error: ValidationError, *, where: str, known: Mapping[str, Iterable[str]] | None = None) -> list[str]:
    """Ready lines of a pydantic error: file, key, what was found, what is known."""
    lines = []
    for problem in error.errors(include_url=False):
        location = [str(part) for part in problem["loc"]]
        key = ".".join(location) or "(file)"
        if problem["type"] == "extra_forbidden":
            siblings = list((known or {}).get(".".join(p for p in location[:-1] if not p.isdigit()), ()))
            near = get_close_matches(location[-1], siblings, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else (f" Known are {', '.join(siblings)}." if siblings else "")
            lines.append(f"{where}: {key}: unknown key.{hint}")
        elif problem["type"] == "missing":
            lines.append(f"{where}: {key}: missing, and it has no default")
        else:
            text = problem["msg"].removeprefix("Value error, ")
            found = problem["input"]
            shown = found.isoformat() if isinstance(found, date) else repr(found)
            lines.append(f"{where}: {key}: {text[0].lower()}{text[1:]}, found {shown}")
    return lines


def known_keys() -> dict[str, list[str]]:
    """Keys by table; "" is the file itself."""
    known: dict[str, list[str]] = {"": []}
    for name, field in Config.model_fields.items():
        if name == "path":
            continue
        key = field.alias or name
        known[""].append(key)
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                known[key] = list(part.model_fields)
    return known
