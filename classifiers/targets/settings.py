"""`[targets]` of the configuration: installed spaCy models that help to tell who is attacked."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TargetSettings"]


class TargetSettings(BaseModel):
    """Which languages are parsed. Without a model a language is read by its rules alone; docs/targets.md says what a
    parser adds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spacy_model: dict[str, str] = Field(
        default={},
        description="spaCy models with a dependency parser, by language: the name of an installed one, or a folder",
    )

    def beside(self, folder: Path) -> TargetSettings:
        """With folders, which are names that hold a slash, relative to `folder`."""
        names = {lang: str(folder / name) if "/" in name else name for lang, name in self.spacy_model.items()}
        return self.model_copy(update={"spacy_model": names})
