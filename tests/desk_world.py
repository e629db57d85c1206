"""A small desk over real stores for the tests of the pages: seven posts, a queue, two alerts, two partners."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import httpx
from fastapi import FastAPI
from sqlalchemy import Connection, Engine
from starlette.testclient import TestClient

from alerts.partners import Partner
from alerts.rule import Rule
from classifiers.claims.claim import Claim
from desk import known_browsers, people, queue, reviews, sessions
from desk.book import DeskBook
from desk.database.connect import open_database, writing
from desk.dispatch import Dispatcher
from desk.memory import DeskMemory
from desk.people import DeskRole, Person
from desk.web.app import create_app
from desk.web.services import DeskServices
from hustings import roster as rosters
from hustings.clock import Clock, VirtualClock
from hustings.codebook import load_codebook
from hustings.contracts import AlertChanges, Record
from hustings.query.parser import RULE, parse
from hustings.query.vocabulary import Vocabulary
from hustings.text import analyse
from hustings.types import (
    Alert,
    Assessment,
    DeadLetter,
    Flag,
    Media,
    Notice,
    Post,
    QueueEntry,
    Span,
    Target,
)
from hustings.wire import encode
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog

START = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
PASSWORD = "a quiet sentence about rivers"
BASE_URL = "http://127.0.0.1:8780"
TIPS_TOKEN = "tips-token-of-the-tests"
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}

ROSTER = rosters.Roster(
    version="test",
    people=(
        rosters.Person(id="mara-tellan", name="Mara Tellan", attributes={"party": "Unity List", "gender": "woman"}),
        rosters.Person(id="joro-vant", name="Joro Vant", attributes={"party": "River Party", "gender": "man"}),
    ),
)

THREAT = "Tell Mara Tellan we know the road she drives home. She will not see election day."
FALSE_DATE = "IMPORTANT: because of the crowds the vote in the north is moved to MONDAY. Share! https://vоte-velmara.example/date"
ARABIC = "مارا تيلان لا تصلح للحكم، مكانها البيت. #انتخابات_فيلمارا"
LIKE_A_DATE = "The <b>vote</b> was moved to Monday, tell your neighbours."
LIKE_ARABIC = "مكانك البيت لا البرلمان"
HOSTILE = '<script>alert(1)</script><img src="https://tracker.example/p.gif" onerror=alert(2)> "quoted" & more'
PLAIN = "The ferry to Oslet runs every hour on election day."
MARKER = "zebrafishmarker"


@dataclass(frozen=True)
class World:
    """Everything that a test may reach behind the pages."""

    services: DeskServices
    book: DeskBook
    clock: VirtualClock
    log: SqliteLog
    index: SqliteIndex
    app: FastAPI

    def over(self, **changed: object) -> World:
        """The same desk with some services changed."""
        services = replace(self.services, **changed)
        return replace(self, services=services, app=create_app(services))

    def person(self, role: DeskRole, login: str = "") -> Person:
        """An account, made when it is not there."""
        name = login or f"{role}-one"
        for known in people.listed(self.services.engine):
            if known.login == name:
                return known
        return people.create(
            self.services.engine, login=name, password=PASSWORD, role=role, by="tests", clock=self.clock
        )

    def browser(self) -> Browser:
        """A browser without a session."""
        return Browser(TestClient(self.app, base_url=BASE_URL, follow_redirects=False))

    def signed_in(self, role: DeskRole, login: str = "") -> Browser:
        """A browser that holds the session of somebody of that role (the form itself has its own tests)."""
        browser = self.browser()
        secret, _ = start_session(self.services.engine, self.person(role, login), clock=self.clock)
        browser.client.cookies.set("hustings-session", secret)
        return browser


@dataclass(frozen=True)
class Browser:
    """What a browser without JavaScript does: keep cookies, follow links, send the forms that it was given."""

    client: TestClient

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """The page that a redirect leads to."""
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return self.get(answer.headers["location"])

    def post(self, path: str, fields: Mapping[str, str | list[str]], **headers: str) -> httpx.Response:
        return self.client.post(path, data=dict(fields), headers={**SAME_ORIGIN, **headers})

    def submit(self, page: httpx.Response, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send the form of the page that goes to `path`, its hidden fields included."""
        return self.post(path, {**hidden_fields(page.text, path), **fields})


def start_session(
    engine: Engine, person: Person, *, clock: Clock, replacing: str | None = None
) -> tuple[str, sessions.Session]:
    """`sessions.start` in a transaction of its own."""
    with writing(engine) as connection:
        return sessions.start(connection, person, now=clock.now(), replacing=replacing)


