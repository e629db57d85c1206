"""Feeds over real HTTP on loopback, read by the real child process."""

from __future__ import annotations

import sys
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from hustings.clock import VirtualClock, to_ms
from hustings.contracts import Collected, SourceContext
from hustings.errors import BadInput, Unavailable
from hustings.testing.local_http import LocalHttp, Reply, Request
from hustings.testing.memory import DictMemory
from hustings.types import Post
from ingest.egress import EgressSettings, GuardedEgress
from ingest.feed_child import FeedChild
from ingest.feed_guard import check_xml
from ingest.feeds import FeedsSettings, FeedsSource

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
SHARED = Path(__file__).parents[2] / "shared" / "data" / "feedparser_tests" / "feeds.tar.gz"


@pytest.fixture(scope="module")
def reader() -> Iterator[FeedChild]:
    with FeedChild(parse_s=5) as child:
        yield child


def source(server: LocalHttp, reader: FeedChild, path: str = "/feed", **settings: object) -> FeedsSource:
    context = SourceContext(GuardedEgress(EgressSettings(allow=(server.origin,))), DictMemory(), VirtualClock(NOW))
    given = FeedsSettings.model_validate({"url": f"{server.origin}{path}", "source": "herald.example", **settings})
    return FeedsSource("herald", given, context, reader=reader)


def collected(answer: bytes, reader: FeedChild, content_type: str = "", **settings: object) -> Collected:
    with LocalHttp(lambda request: Reply(body=answer, headers={"Content-Type": content_type})) as server:
        return source(server, reader, **settings).collect(b"", now=NOW, limit=100)


def posts(result: Collected) -> list[Post]:
    return [item.post for item in result.items]


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Velmara Herald</title>{items}</channel></rss>"""
ITEM = """<item><guid isPermaLink="false">{n}</guid><title>Headline {n}</title><link>https://herald.example/{n}</link>
<description>&lt;p&gt;Polls &lt;b&gt;open&lt;/b&gt; at seven.&lt;/p&gt;&lt;script&gt;go()&lt;/script&gt;</description>
<pubDate>Mon, 01 Mar 2027 0{n}:00:00 GMT</pubDate><author>Desk</author></item>"""


def rss(*numbers: int) -> bytes:
    return RSS.format(items="".join(ITEM.format(n=n) for n in numbers)).encode()


def test_an_rss_item_becomes_an_article_without_markup(reader: FeedChild) -> None:
    result = collected(rss(2, 1), reader, "application/rss+xml", lang="en")
    first, second = posts(result)
    assert first == Post(
        source="herald.example",
        native_id="1",
        title="Headline 1",
        text="Polls open at seven.",
        url="https://herald.example/1",
        published_at=datetime(2027, 3, 1, 1, tzinfo=UTC),
        collected_at=NOW,
        medium="article",
        stream="account",
        outlet="The Velmara Herald",
        lang="en",
    )
    assert second.native_id == "2"  # the oldest comes first
    assert result.items[0].author_handle == "Desk"
    assert result.items[0].raw == rss(2, 1)
    assert result.again_after == timedelta(seconds=300)


def test_an_atom_entry_keeps_its_edit_time_as_revision(reader: FeedChild) -> None:
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es"><title>Diario</title><entry>
        <id>tag:diario,2027:7</id><title type="html">&lt;i&gt;Hoy&lt;/i&gt;</title>
        <published>2027-03-01T08:00:00Z</published>
        <updated>2027-03-01T09:00:00Z</updated><link href="https://diario.example/7"/>
        <link rel="enclosure" type="image/png" href="https://diario.example/7.png"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Uno</p><p>Dos
        <a href="https://otro.example/">enlace</a></p></div></content></entry></feed>"""
    (post,) = posts(collected(atom, reader))
    assert (post.native_id, post.title, post.text) == ("tag:diario,2027:7", "Hoy", "Uno\n\nDos enlace")
    assert post.revision == to_ms(datetime(2027, 3, 1, 9, tzinfo=UTC))
    assert post.lang == "es"
    assert post.links == ("https://otro.example/",)
    assert post.media[0].url == "https://diario.example/7.png"


