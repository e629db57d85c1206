"""A Jetstream over a real websocket: a small server that keeps its events and replays them from a cursor."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from hustings.clock import VirtualClock
from hustings.contracts import Collected, SourceContext
from hustings.errors import EgressDenied, Unavailable
from hustings.roster import Person, Roster
from hustings.testing.check_source import check_source
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Media
from ingest.bluesky import BlueskySettings, BlueskySource
from ingest.egress import EgressSettings, GuardedEgress
from ingest.names import Names
from ingest.pseudonyms import Pseudonyms

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
START_US = 1_803_902_400_000_000  # 2027-03-01T12:00Z
AUTHOR = "did:plc:quietquay2222222222222222"


def event(n: int, text: str = "", *, operation: str = "create", rkey: str = "", **record: object) -> dict[str, object]:
    commit: dict[str, object] = {
        "rev": "3l",
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": rkey or f"3lk{n:04d}",
    }
    if operation != "delete":
        commit["cid"] = "bafy"
        commit["record"] = {
            "$type": "app.bsky.feed.post",
            "createdAt": "2027-03-01T11:59:00.000Z",
            "langs": ["en"],
            "text": text or f"post {n}",
            **record,
        }
    return {"did": AUTHOR, "time_us": START_US + n * 2_000_000, "kind": "commit", "commit": commit}


class Jetstream:
    """Sends its events after the cursor, then what is added; notes each subscription."""

    def __init__(self, *events: dict[str, object] | str) -> None:
        self.events = list(events)
        self.subscriptions: list[dict[str, str]] = []
        self.hellos: list[dict[str, object]] = []
        self.hang_up_after = 10_000
        self.port = 0

    def serve(self, connection: ServerConnection) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(connection.request.path).query).items()}
        self.subscriptions.append(query)
        self.hellos.append(json.loads(connection.recv()))
        cursor, position, sent = int(query.get("cursor", 0)), 0, 0
        try:
            while sent < self.hang_up_after:
                for message in self.events[position:]:
                    position += 1
                    if isinstance(message, str):
                        connection.send(message)
                    elif int(str(message["time_us"])) >= cursor:
                        connection.send(json.dumps(message))
                    else:
                        continue
                    sent += 1
                    if sent >= self.hang_up_after:
                        return
                with suppress(TimeoutError):
                    connection.recv(timeout=0.01)  # notices that the other side has gone
        except ConnectionClosed:
            return


@contextmanager
def running(stream: Jetstream) -> Iterator[Jetstream]:
    with serve(stream.serve, "127.0.0.1", 0) as server:
        stream.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield stream
        server.shutdown()
        thread.join(5)


def source(stream: Jetstream, **given: object) -> BlueskySource:
    server = f"ws://127.0.0.1:{stream.port}"
    settings = BlueskySettings.model_validate({"server": server, "listen_s": 0.3, **given})
    egress = GuardedEgress(EgressSettings(allow=(server,)))
    return BlueskySource("sky", settings, SourceContext(egress, DictMemory(), VirtualClock(NOW)))


def keys(result: Collected) -> list[str]:
    return [item.post.native_id.rpartition("/")[2] for item in result.items]


def test_the_contract_holds() -> None:
    with running(Jetstream(*(event(n) for n in range(9)))) as stream:
        settings = BlueskySettings(server=f"ws://127.0.0.1:{stream.port}", listen_s=0.2)
        check_source(lambda context: BlueskySource("sky", settings, context), egress=LoopbackEgress())


def test_a_new_post_is_taken_with_its_facets() -> None:
    post = event(
        1,
        "Hello @votes, see #vote",
        langs=["es", "en"],
        reply={
            "parent": {"cid": "b", "uri": "at://did:plc:other/app.bsky.feed.post/3lparent"},
            "root": {"cid": "b", "uri": "at://did:plc:other/app.bsky.feed.post/3lparent"},
        },
        facets=[
            {
                "index": {"byteStart": 6, "byteEnd": 12},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:votes"}],
            },
            {
                "index": {"byteStart": 18, "byteEnd": 23},
                "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "vote"}],
            },
            {
                "index": {"byteStart": 0, "byteEnd": 1},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://hours.example/"}],
            },
        ],
        embed={"$type": "app.bsky.embed.images", "images": [{"alt": "A queue", "image": {"$type": "blob"}}]},
    )
    with running(Jetstream(post)) as stream:
        sky = source(stream)
        (item,) = sky.collect(b"", now=NOW, limit=10).items
        sky.close()
    assert json.loads(item.raw) == post
    assert item.post.native_id == f"{AUTHOR}/3lk0001"
    assert item.post.published_at == datetime(2027, 3, 1, 11, 59, tzinfo=UTC)
    assert (item.post.lang, item.post.reply_to) == ("es", "did:plc:other/3lparent")
    assert (item.post.mentions, item.post.hashtags) == (("did:plc:votes",), ("vote",))
    assert (item.post.links, item.post.media) == (("https://hours.example/",), (Media(kind="image", alt="A queue"),))


def test_no_account_is_left_in_the_post_that_is_handed_on() -> None:
    parent = {"parent": {"cid": "b", "uri": "at://did:plc:other/app.bsky.feed.post/3lparent"}}
    with running(Jetstream(event(1, reply=parent), event(2, operation="delete", rkey="3lk0001"))) as stream:
        sky = source(stream)
        written, deleted = sky.collect(b"", now=NOW, limit=2).items
        sky.close()
    names = Names(Pseudonyms(b"k" * 32), Roster(people=(Person(id="carla", name="Carla", handles=("bluesky:x",)),)))
    post = names.renamed(written)
    assert "did:plc" not in repr(post)
    assert post.native_id == f"{post.author}/3lk0001"
    assert post.reply_to.endswith("/3lparent")
    assert names.renamed(deleted).key == post.key


def test_edits_and_deletions_are_revisions() -> None:
    events = (
        event(1),
        event(2, "edited", operation="update", rkey="3lk0001"),
        event(3, operation="delete", rkey="3lk0001"),
    )
    with running(Jetstream(*events)) as stream:
        sky = source(stream)
        posts = [item.post for item in sky.collect(b"", now=NOW, limit=3).items]
        sky.close()
    assert [(post.text, post.deleted, post.revision) for post in posts] == [
        ("post 1", False, 0),
        ("edited", False, START_US // 1000 + 4_000),
        ("", True, START_US // 1000 + 6_000),
    ]
    assert len({post.key for post in posts}) == 1


def test_keywords_choose_posts_and_what_happens_to_them_later() -> None:
    events = (
        event(1, "the Vote is tomorrow"),
        event(2, "nothing here"),
        event(3, "voters are not the word"),
        event(4, "no longer about it", operation="update", rkey="3lk0001"),
        event(5, operation="delete", rkey="3lk0002"),
        event(6, operation="delete", rkey="3lk0001"),
    )
    with running(Jetstream(*events)) as stream:
        sky = source(stream, keywords=["vote", "polling place"])
        first = sky.collect(b"", now=NOW, limit=100)
        assert keys(first) == ["3lk0001"] * 3
        again = source(stream, keywords=["vote"])  # another process remembers it from the cursor
        stream.events.append(event(7, operation="delete", rkey="3lk0001"))
        assert keys(again.collect(first.cursor, now=NOW, limit=1)) == ["3lk0001"]
        sky.close()
        again.close()


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("选举", "总统选举开始了", True),
        ("เลือกตั้ง", "การเลือกตั้งวันนี้", True),
        ("élection", "E\u0301LECTION volée", True),
        ("élection", "elections", False),
        ("polling place", "the polling\nplace", True),
        ("VelmaraVotes", "#velmaravotes", True),
        ("bad.example", "see https://bad.example/1", True),
    ],
)
def test_keywords_are_found_as_their_script_writes_words(keyword: str, text: str, found: bool) -> None:
    with running(Jetstream(event(1, text))) as stream:
        sky = source(stream, keywords=[keyword])
        assert keys(sky.collect(b"", now=NOW, limit=1)) == ["3lk0001"] * found
        sky.close()


def test_an_event_from_beyond_all_time_costs_no_other() -> None:
    beyond = {**event(2), "time_us": 2**63 - 1}
    with running(Jetstream(event(1), beyond, event(3))) as stream:
        sky = source(stream)
        result = sky.collect(b"", now=NOW, limit=3)
        sky.close()
    assert keys(result) == ["3lk0001", "3lk0003"]
    assert [letter.reason for letter in result.dead] == ["wrong_type"]


def test_what_an_error_interrupts_is_taken_off_the_stream_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Jetstream(event(1), event(2), event(3))) as stream:
        sky = source(stream)
        before = sky.collect(b"", now=NOW, limit=1).cursor
        with monkeypatch.context() as broken:
            broken.setattr("ingest.bluesky.item_of_event", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                sky.collect(before, now=NOW, limit=1)
        assert {"3lk0002", "3lk0003"} <= set(keys(sky.collect(before, now=NOW, limit=3)))
        sky.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"keywords": ["vote", " "]}, "no letter and no digit"), ({"dids": ["alice.example"]}, "is no DID")],
)
def test_settings_that_would_find_nothing_are_refused(given: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BlueskySettings.model_validate(given)


def test_the_subscription_names_collection_accounts_and_cursor() -> None:
    with running(Jetstream(event(1), event(2))) as stream:
        sky = source(stream, dids=["did:plc:a"])
        result = sky.collect(b"", now=NOW, limit=10)
        sky.close()
        sky.collect(result.cursor, now=NOW, limit=10)
        sky.close()
    assert stream.subscriptions[0] == {"wantedCollections": "app.bsky.feed.post", "requireHello": "true"}
    assert stream.subscriptions[1]["cursor"] == str(START_US + 4_000_000 - 1_000_000)
    assert stream.hellos[0]["payload"]["wantedDids"] == ["did:plc:a"]
    assert result.items[0].post.stream == "account"


def test_the_stream_is_taken_up_again_where_it_broke_off() -> None:
    with running(Jetstream(*(event(n) for n in range(6)))) as stream:
        stream.hang_up_after = 2
        sky = source(stream)
        seen: set[str] = set()
        cursor = b""
        for _ in range(6):
            result = sky.collect(cursor, now=NOW, limit=100)
            cursor = result.cursor
            seen.update(keys(result))
        assert seen == {f"3lk{n:04d}" for n in range(6)}
        assert len(stream.subscriptions) > 2
        sky.close()


def test_one_connection_serves_many_calls() -> None:
    with running(Jetstream(event(1))) as stream:
        sky = source(stream)
        cursor = b""
        for n in range(2, 6):
            result = sky.collect(cursor, now=NOW, limit=1)
            cursor = result.cursor
            stream.events.append(event(n))
        assert len(stream.subscriptions) == 1
        idle = sky.collect(cursor, now=NOW, limit=100)
        assert sky.collect(idle.cursor, now=NOW, limit=100).cursor == idle.cursor
        sky.close()


def test_an_unusable_event_is_a_dead_letter_and_others_are_passed_over() -> None:
    other = {"did": AUTHOR, "time_us": START_US, "kind": "account", "account": {"active": False}}
    bad_time = event(2, createdAt="soon")
    with running(Jetstream("{nonsense", other, bad_time)) as stream:
        sky = source(stream)
        result = sky.collect(b"", now=NOW, limit=100)
        sky.close()
    assert [(letter.reason, letter.original) for letter in result.dead] == [("not_json", b"{nonsense")]
    (item,) = result.items
    assert item.post.published_at == NOW + timedelta(seconds=4)  # the network's time where the author's is none


def test_a_server_that_is_down_or_refused_is_told_apart() -> None:
    with running(Jetstream()) as stream:
        stream.hang_up_after = 0
        with pytest.raises(Unavailable, match="before its first event"):
            source(stream).collect(b"", now=NOW, limit=1)
        settings = BlueskySettings(server=f"ws://127.0.0.1:{stream.port}")
        unlisted = SourceContext(GuardedEgress(EgressSettings()), DictMemory(), VirtualClock(NOW))
        with pytest.raises(EgressDenied):
            BlueskySource("sky", settings, unlisted).collect(b"", now=NOW, limit=1)
    with pytest.raises(Unavailable):
        source(stream).collect(b"", now=NOW, limit=1)


def test_settings_name_a_websocket() -> None:
    with pytest.raises(ValidationError, match="address such as wss"):
        BlueskySettings(server="https://jetstream.example")
