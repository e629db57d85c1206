"""What an index does with what is written: outcomes, revisions, positions and books, and what is forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from hustings.contracts import Outcome
from hustings.query.tree import Everything, Is, Phrase
from hustings.testing.expecting import expect_store_error
from hustings.testing.index_world import (
    LOG,
    START,
    IndexCheck,
    IndexFactory,
    hit,
    keys_found,
    opened,
    post,
    query_of,
    text_of,
)
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Target

__all__ = ["WRITING"]

CONCURRENT_WRITES = 100


# ── writing assessments ──────────────────────────────────────────────────────────────────────────────────────────


def check_each_write_says_what_it_did(make: IndexFactory) -> None:
    """New, unchanged, conflicting (same revision, other words: the first stays), revised, stale (the newer stays)."""
    with opened(make) as index:
        first, second = post("1", "first words"), post("1", "second words", revision=2)
        assert index.write([first], log_id=LOG) == [Outcome.NEW]
        assert index.write([first], log_id=LOG) == [Outcome.UNCHANGED]
        assert index.write([post("1", "other words")], log_id=LOG) == [Outcome.CONFLICTING]
        assert text_of(index, "1") == "first words"
        assert index.write([second], log_id=LOG) == [Outcome.REVISED]
        assert text_of(index, "1") == "second words"
        assert index.write([first], log_id=LOG) == [Outcome.STALE]
        assert text_of(index, "1") == "second words"


def check_one_batch_is_judged_in_its_order(make: IndexFactory) -> None:
    """Several revisions of a post in one batch do what they would do one by one."""
    batch = [
        post("1", "first"),
        post("1", "first"),
        post("2", "another post"),
        post("1", "third", revision=3),
        post("1", "second", revision=2),
        post("1", "other third", revision=3),
    ]
    with opened(make) as index:
        assert index.write(batch, log_id=LOG) == [
            Outcome.NEW,
            Outcome.UNCHANGED,
            Outcome.NEW,
            Outcome.REVISED,
            Outcome.STALE,
            Outcome.CONFLICTING,
        ]
        assert text_of(index, "1") == "third"
        assert keys_found(index, Everything()) == ["src:2", "src:1"]


def check_another_collector_of_the_same_words_changes_nothing(make: IndexFactory) -> None:
    """The same post seen by two collectors is one post, whatever reach and time each saw; the first stays."""
    with opened(make) as index:
        first = post("1", "the same words", collector="feed-a", reach=10)
        twin = post("1", "the same words", collector="feed-b", reach=12, collected=START + timedelta(hours=1))
        assert index.write([first, twin], log_id=LOG) == [Outcome.NEW, Outcome.UNCHANGED]
        assert keys_found(index, Is("collector", ("feed-a",))) == ["src:1"]
        assert keys_found(index, Is("collector", ("feed-b",))) == []


def check_a_revision_keeps_the_first_collection(make: IndexFactory) -> None:
    with opened(make) as index:
        later = START + timedelta(days=2)
        index.write([post("1", "first")], log_id=LOG)
        index.write([post("1", "second", revision=2, collected=later)], log_id=LOG)
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
    with opened(make) as index:
        index.write([assessment], log_id=LOG)
    with opened(make) as index:
        assert index.get([assessment.key, "src:none"]) == {assessment.key: assessment}
        index.refresh()
        assert index.search(query_of(Is("key", (assessment.key,)))).assessments == [assessment]


def check_a_revised_post_is_found_by_its_new_words_only(make: IndexFactory) -> None:
    with opened(make) as index:
        index.write([post("1", "apple", flags=("G",))], log_id=LOG)
        index.write([post("1", "pear", revision=1)], log_id=LOG)
        assert keys_found(index, Phrase(("pear",))) == ["src:1"]
        assert keys_found(index, Phrase(("apple",))) == []
        assert keys_found(index, Is("flag", ("G",))) == []
        assert keys_found(index, Everything()) == ["src:1"]


def check_a_deletion_erases_the_words_and_stays_deleted(make: IndexFactory) -> None:
    """The row stays, so that an older revision that comes late does not bring the words back."""
    with opened(make) as index:
        before = post("1", "words to erase", title="a title to erase")
        gone = post("1", "", revision=5, deleted=True)
        index.write([before], log_id=LOG)
        assert index.write([gone], log_id=LOG) == [Outcome.REVISED]
        assert index.write([before], log_id=LOG) == [Outcome.STALE]
        assert index.write([gone], log_id=LOG) == [Outcome.UNCHANGED]
        assert index.get(["src:1"])["src:1"].post.deleted
        for word in ("erase", "words", "title"):
            assert keys_found(index, Phrase((word,))) == []
        assert keys_found(index, Is("key", ("src:1",))) == ["src:1"]


def check_a_large_batch(make: IndexFactory) -> None:
    """More posts than one request of some servers takes, written twice."""
    posts = [post(f"{number}", f"post number {number}") for number in range(1500)]
    with opened(make) as index:
        assert set(index.write(posts, log_id=LOG)) == {Outcome.NEW}
        assert set(index.write(posts, log_id=LOG)) == {Outcome.UNCHANGED}
        index.refresh()
        assert index.count(query_of(Everything())) == 1500
        assert len(index.get([one.key for one in posts])) == 1500


# ── positions and books ──────────────────────────────────────────────────────────────────────────────────────────


def check_positions_are_stored_with_the_write(make: IndexFactory) -> None:
    """Per topic; kept over closing; never backwards, since a redo does not unknow what came later."""
    with opened(make) as index:
        assert index.positions("posts") == {}
        assert index.positions("hits") == {}
        index.write([post("1", "words")], log_id=LOG, positions={0: 5, 1: 7})
        index.write([], log_id=LOG, positions={0: 3, 1: 8})
        index.write_hits([], log_id=LOG, positions={0: 2})
    with opened(make) as index:
        assert index.positions("posts") == {0: 5, 1: 8}
        assert index.positions("hits") == {0: 2}


def check_the_books_count_every_offset_once(make: IndexFactory) -> None:
    """A redo of offsets that were counted before counts nothing; what is new in it does; the sum is the log's end."""
    with opened(make) as index:
        assert index.books() == {
            "new": 0,
            "revised": 0,
            "unchanged": 0,
            "conflicting": 0,
            "dead_letters": 0,
            "dropped": 0,
        }
        first = [post("1", "one"), post("2", "two"), post("1", "one, edited", revision=1)]
        index.write(first, log_id=LOG, origins=[(0, 0), (1, 0), (0, 2)], dead=[(0, 1)], positions={0: 3, 1: 1})
        expected = {"new": 2, "revised": 1, "unchanged": 0, "conflicting": 0, "dead_letters": 1, "dropped": 0}
        assert index.books() == expected
        index.write(first, log_id=LOG, origins=[(0, 0), (1, 0), (0, 2)], dead=[(0, 1)], positions={0: 3, 1: 1})
        assert index.books() == expected
        more = [first[2], post("1", "one, stale"), post("2", "two, other"), post("3", "three")]
        index.write(more, log_id=LOG, origins=[(0, 2), (0, 3), (0, 4), (1, 1)], dead=[(1, 2)], positions={0: 5, 1: 3})
    with opened(make) as index:
        books = index.books()
        assert books == {"new": 3, "revised": 1, "unchanged": 1, "conflicting": 1, "dead_letters": 2, "dropped": 0}
        assert index.positions_and_books() == ({0: 5, 1: 3}, books)
        assert sum(books.values()) == sum(index.positions("posts").values())