def remember_browser(engine: Engine, person_id: str, *, former: str, clock: Clock) -> str:
    """`known_browsers.remember` in a transaction of its own."""
    with writing(engine) as connection:
        return known_browsers.remember(connection, person_id, former=former, now=clock.now())


def itself(_: Connection, person: Person) -> Person:
    """Whoever came in by a link or a sign-in, without a session."""
    return person


def hidden_fields(html: str, path: str) -> dict[str, str]:
    """The hidden fields of the first form that goes to `path`."""
    form = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', html, re.DOTALL)
    assert form is not None, f"no form to {path}"
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
    return {name: unescape(value) for name, value in fields}


def post_path(key: str) -> str:
    return "/posts/" + quote(key, safe="")


def read_post(
    world: World, key: str, login: str, *codes: str, verdict: reviews.Verdict = "log", note: str = ""
) -> None:
    """Somebody reviews a post, outside the queue; no two do at the same moment. It waits there no more."""
    world.clock.advance(timedelta(seconds=1))
    with writing(world.services.engine) as connection:
        queue.close(connection, key=key, now=world.clock.now())
    reviews.reverse(
        world.services.engine,
        reviews.Judgement(revision=world.index.get([key])[key].post.revision, verdict=verdict, codes=codes, note=note),
        subject="post",
        subject_id=key,
        reviewer=world.person(login.partition("-")[0], login),  # type: ignore[arg-type]
        index=world.index,
        codebook=world.services.codebook,
        clock=world.clock,
    )


def assessed(
    native_id: str,
    text: str,
    *,
    lang: str = "en",
    flags: Sequence[Flag] = (),
    targets: Sequence[Target] = (),
    minutes_ago: int = 30,
    story: str = "",
    claims: Sequence[str] = (),
    check_worthy: float = 0.0437,
    **fields: object,
) -> Assessment:
    """An assessment as `analyze` would write it."""
    at = START - timedelta(minutes=minutes_ago)
    post = Post(
        source="fedi.example",
        native_id=native_id,
        text=text,
        published_at=at,
        collected_at=at + timedelta(seconds=20),
        collector="fedi",
        author="u-k3x9w2",
        evidence="9f" * 32,
    )
    return Assessment(
        post=replace_post(post, **fields),
        lang=lang,
        lang_score=0.98,
        flags=tuple(flags),
        targets=tuple(targets),
        scores=({flag.code: flag.score for flag in flags} or {"G": 0.0437}) | {"CW": check_worthy},
        story=story,
        claims=tuple(claims),
        tokens=analyse(text).tokens,
        first_collected_at=at + timedelta(seconds=20),
        assessed_at=at + timedelta(seconds=21),
        models={"abuse-en": "3"},
    )


def replace_post(post: Post, **fields: object) -> Post:
    import msgspec

    return msgspec.structs.replace(post, **fields) if fields else post


def flag(code: str, score: float, text: str, words: str, example: str = "") -> Flag:
    start = text.index(words)
    return Flag(
        code=code,
        score=score,
        threshold=0.7,
        classifier="abuse-en@3",
        spans=(Span(start=start, end=start + len(words)),),
        example=example,
    )


def named(text: str, words: str, person: str, role: str) -> Target:
    start = text.index(words)
    return Target(id=person, role=role, spans=(Span(start=start, end=start + len(words)),))  # type: ignore[arg-type]


POSTS = (
    assessed(
        "threat-1",
        THREAT,
        flags=(flag("G-THR-KILL", 0.91, THREAT, "She will not see election day"),),
        targets=(named(THREAT, "Mara Tellan", "mara-tellan", "aimed_at"),),
        minutes_ago=12,
        reach=4200,
    ),
    *(
        assessed(
            f"date-{number}",
            FALSE_DATE,
            flags=(flag("N-PROC-DATE", 0.88, FALSE_DATE, "the vote in the north is moved to MONDAY", LIKE_A_DATE),),
            links=("https://vоte-velmara.example/date",),
            minutes_ago=20 + number,
            story="story-date",
            claims=("moved", "arabic", "removed-since"),
            check_worthy=0.9312,
            media=(Media(kind="image", url="https://tracker.example/p.gif", alt="a poster with a date"),),
        )
        for number in (1, 2, 3)
    ),
    assessed(
        "arabic-1",
        ARABIC,
        lang="ar",
        flags=(flag("G-UNFIT", 0.83, ARABIC, "مكانها البيت", LIKE_ARABIC),),
        targets=(named(ARABIC, "مارا تيلان", "mara-tellan", "aimed_at"),),
        minutes_ago=45,
    ),
    assessed("hostile/1?x=<b>#&", HOSTILE, minutes_ago=50, title="<b>title</b>"),
    assessed("plain-1", f"{PLAIN} {MARKER}", minutes_ago=70),
)

