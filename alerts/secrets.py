"""A secret in the settings: written there, or in a file, never both, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hustings.errors import ConfigError

__all__ = ["Secret"]


class Secret(BaseModel):
    """`"value"` or `{ file = "/run/credentials/hook" }`. Files are read when needed, so a changed key needs no
    restart of the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: SecretStr | None = Field(default=None, min_length=1, description="the secret itself")
    file: Path | None = Field(default=None, description="a file that holds it; white space at its ends is ignored")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        return {"value": given} if isinstance(given, str | SecretStr) else given

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.file is None):
            raise ValueError("a secret is given as a value or as a file, one of the two")
        return self

    def reveal(self) -> str:
        """The secret. Raises `ConfigError` naming the file that is empty or cannot be read, never its content."""
        if self.value is not None:
            return self.value.get_secret_value()
        try:
            secret = str(self.file and self.file.read_text(encoding="utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"secret file {str(self.file)!r} cannot be read: {type(error).__name__}") from error
        if not secret:
            raise ConfigError(f"secret file {str(self.file)!r} is empty")
        return secret

    def kept(self) -> Secret:
        """The same secret as it is now, whatever happens to its file later. Raises `ConfigError` as `reveal` does."""
        return Secret(value=SecretStr(self.reveal()))
