"""The configuration file: all of its tables, loaded and checked as a whole.

Paths are relative to the folder of the file. Settings of sources, channels, partners and servers live beside their
components and are checked here through the same tables that build them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from glob import glob
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError, field_validator

from classifiers.claims.settings import ClaimSettings
from classifiers.encoder.settings import EncoderSettings
from classifiers.targets.settings import TargetSettings
from hustings.errors import ConfigError
from runtime.config_problems import Problems, report_of
from runtime.config_tables import (
    AnalyzeSettings,
    Charter,
    DeliverSettings,
    DeploymentSettings,
    DeskSettings,
    LoggingSettings,
    LogSettings,
    PhaseSettings,
    Section,
    WatchSettings,
    missing_in_charter,
)

__all__ = [
    "Charter",
    "Config",
    "Problems",
    "SoundPart",
    "known_keys",
    "load_config",
    "load_sound_part",
    "missing_in_charter",
    "read_toml",
    "report_of",
]


class Config(Section):
    """The whole file. `sources`, `partners`, `egress`, `kafka` and `elasticsearch` stay tables here: their own
    components check them."""

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
    kafka: dict[str, Any] | None = Field(
        default=None, description="the brokers that carry the log; absent: files in the data folder"
    )
    elasticsearch: dict[str, Any] | None = Field(
        default=None, description="the nodes that hold the index; absent: files in the data folder"
    )
    egress: dict[str, Any] = Field(default={}, description="what may be reached besides https to public addresses")
    analyze: AnalyzeSettings = Field(default=AnalyzeSettings(), description="workers and batches of the analyze loop")
    encoder: EncoderSettings = Field(
        default=EncoderSettings(), description="which posts an encoder reads again after the linear heads"
    )
    claims: ClaimSettings = Field(
        default=ClaimSettings(), description="how far posts are compared with known fact-checks"
    )
    targets: TargetSettings = Field(
        default=TargetSettings(), description="what helps to tell who is attacked: spaCy models"
    )
    watch: WatchSettings = Field(default=WatchSettings(), description="workers of the watch loop")
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
        """The data folder, for commands that make none. Raises `ConfigError` when nothing has run here yet, unless all
        stores are on servers."""
        on_servers = self.kafka is not None and self.elasticsearch is not None and self.desk.database_url
        if not self.data.is_dir() and not on_servers:
            raise ConfigError(f"{self.path}: deployment.data: no folder {self.data}; nothing has run here yet")
        return self.data

    @property
    def has_desk(self) -> bool:
        """False before the desk ran here for the first time; a database on a server answers for itself."""
        return bool(self.desk.database_url) or (self.data / "desk.db").exists()

    def require_desk(self) -> None:
        """For commands that make no desk: opening a database that is missing would make an empty one. Raises
        `ConfigError`."""
        self.require_data()
        if not self.has_desk:
            database = self.data / "desk.db"
            raise ConfigError(f"{database}: no such file; the desk has never run here, or its database was taken away")

    def make_data(self) -> None:
        """Make the data folder if it is not there, for this user alone: it tells what people said and who reviews."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def database_url(self) -> str:
        return self.desk.database_url or f"sqlite:///{self.data / 'desk.db'}"

    @property
    def is_replay(self) -> bool:
        """Whether time is what archives say."""
        return self.deployment.clock == "replay"

    @property
    def base_url(self) -> str:
        return self.desk.base_url.rstrip("/") or f"http://{self.desk.bind}:{self.desk.port}"

    def resolve(self, path: Path) -> Path:
        """`path` as it is meant: relative to the folder of the configuration file."""
        return path if path.is_absolute() else self.path.parent / path

    def rule_files(self) -> list[Path]:
        """Rule files in order; raises `ConfigError` for a name or pattern that finds nothing."""
        found: list[Path] = []
        for pattern in self.rules:
            # not Path.glob: it raises for "", "." and whatever begins at the root
            matches = glob(pattern, root_dir=self.path.parent, recursive=True, include_hidden=True)
            if not matches:
                raise ConfigError(f"{self.path}: rules: {pattern!r} finds no file in {self.path.parent}")
            found.extend(sorted(self.resolve(Path(match)) for match in matches))
        return found


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
