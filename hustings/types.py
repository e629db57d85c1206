"""The values that flow through Hustings; they are the wire form too (`hustings.wire` reads and writes it).

All are frozen, keyword-only msgspec Structs. Times are aware UTC. A field left at its default is not written.
`docs/values.md` is generated from this file.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

__all__ = [
    "SCHEMA",
    "Alert",
    "AlertState",
    "Amendment",
    "Assessment",
    "BroadcastDetail",
    "DeadLetter",
    "Flag",
    "Hit",
    "Mark",
    "Media",
    "Medium",
    "Notice",
    "NoticeKind",
    "Post",
    "PrintDetail",
    "QueueEntry",
    "Review",
    "Role",
    "Span",
    "Stream",
    "Target",
    "Withheld",
    "hash_id",
    "post_key",
]

SCHEMA = 1
"""Version of the wire form. Raised when a reader of the former version would misread a value."""

MAX_INT = 2**63 - 1

Time = Annotated[datetime, Meta(tz=True)]
Natural = Annotated[int, Meta(ge=0, le=MAX_INT)]
Unit = Annotated[float, Meta(ge=0.0, le=1.0)]
SourceName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^:\s]+\Z")]
NativeId = Annotated[str, Meta(min_length=1, max_length=512)]
ShortText = Annotated[str, Meta(max_length=512)]
LongText = Annotated[str, Meta(max_length=1_000_000)]
Short = tuple[ShortText, ...]

Medium = Literal["post", "comment", "article", "broadcast", "print", "advert", "tip"]
Stream = Literal["account", "keyword", "random", "tip"]
Role = Literal["mentioned", "addressed", "aimed_at"]
AlertState = Literal["open", "resolved", "retracted", "merged"]
NoticeKind = Literal["open", "update", "escalate", "renotify", "merge", "reopen", "resolve", "retract"]


def hash_id(*parts: str) -> str:
    """A 128-bit id that is a function of `parts`, as 32 hexadecimal digits (BLAKE2b, parts length-prefixed)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "big"))
        digest.update(raw)
    return digest.hexdigest()


def post_key(source: str, native_id: str) -> str:
    """`<source>:<native_id>`; a source name holds no colon, so the pair can be read back."""
    return f"{source}:{native_id}"


