"""The synthetic election: the same for the same seed, true about itself, and scored as it should be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hustings import wire
from hustings.errors import BadInput, ConfigError
from hustings.source_health import SourceHealth
from hustings.types import Alert, Assessment, Flag, Post
from runtime.config import load_config
from runtime.coverage import Silence, silences
from runtime.demo.generate import Election, Event, generate, read_demo
from runtime.demo.prepare import MARKER, prepare, read_truth
from runtime.demo.receiver import Receiver
from runtime.demo.score import score

SIZE = 2_000


@pytest.fixture(scope="module")
def election() -> Election:
    return generate(seed=7, posts=SIZE)


def latest(election: Election) -> dict[str, Post]:
    """Every post at its highest revision."""
    found: dict[str, Post] = {}
    for posts in election.posts.values():
        for post in posts:
            if post.key not in found or found[post.key].revision < post.revision:
                found[post.key] = post
    return found


# ── generated ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_bytes(election: Election) -> None:
    assert msgspec.json.encode(generate(seed=7, posts=SIZE)) == msgspec.json.encode(election)


def test_the_same_seed_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, msgspec; from runtime.demo.generate import generate;"
        "print(hashlib.sha256(msgspec.json.encode(generate(seed=7, posts=2_000))).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(found) == 1


def test_another_seed_gives_another_election(election: Election) -> None:
    other = generate(seed=8, posts=SIZE)
    assert other.posts["chatter-keyword"] != election.posts["chatter-keyword"]
    assert [event.name for event in other.truth.events] == [event.name for event in election.truth.events]


def test_the_size_is_that_asked_for(election: Election) -> None:
    assert sum(map(len, election.posts.values())) + len(election.broken_lines) == SIZE


def test_every_post_passes_the_strict_edge(election: Election) -> None:
    for posts in election.posts.values():
        for post in posts:
            assert wire.decode_strict(wire.encode(post), Post) == post


def test_every_broken_line_is_broken(election: Election) -> None:
    reasons = []
    for line in election.broken_lines:
        with pytest.raises(BadInput) as caught:
            wire.decode_strict(line, Post)
        reasons.append(caught.value.reason)
    assert len(reasons) == 8
    assert set(reasons) >= {"not_json", "missing_key", "wrong_type", "duplicate_key", "lone_surrogate", "unknown_key"}


def test_each_source_is_in_the_order_of_collection(election: Election) -> None:
    for posts in election.posts.values():
        times = [post.collected_at for post in posts]
        assert times == sorted(times)
        assert all(post.published_at <= post.collected_at for post in posts)


def test_two_collectors_bring_the_same_posts_and_posts_are_edited_and_late(election: Election) -> None:
    again = {wire.encode(post) for post in election.posts["chatter-accounts"]}
    assert again
    assert again <= {wire.encode(post) for post in election.posts["chatter-keyword"]}
    revisions = Counter(post.key for post in election.posts["chatter-keyword"])
    assert sum(count > 1 for count in revisions.values()) == 4
    assert any(
        post.collected_at - post.published_at >= timedelta(hours=3) and not post.revision
        for post in election.posts["chatter-keyword"]
    )


def test_three_languages_are_written(election: Election) -> None:
    texts = " ".join(post.text for post in latest(election).values())
    assert "ال" in texts
    assert "¡" in texts or "ñ" in texts
    assert " the " in texts


# ── the truth ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_truth_names_posts_that_exist_and_when_they_were_published(election: Election) -> None:
    posts = latest(election)
    truth = election.truth
    assert set(truth.codes) | set(truth.protected) <= posts.keys()
    for event in truth.events:
        times = [posts[key].published_at for key in event.keys]
        assert (min(times), max(times)) == (event.first_at, event.last_at)
        assert len(set(event.keys)) == len(event.keys)


def test_harmful_events_are_labelled_and_harmless_ones_are_not(election: Election) -> None:
    truth = election.truth
    for event in truth.events:
        labelled = [key for key in event.keys if truth.codes.get(key)]
        if event.harmful:
            assert len(labelled) > 0.9 * len(event.keys)
        else:
            assert labelled == []


def test_no_post_is_both_harmful_and_protected(election: Election) -> None:
    truth = election.truth
    assert {key for key, codes in truth.codes.items() if codes} & truth.protected.keys() == set()


def test_what_is_planted_is_told_by_rules_that_are_shipped(election: Election) -> None:
    from runtime.init import ready_rules

    shipped = {rule["name"] for _, text in ready_rules(expires="2027-03-24") for rule in tomllib.loads(text)["rule"]}
    people = {person["id"] for person in read_demo("roster.toml")["person"]}
    for event in election.truth.events:
        assert set(event.rules) <= shipped
        assert bool(event.rules) is event.harmful
        assert set(event.group.values()) <= people


def test_one_region_is_silent_for_four_hours_and_that_can_be_found() -> None:
    election = generate()
    truth = election.truth
    assert truth.silence_end - truth.silence_start == timedelta(hours=4)
    region_of = {outlet: region for region, outlets in truth.outlets_by_region.items() for outlet in outlets}
    stamps = {outlet: [post.collected_at for post in election.posts[outlet]] for outlet in region_of}
    health = {outlet: SourceHealth().after_posts(times) for outlet, times in stamps.items()}
    found = silences(health, region_of)
    assert [silence.region for silence in found] == [truth.silence_region]
    assert found[0].start <= truth.silence_start + timedelta(minutes=5)
    assert found[0].end >= truth.silence_end


def test_the_roster_has_the_people_that_the_story_needs() -> None:
    people = read_demo("roster.toml")["person"]
    assert len(people) == 16
    assert {person["attributes"]["gender"] for person in people} == {"woman", "man"}
    assert len(read_demo("election.toml")["outlet"]) == 12


# ── its folder ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_folder_holds_a_deployment_with_all_posts(election: Election, tmp_path: Path) -> None:
    config = load_config(prepare(tmp_path / "demo", election, desk_port=1234, webhook_port=5678))
    assert {source["name"] for source in config.sources} == election.posts.keys()
    assert read_truth(tmp_path / "demo") == election.truth
    lines = (tmp_path / "demo" / "posts" / "chatter-keyword.jsonl").read_bytes().splitlines()
    assert len(lines) == len(election.posts["chatter-keyword"]) + 8
    places = [place for place, line in enumerate(lines) if line in election.broken_lines]
    assert min(after - before for before, after in pairwise(places)) > 20, "each stands alone"
    for name in ("partner.key", "partner.whsec"):
        assert (tmp_path / "demo" / name).stat().st_mode & 0o777 == 0o600


def test_a_folder_of_its_own_is_made_anew(election: Election, tmp_path: Path) -> None:
    prepare(tmp_path / "demo", election, desk_port=1, webhook_port=2)
    (tmp_path / "demo" / "left-over").touch()
    prepare(tmp_path / "demo", election, desk_port=1, webhook_port=2)
    assert not (tmp_path / "demo" / "left-over").exists()
    assert (tmp_path / "demo" / MARKER).exists()


def test_somebody_elses_folder_is_left_alone(election: Election, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="holds something that no demo made"):
        prepare(tmp_path, election, desk_port=1, webhook_port=2)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


# ── the score ────────────────────────────────────────────────────────────────────────────────────────────────────


def event_named(election: Election, name: str) -> Event:
    return next(event for event in election.truth.events if event.name == name)


def alert(event: Event, *, rule: str = "", after: timedelta = timedelta(minutes=30), **changes: object) -> Alert:
    given: dict[str, object] = {
        "id": f"{event.name}-{rule}",
        "rule": "r",
        "rule_name": rule or event.rules[0],
        "rule_version": 1,
        "logic": "l",
        "group": tuple(event.group.items()),
        "state": "resolved",
        "opening_anchor": event.first_at + after,
        "opened_at": event.first_at + after,
        "last_crossing_at": event.first_at + after,
        "detected_at": event.first_at + after,
        "value": 3.0,
        "evidence": event.keys[:5],
    }
    return Alert(**(given | changes))  # type: ignore[arg-type]


def silence_of(election: Election) -> Silence:
    truth = election.truth
    return Silence(region=truth.silence_region, start=truth.silence_start, end=truth.silence_end, sources=("a", "b"))


def test_all_found_and_nothing_else_is_a_full_score(election: Election) -> None:
    alerts = [alert(event) for event in election.truth.events if event.harmful]
    found = score(election.truth, alerts, [], [silence_of(election)])
    assert (found.alert_precision, found.alert_recall) == (1.0, 1.0)
    assert found.alerts_elsewhere == ()
    assert found.silence_found
    assert {event.minutes_to_alert for event in found.events} == {30.0, None}


def test_nothing_found_is_no_recall_and_no_precision_to_speak_of(election: Election) -> None:
    found = score(election.truth, [], [], [])
    assert (found.alert_precision, found.alert_recall, found.silence_found) == (None, 0.0, False)
    assert [event.right for event in found.events] == [not event.harmful for event in found.events]


def test_an_alert_about_a_harmless_look_alike_is_wrong(election: Election) -> None:
    praise = event_named(election, "pile of praise")
    found = score(election.truth, [alert(praise, rule="gendered-abuse-pile-on")], [], [])
    assert found.alert_precision == 0.0
    assert found.alerts_elsewhere == ("gendered-abuse-pile-on {'aimed_at': 'c09'}",)
    assert not next(event for event in found.events if event.event == "pile of praise").right


@pytest.mark.parametrize(
    "changes",
    [
        {"rule_name": "voting-info-claim"},
        {"group": (("aimed_at", "c09"),)},
        {"state": "retracted"},
        {"evidence": ("chatter:none",)},
    ],
    ids=["another rule", "another person", "taken back", "other posts"],
)
def test_what_does_not_fit_the_event_does_not_find_it(election: Election, changes: dict[str, Any]) -> None:
    pile_on = event_named(election, "pile-on against one woman")
    found = score(election.truth, [alert(pile_on, **changes)], [], [])
    assert not next(event for event in found.events if event.event == pile_on.name).right


def test_an_alert_that_opens_long_after_is_about_something_else(election: Election) -> None:
    pile_on = event_named(election, "pile-on against one woman")
    late = pile_on.last_at - pile_on.first_at + timedelta(hours=13)
    found = score(election.truth, [alert(pile_on, after=late)], [], [])
    assert not next(event for event in found.events if event.event == pile_on.name).right


def test_a_silence_elsewhere_counts_against_precision(election: Election) -> None:
    elsewhere = msgspec.structs.replace(silence_of(election), region="Norhaven")
    found = score(election.truth, [], [], [silence_of(election), elsewhere])
    assert (found.silence_found, found.alert_precision) == (True, 0.5)


def test_flags_are_counted_against_planted_codes(election: Election) -> None:
    posts = latest(election)
    date = event_named(election, "false polling date")
    planted = [key for key in date.keys if election.truth.codes[key]]
    protected = sorted(election.truth.protected)

    def flagged(key: str, code: str) -> Assessment:
        return Assessment(post=posts[key], flags=(Flag(code=code, score=0.9),))

    found = score(
        election.truth,
        [],
        [
            *(flagged(key, "N-PROC-DATE") for key in planted[:10]),
            *(Assessment(post=posts[key]) for key in planted[10:]),
            flagged(protected[0], "N-PROC-DATE"),
            flagged(protected[1], "X-SATIRE"),
        ],
        [],
    )
    dates = next(flags for flags in found.flags if flags.kind == "N-PROC-DATE")
    assert (dates.planted, dates.flagged, dates.right) == (len(planted), 11, 10)
    assert dates.recall == round(10 / len(planted), 3)
    assert found.protected_flagged == 0.5, "only one of the two protected posts got a harmful flag"


# ── the partner ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_receiver_takes_only_what_is_signed() -> None:
    from alerts.channels.webhook import signatures

    receiver = Receiver()
    try:
        receiver.secret = "whsec_c2VjcmV0IG9mIHRoZSBkZW1vJ3MgcGFydG5lcg=="
        stamp = int(datetime(2027, 3, 10, tzinfo=UTC).timestamp())
        good = signatures([receiver.secret], "m1", stamp, b"{}")
        assert receiver.take("m1", str(stamp), good, b"{}") == 204
        assert receiver.take("m1", str(stamp), good, b"{}") == 204
        assert receiver.take("m2", str(stamp), good, b"{}") == 401
        assert receiver.take("m1", "now", good, b"{}") == 401
        assert (receiver.distinct, len(receiver.received), receiver.refused) == (1, 2, 2)
    finally:
        receiver.close()


# ── as a command ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_the_desk_is_stands_at_once_in_a_file_or_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "runtime.cli", "demo", "--dir", str(tmp_path / "demo"), "--posts", str(SIZE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = list(takewhile(lambda line: line != "Ctrl-C ends it.\n", running.stdout))
        running.send_signal(signal.SIGINT)
    assert re.fullmatch(r"  http://127\.0\.0\.1:\d+/welcome/\S+\n", said[-1])
    assert running.returncode == 0
