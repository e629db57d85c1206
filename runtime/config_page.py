"""docs/configuration.md, generated from the settings: every key of the configuration, its type, default and meaning.

`python -m runtime.config_page > docs/configuration.md` writes it; a test compares the committed page, and fails when a
key has no description.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from alerts.channels import CHANNELS
from alerts.partners import ChannelEntry, Partner, Redaction
from alerts.secrets import Secret
from hustings.registry import resolve
from hustings.roster import Person
from index.elastic.settings import ElasticSettings
from ingest import SOURCES
from ingest.columns import Columns
from ingest.egress import EgressSettings
from ingest.log_kafka.settings import KafkaSettings
from runtime.component_settings import settings_of
from runtime.config import Config
from runtime.source_tables import COMMON_KEYS

__all__ = ["PERSON_KEYS", "page"]

_OF_COMPONENTS: Final[dict[str, type[BaseModel]]] = {
    "kafka": KafkaSettings,
    "elasticsearch": ElasticSettings,
    "egress": EgressSettings,
}
"""Tables that `Config` leaves to their components."""

PERSON_KEYS: Final[dict[str, str]] = {
    "id": "never reused; alerts, reviews and queries name people by it",
    "name": "as the desk shows it",
    "names": "full spellings, in any script",
    "aliases": "nicknames and short forms",
    "ambiguous": "those of the aliases that are also common words: they link only near one of `context`",
    "context": "words that stand near an ambiguous alias where it means this person",
    "handles": "accounts, each as `platform:handle`",
    "attributes": "`party`, `gender`, `office`, …: what queries read as `target.party`; from public registers only",
}
"""What each key of a person of the roster means."""

_HEAD: Final = """# Configuration

Generated from the settings in the code by `runtime/config_page.py`; do not edit.

One TOML file says all of a deployment. `hustings init` writes one, `hustings check` names every problem at once; an
unknown key is one. Relative paths mean the folder of the file. Commands that work on a deployment take the file that
is named, else the one of the environment's `HUSTINGS_CONFIG`; `search`, `erase`, `backup`, `restore`, `claims`,
`dead-letters` and `source` then take `./hustings.toml`.

Ready to copy: [a laptop](../configs/laptop.toml), [a cluster](../configs/cluster.toml),
[a source of each kind](../configs/examples/sources.toml). What may be said of a post, in codes, stands in the codebook
([codebook.toml](../configs/codebook.toml)), which is shipped and no part of this file.

## The file itself

