"""Writes the files of a new election from a few answers and the ready templates."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

from hustings.errors import ConfigError
from hustings.language_tags import language_tag

__all__ = ["Answers", "day", "languages_of", "ready_rules", "write_election"]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What `hustings init` was told; what is empty or None stays empty in the charter."""

    name: str
    requester: str = ""
    mandate: str = ""
    first_day: date | None = None
    last_day: date | None = None
    languages: tuple[str, ...] = ()
    contact: str = ""


def write_election(folder: Path, answers: Answers) -> list[Path]:
    """Write the files and return them; refuses a folder that holds something. Raises `ConfigError`."""
    first, last = answers.first_day, answers.last_day
    if (first is None) != (last is None):
        raise ConfigError("the first and the last day go together: give both or neither")
    if first and last and last < first:
        raise ConfigError(f"the last day {last} lies before the first day {first}")
    values = {
        "name": _quoted(answers.name),
        "requester": _quoted(answers.requester),
        "mandate": _quoted(answers.mandate),
        "period": f"period = [{first}, {last}]" if last else "# period = [2027-02-01, 2027-04-30]   # first, last day",
        "languages": "[" + ", ".join(map(_quoted, answers.languages)) + "]",
        "contacts": f"[{_quoted(answers.contact)}]" if answers.contact else "[]",
    }
    templates = resources.files("configs").joinpath("templates")
    texts = {
        Path(name): Template(templates.joinpath(name).read_text("utf-8")).substitute(values)
        for name in ("hustings.toml", "roster.toml")
    }
    texts |= {Path("rules", name): text for name, text in ready_rules(expires=str(last) if last else "2099-12-31")}
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder}: already holds something; name a new or empty folder")
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return [folder / path for path in texts]


def ready_rules(*, expires: str) -> list[tuple[str, str]]:
    """(file name, TOML) of the rules that are shipped: templates that take their end from the charter's period."""
    found = []
    for rule in sorted(resources.files("configs").joinpath("rules").iterdir(), key=lambda entry: entry.name):
        if rule.name.endswith(".toml"):
            lines = rule.read_text("utf-8").splitlines()
            dated = [f"expires = {expires}" if line.startswith("expires =") else line for line in lines]
            found.append((rule.name, "\n".join(dated) + "\n"))
    return found


def day(text: str) -> date | None:
    """A day as people write it on the command line; None when empty. Raises `ConfigError`."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"{text!r} is no day; write it as 2027-02-01") from None


def languages_of(text: str) -> tuple[str, ...]:
    """Languages separated by commas. Raises `ConfigError` for what is no language tag."""
    return tuple(language_tag(part.strip()) for part in text.split(",") if part.strip())


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's too."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{text!a} is not UTF-8 text") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
