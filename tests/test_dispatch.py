"""Messages for all partners: one partner's key that cannot be read is that partner's trouble alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.messages import Decision
from alerts.partners import ChannelEntry, Partner
from alerts.redaction import Redactor
from alerts.secrets import Secret
from desk.dispatch import Dispatcher
from hustings.errors import ConfigError
from hustings.roster import Roster
from hustings.types import Assessment, Notice
from tests.desk_world import DATE_ALERT, START

NOTICE = Notice(alert=DATE_ALERT.id, kind="open", key="open", at=START, revision=1)
DECISION = Decision(roles=("lead",), codes=(), at=START)


class NoPosts:
    """`desk.posts.Posts` of an empty index."""

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {}


def dispatcher(**keys: Secret) -> Dispatcher:
    channels = (ChannelEntry(name="hook", kind="webhook"),)
    partners = [
        Partner(id=name, name=name, tlp="RED", channels=channels, pseudonym_key=key) for name, key in keys.items()
    ]
    return Dispatcher(partners, index=NoPosts(), roster=Roster())


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_key_that_cannot_be_read_withholds_from_its_partner_alone(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "south.key").write_bytes(content)
    known = dispatcher(north=Secret(value="key"), south=Secret(file=tmp_path / "south.key"))
    told = known.messages(DATE_ALERT, NOTICE, (), decision=DECISION, now=START)
    assert [message.partner for message in told] == ["north"]
    withheld = known.withheld(DATE_ALERT, ())
    assert withheld["north"] is None
    assert str(withheld["south"]).startswith("no pseudonyms without its key: secret file")
    former = {"north/hook": "AMBER", "south/hook": "AMBER"}
    corrected = known.retractions(DATE_ALERT, NOTICE, former, decision=DECISION, note="", now=START)
    assert [message.partner for message in corrected] == ["north"]
    assert known.routes() == {"north/hook"}


def test_a_key_that_was_read_is_kept_whatever_happens_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("first\n")
    kept = Secret(file=tmp_path / "key").kept()
    (tmp_path / "key").write_text("")
    assert kept.reveal() == "first"
    with pytest.raises(ConfigError, match="is empty"):
        Secret(file=tmp_path / "key").kept()


def test_the_desk_resolves_the_post_that_a_retraction_names() -> None:
    gone = replace(DATE_ALERT, evidence=(), reason={"code": "withdrawn", "post": "net:chat/123"})
    reference = Redactor(key="key", roster=Roster(), mask_slurs=True).key("net:chat/123")
    known = dispatcher(north=Secret(value="key"))
    assert known.resolve(reference, partner="north", alert=gone) == "net:chat/123"
    assert known.resolve(reference, partner="north", alert=DATE_ALERT) is None
