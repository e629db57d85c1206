"""An Elasticsearch that asks for logins: what each loop's key may do, and what is said when something is wrong."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hustings.clock import SystemClock
from hustings.contracts import Outcome
from hustings.errors import ConfigError, HustingsError
from hustings.query import Query
from hustings.query.tree import Phrase
from hustings.testing.local_http import LocalHttp, Reply, Request
from index.elastic import ElasticIndex, ElasticSettings, create, create_keys, migrate, problems, role_of, settings_of
from index.elastic.mapping import MAPPING_VERSION
from tests.servers.elastic_node import ADMIN, ElasticNode
from tests.servers.elastic_world import (
    ALL,
    LOG,
    START,
    admin,
    books,
    hit,
    opened,
    post,
    running_node,
    settings_for,
    wiped,
)
from tests.servers.faulting_proxy import FaultingProxy, Refusal

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("elasticsearch"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def secure_node() -> Iterator[ElasticNode]:
    with running_node(secure=True) as node:
        yield node


@pytest.fixture
def operators(secure_node: ElasticNode, tmp_path: Path) -> Iterator[ElasticSettings]:
    """Empty indices, and the login of who may do everything."""
    password = written(tmp_path / "password", secure_node.password)
    made = settings_for(secure_node.server, user=ADMIN, password_file=password)
    with wiped(secure_node, made):
        create(made)
        yield made


def written(path: Path, secret: str) -> Path:
    path.write_text(secret + "\n", encoding="utf-8")
    return path


def with_key(settings: ElasticSettings, path: Path) -> ElasticSettings:
    return settings.model_copy(update={"user": "", "password_file": None, "api_key_file": path})


def problem_of(action: Callable[[], object]) -> HustingsError:
    with pytest.raises(HustingsError) as caught:
        action()
    return caught.value


def open_and_close(settings: ElasticSettings) -> None:
    with opened(settings):
        pass


def test_each_loops_key_is_enough_for_its_work_and_for_nothing_else(operators: ElasticSettings, tmp_path: Path) -> None:
    keys = {loop: with_key(operators, written(tmp_path / loop, key)) for loop, key in create_keys(operators).items()}
    assert keys.keys() == {"analyze", "watch", "desk"}
    with opened(keys["analyze"]) as analyze, opened(keys["watch"]) as watch, opened(keys["desk"]) as desk:
        # As the loops begin, on an index that holds nothing yet.
        assert (analyze.log_id(), analyze.positions("posts"), watch.positions("hits")) == (None, {}, {})
        assert desk.search(ALL).assessments == []
        assert list(watch.hits("rule", "logic")) == []

        # analyze: makes months, writes, revises, looks up, asks for former hits
        first, second = post("1", "word", days=0), post("2", "word", days=40)
        assert analyze.write([first, second], log_id=LOG, origins=[(0, 0), (0, 1)], positions={0: 2}) == [
            Outcome.NEW,
            Outcome.NEW,
        ]
        assert analyze.get(["src:1"]) == {"src:1": first}
        revised = post("1", "edited", revision=1)
        assert analyze.write([revised], log_id=LOG, origins=[(0, 2)], positions={0: 3}) == [Outcome.REVISED]
        assert analyze.former_hits(["src:1"]) == []
        analyze.refresh()
        assert len(analyze.search(ALL, limit=1).assessments) == 1

        # watch: writes hits, rebuilds its windows, reads the posts behind an alert and for an edited rule
        assert watch.get(["src:1"]) == {"src:1": revised}
        assert len(watch.search(ALL).assessments) == 2
        assert watch.write_hits([hit("1"), hit("2", days=40)], log_id=LOG, positions={0: 2}) == [Outcome.NEW] * 2
        watch.refresh()
        assert [one.key for one in watch.hits("rule", "logic")] == ["src:1", "src:2"]
        assert [one.key for one in analyze.former_hits(["src:1"])] == ["src:1"]

        # desk: reads everything that its pages show
        assert desk.get(["src:1"]) == {"src:1": revised}
        assert [one.key for one in desk.search(ALL).assessments] == ["src:2", "src:1"]
        assert (desk.count(ALL), desk.counts(ALL, "source")) == (2, {"src": 2})
        assert desk.histogram(ALL, step=timedelta(days=1)) == {
            START.replace(hour=0): 1,
            START.replace(hour=0) + timedelta(days=40): 1,
        }
        assert (desk.positions("posts"), desk.positions("hits")) == ({0: 3}, {0: 2})
        assert (desk.books(), desk.log_id()) == (books(new=2, revised=1), LOG)

        refused = [
            lambda: desk.write([post("3", "word")], log_id=LOG),
            lambda: desk.write([post("1", "forged", revision=9)], log_id=LOG),
            lambda: desk.write([], log_id=LOG, positions={0: 9}),
            lambda: desk.write_hits([hit("3")], log_id=LOG),
            lambda: desk.prune(before=START + timedelta(days=90)),
            lambda: watch.write([post("3", "word")], log_id=LOG),
            lambda: analyze.write_hits([hit("3")], log_id=LOG),
            lambda: analyze.prune(before=START + timedelta(days=90)),
        ]
        for action in refused:
            with pytest.raises(ConfigError, match="may not"):
                action()
        analyze.refresh()
        assert analyze.get(["src:1", "src:3"]) == {"src:1": revised}
        assert analyze.positions("posts") == {0: 3}


def test_loops_that_never_touch_the_index_get_no_key(operators: ElasticSettings) -> None:
    """An API key with an empty role would have all rights of who made it."""
    for loop in ("collect", "deliver"):
        with pytest.raises(ConfigError, match="does not use the index"):
            create_keys(operators, loops=[loop])
    assert role_of("desk", "p-")["cluster"] == []


def test_what_it_says_when_something_is_wrong(
    operators: ElasticSettings, secure_node: ElasticNode, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    """A wrong address, wrong or missing logins, missing rights, other servers, missing indices, other mappings, another
    log, a full disk, blocked writing, a query that is too wide."""
    told: list[HustingsError] = []

    def note(settings: ElasticSettings, action: Callable[[ElasticIndex], object] = lambda index: None) -> None:
        told.append(problem_of(lambda: act(settings, action)))

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        note(changed(operators, servers=(away,)))
    note(changed(operators, password_file=written(tmp_path / "wrong", "not the password")))
    note(changed(operators, user="", password_file=None))
    note(with_key(operators, written(tmp_path / "no-key", "bm8ga2V5OmF0IGFsbA==")))
    note(with_key(operators, tmp_path / "absent"))
    note(with_key(operators, written(tmp_path / "empty", " ")))
    note(changed(operators, prefix=f"{operators.prefix}other-"))
    desk = with_key(operators, written(tmp_path / "desk", create_keys(operators, loops=["desk"])["desk"]))
    note(desk, lambda index: index.write([post("1", "word")], log_id=LOG))
    with LocalHttp(elastic_seven) as old:
        told.append(problem_of(lambda: open_and_close(settings_for(old.origin))))
        told.append(problem_of(lambda: create(settings_for(old.origin))))
    with LocalHttp(lambda request: Reply(200, b"<html>hello</html>", {"content-type": "text/html"})) as other:
        told.append(problem_of(lambda: open_and_close(settings_for(other.origin))))
    full = Refusal(
        429, b'{"error":{"type":"cluster_block_exception","reason":"disk usage exceeded flood-stage watermark"}}'
    )
    with FaultingProxy(secure_node.server, lambda passing: full if passing.path == "/_bulk" else None) as proxy:
        note(
            changed(operators, servers=(proxy.server,), overload_s=0.0),
            lambda index: index.write([post("1", "word")], log_id=LOG),
        )
    with opened(operators) as index:
        index.write([post("1", " ".join(f"the w{n}" for n in range(9_000)))], log_id=LOG)
        index.refresh()
    note(operators, lambda index: index.count(Query(text="", node=Phrase(("the", "w"), prefix=True))))
    note(operators, lambda index: index.write([post("1", "word")], log_id="another log"))
    note(operators, lambda index: index.histogram(ALL, step=timedelta(microseconds=1500)))
    told.append(problem_of(lambda: settings_of(operators, "Not Possible")))
    with admin(secure_node) as client:
        client.put(f"/{operators.prefix}posts-2026.10/_block/write")
        note(operators, lambda index: index.write([post("2", "word")], log_id=LOG))
        body = {"_meta": {"hustings_mapping": "000000000000"}}
        client.put(f"/{operators.prefix}posts-2026.10/_mapping", json=body)
    note(operators)
    told.append(problem_of(lambda: create(operators)))
    text = "\n".join(f"{type(problem).__name__}: {problem}" for problem in told) + "\n"
    replaced = {
        away: "http://AWAY",
        secure_node.server: "http://NODE",
        old.origin: "http://OLD",
        other.origin: "http://OTHER",
        proxy.server: "http://PROXY",
        operators.prefix: "PREFIX-",
        MAPPING_VERSION: "VERSION",
        str(tmp_path): "FOLDER",
    }
    for found, shown in replaced.items():
        text = text.replace(found, shown)
    golden("elastic_errors.txt", re.sub(r"API key id \[[^\]]+\]", "API key id [ID]", text))


def changed(settings: ElasticSettings, **changes: object) -> ElasticSettings:
    return settings.model_copy(update=changes)


def act(settings: ElasticSettings, action: Callable[[ElasticIndex], object]) -> None:
    index = ElasticIndex(settings, clock=SystemClock()).open()
    try:
        action(index)
    finally:
        index.close()


def elastic_seven(request: Request) -> Reply:
    """What Elasticsearch 7.17 answers to this client: its own version where no body is sent, else that it does not
    understand the client's media type."""
    headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    if request.target == "/":
        return Reply(200, b'{"version":{"number":"7.17.29"},"tagline":"You Know, for Search"}', headers)
    body = (
        b'{"error":{"type":"media_type_header_exception","reason":"Invalid media-type value on headers [Accept]"},'
        b'"status":400}'
    )
    return Reply(400, body, headers)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"servers": []}, "at least 1 item"),
        ({"servers": ["127.0.0.1:9200"]}, "should match pattern"),
        ({"servers": ["https://user:secret@node:9200"]}, "should match pattern"),
        ({"prefix": "Hustings-"}, "should match pattern"),
        ({"user": "hustings"}, "user and password_file go together"),
        ({"user": "a", "password_file": "b", "api_key_file": "c"}, "not by both"),
        ({"servers": ["http://node:9200"], "api_key_file": "c"}, "would be sent the secret itself, unencrypted"),
        ({"ca_file": "ca.pem"}, "ca_file is used with https:// only"),
        ({"sniff": True}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ElasticSettings.model_validate({"servers": ["http://127.0.0.1:9200"], **given})


def test_a_login_that_may_not_manage_indices_cannot_migrate_or_look_for_problems(
    operators: ElasticSettings, tmp_path: Path
) -> None:
    desk = with_key(operators, written(tmp_path / "desk", create_keys(operators, loops=["desk"])["desk"]))
    assert migrate(desk) is None  # there is nothing to do, and to see that needs no more than reading
    with pytest.raises(ConfigError, match="may not"):
        problems(desk)
