"""A rule's own tests: posts that are made up, and what the rule has to tell about them.

Posts are one table or a list of tables. A table with `every` and `n` makes n posts, `every` apart; there a list gives
each post its own value in turn. Without them it is one post, and a list gives it several values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from msgspec import Struct

from alerts.rule import Rule
from alerts.rules.durations import read_duration
from alerts.rules.problems import Code
from alerts.rules.table import Table
from hustings.query.vocabulary import Vocabulary, nearest
from hustings.strict_value import YEARS
from hustings.text import analyse
from hustings.types import MAX_INT, Assessment, Flag, Medium, Post, Role, Stream, Target

__all__ = ["Case", "Expected", "read_cases"]

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the virtual clock of a test begins when nothing else is said: any day will do, midnight aligns every step."""

MOST_POSTS = 100_000
"""Posts of one test; more would make `rules check` slow."""

NOTICES = ("open", "update", "escalate", "renotify", "merge", "reopen", "resolve", "retract")
KINDS_OF_EXPECTATION = (*NOTICES, "amendment", "review")


class Expected(Struct, frozen=True, kw_only=True):
    """One thing that a test expects. What is None is not compared."""

    kind: str
    at: datetime | None = None
    group: dict[str, str] | None = None
    value: float | None = None
    post: str | None = None


class Case(Struct, frozen=True, kw_only=True):
    """One `[[rule.test]]`: posts in, expectations out. `start` is what `+0m` means."""

    name: str
    number: int
    posts: tuple[Assessment, ...]
    expect: tuple[Expected, ...]
    start: datetime
    until: datetime | None = None


def read_cases(table: Table, rule: Rule, vocabulary: Vocabulary) -> tuple[Case, ...]:
    """The tests of a rule; one that cannot be read is reported and left out."""
    found = table.values.get("test", [])
    if not isinstance(found, list) or not all(isinstance(case, dict) for case in found):
        table.problem("E12", "test", "takes tables [[rule.test]]")
        return ()
    named = table.values.get("group_by")
    # As written: a field that is unknown was reported already.
    fields = [field for field in named if isinstance(field, str)] if isinstance(named, list) else []
    cases: list[Case] = []
    for number, values in enumerate(found):
        try:
            cases.append(_read_case(values, number, rule, fields, vocabulary))
        except _Unreadable as error:
            table.problem(error.code, ".".join(filter(None, ("test", str(number), error.key))), str(error))
        except OverflowError:
            table.problem("E12", f"test.{number}", _NO_SUCH_YEAR)
    return tuple(cases)


_NO_SUCH_YEAR = f"posts are of the years {YEARS[0]} to {YEARS[-1]}"


class _Unreadable(Exception):
    """Something in a test cannot be; the text says what, `key` where in the test."""

    def __init__(self, text: str, code: Code = "E12", *, key: str = "") -> None:
        super().__init__(text)
        self.code: Code = code
        self.key = key


# ── one test ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_case(
    values: Mapping[str, Any], number: int, rule: Rule, fields: Sequence[str], vocabulary: Vocabulary
) -> Case:
    _refuse_unknown(values, ("name", "start", "until", "posts", "expect"), "a test")
    start = values.get("start", rule.active_from or DEFAULT_START)
    if not isinstance(start, datetime):
        raise _Unreadable(f"start takes a time such as 2026-10-01T12:00:00Z; found {start!r}")
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    for key in ("posts", "expect"):
        if key not in values:
            raise _Unreadable(f"{key} is required", "E04")
    tables = values["posts"] if isinstance(values["posts"], list) else [values["posts"]]
    posts: list[Assessment] = []
    for one in tables:
        if not isinstance(one, dict):
            raise _Unreadable(f"posts takes tables; found {one!r}")
        posts += _read_posts(one, start, len(posts), vocabulary)
    expect = values["expect"]
    if not isinstance(expect, list) or not all(isinstance(one, dict) and len(one) == 1 for one in expect):
        raise _Unreadable('expect takes a list such as [ { open = { at = "+56m", value = 12 } } ], or [] for nothing')
    return Case(
        name=str(values.get("name", f"number {number + 1}")),
        number=number,
        posts=tuple(posts),
        expect=tuple(_read_expected(kind, one[kind], start, fields) for one in expect for kind in one),
        start=start,
        until=start + _offset(values["until"]) if "until" in values else None,
    )


