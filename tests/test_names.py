"""Pseudonyms and the roster: raw account names in, names of our books out."""

from __future__ import annotations

import os
import stat
import time
from base64 import b32encode
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path

import pytest

from hustings.clock import VirtualClock
from hustings.contracts import Record, SourceItem
from hustings.errors import ConfigError
from hustings.roster import Person, Roster
from hustings.types import Post
from ingest.names import Names
from ingest.pseudonyms import Pseudonyms, load_or_create_key
from runtime import build
from runtime.config import load_config

NOW = datetime(2027, 3, 1, tzinfo=UTC)
KEY = bytes(range(32))
ROSTER = Roster(people=(Person(id="carla-mendez", name="Carla Mendez", handles=("mastodon:carla@velmara.example",)),))
NAMES = Names(Pseudonyms(KEY), ROSTER)


def renamed(author: str = "", *, mentions: tuple[str, ...] = (), handles: tuple[str, ...] = (), **given: str) -> Post:
    fields = {"source": "velmara.example", "native_id": "1", "text": "x", **given}
    post = Post(published_at=NOW, collected_at=NOW, mentions=mentions, **fields)  # type: ignore[arg-type] # str fields
    return NAMES.renamed(SourceItem(raw=b"x", post=post, author_handle=author, platform="mastodon", handles=handles))


def test_the_pseudonym_is_the_keyed_hash_that_the_design_says() -> None:
    wanted = b32encode(digest(KEY, b"author\0mastodon\0eve@velmara.example", sha256)).decode()[:24]
    assert Pseudonyms(KEY).of("mastodon", "eve@velmara.example") == wanted
    assert Pseudonyms(bytes(32)).of("mastodon", "eve@velmara.example") != wanted
    assert Pseudonyms(KEY).of("bluesky", "eve@velmara.example") != wanted
    assert Pseudonyms(KEY).of("mastodon", wanted) == wanted


def test_a_listed_author_is_named_and_an_unlisted_one_is_not() -> None:
    assert renamed("Carla@velmara.example").author == "carla-mendez"
    assert renamed("carla-mendez").author == "carla-mendez"
    stranger = renamed("eve@velmara.example").author
    assert len(stranger) == 24
    assert stranger == renamed("@eve@velmara.example").author
    assert renamed("").author == ""


def test_mentioned_people_are_renamed_too() -> None:
    post = renamed(mentions=("carla@velmara.example", "eve@velmara.example", "@eve@velmara.example"))
    assert post.mentions == ("carla-mendez", renamed("eve@velmara.example").author)


def test_ids_keep_their_form_with_pseudonyms_also_for_listed_people() -> None:
    post = renamed(
        "eve", native_id="eve/3k", reply_to="carla@velmara.example/7", handles=("eve", "carla@velmara.example")
    )
    assert post.native_id == f"{post.author}/3k"
    assert post.reply_to == f"{Pseudonyms(KEY).of('mastodon', 'carla@velmara.example')}/7"


def test_a_handle_inside_another_word_is_left() -> None:
    assert renamed("1", native_id="1141", handles=("1",)).native_id == "1141"


@pytest.mark.parametrize(
    ("author", "url", "kept"),
    [
        ("eve@velmara.example", "https://velmara.example/@eve/1", False),
        ("eve@velmara.example", "https://velmara.example/@Eve/1", False),
        ("eve@velmara.example", "https://velmara.example/%40eve%2F1", False),
        ("eve@velmara.example", "https://news.example/every/1", True),
        ("carla@velmara.example", "https://velmara.example/@carla/1", True),
        ("carla@velmara.example", "https://velmara.example/@bob/1", False),
    ],
)
def test_an_address_that_names_an_unlisted_person_is_emptied(author: str, url: str, kept: bool) -> None:
    own = author.partition("@")[0]
    post = renamed(author, url=url, handles=(own,), mentions=("bob",))
    assert post.url == (url if kept else "")


def test_thousands_of_mentions_beside_thousands_of_links_take_no_time() -> None:
    mentions = tuple(f"did:plc:{number:024d}" for number in range(6_000))
    links = tuple(f"https://news.example/{number}" for number in range(6_000))
    post = Post(
        source="sky", native_id="1", text="x", published_at=NOW, collected_at=NOW, mentions=mentions,
        links=(*links, f"https://sky.example/profile/{mentions[-1]}"),
    )  # fmt: skip
    begun = time.monotonic()
    assert NAMES.renamed(SourceItem(raw=b"x", post=post)).links == links
    assert time.monotonic() - begun < 10


def test_the_key_is_made_once_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonyms.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_or_create_key(tmp_path / "other.key") != key


def test_a_key_that_is_gone_is_not_made_anew_for_a_log_that_holds_posts(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "hustings.toml").write_text('[deployment]\nname = "Test"\n')
    config = load_config(tmp_path / "hustings.toml")
    with closing(build.open_log(config, VirtualClock(NOW))) as log:
        before = build.pseudonyms(config, log).of("mastodon", "ann")
        log.append("posts", [Record("net:1", b"{}")])
        assert build.pseudonyms(config, log).of("mastodon", "ann") == before
        key = tmp_path / "var" / "keys" / "pseudonyms.key"
        key.unlink()
        with pytest.raises(ConfigError, match=r"pseudonyms\.key: no such file, but the log holds posts"):
            build.pseudonyms(config, log)
        assert not key.exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pseudonyms.key"
    load_or_create_key(path)
    os.chmod(path, mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_create_key(path)


@pytest.mark.parametrize("content", [b"", b"abcd", b"z" * 64, b"ab" * 33])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pseudonyms.key"
    path.write_bytes(content)
    os.chmod(path, 0o600)
    with pytest.raises(ConfigError, match="not a pseudonym key"):
        load_or_create_key(path)