CLAIMS = (
    Claim(
        id="moved",
        text="Voting in the northern districts was moved to Monday because of the crowds.",
        title="No, the north votes on Sunday like everybody else",
        publisher="Velmara Fact Desk",
        rating="Wrong date",
        published="2027-03-09",
        url="https://facts.example/2027/03/09/no-the-north-votes-on-sunday-like-everybody-else-in-velmara-and-oslet?ref=list",
    ),
    Claim(id="arabic", text="تأجّل التصويت في الشمال إلى يوم الاثنين", rating="غير صحيح", publisher="مرصد فيلمارا"),
)
"""Claims that publishers checked, of which the posts about a date remind."""

RULES = {
    name: (title, why, where, outcome)
    for name, title, why, where, outcome in (
        ("r-flagged", "everything-flagged", "A person reads whatever the machine flagged.", "flag:*", "review"),
        ("r-random", "random-slice", "Measures what the machine misses.", "-flag:*", "review"),
        ("r-date", "wrong-polling-date", "A wrong date keeps people from voting.", "flag:N-PROC-DATE", "alert"),
        ("r-threat", "threat", "Somebody may be harmed.", "flag:G-THR aimed_at:*", "alert"),
    )
}

QUEUE = (
    QueueEntry(
        key="fedi.example:threat-1", rule="r-flagged", reason="G-THR-KILL 0.91 at a candidate", priority=0.91, at=START
    ),
    QueueEntry(key="fedi.example:date-1", rule="r-flagged", reason="N-PROC-DATE 0.88", priority=0.88, at=START),
    QueueEntry(key="fedi.example:arabic-1", rule="r-flagged", reason="G-UNFIT 0.83", priority=0.83, at=START),
    QueueEntry(
        key="fedi.example:hostile/1?x=<b>#&", rule="r-flagged", reason="a <i>reason</i>", priority=0.3, at=START
    ),
    QueueEntry(
        key="fedi.example:plain-1", rule="r-random", reason="by chance", priority=0.0, probability=0.02, at=START
    ),
)


def alert(
    alert_id: str,
    rule: str,
    *,
    evidence: tuple[str, ...],
    group: tuple[tuple[str, str], ...] = (),
    severity: str = "high",
) -> Alert:
    """An open alert with its opening notice."""
    notice = Notice(alert=alert_id, kind="open", key="open", at=START - timedelta(minutes=21), revision=1)
    return Alert(
        id=alert_id,
        rule=rule,
        rule_name=RULES[rule][0],
        rule_version=3,
        logic="c0ffee",
        group=group,
        opening_anchor=notice.at,
        opened_at=notice.at,
        last_crossing_at=START - timedelta(minutes=19),
        detected_at=START - timedelta(minutes=18),
        value=float(len(evidence)),
        reason={"window": "1h", "gte": 3},
        evidence=evidence,
        notices=(notice,),
        severity=severity,
        tlp="AMBER",
        topics=("voting-information",) if rule == "r-date" else ("gendered-abuse",),
    )


DATE_ALERT = alert("a" * 32, "r-date", evidence=tuple(f"fedi.example:date-{n}" for n in (1, 2, 3)))
THREAT_ALERT = alert(
    "b" * 32, "r-threat", evidence=("fedi.example:threat-1",), group=(("aimed_at", "mara-tellan"),), severity="critical"
)

PARTNERS = (
    Partner.model_validate(
        {
            "id": "voters-league",
            "name": "Voters' League",
            "topics": ["voting-information"],
            "tlp": "AMBER",
            "pseudonym_key": "league-secret-key-of-the-tests",
            "channels": [{"name": "hook", "kind": "webhook"}, {"name": "folder", "kind": "file"}],
        }
    ),
    Partner.model_validate(
        {
            "id": "safe-line",
            "name": "Safe Line",
            "topics": ["gendered-abuse"],
            "tlp": "AMBER",
            "pseudonym_key": "safe-line-secret-key-of-the-tests",
            "channels": [{"name": "hook", "kind": "webhook"}],
            "support_contact": "+00 555 0100",
        }
    ),
)