def check_what_the_log_dropped_unread_is_counted_once(make: IndexFactory) -> None:
    """A partition that begins above the index's position has lost what lies between; one that begins below has not."""
    with opened(make) as index:
        index.write([post("1", "one")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
        for _ in range(2):
            index.write([], log_id=LOG, dropped={0: 1, 1: 40})
        index.write([post("2", "two")], log_id=LOG, origins=[(1, 40)], dropped={0: 6}, positions={1: 41})
    with opened(make) as index:
        positions, books = index.positions_and_books()
        assert positions == {0: 6, 1: 41}
        assert (books["new"], books["dropped"]) == (2, 45)
        assert sum(books.values()) == sum(positions.values())


def check_the_books_balance_while_somebody_writes(make: IndexFactory) -> None:
    """Books and positions asked one after the other would be those of two moments."""
    with opened(make) as index:
        over = threading.Event()

        def write() -> None:
            for offset in range(CONCURRENT_WRITES):
                index.write([post(str(offset), "one")], log_id=LOG, origins=[(0, offset)], positions={0: offset + 1})
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
    with opened(make) as index:
        assert index.log_id() is None
        index.write([post("1", "words")], log_id=LOG, positions={0: 1})
        assert index.log_id() == LOG
        with expect_store_error():
            index.write([post("2", "words")], log_id="another", positions={0: 9})
        with expect_store_error():
            index.write_hits([hit("2")], log_id="another", positions={0: 9})
        assert index.get(["src:2"]) == {}
        assert index.positions("posts") == {0: 1}
        assert index.former_hits(["src:2"]) == []


# ── forgetting ───────────────────────────────────────────────────────────────────────────────────────────────────


def check_pruning_goes_by_the_first_collection(make: IndexFactory) -> None:
    """A post that was edited yesterday is as old as its first collection; its hits go with it."""
    day = timedelta(days=1)
    with opened(make) as index:
        index.write([post("old", "vote"), post("young", "vote", collected=START + 3 * day)], log_id=LOG)
        index.write([post("old", "vote again", revision=1, collected=START + 3 * day)], log_id=LOG)
        index.write_hits([hit("old"), hit("young", g=START + 3 * day)], log_id=LOG)
        assert index.prune(before=START) == 0
        assert index.prune(before=START + day) == 1
        assert index.prune(before=START + day) == 0
        assert keys_found(index, Everything()) == ["src:young"]
        assert keys_found(index, Phrase(("again",))) == []
        assert index.get(["src:old"]) == {}
        assert [one.key for one in index.hits("rule", "logic")] == ["src:young"]
        assert index.former_hits(["src:old"]) == []


def check_pruning_leaves_books_and_positions(make: IndexFactory) -> None:
    with opened(make) as index:
        index.write([post("1", "vote")], log_id=LOG, origins=[(0, 0)], positions={0: 1})
        index.prune(before=START + timedelta(days=1))
        assert index.books()["new"] == 1
        assert index.positions("posts") == {0: 1}
        assert index.log_id() == LOG


WRITING: tuple[IndexCheck, ...] = (
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
    check_pruning_goes_by_the_first_collection,
    check_pruning_leaves_books_and_positions,
)