def test_a_json_feed_is_read(reader: FeedChild) -> None:
    document = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Radio", "language": "ar", "items": [
        {"id": "1", "content_html": "<p>\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7</p>", "url": "https://radio.example/1",
         "date_published": "2027-03-01T10:00:00+02:00", "authors": [{"name": "Newsroom"}], "image": "https://r.example/i"},
        {"id": 2, "content_text": "plain <b>", "date_modified": "2027-03-01T10:00:00Z"}]}"""
    second, first = posts(collected(document, reader, "application/feed+json"))
    assert (first.text, first.lang, first.published_at) == ("مرحبا", "ar", datetime(2027, 3, 1, 8, tzinfo=UTC))
    assert (second.native_id, second.text) == ("2", "plain <b>")


def test_unchanged_feeds_are_asked_for_conditionally(reader: FeedChild) -> None:
    def answer(request: Request) -> Reply:
        if request.headers.get("if-none-match") == '"v1"':
            return Reply(304)
        return Reply(body=rss(1), headers={"ETag": '"v1"', "Last-Modified": "Mon, 01 Mar 2027 10:00:00 GMT"})

    with LocalHttp(answer) as server:
        feed = source(server, reader)
        first = feed.collect(b"", now=NOW, limit=10)
        second = feed.collect(first.cursor, now=NOW, limit=10)
        assert (len(first.items), len(second.items)) == (1, 0)
        assert second.cursor == first.cursor
        assert server.requests[1].headers["if-modified-since"] == "Mon, 01 Mar 2027 10:00:00 GMT"


def test_what_one_address_said_of_its_content_is_not_asked_of_another(reader: FeedChild) -> None:
    with LocalHttp(lambda request: Reply(body=rss(1), headers={"ETag": '"a"', "Last-Modified": "x"})) as server:
        cursor = source(server, reader).collect(b"", now=NOW, limit=10).cursor
        moved = source(server, reader, path="/moved").collect(cursor, now=NOW, limit=10)
    assert moved.items == ()
    assert "if-none-match" not in server.requests[1].headers
    assert "if-modified-since" not in server.requests[1].headers


def test_late_entries_are_found_edits_become_revisions_and_nothing_comes_twice(reader: FeedChild) -> None:
    answers = [rss(3, 2), rss(3, 2, 1), rss(3, 2, 1).replace(b"Headline 2", b"Headline two"), rss(3, 2, 1)]
    with LocalHttp(lambda request: Reply(body=answers[len(server.requests) - 1])) as server:
        feed, cursor, seen = source(server, reader), b"", []
        for minute in range(4):
            result = feed.collect(cursor, now=NOW + timedelta(minutes=minute), limit=10)
            cursor = result.cursor
            seen.append([(post.native_id, post.revision) for post in posts(result)])
    minute = to_ms(NOW) + 60_000
    assert seen == [[("2", 0), ("3", 0)], [("1", 0)], [("2", minute + 60_000)], [("2", minute + 120_000)]]


def test_more_entries_than_the_limit_come_in_the_next_calls(reader: FeedChild) -> None:
    with LocalHttp(lambda request: Reply(body=rss(5, 4, 3, 2, 1), headers={"ETag": '"v"'})) as server:
        feed, cursor, ids = source(server, reader), b"", []
        for _ in range(3):
            result = feed.collect(cursor, now=NOW, limit=2)
            cursor = result.cursor
            ids.append([post.native_id for post in posts(result)])
            assert (result.again_after == timedelta(0)) == (len(ids) < 3)
    assert ids == [["1", "2"], ["3", "4"], ["5"]]


def test_entries_that_share_an_id_do_not_take_each_others_place(reader: FeedChild) -> None:
    same = rss(1, 2).replace(b">2</guid>", b">1</guid>")
    with LocalHttp(lambda request: Reply(body=same)) as server:
        feed = source(server, reader)
        first = feed.collect(b"", now=NOW, limit=10)
        assert len({post.native_id for post in posts(first)}) == 2
        assert feed.collect(first.cursor, now=NOW, limit=10).items == ()


@pytest.mark.parametrize("reference", ["&#xD83D;", "&#55357;", "&#x110000;", "&#99999999999999999999;"])
def test_a_reference_to_no_character_costs_its_place_and_not_the_feed(reader: FeedChild, reference: str) -> None:
    cut = f"<item><guid>cut</guid><title>Vote &#128499; now {reference} and</title></item>"
    found = posts(collected(rss(1).replace(b"</channel>", f"{cut}</channel>".encode()), reader))
    assert [post.title for post in found] == ["Vote 🗳 now \ufffd and", "Headline 1"]


def test_an_entry_of_a_year_that_cannot_be_comes_without_it(reader: FeedChild) -> None:
    (post,) = posts(collected(rss(1).replace(b"01 Mar 2027", b"01 Mar 9999"), reader))
    assert post.published_at == NOW


def test_half_an_emoji_costs_no_json_feed(reader: FeedChild) -> None:
    document = rb"""{"version": "https://jsonfeed.org/version/1.1", "title": "cut \uDC00", "items": [
      {"id": "1", "content_text": "cut \ud83d"}, {"id": "2", "content_text": "whole \ud83d\uDE00"},
      {"id": "3", "content_text": "C:\\ud800 \ud83d\ud83d\ude00 \\\udfff"},
      {"id": "4", "content_html": "\u0645\u0631"}]}"""
    found = collected(document, reader, "application/feed+json")
    assert [post.text for post in reversed(posts(found))] == ["cut �", "whole 😀", "C:\\ud800 �😀 \\�", "مر"]
    assert {post.outlet for post in posts(found)} == {"cut �"}


def test_bytes_that_are_no_utf_8_cost_no_json_feed(reader: FeedChild) -> None:
    document = b"""{"version": "https://jsonfeed.org/version/1.1", "items": [
      {"id": "1", "content_text": "cut \xe0\xa4"}, {"id": "2", "content_text": "\xd9\x85\xd8\xb1"}]}"""
    found = collected(document, reader, "application/feed+json")
    assert [post.text for post in reversed(posts(found))] == ["cut �", "مر"]


def test_lists_that_are_none_cost_no_json_feed(reader: FeedChild) -> None:
    document = b"""{"version": "https://jsonfeed.org/version/1.1", "items": [
        {"id": "1", "content_text": "one", "attachments": 3, "authors": 4, "author": "Eve"}]}"""
    assert [post.text for post in posts(collected(document, reader))] == ["one"]


def test_an_entry_without_id_link_or_date_still_comes_once(reader: FeedChild) -> None:
    bare = RSS.format(items="<item><description>Only words</description></item>").encode()
    with LocalHttp(lambda request: Reply(body=bare)) as server:
        feed = source(server, reader)
        first = feed.collect(b"", now=NOW, limit=10)
        (post,) = posts(first)
        assert (post.text, post.published_at) == ("Only words", NOW)
        assert feed.collect(first.cursor, now=NOW + timedelta(hours=1), limit=10).items == ()


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (Reply(404), Unavailable, "status 404"),
        (Reply(503, headers={"Retry-After": "120"}), Unavailable, "status 503"),
        (Reply(body=b"<html><body>Please log in</body></html>"), BadInput, "not a feed"),
        (Reply(body=b""), BadInput, "not a feed"),
        (Reply(body=b'{"version": "1"}'), BadInput, "not a JSON Feed"),
        (Reply(body=b"{" * 100_000), BadInput, "not_json"),
        (Reply(body=b'{"a":' * 100_000), BadInput, "too_deep"),
        (Reply(body=b"<rss>" + b"<a>" * 70 + b"</rss>"), BadInput, "too_deep"),
        (Reply(body=b'<!DOCTYPE r [<!ENTITY a "aaaa">]>' + rss(1)), BadInput, "declares entities"),
        (Reply(body='<!DOCTYPE r [<!ENTITY a "a">]><rss/>'.encode("utf-16")), BadInput, "declares entities"),
        (Reply(body=b"<" * 3_000_000), BadInput, "too_large"),
    ],
)
def test_a_bad_answer_is_a_typed_error(reader: FeedChild, answer: Reply, error: type[Exception], said: str) -> None:
    with LocalHttp(lambda request: answer) as server, pytest.raises(error, match=said) as raised:
        source(server, reader, max_bytes=2_000_000).collect(b"", now=NOW, limit=10)
    if answer.status == 503:
        assert isinstance(raised.value, Unavailable)
        assert raised.value.retry_after_s == 120


def test_a_harmless_document_type_still_parses(reader: FeedChild) -> None:
    doctype = b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://example.org/rss-0.91.dtd">'
    assert len(posts(collected(rss(1).replace(b"<rss", doctype + b"<rss", 1), reader))) == 1


def test_unclosed_elements_do_not_count_as_depth() -> None:
    check_xml(b"<rss><channel>" + b"<item><br><img><description>x</description></item>" * 500 + b"</channel></rss>")
    check_xml(b"<rss><![CDATA[" + b"<b>" * 500 + b"]]></rss>")


@pytest.mark.parametrize("piece", [b"<!--", b"<![CDATA[", b"<?", b"<a ", b"<a", b"</a", b"<", b"<a><b>"])
def test_the_guard_is_linear_on_hostile_input(piece: bytes) -> None:
    begun = time.process_time()
    try:
        check_xml(piece * (1_000_000 // len(piece)))
    except BadInput as error:
        assert error.reason == "too_deep"  # noqa: PT017 - either outcome is right, the time is what counts
    assert time.process_time() - begun < 2


def test_a_document_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with FeedChild(parse_s=0.001) as hasty, pytest.raises(BadInput, match="longer than"):
        hasty.read(rss(*[1] * 500), "")
    with FeedChild(parse_s=5) as patient:
        patient.read(rss(1), "")
        assert patient._process is not None
        patient._process.kill()  # a parser that crashes
        with pytest.raises(BadInput, match="breaks the parser"):
            patient.read(rss(1), "")
        assert len(patient.read(rss(1), "").entries) == 1


def test_what_the_child_takes_to_start_is_not_held_against_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "python"
    slow.write_text(f'#!/bin/sh\nsleep 4\nexec "{sys.executable}" "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    with FeedChild(parse_s=3.5, start_s=120) as child:
        assert len(child.read(rss(1), "").entries) == 1
    with FeedChild(start_s=0.001) as child, pytest.raises(Unavailable, match=r"longer than 0\.001 s to start"):
        child.read(rss(1), "")


def test_settings_name_a_host() -> None:
    with pytest.raises(ValidationError, match="http or https"):
        FeedsSettings(url="feed.xml")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED.name} is not staged beside the checkout")
def test_every_feed_of_the_feedparser_suite_is_read_or_refused_with_a_reason(reader: FeedChild) -> None:
    documents: dict[str, bytes] = {}
    with tarfile.open(SHARED) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                documents[f"/{member.name}"] = file.read()
    assert len(documents) == 2107
    read = refused = entries = 0
    with LocalHttp(lambda request: Reply(body=documents[request.target])) as server:
        for path in documents:
            feed = source(server, reader, path)
            try:
                first = feed.collect(b"", now=NOW, limit=1_000)
            except BadInput as error:
                assert error.reason in ("undecodable", "too_deep")  # noqa: PT017 - an expected outcome of many
                refused += 1
                continue
            read += 1
            entries += len(first.items)
            assert feed.collect(first.cursor, now=NOW, limit=1_000).items == ()
            for post in posts(first):
                assert msgspec.json.decode(msgspec.json.encode(post), type=Post) == post
                assert "<script" not in post.text
    assert (read, refused) == (2097, 10)
    assert entries == 1216  # feedparser finds two more, each the exact repetition of its neighbour
