"""What every `Index` must do, as checks that anybody can run on an implementation of their own.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_index(check, tmp_path):
        check(lambda: MyIndex(tmp_path))

A check is a function of a factory. Each is given a factory of an empty index, and may call it several times: every call
opens the same index again, as another process would. The check closes what it opened. `check_agreement` is for a test
that generates posts and queries (`hustings.testing.query_strategies`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from hustings.contracts import Index, Outcome
from hustings.query import Query
from hustings.query.fields import FIELDS, keyword_values
from hustings.query.predicate import predicate
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Phrase
from hustings.testing.expecting import expect_store_error
from hustings.text import analyse
from hustings.types import Assessment, Flag, Hit, Post, Target

__all__ = ["CHECKS", "IndexCheck", "IndexFactory", "check_agreement"]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
LOG = "the log"
CONCURRENT_WRITES = 100

IndexFactory = Callable[[], Index]
"""Opens the index of one test, making it at the first call."""
IndexCheck = Callable[[IndexFactory], None]


# ── writing assessments ──────────────────────────────────────────────────────────────────────────────────────────


def check_each_write_says_what_it_did(make: IndexFactory) -> None:
    """New, unchanged, conflicting (same revision, other words: the first stays), revised, stale (the newer stays)."""
    with _opened(make) as index:
        first, second = _post("1", "first words"), _post("1", "second words", revision=2)
        assert index.write([first], log_id=LOG) == [Outcome.NEW]
        assert index.write([first], log_id=LOG) == [Outcome.UNCHANGED]
        assert index.write([_post("1", "other words")], log_id=LOG) == [Outcome.CONFLICTING]
        assert _text(index, "1") == "first words"
        assert index.write([second], log_id=LOG) == [Outcome.REVISED]
        assert _text(index, "1") == "second words"
        assert index.write([first], log_id=LOG) == [Outcome.STALE]
        assert _text(index, "1") == "second words"


def check_one_batch_is_judged_in_its_order(make: IndexFactory) -> None:
    """Several revisions of a post in one batch do what they would do one by one."""
    batch = [
        _post("1", "first"),
        _post("1", "first"),
        _post("2", "another post"),
        _post("1", "third", revision=3),
        _post("1", "second", revision=2),
        _post("1", "other third", revision=3),
    ]
    with _opened(make) as index:
        assert index.write(batch, log_id=LOG) == [
            Outcome.NEW,
            Outcome.UNCHANGED,
            Outcome.NEW,
            Outcome.REVISED,
            Outcome.STALE,
            Outcome.CONFLICTING,
        ]
        assert _text(index, "1") == "third"
        assert _found(index, Everything()) == ["src:2", "src:1"]


def check_another_collector_of_the_same_words_changes_nothing(make: IndexFactory) -> None:
    """The same post seen by two collectors is one post, whatever reach and time each saw; the first stays."""
    with _opened(make) as index:
        first = _post("1", "the same words", collector="feed-a", reach=10)
        twin = _post("1", "the same words", collector="feed-b", reach=12, collected=START + timedelta(hours=1))
        assert index.write([first, twin], log_id=LOG) == [Outcome.NEW, Outcome.UNCHANGED]
        assert _found(index, Is("collector", ("feed-a",))) == ["src:1"]
        assert _found(index, Is("collector", ("feed-b",))) == []


def check_a_revision_keeps_the_first_collection(make: IndexFactory) -> None:
    with _opened(make) as index:
        later = START + timedelta(days=2)
        index.write([_post("1", "first")], log_id=LOG)
        index.write([_post("1", "second", revision=2, collected=later)], log_id=LOG)
        stored = index.get(["src:1"])["src:1"]
        assert stored.first_collected_at == START
        assert stored.ingested_at == START
        assert stored.post.collected_at == later


def check_an_assessment_comes_back_as_it_was(make: IndexFactory) -> None:
    """Every field, in every script, to the microsecond."""
    when = START + timedelta(microseconds=1)
    text = "الانتخابات غدًا मतदान 投票日 İstanbul 😀👩🏽‍⚖️ v0te 'quoted\" \\ % _"
    words = analyse(text)
    assessment = Assessment(
        post=Post(
            source="src",
            native_id="a:b 投/票",
            text=text,
            title="A title: «Ärger»",
            published_at=when,
            collected_at=when,
            revision=2**62,
            author="p-1",
            hashtags=("#VoteNow",),
            links=("https://example.org/a?b=c",),
            reach=2**53 + 1,
        ),
        lang="ar",
        lang_score=0.1,
        targets=(Target(id="c1", role="aimed_at"),),
        flags=(Flag(code="G-THR-KILL", score=1 / 3, threshold=0.25, classifier="heads@1"),),
        scores={"G": 0.1, "G-THR": 2 / 3},
        story="s1",
        claims=("k1", "k2"),
        tokens=words.tokens,
        title_tokens=analyse("A title: «Ärger»").tokens,
        removed=words.removed,
        first_collected_at=when,
        assessed_at=when,
        models={"heads": "1"},
    )
    with _opened(make) as index:
        index.write([assessment], log_id=LOG)
    with _opened(make) as index:
        assert index.get([assessment.key, "src:none"]) == {assessment.key: assessment}
        index.refresh()
        assert index.search(_query(Is("key", (assessment.key,)))).assessments == [assessment]


def check_a_revised_post_is_found_by_its_new_words_only(make: IndexFactory) -> None:
    with _opened(make) as index:
        index.write([_post("1", "apple", flags=("G",))], log_id=LOG)
        index.write([_post("1", "pear", revision=1)], log_id=LOG)
        assert _found(index, Phrase(("pear",))) == ["src:1"]
        assert _found(index, Phrase(("apple",))) == []
        assert _found(index, Is("flag", ("G",))) == []
        assert _found(index, Everything()) == ["src:1"]


def check_a_deletion_erases_the_words_and_stays_deleted(make: IndexFactory) -> None:
    """The row stays, so that an older revision that comes late does not bring the words back."""
    with _opened(make) as index:
        before = _post("1", "words to erase", title="a title to erase")
        gone = _post("1", "", revision=5, deleted=True)
        index.write([before], log_id=LOG)
        assert index.write([gone], log_id=LOG) == [Outcome.REVISED]
        assert index.write([before], log_id=LOG) == [Outcome.STALE]
        assert index.write([gone], log_id=LOG) == [Outcome.UNCHANGED]
        assert index.get(["src:1"])["src:1"].post.deleted
        for word in ("erase", "words", "title"):
            assert _found(index, Phrase((word,))) == []
        assert _found(index, Is("key", ("src:1",))) == ["src:1"]


def check_a_large_batch(make: IndexFactory) -> None:
    """More posts than one request of some servers takes, written twice."""
    posts = [_post(f"{number}", f"post number {number}") for number in range(1500)]
    with _opened(make) as index:
        assert set(index.write(posts, log_id=LOG)) == {Outcome.NEW}
        assert set(index.write(posts, log_id=LOG)) == {Outcome.UNCHANGED}
        index.refresh()
        assert index.count(_query(Everything())) == 1500
        assert len(index.get([post.key for post in posts])) == 1500


# ── positions and books ──────────────────────────────────────────────────────────────────────────────────────────


def check_positions_are_stored_with_the_write(make: IndexFactory) -> None:
    """Per topic; kept over closing; never backwards, since a redo does not unknow what came later."""
    with _opened(make) as index:
        assert index.positions("posts") == {}
        assert index.positions("hits") == {}
        index.write([_post("1", "words")], log_id=LOG, positions={0: 5, 1: 7})
        index.write([], log_id=LOG, positions={0: 3, 1: 8})
        index.write_hits([], log_id=LOG, positions={0: 2})
    with _opened(make) as index:
        assert index.positions("posts") == {0: 5, 1: 8}
        assert index.positions("hits") == {0: 2}


def check_the_books_count_every_offset_once(make: IndexFactory) -> None:
    """A redo of offsets that were counted before counts nothing; what is new in it does; the sum is the log's end."""
    with _opened(make) as index:
        assert index.books() == {
            "new": 0,
            "revised": 0,
            "unchanged": 0,
            "conflicting": 0,
            "dead_letters": 0,
            "dropped": 0,
        }
        first = [_post("1", "one"), _post("2", "two"), _post("1", "one, edited", revision=1)]
        index.write(first, log_id=LOG, origins=[(0, 0), (1, 0), (0, 2)], dead=[(0, 1)], positions={0: 3, 1: 1})
        expected = {"new": 2, "revised": 1, "unchanged": 0, "conflicting": 0, "dead_letters": 1, "dropped": 0}
        assert index.books() == expected
        index.write(first, log_id=LOG, origins=[(0, 0), (1, 0), (0, 2)], dead=[(0, 1)], positions={0: 3, 1: 1})
        assert index.books() == expected
        more = [first[2], _post("1", "one, stale"), _post("2", "two, other"), _post("3", "three")]
        index.write(more, log_id=LOG, origins=[(0, 2), (0, 3), (0, 4), (1, 1)], dead=[(1, 2)], positions={0: 5, 1: 3})
    with _opened(make) as index:
        books = index.books()
        assert books == {"new": 3, "revised": 1, "unchanged": 1, "conflicting": 1, "dead_letters": 2, "dropped": 0}
        assert index.positions_and_books() == ({0: 5, 1: 3}, books)
        assert sum(books.values()) == sum(index.positions("posts").values())


