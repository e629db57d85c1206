"""Telegram exports in, posts out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hustings.clock import VirtualClock, to_ms
from hustings.contracts import Collected, SourceContext
from hustings.errors import BadInput, Unavailable
from hustings.testing.check_source import check_source
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Media, Post
from ingest.telegram import TelegramSettings, TelegramSource

NOW = datetime(2027, 3, 3, 12, 0, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[1] / "configs" / "examples" / "telegram.json"
CONTEXT = SourceContext(LoopbackEgress(), DictMemory(), VirtualClock(NOW))


def source(path: Path, **given: object) -> TelegramSource:
    return TelegramSource("channel", TelegramSettings.model_validate({"path": path, **given}), CONTEXT)


def read(path: Path, **given: object) -> Collected:
    return source(path, **given).collect(b"", now=NOW, limit=100)


def test_the_contract_holds() -> None:
    check_source(lambda context: TelegramSource("channel", TelegramSettings(path=EXAMPLE), context))


def test_a_message_with_entities_becomes_a_post() -> None:
    result = read(EXAMPLE, lang="es")
    first = result.items[0]
    assert first.author_handle == "channel1700000001"
    assert first.post == Post(
        source="telegram",
        native_id="1700000001/11",
        text="Las urnas abren a las siete. Horario oficial, pregunte a @velmara_votes #Velmara",
        published_at=datetime(2027, 3, 2, 15, 6, 40, tzinfo=UTC),
        collected_at=NOW,
        stream="account",
        outlet="Puerto Diario",
        lang="es",
        mentions=("velmara_votes",),
        hashtags=("Velmara",),
        links=("https://velmara-votes.example/hours",),
    )
    assert json.loads(first.raw)["id"] == 11
    assert result.done


def test_edits_replies_forwards_and_pictures() -> None:
    _, edited, forwarded = read(EXAMPLE).items
    assert edited.post.revision == to_ms(datetime(2027, 3, 2, 16, tzinfo=UTC))
    assert edited.post.reply_to == "1700000001/11"
    assert forwarded.post.mentions == ("channel1700000999",)
    assert forwarded.post.media == (Media(kind="image"),)
    assert forwarded.post.text == ""


def test_service_messages_are_no_posts_and_private_chats_are_left_and_counted(tmp_path: Path) -> None:
    chat = json.loads(EXAMPLE.read_text())
    private = {**chat, "type": "private_supergroup", "id": 5}
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"chats": {"list": [private, chat]}}))
    result = read(path)
    assert len(result.items) == 3
    assert result.caps_hit == {"chats_not_public": 1}


def test_an_unusable_message_is_a_dead_letter_and_the_others_come(tmp_path: Path) -> None:
    chat = json.loads(EXAMPLE.read_text())
    chat["messages"] += [{"id": "x", "type": "message"}, {"id": 99, "type": "message", "date": "soon"}]
    path = tmp_path / "result.json"
    path.write_text(json.dumps(chat))
    result = read(path)
    assert len(result.items) == 3
    assert [letter.reason for letter in result.dead] == ["wrong_type", "out_of_range"]
    assert json.loads(result.dead[1].original)["id"] == 99


def test_a_newer_export_is_read_from_its_start_when_followed(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(EXAMPLE.read_bytes())
    reader = source(path, follow=True)
    first = reader.collect(b"", now=NOW, limit=100)
    assert not first.done
    assert reader.collect(first.cursor, now=NOW, limit=100).items == ()
    chat = json.loads(path.read_text())
    chat["messages"][1]["edited_unixtime"] = "1804010000"
    path.write_text(json.dumps(chat))
    second = reader.collect(first.cursor, now=NOW + timedelta(hours=1), limit=100)
    assert len(second.items) == 3
    assert second.items[0].post.revision == 1_804_010_000_000


@pytest.mark.parametrize(("content", "said"), [(b"[]", "object"), (b"{}", "no chat"), (b'{"messages": 3}', "messages")])
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        read(path)
    with pytest.raises(BadInput, match="larger than"):
        read(EXAMPLE, max_bytes=1_000)
    with pytest.raises(Unavailable):
        read(tmp_path / "none.json")
