"""Hypothesis strategies for queries and assessments: for the differential tests of everything that compiles a query.

Both draw from the same small pools, so that random queries do find random posts. The pools hold what has broken search
engines before: words of the query language as tokens, characters that SQL's LIKE and full-text engines treat specially,
scripts with and without case, domains that only end alike.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hustings.query.fields import FIELDS
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Part, Phrase, Query
from hustings.types import Assessment, Flag, Medium, Post, Role, Stream, Target

__all__ = ["WORDS", "assessments", "libraries", "nodes", "queries", "times"]

WORDS = (
    *("vote", "voter", "voting", "votes", "polling", "station", "votación", "straße", "strasse", "oy", "sandık", "ırk"),
    *("الانتخابات", "انتخابات", "صوت", "मतदान", "मत", "投", "票", "选", "😀", "👩🏽‍⚖️", "#votenow", "now", "@some_name"),
    *("some", "name", "and", "or", "not", "near", "don't", "c++", '"', "'", "a*b", "50%", "a_b", "\\", "v:1", "(x)"),
)
CODES = (
    "G",
    "G-THR",
    "G-THR-KILL",
    "G-THR-SEX",
    "G-DEROG",
    "A-THREAT",
    "A-INSULT",
    "N-PROC",
    "N-PROC-DATE",
    "X-SATIRE",
)
PEOPLE = ("c1", "c2", "C2", "c_2", "c%")
VALUES: dict[str, tuple[str, ...]] = {
    "lang": ("en", "es", "ar", "hi", "zh", "tr"),
    "source": ("files", "mastodon.example", "Files"),
    "collector": ("feed-a", "feed_a", "feed%"),
    "medium": ("post", "comment", "article"),
    "stream": ("account", "keyword", "random"),
    "outlet": ("Daily Herald", "daily herald", "L'Écho", 'The "Post"'),
    "author": ("a1", "a2", "a1 ", "c1"),
    "target": PEOPLE,
    "aimed_at": PEOPLE,
    "addressed": PEOPLE,
    "flag": (*CODES, "G-TH", "N"),
    "story": ("s1", "s2"),
    "claim": ("k1", "k2", "k-1"),
    "domain": ("example.org", "news.example.org", "notexample.org", "org", "xn--bcher-kva.example", "example_org.test"),
    "hashtag": ("votenow", "vote", "انتخابات", "投票"),
    "mention": ("some_name", "somename", "some"),
}
LINKS = (
    *(
        "https://example.org/a",
        "http://NEWS.example.org:8080/b?c#d",
        "https://notexample.org",
        "https://bücher.example/",
    ),
    *("example.org", "mailto:a@example.org", "https://[bad", "https://exampleXorg.test/", "https://example_org.test"),
)

_FIRST = datetime(2026, 10, 1, tzinfo=UTC)


def times() -> SearchStrategy[datetime]:
    """Times of posts within one day, some off the millisecond grid; often equal to a bound that `queries` draws."""
    offsets = st.sampled_from((0, 1, 999, 1000, 3_600_000_000, 3_600_000_001, 43_200_000_000, 86_399_999_999))
    return offsets.map(lambda microseconds: _FIRST + timedelta(microseconds=microseconds))


def _bounds() -> SearchStrategy[datetime]:
    """Times as queries have them: whole milliseconds."""
    return times().map(lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000))


def _some(pool: tuple[str, ...], *, at_most: int = 3) -> SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(pool), max_size=at_most).map(tuple)


# ── assessments ──────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def assessments(draw: st.DrawFn, *, native_ids: SearchStrategy[str] | None = None) -> Assessment:
    """A random assessment. Its tokens are drawn freely and are not those of its text."""
    ids = st.text(alphabet="abAB0:%_ é", min_size=1, max_size=4) if native_ids is None else native_ids
    collected = draw(times())
    post = Post(
        source=draw(st.sampled_from(VALUES["source"])),
        native_id=draw(ids),
        text="the text is only shown",
        published_at=draw(times()),
        collected_at=collected,
        collector=draw(st.sampled_from(("", *VALUES["collector"]))),
        medium=draw(st.sampled_from(_MEDIA)),
        stream=draw(st.sampled_from(_STREAMS)),
        outlet=draw(st.sampled_from(("", *VALUES["outlet"]))),
        lang=draw(st.sampled_from(("", "en", "es-MX", "und"))),
        author=draw(st.sampled_from(("", *VALUES["author"]))),
        mentions=draw(_some(("@Some_Name", "some", ""))),
        hashtags=draw(_some(("#VoteNow", "vote", "انتخابات"))),
        links=draw(_some(LINKS)),
        url=draw(st.sampled_from(("", "https://news.example.org/1"))),
        reach=draw(st.sampled_from((0, 1, 999, 1000, 1001, 2**53))),
    )
    scores = draw(st.dictionaries(st.sampled_from(CODES), _scores(), max_size=4))
    return Assessment(
        post=post,
        lang=draw(st.sampled_from(("", "und", *VALUES["lang"]))),
        targets=draw(st.lists(_targets(), max_size=3).map(tuple)),
        flags=draw(st.lists(_flags(), max_size=3).map(tuple)),
        scores=scores,
        story=draw(st.sampled_from(("", *VALUES["story"]))),
        claims=draw(_some(VALUES["claim"])),
        tokens=draw(_some(WORDS, at_most=8)),
        title_tokens=draw(_some(WORDS, at_most=4)),
        first_collected_at=collected,
        assessed_at=collected,
    )


@st.composite
def libraries(draw: st.DrawFn, *, max_size: int = 5) -> list[Assessment]:
    """Several assessments, each with a key of its own."""
    size = draw(st.integers(min_value=1, max_value=max_size))
    return [draw(assessments(native_ids=st.just(f"{number}"))) for number in range(size)]


_MEDIA: tuple[Medium, ...] = ("post", "comment", "article")
_STREAMS: tuple[Stream, ...] = ("account", "keyword", "random")
_ROLES: tuple[Role, ...] = ("mentioned", "addressed", "aimed_at")


def _scores() -> SearchStrategy[float]:
    return st.sampled_from((0.0, 0.1, 0.3, 0.5, 0.7999999, 0.8, 0.8000001, 1.0))


def _targets() -> SearchStrategy[Target]:
    return st.builds(Target, id=st.sampled_from(PEOPLE), role=st.sampled_from(_ROLES))


def _flags() -> SearchStrategy[Flag]:
    return st.builds(Flag, code=st.sampled_from(CODES), score=_scores(), threshold=st.just(0.1))


# ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────


def queries() -> SearchStrategy[Query]:
    """A random query. Its text is empty: the tree is what counts."""
    return nodes().map(lambda node: Query(text="", node=node))


def nodes() -> SearchStrategy[Node]:
    """A random tree of at most about twenty nodes; everything that a tree can hold, also what the parser would write
    more simply."""
    return st.recursive(_leaves(), _branches, max_leaves=12)


def _branches(children: SearchStrategy[Node]) -> SearchStrategy[Node]:
    several = st.lists(children, min_size=1, max_size=4).map(tuple)
    return st.one_of(several.map(And), several.map(Or), children.map(Not))


def _leaves() -> SearchStrategy[Node]:
    return st.one_of(st.just(Everything()), _phrases(), _phrases(), _is(), _is(), _has(), _compare(), _between())


_PARTS: tuple[Part, ...] = ("any", "any", "text", "title")


@st.composite
def _phrases(draw: st.DrawFn) -> Phrase:
    tokens = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
    prefix = draw(st.booleans())
    if prefix:
        tokens[-1] = tokens[-1][: draw(st.integers(min_value=1, max_value=len(tokens[-1])))]
    return Phrase(tuple(tokens), prefix, draw(st.sampled_from(_PARTS)))


@st.composite
def _is(draw: st.DrawFn) -> Is:
    field = draw(st.sampled_from(sorted(VALUES)))
    values = draw(st.lists(st.sampled_from(VALUES[field]), min_size=1, max_size=3, unique=True))
    return Is(field, tuple(values))


def _has() -> SearchStrategy[Has]:
    fields = [name for name in FIELDS if "<" not in name and name != "phase"]
    return st.sampled_from([*fields, "score.G", "score.G-THR", "score.N-PROC-DATE"]).map(Has)


def _compare() -> SearchStrategy[Compare]:
    relations = st.sampled_from((">", ">=", "<", "<=", "="))
    by_reach = st.builds(Compare, st.just("reach"), relations, st.sampled_from((0.0, 1.0, 999.5, 1000.0, 2.0**53)))
    score = st.sampled_from(CODES).map(lambda code: f"score.{code}")
    return by_reach | st.builds(Compare, score, relations, _scores())


@st.composite
def _between(draw: st.DrawFn) -> Between:
    start = draw(st.none() | _bounds())
    end = draw(st.none() | _bounds())
    return Between(draw(st.sampled_from(("published", "collected"))), start, end)
