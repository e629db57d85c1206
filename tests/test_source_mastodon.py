"""A Mastodon timeline over real HTTP: a small server that pages, limits and forgets as an instance does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from hustings.clock import VirtualClock, rfc3339, to_ms
from hustings.contracts import Collected, SourceContext
from hustings.errors import ConfigError, Unavailable
from hustings.testing.check_source import check_source
from hustings.testing.local_http import LocalHttp, Reply, Request
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Media, Post
from ingest.mastodon import MastodonSettings, MastodonSource

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def status(n: int, **given: object) -> dict[str, object]:
    return {
        "id": f"{114_000_000_000_000_000 + n}",
        "created_at": rfc3339(NOW - timedelta(minutes=100 - n)),
        "edited_at": None,
        "visibility": "public",
        "language": "en",
        "content": f"<p>Post {n}</p>",
        "url": f"https://velmara.example/@quietquay/{n}",
        "account": {"id": "7", "acct": "quietquay", "username": "quietquay", "followers_count": 12},
        **given,
    }


class Instance:
    """Serves `statuses` (any order) as timelines of a Mastodon instance."""

    def __init__(self, *statuses: dict[str, object]) -> None:
        self.statuses = {str(s["id"]): s for s in statuses}
        self.headers: dict[str, str] = {}
        self.refuse: Reply | None = None

    def __call__(self, request: Request) -> Reply:
        parts = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.refuse is not None:
            return self.refuse
        if parts.path == "/api/v1/accounts/lookup":
            return self._json({"id": "7", "acct": query["acct"]})
        if parts.path.startswith("/api/v1/statuses/"):
            found = self.statuses.get(parts.path.rpartition("/")[2])
            return self._json(found) if found else self._json({"error": "Record not found"}, 404)
        ids = sorted(self.statuses, reverse=True)
        limit = int(query.get("limit", 20))
        if "min_id" in query:
            ids = [i for i in ids if i > query["min_id"]][-limit:]
        elif "max_id" in query:
            ids = [i for i in ids if i < query["max_id"]][:limit]
        else:
            ids = ids[:limit]
        links = f'<http://x/?max_id={ids[-1]}>; rel="next", <http://x/?min_id={ids[0]}>; rel="prev"' if ids else ""
        return self._json([self.statuses[i] for i in ids], headers={"Link": links} if links else {})

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
        return Reply(status, json.dumps(value).encode(), {**self.headers, **(headers or {})})


def source(server: LocalHttp, **given: object) -> MastodonSource:
    settings = MastodonSettings.model_validate({"instance": server.origin, "source": "velmara.example", **given})
    return MastodonSource("toots", settings, SourceContext(LoopbackEgress(), DictMemory(), VirtualClock(NOW)))


def ids(result: Collected) -> list[int]:
    return [int(item.post.native_id) - 114_000_000_000_000_000 for item in result.items]


def test_the_contract_holds() -> None:
    with LocalHttp(Instance(*(status(n) for n in range(30)))) as server:
        settings = MastodonSettings(instance=server.origin)
        check_source(lambda context: MastodonSource("toots", settings, context))


def test_the_options_of_a_poll_are_part_of_the_text() -> None:
    poll = {"id": "9", "multiple": False, "options": [{"title": "Hang them", "votes_count": 3}, {"title": "शनिवार को"}]}
    statuses = (
        status(1, content="<p>What now?</p>", poll=poll),
        status(2, content="", poll=poll),
        status(3, poll=None),
        status(4, poll={"id": "9", "options": []}),
    )
    with LocalHttp(Instance(*statuses)) as server:
        result = source(server).collect(b"", now=NOW, limit=100)
    assert {item.post.native_id[-1]: item.post.text for item in result.items} == {
        "1": "What now?\nHang them\nशनिवार को",
        "2": "Hang them\nशनिवार को",
        "3": "Post 3",
        "4": "Post 4",
    }


def test_a_status_becomes_a_post() -> None:
    html = (
        '<p>Doors open at seven, <span class="h-card"><a href="https://velmara.example/@votes" class="u-url mention">@'
        '<span>votes</span></a></span> <a href="https://velmara.example/tags/vote" class="mention hashtag">#<span>vote'
        '</span></a><br />see <a href="https://hours.example/a?b=1&amp;c=2"><span class="invisible">https://</span>'
        "<span>hours.example/a</span></a></p><p>Bring a pen.</p>"
    )
    given = status(
        1,
        content=html,
        spoiler_text="Voting",
        in_reply_to_id="114000000000000000",
        mentions=[{"id": "3", "username": "votes", "acct": "votes", "url": "https://velmara.example/@votes"}],
        tags=[{"name": "vote", "url": ""}],
        media_attachments=[{"type": "image", "url": "https://files.example/1.png", "description": "A pen"}],
    )
    with LocalHttp(Instance(given)) as server:
        (item,) = source(server, timeline="hashtag", hashtag="#vote").collect(b"", now=NOW, limit=10).items
        assert server.requests[0].target.startswith("/api/v1/timelines/tag/vote?")
    host = "127.0.0.1"
    assert (item.platform, item.author_handle, item.handles) == ("mastodon", f"quietquay@{host}", ("quietquay",))
    assert json.loads(item.raw) == given
    assert item.post == Post(
        source="velmara.example",
        native_id="114000000000000001",
        title="Voting",
        text="Doors open at seven, @votes #vote\nsee https://hours.example/a\n\nBring a pen.",
        published_at=NOW - timedelta(minutes=99),
        collected_at=NOW,
        url="https://velmara.example/@quietquay/1",
        reply_to="114000000000000000",
        lang="en",
        mentions=(f"votes@{host}",),
        hashtags=("vote",),
        links=("https://hours.example/a?b=1&c=2",),
        media=(Media(kind="image", url="https://files.example/1.png", alt="A pen"),),
        reach=12,
    )


def test_pages_are_read_forward_and_nothing_is_left_between_them() -> None:
    instance = Instance(*(status(n) for n in range(3)))
    with LocalHttp(instance) as server:
        toots = source(server, window_s=0)
        first = toots.collect(b"", now=NOW, limit=500)
        assert ids(first) == [0, 1, 2]
        instance.statuses |= {str(s["id"]): s for s in (status(n) for n in range(3, 200))}
        second = toots.collect(first.cursor, now=NOW, limit=500)
        assert ids(second) == list(range(3, 200))
        third = toots.collect(second.cursor, now=NOW, limit=500)
        assert (ids(third), third.again_after) == ([], timedelta(seconds=60))


def test_the_limit_ends_a_call_between_pages() -> None:
    instance = Instance(status(0))
    with LocalHttp(instance) as server:
        toots = source(server)
        cursor = toots.collect(b"", now=NOW, limit=50).cursor
        instance.statuses |= {str(s["id"]): s for s in (status(n) for n in range(1, 100))}
        second = toots.collect(cursor, now=NOW, limit=50)
        assert (ids(second), second.again_after) == (list(range(1, 81)), timedelta(0))
        assert ids(toots.collect(second.cursor, now=NOW, limit=50)) == list(range(81, 100))


def test_the_account_timeline_looks_its_account_up_once() -> None:
    with LocalHttp(Instance(status(1))) as server:
        toots = source(server, timeline="account", account="@quietquay")
        first = toots.collect(b"", now=NOW, limit=10)
        toots.collect(first.cursor, now=NOW, limit=10)
        assert [request.target.partition("?")[0] for request in server.requests] == [
            "/api/v1/accounts/lookup",
            "/api/v1/accounts/7/statuses",
            "/api/v1/accounts/7/statuses",
        ]
        assert first.items[0].post.stream == "account"


def test_a_source_that_is_pointed_at_another_account_follows_that_one() -> None:
    instance = Instance(status(1))
    with LocalHttp(instance) as server:
        cursor = source(server, timeline="account", account="a@x").collect(b"", now=NOW, limit=10).cursor
        found = source(server, timeline="account", account="b@x").collect(cursor, now=NOW, limit=10)
    assert ids(found) == [1]
    assert [r.target for r in server.requests if "lookup" in r.target] == [
        f"/api/v1/accounts/lookup?acct={name}%40x" for name in "ab"
    ]


def test_late_edited_and_deleted_statuses_are_found_when_the_window_is_read_again() -> None:
    instance = Instance(*(status(n) for n in range(10, 60)))
    with LocalHttp(instance) as server:
        toots = source(server, reread_s=600)
        cursor = b""
        for _ in range(2):
            cursor = toots.collect(cursor, now=NOW, limit=500).cursor
        instance.statuses |= {
            str(s["id"]): s
            for s in (
                status(9),  # federated late
                status(40, content="<p>Post forty</p>", edited_at=rfc3339(NOW)),
            )
        }
        del instance.statuses[str(status(50)["id"])]
        soon = toots.collect(cursor, now=NOW + timedelta(minutes=5), limit=500)
        assert soon.items == ()  # not due yet
        later = NOW + timedelta(minutes=11)
        found = toots.collect(soon.cursor, now=later, limit=500)
        posts = {n: item.post for n, item in zip(ids(found), found.items, strict=True)}
        assert sorted(posts) == [9, *range(10, 20), 40, 50]  # 10 to 19 were before the first page
        assert (posts[40].revision, posts[40].text) == (to_ms(NOW), "Post forty")
        assert (posts[50].deleted, posts[50].text, posts[50].revision) == (True, "", to_ms(later))
        assert posts[50].published_at == NOW - timedelta(minutes=50)
        again = toots.collect(found.cursor, now=later + timedelta(minutes=11), limit=500)
        assert again.items == ()


def test_a_status_that_only_left_the_timeline_is_not_taken_for_deleted() -> None:
    instance = Instance(status(1), status(2))
    gone = str(status(1)["id"])
    with LocalHttp(instance) as server:
        toots = source(server)
        cursor = toots.collect(b"", now=NOW, limit=10).cursor

        def without_tag(request: Request) -> Reply:
            if "/statuses/" in request.target:
                return Instance(status(1, edited_at=rfc3339(NOW), content="no tag"))(request)
            return Instance(status(2))(request)

        server._answer = without_tag
        found = toots.collect(cursor, now=NOW + timedelta(minutes=15), limit=10)
        assert [(item.post.native_id, item.post.deleted, item.post.text) for item in found.items] == [
            (gone, False, "no tag")
        ]


@pytest.mark.parametrize(("answered", "caps"), [(403, {"not_shown": 1}), (500, {"broke_off": 1})])
def test_a_status_that_is_not_shown_does_not_stop_the_timeline(answered: int, caps: dict[str, int]) -> None:
    instance = Instance(status(1), status(2))
    with LocalHttp(instance) as server:
        toots = source(server)
        cursor = toots.collect(b"", now=NOW, limit=10).cursor
        del instance.statuses[str(status(1)["id"])]

        def members_only(request: Request) -> Reply:
            return Reply(answered) if "/statuses/" in request.target else instance(request)

        server._answer = members_only
        again = toots.collect(cursor, now=NOW + timedelta(minutes=15), limit=10)
        assert (again.items, again.caps_hit) == ((), caps)
        instance.statuses[str(status(3)["id"])] = status(3)
        last = toots.collect(again.cursor, now=NOW + timedelta(minutes=16), limit=10)
        assert (ids(last), last.caps_hit) == ([3], {})


def test_a_status_of_a_time_that_cannot_be_is_a_dead_letter() -> None:
    with LocalHttp(Instance(status(1), status(2, created_at="9999-12-31T23:59:59-05:00"))) as server:
        toots = source(server)
        first = toots.collect(b"", now=NOW, limit=10)
        assert (ids(first), [letter.reason for letter in first.dead]) == ([1], ["out_of_range"])
        assert toots.collect(first.cursor, now=NOW + timedelta(minutes=15), limit=10).dead == ()


def test_a_rate_limit_is_kept_to() -> None:
    reset = NOW + timedelta(minutes=4)
    instance = Instance(status(1))
    instance.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": rfc3339(reset)}
    with LocalHttp(instance) as server:
        result = source(server).collect(b"", now=NOW, limit=10)
        assert (ids(result), result.again_after) == ([1], timedelta(minutes=4))
        instance.refuse = Reply(429, b"{}", {"X-RateLimit-Reset": rfc3339(reset)})
        with pytest.raises(Unavailable, match="status 429") as refused:
            source(server).collect(b"", now=NOW, limit=10)
        assert refused.value.retry_after_s == 240


def test_what_came_before_a_break_off_is_kept() -> None:
    instance = Instance(status(0))
    with LocalHttp(instance) as server:
        toots = source(server)
        cursor = toots.collect(b"", now=NOW, limit=10).cursor
        instance.statuses |= {str(s["id"]): s for s in (status(n) for n in range(1, 60))}
        asked = 0

        def failing(request: Request) -> Reply:
            nonlocal asked
            asked += 1
            return instance(request) if asked == 1 else Reply(502)

        server._answer = failing
        result = toots.collect(cursor, now=NOW, limit=500)
        assert ids(result) == list(range(1, 41))
        assert result.caps_hit == {"broke_off": 1}
        server._answer = instance
        assert ids(toots.collect(result.cursor, now=NOW, limit=500)) == list(range(41, 60))


def test_an_unusable_status_is_a_dead_letter_once_and_private_ones_are_counted() -> None:
    bad = status(2, created_at="yesterday")
    with LocalHttp(Instance(status(1), bad, status(3, visibility="private"), status(4, reblog={"id": "1"}))) as server:
        toots = source(server)
        first = toots.collect(b"", now=NOW, limit=10)
        assert ids(first) == [1]
        assert [letter.reason for letter in first.dead] == ["wrong_type"]
        assert json.loads(first.dead[0].original) == bad
        assert first.caps_hit == {"not_public": 1, "reblogs": 1}
        assert toots.collect(first.cursor, now=NOW + timedelta(hours=1), limit=10).dead == ()


def test_the_token_goes_into_the_header_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    with LocalHttp(Instance(status(1))) as server:
        toots = source(server, token_file=path)
        toots.open()
        result = toots.collect(b"", now=NOW, limit=10)
        assert server.requests[0].headers["authorization"] == "Bearer s3cret"
        assert "s3cret" not in repr(result)
        with pytest.raises(ConfigError, match="token_file"):
            source(server, token_file=tmp_path / "none").open()


def test_the_cursor_names_no_account() -> None:
    with LocalHttp(Instance(status(1))) as server:
        assert b"quietquay" not in source(server).collect(b"", now=NOW, limit=10).cursor


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"instance": "velmara.example"}, "address"),
        ({"instance": "https://velmara.example/@a"}, "address"),
        ({"instance": "https://velmara.example", "timeline": "hashtag"}, "name the hashtag"),
        ({"instance": "https://velmara.example", "timeline": "account"}, "name the account"),
    ],
)
def test_settings_name_a_timeline(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MastodonSettings.model_validate(given)
