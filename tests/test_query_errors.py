"""Every way in which a query can be refused, with the text that a person reads: tests/golden/query_errors.txt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hustings.errors import QueryError
from hustings.query import RULE, SEARCH, Limits, Vocabulary, parse, with_caret
from hustings.testing.query_vocabulary import query_vocabulary

REFUSED = (
    "",
    "   ",
    # words
    "...",
    '""',
    '"!?"',
    "vote •",
    "*vote",
    "v*te",
    "**",
    "vo*",
    "#ab*",
    '"polling st*"',
    "te?t",
    "vote~2",
    "vote^3",
    '"polling station"~3',
    "(vote OR ballot)^2",
    "/vot(e|er)/",
    "+vote",
    "!vote",
    "vote && station",
    "vote || station",
    "–satire",
    "- satire",
    "--satire",
    "-NOT satire",
    # putting together
    "OR vote",
    "vote OR",
    "vote AND",
    "vote AND OR station",
    "vote OR OR station",
    "NOT",
    "(vote OR station",
    "vote OR station)",
    "()",
    "vote (",
    "-*",
    "NOT (* OR vote)",
    "((((((vote))))))",
    '"polling station',
    "“polling station",
    # fields
    "autor:a1",
    "Lang:es",
    "colour:red",
    "note: polling",
    "https://example.org/page",
    "lang:",
    "lang: es",
    "lang:(es OR en)",
    "reach>1000",
    "lang=es",
    "score:>0.5",
    "target.:x",
    "published.day:1",
    "published[2026-10-01 TO 2026-10-02}",
    # values
    "lang:spanish",
    "lang:pt-BR",
    "lang:xx",
    "lang:und",
    'lang:""',
    "lang:e*",
    "medium:posts",
    "stream:firehose",
    "flag:G-TRH",
    "flag:gendered_abuse",
    "flag:T-FALSE",
    "flag:G-THR*",
    "score.G-THX:>0.5",
    "score.threat:>0.5",
    "score.G:>=80",
    "score.G:high",
    "score.G:>-0.1",
    "score.T-FALSE:>0.5",
    "reach:1,000",
    "reach:[1 TO 5}",
    'reach:">1000"',
    "target:c9",
    "aimed_at:cand*",
    "target.partei:Unity",
    "target.party:unity",
    "domain:https://example.org/a",
    "domain:*.example.org",
    "domain:.",
    "hashtag:#",
    "mention:@",
    "phase:P-WAR",
    "outlet:[a TO b}",
    # times
    "published:2026-10-01",
    "published:>=2026-10-01",
    "published:[2026-10-01 TO 2026-10-02]",
    "published:{2026-10-01 TO 2026-10-02}",
    "published:[2026-10-01 TO 2026-10-02",
    "published:[2026-10-01 to 2026-10-02}",
    "published:[2026-10-01}",
    "published:[now-1h TO now}",
    "published:[1 Oct 2026 TO 2026-10-02}",
    "published:[2026-10-01 TO 2026-13-01}",
    "published:[2026-10-01T25:00 TO *}",
    "published:[0001-01-01T00:00+23:00 TO *}",
    "published:[2026-10-01T12:00:00.123456 TO *}",
    "published:[2026-10-02 TO 2026-10-01}",
    "published:[* TO *}",
    # languages that are read from the right, and wide characters: the caret stays under its column
    "الانتخابات lang:xx",
    "選舉 投票 lang:xx",
    "मतदान lang:xx",
)
BARE = ("target.party:Unity", "aimed_at.gender:*", "phase:P-CAMP", "phase:*")
"""Refused only where no configuration was named."""

LONG = (
    "vote " * 103,
    "a b " * 16 + "c",
    "word " * 30 + "lang:xx " + "word " * 30,
)


def _refusal(query: str, vocabulary: Vocabulary, limits: Limits) -> str:
    with pytest.raises(QueryError) as caught:
        parse(query, vocabulary=vocabulary, limits=limits)
    return f"[{caught.value.code}]\n{with_caret(query, caught.value)}\n"


def test_every_refusal_says_where_what_and_what_is_known(golden: Callable[[str, str], None]) -> None:
    full = query_vocabulary()
    bare = Vocabulary(codebook=full.codebook)
    blocks = [
        *(_refusal(query, full, SEARCH) for query in REFUSED),
        "── without --config ──\n",
        *(_refusal(query, bare, SEARCH) for query in BARE),
        "── too long ──\n",
        *(_refusal(query, full, SEARCH) for query in LONG[:2]),
        _refusal(LONG[2], full, RULE),
    ]
    golden("query_errors.txt", "\n".join(blocks))


def test_ids_go_unchecked_without_a_roster() -> None:
    bare = Vocabulary(codebook=query_vocabulary().codebook)
    parse("aimed_at:c9", vocabulary=bare)


def test_the_column_counts_characters_of_the_query_from_one() -> None:
    with pytest.raises(QueryError) as caught:
        parse("😀 lang:xx", vocabulary=query_vocabulary())
    assert caught.value.column == 8


def test_half_a_character_is_refused_and_not_handed_to_the_analyser() -> None:
    with pytest.raises(QueryError, match="no character"):
        parse("vote \ud83d", vocabulary=query_vocabulary())


@pytest.mark.parametrize(
    ("limits", "characters", "terms"), [(SEARCH, 512, 32), (RULE, 4_000, 400)], ids=["search", "rule"]
)
def test_limits_are_reached_but_not_passed(limits: Limits, characters: int, terms: int) -> None:
    vocabulary = query_vocabulary()
    parse("a" * characters, vocabulary=vocabulary, limits=limits)
    parse(" OR ".join(["a"] * terms), vocabulary=vocabulary, limits=limits)
    parse("(" * 5 + "a" + ")" * 5, vocabulary=vocabulary, limits=limits)
    for refused in ("a" * (characters + 1), " OR ".join(["a"] * (terms + 1)), "(" * 6 + "a" + ")" * 6):
        with pytest.raises(QueryError) as caught:
            parse(refused, vocabulary=vocabulary, limits=limits)
        assert caught.value.code == "E13"
