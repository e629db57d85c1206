"""The human gate: who may let an alert out, what follows by itself, what never leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from alerts.partners import ChannelEntry, Partner
from alerts.secrets import Secret
from desk import audit, book, decisions, outbox, releases, waiting
from desk.book import DeskBook
from desk.database.connect import open_database
from desk.dispatch import Dispatcher, cover_hash, cover_of
from desk.outbox import Leased
from desk.people import DeskRole, Person
from desk.refusals import Conflict, Refused
from desk.releases import Released
from hustings.clock import VirtualClock
from hustings.codebook import Codebook, load_codebook
from hustings.contracts import AlertChanges, Delivery
from hustings.roster import Person as Listed
from hustings.roster import Roster
from hustings.types import Alert, Assessment, Flag, Notice, NoticeKind, Post, Target

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


def assessment(key: str, *, codes: tuple[str, ...] = (), targets: tuple[str, ...] = (), lang: str = "en") -> Assessment:
    source, _, native_id = key.partition(":")
    post = Post(source=source, native_id=native_id, text="some text", published_at=START, collected_at=START)
    return Assessment(
        post=post,
        lang=lang,
        flags=tuple(Flag(code=code, score=0.9) for code in codes),
        targets=tuple(Target(id=target, role="aimed_at") for target in targets),
    )


class PostsInMemory:
    """`desk.posts.Posts` over a dictionary."""

    def __init__(self) -> None:
        self.by_key: dict[str, Assessment] = {}

    def put(self, *assessments: Assessment) -> None:
        self.by_key |= {each.key: each for each in assessments}

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {key: self.by_key[key] for key in keys if key in self.by_key}


def partner(name: str, **given: Any) -> Partner:
    channels = (ChannelEntry(name="hook", kind="webhook"), ChannelEntry(name="file", kind="file"))
    defaults = {"id": name, "name": name, "tlp": "AMBER", "channels": channels, "pseudonym_key": Secret(value=name)}
    return Partner.model_validate({**defaults, **given})


def person(name: str, role: DeskRole) -> Person:
    return Person(id=name, login=name, pseudonym=f"p-{name}", role=role)


LEAD, OTHER_LEAD = person("lead", "lead"), person("lead-2", "lead")
ANA, BEN = person("ana", "reviewer"), person("ben", "reviewer")


def alert(*kinds: NoticeKind, name: str = "a-1", **given: Any) -> Alert:
    """An alert whose notices are of these kinds, one a minute."""
    notices = tuple(
        Notice(alert=name, kind=kind, key=f"{kind}|{n}", at=START + timedelta(minutes=n), revision=n)
        for n, kind in enumerate(kinds or ("open",), start=1)
    )
    defaults = {
        "id": name,
        "rule": "rule-1",
        "rule_name": "polling-date",
        "rule_version": 1,
        "logic": "l",
        "opening_anchor": START,
        "opened_at": START,
        "last_crossing_at": START,
        "detected_at": START,
        "value": 3.0,
        "evidence": ("f:1",),
        "notices": notices,
        "revision": len(notices),
        "topics": ("voting",),
    }
    return Alert(**{**defaults, **given})


class Office:
    """An open desk with two partners, and `watch` on the other side of the wall."""

    def __init__(self, engine: Engine, clock: VirtualClock, codebook: Codebook, *partners: Partner) -> None:
        self.engine, self.clock, self.codebook = engine, clock, codebook
        self.posts = PostsInMemory()
        self.posts.put(assessment("f:1"))
        self.employ(*partners)

    def employ(self, *partners: Partner) -> None:
        people = (Listed(id="c1", name="Candidate One"), Listed(id="c2", name="Candidate Two"))
        self.dispatcher = Dispatcher(partners, index=self.posts, roster=Roster(people=people))
        self.book = DeskBook(self.engine, self.dispatcher, self.clock)

    def watch(self, *alerts: Alert, epoch: int = 1) -> None:
        notices = tuple(notice for each in alerts for notice in each.notices)
        self.book.record(AlertChanges(alerts=alerts, notices=notices), partition=0, epoch=epoch)

    def page(self, name: str = "a-1") -> str:
        """What the page of an alert shows of whom a release would cover."""
        shown = book.alert(self.engine, name)
        return "" if shown is None else cover_hash(cover_of(shown, self.dispatcher.evidence(shown)))

    def release(
        self, who: Person, *, revision: int = 1, codes: tuple[str, ...] = ("N-PROC-DATE",), seen: str | None = None
    ) -> Released:
        return releases.release(
            self.engine,
            alert_id="a-1",
            revision=revision,
            seen=self.page() if seen is None else seen,
            person=who,
            codes=codes,
            note="",
            dispatcher=self.dispatcher,
            codebook=self.codebook,
            clock=self.clock,
        )

    def retract(self, who: Person, note: str = "it was a test") -> Released:
        return releases.retract(
            self.engine, alert_id="a-1", person=who, note=note, dispatcher=self.dispatcher, clock=self.clock
        )

    def outbox(self) -> list[tuple[str, str, str]]:
        return [(row.route, row.kind, row.state) for row in outbox.of_alert(self.engine, "a-1")]

    def deliver(self, *, dead: str = "") -> list[str]:
        """Send whatever is due, in vain over the route `dead`; returns "route kind" of each."""
        sent = []
        while due := outbox.due_routes(self.engine, clock=self.clock):
            for leased in outbox.lease(self.engine, due, limit=10, clock=self.clock):
                is_dead = f"{leased.message.partner}/{leased.message.channel}" == dead
                done = Delivery(result="dead" if is_dead else "delivered")
                outbox.record(self.engine, leased, done, clock=self.clock, random=lambda: 0.5)
                sent.append(f"{leased.message.partner}/{leased.message.channel} {leased.message.kind}")
        return sent

    def waiting(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(each.alert.id, each.kinds) for each in waiting.page(self.engine).alerts]


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook((files("configs") / "codebook.toml").read_bytes())


@pytest.fixture
def office(desk_url: str, codebook: Codebook) -> Iterator[Office]:
    engine = open_database(desk_url)
    yield Office(engine, VirtualClock(START), codebook, partner("north"))
    engine.dispose()


BOTH_QUEUED = [("north/hook", "open", "queued"), ("north/file", "open", "queued")]


# ── before a decision ────────────────────────────────────────────────────────────────────────────────────────────


def test_alert_without_a_decision_leaves_the_outbox_empty(office: Office) -> None:
    office.watch(alert("open", "escalate"))
    assert office.outbox() == []
    assert office.waiting() == [("a-1", ("open", "escalate"))]
    assert waiting.count(office.engine) == 1


def test_shadow_alert_never_leaves_and_waits_for_nobody(office: Office) -> None:
    office.watch(alert(shadow=True, review="none"))
    assert (office.outbox(), office.waiting()) == ([], [])
    with pytest.raises(Refused, match="in shadow"):
        office.release(LEAD)
    assert office.outbox() == []


def test_unknown_alert_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="no alert 'a-1'"):
        office.release(LEAD)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lead_alone_lets_an_alert_out(office: Office) -> None:
    office.watch(alert())
    done = office.release(LEAD)
    assert (done.state, done.messages, done.withheld) == ("done", 2, {})
    assert office.outbox() == BOTH_QUEUED
    assert office.waiting() == []


def test_reviewer_proposes_and_a_second_person_lets_out(office: Office) -> None:
    office.watch(alert())
    assert office.release(ANA).state == "proposed"
    assert office.outbox() == []
    proposal = waiting.page(office.engine).alerts[0].proposal
    assert proposal is not None
    assert (proposal.proposed_by, proposal.codes) == ("p-ana", ("N-PROC-DATE",))
    done = office.release(BEN, codes=("N-PROC",))
    assert (done.id, done.state, done.messages) == (proposal.id, "done", 2)
    record = decisions.history(office.engine, "a-1")[0]
    assert (record.proposed_by, record.approved_by, record.codes) == ("p-ana", "p-ben", ("N-PROC-DATE", "N-PROC"))


def test_reviewer_is_not_their_own_second_person(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    with pytest.raises(Refused, match="a second person must agree"):
        office.release(ANA)
    assert office.outbox() == []


@pytest.mark.parametrize("role", ["viewer", "engineer", "admin"])
def test_others_may_not_let_out(role: DeskRole, office: Office) -> None:
    office.watch(alert())
    with pytest.raises(Refused, match=f"a {role} may not"):
        office.release(person("x", role))
    assert office.outbox() == []


def test_reviewer_alone_lets_out_a_threat_against_a_named_person_and_a_second_look_is_due(office: Office) -> None:
    office.posts.put(assessment("f:1", codes=("G-THR-KILL",), targets=("c1",)))
    office.watch(alert())
    done = office.release(ANA, codes=("D3",))
    assert done.state == "done"
    assert waiting.overdue(office.engine, clock=office.clock) == []
    office.clock.advance(timedelta(hours=12))
    assert [each.id for each in waiting.overdue(office.engine, clock=office.clock)] == [done.id]
    with pytest.raises(Refused, match="another reviewer's"):
        releases.second_look(office.engine, release_id=done.id, person=ANA, note="", clock=office.clock)
    releases.second_look(office.engine, release_id=done.id, person=BEN, note="agreed", clock=office.clock)
    assert waiting.overdue(office.engine, clock=office.clock) == []


@pytest.mark.parametrize(("who", "still_due"), [(LEAD, []), (ANA, ["a-1"])], ids=["somebody else", "the same person"])
def test_retraction_by_somebody_else_is_the_second_look(who: Person, still_due: list[str], office: Office) -> None:
    office.posts.put(assessment("f:1", codes=("G-THR-KILL",), targets=("c1",)))
    office.watch(alert())
    office.release(ANA, codes=())
    office.clock.advance(timedelta(seconds=10))
    office.deliver()
    office.watch(alert("open", "retract", state="retracted"))
    office.retract(who)
    office.clock.advance(timedelta(hours=12))
    assert [each.alert for each in waiting.overdue(office.engine, clock=office.clock)] == still_due


def test_threat_that_names_nobody_takes_two(office: Office) -> None:
    office.posts.put(assessment("f:1", codes=("A-THREAT",)))
    office.watch(alert())
    assert office.release(ANA).state == "proposed"


@pytest.mark.parametrize("codes", [("H-TOP",), ("N-INCITE",)])
def test_incitement_takes_two_people_even_from_leads(codes: tuple[str, ...], office: Office) -> None:
    office.posts.put(assessment("f:1", codes=("A-THREAT",), targets=("c1",)))
    office.watch(alert())
    assert office.release(LEAD, codes=codes).state == "proposed"
    with pytest.raises(Refused, match="a second person must agree"):
        office.release(LEAD, codes=codes)
    assert office.release(OTHER_LEAD, codes=codes).state == "done"


def test_incitement_that_the_machine_flagged_takes_two_whatever_people_code(office: Office) -> None:
    office.posts.put(assessment("f:1", codes=("N-INCITE",)))
    office.watch(alert())
    assert office.release(LEAD, codes=()).state == "proposed"


@pytest.mark.parametrize("who", [ANA, LEAD], ids=lambda who: who.role)
def test_incitement_that_somebody_proposed_is_not_let_out_by_the_form_without_its_code(
    who: Person, office: Office
) -> None:
    office.posts.put(assessment("f:1", codes=("G-THR-KILL",), targets=("c1",)))
    office.watch(alert())
    assert office.release(who, codes=("N-INCITE",)).state == "proposed"
    with pytest.raises(Refused, match="a second person must agree"):
        office.release(who, codes=())
    assert office.outbox() == []


def test_code_of_a_proposal_holds_for_the_gate_when_the_alert_says_something_else(office: Office) -> None:
    office.watch(alert())
    office.release(ANA, codes=("N-INCITE",))
    office.watch(alert("open", "escalate", severity="high"))
    assert office.release(LEAD, revision=2, codes=()).state == "proposed"
    assert office.release(BEN, revision=2, codes=()).state == "done"
    assert [each.codes for each in decisions.history(office.engine, "a-1")] == [("N-INCITE",), ("N-INCITE",)]


def test_release_by_two_stands_in_the_audit_chain_with_the_codes_and_the_gate_of_both(office: Office) -> None:
    office.watch(alert())
    office.release(ANA, codes=("N-INCITE", "D3"))
    office.release(BEN, codes=("D3", "N-PROC"))
    detail = msgspec.json.decode(audit.latest(office.engine)[0].detail)
    assert (detail["codes"], detail["gate"]) == (["N-INCITE", "D3", "N-PROC"], "incitement")


def test_unknown_code_is_refused(office: Office) -> None:
    office.watch(alert())
    with pytest.raises(Refused, match="no code 'N-PROK'"):
        office.release(LEAD, codes=("N-PROK",))


def test_alert_that_changed_while_it_was_read_is_a_conflict(office: Office) -> None:
    office.watch(alert())
    office.watch(alert("open", "escalate"))
    with pytest.raises(Conflict, match="revision 2, you saw 1"):
        office.release(LEAD, revision=1)


def test_release_of_an_alert_that_names_somebody_who_was_not_on_the_page_is_a_conflict(office: Office) -> None:
    office.posts.put(assessment("f:1", targets=("c1",)), assessment("f:2", targets=("c2",)))
    office.watch(alert())
    page = office.page()
    office.watch(alert(evidence=("f:1", "f:2"), value=4.0))
    with pytest.raises(Conflict, match="whom it names"):
        office.release(LEAD, seen=page)
    assert (office.outbox(), office.waiting()) == ([], [("a-1", ("open",))])
    assert office.release(LEAD, seen=office.page()).state == "done"


def test_post_that_names_nobody_new_changes_nothing_of_what_was_read(office: Office) -> None:
    office.posts.put(assessment("f:1", targets=("c1",)), assessment("f:2", targets=("c1",)))
    office.watch(alert())
    page = office.page()
    office.watch(alert(evidence=("f:1", "f:2"), value=4.0))
    assert office.release(LEAD, seen=page).state == "done"


def test_release_by_two_covers_only_whom_both_have_seen(office: Office) -> None:
    office.posts.put(assessment("f:1", targets=("c1",)), assessment("f:2", targets=("c2",)))
    office.watch(alert(evidence=("f:1", "f:2")))
    office.release(ANA)
    office.watch(alert(evidence=("f:1",)))
    assert office.release(BEN).state == "done"
    office.watch(alert("open", "escalate", evidence=("f:1", "f:2")))
    assert office.waiting() == [("a-1", ("escalate",))]


def test_most_severe_alerts_wait_first_of_these_the_longest_waiting_and_every_page_is_reached(office: Office) -> None:
    for name, severity in (("old", "low"), ("odd", "odd"), ("first", "high"), ("second", "high"), ("new", "critical")):
        office.clock.advance(timedelta(microseconds=1))
        office.watch(alert("open", "escalate", name=name, severity=severity))
    found, after = [], None
    while True:
        page = waiting.page(office.engine, limit=2, after=after)
        found.append([(each.alert.id, each.kinds) for each in page.alerts])
        after = page.next
        if after is None:
            break
    both = ("open", "escalate")
    assert found == [[("new", both), ("first", both)], [("second", both), ("old", both)], [("odd", both)]]


def test_list_of_what_waits_begins_anew_behind_an_alert_that_was_decided(office: Office) -> None:
    office.watch(alert(), alert(name="a-2"))
    page = waiting.page(office.engine, limit=1)
    assert page.next == "a-1"
    office.release(LEAD)
    assert [each.alert.id for each in waiting.page(office.engine, after=page.next).alerts] == ["a-2"]


def test_proposal_ends_when_the_alert_says_something_else(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    office.clock.advance(timedelta(minutes=1))
    office.watch(alert("open", "update", severity="high"))
    assert office.release(BEN, revision=2).state == "proposed"
    assert office.outbox() == []
    assert [each.state for each in decisions.history(office.engine, "a-1")] == ["replaced", "proposed"]


def test_nothing_is_let_out_twice(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    with pytest.raises(Refused, match="nothing of this alert waits"):
        office.release(OTHER_LEAD)
    assert office.outbox() == BOTH_QUEUED


# ── to whom ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tlp": "GREEN"}, "marked AMBER, the partner is cleared to GREEN"),
        ({"topics": ("gendered-abuse",)}, "topics voting, the partner asked for gendered-abuse"),
        ({"targets": ("c2",)}, "not about one of the partner's people"),
        ({"min_severity": "high"}, "severity medium, the partner asked for high and above"),
        ({"languages": ("es",)}, "languages en, the partner reads es"),
    ],
)
def test_partner_whom_it_does_not_concern_is_not_told_and_the_desk_is_told_why(
    settings: dict[str, Any], says: str, office: Office
) -> None:
    office.employ(partner("north"), partner("south", **settings))
    office.posts.put(assessment("f:1", targets=("c1",)))
    office.watch(alert())
    done = office.release(LEAD)
    assert says in done.withheld["south"]
    assert {route for route, _, _ in office.outbox()} == {"north/hook", "north/file"}


def test_release_that_concerns_no_partner_is_recorded(office: Office) -> None:
    office.employ(partner("south", tlp="CLEAR"))
    office.watch(alert())
    assert office.release(LEAD).messages == 0
    assert office.waiting() == []


# ── undo ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_sent_within_the_ten_seconds(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=9, milliseconds=999))
    assert office.deliver() == []
    office.clock.advance(timedelta(milliseconds=1))
    assert office.deliver() == ["north/file open", "north/hook open"]


def test_undone_release_sends_nothing_and_the_alert_waits_again(office: Office) -> None:
    office.watch(alert())
    done = office.release(LEAD)
    office.clock.advance(timedelta(seconds=9))
    with pytest.raises(Refused, match="not a release of yours"):
        releases.undo(office.engine, release_id=done.id, person=ANA, clock=office.clock)
    releases.undo(office.engine, release_id=done.id, person=LEAD, clock=office.clock)
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("open",))]


def test_release_that_was_undone_can_be_made_again_under_the_same_ids(office: Office) -> None:
    office.watch(alert())
    first = office.release(LEAD)
    before = [row.id for row in outbox.of_alert(office.engine, "a-1")]
    releases.undo(office.engine, release_id=first.id, person=LEAD, clock=office.clock)
    office.clock.advance(timedelta(seconds=5))
    assert office.release(LEAD).messages == 2
    assert [row.id for row in outbox.of_alert(office.engine, "a-1")] == before
    office.clock.advance(timedelta(seconds=10))
    assert len(office.deliver()) == 2


def test_undoing_a_second_release_leaves_the_first_one_answered(office: Office) -> None:
    released(office)
    office.watch(alert("open", "update", severity="high"))
    second = office.release(LEAD, revision=2)
    releases.undo(office.engine, release_id=second.id, person=LEAD, clock=office.clock)
    assert office.waiting() == [("a-1", ("update",))]


def test_undo_comes_too_late_after_ten_seconds(office: Office) -> None:
    office.watch(alert())
    done = office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    with pytest.raises(Refused, match="retract the alert instead"):
        releases.undo(office.engine, release_id=done.id, person=LEAD, clock=office.clock)


def test_update_that_follows_a_release_waits_for_its_ten_seconds_too_and_is_undone_with_it(office: Office) -> None:
    released(office)
    office.watch(alert("open", "escalate", severity="critical"))
    second = office.release(LEAD, revision=2)
    office.clock.advance(timedelta(seconds=3))
    office.watch(alert("open", "escalate", "update", severity="critical"))
    office.clock.advance(timedelta(seconds=6))
    assert office.deliver() == []
    releases.undo(office.engine, release_id=second.id, person=LEAD, clock=office.clock)
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("escalate", "update"))]


def test_partner_whom_an_alert_comes_to_concern_within_the_ten_seconds_is_told_after_them(office: Office) -> None:
    office.employ(partner("north"), partner("lingua", languages=("fr",)))
    office.watch(alert())
    office.release(LEAD)
    office.posts.put(assessment("f:2", lang="fr"))
    office.clock.advance(timedelta(seconds=3))
    office.watch(alert("open", "escalate", evidence=("f:1", "f:2")))
    office.clock.advance(timedelta(seconds=6, milliseconds=999))
    assert office.deliver() == []
    office.clock.advance(timedelta(milliseconds=1))
    assert "lingua/hook escalate" in office.deliver()


def test_release_of_which_something_is_being_sent_is_not_undone(office: Office) -> None:
    office.watch(alert())
    done = office.release(LEAD)
    ahead = VirtualClock(office.clock.now() + timedelta(seconds=10))
    assert len(outbox.lease(office.engine, {"north/hook"}, limit=1, clock=ahead)) == 1
    with pytest.raises(Refused, match="being sent already; retract"):
        releases.undo(office.engine, release_id=done.id, person=LEAD, clock=office.clock)
    assert office.outbox() == [("north/hook", "open", "sending"), ("north/file", "open", "queued")]
    assert office.waiting() == []


# ── what follows by itself ───────────────────────────────────────────────────────────────────────────────────────


def released(office: Office, *first: NoticeKind, dead: str = "", **given: Any) -> None:
    """An alert that was let out and delivered, in vain over the route `dead`."""
    office.watch(alert(*first, **given))
    office.release(LEAD, revision=max(1, len(first)))
    office.clock.advance(timedelta(seconds=10))
    office.deliver(dead=dead)


def in_hand(office: Office) -> Leased:
    """The message of an alert that was let out, under its lease over one route."""
    office.watch(alert())
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    return outbox.lease(office.engine, {"north/hook"}, limit=1, clock=office.clock)[0]


@pytest.mark.parametrize("kind", ["escalate", "renotify", "reopen", "resolve", "update", "merge"])
def test_later_notice_of_a_released_alert_goes_out_by_itself(kind: NoticeKind, office: Office) -> None:
    released(office)
    office.watch(alert("open", kind))
    assert office.deliver() == [f"north/file {kind}", f"north/hook {kind}"]
    assert office.waiting() == []


@pytest.mark.parametrize("change", [{"severity": "high"}, {"tlp": "GREEN"}, {"group": (("aimed_at", "c2"),)}])
def test_change_of_severity_marking_or_people_waits_for_a_new_release(change: dict[str, Any], office: Office) -> None:
    released(office)
    office.watch(alert("open", "update", **change))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("update",))]
    office.release(LEAD, revision=2)
    office.clock.advance(timedelta(seconds=10))
    assert office.deliver() == ["north/file update", "north/hook update"]


def test_post_that_names_somebody_new_needs_a_new_release(office: Office) -> None:
    office.posts.put(assessment("f:1", targets=("c1",)), assessment("f:2", targets=("c2",)))
    released(office)
    office.watch(alert("open", "escalate", evidence=("f:1", "f:2")))
    assert office.waiting() == [("a-1", ("escalate",))]


def test_fewer_people_than_were_let_out_need_no_new_release(office: Office) -> None:
    office.posts.put(assessment("f:1", targets=("c1",)), assessment("f:2", targets=("c2",)))
    released(office, evidence=("f:1", "f:2"))
    office.watch(alert("open", "escalate", evidence=("f:1",)))
    assert office.waiting() == []


def test_notices_before_the_release_become_one_message_with_the_present_state(office: Office) -> None:
    office.watch(alert("open"))
    office.watch(alert("open", "escalate", value=60.0))
    office.watch(alert("open", "escalate", "resolve", state="resolved", resolved_at=START, value=60.0))
    office.release(LEAD, revision=3)
    assert office.outbox() == BOTH_QUEUED


def test_unsent_update_is_superseded_by_the_next_one(office: Office) -> None:
    released(office)
    office.watch(alert("open", "escalate"))
    office.watch(alert("open", "escalate", "renotify"))
    assert office.outbox()[2:] == [
        ("north/hook", "escalate", "cancelled"),
        ("north/file", "escalate", "cancelled"),
        ("north/hook", "renotify", "queued"),
        ("north/file", "renotify", "queued"),
    ]


def test_watch_doing_its_work_again_changes_nothing_that_people_did(office: Office) -> None:
    released(office)
    before = (office.outbox(), decisions.history(office.engine, "a-1"))
    office.watch(alert())
    office.watch(alert(), epoch=7)
    assert (office.outbox(), decisions.history(office.engine, "a-1")) == before
    assert office.waiting() == []


def test_rule_that_names_nobody_lets_out_by_itself_and_says_so(office: Office) -> None:
    office.watch(alert(review="none"))
    office.watch(alert(review="none"))
    assert office.outbox() == BOTH_QUEUED
    assert office.deliver() == ["north/file open", "north/hook open"]
    record = decisions.history(office.engine, "a-1")
    assert [(each.proposed_by, each.state) for each in record] == [("rule", "done")]
    assert [row.action for row in audit.latest(office.engine)] == ["release-by-rule"]
    assert book.released_alerts(office.engine).alerts == (alert(review="none"),)


def test_later_notice_of_a_rule_that_names_nobody_goes_out_whatever_changed(office: Office) -> None:
    office.watch(alert(review="none"))
    office.deliver()
    office.watch(alert("open", "update", review="none", severity="high"))
    assert office.deliver() == ["north/file update", "north/hook update"]


def test_end_of_an_alert_that_nobody_was_told_of_asks_nobody(office: Office) -> None:
    office.watch(alert())
    releases.decline(office.engine, alert_id="a-1", revision=1, person=LEAD, note="", clock=office.clock)
    office.watch(alert("open", "resolve", state="resolved", resolved_at=START))
    assert (office.outbox(), office.waiting()) == ([], [])


def test_partner_that_came_later_is_not_told_of_the_end_of_what_it_never_heard_of(office: Office) -> None:
    released(office)
    office.employ(partner("north"), partner("south"))
    office.watch(alert("open", "resolve", state="resolved", resolved_at=START))
    assert office.deliver() == ["north/file resolve", "north/hook resolve"]


def test_partner_that_came_later_first_hears_of_the_opening(office: Office) -> None:
    released(office)
    office.employ(partner("north"), partner("south"))
    office.watch(alert("open", "update", severity="high"))
    office.release(LEAD, revision=2)
    office.clock.advance(timedelta(seconds=10))
    assert sorted(office.deliver()) == [
        "north/file update",
        "north/hook update",
        "south/file open",
        "south/hook open",
    ]


# ── decline and retract ──────────────────────────────────────────────────────────────────────────────────────────


def test_declined_alert_stays_in_the_house_until_something_new_comes(office: Office) -> None:
    office.watch(alert())
    releases.decline(office.engine, alert_id="a-1", revision=1, person=ANA, note="satire", clock=office.clock)
    assert (office.outbox(), office.waiting()) == ([], [])
    office.watch(alert("open", "escalate"))
    assert office.waiting() == [("a-1", ("escalate",))]


def test_only_a_lead_declines_the_update_of_something_sent(office: Office) -> None:
    released(office)
    office.watch(alert("open", "update", severity="high"))
    with pytest.raises(Refused, match="only a lead may decline"):
        releases.decline(office.engine, alert_id="a-1", revision=2, person=ANA, note="", clock=office.clock)


def test_after_a_declined_update_nothing_more_goes_out_by_itself(office: Office) -> None:
    released(office)
    office.watch(alert("open", "update", severity="high"))
    releases.decline(office.engine, alert_id="a-1", revision=2, person=LEAD, note="", clock=office.clock)
    office.watch(alert("open", "update", "escalate", severity="high"))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("escalate",))]


def retracted(*before: NoticeKind) -> Alert:
    return alert(*(before or ("open",)), "retract", state="retracted", evidence=())


def test_alert_withdrawn_before_its_release_waits_for_nobody(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    office.watch(retracted())
    assert (office.outbox(), office.waiting()) == ([], [])
    with pytest.raises(Refused, match="was retracted"):
        office.release(LEAD, revision=2)


def test_unsent_rows_of_a_withdrawn_alert_are_cancelled_and_nobody_is_told(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    office.watch(retracted())
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []
    assert {state for _, _, state in office.outbox()} == {"cancelled"}
    assert office.waiting() == []


def test_what_was_sent_is_retracted_only_after_a_person_confirms(office: Office) -> None:
    released(office)
    office.watch(retracted())
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("retract",))]
    done = office.retract(ANA)
    assert (done.messages, done.unreachable) == (2, ())
    assert office.deliver() == ["north/file retract", "north/hook retract"]
    assert office.waiting() == []


def test_alert_of_a_rule_that_names_nobody_is_retracted_only_after_a_person_confirms(office: Office) -> None:
    office.watch(alert(review="none"))
    office.deliver()
    office.watch(msgspec.structs.replace(retracted(), review="none"))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("retract",))]


def test_lead_retracts_what_people_found_to_be_wrong(office: Office) -> None:
    released(office)
    with pytest.raises(Refused, match="only a lead"):
        office.retract(ANA)
    office.retract(LEAD, note="the notice was real")
    assert office.deliver() == ["north/file retract", "north/hook retract"]
    office.watch(alert("open", "escalate"))
    assert office.deliver() == []


def test_after_a_leads_retraction_a_rule_that_names_nobody_sends_nothing_more_by_itself(office: Office) -> None:
    office.watch(alert(review="none"))
    office.deliver()
    office.retract(LEAD)
    office.deliver()
    office.watch(alert("open", "escalate", review="none"))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("escalate",))]
    office.release(LEAD, revision=2)
    office.clock.advance(timedelta(seconds=10))
    assert office.deliver() == ["north/file escalate", "north/hook escalate"]


@pytest.mark.parametrize("first", ["queued", "delivered"])
def test_retraction_that_is_sent_twice_tells_everybody_once(first: str, office: Office) -> None:
    released(office)
    office.retract(LEAD)
    heard = office.deliver() if first == "delivered" else []
    office.clock.advance(timedelta(seconds=5))
    with pytest.raises(Refused, match="retracted already"):
        office.retract(LEAD)
    assert [*heard, *office.deliver()] == ["north/file retract", "north/hook retract"]
    assert [each.action for each in decisions.history(office.engine, "a-1")] == ["release", "retract"]


def test_retraction_that_died_over_a_route_is_made_anew_for_that_route_alone(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.deliver(dead="north/hook")
    assert office.retract(LEAD).messages == 1
    assert office.deliver() == ["north/hook retract"]


def test_alert_that_was_let_out_again_is_retracted_again_for_everybody(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.deliver()
    office.watch(alert("open", "escalate"))
    office.release(LEAD, revision=2)
    office.clock.advance(timedelta(seconds=10))
    office.deliver()
    assert office.retract(LEAD).messages == 2
    assert office.deliver() == ["north/file retract", "north/hook retract"]


def test_release_after_a_retraction_is_stopped_before_anybody_hears_and_nobody_is_told_twice(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.deliver()
    office.watch(alert("open", "escalate"))
    office.release(LEAD, revision=2)
    assert office.retract(OTHER_LEAD).messages == 0
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []


def test_what_a_lead_retracted_asks_nobody_when_the_machine_withdraws_it_too(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.watch(retracted())
    assert office.waiting() == []
    assert office.deliver() == ["north/file retract", "north/hook retract"]


def test_correction_that_is_on_its_way_is_not_stopped_when_the_alert_comes_and_goes(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.watch(alert("open", "retract", "reopen"))
    assert office.deliver() == ["north/file retract", "north/hook retract"]


def test_withdrawal_that_waits_is_answered_though_its_correction_was_sent_again_meanwhile(office: Office) -> None:
    released(office)
    office.retract(LEAD)
    office.deliver(dead="north/hook")
    office.watch(retracted())
    assert office.waiting() == [("a-1", ("retract",))]
    (dead,) = [row.id for row in outbox.of_alert(office.engine, "a-1") if row.state == "dead"]
    outbox.requeue(office.engine, row_id=dead, by=LEAD, clock=office.clock)
    assert office.retract(ANA).messages == 0
    assert office.waiting() == []
    assert office.deliver() == ["north/hook retract"]


def test_correction_reaches_everybody_who_was_told_whatever_the_filters_say_now(office: Office) -> None:
    released(office)
    office.employ(partner("north", topics=("other",)), partner("south"))
    assert office.retract(LEAD).messages == 2
    assert office.deliver() == ["north/file retract", "north/hook retract"]


def test_correction_names_who_cannot_be_reached_any_more(office: Office) -> None:
    released(office)
    office.employ(partner("south"))
    assert office.retract(LEAD).unreachable == ("north/file", "north/hook")


def test_retracting_what_nobody_was_told_of_is_refused(office: Office) -> None:
    office.watch(alert())
    with pytest.raises(Refused, match="decline it instead"):
        office.retract(LEAD)


def test_release_that_no_route_has_tried_yet_is_stopped_by_a_lead_and_nobody_is_told(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    office.clock.advance(timedelta(minutes=5))
    with pytest.raises(Refused, match="only a lead"):
        office.retract(ANA)
    assert office.retract(OTHER_LEAD).messages == 0
    assert office.outbox() == [("north/hook", "open", "cancelled"), ("north/file", "open", "cancelled")]
    office.watch(alert("open", "escalate"))
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []
    assert office.waiting() == [("a-1", ("escalate",))]


def test_another_lead_stops_a_release_within_its_ten_seconds(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    assert office.retract(OTHER_LEAD).messages == 0
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []


def test_release_that_concerned_nobody_is_stopped_before_it_concerns_somebody(office: Office) -> None:
    office.employ()
    office.watch(alert())
    office.release(LEAD)
    office.retract(LEAD)
    office.employ(partner("north"))
    office.watch(alert("open", "escalate"))
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == []


def test_who_may_have_been_told_before_a_delivery_was_sent_again_is_told_of_the_retraction(office: Office) -> None:
    office.employ(partner("north", channels=(ChannelEntry(name="hook", kind="webhook"),)))
    office.watch(alert())
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    office.deliver(dead="north/hook")
    outbox.requeue(office.engine, row_id=outbox.of_alert(office.engine, "a-1")[0].id, by=LEAD, clock=office.clock)
    assert office.retract(LEAD).messages == 1
    assert office.deliver() == ["north/hook retract"]
    assert office.outbox() == [("north/hook", "open", "cancelled"), ("north/hook", "retract", "delivered")]


def test_dead_delivery_of_a_retracted_alert_is_not_sent_again(office: Office) -> None:
    released(office, dead="north/hook")
    office.clock.advance(timedelta(minutes=1))
    office.retract(LEAD)
    assert office.deliver(dead="north/hook") == ["north/file retract", "north/hook retract"]
    opening, _, correction, _ = outbox.of_alert(office.engine, "a-1")
    assert (opening.state, opening.can_go_again) == ("dead", False)
    with pytest.raises(Refused, match="was retracted"):
        outbox.requeue(office.engine, row_id=opening.id, by=LEAD, clock=office.clock)
    assert (correction.state, correction.can_go_again) == ("dead", True)
    outbox.requeue(office.engine, row_id=correction.id, by=LEAD, clock=office.clock)
    assert office.deliver() == ["north/hook retract"]


def test_dead_delivery_of_an_alert_that_the_machine_withdrew_is_not_sent_again(office: Office) -> None:
    released(office, dead="north/hook")
    office.watch(retracted())
    with pytest.raises(Refused, match="was retracted"):
        outbox.requeue(office.engine, row_id=outbox.of_alert(office.engine, "a-1")[0].id, by=LEAD, clock=office.clock)


def test_dead_delivery_is_not_sent_again_behind_a_later_one_of_the_same_alert_and_route(office: Office) -> None:
    released(office, dead="north/hook")
    office.watch(alert("open", "escalate"))
    with pytest.raises(Refused, match="said more over this route"):
        outbox.requeue(office.engine, row_id=outbox.of_alert(office.engine, "a-1")[0].id, by=LEAD, clock=office.clock)


@pytest.mark.parametrize("by", ["a person", "the machine"])
def test_message_that_fails_while_its_alert_is_retracted_is_not_tried_again(by: str, office: Office) -> None:
    underway = in_hand(office)
    office.clock.advance(timedelta(seconds=1))
    if by == "the machine":
        office.watch(retracted())
    office.retract(LEAD)
    outbox.record(office.engine, underway, Delivery(result="retry"), clock=office.clock, random=lambda: 0.5)
    assert office.deliver() == ["north/hook retract"]
    assert office.outbox()[0] == ("north/hook", "open", "cancelled")


@pytest.mark.parametrize("ends", ["put back", "never heard of again"])
def test_message_of_a_retracted_alert_that_nobody_sent_under_its_lease_is_not_sent(ends: str, office: Office) -> None:
    underway = in_hand(office)
    assert not outbox.is_withdrawn(office.engine, underway)
    office.clock.advance(timedelta(seconds=1))
    office.retract(LEAD)
    assert outbox.is_withdrawn(office.engine, underway)
    if ends == "put back":
        outbox.put_back(office.engine, underway, clock=office.clock)
    office.clock.advance(outbox.LEASE)
    assert office.deliver() == ["north/hook retract"]


def test_route_whose_message_a_retraction_cut_short_hears_that_the_alert_stands_again(office: Office) -> None:
    office.watch(alert())
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    for underway in outbox.lease(office.engine, {"north/hook", "north/file"}, limit=1, clock=office.clock):
        outbox.record(office.engine, underway, Delivery(result="retry"), clock=office.clock, random=lambda: 0.5)
    office.watch(retracted())
    office.watch(alert("open", "retract", "reopen", severity="high"))
    office.release(LEAD, revision=3)
    office.clock.advance(timedelta(days=1))
    assert office.deliver() == ["north/file reopen", "north/hook reopen"]


def test_correction_is_marked_as_the_message_that_it_corrects(office: Office) -> None:
    released(office)
    office.watch(alert("open", "update", tlp="RED"))
    office.retract(LEAD)
    rows = outbox.of_alert(office.engine, "a-1")
    assert {row.tlp for row in rows if row.kind == "retract"} == {"AMBER"}


# ── what a release leaves behind ─────────────────────────────────────────────────────────────────────────────────


def test_every_decision_leaves_one_row_in_the_audit_chain(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    office.release(BEN)
    office.clock.advance(timedelta(seconds=10))
    office.deliver()
    office.retract(LEAD)
    assert [(row.actor, row.action) for row in audit.latest(office.engine)] == [
        ("p-lead", "retract"),
        ("p-ben", "release"),
        ("p-ana", "release-proposed"),
    ]
    assert audit.verify(office.engine) == 3


def test_message_says_roles_and_time_and_never_who(office: Office) -> None:
    office.watch(alert())
    office.release(ANA)
    office.clock.advance(timedelta(minutes=1))
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    leased = outbox.lease(office.engine, {"north/hook"}, limit=1, clock=office.clock)
    body = msgspec.json.decode(leased[0].message.body)
    assert body["decision"] == {
        "by": "person",
        "roles": ["reviewer", "lead"],
        "codes": ["N-PROC-DATE"],
        "at": "2026-10-01T12:01:00Z",
    }
    assert b"p-ana" not in leased[0].message.body
    assert b"p-lead" not in leased[0].message.body


def test_desk_finds_the_post_behind_a_reference_that_a_partner_quotes(office: Office) -> None:
    told = alert(evidence=("net:did:plc:abc/1", "net:2"))
    office.posts.put(assessment("net:did:plc:abc/1"))
    office.watch(told)
    office.release(LEAD)
    office.clock.advance(timedelta(seconds=10))
    sent = outbox.lease(office.engine, {"north/hook"}, limit=1, clock=office.clock)[0].message
    shown = [each["key"] for each in msgspec.json.decode(sent.body)["evidence"]]
    assert [office.dispatcher.resolve(key, partner="north", alert=told) for key in shown] == list(told.evidence)
    assert office.dispatcher.resolve("net:ref-none", partner="north", alert=told) is None
    assert office.dispatcher.resolve("net:2", partner="south", alert=told) is None
