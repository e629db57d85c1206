"""Tips of the desk's table in, posts of the stream `tip` out."""

from __future__ import annotations

from datetime import UTC, datetime

from hustings.clock import VirtualClock
from hustings.contracts import SourceContext
from hustings.testing.check_source import check_source
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Post
from ingest.tips import TipsSettings, TipsSource

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
TIP = b'{"text":"They say the vote is moved","url":"https://x.example/1","received_at":"2027-03-01T11:59:00Z"}'


def memory(*ids: str) -> DictMemory:
    filled = DictMemory()
    for tip_id in ids:
        filled.put("tips", tip_id, TIP)
    return filled


def source(filled: DictMemory) -> TipsSource:
    return TipsSource("tips", TipsSettings(), SourceContext(LoopbackEgress(), filled, VirtualClock(NOW)))


def test_the_contract_holds() -> None:
    filled = memory("1804000000000-aa", "1804000000001-bb", "1804000700002-cc")
    check_source(lambda context: TipsSource("tips", TipsSettings(), context), memory=filled)


def test_a_tip_becomes_a_post_of_its_own_stream() -> None:
    (item,) = source(memory("1804000000000-aa")).collect(b"", now=NOW, limit=10).items
    assert item.raw == TIP
    assert item.post == Post(
        source="tips",
        native_id="1804000000000-aa",
        text="They say the vote is moved",
        url="https://x.example/1",
        published_at=datetime(2027, 3, 1, 11, 59, tzinfo=UTC),
        collected_at=NOW,
        medium="tip",
        stream="tip",
    )


def test_a_tip_that_was_written_later_under_an_earlier_id_is_not_lost() -> None:
    filled = memory("1804000000100-aa")
    tips = source(filled)
    first = tips.collect(b"", now=NOW, limit=10)
    filled.put("tips", "1804000000099-bb", TIP)
    second = tips.collect(first.cursor, now=NOW, limit=10)
    assert [item.post.native_id for item in second.items] == ["1804000000099-bb"]
    assert tips.collect(second.cursor, now=NOW, limit=10).items == ()


def test_the_cursor_stays_small() -> None:
    filled = memory(*(f"{1_804_000_000_000 + n * 60_000:013d}-aa" for n in range(500)))
    assert len(source(filled).collect(b"", now=NOW, limit=1_000).cursor) < 500


def test_an_unusable_row_is_a_dead_letter() -> None:
    filled = memory("1804000000000-aa")
    filled.put("tips", "1804000000001-bb", b'{"text": 5}')
    result = source(filled).collect(b"", now=NOW, limit=10)
    assert len(result.items) == 1
    assert [(letter.reason, letter.origin) for letter in result.dead] == [("wrong_type", "tips: 1804000000001-bb")]
