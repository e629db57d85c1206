"""What can be asked about a post: the table of fields, and the one place that reads their values from an assessment.

The predicate, the SQLite index, the Elasticsearch mapping, `group_by` and `of` all read values through here, so a field
means the same everywhere. `docs/query-language.md` shows the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from hustings.query.languages import primary
from hustings.text import locate
from hustings.types import Assessment, Role

__all__ = [
    "FIELDS",
    "PEOPLE_FIELDS",
    "Field",
    "Kind",
    "find_field",
    "fold_host",
    "fold_signed",
    "keyword_values",
    "number_value",
    "score_values",
    "search_values",
    "time_value",
    "with_parents",
]

Kind = Literal["words", "keyword", "number", "time"]


class Field(Struct, frozen=True, kw_only=True):
    """One row of the table.

    `words` are searched by token, a `keyword` is equal or not, a `number` and a `time` are compared. A `multi` field
    can have several values. A `groupable` field has its values in the assessment itself; the other keywords, roster
    attributes and `phase`, need a roster or a calendar beside it.
    """

    name: str
    kind: Kind
    help: str
    multi: bool = False
    groupable: bool = False


def _keyword(name: str, line: str, *, multi: bool = False) -> Field:
    return Field(name=name, kind="keyword", help=line, multi=multi, groupable=True)


def _roster_attribute(role: str, line: str) -> Field:
    return Field(name=f"{role}.<attribute>", kind="keyword", help=line, multi=True)


_ROWS = (
    Field(name="text", kind="words", help="words of the text and the title; what bare words search", multi=True),
    Field(name="title", kind="words", help="words of the title alone", multi=True),
    _keyword("lang", "language, detected, else declared: `es`"),
    _keyword("source", "platform or instance that the native id belongs to"),
    _keyword("collector", "configured entry that collected the post"),
    _keyword("medium", "post, comment, article, broadcast, print, advert or tip"),
    _keyword("stream", "how it was sampled: account, keyword, random or tip"),
    _keyword("outlet", "newspaper, station or page, as its source names it"),
    _keyword("author", "roster id of a listed author, else a pseudonym"),
    _keyword("target", "roster id of a person named in any role", multi=True),
    _keyword("aimed_at", "roster id of a person whom the post is aimed at", multi=True),
    _keyword("addressed", "roster id of a person whom the post speaks to", multi=True),
    _roster_attribute("target", "roster attribute of a person named in any role: `target.party`"),
    _roster_attribute("aimed_at", "roster attribute of a person whom the post is aimed at"),
    _roster_attribute("addressed", "roster attribute of a person whom the post speaks to"),
    _keyword("flag", "code or alias that the machine gave; a code also finds its children", multi=True),
    Field(name="score.<code>", kind="number", help="highest score of a code and its children, 0 to 1: `score.G-THR`"),
    _keyword("story", "id of the group of near-identical posts"),
    _keyword("claim", "id of a matched claim", multi=True),
    _keyword("domain", "host of a link or of the post; a domain also finds its subdomains", multi=True),
    _keyword("hashtag", "hashtag, with or without `#`", multi=True),
    _keyword("mention", "account named with `@`, with or without it", multi=True),
    Field(name="phase", kind="keyword", help="phase of the electoral calendar when it was published: `P-CAMP`"),
    Field(name="reach", kind="number", help="followers, readers or views, as its source counts them; 0 when unknown"),
    Field(name="published", kind="time", help="when it was published"),
    Field(name="collected", kind="time", help="when this revision was collected"),
    _keyword("key", "name of the post: `source:native id`"),
)

FIELDS: dict[str, Field] = {row.name: row for row in _ROWS}
"""Every field by name, in the order of the documentation. Families stand as `score.<code>`, `target.<attribute>`."""

PEOPLE_FIELDS: dict[str, Role | None] = {"target": None, "aimed_at": "aimed_at", "addressed": "addressed"}
"""Fields that hold roster ids, with the role that they look at; None looks at every role."""


def find_field(name: str) -> Field | None:
    """The row for a name as a user writes it: `score.G-THR` and `target.party` find their family's row."""
    family, dot, rest = name.partition(".")
    if not dot:
        return FIELDS.get(name)
    if not rest:
        return None
    return FIELDS.get("score.<code>" if family == "score" else f"{family}.<attribute>")


def keyword_values(assessment: Assessment, field: str) -> tuple[str, ...]:
    """The distinct values of a groupable field in order of appearance, `()` when it has none. Raises `KeyError` for a
    field that is not groupable."""
    return _KEYWORD_READERS[field](assessment)


def search_values(assessment: Assessment, field: str) -> tuple[str, ...]:
    """`keyword_values` and, for `flag` and `domain`, everything above them (`G-THR-KILL`, `G-THR`, `G`), so that
    finding is plain equality in every back end."""
    values = keyword_values(assessment, field)
    return with_parents(field, values) if values else ()


