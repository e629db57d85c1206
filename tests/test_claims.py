"""Known fact-checks: what an import takes and refuses, which claim a text is about, and when nothing is said."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.claims import importing, shelf
from classifiers.claims.claim import Claim
from classifiers.claims.features import FEATURES, ORDER, features
from classifiers.claims.importing import Imported, read_claims
from classifiers.claims.matcher import ClaimMatcher, considered, load_reranker, retriever_of
from classifiers.claims.meaning import Meaning, is_in
from classifiers.claims.pairs import load_pairs
from classifiers.claims.reader import told
from classifiers.claims.rerank import read_trees, trees_of, write_trees
from classifiers.claims.retrieve import documents
from classifiers.claims.settings import ClaimSettings
from classifiers.claims.shelf import ClaimShelf
from classifiers.claims.step import KnownClaims
from classifiers.encoder.embed import Embedder, load_embedder
from classifiers.encoder.embedders import Embedders
from classifiers.encoder.settings import EncoderSettings
from classifiers.pipeline import analysed, open_pipeline, shipped_models
from classifiers.store import serving
from desk.database.connect import open_database
from desk.memory import DeskMemory
from hustings.errors import ConfigError, ModelError
from hustings.roster import Roster
from hustings.testing.memory import DictMemory
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post
from runtime import build
from tests.command_line import CommandLine, command_line

hustings = pytest.fixture(command_line)
NOW = datetime(2027, 3, 14, 9, tzinfo=UTC)

CLAIMS = [
    Claim(
        id="moved",
        text="The election in Port Ellery was moved from Sunday to Monday.",
        title="No, Port Ellery still votes on Sunday",
        publisher="Velmara Fact Desk",
        rating="False",
        url="https://facts.example/moved",
    ),
    Claim(
        id="river", text="Ballots were found in a river near Tarn Hollow.", title="The ballot photo is eight years old"
    ),
    Claim(id="salary", text="Candidates are paid 4,000 crowns for each vote.", title="No crowns are paid for votes"),
    Claim(id="urna", text="Las urnas de Puerto Elleri llegaron ya llenas de votos.", title="Las urnas estaban vacías"),
    Claim(id="fecha", text="أُجّل الانتخاب في ميناء إليري إلى يوم الاثنين", title="لا تأجيل، التصويت يوم الأحد"),
]


@pytest.fixture(scope="module")
def matcher() -> ClaimMatcher:
    reranker = load_reranker(serving(shipped_models()).values())
    assert reranker is not None
    return ClaimMatcher(CLAIMS, reranker)


def ranked(matcher: ClaimMatcher, text: str) -> list[str]:
    return [match.id for match in matcher.rank(analyse(text).tokens)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("they moved the election in port ellery from sunday to monday, pass it on!!", "moved"),
        ("BALLOTS in a RIVER by Tarn Hollow, look at this", "river"),
        ("b@llots found in a r1ver near Tarn Hollow", "river"),
        ("each vote brings a candidate 4,000 crowns, unbelievable", "salary"),
        ("las urnas llegaron llenas de votos a puerto elleri", "urna"),
        ("تم تأجيل الانتخاب إلى يوم الاثنين في ميناء إليري", "fecha"),
    ],
)
def test_the_claim_that_a_text_repeats_comes_first_in_any_language_and_spelling(
    matcher: ClaimMatcher, text: str, first: str
) -> None:
    assert ranked(matcher, text)[0] == first


def test_a_text_that_repeats_a_claim_is_sure_enough_to_be_shown(matcher: ClaimMatcher) -> None:
    tokens = analyse("The election in Port Ellery was moved from Sunday to Monday, they say").tokens
    assert [match.id for match in matcher.sure(tokens)] == ["moved"]


@pytest.mark.parametrize("language", ["es", "fr", "hi"])
@pytest.mark.parametrize("size", [1, 5, 10])
def test_a_copy_of_a_claim_is_shown_in_a_small_collection_too(size: int, language: str) -> None:
    reranker = load_reranker(serving(shipped_models()).values())
    assert reranker is not None
    pairs = load_pairs(language)[0][:size]
    claims = [Claim(id=pair.text[:60], text=pair.text, title=pair.title) for pair in pairs]
    small = ClaimMatcher(claims, reranker)
    unseen = [one.id for one in claims if one.id not in [m.id for m in small.sure(analyse(one.text).tokens)]]
    assert unseen == []


@pytest.mark.parametrize(
    "text",
    ["", "🙂", "nice weather in Port Ellery today", "I moved house from Tarn Hollow on Monday", "votar es un derecho"],
)
def test_a_text_about_something_else_gets_no_claim(matcher: ClaimMatcher, text: str) -> None:
    assert matcher.sure(analyse(text).tokens) == []


@given(text=st.text(max_size=300))
def test_any_text_is_ranked_with_probabilities_in_a_fixed_order(matcher: ClaimMatcher, text: str) -> None:
    tokens = analyse(text).tokens
    found = matcher.rank(tokens)
    assert found == matcher.rank(tokens)
    assert all(0 <= match.score <= 1 for match in found)
    assert len({match.id for match in found}) == len(found)


def test_a_claim_is_never_surer_than_one_that_ranks_before_it(matcher: ClaimMatcher, reading: ClaimMatcher) -> None:
    """The trees alone, asked about each by itself, think more of some that come later."""
    retriever = retriever_of(CLAIMS)
    reranker = load_reranker(serving(shipped_models()).values())
    assert reranker is not None
    overtaken = 0
    for text in (
        "the vote for candidates in Port Ellery was paid with crowns near the river",
        "No crowns for the ballot photo, the election is on Monday in Tarn Hollow",
        "Candidates moved each vote from the river to Port Ellery for crowns",
        "they moved the election in port ellery from sunday to monday, pass it on!!",
    ):
        tokens = analyse(text).tokens
        (query,) = documents([text])
        rows = features(retriever, query, considered(retriever, query))
        margins = reranker.trees.margins(rows[np.argsort(-rows[:, ORDER], kind="stable")])
        overtaken += bool((np.diff(margins) > 0).any())
        for scores in ([one.score for one in found.rank(tokens, text=text)] for found in (matcher, reading)):
            assert scores == sorted(scores, reverse=True)
    assert overtaken


def test_more_in_common_never_makes_a_match_less_sure(matcher: ClaimMatcher) -> None:
    retriever = retriever_of(CLAIMS)
    (query,) = documents(["The election in Port Ellery was moved"])
    rows = features(retriever, query, considered(retriever, query))
    reranker = load_reranker(serving(shipped_models()).values())
    assert reranker is not None
    for column, name in enumerate(FEATURES):
        if name not in ("claim_length", "text_length"):
            more = rows.copy()
            more[:, column] += 0.1
            assert (reranker.trees.margins(more) >= reranker.trees.margins(rows)).all(), name


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_trees_written_and_read_say_what_scikit_learn_says() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    chance = np.random.default_rng(5)
    rows = chance.random((400, len(FEATURES))).astype(np.float32)
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=False, random_state=0)
    model.fit(rows, rows[:, 3] + 0.2 * chance.random(400) > 0.6)
    raw = write_trees(trees_of(model))
    assert raw == write_trees(trees_of(model))
    assert np.allclose(read_trees(raw).margins(rows), model.decision_function(rows))


def _archive(**arrays: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.savez(written, **arrays)
    return written.getvalue()


ONE_LEAF = {
    "start": np.array([0.0]),
    "depth": np.array([1], dtype=np.int32),
    "roots": np.array([0], dtype=np.int32),
    "feature": np.array([0], dtype=np.int32),
    "split": np.array([np.inf]),
    "low": np.array([0], dtype=np.int32),
    "high": np.array([0], dtype=np.int32),
    "value": np.array([0.5]),
}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "cannot be read"),
        (b"PK\x03\x04 not a zip", "cannot be read"),
        (_archive(start=np.array([0.0])), "cannot be read"),
        (_archive(**ONE_LEAF | {"low": np.array([7], dtype=np.int32)}), "point outside"),
        (_archive(**ONE_LEAF | {"roots": np.array([-1], dtype=np.int32)}), "point outside"),
        (_archive(**ONE_LEAF | {"feature": np.array([99], dtype=np.int32)}), "point outside"),
        (_archive(**ONE_LEAF | {"value": np.array([np.nan])}), "no numbers"),
        (_archive(**ONE_LEAF | {"value": np.array([0.5, 0.5])}), "of one length"),
        (_archive(**ONE_LEAF | {"depth": np.array([10_000], dtype=np.int32)}), "depth 10000"),
    ],
)
def test_trees_that_would_be_left_or_are_none_are_refused(raw: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_trees(raw)


def test_pickled_trees_are_never_unpickled() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        raw = io.BytesIO()
        np.lib.format.write_array(raw, np.array([print], dtype=object), allow_pickle=True)
        archive.writestr("start.npy", raw.getvalue())
    with pytest.raises(ModelError, match="allow_pickle=False"):
        read_trees(written.getvalue())


# ── import ───────────────────────────────────────────────────────────────────────────────────────────────────────

REVIEW = {
    "@context": "https://schema.org",
    "@type": "ClaimReview",
    "claimReviewed": "The vote was moved.",
    "headline": "No, it was not",
    "url": "https://facts.example/1",
    "datePublished": "2027-03-01",
    "author": {"@type": "Organization", "name": "Velmara Fact Desk"},
    "reviewRating": {"@type": "Rating", "ratingValue": 1, "alternateName": "Pants on fire"},
}


@pytest.mark.parametrize(
    "wrapped",
    [
        REVIEW,
        [REVIEW],
        {"@graph": [{"@type": "WebPage"}, REVIEW]},
        {"@type": "DataFeed", "dataFeedElement": [{"@type": "DataFeedItem", "item": [REVIEW]}]},
        REVIEW | {"@type": ["ClaimReview", "Review"]},
    ],
)
def test_a_claim_review_is_found_however_it_is_wrapped(tmp_path: Path, wrapped: object) -> None:
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(wrapped))
    (claim,) = read_claims(path).claims
    assert (claim.text, claim.title, claim.publisher, claim.rating, claim.published) == (
        "The vote was moved.",
        "No, it was not",
        "Velmara Fact Desk",
        "Pants on fire",
        "2027-03-01",
    )


RATING = {"@id": "#r", "@type": "Rating", "alternateName": "Pants on fire"}
DESK = {"@id": "https://facts.example/#us", "@type": "Organization", "name": "Velmara Fact Desk"}
BARE = {key: value for key, value in REVIEW.items() if key not in ("@type", "@context")}
EXPANDED = {
    "@type": ["http://schema.org/ClaimReview"],
    "http://schema.org/claimReviewed": [{"@value": "The vote was moved."}],
    "http://schema.org/reviewRating": [{"http://schema.org/alternateName": [{"@value": "Pants on fire"}]}],
    "http://schema.org/author": [{"http://schema.org/name": [{"@value": "Velmara Fact Desk"}]}],
    "http://schema.org/url": [{"@id": "https://facts.example/1"}],
}


@pytest.mark.parametrize("name", ["feed.json", "feed.jsonl"])
@pytest.mark.parametrize(
    "written",
    [
        REVIEW | {"reviewRating": [{"alternateName": "Pants on fire"}]},
        REVIEW | {"reviewRating": "Pants on fire"},
        REVIEW | {"reviewRating": {"alternateName": ["Pants on fire"]}},
        REVIEW | {"reviewRating": {"alternateName": {"@value": "Pants on fire", "@language": "en"}}},
        REVIEW | {"reviewRating": {"name": "Pants on fire"}},
        REVIEW | {"url": ["https://facts.example/1"]},
        {"@graph": [REVIEW | {"reviewRating": {"@id": "#r"}}, RATING]},
        {"@graph": [REVIEW | {"author": [{"@id": DESK["@id"]}]}, DESK]},
        {"@graph": [REVIEW | {"@type": "schema:ClaimReview"}]},
        [REVIEW | {"@type": ["http://schema.org/ClaimReview"]}],
        [BARE],
        BARE,
        EXPANDED,
    ],
)
def test_verdict_publisher_and_address_are_found_in_every_usual_shape(
    tmp_path: Path, written: object, name: str
) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(written))
    (claim,), refused = read_claims(path)
    assert (claim.text, claim.publisher, claim.rating, claim.url, refused) == (
        "The vote was moved.",
        "Velmara Fact Desk",
        "Pants on fire",
        "https://facts.example/1",
        [],
    )


@pytest.mark.parametrize("rating", [{"name": "Fact Check Rating", "ratingValue": 1}, 1, {"@id": "#elsewhere"}])
def test_the_name_of_a_scale_and_a_number_are_no_verdict(tmp_path: Path, rating: object) -> None:
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(REVIEW | {"reviewRating": rating}))
    assert [one.rating for one in read_claims(path).claims] == [""]


def test_objects_that_refer_to_each_other_without_end_say_nothing(tmp_path: Path) -> None:
    loop = {"@id": "#r", "alternateName": [{"@id": "#r"}] * 50, "name": {"@id": "#r"}}
    path = tmp_path / "feed.json"
    path.write_text(json.dumps({"@graph": [REVIEW | {"reviewRating": [loop] * 50, "author": {"@id": "#r"}}]}))
    assert [(one.publisher, one.rating) for one in read_claims(path).claims] == [("", "")]


def test_records_with_plain_names_are_read_by_these_beside_reviews_without_a_type(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    plain = {"id": "b", "claimReviewed": "two", "rating": "false", "publisher": "Desk", "lang": "en"}
    path.write_text(json.dumps([{"id": "a", "text": "one"}, plain, BARE]))
    assert [(one.id, one.text, one.publisher, one.rating, one.lang) for one in read_claims(path).claims[:2]] == [
        ("a", "one", "", "", ""),
        ("b", "two", "Desk", "false", "en"),
    ]
    assert len(read_claims(path).claims) == 3


def test_an_update_without_a_verdict_or_a_publisher_takes_neither_away() -> None:
    held = ClaimShelf(DictMemory())
    held.add(of_file(CLAIMS[0]))
    bare = msgspec.structs.replace(CLAIMS[0], title="Still on Sunday", publisher="", rating="")
    held.add(of_file(bare))
    assert held.claims() == (msgspec.structs.replace(CLAIMS[0], title="Still on Sunday"),)


def test_no_verdict_is_kept_beside_other_words() -> None:
    held = ClaimShelf(DictMemory())
    held.add(of_file(CLAIMS[0]))
    (imported,), _ = held.add(of_file(msgspec.structs.replace(CLAIMS[0], text="The count was stopped.", rating="")))
    assert ([one.where for one in imported.refused], held.claims()) == (["id 'moved'"], (CLAIMS[0],))


def test_a_check_without_an_id_has_the_same_one_in_the_next_import(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(REVIEW))
    assert read_claims(path).claims[0].id == read_claims(path).claims[0].id != ""


def test_csv_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    path = tmp_path / "checks.csv"
    path.write_text('URL,Author,claimReviewed,title,alternativeName\nhttps://f.example,Desk,"It, moved",Not so,falso\n')
    (claim,) = read_claims(path).claims
    assert (claim.text, claim.title, claim.publisher, claim.rating) == ("It, moved", "Not so", "Desk", "falso")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("checks.csv", "Claim;Verdict\nThe vote was moved, they say;false\n".encode("utf-8-sig")),
        ("checks.tsv", b"Claim\tVerdict\nThe vote was moved, they say\tfalse\n"),
        ("checks.csv.gz", gzip.compress(b'Claim,Verdict\n"The vote was moved, they say",false\n', mtime=0)),
        ("CHECKS.CSV.GZ", gzip.compress(b'Claim,Verdict\n"The vote was moved, they say",false\n', mtime=0)),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert [(one.text, one.rating) for one in read_claims(path).claims] == [("The vote was moved, they say", "false")]


def test_of_a_small_file_that_unfolds_to_a_large_one_no_more_is_made_than_an_import_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 2_000_000)  # half a gigabyte takes seconds
    path = tmp_path / "checks.json.gz"
    path.write_bytes(gzip.compress(b" " * 60_000_000, 1))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="holds more than 2,000,000 bytes"):
            read_claims(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_claim_with_a_comma_and_without_quotes_gets_no_wrong_verdict(tmp_path: Path) -> None:
    path = tmp_path / "checks.csv"
    path.write_text("claim,rating,publisher\nThe vote, they say, was moved,false,Desk\nAll is well,true,Desk\n")
    imported = read_claims(path)
    assert [(one.text, one.rating) for one in imported.claims] == [("All is well", "true")]
    assert [refused.where for refused in imported.refused] == ["line 2"]


def test_words_are_taken_without_the_entities_and_tags_of_the_page_and_made_ids_stay(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    raw = {
        "claimReviewed": "The commission&#8217;s rolls &lt;2019&gt; &amp; ours",
        "headline": "<p class='h'>No, the <em>rolls</em></p><p>are fine, 1 < 2</p>",
        "author": {"name": "Fact &amp; Desk"},
        "reviewRating": {"alternateName": "C&#39;est faux"},
    }
    path.write_text(json.dumps(REVIEW | raw))
    (claim,) = read_claims(path).claims
    assert (claim.text, claim.title, claim.publisher, claim.rating) == (
        "The commission’s rolls <2019> & ours",
        "No, the rolls are fine, 1 < 2",
        "Fact & Desk",
        "C'est faux",
    )
    assert claim.id == "4807ac38b417abd7c288"


def test_an_id_is_that_of_one_claim_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    lines = [("1", "one", ""), ("1", "two", ""), ("2", "three", "old"), ("2", "three", "new")]
    path.write_text("".join(json.dumps({"id": a, "text": b, "rating": c}) + "\n" for a, b, c in lines))
    imported = read_claims(path)
    assert [(claim.text, claim.rating) for claim in imported.claims] == [("one", ""), ("three", "new")]
    assert imported.refused == [("line 2", "has the id '1' of another claim of this file: 'one'")]


def test_of_two_publishers_verdicts_under_one_id_in_one_file_the_second_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    checks = [("A Desk", "false"), ("B Desk", "true"), ("a desk", "mostly false")]
    lines = [json.dumps({"id": "1", "text": "one", "publisher": a, "rating": b}) for a, b in checks]
    path.write_text("\n".join(lines))
    imported = read_claims(path)
    assert [(claim.publisher, claim.rating) for claim in imported.claims] == [("a desk", "mostly false")]
    (refused,) = imported.refused
    assert (refused.where, "that A Desk checked" in refused.why) == ("line 2", True)


def test_an_id_that_names_a_part_of_a_page_goes_with_its_page(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    pages = [REVIEW | {"@id": "#review", "url": f"https://f.example/{number}"} for number in (1, 2)]
    path.write_text(json.dumps(pages))
    assert [one.id for one in read_claims(path).claims] == ["https://f.example/1#review", "https://f.example/2#review"]


@pytest.mark.parametrize(("own", "url"), [("_:b0", "https://f.example/1"), ("_:b0", ""), ("#review", "")])
def test_an_id_that_names_nothing_outside_its_file_lets_no_later_file_write_over_its_claims(
    tmp_path: Path, own: str, url: str
) -> None:
    held = ClaimShelf(DictMemory())
    for week, text in enumerate(("The vote was moved.", "The count was stopped.")):
        path = tmp_path / f"{week}.json"
        path.write_text(json.dumps(REVIEW | {"@id": own, "url": url, "claimReviewed": text}))
        held.add([read_claims(path)])
    assert sorted(one.text for one in held.claims()) == ["The count was stopped.", "The vote was moved."]


def test_every_record_that_cannot_be_used_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    lines = ['{"id": "a", "text": "one"}', "{not json", "17", '{"id": "b"}', '{"id": "c", "text": "\\ud800"}', ""]
    path.write_text("\n".join([*lines, '{"id": "d", "text": "%s"}' % ("x" * 30_000), '{"id": 5, "text": "two"}']))
    imported = read_claims(path)
    assert [claim.id for claim in imported.claims] == ["a", "5"]
    assert [refused.where for refused in imported.refused] == ["line 2", "line 3", "line 4", "line 5", "line 7"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", "{", "not JSON"),
        ("x.json", "[" * 100_000, "not JSON"),
        ("x.json", '{"a": 1}', "holds no ClaimReview"),
        ("x.csv", "a,b\n1,2\n", "no column holds what was claimed"),
        ("x.csv", "", "no column holds what was claimed"),
        pytest.param("x.csv", f"id,text\n1,{'x' * 10_000_001}\n", "line 2: field larger than", id="long field"),
    ],
)
def test_a_file_that_holds_no_claims_says_what_it_lacks(tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ConfigError, match=says):
        read_claims(path)


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x1c", "\x85"])
def test_what_ends_a_line_for_python_alone_ends_no_claim(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "checks.csv"
    path.write_text(f"id,claim,publisher\n1,The vote is{mark}moved to Monday,AFP\n", "utf-8")
    imported = read_claims(path)
    assert [(one.text, one.publisher) for one in imported.claims] == [(f"The vote is{mark}moved to Monday", "AFP")]
    assert imported.refused == []


def test_a_line_that_nests_without_end_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    path.write_text('{"id": "a", "text": "one"}\n' + "[" * 100_000 + '\n{"id": "b", "text": "two"}\n')
    imported = read_claims(path)
    assert [claim.id for claim in imported.claims] == ["a", "b"]
    assert [refused.where for refused in imported.refused] == ["line 2"]


# ── shelf, step, command ─────────────────────────────────────────────────────────────────────────────────────────


def of_file(*claims: Claim) -> list[Imported]:
    return [Imported(list(claims), [])]


def test_what_is_put_on_the_shelf_is_found_by_another_worker_and_a_new_version_is_seen(desk_url: str) -> None:
    engine = open_database(desk_url)
    try:
        writer, reader = ClaimShelf(DeskMemory(engine)), ClaimShelf(DeskMemory(engine))
        assert (reader.version(), reader.claims()) == ("", ())
        assert writer.add(of_file(*CLAIMS[:2])).held == 2
        first = reader.version()
        assert [claim.id for claim in reader.claims()] == ["moved", "river"]
        assert reader.claims() is reader.claims()
        assert writer.add(of_file(msgspec.structs.replace(CLAIMS[0], rating="Corrected"), CLAIMS[2])).held == 3
        assert reader.version() != first
        assert [claim.rating for claim in reader.find(["salary", "gone", "moved"])] == ["", "Corrected"]
        assert writer.remove(["salary"]) == 2
        assert [claim.id for claim in reader.claims()] == ["moved", "river"]
    finally:
        engine.dispose()


def test_of_two_imports_at_once_neither_is_lost(desk_url: str) -> None:
    engine = open_database(desk_url)
    try:
        with ThreadPoolExecutor(len(CLAIMS)) as pool:
            list(pool.map(lambda claim: ClaimShelf(DeskMemory(engine)).add(of_file(claim)), CLAIMS))
        assert [claim.id for claim in ClaimShelf(DeskMemory(engine)).claims()] == sorted(one.id for one in CLAIMS)
    finally:
        engine.dispose()


class OvertakenMemory(DictMemory):
    """Just before the first change of the collection is written, somebody else writes one."""

    def __init__(self, other: Claim) -> None:
        super().__init__()
        self._others = [other]

    def replace(self, table: str, key: str, former: bytes | None, value: bytes) -> bool:
        if self._others:
            ClaimShelf(self).add(of_file(self._others.pop()))
        return super().replace(table, key, former, value)


def test_of_two_imports_at_once_neither_takes_the_place_of_another_publishers_claim() -> None:
    theirs = Claim(id="1", text="What B checked", publisher="B Desk")
    ours = [Claim(id="1", text="What A checked", publisher="A Desk"), Claim(id="2", text="Two", publisher="A Desk")]
    shelf = ClaimShelf(OvertakenMemory(theirs))
    (imported,), held = shelf.add(of_file(*ours))
    assert (imported.claims, [refused.where for refused in imported.refused], held) == (ours[1:], ["id '1'"], 2)
    assert shelf.claims() == (theirs, ours[1])


def test_no_collection_is_written_that_could_not_be_read_again(desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_MOST_BYTES", 200)  # a gigabyte takes minutes
    engine = open_database(desk_url)
    try:
        held = ClaimShelf(DeskMemory(engine))
        assert held.add(of_file(CLAIMS[1])).held == 1
        with pytest.raises(ConfigError, match="one collection takes 200"):
            held.add(of_file(*CLAIMS))
        assert [claim.id for claim in ClaimShelf(DeskMemory(engine)).claims()] == ["river"]
    finally:
        engine.dispose()


def test_only_posts_with_a_narrative_or_an_answer_to_one_are_looked_up() -> None:
    reranker = load_reranker(serving(shipped_models()).values())
    step = KnownClaims(CLAIMS, reranker)
    text = "The election in Port Ellery was moved from Sunday to Monday."
    posts = [
        Post(source="example", native_id=code, text=text, published_at=NOW, collected_at=NOW)
        for code in ("N-PROC-DATE", "X-COUNTER", "G-THR", "")
    ]
    flagged = [
        msgspec.structs.replace(one, flags=(Flag(code=one.post.native_id, score=0.9),) if one.post.native_id else ())
        for one in analysed(posts, {})
    ]
    assert [one.claims for one in step.classify(flagged)] == [("moved",), ("moved",), (), ()]


@pytest.fixture(scope="module")
def reading(matcher: ClaimMatcher) -> ClaimMatcher:
    """The same claims, compared by meaning too."""
    folders = serving(shipped_models()).values()
    reranker, embedder = load_reranker(folders), load_embedder(folders, "en")
    assert reranker is not None
    assert embedder is not None
    return ClaimMatcher(CLAIMS, reranker, retriever=matcher.retriever, meaning=Meaning.of(CLAIMS, embedder, readers=2))


def test_a_claim_told_in_altogether_other_words_is_found_by_its_meaning(reading: ClaimMatcher) -> None:
    text = "Contenders get money whenever somebody picks them on paper"
    tokens = analyse(text).tokens
    assert [match.id for match in reading.rank(tokens, text=text)][:1] == ["salary"]
    assert reading.sure(tokens) == []


def test_meaning_changes_nothing_for_a_text_in_another_language(matcher: ClaimMatcher, reading: ClaimMatcher) -> None:
    for text in (
        "las urnas llegaron llenas de votos a puerto elleri",
        "تم تأجيل الانتخاب إلى يوم الاثنين في ميناء إليري",
    ):
        tokens = analyse(text).tokens
        assert reading.rank(tokens, text=text) == matcher.rank(tokens)


def test_meaning_ranks_no_claim_in_another_language_for_an_english_text(reading: ClaimMatcher) -> None:
    text = "the sun is shining on our holiday in the mountains"
    found = [match.id for match in reading.rank(analyse(text).tokens, text=text)]
    assert not {"urna", "fecha"} & set(found)


HINDI_CLAIM = "Port Ellery mein chunav ki tareekh badal kar somvaar kar di gayi hai"
HINDI_POST = "chunav ki tareekh badal gayi hai, Port Ellery mein ab vote somvaar ko padenge, sabko batao"
IN_OTHER_WORDS = "Hey! Port Ellery's ballot got pushed back a day: don't go Sunday, everybody goes Monday instead"


def english(*texts: str, code: str = "N-PROC-DATE") -> list[Assessment]:
    posts = [
        Post(source="example", native_id=str(place), text=text, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    flags = (Flag(code=code, score=0.9),) if code else ()
    return [msgspec.structs.replace(one, lang="en", flags=flags) for one in analysed(posts, {})]


def reading_step(
    open_embedder: Callable[[str], Embedder | None],
    claims: Sequence[Claim] = CLAIMS,
    *,
    former: KnownClaims | None = None,
    by_meaning: bool = True,
) -> KnownClaims:
    reranker = load_reranker(serving(shipped_models()).values())
    settings = ClaimSettings(by_meaning=by_meaning)
    return KnownClaims(claims, reranker, former=former, settings=settings, open_embedder=open_embedder)


@pytest.fixture(scope="module")
def embedders() -> Embedders:
    return Embedders(serving(shipped_models()).values())


def test_a_post_that_words_leave_undecided_is_shown_the_claim_that_it_means(embedders: Embedders) -> None:
    posts = english(IN_OTHER_WORDS)
    assert [one.claims for one in reading_step(embedders.of, by_meaning=False).classify(posts)] == [()]
    assert [one.claims for one in reading_step(embedders.of).classify(posts)] == [("moved",)]


@pytest.mark.parametrize(
    "text",
    [
        "Port Ellery's bakery is shut on Monday, get your bread on Sunday",
        "Somebody threw an old bicycle in the river near Tarn Hollow",
        "Our choir sings in Tarn Hollow on Monday, tickets are 4,000 crowns",
        "🙂",
    ],
)
def test_a_post_that_shares_words_and_means_something_else_is_shown_nothing(embedders: Embedders, text: str) -> None:
    assert [one.claims for one in reading_step(embedders.of).classify(english(text))] == [()]


def test_nothing_is_read_for_a_post_that_nothing_points_at_or_in_another_language_or_that_words_decide(
    embedders: Embedders,
) -> None:
    asked: list[str] = []

    def open_embedder(language: str) -> Embedder | None:
        asked.append(language)
        return embedders.of(language)

    step = reading_step(open_embedder)
    step.classify(english(IN_OTHER_WORDS, code=""))
    step.classify([msgspec.structs.replace(one, lang="es") for one in english(IN_OTHER_WORDS)])
    step.classify(english("The election in Port Ellery was moved from Sunday to Monday, they say"))
    assert asked == []
    step.classify(english(IN_OTHER_WORDS))
    assert asked == ["en"]


def test_the_pipeline_reads_unless_claims_by_meaning_or_encoders_are_switched_off() -> None:
    post = Post(source="e", native_id="1", text=IN_OTHER_WORDS, lang="en", published_at=NOW, collected_at=NOW)

    def shown(encoder: EncoderSettings, claim_settings: ClaimSettings) -> tuple[str, ...]:
        pipeline = open_pipeline(
            models=None,
            roster=Roster(),
            codebook=build.codebook(),
            languages=("en",),
            claims=CLAIMS,
            encoder=encoder,
            claim_settings=claim_settings,
        )
        return pipeline.assess([post], {})[0].claims

    assert shown(EncoderSettings(), ClaimSettings()) == ("moved",)
    assert shown(EncoderSettings(), ClaimSettings(by_meaning=False)) == ()
    assert shown(EncoderSettings(on=False), ClaimSettings()) == ()


def test_claims_that_were_read_are_not_read_again_after_the_next_import(embedders: Embedders) -> None:
    first = reading_step(embedders.of)
    first.classify(english(IN_OTHER_WORDS))
    matcher = first._matcher
    assert matcher is not None
    assert matcher.reader is not None
    read = dict(matcher.reader._kept)
    assert read
    more = [*CLAIMS, Claim(id="lake", text="The lake at Tarn Hollow was sold.")]
    second = reading_step(embedders.of, more, former=first)
    assert [one.claims for one in second.classify(english(IN_OTHER_WORDS))] == [("moved",)]
    assert second._matcher is not None
    assert second._matcher.reader is not None
    assert all(second._matcher.reader._kept[text] is vector for text, vector in read.items())


def test_a_claim_is_told_by_meaning_only_when_it_is_like_the_text_and_ahead_of_every_other_claim() -> None:
    apart = np.eye(3, dtype=np.float32)
    like, unlike = np.array([0.7, 0.3, 0.1], np.float32), np.array([0.6, 0.3, 0.1], np.float32)
    clear, close = np.array([0.8, 0.5, 0.1], np.float32), np.array([0.8, 0.75, 0.1], np.float32)
    assert told(clear, like, apart) == 0
    assert told(clear, unlike, apart) is None
    assert told(close, like, apart) is None
    twice = np.array([[1, 0, 0], [0.9, np.sqrt(0.19), 0], [0, 0, 1]], np.float32)
    assert told(close, like, twice) == 0, "the second is the first, checked by another publisher"
    assert told(np.empty(0, np.float32), np.empty(0, np.float32), np.empty((0, 3), np.float32)) is None


def test_without_claims_nothing_is_matched() -> None:
    (assessment,) = analysed([Post(source="e", native_id="1", text="x", published_at=NOW, collected_at=NOW)], {})
    assert KnownClaims((), None).classify([assessment]) == [assessment]


def test_the_command_ranks_ids_for_each_text_in_order(tmp_path: Path, hustings: CommandLine) -> None:
    claims, queries = tmp_path / "claims.jsonl", tmp_path / "queries.jsonl"
    claims.write_bytes(b"\n".join(msgspec.json.encode(claim) for claim in CLAIMS))
    queries.write_text(
        '{"id": "q1", "text": "they say ballots were found in a river near tarn hollow"}\n{"id": "q2", "text": "🙂"}\n'
    )
    done = hustings("claims", "match", "--claims", claims, "--queries", queries, "--json")
    first, second = (json.loads(line) for line in done.out.splitlines())
    assert (first["id"], first["claims"][0], first["match"]) == ("q1", "river", True)
    assert second == {"id": "q2", "claims": [], "scores": [], "match": False}


def test_hindi_in_latin_letters_is_no_english_and_a_few_plain_words_may_be() -> None:
    assert not is_in("chunav ki tareekh badal gayi hai, ab vote somvaar ko padenge, sabko batao", "en")
    assert is_in("ballots river", "en")


def test_the_command_reads_no_hindi_in_latin_letters_by_its_meaning(tmp_path: Path, hustings: CommandLine) -> None:
    claims, queries = tmp_path / "claims.jsonl", tmp_path / "queries.jsonl"
    claims.write_text(json.dumps({"id": "1", "text": HINDI_CLAIM}) + "\n")
    queries.write_text(json.dumps({"id": "q", "text": HINDI_POST}) + "\n")
    match = ("claims", "match", "--claims", claims, "--queries", queries, "--json")
    assert hustings(*match).out == hustings(*match, "--words-only").out


@pytest.fixture
def held(tmp_path: Path, hustings: CommandLine) -> Path:
    """A configuration whose deployment holds the claims."""
    config, claims = tmp_path / "hustings.toml", tmp_path / "claims.jsonl"
    config.write_text('[deployment]\nname = "Velmara"\n')
    claims.write_bytes(b"\n".join(msgspec.json.encode(claim) for claim in CLAIMS))
    assert hustings("claims", "import", claims, "--config", config).status == 0
    return config


def test_no_publisher_takes_the_place_of_another_that_numbers_alike(
    held: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    for name, verdict in (("A Desk", "false"), ("B Desk", "true"), ("a desk", "mostly false")):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"id,claim,publisher,rating\n1,What {name[0].upper()} checked,{name},{verdict}\n")
    done = hustings("claims", "import", tmp_path / "A Desk.csv", tmp_path / "B Desk.csv", "--config", held)
    assert (done.status, "id '1': is the id of a claim that A Desk checked: 'What A checked'" in done.err) == (1, True)
    for dry_run in (["--dry-run"], []):
        done = hustings("claims", "import", tmp_path / "B Desk.csv", "--config", held, *dry_run)
        assert (done.status, "B Desk.csv: 0 claims, 1 refused" in done.out) == (1, True)
    assert hustings("claims", "import", tmp_path / "a desk.csv", "--config", held).status == 0
    listed = map(json.loads, hustings("claims", "list", "--config", held, "--json").out.splitlines())
    assert [(one["text"], one["rating"]) for one in listed if one["id"] == "1"] == [("What A checked", "mostly false")]


def test_an_import_tells_how_many_claims_lack_a_verdict_or_a_publisher(
    held: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    path = tmp_path / "more.csv"
    path.write_text("id,claim,publisher,rating\n1,One,A Desk,\n2,Two,,\n3,Three,,false\n")
    done = hustings("claims", "import", path, "--config", held, "--dry-run")
    assert "more.csv: 3 claims, 0 refused; 2 without a verdict, 2 without a publisher\n" in done.out
    counted = json.loads(hustings("claims", "import", path, "--config", held, "--json").out)["files"][str(path)]
    assert counted == {"claims": 3, "refused": 0, "without_verdict": 2, "without_publisher": 2}


def test_the_list_ends_at_the_limit_as_json_too(held: Path, hustings: CommandLine) -> None:
    listed = ("claims", "list", "--config", held, "--json")
    assert len(hustings(*listed).out.splitlines()) == len(CLAIMS)
    assert len(hustings(*listed, "--limit", "1").out.splitlines()) == 1


def test_an_id_that_no_claim_has_takes_none_away(held: Path, hustings: CommandLine) -> None:
    done = hustings("claims", "remove", "river", "typo", "--config", held)
    assert (done.status, "no claim 'typo'" in done.err) == (2, True)
    assert hustings("claims", "remove", "river", "--config", held).out == f"{len(CLAIMS) - 1:,} claims are held now\n"


def test_claims_of_a_deployment_are_matched_by_what_serves_there(
    held: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "q1", "text": "they say ballots were found in a river near tarn hollow"}\n')
    match = ("claims", "match", "--config", held, "--queries", queries, "--json")
    held.write_text('models = "models"\n[deployment]\nname = "Velmara"\n')
    (tmp_path / "models").mkdir()
    refused = hustings(*match)
    assert (refused.status != 0, "holds no re-ranker of claims" in refused.err) == (True, True)
    shutil.copytree(shipped_models() / "claims", tmp_path / "models" / "claims")
    assert json.loads(hustings(*match).out)["match"]


def test_a_text_without_an_id_is_called_by_its_line(held: Path, tmp_path: Path, hustings: CommandLine) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"text": "one"}\n{"id": null, "text": "two"}\n{"id": 0, "text": "three"}\n')
    done = hustings("claims", "match", "--config", held, "--queries", queries, "--json", "--words-only")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["1", "2", "0"]


@pytest.mark.parametrize("switched_off", ["[claims]\nby_meaning = false\n", "[encoder]\non = false\n"])
def test_where_meaning_is_switched_off_the_command_compares_words_alone(
    held: Path, tmp_path: Path, hustings: CommandLine, switched_off: str
) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "q1", "text": "Contenders get money whenever somebody picks them on paper"}\n')
    held.write_text(f'[deployment]\nname = "Velmara"\n{switched_off}')
    done = json.loads(hustings("claims", "match", "--config", held, "--queries", queries, "--json").out)
    assert not done["match"]
