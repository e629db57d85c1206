"""What partners read: the message, its redaction, and that no marking goes above a partner's ceiling."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from alerts.folded import one_line
from alerts.markings import SEVERITIES, TLP, parse_tlp, severity_at_least, tlp_within
from alerts.messages import DIGEST_LENGTH, Decision, outbox_id, render
from alerts.partners import ChannelEntry, Partner, Redaction, Scope, reason_to_withhold, scope_of
from alerts.redaction import WITHHELD, Redactor, defang, shorten
from alerts.secrets import Secret
from hustings.contracts import Message
from hustings.errors import ConfigError
from hustings.roster import Person, Roster
from hustings.types import Alert, Assessment, Flag, Notice, Post, Span, Target

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
ROSTER = Roster(people=(Person(id="c1", name="Candidate One", handles=("net:candidate_one",)),))
DECISION = Decision(roles=("reviewer", "lead"), codes=("G-THR-KILL",), at=START + timedelta(minutes=7))
NOTICE = Notice(alert="a-1", kind="open", key="open|1", at=START, revision=1)


def partner(**given: Any) -> Partner:
    defaults = {
        "id": "north",
        "name": "Northern Network",
        "tlp": "AMBER",
        "channels": (ChannelEntry(name="hook", kind="webhook"),),
        "pseudonym_key": Secret(value="key of north"),
        "support_contact": "Helpline 0800",
    }
    return Partner.model_validate({**defaults, **given})


def post(text: str, *, native_id: str = "1", **given: Any) -> Post:
    defaults = {"source": "net", "native_id": native_id, "published_at": START, "collected_at": START, "lang": "en"}
    return Post(text=text, **{**defaults, **given})


def threat() -> Assessment:
    text = "@some_private You scum @candidate_one, see https://forum.example/u/some_private/9 or mail x@y.example"
    flag = Flag(
        code="G-THR-KILL",
        score=0.91234,
        threshold=0.8,
        classifier="abuse-en@3",
        spans=(Span(start=text.index("scum"), end=text.index("scum") + 4),),
    )
    return Assessment(
        post=post(text, author="k3yedpseudonym", url="https://net.example/@some_private/1"),
        lang="en",
        flags=(flag,),
        targets=(Target(id="c1", role="aimed_at"),),
    )


def alert(**given: Any) -> Alert:
    defaults = {
        "id": "a-1",
        "rule": "5e0b7c1e",
        "rule_name": "gendered-abuse-pile-on",
        "rule_version": 3,
        "logic": "l",
        "group": (("aimed_at", "c1"),),
        "opening_anchor": START,
        "opened_at": START,
        "last_crossing_at": START + timedelta(minutes=4),
        "detected_at": START + timedelta(minutes=5),
        "value": 12.0,
        "reason": {"condition": "distinct author >= 12", "window_s": 3600},
        "evidence": ("net:1", "net:2"),
        "severity": "high",
        "topics": ("gendered-abuse",),
    }
    return Alert(**{**defaults, **given})


def made(given_alert: Alert | None = None, to: Partner | None = None, *posts: Assessment, **given: Any) -> Message:
    asked: dict[str, Any] = {"roster": ROSTER, "now": START, "decision": DECISION, **given}
    shown = posts or (threat(),)
    return render(given_alert or alert(), asked.pop("notice", NOTICE), to or partner(), "hook", shown, **asked)


def body(message: Message) -> dict[str, Any]:
    return dict(json.loads(message.body))


# ── golden texts ─────────────────────────────────────────────────────────────────────────────────────────────────


def silence() -> Message:
    quiet = alert(
        id="a-2",
        rule_name="sources-silent",
        group=(),
        value=0.0,
        review="none",
        tlp="CLEAR",
        topics=("access",),
        severity="medium",
        reason={},
        evidence=(),
        state="resolved",
        resolved_at=START + timedelta(hours=2),
    )
    over = Notice(alert="a-2", kind="resolve", key="resolve", at=START + timedelta(hours=2), revision=2)
    return render(quiet, over, partner(), "hook", (), roster=ROSTER, now=START, decision=None)


def retraction() -> Message:
    gone = alert(state="retracted", revision=2, evidence=())
    notice = Notice(alert="a-1", kind="retract", key="retract", at=START + timedelta(hours=1), revision=2)
    return render(
        gone,
        notice,
        partner(),
        "hook",
        (),
        roster=ROSTER,
        now=START,
        decision=Decision(roles=("lead",), codes=(), at=START + timedelta(hours=1)),
        note="The posts quoted a play; see https://theatre.example/programme",
    )


@pytest.mark.parametrize(
    ("name", "message"), [("threat", made), ("silence", silence), ("retraction", retraction)], ids=lambda x: str(x)[:10]
)
def test_message_reads_as_agreed(name: str, message: Callable[[], Message], golden: Callable[[str, str], None]) -> None:
    rendered = message()
    golden(f"alert-message-{name}.txt", f"{rendered.title}\n---\n{rendered.text}\n")
    golden(f"alert-message-{name}.json", json.dumps(body(rendered), indent=2, ensure_ascii=False) + "\n")


def test_documentation_names_every_key() -> None:
    page = (Path(__file__).parent.parent / "docs" / "alert-message.md").read_text()
    message = body(made())
    named = set(re.findall(r"`([a-z_0-9]+)`", page))
    assert set(re.findall(r"^\| `([a-z_]+)`", page, re.MULTILINE)) == message.keys()
    assert named >= {*message["evidence"][0], *message["times"], *message["rule"], *message["decision"]}


# ── the message ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_id_is_of_alert_notice_partner_and_channel_alone() -> None:
    assert made().id == outbox_id(alert(), NOTICE, "north", "hook") == made(alert(value=99.0), now=START).id
    others = {
        outbox_id(alert(), NOTICE, "north", "file"),
        outbox_id(alert(), NOTICE, "south", "hook"),
        outbox_id(alert(id="a-9"), NOTICE, "north", "hook"),
        outbox_id(alert(), replace(NOTICE, key="open|2"), "north", "hook"),
    }
    assert len(others | {made().id}) == 5


def test_same_input_gives_the_same_bytes() -> None:
    assert made() == made()


def test_excerpt_is_as_the_partner_wants_it() -> None:
    long = Assessment(post=post("word " * 100), lang="en")
    by_profile = {
        excerpt: body(made(None, partner(redaction=Redaction(excerpt=excerpt)), long))["evidence"][0]["excerpt"]
        for excerpt in ("none", "short", "full")
    }
    assert by_profile["none"] == ""
    assert len(by_profile["short"]) <= 140
    assert by_profile["short"].endswith("…")
    assert by_profile["full"] == ("word " * 100).strip()


def test_support_contact_stands_on_threats_only() -> None:
    assert body(made())["support"] == "Helpline 0800"
    assert "Helpline 0800" in made().text
    calm = Assessment(post=post("hello"), flags=(Flag(code="N-PROC", score=0.9),))
    message = made(None, None, calm, decision=replace(DECISION, codes=("N-PROC",)))
    assert body(message)["support"] == ""
    assert "Helpline 0800" not in message.text


@pytest.mark.parametrize("code", ["G-THR-KILL", "A-THREAT", "D3", "D4"])
def test_support_contact_stands_where_people_or_the_rule_say_threat(code: str) -> None:
    calm = Assessment(post=post("hello"))
    by_person = made(None, None, calm, decision=replace(DECISION, codes=(code,)))
    by_rule = made(alert(group=(("flag", code),)), None, calm, decision=replace(DECISION, codes=()))
    for message in (by_person, by_rule):
        assert body(message)["support"] == "Helpline 0800"
        assert "Support: Helpline 0800" in message.text.splitlines()


@given(
    st.integers(0, 40),
    st.text(alphabet="abc 0123456789+", min_size=1, max_size=200).filter(str.strip),
    st.text(alphabet="ab c", max_size=300),
)
def test_support_contact_is_whole_in_the_text_however_much_else_there_is(number: int, contact: str, name: str) -> None:
    flags = tuple(Flag(code=f"N-CODE-{code}", score=0.9) for code in range(number))
    post_of_many = replace(threat(), flags=(*threat().flags, *flags))
    message = made(alert(rule_name=name), partner(support_contact=contact), post_of_many)
    assert message.text.splitlines()[1] == f"Support: {' '.join(contact.split())}"
    assert len(message.text) <= DIGEST_LENGTH


def test_codes_give_way_where_the_text_is_long() -> None:
    flags = tuple(Flag(code=f"N-CODE-{code:02}", score=0.9) for code in range(40))
    message = made(None, None, Assessment(post=post("hello"), flags=flags))
    assert re.search(r"codes N-CODE-00, .* and \d+ more\.$", message.text, re.MULTILINE)
    assert message.text.endswith("Alert a-1, revision 1.")
    assert len(body(message)["codes"]) == 40


def test_evidence_beyond_twenty_posts_is_counted() -> None:
    message = body(made(alert(evidence=tuple(f"net:{n}" for n in range(50)))))
    assert (len(message["evidence"]), message["evidence_count"], message["evidence_left_out"]) == (20, 50, 30)


def test_post_that_is_not_known_any_more_leaves_its_key() -> None:
    assert body(made())["evidence"][1] == {"key": "net:2"}


HOSTILE = "x\r\nBcc: all@example.org\x00\u202egnp.exe\u2028" + "ü" * 500


def test_hostile_rule_name_or_group_cannot_break_a_header() -> None:
    message = made(alert(rule_name=HOSTILE, group=(("hashtag", HOSTILE), ("author", HOSTILE))))
    assert len(message.title) <= 160
    assert message.title.isprintable()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\u2028]", message.text)


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=300))
def test_any_text_gives_a_message_within_its_limits(text: str, group: str, note: str) -> None:
    posts = (Assessment(post=post(text.encode("utf-8", "ignore").decode())),)
    group = group.encode("utf-8", "ignore").decode()
    note = note.encode("utf-8", "ignore").decode()
    message = made(alert(group=(("hashtag", group),)), None, *posts, note=note)
    assert len(message.text) <= DIGEST_LENGTH
    assert message.title == one_line(message.title)
    assert message.body.count(b"\n") == 0
    assert json.loads(message.body)["title"] == message.title


def test_what_a_person_retracts_is_retracted_in_the_body_too() -> None:
    notice = replace(NOTICE, kind="retract")
    assert body(made(alert(state="open"), notice=notice))["state"] == "retracted"


def test_the_post_that_a_retraction_names_is_a_reference() -> None:
    gone = alert(state="retracted", reason={"code": "withdrawn", "post": "net:some_private/123"}, evidence=())
    message = made(gone, notice=replace(NOTICE, kind="retract"))
    assert body(message)["reason"]["code"] == "withdrawn"
    assert body(message)["reason"]["post"] == Redactor(key="key of north", roster=ROSTER, mask_slurs=True).key(
        "net:some_private/123"
    )
    assert b"some_private" not in made(gone, None, Assessment(post=post("hello"))).body


def test_ids_of_stories_in_a_group_are_no_telephone_numbers() -> None:
    group = (("story", "a1b2345678901c"), ("claim", "c-20261001123"))
    assert body(made(alert(group=group)))["group"] == dict(group)


# ── redaction ────────────────────────────────────────────────────────────────────────────────────────────────────


def redactor(key: str = "key", *, mask_slurs: bool = True) -> Redactor:
    return Redactor(key=key, roster=ROSTER, mask_slurs=mask_slurs)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("hi @some_private!", "some_private"),
        ("hi ＠some_private!", "some_private"),
        ("by @some.private@inst.example", "some"),
        ("see u/some_private", "some_private"),
        ("see /u/some_private", "some_private"),
        ("https://net.example/@some_private/1", "some_private"),
        ("http://net.example/some_private?x=1", "some_private"),
        ("net.example/some_private", "some_private"),
        ("www.some-blog.example/some_private", "some_private"),
        ("did:plc:abcdefg123", "abcdefg123"),
        ("write to some.private+x@mail.example", "some.private"),
        ("call +49 (0)170 123 45 67 now", "123"),
        ("call 0170-1234567", "1234567"),
        ("RT@some_private ok", "some_private"),
        ("ดู@some_private เลย", "some_private"),
        ("看@some_private吧", "some_private"),
        ("看u/some_private吧", "some_private"),
        ("@नरेंद्र_मोदी लिखा", "मोदी"),
        ("@\u2068some_private\u2069", "some_private"),
        ("@ some_private", "some_private"),
        ("@" + "a" * 100, "aaa"),
        ("@some_private:net.example", "net"),
        ("some_private.bsky.social", "some_private"),
        ("看some_private.bsky.social吧", "some_private"),
        ("https://some_private.bsky.social/x", "some_private"),
        ("https://net.example/o'some_private", "some_private"),
        ("tg://resolve?domain=some_private", "some_private"),
        ("skype:some_private?chat", "some_private"),
        ("net.example:8443/some_private", "some_private"),
        ("net.example?u=some_private", "some_private"),
        ("net.xn--p1ai/some_private", "some_private"),
        ("net[.]example/some_private", "some_private"),
        ("192.168.1.10/some_private", "some_private"),
        ("ｈｔｔｐｓ：／／net．example／some_private", "some_private"),
        ("发到some_private@mail.example吧", "some_private"),
        ("o'some_private@mail.example", "o'"),
        ("some_private@mail", "some_private"),
        ("some_private(at)mail", "some_private"),
        ("some_private [at] mail [dot] example", "dot"),
        ("call 0170/1234567", "123"),
        ("call 0170 - 123 4567", "123"),
        ("call 0170‑1234567", "123"),
        ("call 0170–1234567", "123"),
        ("call 0170       1234567", "123"),
        ("call 0\u200b1\u200b7\u200b0\u200b1\u200b2\u200b3\u200b4", "1"),
        ("打0170-1234567吧", "123"),
        ("tel0170-1234567now", "123"),
        ("٠١٧٠-١٢٣٤٥٦٧", "١٢٣"),
        ("০১৭০-১২৩৪৫৬৭", "১২৩"),
        ("0️⃣1️⃣7️⃣0️⃣1️⃣2️⃣3️⃣", "1"),
        ("01.70.12.34.56", "12"),
        ("06.12.10.34.56", "12"),
        ("612 345 678", "345"),
        ("555-0100", "0100"),
        ("DE89 3704 0044 0532 0130 00", "3704"),
    ],
)
def test_what_names_a_private_account_or_reaches_a_person_goes(text: str, gone: str) -> None:
    assert gone not in redactor().words(text, source="net")


@pytest.mark.parametrize(
    "text",
    [
        "at 10:30 on 2026-10-01",
        "on 01.10.2026",
        "12.-14.10.2026",
        "01.10.2026-05.10.2026",
        "2026-10-01 10:30:00",
        "٢٠٢٦-١٠-٠١",
        "01.10.26 12:30",
        "10:30-12:00 and 13:00–14:00",
        "8.00-18.00",
        "2016-2020",
        "in 2022. 2026 too",
        "won 12-14, then 13–15",
        "1-0 2-1 3-0",
        "3 of 12 posts",
        "votes: 12.345.678",
        "1 234 567 votes",
        "1500000 votes",
        "10000-15000 people",
        "100.000 - 200.000",
        "€ 1.500.000 or $1,500,000.00",
        "1'234'567.50 CHF",
        "50 %",
        "50% 45% 12% 30%",
        "61.4 % (2021: 58.9 %), in 2017 57.3 %",
        "you/me and/or 24/7",
        "a rally @ Town Hall @ 5 pm",
        "النص العربي",
        "投票",
    ],
)
def test_harmless_text_stays_readable(text: str) -> None:
    assert redactor().words(text) == text


def test_listed_handle_stays_and_only_on_its_own_platform() -> None:
    assert redactor().words("hi @candidate_one", source="net") == "hi @candidate_one"
    assert redactor().words("hi @\u2068candidate_one\u2069", source="net") == "hi @candidate_one"
    assert "candidate_one" not in redactor().words("hi @candidate_one", source="elsewhere")


def test_pseudonyms_are_stable_for_a_partner_and_differ_between_partners() -> None:
    one, other = redactor("one"), redactor("other")
    assert one.words("@Some_Private") == one.words("@some_private") != other.words("@some_private")
    assert one.words("@some_private") == one.words("＠some\u200b_private") == one.words("@some_private吧")
    assert one.author("k3yed") != other.author("k3yed")
    assert one.author("c1") == other.author("c1") == "Candidate One"
    assert one.author("") == ""


def test_author_of_the_post_is_a_pseudonym_of_the_pseudonym() -> None:
    assert b"k3yedpseudonym" not in made().body


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("net:109", "net:109"),
        ("files:a.b-c_1", "files:a.b-c_1"),
        ("net:@some_private/1", None),
        ("sky:did:plc:abc/x", None),
        ("sky:some-private.bsky.social", None),
    ],
)
def test_key_that_may_hold_an_account_becomes_a_reference(key: str, shown: str | None) -> None:
    found = redactor().key(key)
    assert found == shown if shown else re.fullmatch(r"(net|sky):ref-[a-z2-7]{16}", found)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example", "hxxps://a[.]example"),
        ("http://a.example/", "hxxp://a[.]example"),
        ("HTTPS://User:pw@A.example:8443/p?q#f", "hxxps://a[.]example/…"),
        ("ftp://a.example/x", "ftp://a[.]example/…"),
        ("www.a.example/x", "www[.]a[.]example/…"),
        ("http://[::1]/x", "hxxp://[:][:]1/…"),
        ("tg://resolve?domain=some_private", "[address]"),
        ("https://some_private.tumblr.com/1", "hxxps://…[.]tumblr[.]com/…"),
        ("http://[", "[address]"),
        ("http://", "[address]"),
    ],
)
def test_address_cannot_be_clicked_and_has_no_path(url: str, shown: str) -> None:
    assert defang(url) == shown


def flagged(text: str, *spans: tuple[int, int], code: str = "G-HATE-SLUR") -> Assessment:
    flag = Flag(code=code, score=0.9, spans=tuple(Span(start=start, end=end) for start, end in spans))
    return Assessment(post=post(text), flags=(flag,))


def test_words_in_abusive_spans_keep_their_first_letter() -> None:
    assert redactor().excerpt(flagged("you vile thing, go", (4, 14))) == "you v*** t****, go"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("चुड़ैल", "च**"), ("婊", "*"), ("v i l e", "* * * *"), ("v\u200bile", "v***"), ("vi\u0301le", "v***")],
)
def test_words_are_masked_in_every_script_and_however_they_are_split(text: str, shown: str) -> None:
    assert redactor().excerpt(flagged(text, (0, len(text)))) == shown


def test_slurs_are_shown_to_a_partner_that_asked_for_them() -> None:
    assert redactor(mask_slurs=False).excerpt(flagged("you vile thing", (4, 14))) == "you vile thing"


def test_abuse_that_was_not_located_withholds_the_text() -> None:
    assert redactor().excerpt(flagged("you vile thing")) == WITHHELD
    assert redactor(mask_slurs=False).excerpt(flagged("you vile thing")) == "you vile thing"


@pytest.mark.parametrize("spans", [(), (Span(start=0, end=3, part="title"),), (Span(start=3, end=4),)])
def test_one_abuse_that_was_not_located_in_the_text_withholds_it(spans: tuple[Span, ...]) -> None:
    found = flagged("you vile thing", (4, 8))
    unlocated = Flag(code="G-HATE", score=0.9, spans=spans)
    assert redactor().excerpt(replace(found, flags=(*found.flags, unlocated))) == WITHHELD


@pytest.mark.parametrize("code", ["N-PROC", "X-SATIRE", "G-NONE", "H-NONE"])
def test_flags_that_are_no_abuse_mask_nothing(code: str) -> None:
    assert redactor().excerpt(flagged("the polls", (4, 9), code=code)) == "the polls"
    assert redactor().excerpt(flagged("the polls", code=code)) == "the polls"


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 220), st.integers(0, 60)), max_size=5))
def test_spans_of_any_kind_leave_no_word_inside_them_whole(text: str, spans: list[tuple[int, int]]) -> None:
    found = flagged(text, *((start, start + length) for start, length in spans))
    excerpt = redactor().excerpt(found)
    assert excerpt == one_line(excerpt)


SURROUNDINGS = "ab @.:/u-_1\n\u202eé🙂'看的ดูてक़한"
MARKS = "\u200b\u200c\u200d\u200e\u2066\u2069\u202e\ufe0f\u0301\u00ad\x00\U000e0061"


@given(
    st.text(alphabet=SURROUNDINGS, max_size=60),
    st.sampled_from(
        [
            "@hiddenhandle",
            "@hiddenhandle.bsky.social",
            "https://x.example/hiddenhandle",
            "x.example/hiddenhandle",
            "tg://resolve?domain=hiddenhandle",
            "did:plc:hiddenhandle",
            "hiddenhandle@m.example",
            "0170/hiddenhandle - 123 45 67",
        ]
    ),
    st.text(alphabet=SURROUNDINGS, max_size=60),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(MARKS)), max_size=5),
)
def test_handle_in_any_surroundings_goes(before: str, handle: str, after: str, marks: list[tuple[int, str]]) -> None:
    """No blank needs to stand around it, and invisible marks may stand in it."""
    if handle.startswith("0170"):
        handle, secret = handle.replace("hiddenhandle", ""), "01701234567"
    else:
        secret = "hiddenhandle"
    for place, mark in marks:
        handle = handle[:place] + mark + handle[place:]
    told = redactor().words(f"{before}{handle}{after}")
    assert secret not in re.sub(r"[^a-z]" if secret.isalpha() else r"\D", "", told)


def test_shortened_text_is_not_cut_inside_a_character() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("abcd" + "e\u0301" + "fgh", 6) == "abcd…"


# ── who may be told ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("label", "tlp"),
    [
        ("GREEN", "GREEN"),
        ("tlp:amber+strict", "AMBER+STRICT"),
        (" TLP: RED ", "RED"),
        ("WHITE", "CLEAR"),
        ("TLP:WHITE", "CLEAR"),
    ],
)
def test_marking_is_read_as_tlp_2(label: str, tlp: str) -> None:
    assert parse_tlp(label) == tlp


@pytest.mark.parametrize("label", ["", "PURPLE", "AMBER STRICT", "TLP", "GREEN;RED"])
def test_unknown_marking_is_refused_and_within_no_ceiling(label: str) -> None:
    with pytest.raises(ConfigError, match=r"TLP 2\.0 has CLEAR"):
        parse_tlp(label)
    assert not tlp_within(label, "RED")


def test_markings_widen_and_severities_rise_in_their_order() -> None:
    for lower, tlp in enumerate(TLP):
        assert [tlp_within(marking, tlp) for marking in TLP] == [index <= lower for index in range(5)]
    assert [severity_at_least(severity, "high") for severity in SEVERITIES] == [False, False, True, True]
    assert severity_at_least("unheard-of", "critical")


def test_scope_is_the_group_else_the_evidence() -> None:
    assert scope_of(alert(), [threat()]) == Scope(frozenset({"c1"}), frozenset({"en"}))
    assert scope_of(alert(group=(("lang", "es"),)), [threat()]) == Scope(frozenset({"c1"}), frozenset({"es"}))
    assert scope_of(alert(group=()), []) == Scope(frozenset(), frozenset())


def test_unknown_language_does_not_withhold_but_unknown_people_do() -> None:
    nothing_known = scope_of(alert(group=()), [])
    assert reason_to_withhold(partner(languages=("es",)), alert(), nothing_known) is None
    assert reason_to_withhold(partner(targets=("c1",)), alert(), nothing_known) is not None


@pytest.mark.parametrize(
    ("detected", "declared", "reads", "is_told"),
    [
        ("es", "", "es", True),
        ("en", "", "es", False),
        ("en", "es", "es", False),
        ("und", "", "es", True),
        ("", "", "es", True),
        ("und", "Portuguese", "es", True),
        ("und", "es-MX", "es", True),
        ("und", "es-MX", "pt", False),
        ("pt", "", "pt-BR", True),
        ("pt", "", "pt_BR", True),
        ("no", "", "nb", True),
    ],
)
def test_a_partner_is_told_in_its_languages_and_in_unknown_ones(
    detected: str, declared: str, reads: str, *, is_told: bool
) -> None:
    scope = scope_of(alert(), [Assessment(post=post("x", lang=declared), lang=detected)])
    assert (reason_to_withhold(partner(languages=(reads,)), alert(), scope) is None) is is_told


def test_one_post_in_an_unknown_language_leaves_the_languages_open() -> None:
    unknown = Assessment(post=post("x", lang=""), lang="und")
    assert reason_to_withhold(partner(languages=("es",)), alert(), scope_of(alert(), [threat(), unknown])) is None


@pytest.mark.parametrize(
    ("detected", "declared", "shown"), [("und", "", ""), ("und", "es-MX", "es"), ("en", "es", "en")]
)
def test_a_message_says_the_language_of_a_post_or_nothing(detected: str, declared: str, shown: str) -> None:
    message = made(None, None, Assessment(post=post("x", lang=declared), lang=detected))
    assert body(message)["evidence"][0]["lang"] == shown


def test_a_language_that_does_not_exist_is_no_language_of_a_partner() -> None:
    with pytest.raises(ValidationError, match=r"languages\.1\n.*near are 'es' \(Spanish\)"):
        partner(languages=("en", "sp"))


def test_thousand_random_sends_never_go_above_a_ceiling_and_never_hold_a_handle() -> None:
    """What a partner is cleared to bounds what it gets, whatever else its settings say."""
    draw = random.Random(20261001)
    labels = [*TLP, "WHITE", "TLP:AMBER", "PURPLE", ""]
    sent = withheld = 0
    for number in range(1000):
        ceiling = draw.choice(TLP)
        topics = draw.choice([(), ("gendered-abuse",), ("voting",)])
        to = partner(
            tlp=ceiling,
            topics=topics,
            min_severity=draw.choice(SEVERITIES),
            redaction=Redaction(excerpt=draw.choice(["none", "short", "full"]), slurs=draw.choice(["masked", "shown"])),
        )
        about = alert(id=f"a-{number}", tlp=draw.choice(labels), severity=draw.choice(SEVERITIES))
        if reason_to_withhold(to, about, scope_of(about, [threat()])) is not None:
            withheld += 1
            continue
        message = made(about, to)
        sent += 1
        assert TLP.index(parse_tlp(message.tlp)) <= TLP.index(ceiling)
        assert body(message)["tlp"] == f"TLP:{message.tlp}"
        assert b"some_private" not in message.body
        assert b"://" not in message.body.replace(b"hxxps://", b"").replace(b"hxxp://", b"")
        assert (b"scum" in message.body) <= (to.redaction.slurs == "shown")
    assert sent > 100
    assert withheld > 100


def test_partner_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match=r"TLP 2\.0 has"):
        partner(tlp="PURPLE")
    with pytest.raises(ValidationError, match="Extra inputs"):
        partner(tpl="RED")
    with pytest.raises(ValidationError, match="same name"):
        partner(channels=(ChannelEntry(name="hook", kind="file"), ChannelEntry(name="hook", kind="file")))
    with pytest.raises(ValidationError, match="String should match"):
        partner(id="north/hook")
    assert partner(tlp="tlp:white").tlp == "CLEAR"


def test_every_setting_of_a_partner_is_described() -> None:
    for model in (Partner, ChannelEntry, Redaction, Secret):
        assert all(field.description for field in model.model_fields.values()), model