def _read_expected(kind: str, values: object, start: datetime, fields: Sequence[str]) -> Expected:
    if kind not in KINDS_OF_EXPECTATION:
        known = nearest(kind, KINDS_OF_EXPECTATION)
        raise _Unreadable(f"expect: nothing is called {kind!r}; {known}", "E01", key="expect")
    if not isinstance(values, dict):
        raise _Unreadable(f"expect: {kind} takes a table; found {values!r}")
    _refuse_unknown(values, ("at", "group", "value", "post"), f"expect: {kind}", within="expect")
    group, value, post = values.get("group"), values.get("value"), values.get("post")
    if isinstance(value, bool) or not isinstance(value, int | float | None) or value != value:
        raise _Unreadable(f"expect: value takes a number; found {value!r}")
    if not isinstance(post, str | None):
        raise _Unreadable(f"expect: post takes a text; found {post!r}")
    if not isinstance(group, str | dict | None):
        raise _Unreadable(f"expect: group takes a text or a table of texts; found {group!r}")
    if isinstance(group, str):
        if len(fields) != 1:
            named = ", ".join(fields) or "none"
            raise _Unreadable(f"expect: group {group!r} is for one group_by field, this rule has {named}; use a table")
        group = {fields[0]: group}
    return Expected(
        kind=kind,
        at=start + _offset(values["at"]) if "at" in values else None,
        group=None if group is None else {str(field): str(name) for field, name in group.items()},
        value=None if value is None else float(value),
        post=post,
    )


# ── posts ────────────────────────────────────────────────────────────────────────────────────────────────────────

_PLACED = ("at", "every", "n", "collected", "key", "revision")
_SINGLE = ("author", "text", "title", "lang", "collector", "medium", "stream", "outlet", "reach", "deleted", "story")
_MULTI = ("flag", "target", "aimed_at", "addressed", "claim", "domain", "hashtag", "mention")
_ROLES: dict[str, Role] = {"target": "mentioned", "aimed_at": "aimed_at", "addressed": "addressed"}


def _read_posts(values: Mapping[str, Any], start: datetime, before: int, vocabulary: Vocabulary) -> list[Assessment]:
    """The posts of one table; `before` have been made already."""
    flat = _flattened(values)
    _refuse_unknown(
        [key for key in flat if not key.startswith("score.")], (*_PLACED, *_SINGLE, *_MULTI), "posts", within="posts"
    )
    repeats = "every" in flat or "n" in flat
    n = flat.get("n", 1)
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST_POSTS - before:
        raise _Unreadable(f"posts: n takes a whole number from 1 to {MOST_POSTS} in all; found {n!r}")
    if n > 1 and "every" not in flat:
        raise _Unreadable("posts: n needs `every`, the time between two posts", "E04", key="posts")
    every = _offset(flat.get("every", "0s"))
    made: list[Assessment] = []
    for number in range(n):
        turn = {key: _in_turn(value, number) if repeats else value for key, value in flat.items()}
        at = start + _offset(turn.get("at", "+0m")) + number * every
        if at.year not in YEARS:
            raise _Unreadable(_NO_SUCH_YEAR)
        made.append(_post(turn, at, str(before + number + 1), vocabulary))
    return made