def check_what_the_log_dropped_unread_is_counted_once(make: IndexFactory) -> None:
    """A partition that begins above the index's position has lost what lies between; one that begins below has not."""
    with _opened(make) as index:
        index.write([_post("1", "one")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
        for _ in range(2):
            index.write([], log_id=LOG, dropped={0: 1, 1: 40})
        index.write([_post("2", "two")], log_id=LOG, origins=[(1, 40)], dropped={0: 6}, positions={1: 41})
    with _opened(make) as index:
        positions, books = index.positions_and_books()
        assert positions == {0: 6, 1: 41}
        assert (books["new"], books["dropped"]) == (2, 45)
        assert sum(books.values()) == sum(positions.values())


def check_the_books_balance_while_somebody_writes(make: IndexFactory) -> None:
    """Books and positions asked one after the other would be those of two moments."""
    with _opened(make) as index:
        over = threading.Event()

        def write() -> None:
            for offset in range(CONCURRENT_WRITES):
                index.write([_post(str(offset), "one")], log_id=LOG, origins=[(0, offset)], positions={0: offset + 1})
            over.set()

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            while not over.wait(0.005) and not writing.done():
                positions, books = index.positions_and_books()
                assert sum(books.values()) == sum(positions.values())
            writing.result()
        assert index.positions_and_books().positions == {0: CONCURRENT_WRITES}


def check_another_log_is_an_error(make: IndexFactory) -> None:
    """Nothing of the refused write is kept."""
    with _opened(make) as index:
        assert index.log_id() is None
        index.write([_post("1", "words")], log_id=LOG, positions={0: 1})
        assert index.log_id() == LOG
        with expect_store_error():
            index.write([_post("2", "words")], log_id="another", positions={0: 9})
        with expect_store_error():
            index.write_hits([_hit("2")], log_id="another", positions={0: 9})
        assert index.get(["src:2"]) == {}
        assert index.positions("posts") == {0: 1}
        assert index.former_hits(["src:2"]) == []


# ── searching ────────────────────────────────────────────────────────────────────────────────────────────────────


def check_results_come_newest_first_with_ties_by_key(make: IndexFactory) -> None:
    hour = timedelta(hours=1)
    posts = [
        _post("b", "vote", published=START),
        _post("late", "vote", published=START - hour),
        _post("a", "vote", published=START),
        _post("new", "vote", published=START + timedelta(microseconds=1)),
    ]
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        for node in (Phrase(("vote",)), Everything(), Is("source", ("src",))):
            assert _found(index, node) == ["src:new", "src:b", "src:a", "src:late"]


def check_paging_shows_every_post_once(make: IndexFactory) -> None:
    """With any size of page, with words and without, also while newer posts arrive between two pages."""
    posts = [
        _post(f"{number:03}", "vote" if number % 3 else "other", published=START + timedelta(minutes=number * 37 % 50))
        for number in range(120)
    ]
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        for node in (Everything(), Phrase(("vote",))):
            expected = _found(index, node, limit=1000)
            for limit in (1, 7, 60, 200):
                assert _found(index, node, limit=limit) == expected
        query = _query(Phrase(("vote",)))
        page = index.search(query, limit=10)
        expected = _found(index, Phrase(("vote",)), limit=1000)
        index.write([_post("newer", "vote", published=START + timedelta(days=1))], log_id=LOG)
        index.refresh()
        seen = [one.key for one in page.assessments]
        while page.next is not None:
            page = index.search(query, limit=10, after=page.next)
            seen += [one.key for one in page.assessments]
        assert seen == expected


def check_a_cursor_that_is_none_is_refused(make: IndexFactory) -> None:
    with _opened(make) as index:
        for cursor in ("", "nonsense", "bm9uc2Vuc2U=", "ż"):
            with expect_store_error():
                index.search(_query(Everything()), after=cursor)


def check_words_phrases_and_prefixes(make: IndexFactory) -> None:
    """Whole tokens, neighbours in order, beginnings of the last token; a phrase never runs from title into text."""
    posts = [
        _post("1", "the polling station is closed", title="Early vote"),
        _post("2", "polling at the station", title="voters wait"),
        _post("3", "counting", title="polling"),
        _post("4", "station", title="late polling"),
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
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(_found(index, node)) == [f"src:{name}" for name in expected], node


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
    with _opened(make) as index:
        index.write([_post(name, text) for name, text in texts.items()], log_id=LOG)
        for name, text in texts.items():
            for token in analyse(text).tokens:
                assert f"src:{name}" in _found(index, Phrase((token,))), (name, token)
        assert sorted(_found(index, Phrase(("vote",)))) == ["src:cyrillic", "src:dots", "src:leet", "src:tag"]
        assert _found(index, Phrase(("投", "票"))) == ["src:chinese"]


def check_fields_codes_and_domains(make: IndexFactory) -> None:
    """A code finds its children, a domain its subdomains, and nothing that only begins or ends alike."""
    posts = [
        _post("kill", "words", flags=("G-THR-KILL",), target="c1"),
        _post("other", "words", flags=("G-THROW",), link="https://notexample.org/"),
        _post("site", "words", link="https://news.example.org/a", author="A1"),
        _post("root", "words", link="https://example.org", author="a1"),
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
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(_found(index, node)) == [f"src:{name}" for name in expected], node


def check_numbers_and_times(make: IndexFactory) -> None:
    """Comparisons are exact; an absent score meets none; a time range holds its start and not its end."""
    posts = [
        _post("low", "words", reach=999, scores={"G-THR": 0.1 + 0.2}),
        _post("high", "words", reach=1000, scores={"G": 0.95}, published=START + timedelta(hours=1)),
        _post("none", "words", published=START + timedelta(hours=2)),
        _post("flag", "words", flags=("G-DEROG",), published=START + timedelta(hours=2, microseconds=1)),
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
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        for node, expected in asked:
            assert sorted(_found(index, node)) == [f"src:{name}" for name in expected], node


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
    with _opened(make) as index:
        index.write(
            [
                msgspec.structs.replace(_post(f"{n}", "words", author=token), tokens=(token, "end"))
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
                assert _found(index, node) == [f"src:{number}"], node


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def check_counts_by_field(make: IndexFactory) -> None:
    """Each value of a post counts once, most frequent first, ties by value; posts without a value are not there."""
    posts = [
        _post("1", "vote", target="c2", author="b"),
        _post("2", "vote", target="c1", author="a"),
        _post("3", "vote", target="c1"),
        _post("4", "other", target="c1", author="a"),
    ]
    with _opened(make) as index:
        index.write(posts, log_id=LOG)
        index.refresh()
        vote = _query(Phrase(("vote",)))
        assert list(index.counts(vote, "target").items()) == [("c1", 2), ("c2", 1)]
        assert list(index.counts(vote, "author").items()) == [("a", 1), ("b", 1)]
        assert index.counts(_query(Phrase(("nothing",))), "target") == {}
        assert list(index.counts(_query(Everything()), "key", limit=4).items()) == [
            (f"src:{n}", 1) for n in range(1, 5)
        ]


def check_counts_are_never_cut_in_silence(make: IndexFactory) -> None:
    with _opened(make) as index:
        index.write([_post(f"{n}", "vote", author=f"a{n}", target=f"c{n}") for n in range(5)], log_id=LOG)
        index.refresh()
        for field in ("author", "target", "key"):
            assert len(index.counts(_query(Everything()), field, limit=5)) == 5
            with expect_store_error():
                index.counts(_query(Everything()), field, limit=4)


def check_only_fields_with_values_can_be_counted(make: IndexFactory) -> None:
    with _opened(make) as index:
        for field in ("text", "published", "reach", "score.G", "target.party", "nonsense"):
            with expect_store_error():
                index.counts(_query(Everything()), field)


def check_histograms_are_aligned_to_utc(make: IndexFactory) -> None:
    """Steps are multiples of their length since 1970, also before it; empty ones are absent."""
    noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
    times = [noon, noon + timedelta(minutes=59, seconds=59, microseconds=999_999), noon + timedelta(hours=3)]
    old = datetime(1969, 12, 31, 23, 30, tzinfo=UTC)
    with _opened(make) as index:
        index.write([_post(f"{n}", "vote", published=when) for n, when in enumerate([*times, old])], log_id=LOG)
        index.refresh()
        by_hour = index.histogram(_query(Phrase(("vote",))), step=timedelta(hours=1))
        assert by_hour == {old.replace(minute=0): 1, noon: 2, noon + timedelta(hours=3): 1}
        by_day = index.histogram(_query(Everything()), step=timedelta(days=1))
        assert by_day == {datetime(1969, 12, 31, tzinfo=UTC): 1, datetime(2026, 10, 1, tzinfo=UTC): 3}
        assert index.histogram(_query(Phrase(("nothing",))), step=timedelta(hours=1)) == {}


# ── hits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_hits_keep_the_highest_revision(make: IndexFactory) -> None:
    with _opened(make) as index:
        first, edited = _hit("1"), _hit("1", revision=2, withdrawn=True)
        assert index.write_hits([first, first], log_id=LOG) == [Outcome.NEW, Outcome.UNCHANGED]
        assert index.write_hits([_hit("1", score=0.5)], log_id=LOG) == [Outcome.CONFLICTING]
        assert index.write_hits([edited], log_id=LOG) == [Outcome.REVISED]
        assert index.write_hits([first], log_id=LOG) == [Outcome.STALE]
        index.refresh()
        assert list(index.hits("rule", "logic")) == [edited]


def check_hits_come_by_rule_in_order_of_time_and_key(make: IndexFactory) -> None:
    """Withdrawn ones too; only of that rule and logic; from `since` on. Each group of a post is a hit of its own."""
    hour = timedelta(hours=1)
    hits = [
        _hit("b", t=START + hour),
        _hit("a", t=START + hour),
        _hit("late", t=START - hour, withdrawn=True),
        _hit("a", t=START + hour, group=(("target", "c1"),)),
        _hit("a", t=START, rule="other"),
        _hit("a", t=START, logic="other"),
    ]
    with _opened(make) as index:
        index.write_hits(hits, log_id=LOG)
    with _opened(make) as index:
        assert [hit.key for hit in index.hits("rule", "logic")] == ["src:late", "src:a", "src:a", "src:b"]
        assert [hit.key for hit in index.hits("rule", "logic", since=START + hour)] == ["src:a", "src:a", "src:b"]
        assert {hit.group for hit in index.hits("rule", "logic", since=START + hour)} == {(), (("target", "c1"),)}
        assert list(index.hits("rule", "nothing")) == []


def check_many_hits_are_all_read_while_more_are_written(make: IndexFactory) -> None:
    """Reading does not stop writing, and shows each hit once."""
    with _opened(make) as index:
        index.write_hits([_hit(f"{n:05}", t=START + timedelta(seconds=n % 7)) for n in range(2500)], log_id=LOG)
        index.refresh()
        seen = []
        for number, hit in enumerate(index.hits("rule", "logic")):
            seen.append(hit.key)
            if number % 500 == 0:
                index.write_hits([_hit(f"early {number}", t=START - timedelta(hours=1))], log_id=LOG)
        assert len(seen) == len(set(seen)) == 2500


def check_former_hits_are_those_that_still_stand(make: IndexFactory) -> None:
    with _opened(make) as index:
        standing, other_rule = _hit("1"), _hit("1", rule="other")
        index.write_hits([standing, other_rule, _hit("2"), _hit("3", withdrawn=True)], log_id=LOG)
        index.write_hits([_hit("2", revision=1, withdrawn=True)], log_id=LOG)
        found = index.former_hits(["src:1", "src:2", "src:3", "src:4"])
        assert sorted(found, key=lambda hit: hit.rule) == [other_rule, standing]
        assert index.former_hits([]) == []


# ── forgetting ───────────────────────────────────────────────────────────────────────────────────────────────────


def check_pruning_goes_by_the_first_collection(make: IndexFactory) -> None:
    """A post that was edited yesterday is as old as its first collection; its hits go with it."""
    day = timedelta(days=1)
    with _opened(make) as index:
        index.write([_post("old", "vote"), _post("young", "vote", collected=START + 3 * day)], log_id=LOG)
        index.write([_post("old", "vote again", revision=1, collected=START + 3 * day)], log_id=LOG)
        index.write_hits([_hit("old"), _hit("young", g=START + 3 * day)], log_id=LOG)
        assert index.prune(before=START) == 0
        assert index.prune(before=START + day) == 1
        assert index.prune(before=START + day) == 0
        assert _found(index, Everything()) == ["src:young"]
        assert _found(index, Phrase(("again",))) == []
        assert index.get(["src:old"]) == {}
        assert [hit.key for hit in index.hits("rule", "logic")] == ["src:young"]
        assert index.former_hits(["src:old"]) == []


def check_pruning_leaves_books_and_positions(make: IndexFactory) -> None:
    with _opened(make) as index:
        index.write([_post("1", "vote")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
        index.prune(before=START + timedelta(days=1))
        assert index.books()["new"] == 1
        assert index.positions("posts") == {0: 1}
        assert index.log_id() == LOG


CHECKS: tuple[IndexCheck, ...] = (
    check_each_write_says_what_it_did,
    check_one_batch_is_judged_in_its_order,
    check_another_collector_of_the_same_words_changes_nothing,
    check_a_revision_keeps_the_first_collection,
    check_an_assessment_comes_back_as_it_was,
    check_a_revised_post_is_found_by_its_new_words_only,
    check_a_deletion_erases_the_words_and_stays_deleted,
    check_a_large_batch,
    check_positions_are_stored_with_the_write,
    check_the_books_count_every_offset_once,
    check_what_the_log_dropped_unread_is_counted_once,
    check_the_books_balance_while_somebody_writes,
    check_another_log_is_an_error,
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
    check_hits_keep_the_highest_revision,
    check_hits_come_by_rule_in_order_of_time_and_key,
    check_many_hits_are_all_read_while_more_are_written,
    check_former_hits_are_those_that_still_stand,
    check_pruning_goes_by_the_first_collection,
    check_pruning_leaves_books_and_positions,
)


def check_agreement(index: Index, library: Sequence[Assessment], query: Query, *, page: int = 3) -> None:
    """The index that holds exactly `library` answers `query` as the predicate does: same posts, order, counts."""
    holds = predicate(query)
    matching = [assessment for assessment in library if holds(assessment)]
    newest = sorted(matching, key=lambda one: (one.post.published_at, one.key), reverse=True)
    assert _found(index, query.node, limit=page) == [one.key for one in newest], query
    assert index.count(query) == len(matching), query
    for field in (name for name, row in FIELDS.items() if row.groupable):
        expected = Counter(value for one in matching for value in keyword_values(one, field))
        in_order = sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))
        assert list(index.counts(query, field).items()) == in_order, (query, field)
    step = timedelta(hours=1)
    midnight = datetime(1970, 1, 1, tzinfo=UTC)
    hours = Counter(one.post.published_at - (one.post.published_at - midnight) % step for one in matching)
    assert index.histogram(query, step=step) == hours, query


# ── what the checks share ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _opened(make: IndexFactory) -> Iterator[Index]:
    index = make()
    try:
        yield index
    finally:
        index.close()


def _post(
    name: str,
    text: str,
    *,
    title: str = "",
    revision: int = 0,
    deleted: bool = False,
    collector: str = "",
    author: str = "",
    target: str = "",
    link: str = "",
    reach: int = 0,
    flags: Sequence[str] = (),
    scores: dict[str, float] | None = None,
    published: datetime = START,
    collected: datetime = START,
) -> Assessment:
    post = Post(
        source="src",
        native_id=name,
        text=text,
        title=title,
        revision=revision,
        deleted=deleted,
        collector=collector,
        author=author,
        links=(link,) if link else (),
        reach=reach,
        published_at=published,
        collected_at=collected,
    )
    return Assessment(
        post=post,
        targets=(Target(id=target, role="aimed_at"),) if target else (),
        flags=tuple(Flag(code=code, score=0.9, threshold=0.5) for code in flags),
        scores=scores or {},
        tokens=analyse(text).tokens,
        title_tokens=analyse(title).tokens,
        first_collected_at=collected,
    )


def _hit(
    name: str,
    *,
    rule: str = "rule",
    logic: str = "logic",
    group: tuple[tuple[str, str], ...] = (),
    revision: int = 0,
    withdrawn: bool = False,
    score: float | None = None,
    t: datetime = START,
    g: datetime = START,
) -> Hit:
    return Hit(
        rule=rule,
        logic=logic,
        group=group,
        key=f"src:{name}",
        revision=revision,
        withdrawn=withdrawn,
        score=score,
        t=t,
        g=g,
        revised_at=g,
    )


def _query(node: Node) -> Query:
    return Query(text="", node=node)


def _text(index: Index, name: str) -> str:
    return index.get([f"src:{name}"])[f"src:{name}"].post.text


def _found(index: Index, node: Node, *, limit: int = 50) -> list[str]:
    """The keys of all pages of results."""
    index.refresh()
    keys: list[str] = []
    after: str | None = None
    while True:
        page = index.search(_query(node), limit=limit, after=after)
        keys += [assessment.key for assessment in page.assessments]
        after = page.next
        if after is None:
            return keys
