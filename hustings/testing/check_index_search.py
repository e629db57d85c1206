"""What an index finds and counts, and whether it agrees with the predicate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from hustings.contracts import Index
from hustings.query import Query
from hustings.query.fields import FIELDS, keyword_values
from hustings.query.predicate import predicate
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Phrase
from hustings.testing.expecting import expect_store_error
from hustings.testing.index_world import (
    LOG,
    START,
    IndexCheck,
    IndexFactory,
    keys_found,
    opened,
    post,
    query_of,
)
from hustings.text import analyse
from hustings.types import Assessment

__all__ = ["SEARCHING", "check_agreement"]


# ── searching ────────────────────────────────────────────────────────────────────────────────────────────────────


def check_results_come_newest_first_with_ties_by_key(make: IndexFactory) -> None:
    hour = timedelta(hours=1)
    posts = [
        post("b", "vote", published=START),
        post("late", "vote", published=START - hour),
        post("a", "vote", published=START),
        post("new", "vote", published=START + timedelta(microseconds=1)),
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        for node in (Phrase(("vote",)), Everything(), Is("source", ("src",))):
            assert keys_found(index, node) == ["src:new", "src:b", "src:a", "src:late"]


def check_paging_shows_every_post_once(make: IndexFactory) -> None:
    """With any size of page, with words and without, also while newer posts arrive between two pages."""
    posts = [
        post(f"{number:03}", "vote" if number % 3 else "other", published=START + timedelta(minutes=number * 37 % 50))
        for number in range(120)
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        for node in (Everything(), Phrase(("vote",))):
            expected = keys_found(index, node, limit=1000)
            for limit in (1, 7, 60, 200):
                assert keys_found(index, node, limit=limit) == expected
        query = query_of(Phrase(("vote",)))
        page = index.search(query, limit=10)
        expected = keys_found(index, Phrase(("vote",)), limit=1000)
        index.write([post("newer", "vote", published=START + timedelta(days=1))], log_id=LOG)
        index.refresh()
        seen = [one.key for one in page.assessments]
        while page.next is not None:
            page = index.search(query, limit=10, after=page.next)
            seen += [one.key for one in page.assessments]
        assert seen == expected


def check_a_cursor_that_is_none_is_refused(make: IndexFactory) -> None:
    with opened(make) as index:
        for cursor in ("", "nonsense", "bm9uc2Vuc2U=", "ż"):
            with expect_store_error():
                index.search(query_of(Everything()), after=cursor)


def check_words_phrases_and_prefixes(make: IndexFactory) -> None:
    """Whole tokens, neighbours in order, beginnings of the last token; a phrase never runs from title into text."""
    posts = [
        post("1", "the polling station is closed", title="Early vote"),
        post("2", "polling at the station", title="voters wait"),
        post("3", "counting", title="polling"),
        post("4", "station", title="late polling"),
    ]
    asked: list[tuple[Node, list[str]]] = [
        (Phrase(("polling",)), ["1", "2", "3", "4"]),
        (Phrase(("polling", "station")), ["1"]),
        (Phrase(("station", "polling")), []),
        (Phrase(("poll",)), []),
        (Phrase(("poll",), prefix=True), ["1", "2", "3", "4"]),
        (Phrase(("polling", "stat"), prefix=True), ["1"]),
        (Phrase(("vot",), prefix=True, part="title"), ["1", "2"]),
        (Phrase(("polling",), part="title"), ["3", "4"]),
        (Phrase(("polling",), part="text"), ["1", "2"]),
        (Phrase(("closed",), part="title"), []),
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(keys_found(index, node)) == [f"src:{name}" for name in expected], node


def check_words_of_every_script_and_in_disguise(make: IndexFactory) -> None:
    """What the analyser makes one token is found by that token."""
    texts = {
        "arabic": "الانْتِخابات غدا",
        "hindi": "कल मतदान होगा",
        "chinese": "投票日改了",
        "turkish": "İSTANBUL'da oy sandığı",
        "leet": "do not v0te",
        "dots": "do not v·o·t·e",
        "cyrillic": "do not vоte",
        "emoji": "go 😀",
        "tag": "go #VoteNow",
    }
    with opened(make) as index:
        index.write([post(name, text) for name, text in texts.items()], log_id=LOG)
        for name, text in texts.items():
            for token in analyse(text).tokens:
                assert f"src:{name}" in keys_found(index, Phrase((token,))), (name, token)
        assert sorted(keys_found(index, Phrase(("vote",)))) == ["src:cyrillic", "src:dots", "src:leet", "src:tag"]
        assert keys_found(index, Phrase(("投", "票"))) == ["src:chinese"]


def check_fields_codes_and_domains(make: IndexFactory) -> None:
    """A code finds its children, a domain its subdomains, and nothing that only begins or ends alike."""
    posts = [
        post("kill", "words", flags=("G-THR-KILL",), target="c1"),
        post("other", "words", flags=("G-THROW",), link="https://notexample.org/"),
        post("site", "words", link="https://news.example.org/a", author="A1"),
        post("root", "words", link="https://example.org", author="a1"),
    ]
    asked: list[tuple[Node, list[str]]] = [
        (Is("flag", ("G-THR",)), ["kill"]),
        (Is("flag", ("G",)), ["kill", "other"]),
        (Is("flag", ("G-THR-KILL", "G-THROW")), ["kill", "other"]),
        (Is("domain", ("example.org",)), ["root", "site"]),
        (Is("domain", ("news.example.org",)), ["site"]),
        (Is("author", ("a1",)), ["root"]),
        (Is("aimed_at", ("c1",)), ["kill"]),
        (Is("addressed", ("c1",)), []),
        (Has("flag"), ["kill", "other"]),
        (Has("domain"), ["other", "root", "site"]),
        (Has("outlet"), []),
        (Has("title"), []),
        (Not(Has("author")), ["kill", "other"]),
        (And((Phrase(("words",)), Not(Is("flag", ("G",))))), ["root", "site"]),
        (Or((Is("flag", ("G-THR",)), Is("key", ("src:root",)), Is("author", ("A1",)))), ["kill", "root", "site"]),
        (Not(Or((Phrase(("words",)), Is("key", ("src:root",))))), []),
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(keys_found(index, node)) == [f"src:{name}" for name in expected], node


def check_numbers_and_times(make: IndexFactory) -> None:
    """Comparisons are exact; an absent score meets none; a time range holds its start and not its end."""
    posts = [
        post("low", "words", reach=999, scores={"G-THR": 0.1 + 0.2}),
        post("high", "words", reach=1000, scores={"G": 0.95}, published=START + timedelta(hours=1)),
        post("none", "words", published=START + timedelta(hours=2)),
        post("flag", "words", flags=("G-DEROG",), published=START + timedelta(hours=2, microseconds=1)),
    ]
    hour = timedelta(hours=1)
    asked: list[tuple[Node, list[str]]] = [
        (Compare("reach", ">=", 1000), ["high"]),
        (Compare("reach", "<", 999.5), ["flag", "low", "none"]),
        (Compare("score.G", ">", 0.3), ["flag", "high", "low"]),
        (Compare("score.G-THR", "=", 0.1 + 0.2), ["low"]),
        (Compare("score.G-THR", "=", 0.3), []),
        (Compare("score.G", "<", 2), ["flag", "high", "low"]),
        (Not(Compare("score.G", ">", 0.5)), ["low", "none"]),
        (Has("score.G"), ["flag", "high", "low"]),
        (Between("published", START, START + 2 * hour), ["high", "low"]),
        (Between("published", START + 2 * hour, None), ["flag", "none"]),
        (Between("published", None, START), []),
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(keys_found(index, node)) == [f"src:{name}" for name in expected], node


def check_queries_hold_no_syntax_of_the_engine(make: IndexFactory) -> None:
    """Words and values that mean something to SQL, FTS5 or Lucene are words and values."""
    tokens = (
        '"',
        "'",
        "and",
        "or",
        "not",
        "near",
        "a*b",
        "*",
        "(x)",
        "c++",
        "-x",
        "^",
        "50%",
        "a_b",
        "\\",
        "v:1",
        "{a}",
        ";--",
    )
    with opened(make) as index:
        index.write(
            [
                msgspec.structs.replace(post(f"{n}", "words", author=token), tokens=(token, "end"))
                for n, token in enumerate(tokens)
            ],
            log_id=LOG,
        )
        for number, token in enumerate(tokens):
            for node in (
                Phrase((token,)),
                Phrase((token, "end")),
                Phrase((token, "en"), prefix=True),
                Is("author", (token,)),
            ):
                assert keys_found(index, node) == [f"src:{number}"], node


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def check_counts_by_field(make: IndexFactory) -> None:
    """Each value of a post counts once, most frequent first, ties by value; posts without a value are not there."""
    posts = [
        post("1", "vote", target="c2", author="b"),
        post("2", "vote", target="c1", author="a"),
        post("3", "vote", target="c1"),
        post("4", "other", target="c1", author="a"),
    ]
    with opened(make) as index:
        index.write(posts, log_id=LOG)
        index.refresh()
        vote = query_of(Phrase(("vote",)))
        assert list(index.counts(vote, "target").items()) == [("c1", 2), ("c2", 1)]
        assert list(index.counts(vote, "author").items()) == [("a", 1), ("b", 1)]
        assert index.counts(query_of(Phrase(("nothing",))), "target") == {}
        assert list(index.counts(query_of(Everything()), "key", limit=4).items()) == [
            (f"src:{n}", 1) for n in range(1, 5)
        ]


def check_counts_are_never_cut_in_silence(make: IndexFactory) -> None:
    with opened(make) as index:
        index.write([post(f"{n}", "vote", author=f"a{n}", target=f"c{n}") for n in range(5)], log_id=LOG)
        index.refresh()
        for field in ("author", "target", "key"):
            assert len(index.counts(query_of(Everything()), field, limit=5)) == 5
            with expect_store_error():
                index.counts(query_of(Everything()), field, limit=4)


def check_only_fields_with_values_can_be_counted(make: IndexFactory) -> None:
    with opened(make) as index:
        for field in ("text", "published", "reach", "score.G", "target.party", "nonsense"):
            with expect_store_error():
                index.counts(query_of(Everything()), field)


def check_histograms_are_aligned_to_utc(make: IndexFactory) -> None:
    """Steps are multiples of their length since 1970, also before it; empty ones are absent."""
    noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
    times = [noon, noon + timedelta(minutes=59, seconds=59, microseconds=999_999), noon + timedelta(hours=3)]
    old = datetime(1969, 12, 31, 23, 30, tzinfo=UTC)
    with opened(make) as index:
        index.write([post(f"{n}", "vote", published=when) for n, when in enumerate([*times, old])], log_id=LOG)
        index.refresh()
        by_hour = index.histogram(query_of(Phrase(("vote",))), step=timedelta(hours=1))
        assert by_hour == {old.replace(minute=0): 1, noon: 2, noon + timedelta(hours=3): 1}
        by_day = index.histogram(query_of(Everything()), step=timedelta(days=1))
        assert by_day == {datetime(1969, 12, 31, tzinfo=UTC): 1, datetime(2026, 10, 1, tzinfo=UTC): 3}
        assert index.histogram(query_of(Phrase(("nothing",))), step=timedelta(hours=1)) == {}


SEARCHING: tuple[IndexCheck, ...] = (
    check_results_come_newest_first_with_ties_by_key,
    check_paging_shows_every_post_once,
    check_a_cursor_that_is_none_is_refused,
    check_words_phrases_and_prefixes,
    check_words_of_every_script_and_in_disguise,
    check_fields_codes_and_domains,
    check_numbers_and_times,
    check_queries_hold_no_syntax_of_the_engine,
    check_counts_by_field,
    check_counts_are_never_cut_in_silence,
    check_only_fields_with_values_can_be_counted,
    check_histograms_are_aligned_to_utc,
)


def check_agreement(index: Index, library: Sequence[Assessment], query: Query, *, page: int = 3) -> None:
    """The index that holds exactly `library` answers `query` as the predicate does: same posts, order, counts."""
    holds = predicate(query)
    matching = [assessment for assessment in library if holds(assessment)]
    newest = sorted(matching, key=lambda one: (one.post.published_at, one.key), reverse=True)
    assert keys_found(index, query.node, limit=page) == [one.key for one in newest], query
    assert index.count(query) == len(matching), query
    for field in (name for name, row in FIELDS.items() if row.groupable):
        expected = Counter(value for one in matching for value in keyword_values(one, field))
        in_order = sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))
        assert list(index.counts(query, field).items()) == in_order, (query, field)
    step = timedelta(hours=1)
    midnight = datetime(1970, 1, 1, tzinfo=UTC)
    hours = Counter(one.post.published_at - (one.post.published_at - midnight) % step for one in matching)
    assert index.histogram(query, step=step) == hours, query