class Media(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attached picture, sound or video; the bytes are never kept here."""

    kind: Literal["image", "video", "audio", "other"]
    url: ShortText = ""
    sha256: ShortText = ""
    alt: LongText = ""


class BroadcastDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in a programme a broadcast segment was."""

    programme: ShortText = ""
    offset_s: Annotated[float, Meta(ge=0)] = 0.0
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    speaker: ShortText = ""
    tone: Literal["", "positive", "neutral", "negative"] = ""


class PrintDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in a newspaper an article stood."""

    page: ShortText = ""
    area_cm2: Annotated[float, Meta(ge=0)] = 0.0
    tone: Literal["", "positive", "neutral", "negative"] = ""


class Post(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One public utterance as it was collected. `key` is its name everywhere: log key and index id.

    `revision` is the source's edit time in milliseconds, else 0. A deletion at the source is a revision with empty
    text and title and `deleted` set. `author` is a roster id or a keyed pseudonym, never a raw handle of an
    unlisted person.
    """

    source: SourceName
    native_id: NativeId
    text: LongText
    published_at: Time
    collected_at: Time
    revision: Natural = 0
    deleted: bool = False
    collector: ShortText = ""
    medium: Medium = "post"
    stream: Stream = "keyword"
    outlet: ShortText = ""
    title: LongText = ""
    url: Annotated[str, Meta(max_length=4096)] = ""
    reply_to: ShortText = ""
    lang: ShortText = ""
    author: ShortText = ""
    mentions: Short = ()
    hashtags: Short = ()
    links: tuple[Annotated[str, Meta(max_length=4096)], ...] = ()
    media: tuple[Media, ...] = ()
    reach: Natural = 0
    broadcast: BroadcastDetail | None = None
    print: PrintDetail | None = None
    evidence: ShortText = ""
    schema: int = SCHEMA

    @property
    def key(self) -> str:
        """`<source>:<native_id>`; a source name holds no colon, so the pair can be read back."""
        return post_key(self.source, self.native_id)


class Span(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A half-open range of characters in the original text (or title)."""

    start: Natural
    end: Natural
    part: Literal["text", "title"] = "text"


class Flag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code from the codebook that a classifier gave, at or above its threshold.

    `example` is, of the sentences that were written for training classifiers, the one of this code that reads most like
    the post, in the assessment's language: it shows what the flag means, and says nothing of the post's truth. It is
    empty where none were written, and "…" in it stands for any name.
    """

    code: ShortText
    score: Unit
    threshold: Unit = 0.0
    classifier: ShortText = ""
    spans: tuple[Span, ...] = ()
    example: ShortText = ""


class Withheld(Struct, frozen=True, kw_only=True):
    """A flag that the model `by` took back, since it reads the post as protected speech: kept for people who want to
    know, it counts for nothing."""

    flag: Flag
    by: ShortText


class Target(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person of the roster who is named in a post, and in which role."""

    id: ShortText
    role: Role = "mentioned"
    spans: tuple[Span, ...] = ()


class Assessment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the machine says about one post: the post itself and everything that `analyze` added.

    `scores` holds every head's calibrated number by code, also below the threshold. `tokens` and `title_tokens`
    are the analyser's output, which all three query back ends search. `first_collected_at` is the ingest time g of
    the key: the first collection, unchanged by later revisions. `removed` counts characters that the analyser took
    away as disguise.
    """

    post: Post
    lang: ShortText = ""
    lang_score: Unit = 0.0
    targets: tuple[Target, ...] = ()
    flags: tuple[Flag, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    scores: dict[ShortText, Unit] = field(default_factory=dict)
    story: ShortText = ""
    claims: Short = ()
    tokens: tuple[str, ...] = ()
    title_tokens: tuple[str, ...] = ()
    removed: Natural = 0
    first_collected_at: Time | None = None
    assessed_at: Time | None = None
    models: dict[ShortText, ShortText] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def key(self) -> str:
        """The key of the post."""
        return self.post.key

    @property
    def ingested_at(self) -> datetime:
        """Ingest time g: when the key was first collected."""
        return self.first_collected_at or self.post.collected_at


class Hit(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="hit"):
    """One post meets, or (`withdrawn`) no longer meets, one step of one rule for one group.

    `id` is a function of rule, logic, step, group and key; the highest revision wins. `t` is event time, `g` ingest
    time of the key, `revised_at` the collection time of this revision (g_r), or of the one before where a late edit
    leaves the post counted; what such an edit adds to `of` stands in `late_of`, and its own time in `edited_at`.
    """

    rule: ShortText
    logic: ShortText
    group: tuple[tuple[ShortText, ShortText], ...] = ()
    step: Natural = 0
    key: str
    revision: Natural = 0
    withdrawn: bool = False
    t: Time
    g: Time
    revised_at: Time
    edited_at: Time | None = None
    of: tuple[str, ...] = ()
    late_of: tuple[str, ...] = ()
    number: float | None = None
    score: float | None = None
    author: ShortText = ""
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """Made from rule, logic, step, group and key, so that a revision replaces its former self."""
        flat = [part for pair in self.group for part in pair]
        return hash_id(self.rule, self.logic, str(self.step), *flat, self.key)

    @property
    def known_at(self) -> datetime:
        """When what this says became known: the collection time of the revision that it came of."""
        return self.edited_at or self.revised_at


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="mark"):
    """Progress of one posts partition: everything before `offset` is analysed, nothing older than `at` is unread."""

    partition: Natural
    offset: Natural
    at: Time
    schema: int = SCHEMA


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something about an alert that people may be told: made once per `key`."""

    alert: ShortText
    kind: NoticeKind
    key: ShortText
    at: Time
    revision: Natural

    @property
    def id(self) -> str:
        """Made from alert and key."""
        return hash_id(self.alert, self.key)


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An episode of a rule for a group. Changed only by `watch`; what people did stands beside it in the desk."""

    id: ShortText
    rule: ShortText
    rule_name: ShortText
    rule_version: Natural
    logic: ShortText
    group: tuple[tuple[ShortText, ShortText], ...] = ()
    state: AlertState = "open"
    revision: Natural = 1
    merged_into: ShortText | None = None
    opening_anchor: Time
    opened_at: Time
    last_crossing_at: Time
    resolved_at: Time | None = None
    detected_at: Time
    value: float
    reason: dict[str, str | float | int | bool | None] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    severity: ShortText = "medium"
    tlp: ShortText = "AMBER"
    topics: Short = ()
    review: Literal["required", "none"] = "required"
    shadow: bool = False
    schema: int = SCHEMA


class Amendment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A late post would have changed an episode: recorded, never paged."""

    rule: ShortText
    rule_name: ShortText
    group: tuple[tuple[ShortText, ShortText], ...] = ()
    anchor: Time
    value: float
    post: str

    @property
    def id(self) -> str:
        """Made from rule, group and late post."""
        flat = [part for pair in self.group for part in pair]
        return hash_id(self.rule, *flat, self.post)


class QueueEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A post that waits for review, and why: one per (key, rule); `probability` is how likely it was to be shown."""

    key: str
    rule: ShortText
    reason: ShortText
    priority: float = 0.0
    probability: Unit = 1.0
    at: Time

    @property
    def id(self) -> str:
        """Made from key and rule."""
        return hash_id(self.key, self.rule)


class Review(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's recorded judgement; appended, never changed. `shown` is what the machine had displayed."""

    id: ShortText
    reviewer: ShortText
    slot: Natural = 0
    subject: Literal["post", "story", "alert"]
    subject_id: str
    subject_revision: Natural = 0
    codes: Short = ()
    verdict: Literal["dismiss", "log", "watch", "alert", "urgent"]
    note: LongText = ""
    codebook: ShortText
    shown: dict[str, str | float | int | bool | None] = field(default_factory=dict)
    at: Time
    schema: int = SCHEMA


class DeadLetter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could not be processed: the original bytes and a typed reason. `id` names where it came from."""

    id: str
    stage: Literal["collect", "analyze", "watch"]
    reason: ShortText
    detail: LongText
    origin: ShortText
    original: bytes
    at: Time
    code_version: ShortText = ""
    schema: int = SCHEMA
