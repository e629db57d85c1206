"""What a query finds: (query, post, does it match?), in many languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hustings.query import RULE, Vocabulary, parse, predicate
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Target


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return query_vocabulary()


def assessment(
    text: str = "", *, title: str = "", post: dict[str, object] | None = None, **assessed: object
) -> Assessment:
    when = datetime(2026, 10, 1, 12, tzinfo=UTC)
    fields: dict[str, object] = {"source": "files", "native_id": "1", "published_at": when, "collected_at": when}
    return Assessment(
        post=Post(**{**fields, "text": text, "title": title, **(post or {})}),  # type: ignore[arg-type]
        tokens=analyse(text).tokens,
        title_tokens=analyse(title).tokens,
        **assessed,  # type: ignore[arg-type]
    )


def is_found(query: str, found: Assessment, vocabulary: Vocabulary) -> bool:
    return predicate(parse(query, vocabulary=vocabulary, limits=RULE))(found)


WORDS = [
    # letter case, neighbours, prefixes
    ("vote", "Go and VOTE today", True),
    ("vote", "voters", False),
    ("vot*", "the voters of Velmara", True),
    ("voters*", "voter", False),
    ('"polling station"', "Polling Station 12 is closed", True),
    ('"polling station"', "station of polling", False),
    ('"polling station"', "polling, station", True),
    ('"polling sta*"', "the polling stations moved", True),
    ("polling station", "the station where polling ends", True),
    # joining
    ("polling -satire", "polling ends", True),
    ("polling -satire", "polling satire", False),
    ("-satire", "polling", True),
    ("NOT satire", "satire", False),
    ("NOT NOT satire", "satire", True),
    ("a b OR c", "c", True),
    ("a b OR c", "a c", True),
    ("a b OR c", "a", False),
    ("a (b OR c)", "c", False),
    ("a AND b OR c d", "c b", False),
    ("-(a OR b)", "c", True),
    ("-(a OR b)", "b", False),
    ("*", "", True),
    ("or and not", "not or and", True),
    ("or", "and", False),
    # disguises: the post's, the query's, both
    ("vote", "v0te now", True),
    ("vote", "v·o·t·e", True),
    ("vote", "v o t e", True),
    ("vote", "vоtе", True),  # Cyrillic о and е
    ("vote", "vo\u200bte", True),
    ("v0te", "vote", True),
    ("v-o-t-e", "vote", True),
    ('"v o t e"', "vote", True),
    ("vоtе", "vote", True),
    # hashtags and mentions
    ("#votenow", "Please #VoteNow!", True),
    ("#VoteNow", "Please #votenow!", True),
    ("#VOTENOW", "Please #VoteNow!", True),
    ("now", "Please #VoteNow!", True),
    ('"vote now"', "Please #VoteNow!", True),
    ("#vote*", "Please #VoteNow!", True),
    ("#vote", "Please vote", False),
    ('"please #votenow today"', "Please #VoteNow today", True),
    ('"please #votenow today"', "#VoteNow please, today", False),
    ("@some_name", "ask @some_name", True),
    ("@other", "ask @some_name", False),
    # Spanish, French, German
    ("votación", "La VOTACIÓN terminó", True),
    ("«bureau de vote»", "le bureau de vote est fermé", True),
    ("„Wahllokal geschlossen“", "Das Wahllokal geschlossen?", True),
    ("STRASSE", "Straße", True),
    # Turkish
    ("istanbul", "İSTANBUL'da sandık", True),
    ("sandık", "SANDIK başında", True),
    ("sand*", "sandıklar", True),
    # Arabic and Persian: vowel marks, tatweel, marks of direction
    ("الانتخابات", "نتائج الانتخابات اليوم", True),
    ("الانتخابات", "نتائج الانتـخابات", True),
    ("\u200fالانتخابات\u200f", "الانتخابات", True),
    ('"نتائج الانتخابات"', "الانتخابات نتائج", False),
    ("الانت*", "الانتخابات", True),
    # Hebrew acronyms hold a straight quote
    ('ח"כ', 'אמר ח"כ אחד', True),
    # Hindi: vowel signs stay with their letters
    ("मतदान", "आज मतदान है", True),
    ("मत", "आज मतदान है", False),
    ("मतदा*", "आज मतदान है", True),
    ('"मतदान केंद्र"', "यह मतदान केंद्र बंद है", True),
    # Chinese, Japanese, Thai: one token per character, a prefix of one
    ("投票", "今天去投票站", True),
    ("投票", "投入選票", False),
    ("投*", "今天去投票站", True),
    ("選舉 投票", "投票是選舉", True),
    ("選挙", "今日は選挙です", True),
    ("เลือก", "วันเลือกตั้ง", True),
    # Russian, Greek, Korean
    ("выборы", "ВЫБОРЫ 2026", True),
    ("εκλογές", "ΕΚΛΟΓΈΣ", True),
    ("투표*", "투표소가 닫혔다", True),
    # emoji
    ("🗳", "vote 🗳 now", True),
    ("🗳", "vote now", False),
    ("🗳", "vote 🗳️🗳️", True),
]


@pytest.mark.parametrize(("query", "text", "matches"), WORDS, ids=[f"{query} in {text}" for query, text, _ in WORDS])
def test_words(query: str, text: str, matches: bool, vocabulary: Vocabulary) -> None:
    assert is_found(query, assessment(text), vocabulary) is matches


THREAT = assessment(
    flags=(Flag(code="G-THR-KILL", score=0.7), Flag(code="N-PROC", score=0.6)),
    scores={"G-THR-KILL": 0.7, "G-DEROG": 0.2},
    targets=(Target(id="c1", role="aimed_at"), Target(id="c3", role="mentioned")),
    claims=("k1",),
    story="s1",
    lang="es",
    post={
        "medium": "comment",
        "stream": "random",
        "outlet": "Daily Herald",
        "collector": "feed-a",
        "author": "a1",
        "lang": "en",
        "hashtags": ("#VoteNow",),
        "mentions": ("@Some_Name",),
        "links": ("https://news.example.org:8443/a?b", "HTTPS://BÜCHER.example/"),
        "reach": 1000,
    },
)
FIELDS = [
    ("flag:G-THR-KILL", True),
    ("flag:G-THR", True),
    ("flag:g-thr", True),
    ("flag:G", True),
    ("flag:gendered-abuse", True),
    ("flag:threat", True),
    ("flag:G-THR-SEX", False),
    ("flag:G-DEROG", False),
    ("flag:*", True),
    ("score.G:>=0.7", True),
    ("score.G:>0.7", False),
    ("score.G-DEROG:<0.3", True),
    ("score.gendered-abuse:=0.7", True),
    ("score.N-PROC:0.6", True),
    ("score.N-PROC:=0.6", True),
    ("score.N-PROC-DATE:<1", False),
    ("score.A-INSULT:<1", False),
    ("score.A-INSULT:*", False),
    ("score.G:*", True),
    ("target:c1", True),
    ("target:c3", True),
    ("target:C3", True),
    ("aimed_at:c1", True),
    ("aimed_at:c3", False),
    ("addressed:*", False),
    ('target.party:"Unity List"', True),
    ('target.party:"unity list"', True),
    ("aimed_at.party:Greens", False),
    ("target.party:Greens", True),
    ("aimed_at.gender:woman", True),
    ("addressed.gender:*", False),
    ("lang:es", True),
    ("lang:en", False),
    ("medium:comment", True),
    ("-medium:article", True),
    ("stream:Random", True),
    ('outlet:"Daily Herald"', True),
    ('outlet:"daily herald"', False),
    ("collector:feed-a", True),
    ("source:files", True),
    ("author:a1", True),
    ("key:files:1", True),
    ('key:"files:1"', True),
    ("story:s1", True),
    ("claim:k1", True),
    ("claim:*", True),
    ("hashtag:votenow", True),
    ("hashtag:#VOTENOW", True),
    ("mention:some_name", True),
    ("mention:@Some_Name", True),
    ("domain:example.org", True),
    ("domain:NEWS.example.org", True),
    ("domain:ample.org", False),
    ("domain:org", True),
    ("domain:bücher.example", True),
    ("domain:xn--bcher-kva.example", True),
    ("reach:1000", True),
    ("reach:>1000", False),
    ("reach:>=1000 reach:<1001", True),
    ("published:[2026-10-01 TO 2026-10-02}", True),
    ("published:[2026-10-01T12:00Z TO 2026-10-02}", True),
    ("published:[2026-10-01 TO 2026-10-01T12:00}", False),
    ("published:[2026-10-01T14:00+02:00 TO *}", True),
    ("published:[* TO 2026-10-01T12:00:00.001Z}", True),
    ("collected:[2026-10-02 TO *}", False),
    ("phase:P-CAMP", True),
    ("phase:p-camp", True),
    ("phase:P-VOTE", False),
    ("phase:*", True),
    ("text:*", False),
    ("title:*", False),
]


@pytest.mark.parametrize(("query", "matches"), FIELDS, ids=[query for query, _ in FIELDS])
def test_fields(query: str, matches: bool, vocabulary: Vocabulary) -> None:
    assert is_found(query, THREAT, vocabulary) is matches


def test_words_are_looked_for_in_text_and_title_but_a_phrase_does_not_cross(vocabulary: Vocabulary) -> None:
    post = assessment("station closed", title="Polling")
    assert is_found("polling station", post, vocabulary)
    assert is_found("text:polling", post, vocabulary)
    assert is_found("title:polling", post, vocabulary)
    assert not is_found("title:station", post, vocabulary)
    assert not is_found('"polling station"', post, vocabulary)


def test_the_declared_language_counts_where_none_was_detected(vocabulary: Vocabulary) -> None:
    assert is_found("lang:pt", assessment(lang="und", post={"lang": "pt-BR"}), vocabulary)
    assert is_found("lang:he", assessment(lang="iw"), vocabulary)
    assert is_found("-lang:*", assessment(lang="und"), vocabulary)


def test_a_score_falls_back_to_the_flag_only_where_scores_say_nothing(vocabulary: Vocabulary) -> None:
    flags = (Flag(code="G-THR", score=0.9),)
    assert is_found("score.G:>=0.9", assessment(flags=flags), vocabulary)
    assert not is_found("score.G:>=0.9", assessment(flags=flags, scores={"G-DEROG": 0.1}), vocabulary)


def test_where_phases_overlap_the_first_of_the_calendar_counts(vocabulary: Vocabulary) -> None:
    silent = assessment(post={"published_at": datetime(2026, 10, 10, 12, tzinfo=UTC)})
    assert is_found("phase:P-SILENCE", silent, vocabulary)
    assert not is_found("phase:P-CAMP", silent, vocabulary)
