"""`hustings erase`: what somebody asked to be forgotten goes from every place that can let it go; the rest is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from alerts.partners import ChannelEntry, Partner, Redaction
from alerts.secrets import Secret
from desk import audit
from desk.book import DeskBook
from desk.database.connect import reading, writing
from desk.database.tables import outbox, tellings
from desk.dispatch import Dispatcher
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Message, SourceContext
from hustings.roster import Roster
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.types import Post
from ingest.erased import barred, mark_of
from ingest.evidence import Capture, EvidenceFolder
from ingest.files import FilesSettings, FilesSource
from ingest.polling import Collector, ConfiguredSource
from ingest.pseudonyms import Pseudonyms, load_or_create_key
from runtime import build
from runtime.config import load_config
from runtime.status import books_of
from tests.command_line import Answer, CommandLine, command_line
from tests.loops_world import ALL, SUNDAY, LoopsWorld, post

WHY = ("--reason", "asked by letter of 3 March")
SECRET = "zebrafish on sunday"


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


class House:
    """A deployment on one machine, whose loops run when a test says so."""

    def __init__(self, folder: Path, desk: Path, call: CommandLine) -> None:
        self.config = folder / "hustings.toml"
        self.config.write_text('[deployment]\nname = "Test"\n[log]\nkeep_days = 30\n')
        self.data = folder / "var"
        self.data.mkdir()
        shutil.move(desk, self.data / "desk.db")
        self.evidence = EvidenceFolder(self.data / "evidence", code_version="test")
        self.call = call

    @contextmanager
    def world(self) -> Iterator[LoopsWorld]:
        with ExitStack() as opened:
            yield LoopsWorld(self.data, f"sqlite:///{self.data / 'desk.db'}", opened)

    def collected(self, *posts: Post) -> None:
        """Posts as `collect` hands them over: each with a capture, all in one pack; then the loops run."""
        captures = [
            Capture(raw=f"raw of {p.key}: {p.text}".encode(), collector="c", keys=(p.key,), at=p.collected_at)
            for p in posts
        ]
        seals = self.evidence.seal(captures)
        with self.world() as world:
            world.append(*(msgspec.structs.replace(p, evidence=seal) for p, seal in zip(posts, seals, strict=True)))
            world.run_to_the_end()

    def run(self) -> None:
        with self.world() as world:
            world.run_to_the_end()
            assert books_of(world.log, world.index).balanced

    def bytes_of(self, name: str) -> bytes:
        """Everything in a part of the data folder."""
        return b"".join(path.read_bytes() for path in sorted(self.data.glob(name)) if path.is_file())


@pytest.fixture
def house(tmp_path: Path, desk_url: str, hustings: CommandLine) -> House:
    return House(tmp_path, Path(desk_url.removeprefix("sqlite:///")), hustings)


def test_a_post_is_erased_from_index_and_evidence_and_the_rest_is_said(house: House) -> None:
    house.collected(*SUNDAY, post("7", SECRET, minutes=4))
    planned = house.call("erase", "net:7", "--config", house.config, "--dry-run")
    assert planned.status == 0
    assert planned.out.startswith("would erase 1 posts: 1 captures of the evidence, excerpts in 0 messages")
    assert SECRET.encode() in house.bytes_of("evidence/*/*"), "a dry run changes nothing"

    first = house.call("erase", "net:7", *WHY, "--config", house.config)
    assert first.status == 1
    assert "STILL THERE: 1 posts in the index, until analyze has read on" in first.out
    assert "entries of the log" in first.out
    assert "stays: backups, exports and corpora made before, what partners were told" in first.out
    assert SECRET.encode() not in house.bytes_of("evidence/*/*")
    house.run()
    again = house.call("erase", "net:7", *WHY, "--config", house.config)
    assert (again.status, again.err) == (0, "")
    assert "STILL THERE" not in again.out
    assert b"zebrafish" not in house.bytes_of("index/*"), "no trace in the files either"
    with house.world() as world:
        (gone,) = world.index.get(["net:7"]).values()
        assert (gone.post.deleted, gone.post.text, gone.tokens, gone.post.evidence) == (True, "", (), "")
        assert world.index.count(ALL) == 5, "others stay"
        assert world.log.ends("posts") == {0: 6}, "asking again adds nothing to the log"


def test_evidence_says_what_was_erased_and_when_and_stays_whole(house: House) -> None:
    house.collected(*SUNDAY, post("7", SECRET, minutes=4))
    house.call("erase", "net:7", *WHY, "--config", house.config)
    verified = house.call("evidence", "verify", house.config)
    assert verified.status == 0, verified.err
    assert ": 1 captures of " in verified.out
    assert verified.out.endswith("1 packs, each byte as it was sealed; 6 posts in the log were looked up\n")
    said = json.loads(house.call("evidence", "verify", house.config, "--json").out)
    assert [one["captures"] for one in said["erased"]] == [1]
    assert "net:7" not in json.dumps(said)


def test_an_erasure_that_the_audit_chain_does_not_know_is_a_flaw(house: House) -> None:
    house.collected(*SUNDAY)
    (pack,) = (house.data / "evidence").glob("*/*.evidence")
    house.evidence.erase(pack.stem, {p.key for p in SUNDAY}, shared=False, at=SystemClock().now())
    verified = house.call("evidence", "verify", house.config)
    assert verified.status == 1
    assert verified.err == f"{pack.stem}: captures of it are said to be erased, but no row of the audit chain says so\n"


def test_the_audit_chain_says_who_and_why_and_names_no_post(house: House) -> None:
    house.collected(*SUNDAY)
    house.call("erase", "net:0", "net:1", *WHY, "--by", "oda", "--config", house.config)
    engine = build.open_engine(load_config(house.config))
    (row,) = audit.of_action(engine, "erase")
    engine.dispose()
    detail = json.loads(row.detail)
    assert (row.actor, row.subject, detail["by"], detail["reason"]) == ("operator", "2 posts", "oda", WHY[1])
    assert detail["posts"] == sorted([mark_of("net:0"), mark_of("net:1")])
    assert "net:0" not in row.detail
    assert house.call("audit", "verify", house.config).status == 0


def test_an_erased_post_is_not_collected_again(house: House, tmp_path: Path) -> None:
    house.collected(*SUNDAY)
    house.call("erase", "net:0", *WHY, "--config", house.config)
    archive = tmp_path / "again.jsonl"
    later = msgspec.structs.replace(SUNDAY[0], text=SECRET, revision=2**60)
    archive.write_bytes(b"".join(wire.encode(p) + b"\n" for p in (later, post("new", "another", minutes=9))))
    with house.world() as world:
        memory, clock = DeskMemory(world.engine), SystemClock()
        context = SourceContext(egress=LoopbackEgress(), memory=memory, clock=clock)
        collector = Collector(
            [ConfiguredSource(FilesSource("one", FilesSettings(path=archive), context), "live")],
            log=world.log,
            memory=memory,
            evidence=house.evidence,
            pseudonyms=Pseudonyms(b"k" * 32),
            roster=Roster(),
            clock=clock,
            code_version="test",
        )
        collector.open()
        while not collector.done:
            collector.step()
        collector.close()
        assert world.log.ends("posts") == {0: 6}, "four, the one that erases, and the new one"
    assert SECRET.encode() not in house.bytes_of("*/*") + house.bytes_of("*/*/*")


def test_all_posts_of_an_account_are_erased_by_its_handle_or_pseudonym(house: House) -> None:
    key = load_or_create_key(house.data / "keys" / "pseudonyms.key")
    who = Pseudonyms(key).of("chatter", "ann")
    theirs = [msgspec.structs.replace(post(n, f"{SECRET} {n}", minutes=n), author=who) for n in range(2)]
    house.collected(*theirs, post("9", "somebody else", minutes=4))
    for name in ("chatter:ann", who):
        said = json.loads(house.call("erase", "--author", name, "--config", house.config, "--dry-run", "--json").out)
        assert (said["posts"], said["captures"], said["log_entries"]) == (2, 2, 2)
    house.call("erase", "--author", "chatter:ann", *WHY, "--config", house.config)
    house.run()
    done = house.call("erase", "--author", who, *WHY, "--config", house.config)
    assert done.status == 0
    with house.world() as world:
        assert [a.post.author for a in world.index.search(ALL).assessments if a.post.deleted] == ["", ""]
    assert b"somebody else" in house.bytes_of("evidence/*/*")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["net:0"], "say why with --reason"),
        ([*WHY], "name posts by their keys, or an account with --author"),
        (["net:0", "--author", "chatter:ann", *WHY], "name posts by their keys, or an account with --author"),
        (["net:0", "net:none", *WHY], "net:none: no such post in log, index and evidence"),
        (["--author", "chatter:nobody", *WHY], "no post of 'chatter:nobody' is known"),
        (["--author", "ann", *WHY], "is no pseudonym; name the account as PLATFORM:HANDLE"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(house: House, words: list[str], says: str) -> None:
    load_or_create_key(house.data / "keys" / "pseudonyms.key")
    house.collected(*SUNDAY)
    refused = house.call("erase", *words, "--config", house.config)
    assert refused.status == 2
    assert says in refused.err
    with house.world() as world:
        assert world.log.ends("posts") == {0: 4}
        assert audit.of_action(world.engine, "erase") == []


def test_a_capture_of_other_posts_too_goes_only_when_that_is_said(house: House) -> None:
    page = Capture(raw=b"<rss>zebrafish</rss>", collector="feed", keys=("net:0", "net:1"), at=SystemClock().now())
    (seal,) = house.evidence.seal([page])
    with house.world() as world:
        world.append(*(msgspec.structs.replace(p, evidence=seal) for p in SUNDAY[:2]))
        world.run_to_the_end()
    kept = house.call("erase", "net:0", *WHY, "--config", house.config)
    assert "STILL THERE: 1 captures that hold other posts too" in kept.out
    assert house.evidence.read(seal)[1] == page.raw
    house.run()
    gone = house.call("erase", "net:0", "--shared", *WHY, "--config", house.config)
    assert (gone.status, "STILL THERE" in gone.out) == (0, False)
    assert b"zebrafish" not in house.bytes_of("evidence/*/*")
    assert house.call("evidence", "verify", house.config).status == 0


def test_an_index_that_is_made_anew_forgets_as_well(house: House) -> None:
    house.collected(*SUNDAY, post("7", SECRET, minutes=4))
    house.call("erase", "net:7", *WHY, "--config", house.config)
    shutil.rmtree(house.data / "index")
    house.run()
    with house.world() as world:
        assert world.index.get(["net:7"])["net:7"].post.text == ""


def test_an_alert_that_rests_on_an_erased_post_is_reckoned_anew(house: House) -> None:
    house.collected(*SUNDAY)
    with house.world() as world:
        assert [alert.value for alert in world.alerts()] == [4.0]
    house.call("erase", "net:1", *WHY, "--config", house.config)
    house.run()
    with house.world() as world:
        (alert,) = world.alerts()
    assert (alert.value, "net:1" in alert.evidence) == (3.0, False)


def test_what_partners_shall_be_told_and_were_told_shows_the_post_no_more(house: House) -> None:
    """Also where the partner knows the post under a reference of its own."""
    (house.data.parent / "north.key").write_text("a key")
    house.config.write_text(
        house.config.read_text() + '[[partner]]\nid = "north"\nname = "North"\npseudonym_key = { file = "north.key" }\n'
        '[[partner.channels]]\nname = "files"\nkind = "file"\nsettings = { folder = "told" }\n'
    )
    hers = post("someone/7", SECRET, minutes=2)
    tell(house, "north", *SUNDAY, hers)
    before = told(house)
    assert [post["excerpt"] for post in before["evidence"]].count(SECRET) == 1
    said = json.loads(house.call("erase", hers.key, *WHY, "--config", house.config, "--json").out)
    assert (said["messages"], said["not_looked_through"]) == (1, [])
    after = told(house)
    assert [post["key"] for post in after["evidence"]] == [post["key"] for post in before["evidence"]]
    assert [len(post) for post in after["evidence"]].count(1) == 1
    assert b"zebrafish" not in house.bytes_of("desk.db*"), "no trace in the file either"


def tell(house: House, name: str, *posts: Post) -> None:
    """Let the loops run with one partner, who is told."""
    partner = Partner(
        id=name,
        name=name,
        pseudonym_key=Secret(value="a key"),
        channels=(ChannelEntry(name="files", kind="file"),),
        redaction=Redaction(excerpt="full"),
    )
    with house.world() as world:
        world.append(*posts)
        analyzer = world.analyzer()
        dispatcher = Dispatcher((partner,), index=world.index, roster=Roster())
        watcher = world.watcher(book=DeskBook(world.engine, dispatcher, world.clock))
        analyzer.step()
        analyzer.send_marks()
        while watcher.step():
            pass


def told(house: House) -> Any:
    """The body of the one message in the outbox."""
    with house.world() as world, reading(world.engine) as connection:
        (row,) = connection.execute(select(outbox)).all()
    message = wire.decode(row.message, Message)
    assert row.sha256 == sha256(message.body).hexdigest()
    return json.loads(message.body)


def test_messages_to_a_partner_that_is_gone_are_said_to_be_unread(house: House) -> None:
    hers = post("someone/7", SECRET, minutes=2)
    tell(house, "south", *SUNDAY, hers)
    answer = house.call("erase", hers.key, *WHY, "--config", house.config)
    assert "STILL THERE, perhaps: what was told to south could not be looked through" in answer.out
    assert (
        json.loads(house.call("erase", "net:0", "--dry-run", "--config", house.config, "--json").out)["messages"] == 1
    )


def test_what_a_story_was_known_by_is_emptied_and_its_place_kept(house: House) -> None:
    with house.world() as world:
        world.append(*SUNDAY)
        with writing(world.engine) as connection:
            for place, key in enumerate(("net:0", "net:1"), start=1):
                row = {"place": place, "key": key, "revision": 0, "story": "s", "wording": b"w", "sketch": b"s"}
                connection.execute(tellings.insert().values(**row, at=world.clock.now()))
    said = json.loads(house.call("erase", "net:0", *WHY, "--config", house.config, "--json").out)
    assert said["fingerprints"] == 1
    with house.world() as world, reading(world.engine) as connection:
        rows = connection.execute(select(tellings).order_by(tellings.c.place)).all()
    assert [(row.place, row.wording, row.sketch) for row in rows] == [(1, b"", b""), (2, b"w", b"s")]


def test_a_tip_that_the_desk_still_keeps_is_erased_too(house: House) -> None:
    with house.world() as world:
        DeskMemory(world.engine).put("tips", "0001-a", json.dumps({"text": SECRET}).encode())
    said = json.loads(house.call("erase", "tips:0001-a", *WHY, "--config", house.config, "--json").out)
    assert said["tips"] == 1
    assert b"zebrafish" not in house.bytes_of("desk.db*")


def test_dead_letters_of_an_erased_post_are_named(house: House) -> None:
    house.collected(*SUNDAY, post("8", "poison zebrafish", minutes=4))
    said = json.loads(house.call("erase", "net:8", *WHY, "--config", house.config, "--json").out)
    assert len(said["dead_letters"]) == 1


# ── a backup that is put back ────────────────────────────────────────────────────────────────────────────────────


def backed_up(house: House) -> Path:
    copy = house.data.parent / "copy"
    assert house.call("backup", copy, "--config", house.config).status == 0
    return copy


def restored(house: House, copy: Path) -> Answer:
    """The backup in place of what is there."""
    house.data.rename(house.data.with_name("old"))
    return house.call("restore", copy, "--config", house.config)


def test_what_was_erased_after_a_backup_stays_erased_when_it_is_restored(house: House) -> None:
    house.collected(*SUNDAY, post("7", SECRET, minutes=4))
    copy = backed_up(house)
    house.call("erase", "net:7", *WHY, "--config", house.config)
    answer = restored(house, copy)
    assert (answer.status, answer.err) == (0, "")
    assert "var.erased.jsonl says, so erased again:\n  erased 1 posts: 1 captures of the evidence" in answer.out
    assert "`hustings prune` takes the last traces then" in answer.out
    assert SECRET.encode() not in house.bytes_of("evidence/*/*")
    house.run()
    assert house.call("prune", house.config).status == 0
    assert b"zebrafish" not in house.bytes_of("index/*")
    with house.world() as world:
        assert world.index.get(["net:7"])["net:7"].post.text == ""
        assert world.index.get(["net:0"])["net:0"].post.text, "others stay"
        (row,) = audit.of_action(world.engine, "erase")
    assert json.loads(row.detail)["posts"] == [mark_of("net:7")]
    assert house.call("evidence", "verify", house.config).status == 0


def test_a_post_that_came_after_the_backup_and_was_erased_is_not_collected_again(house: House) -> None:
    """The sources of the backup begin where they were, so they would bring it."""
    house.collected(*SUNDAY)
    copy = backed_up(house)
    house.collected(post("7", SECRET, minutes=4))
    house.call("erase", "net:7", *WHY, "--config", house.config)
    restored(house, copy)
    with house.world() as world:
        assert barred(DeskMemory(world.engine)) == {mark_of("net:7")}


def test_captures_of_others_too_go_again_only_where_they_had_gone(house: House) -> None:
    for key in ("net:0", "net:1"):
        page = Capture(raw=f"page of {key}".encode(), collector="feed", keys=(key, "net:9"), at=SystemClock().now())
        (seal,) = house.evidence.seal([page])
        with house.world() as world:
            world.append(msgspec.structs.replace(post(key[4:], "x"), evidence=seal))
            world.run_to_the_end()
    copy = backed_up(house)
    house.call("erase", "net:0", *WHY, "--config", house.config)
    house.call("erase", "net:1", "--shared", *WHY, "--config", house.config)
    answer = restored(house, copy)
    assert "STILL THERE: 1 captures that hold other posts too" in answer.out
    assert b"page of net:0" in house.bytes_of("evidence/*/*")
    assert b"page of net:1" not in house.bytes_of("evidence/*/*")


def test_the_note_of_an_erasure_is_for_this_user_and_names_no_post(house: House) -> None:
    house.collected(*SUNDAY)
    house.call("erase", "net:0", *WHY, "--config", house.config)
    notes = house.data.with_name("var.erased.jsonl")
    assert notes.stat().st_mode & 0o777 == 0o600
    assert "net:0" not in notes.read_text()
    assert mark_of("net:0") in notes.read_text()


def test_a_restore_on_another_machine_says_that_it_cannot_know(house: House) -> None:
    house.collected(*SUNDAY)
    copy = backed_up(house)
    house.call("erase", "net:0", *WHY, "--config", house.config)
    house.data.with_name("var.erased.jsonl").unlink()
    answer = restored(house, copy)
    assert answer.status == 0
    assert "var.erased.jsonl: if anything was erased after " in answer.out
    assert "it is back; erase it again (docs/erasing.md)" in answer.out


def test_a_note_that_a_crash_cut_short_is_told_and_costs_no_other(house: House) -> None:
    house.collected(*SUNDAY)
    copy = backed_up(house)
    house.data.with_name("var.erased.jsonl").write_bytes(b'\n{"at": "20')
    house.call("erase", "net:0", *WHY, "--config", house.config)
    answer = restored(house, copy)
    assert answer.status == 1
    assert "var.erased.jsonl: 1 lines cannot be read; what they say was erased may be back" in answer.err
    assert "erased 1 posts" in answer.out


def test_posts_are_erased_also_where_that_cannot_be_noted(house: House) -> None:
    house.collected(*SUNDAY)
    house.data.with_name("var.erased.jsonl").mkdir()
    answer = house.call("erase", "net:0", *WHY, "--config", house.config)
    assert "a restore of an older backup will not know of this erasure" in answer.err
    assert answer.out.startswith("erased 1 posts: 1 captures")


def test_a_restore_that_cannot_erase_again_says_so(house: House) -> None:
    house.collected(*SUNDAY)
    copy = backed_up(house)
    house.data.with_name("var.erased.jsonl").mkdir()
    answer = restored(house, copy)
    assert answer.status == 1
    assert answer.err.startswith("hustings: restored, but what was erased after ")
    assert "start no loop before" in answer.err
