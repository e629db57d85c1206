"""The wire form: what goes out, what comes back, and how the edge refuses what others send."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings import types
from hustings.errors import BadInput
from hustings.types import (
    Alert,
    Amendment,
    Assessment,
    BroadcastDetail,
    DeadLetter,
    Flag,
    Hit,
    Mark,
    Media,
    Notice,
    Post,
    PrintDetail,
    QueueEntry,
    Review,
    Span,
    Target,
    Withheld,
)
from hustings.wire import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ENTRIES,
    decode,
    decode_json_strict,
    decode_strict,
    encode,
    encode_over,
)

Golden = Callable[[str, str], None]

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
GROUP = (("aimed_at", "c1"),)
MINIMAL = (
    '{"source":"files","native_id":"1","text":"Vote on Sunday",'
    '"published_at":"2026-10-01T12:00:00Z","collected_at":"2026-10-01T12:00:05Z"}'
)
POST = Post(
    source="mastodon.example",
    native_id="110",
    text="The poll is on Sunday 🗳",
    published_at=NOON,
    collected_at=NOON + timedelta(seconds=5, microseconds=250_000),
    revision=7,
    collector="northern-tags",
    medium="broadcast",
    stream="account",
    outlet="radio-north",
    title="Morning show",
    url="https://mastodon.example/@desk/110",
    reply_to="mastodon.example:109",
    lang="en",
    author="p-4f1c",
    mentions=("desk",),
    hashtags=("vote",),
    links=("https://example.org/poll",),
    media=(Media(kind="image", url="https://example.org/a.png", alt="a queue"),),
    reach=1200,
    broadcast=BroadcastDetail(programme="Morning", offset_s=12.5, seconds=30.0, speaker="host", tone="neutral"),
    print=PrintDetail(page="3", area_cm2=40.5),
    evidence="ab" * 32,
)
VALUES = [
    POST,
    Post(source="files", native_id="1", text="", published_at=NOON, collected_at=NOON, deleted=True),
    Assessment(
        post=POST,
        lang="en",
        lang_score=0.98,
        targets=(Target(id="c1", role="aimed_at", spans=(Span(start=0, end=3),)),),
        flags=(
            Flag(
                code="G-THR",
                score=0.91,
                threshold=0.8,
                classifier="linear@3",
                spans=(Span(start=4, end=8),),
                example="We will come for you.",
            ),
        ),
        withheld=(Withheld(flag=Flag(code="G", score=0.7, threshold=0.6, classifier="linear@3"), by="meaning@2"),),
        scores={"G-THR": 0.91, "A-INSULT": 0.2},
        story="s1",
        claims=("n1",),
        tokens=("the", "poll"),
        title_tokens=("morning",),
        removed=2,
        first_collected_at=NOON,
        assessed_at=NOON + timedelta(seconds=9),
        models={"linear": "3"},
    ),
    Hit(rule="r", logic="l", group=GROUP, key="files:1", t=NOON, g=NOON, revised_at=NOON, of=("a1",), score=0.9),
    Mark(partition=1, offset=42, at=NOON),
    Alert(
        id="a",
        rule="r",
        rule_name="pile-on",
        rule_version=3,
        logic="l",
        group=GROUP,
        opening_anchor=NOON,
        opened_at=NOON,
        last_crossing_at=NOON,
        detected_at=NOON,
        value=12.0,
        reason={"gte": 12, "window": "1h"},
        evidence=("files:1",),
        notices=(Notice(alert="a", kind="open", key="open", at=NOON, revision=1),),
        topics=("gendered-abuse",),
    ),
    Amendment(rule="r", rule_name="pile-on", group=GROUP, anchor=NOON, value=13.0, post="files:9"),
    QueueEntry(key="files:1", rule="r", reason="flagged", priority=2.0, probability=0.02, at=NOON),
    Review(
        id="v",
        reviewer="r-7",
        subject="post",
        subject_id="files:1",
        codes=("G-THR", "D2"),
        verdict="alert",
        codebook="1",
        shown={"score.G-THR": 0.91},
        at=NOON,
    ),
    DeadLetter(
        id="d", stage="analyze", reason="not_json", detail="…", origin="posts:0:7", original=b"\x00\xff", at=NOON
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_went_out(value: msgspec.Struct) -> None:
    assert decode(encode(value), type(value)) == value
    assert decode_strict(encode(value), type(value)) == value


def test_the_wire_form_of_each_value_is_the_one_written_down(golden: Golden) -> None:
    for name in sorted({type(value).__name__ for value in VALUES}):
        lines = [encode(value).decode() for value in VALUES if type(value).__name__ == name]
        golden(f"wire_{name.lower()}.json", "\n".join(lines) + "\n")


def test_every_value_that_stands_alone_has_a_golden_wire_form() -> None:
    inner = {Media, BroadcastDetail, PrintDetail, Span, Flag, Withheld, Target, Notice}
    public = {getattr(types, name) for name in types.__all__}
    structs = {kind for kind in public if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
    assert structs - inner == {type(value) for value in VALUES}


def test_a_minimal_post_has_defaults_for_everything_else() -> None:
    post = decode_strict(MINIMAL.encode(), Post)
    assert (post.key, post.revision, post.author, post.medium, post.stream) == ("files:1", 0, "", "post", "keyword")


def test_a_minimal_assessment_has_defaults_for_everything_else() -> None:
    line = f'{{"post":{MINIMAL},"flags":[{{"code":"G-THR","score":1}}],"targets":[{{"id":"c1","role":"aimed_at"}}]}}'
    assessment = decode_strict(line.encode(), Assessment)
    assert assessment.flags == (Flag(code="G-THR", score=1.0),)
    assert assessment.targets == (Target(id="c1", role="aimed_at"),)
    assert assessment.ingested_at == datetime(2026, 10, 1, 12, 0, 5, tzinfo=UTC)
    assert assessment.scores == {}


def test_times_of_other_zones_become_utc() -> None:
    post = decode_strict(MINIMAL.replace("12:00:00Z", "14:30:00+02:30").encode(), Post)
    assert post.published_at == NOON
    assert post.published_at.tzinfo is UTC
    alert = next(value for value in VALUES if isinstance(value, Alert))
    eastern = NOON.astimezone(timezone(timedelta(hours=3)))
    shifted = msgspec.structs.replace(alert, notices=(msgspec.structs.replace(alert.notices[0], at=eastern),))
    assert encode(decode_strict(encode(shifted), Alert)) == encode(alert)


# ── newer schemas ────────────────────────────────────────────────────────────────────────────────────────────────

NEWER = MINIMAL.replace("}", ',"schema":2,"mood":"calm"}')
NEWER_ASSESSMENT = f'{{"post":{NEWER},"lang":"en","schema":3,"depth":{{"a":[1]}}}}'


def test_our_own_bytes_of_a_newer_schema_are_read() -> None:
    assert decode(NEWER_ASSESSMENT.encode(), Assessment).post.schema == 2


def test_the_edge_refuses_a_newer_schema() -> None:
    with pytest.raises(BadInput, match=r"newer_schema: \$: schema 2; this version reads up to 1"):
        decode_strict(NEWER.encode(), Post)
    with pytest.raises(BadInput, match=r"newer_schema: \$\.post: schema 2"):
        decode_strict(f'{{"post":{NEWER}}}'.encode(), Assessment)


def test_writing_a_value_back_keeps_what_a_newer_schema_added() -> None:
    raw = NEWER_ASSESSMENT.encode()
    changed = msgspec.structs.replace(decode(raw, Assessment), lang="es", removed=3)
    kept = msgspec.json.decode(encode_over(raw, changed))
    assert kept["lang"] == "es"
    assert kept["removed"] == 3
    assert kept["depth"] == {"a": [1]}
    assert kept["schema"] == 3
    assert kept["post"]["mood"] == "calm"
    assert kept["post"]["schema"] == 2


def test_writing_back_a_value_of_this_schema_is_plain_encoding() -> None:
    for value in VALUES:
        assert encode_over(encode(value), value) == encode(value)


# ── what the edge refuses ────────────────────────────────────────────────────────────────────────────────────────


def _with(extra: str) -> bytes:
    return (MINIMAL[:-1] + "," + extra + "}").encode()


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"Sunday",
    "a byte order mark": b"\xef\xbb\xbf" + MINIMAL.encode(),
    "single quotes": MINIMAL.replace('"', "'").encode(),
    "a raw line feed in a string": MINIMAL.replace("Vote on", "Vote\non").encode(),
    "text after the end": MINIMAL.encode() + b" {}",
    "a comma at the end": _with('"reach":1,'),
    "NaN": _with('"reach":NaN'),
    "minus infinity": _with('"reach":-Infinity'),
    "bad UTF-8": MINIMAL.encode().replace(b"Vote", b"V\xffte"),
    "a list": b"[1]",
    "a string": b'"post"',
    "null": b"null",
    "a key twice": _with('"text":"other"'),
    "a key twice, one escaped": _with('"t\\u0065xt":"other"'),
    "a key twice inside": _with('"media":[{"kind":"image","url":"a","url":"b"}]'),
    "an unknown key": _with('"published":"2026-10-01T12:00:00Z"'),
    "an unknown key like no other": _with('"zzz":1'),
    "an unknown key inside": _with('"media":[{"kind":"image"},{"kind":"image","ulr":"a"}]'),
    "an unknown key that is long": _with(f'"{"k" * 100_000}":1'),
    "a missing key": b'{"source":"files"}',
    "another type": _with('"reach":"1"'),
    "another type inside": _with('"mentions":["a",1]'),
    "a fraction for an integer": _with('"reach":1.5'),
    "a number for a boolean": _with('"deleted":1'),
    "null for a string": _with('"lang":null'),
    "an unknown medium": _with('"medium":"artikle"'),
    "an unknown kind inside": _with('"media":[{"kind":"gif"}]'),
    "a negative count": _with('"reach":-1'),
    "an integer of 64 bits": _with('"reach":9223372036854775808'),
    "an integer of 400 digits": _with(f'"reach":{"9" * 400}'),
    "an endless integer": _with(f'"reach":{"9" * 100_000}'),
    "a number beyond floats": _with('"broadcast":{"offset_s":1e999}'),
    "a number with endless digits": _with(f'"broadcast":{{"offset_s":0.{"1" * 100_000}}}'),
    "a string beyond its limit": _with(f'"lang":"{"x" * 513}"'),
    "a source with a colon": MINIMAL.replace("files", "files:x").encode(),
    "a source that ends in a line feed": MINIMAL.replace("files", "files\\n").encode(),
    "half a pair, escaped": _with('"lang":"\\ud83d"'),
    "half a pair as a key": _with('"\\udc00":1'),
    "half a pair, raw": MINIMAL.encode().replace(b"Vote", b"V\xed\xa0\x80te"),
    "two halves the wrong way round": _with('"lang":"\\ude00\\ud83d"'),
    "a time without zone": MINIMAL.replace("12:00:00Z", "12:00:00").encode(),
    "a time that is none": MINIMAL.replace("2026-10-01T12:00:00Z", "yesterday").encode(),
    "a number for a time": MINIMAL.replace('"2026-10-01T12:00:00Z"', "1790856000").encode(),
    "a thirteenth month": MINIMAL.replace("2026-10", "2026-13", 1).encode(),
    "a year of five digits": MINIMAL.replace("2026", "12026", 1).encode(),
    "a year of the first century": MINIMAL.replace("2026", "0026", 1).encode(),
    "a year that no zone can hold": MINIMAL.replace("2026-10-01T12:00:00Z", "0001-01-01T00:00:00+14:00").encode(),
    "a newer schema": _with('"schema":2'),
    "too many bytes": MINIMAL.encode() + b" " * MAX_BYTES,
    "too deep": _with(f'"media":{"[" * MAX_DEPTH}{"]" * MAX_DEPTH}'),
    "too many members": _with(f'"mentions":[{",".join(["0"] * MAX_ENTRIES)}]'),
}


def test_each_refusal_says_what_and_where_and_what_is_known(golden: Golden) -> None:
    lines = []
    for name, raw in REFUSED.items():
        with pytest.raises(BadInput) as refused:
            decode_strict(raw, Post)
        lines.append(f"{name}\n    {refused.value}\n")
    golden("wire_refusals.txt", "".join(lines))


def test_a_refusal_is_short_whatever_was_sent() -> None:
    for raw in REFUSED.values():
        with pytest.raises(BadInput) as refused:
            decode_strict(raw, Post)
        assert len(str(refused.value)) < 400
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "extra",
    ['"lang":"\\ud83d\\ude00"', '"lang":"\\\\ud83d"', '"lang":"\\u0041"', '"reach":9223372036854775807', '"media":[]'],
)
def test_what_only_looks_wrong_is_read(extra: str) -> None:
    decode_strict(_with(extra), Post)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert decode_json_strict(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    with pytest.raises(BadInput, match="too_deep"):
        decode_json_strict(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_brackets_in_strings_are_not_nesting() -> None:
    assert decode_json_strict(b'{"text":"' + b"[{" * 100_000 + b'"}') is not None
    assert decode_json_strict(b'{"text":"' + b'\\"[,' * 100_000 + b'"}') is not None


FULL = MAX_BYTES - 1000
HOSTILE: dict[str, bytes] = {
    "open lists": b"[" * FULL,
    "open objects": b'{"a":' * (FULL // 5),
    "closed lists": b"]" * FULL,
    "empty lists side by side": b"[]" * (FULL // 2),
    "empty lists": b"[" + b"[]," * (FULL // 3),
    "empty objects": b"[" + b"{}," * (FULL // 3),
    "escaped quotes": b'"' + b'\\"' * (FULL // 2),
    "quotes": b'"' * FULL,
    "empty strings": b"[" + b'"",' * (FULL // 3),
    "the same key": b"{" + b'"a":1,' * (FULL // 6),
    "different keys": b"{" + b",".join(b'"%d":1' % i for i in range(MAX_ENTRIES - 1)) + b"}",
    "digits": b"9" * FULL,
    "digits of a fraction": b"0." + b"1" * FULL,
    "small numbers": b"[" + b"0," * (FULL // 2),
    "as many members as may be": b"[" + b"1.5e3," * (MAX_ENTRIES - 2) + b"1]",
    "as many objects as may be": _with('"media":[' + ",".join(['{"kind":"image"}'] * (MAX_ENTRIES // 2 - 30)) + "]"),
    "escapes": b'{"text":"' + b"\\u0041" * (FULL // 6) + b'"}',
    "escaped pairs": b'{"text":"' + b"\\ud83d\\ude00" * (FULL // 12) + b'"}',
    "four-byte characters": b'{"text":"' + "😀".encode() * (FULL // 4) + b'"}',
    "one long key": b'{"' + b"k" * FULL + b'":1}',
    "backslashes": b"\\" * FULL,
    "backslashes in a string": b'"' + b"\\" * FULL,
    "blanks": b" " * FULL,
    "half pairs": b'["' + b"\\ud83d" * (FULL // 6) + b'"]',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_near_the_size_limit_costs_at_most_a_tenth_of_a_second(name: str) -> None:
    def processor_seconds() -> float:
        start = time.process_time()
        with suppress(BadInput):
            decode_strict(HOSTILE[name], Post)
        return time.process_time() - start

    assert min(processor_seconds() for _ in range(3)) < 0.1


WORDS = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)
LEAVES = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | WORDS
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner), max_leaves=12)


@given(TREES)
def test_every_modest_json_value_is_read_as_it_is(tree: object) -> None:
    assert decode_json_strict(msgspec.json.encode(tree)) == tree


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8e1- tfn').map(str.encode))
def test_any_bytes_are_a_value_or_a_typed_refusal(raw: bytes) -> None:
    for kind in (Post, Assessment, Alert):
        with suppress(BadInput):
            decode_strict(raw, kind)