def _post(values: Mapping[str, Any], at: datetime, native_id: str, vocabulary: Vocabulary) -> Assessment:
    """One post with what the test says about it; it is collected when it is published unless `collected` says when."""
    text, title = _text(values, "text"), _text(values, "title")
    many = {key: _listed(values.get(key, []), key) for key in _MULTI}
    scores = {key.removeprefix("score."): _unit(key, value) for key, value in values.items() if "score." in key}
    for name in (*many["flag"], *scores):
        if vocabulary.codebook.expand(name) is None:
            known = [*vocabulary.codebook.codes, *vocabulary.codebook.aliases]
            raise _Unreadable(f"posts: no code or alias {name!r}; {nearest(name, known)}", "E11", key="posts")
    collected = _offset(values["collected"]) if "collected" in values else timedelta(0)
    post = Post(
        source="test",
        native_id=_text(values, "key") or native_id,
        text=text,
        title=title,
        published_at=at,
        collected_at=at + collected,
        revision=_natural(values, "revision"),
        deleted=values.get("deleted") is True,
        collector=_text(values, "collector"),
        medium=_choice(values, "medium", get_args(Medium), "post"),
        stream=_choice(values, "stream", get_args(Stream), "keyword"),
        outlet=_text(values, "outlet"),
        lang=_text(values, "lang"),
        author=_text(values, "author"),
        mentions=many["mention"],
        hashtags=many["hashtag"],
        links=tuple(f"https://{host}/" for host in many["domain"]),
        reach=_natural(values, "reach"),
    )
    return Assessment(
        post=post,
        targets=tuple(Target(id=name, role=role) for key, role in _ROLES.items() for name in many[key]),
        flags=tuple(
            Flag(code=code, score=1.0) for name in many["flag"] for code in (vocabulary.codebook.expand(name) or ())[:1]
        ),
        scores={code: score for name, score in scores.items() for code in vocabulary.codebook.expand(name) or ()},
        story=_text(values, "story"),
        claims=many["claim"],
        tokens=analyse(text).tokens,
        title_tokens=analyse(title).tokens,
    )


def _flattened(values: Mapping[str, Any]) -> dict[str, Any]:
    """`score.G = 0.9` without quotes is a table within: the same thing."""
    scores = values.get("score", {})
    flat = {key: value for key, value in values.items() if key != "score"}
    return flat | ({f"score.{code}": score for code, score in scores.items()} if isinstance(scores, dict) else {})


def _in_turn(value: object, number: int) -> object:
    return value[number % len(value)] if isinstance(value, list) and value else value


def _listed(value: object, key: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise _Unreadable(f"posts: {key} takes texts; found {value!r}")
    return tuple(values)


def _text(values: Mapping[str, Any], key: str) -> str:
    found = values.get(key, "")
    if not isinstance(found, str):
        raise _Unreadable(f"posts: {key} takes a text; found {found!r}")
    return found


def _choice(values: Mapping[str, Any], key: str, known: Sequence[str], default: str) -> Any:
    found = values.get(key, default)
    if found not in known:
        raise _Unreadable(f"posts: no {key} {found!r}; {nearest(str(found), known)}", "E11", key="posts")
    return found


def _natural(values: Mapping[str, Any], key: str) -> int:
    found = values.get(key, 0)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MAX_INT:
        raise _Unreadable(f"posts: {key} takes a whole number from 0; found {found!r}")
    return found


def _unit(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _Unreadable(f"posts: {key} takes a number from 0 to 1; found {value!r}")
    return float(value)


_PART = re.compile(r"\d+(?:\.\d+)?[smhd]")


def _offset(text: object) -> timedelta:
    """`+56m`, `+1h30m`, `4m`."""
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not isinstance(text, str) or not parts or "".join(parts) != text.removeprefix("+").replace(" ", ""):
        raise _Unreadable(f"expected a time such as `+56m` or `+1h30m`; found {text!r}", "E05")
    spans = [span for part in parts if (span := read_duration(part)) is not None]
    if len(spans) < len(parts):
        raise _Unreadable(f"this time is too long: {text!r}", "E05")
    return sum(spans, timedelta(0))


def _refuse_unknown(
    given: Sequence[str] | Mapping[str, Any], known: Sequence[str], where: str, *, within: str = ""
) -> None:
    for key in given:
        if key not in known:
            path = ".".join(filter(None, (within, key)))
            raise _Unreadable(f"{where} has no key {key!r}; {nearest(key, known)}", "E01", key=path)
