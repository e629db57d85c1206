"""Writes the files of a new election from a few answers and the ready templates."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

from hustings.errors import ConfigError

__all__ = ["Answers", "ready_rules", "write_election"]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What `hustings init` was told; an empty text stays empty in the charter."""

    name: str
    requester: str = ""
    mandate: str = ""
    first_day: str = ""
    last_day: str = ""
    languages: tuple[str, ...] = ()
    contact: str = ""


def write_election(folder: Path, answers: Answers) -> list[Path]:
    """Write the files and return them; refuses a folder that holds something. Raises `ConfigError`."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder}: already holds something; name a new or empty folder")
    first, last = _day(answers.first_day, "first day"), _day(answers.last_day, "last day")
    if first and last and last < first:
        raise ConfigError(f"the last day {last} lies before the first day {first}")
    values = {
        "name": _quoted(answers.name),
        "requester": _quoted(answers.requester),
        "mandate": _quoted(answers.mandate),
        "period": f"[{first}, {last}]"
        if first and last
        else "[]  # [first day, last day], such as [2027-02-01, 2027-04-30]",
        "languages": "[" + ", ".join(_quoted(language) for language in answers.languages) + "]",
        "contacts": f"[{_quoted(answers.contact)}]" if answers.contact else "[]",
        "expires": str(last) if last else "2099-12-31",
    }
    templates = resources.files("configs").joinpath("templates")
    written = []
    for name, template in (
        ("hustings.toml", templates.joinpath("hustings.toml")),
        ("roster.toml", templates.joinpath("roster.toml")),
    ):
        written.append(_write(folder / name, Template(template.read_text("utf-8")).substitute(values)))
    for name, text in ready_rules(expires=values["expires"]):
        written.append(_write(folder / "rules" / name, text))
    return written


def ready_rules(*, expires: str) -> list[tuple[str, str]]:
    """(file name, TOML) of the rules that are shipped: templates that take their end from the charter's period."""
    found = []
    for rule in sorted(resources.files("configs").joinpath("rules").iterdir(), key=lambda entry: entry.name):
        if rule.name.endswith(".toml"):
            lines = rule.read_text("utf-8").splitlines()
            dated = [f"expires = {expires}" if line.startswith("expires =") else line for line in lines]
            found.append((rule.name, "\n".join(dated) + "\n"))
    return found


def _day(text: str, what: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{what}: found {text!r}; write it as 2027-02-01") from None


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path
