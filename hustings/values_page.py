"""docs/values.md, generated from `hustings.types`: every value, its fields, types, defaults and meaning.

`python -m hustings.values_page > docs/values.md` writes it; a test compares the committed page, and fails when a field
has no meaning here.
"""

from __future__ import annotations

import inspect as python_inspect
import sys
from typing import Any, Final, cast

import msgspec
from msgspec import inspect

from hustings import types
from hustings.types import SCHEMA

__all__ = ["MEANINGS", "page", "values"]

_SCHEMA: Final = "version of the wire form"
_GROUP: Final = "field and value, for each field that the rule groups by"
_SPANS: Final = "where in the original it stands"

MEANINGS: Final[dict[str, dict[str, str]]] = {
    "Media": {
        "kind": "what it is",
        "url": "where it was found",
        "sha256": "hash of its bytes, when they were seen",
        "alt": "description given by the source",
    },
    "BroadcastDetail": {
        "programme": "name of the programme",
        "offset_s": "seconds from its start",
        "seconds": "length of the segment",
        "speaker": "who speaks",
        "tone": "towards the person spoken of, as a monitor heard it",
    },
    "PrintDetail": {
        "page": "page, as printed",
        "area_cm2": "area of the article in square centimetres",
        "tone": "towards the person written of, as a monitor read it",
    },
    "Post": {
        "source": "name space of native ids: a platform or instance; no colon, no white space",
        "native_id": "id at the source",
        "text": "the text as collected; empty when deleted",
        "published_at": "event time",
        "collected_at": "when this revision was handed to the log",
        "revision": "edit time at the source in milliseconds, else 0; the highest is the truth",
        "deleted": "gone at the source, or erased here: text and title are empty",
        "collector": "the configured source that brought it",
        "medium": "what kind of utterance",
        "stream": "why it was collected",
        "outlet": "who published it",
        "title": "headline, where there is one",
        "url": "where it can be seen",
        "reply_to": "key or id of the post that it answers",
        "lang": "language declared by the source",
        "author": "roster id, or keyed pseudonym; never a raw handle of a person who is not listed",
        "mentions": "handles mentioned",
        "hashtags": "hashtags, without `#`",
        "links": "web addresses in the text",
        "media": "what is attached",
        "reach": "people reached, as the source counts",
        "broadcast": "where in a programme",
        "print": "where in a newspaper",
        "evidence": "SHA-256 of the raw capture",
        "schema": _SCHEMA,
    },
    "Span": {
        "start": "first character",
        "end": "after the last character",
        "part": "of which part of the post",
    },
    "Flag": {
        "code": "code from the codebook",
        "score": "calibrated score",
        "threshold": "at or above which the code is given",
        "classifier": "`name@version` that gave it",
        "spans": _SPANS,
        "example": "sentence written for training classifiers that reads most like the post; never evidence",
    },
    "Withheld": {
        "flag": "what was flagged before, with its own score",
        "by": "`name@version` that reads the post as protected speech",
    },
    "Target": {
        "id": "roster id",
        "role": "how the post relates to the person",
        "spans": _SPANS,
    },
    "Assessment": {
        "post": "the post itself",
        "lang": "language detected; `und` when nothing tells, empty before anything looked",
        "lang_score": "how sure",
        "targets": "people of the roster named in it",
        "flags": "codes at or above their threshold",
        "withheld": "flags that were taken back; they count for nothing",
        "scores": "every head's score by code, below the threshold too",
        "story": "id of the group of near-copies",
        "claims": "ids of the fact-checks that it matches (`claim:ID`)",
        "tokens": "the analyser's tokens of the text",
        "title_tokens": "the analyser's tokens of the title",
        "removed": "characters that the analyser took away or repaired as disguise",
        "first_collected_at": "ingest time: first collection of the key, unchanged by revisions",
        "assessed_at": "when it was assessed",
        "models": "version of each model that looked",
        "schema": _SCHEMA,
    },
    "Hit": {
        "rule": "id of the rule",
        "logic": "hash of what the rule asks",
        "group": _GROUP,
        "step": "which step of a sequence",
        "key": "key of the post",
        "revision": "revision of the post",
        "withdrawn": "this revision meets the rule no longer",
        "t": "event time",
        "g": "ingest time of the key",
        "revised_at": "collection time of this revision",
        "edited_at": "collection time of a late edit, where `revised_at` is that of the revision before",
        "of": "values that the rule counts or compares",
        "late_of": "values that a late edit added: they do not count, amendments tell of them",
        "number": "the number that the rule sums or averages",
        "score": "for choosing evidence",
        "author": "for choosing evidence",
        "schema": _SCHEMA,
    },
    "Mark": {
        "partition": "partition of the posts topic",
        "offset": "everything before it is analysed",
        "at": "nothing older is unread",
        "schema": _SCHEMA,
    },
    "Notice": {
        "alert": "id of the alert",
        "kind": "what happened",
        "key": "kind with its threshold or due time: a notice is made once per key",
        "at": "event time of the happening",
        "revision": "revision that the alert had by it",
    },
    "Alert": {
        "id": "made from rule, logic, group and the opening anchor known when it was created",
        "rule": "id of the rule",
        "rule_name": "its name",
        "rule_version": "its version",
        "logic": "hash of what the rule asks",
        "group": _GROUP,
        "state": "where the episode stands",
        "revision": "rises with each notice",
        "merged_into": "the alert that took its crossings",
        "opening_anchor": "the anchor in its id",
        "opened_at": "first crossing known now",
        "last_crossing_at": "last crossing",
        "resolved_at": "when it resolved",
        "detected_at": "when it was found",
        "value": "the largest value reached",
        "reason": "what was compared with what",
        "evidence": "keys of chosen posts",
        "notices": "what people may be told, in order",
        "severity": "from the rule",
        "tlp": "marking: who may see it",
        "topics": "which partners it is for",
        "review": "whether a person must release it",
        "shadow": "evaluated and shown, never delivered",
        "schema": _SCHEMA,
    },
    "Amendment": {
        "rule": "id of the rule",
        "rule_name": "its name",
        "group": _GROUP,
        "anchor": "the touched anchor with the largest value",
        "value": "that value",
        "post": "key of the late post",
    },
    "QueueEntry": {
        "key": "key of the post",
        "rule": "id of the rule that asks for review",
        "reason": "why, in words",
        "priority": "higher is sooner",
        "probability": "how likely the post was to be chosen",
        "at": "when it was asked for",
    },
    "Review": {
        "id": "id of this judgement",
        "reviewer": "pseudonym of the reviewer",
        "slot": "first or second reading",
        "subject": "what was judged",
        "subject_id": "its key or id",
        "subject_revision": "the revision that was seen",
        "codes": "codes given",
        "verdict": "what should be done",
        "note": "in the reviewer's words",
        "codebook": "version of the codebook",
        "shown": "what the machine had displayed",
        "at": "when",
        "schema": _SCHEMA,
    },
    "DeadLetter": {
        "id": "names where it came from",
        "stage": "the loop that gave up",
        "reason": "typed reason (`errors.DeadReason`)",
        "detail": "what was found and where",
        "origin": "source, or topic, partition and offset",
        "original": "the bytes themselves",
        "at": "when",
        "code_version": "version of Hustings that gave up",
        "schema": _SCHEMA,
    },
}
"""What each field means, by value and field."""