def with_parents(field: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The values, each followed by the codes or domains that contain it; unchanged for every other field."""
    if field == "flag":
        return _distinct(parent for code in values for parent in _code_and_parents(code))
    if field == "domain":
        return _distinct(parent for host in values for parent in _host_and_parents(host))
    return values


def number_value(assessment: Assessment, field: str) -> float | None:
    """The number of `reach` or `score.<code>`; None when the post has no such score. Raises `KeyError` for a field
    that is not a number."""
    if field == "reach":
        return float(assessment.post.reach)
    family, _, code = field.partition(".")
    if family != "score" or not code:
        raise KeyError(field)
    found = _highest(assessment.scores.items(), code)
    if found is None:
        found = _highest(((flag.code, flag.score) for flag in assessment.flags), code)
    return found


def score_values(assessment: Assessment) -> dict[str, float]:
    """`score.<code>` for every code for which the post has one, parents included: `scores` first, else the flags' own.
    `score_values(a).get(code) == number_value(a, "score." + code)` for every code."""
    found: dict[str, float] = {}
    for code, score in assessment.scores.items():
        for parent in _code_and_parents(code):
            found[parent] = max(score, found.get(parent, score))
    of_flags: dict[str, float] = {}
    for flag in assessment.flags:
        for parent in _code_and_parents(flag.code):
            if parent not in found:
                of_flags[parent] = max(flag.score, of_flags.get(parent, flag.score))
    return found | of_flags


def time_value(assessment: Assessment, field: str) -> datetime:
    """The time of `published` or `collected`. Raises `KeyError` for a field that is not a time."""
    if field == "published":
        return assessment.post.published_at
    if field == "collected":
        return assessment.post.collected_at
    raise KeyError(field)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(values)
    found.pop("", None)
    return tuple(found)


def _one(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _language(assessment: Assessment) -> tuple[str, ...]:
    """The primary subtag, since detectors give no more: a declared `pt-BR` counts as `pt`."""
    return _one(primary(assessment.lang) or primary(assessment.post.lang))


def _people(role: Role | None) -> Callable[[Assessment], tuple[str, ...]]:
    def read(assessment: Assessment) -> tuple[str, ...]:
        if not assessment.targets:
            return ()
        return _distinct(target.id for target in assessment.targets if role is None or target.role == role)

    return read


def _domains(assessment: Assessment) -> tuple[str, ...]:
    return _distinct(_host(url) for url in (*assessment.post.links, assessment.post.url))


def _signed(sign: str, listed: tuple[str, ...], assessment: Assessment) -> tuple[str, ...]:
    """Hashtags or mentions: those that the analyser found in text and title, and those that only the source lists."""
    tokens = (*assessment.tokens, *assessment.title_tokens)
    found: dict[str, None] = {}
    if sign in "".join(tokens):  # mostly it is not, and then no token need be looked at
        found = dict.fromkeys([token[1:] for token in tokens if token.startswith(sign)])
    for value in listed:
        if value.lstrip(sign).casefold() not in found:
            found[fold_signed(sign, value)] = None
    return _distinct(found)


_KEYWORD_READERS: dict[str, Callable[[Assessment], tuple[str, ...]]] = {
    "lang": _language,
    "source": lambda assessment: _one(assessment.post.source),
    "collector": lambda assessment: _one(assessment.post.collector),
    "medium": lambda assessment: _one(assessment.post.medium),
    "stream": lambda assessment: _one(assessment.post.stream),
    "outlet": lambda assessment: _one(assessment.post.outlet),
    "author": lambda assessment: _one(assessment.post.author),
    **{name: _people(role) for name, role in PEOPLE_FIELDS.items()},
    "flag": lambda assessment: _distinct(flag.code for flag in assessment.flags),
    "story": lambda assessment: _one(assessment.story),
    "claim": lambda assessment: _distinct(assessment.claims),
    "domain": _domains,
    "hashtag": lambda assessment: _signed("#", assessment.post.hashtags, assessment),
    "mention": lambda assessment: _signed("@", assessment.post.mentions, assessment),
    "key": lambda assessment: _one(assessment.post.key),
}


@lru_cache(maxsize=1_000)
def _code_and_parents(code: str) -> tuple[str, ...]:
    parts = code.split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _host_and_parents(host: str) -> list[str]:
    parts = host.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def _highest(scores: Iterable[tuple[str, float]], wanted: str) -> float | None:
    below = wanted + "-"
    return max((score for code, score in scores if code == wanted or code.startswith(below)), default=None)


_PLAIN_HTTP = re.compile(r"https?://([a-z0-9.-]+)(?:[/?#]|\Z)")
"""Nearly every link: its host stands there as it is compared, but for a dot at the end."""
_BARE_HOST = re.compile(r"[^\s/?#:@]+\.[^\s/?#:@]+(?::\d+)?(?=[/?#]|$)")


def _host(url: str) -> str:
    """The host of a web address, lower case and in punycode, else the empty string. `example.org/a` counts too."""
    if plain := _PLAIN_HTTP.match(url):
        return plain[1].rstrip(".")
    scheme, separator, _ = url.partition("://")
    if not separator:
        if _BARE_HOST.match(url) is None:
            return ""
        url = "//" + url
    elif scheme.casefold() not in ("http", "https"):
        return ""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # a bracket without its partner, an impossible IPv6 address
        return ""
    return fold_host(host)


def fold_host(host: str) -> str:
    """A host name as it is compared: lower case, punycode, no dot at the end; the empty string when it cannot be."""
    host = host.strip().rstrip(".").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:  # an empty or overlong label, a character that no name may hold
            return ""
    return "" if any(character.isspace() for character in host) else host


@lru_cache(maxsize=10_000)
def fold_signed(sign: str, value: str) -> str:
    """A hashtag or mention as it is compared: without its sign, and as the analyser writes it where it takes the whole
    for one."""
    written = sign + value.strip().lstrip(sign)
    located = locate(written)
    is_whole = located.spans[:1] == ((0, len(written)),) and located.tokens[0].startswith(sign)
    return located.tokens[0][1:] if is_whole else written[1:].casefold()