def filled_desk(folder: Path) -> Path:
    """A world on disk with four people, closed, to be copied for each test: making one takes a second."""
    with desk_world(folder) as world:
        for login in ("viewer-one", "reviewer-one", "reviewer-two", "lead-one", "engineer-one"):
            world.person(login.partition("-")[0], login)  # type: ignore[arg-type]
    return folder


@contextmanager
def copied_desk(filled: Path, folder: Path, *, base_url: str = BASE_URL) -> Iterator[World]:
    """A copy of a filled desk, open."""
    shutil.copytree(filled, folder)
    with _open_world(folder, base_url=base_url) as world:
        yield world


@contextmanager
def desk_world(folder: Path, *, base_url: str = BASE_URL) -> Iterator[World]:
    """The world in `folder`, without people; everything is closed at the end."""
    with _open_world(folder, base_url=base_url) as world:
        _fill(world.services, world.book)
        yield world


@contextmanager
def _open_world(folder: Path, *, base_url: str) -> Iterator[World]:
    clock = VirtualClock(START)
    engine = open_database(f"sqlite:///{folder}/desk.db")
    log = SqliteLog(folder / "log", clock=clock).open()
    index = SqliteIndex(folder / "index").open()
    try:
        codebook = load_codebook(resources.files("configs").joinpath("codebook.toml").read_bytes())
        vocabulary = Vocabulary(codebook=codebook, roster=ROSTER, phases=())
        services = DeskServices(
            engine=engine,
            index=index,
            log=log,
            memory=DeskMemory(engine),
            roster=ROSTER,
            codebook=codebook,
            partners=PARTNERS,
            rules={
                rule_id: Rule(
                    id=rule_id,
                    name=title,
                    kind="match",
                    query=parse(where, vocabulary=vocabulary, limits=RULE),
                    logic="c0ffee",
                    why=why,
                    outcome=outcome,  # type: ignore[arg-type]
                )
                for rule_id, (title, why, where, outcome) in RULES.items()
            },
            clock=clock,
            vocabulary=vocabulary,
            base_url=base_url,
            tips_token=TIPS_TOKEN,
            name="Velmara Desk",
            known_claims=lambda ids: [claim for claim in CLAIMS if claim.id in set(ids)],
            retold=lambda asked: [one for one in POSTS if one.lang == "ar" and asked.story == "story-date"],
        )
        dispatcher = Dispatcher(PARTNERS, index=index, roster=ROSTER)
        book = DeskBook(engine, dispatcher, clock)
        yield World(services=services, book=book, clock=clock, log=log, index=index, app=create_app(services))
    finally:
        index.close()
        log.close()
        engine.dispose()


def _fill(services: DeskServices, book: DeskBook) -> None:
    log = services.log
    placed = log.append("posts", [Record(one.key, encode(one.post)) for one in POSTS])
    services.index.write(POSTS, log_id=log.id, origins=placed, positions={0: len(POSTS)})
    letter = DeadLetter(
        id="d1" * 16,
        stage="collect",
        reason="unknown_key",
        detail="the key 'colour' is not one of a post",
        origin="archive.jsonl: line 7",
        original=b'{"colour": "<b>red</b>", "by": "@a_private_handle"}\xff',
        at=START - timedelta(hours=2),
    )
    log.append("dead-letters", [Record(letter.id, encode(letter))])
    alerts = (DATE_ALERT, THREAT_ALERT)
    notices = tuple(notice for one in alerts for notice in one.notices)
    book.record(AlertChanges(alerts=alerts, notices=notices, queue=QUEUE), partition=0, epoch=1)
    beat = b'{"loop":"analyze","pid":1,"started_at":"2027-03-10T09:00:00Z","at":"2027-03-10T11:59:58Z","handled":7}'
    services.memory.put("heartbeats", "analyze", beat)
    services.memory.put("heartbeats", "collect", beat.replace(b"analyze", b"collect"))
    health = b'{"last_success":"2027-03-10T11:58:00Z","items":7,"lag_s":20.0,"last_post_at":"2027-03-10T11:48:00Z"}'
    services.memory.put("source_health", "fedi", health)
    services.memory.put(
        "source_health",
        "radio-north",
        b'{"last_success":"2027-03-10T07:30:00Z","gap_since":"2027-03-10T07:30:00Z","items":41,"dead":1,'
        b'"last_error":"does not answer","failures":9,"caps_hit":{"bytes":2}}',
    )
