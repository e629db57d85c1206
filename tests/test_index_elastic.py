"""The index on a real Elasticsearch: the contract suite as on SQLite, the same answers as the predicate and SQLite, and
books that stay right whatever is lost on the way."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hustings.clock import SystemClock
from hustings.contracts import Index, Outcome
from hustings.errors import StoreError, WriteRefused
from hustings.query import Query
from hustings.query.predicate import predicate
from hustings.query.tree import And, Compare, Has, Is, Node, Not, Or, Phrase
from hustings.testing.check_index import CHECKS, IndexCheck, check_agreement
from hustings.testing.query_strategies import libraries, queries
from hustings.text import analyse
from hustings.types import Assessment
from index.elastic import ElasticIndex, ElasticSettings
from index.sqlite import SqliteIndex
from tests.memory_folder import memory_folder
from tests.servers.elastic_node import ElasticNode
from tests.servers.elastic_world import (
    ALL,
    LOG,
    START,
    admin,
    books,
    hit,
    indices_of,
    keys_of,
    opened,
    post,
)

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch"), pytest.mark.timeout(600)]

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_elastic_index_keeps_the_contract(check: IndexCheck, elastic_settings: ElasticSettings) -> None:
    def make() -> Index:
        return ElasticIndex(elastic_settings, clock=SystemClock()).open()

    check(make)


# ── one meaning in three places ──────────────────────────────────────────────────────────────────────────────────


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(library=libraries(max_size=8), asked=st.lists(queries(), min_size=1, max_size=8), page=st.integers(1, 4))
def test_it_finds_and_counts_what_the_predicate_says(
    elastic_settings: ElasticSettings, library: list[Assessment], asked: list[Query], page: int
) -> None:
    with opened(elastic_settings) as index:
        index.prune(before=FOREVER)
        index.write(library, log_id=LOG)
        for query in asked:
            check_agreement(index, library, query, page=page)


@hypothesis_settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=libraries(max_size=6), after=libraries(max_size=6), asked=st.lists(queries(), min_size=1, max_size=5))
def test_it_does_so_for_revised_posts_too(
    elastic_settings: ElasticSettings, before: list[Assessment], after: list[Assessment], asked: list[Query]
) -> None:
    revised = [replace(one, post=replace(one.post, revision=1)) for one in after]
    standing = {one.key: one for one in (*before, *revised)}
    with opened(elastic_settings) as index:
        index.prune(before=FOREVER)
        index.write(before, log_id=LOG)
        index.write(revised, log_id=LOG)
        for query in asked:
            check_agreement(index, list(standing.values()), query)


TEXTS = (
    *("الانْتِخابات غدا في كل مكان", "صوّت غدًا، الانتخابات مؤجلة؟", "कल मतदान होगा", "मतदान कल नहीं होगा", "मत-दान"),
    *(
        "投票日改了！",
        "投票站在學校",
        "选举推迟到明天",
        "İSTANBUL'da oy sandığı yok",
        "ıstanbul oy SANDIĞI",
        "oy vermeyin",
    ),
    *(
        "go 😀 vote",
        "👩🏽‍⚖️ judge 👩🏽‍⚖️",
        "🇹🇷 oy 🇹🇷",
        "do not v0te",
        "do not v·o·t·e",
        "do not vоte",
        "d o n o t v o t e",
    ),
    *(
        "#VoteNow @some_name",
        "straße strasse STRASSE",
        "votación votacio\u0301n",
        "ﬁle ｆｕｌｌ ｗｉｄｔｈ",
        "don't c++ 50% a_b",
    ),
    *(
        "z\u200bero w\u200didth",
        "ᵛᵒᵗᵉ ⓥⓞⓣⓔ 𝗏𝗈𝗍𝖾",
        "𐎀𐎁𐎂 " + "𐎀" * 200,
        "x" * 255 + " y",
        "Ελλάδα ψήφος ΨΗΦΟΣ",
        "выборы ВЫБОРЫ",
    ),
)


def test_every_word_of_every_script_and_disguise_is_found_alike_by_all_three(elastic_settings: ElasticSettings) -> None:
    """Each token, each of its beginnings, each pair of neighbours, each pair that ends in a beginning."""
    library = [replace(post(f"{n}", text), tokens=analyse(text).tokens) for n, text in enumerate(TEXTS)]
    library += [
        replace(post(f"t{n}", ""), tokens=(), title_tokens=analyse(text).tokens) for n, text in enumerate(TEXTS[::2])
    ]
    phrases: dict[Phrase, None] = {}
    for text in TEXTS:
        tokens = analyse(text).tokens
        for token in tokens:
            phrases |= dict.fromkeys(
                [Phrase((token,)), Phrase((token[:1],), True), Phrase((token[:3],), True, "title")]
            )
        for first, second in itertools.pairwise(tokens):
            phrases |= dict.fromkeys(
                [Phrase((first, second)), Phrase((first, second[:1]), True), Phrase((second, first))]
            )
    with opened(elastic_settings) as index, memory_folder() as folder:
        other = SqliteIndex(Path(folder)).open()
        index.write(library, log_id=LOG)
        other.write(library, log_id=LOG)
        index.refresh()
        for phrase in phrases:
            query = Query(text="", node=phrase)
            holds = predicate(query)
            expected = sorted(one.key for one in library if holds(one))
            assert keys_of(index, query) == keys_of(other, query) == expected, phrase
        other.close()
    assert len(phrases) > 250


ENDS: tuple[Node, ...] = (
    Compare("reach", ">", float("inf")),
    Compare("reach", "<", float("inf")),
    Compare("reach", "=", float("nan")),
    Compare("reach", ">=", -0.0),
    Compare("score.G", ">", -1.0),
    Compare("score.G", "<", -1.0),
    Compare("score.G", "=", -0.0),
    Compare("score.G", "<=", 5e-324),
    Compare("score.G", ">", 1e308),
    Compare("score.G-A:B 3", ">=", 0.0),
    Has("score.G-A"),
    Has("score.G-A:B 3"),
    Not(Has("score.G")),
    Not(Not(Compare("score.G", ">", 0.5))),
    Is("author", tuple(f"a{n}" for n in range(25_000))),
    Is("author", ()),
    Or(()),
    And(()),
)


def test_the_ends_of_numbers_and_lists_mean_the_same(elastic_settings: ElasticSettings) -> None:
    plain = post("1", "words", author="a24999")
    library = [
        plain,
        replace(post("2", "words"), scores={"G": 0.0, "G-A:B 3": 0.7}),
        replace(post("3", "words"), scores={"G-A": 1.0, "GG": 0.2}),
        replace(post("4", "words"), scores={"G": -0.0, "1:G": 0.3, "": 0.4}),
        replace(post("5", "words"), post=replace(plain.post, native_id="5", reach=2**63 - 1)),
    ]
    with opened(elastic_settings) as index:
        index.write(library, log_id=LOG)
        for node in ENDS:
            holds = predicate(Query(text="", node=node))
            index.refresh()
            assert keys_of(index, Query(text="", node=node)) == [one.key for one in library if holds(one)], node


def test_a_prefix_in_a_phrase_that_begins_too_many_words_is_refused_and_never_cut(
    elastic_settings: ElasticSettings,
) -> None:
    with opened(elastic_settings) as index:
        index.write([post(f"{n}", " ".join(f"the w{n}-{k}" for k in range(1_000))) for n in range(12)], log_id=LOG)
        index.refresh()
        assert index.count(Query(text="", node=Phrase(("w",), prefix=True))) == 12
        assert index.count(Query(text="", node=Phrase(("the", "w11-"), prefix=True))) == 1
        with pytest.raises(StoreError, match="begins too many words"):
            index.count(Query(text="", node=Phrase(("the", "w"), prefix=True)))


# ── where things are kept ────────────────────────────────────────────────────────────────────────────────────────


def test_a_post_stays_in_the_month_of_its_first_collection(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    with opened(elastic_settings) as index:
        index.write([post("old", "first"), post("young", "word", days=40)], log_id=LOG)
        later = post("old", "second", revision=3, days=40)
        assert index.write([later], log_id=LOG) == [Outcome.REVISED]
        assert index.write([replace(later, post=replace(later.post, text="other"))], log_id=LOG) == [
            Outcome.CONFLICTING
        ]
        assert index.get(["src:old"])["src:old"].ingested_at == START
    assert indices_of(elastic_node, elastic_settings) == {"state-all": 1, "posts-2026.10": 1, "posts-2026.11": 1}


def test_pruning_drops_whole_months_and_leaves_no_trace_of_what_was_erased(
    elastic_node: ElasticNode, elastic_settings: ElasticSettings
) -> None:
    with opened(elastic_settings) as index:
        posts = [post(f"{n}", "word", days=n) for n in range(70)]
        index.write(posts, log_id=LOG, origins=[(0, n) for n in range(70)], positions={0: 70})
        hits = [hit(f"{n}", days=n) for n in range(70)]
        index.write_hits(hits, log_id=LOG)
        assert index.prune(before=START + timedelta(days=40)) == 40
        assert index.count(ALL) == 30
        assert len(list(index.hits("rule", "logic"))) == 30
        assert index.books()["new"] == 70
        assert indices_of(elastic_node, elastic_settings) == {
            "state-all": 2,
            "posts-2026.11": 21,
            "hits-2026.11": 21,
            "posts-2026.12": 9,
            "hits-2026.12": 9,
        }
        assert index.write([posts[0]], log_id=LOG) == [Outcome.NEW]


def test_a_key_that_is_too_long_for_a_document_id_is_kept_all_the_same(elastic_settings: ElasticSettings) -> None:
    long = [post("投" * 512, "one"), post("投" * 511 + "票", "two"), post("x" * 508, "three"), post("x" * 509, "four")]
    with opened(elastic_settings) as index:
        assert index.write(long, log_id=LOG) == [Outcome.NEW] * 4
        assert index.write(long, log_id=LOG) == [Outcome.UNCHANGED] * 4
        assert index.get([one.key for one in long]) == {one.key: one for one in long}
        index.refresh()
        assert index.count(Query(text="", node=Is("key", (long[1].key,)))) == 1


def test_many_values_are_counted_to_the_last_one(elastic_settings: ElasticSettings) -> None:
    with opened(elastic_settings) as index:
        index.write([post(f"{n}", "word", author=f"a{n}") for n in range(6_000)], log_id=LOG)
        index.refresh()
        assert index.counts(ALL, "author", limit=6_000) == {f"a{n}": 1 for n in range(6_000)}
        with pytest.raises(StoreError, match="more than 5999 values"):
            index.counts(ALL, "author", limit=5_999)


def test_a_mapping_conflict_costs_one_document(elastic_node: ElasticNode, elastic_settings: ElasticSettings) -> None:
    """An operator's index with a field of another type: what it cannot take is named, all else is written, and the
    positions wait for the caller to make a dead letter of it."""
    with admin(elastic_node) as client:
        body = {"mappings": {"properties": {"author": {"type": "integer"}}}}
        assert client.put(f"/{elastic_settings.prefix}posts-2026.10", json=body).status_code == 200
    batch = [post("1", "one", author="7"), post("2", "two", author="a name"), post("3", "three")]
    origins = [(0, 0), (0, 1), (0, 2)]
    with opened(elastic_settings) as index:
        with pytest.raises(WriteRefused, match=r"failed to parse field \[author\]") as refusal:
            index.write(batch, log_id=LOG, origins=origins, positions={0: 3})
        assert list(refusal.value.reasons) == [1]
        assert index.get(["src:1", "src:2", "src:3"]).keys() == {"src:1", "src:3"}
        assert index.positions("posts") == {}
        kept, places = [batch[0], batch[2]], [origins[0], origins[2]]
        outcomes = index.write(kept, log_id=LOG, origins=places, dead=[origins[1]], positions={0: 3})
        assert outcomes == [Outcome.NEW, Outcome.NEW]
        assert index.books() == books(new=2, dead_letters=1)