_HEAD: Final = f"""# Values

Generated from `hustings/types.py` by `hustings/values_page.py`; do not edit.

Everything that flows through Hustings is one of these values; as JSON they are the wire form too (schema {SCHEMA}).
A field left at its default is not written, one without default is required. `text ≤ 512` is at most 512 characters.
Times are RFC 3339 with their zone, and UTC inside. At the edge (`wire.decode_strict`) an unknown key is an error.
"""


def values() -> list[type[msgspec.Struct]]:
    """The values, in the order of `hustings/types.py`."""
    found = [kind for kind in vars(types).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    return [kind for kind in found if kind.__module__ == types.__name__]


def page() -> str:
    """The text of docs/values.md."""
    return _HEAD + "".join(_section(kind) for kind in values())


def _section(kind: type[msgspec.Struct]) -> str:
    info = cast("inspect.StructType", inspect.type_info(kind))
    meanings = MEANINGS[kind.__name__]
    rows = [
        f"| `{field.encode_name}` | {_words(field.type)} | {_default(field)} | {meanings[field.name]} |"
        for field in info.fields
    ]
    if info.tag_field is not None:
        rows.append(
            f"| `{info.tag_field}` | text | `{info.tag}` | tells the values of one topic apart; always written |"
        )
    computed = [
        f"- `{name}`: {python_inspect.getdoc(member)}"
        for name, member in vars(kind).items()
        if isinstance(member, property)
    ]
    derived = "\n\nComputed, not written:\n\n" + "\n".join(computed) if computed else ""
    return (
        f"\n## {kind.__name__}\n\n{python_inspect.getdoc(kind)}\n\n"
        "| field | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + derived + "\n"
    )


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default: Any = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory() if callable(field.default_factory) else None
    return f"`{msgspec.json.encode(default).decode()}`"


def _words(kind: inspect.Type) -> str:
    """A type in words of JSON."""
    match kind:
        case inspect.StrType(max_length=limit):
            return "text" if limit is None else f"text ≤ {limit:,}"
        case inspect.IntType(ge=low):
            return "integer" if low is None else f"integer from {low}"
        case inspect.FloatType(ge=low, le=high):
            bounds = f" from {low:g}" if low is not None else ""
            return "number" + bounds + (f" to {high:g}" if high is not None else "")
        case inspect.BoolType():
            return "true or false"
        case inspect.NoneType():
            return "null"
        case inspect.BytesType():
            return "bytes in base64"
        case inspect.DateTimeType():
            return "time"
        case inspect.LiteralType(values=literals):
            return ", ".join(f"`{literal}`" if literal else "empty" for literal in literals)
        case inspect.VarTupleType(item_type=item):
            return f"list of {_words(item)}"
        case inspect.TupleType(item_types=items):
            return f"list of {len(items)} ({', '.join(map(_words, items))})"
        case inspect.DictType(value_type=value):
            return f"table of {_words(value)}"
        case inspect.StructType(cls=cls):
            return f"[{cls.__name__}](#{cls.__name__.lower()})"
        case inspect.UnionType(types=kinds):
            return " or ".join(_words(inner) for inner in kinds)
        case _:
            raise TypeError(f"values_page knows no words for {kind!r}")


if __name__ == "__main__":
    sys.stdout.write(page())