These stand above all tables. Rule files: [alert-rules.md](alert-rules.md); models: [models.md](models.md).
"""

_TOP: Final = ("roster", "rules", "models", "model_signers")


def page() -> str:
    """The text of docs/configuration.md."""
    fields = {field.alias or name: field for name, field in Config.model_fields.items() if name != "path"}
    parts = [_HEAD, _rows((name, fields[name]) for name in _TOP)]
    for name, field in fields.items():
        if name == "source":
            parts.append(_sources(field))
        elif name == "partner":
            parts.append(_partners(field))
        elif name not in _TOP:
            several = "[[{}]]" if str(get_origin(field.annotation)) == "<class 'tuple'>" else "[{}]"
            parts.append(f"\n## `{several.format(name)}`\n\n{_sentence(field)}\n")
            parts.append(_table(_OF_COMPONENTS.get(name) or _model_in(field.annotation)))
    parts.append(_roster())
    return "".join(parts)


def _sources(field: FieldInfo) -> str:
    lines = [f"\n## `[[source]]`\n\n{_sentence(field)} Keys that go with any kind:\n"]
    lines.append(_lines([name, *said] for name, said in COMMON_KEYS.items()))
    for kind in sorted(SOURCES):
        settings = settings_of(resolve(kind, SOURCES, group="hustings.sources"))
        lines.append(f'\n### `kind = "{kind}"`\n')
        lines.append(_table(settings))
        if any(one.annotation is Columns for one in settings.model_fields.values()):
            lines.append(f"\n### `[source.columns]`\n\nOf `{kind}`. Each key names one column or several.\n")
            lines.append(_table(Columns))
    return "".join(lines)


def _partners(field: FieldInfo) -> str:
    lines = [f"\n## `[[partner]]`\n\n{_sentence(field)} What they get: [alert-message.md](alert-message.md).\n"]
    lines.append(_table(Partner))
    lines.append("\n### `[partner.redaction]`\n" + _table(Redaction))
    lines.append("\n### `[[partner.channels]]`\n" + _table(ChannelEntry))
    for kind in sorted(CHANNELS):
        settings = settings_of(resolve(kind, CHANNELS, group="hustings.channels"))
        lines.append(f'\n### `settings`, with `kind = "{kind}"`\n' + _table(settings))
    lines.append('\n### A secret\n\nIs written as text, or as `{ file = "PATH" }`.\n' + _table(Secret))
    return "".join(lines)


def _roster() -> str:
    info = {one.encode_name: one for one in msgspec.structs.fields(Person)}
    rows = [[name, _words(info[name].type), _default_of(info[name]), said] for name, said in PERSON_KEYS.items()]
    return (
        "\n## The roster: `[[person]]`\n\nIn the file that `roster` names, beside `version` (text), which is recorded"
        " with what was linked by it.\n" + _lines(rows)
    )


def _default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    return _toml(field.default if field.default is not msgspec.NODEFAULT else field.default_factory())


def _table(model: type[BaseModel]) -> str:
    return _rows((field.alias or name, field) for name, field in model.model_fields.items())


def _rows(fields: Any) -> str:
    return _lines([name, _bounded(field), _default(field), _meaning(name, field)] for name, field in fields)


def _lines(rows: Any) -> str:
    lines = [f"| `{name}` | {kind} | {default} | {meaning} |" for name, kind, default, meaning in rows]
    return "\n| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"


def _sentence(field: FieldInfo) -> str:
    text = str(field.description)
    return f"{text[0].upper()}{text[1:]}."


def _meaning(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise TypeError(f"{name}: a setting without a description cannot be on the page")
    return field.description.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default if field.default is not PydanticUndefined else field.get_default(call_default_factory=True)
    return "see below" if isinstance(value, BaseModel) else _toml(value)


def _toml(value: Any) -> str:
    """A default as it would be written."""
    match value:
        case None:
            return "absent"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value}`"
        case tuple() | list():
            return f"`[{', '.join(_toml(one).strip('`') for one in value)}]`"
        case dict():
            return "`{}`"
        case str() | Path():
            return f'`"{value}"`'
        case _:
            raise TypeError(f"config_page cannot write {value!r}")


def _bounded(field: FieldInfo) -> str:
    """Type and bounds of a number."""
    words = _words(field.annotation)
    if not words.startswith(("integer", "number")):
        return words
    limits = {key: getattr(one, key) for one in field.metadata for key in ("ge", "le") if hasattr(one, key)}
    low = f" from {_number(limits['ge'])}" if "ge" in limits else ""
    return words + low + (f" to {_number(limits['le'])}" if "le" in limits else "")


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def _model_in(annotation: Any) -> type[BaseModel]:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    raise TypeError(f"config_page finds no settings in {annotation!r}")


def _words(kind: Any) -> str:
    """A type in words of TOML."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _words(parts[0])
    if origin is Literal:
        return ", ".join(f"`{one}`" if one else "empty" for one in parts)
    if origin in (Union, UnionType):
        return " or ".join(_words(one) for one in parts if one is not NoneType)
    if origin in (tuple, list):
        return (
            f"list of {_words(parts[0])}"
            if parts[-1] is Ellipsis
            else f"list of {len(parts)} ({', '.join(map(_words, parts))})"
        )
    if origin is dict:
        return "table of text" if parts[1] is str else "table"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "secret" if kind is Secret else "table"
    named = {
        bool: "true or false",
        int: "integer",
        float: "number",
        str: "text",
        Path: "path",
        date: "day",
        datetime: "time with zone",
    }
    if kind in named:
        return named[kind]
    if getattr(kind, "__name__", "") == "SecretStr":
        return "text"
    raise TypeError(f"config_page knows no words for {kind!r}")


if __name__ == "__main__":
    sys.stdout.write(page())
