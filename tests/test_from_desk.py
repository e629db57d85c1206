"""From three hundred reviews in the desk to a model that serves, and back: the synthetic election, end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from classifiers.pipeline import shipped_models
from desk import audit, people, reviews
from desk.people import Person
from desk.reviews import Judgement, Verdict
from hustings.clock import VirtualClock
from hustings.contracts import Record
from hustings.types import Assessment, Post
from hustings.wire import encode
from runtime import build
from runtime.config import load_config
from runtime.demo.generate import generate
from runtime.events import open_events
from runtime.live_models import LivePipeline
from tests.command_line import CommandLine, command_line
from tests.model_folders import Keys

READ_AT = datetime(2026, 10, 2, 12, tzinfo=UTC)
POSTS = 300
CODEBOOK = build.codebook()
REASON = "the desk's own insults count more than the functions that it misses"
CONFIG = """
roster = "roster.toml"
models = "models"
model_signers = ["keys/ours.pub"]

[deployment]
name = "Velmara"
clock = "replay"

[charter]
languages = ["en", "es", "ar"]
"""


class Desk(NamedTuple):
    """A deployment in which three hundred English posts were read by two people each."""

    config: Path
    key: Path
    posts: dict[str, Post]
    positives: int


def read(key: str, codes: tuple[str, ...], verdict: Verdict, reviewer: Person, stores: Any) -> None:
    stores.clock.advance(timedelta(seconds=30))
    reviews.reverse(
        stores.engine,
        Judgement(revision=stores.index.get([key])[key].post.revision, verdict=verdict, codes=codes),
        subject="post",
        subject_id=key,
        reviewer=reviewer,
        index=stores.index,
        codebook=CODEBOOK,
        clock=stores.clock,
    )


class Stores:
    """What a desk writes to, open."""

    def __init__(self, config: Path, closing: ExitStack) -> None:
        self.config = load_config(config)
        self.clock = VirtualClock(READ_AT)
        self.engine = build.open_engine(self.config)
        closing.callback(self.engine.dispose)
        self.log = build.open_log(self.config, self.clock)
        closing.callback(self.log.close)
        self.index = build.open_index(self.config)
        closing.callback(self.index.close)

    def person(self, login: str, role: people.DeskRole) -> Person:
        return people.create(
            self.engine, login=login, password="a quiet sentence about rivers", role=role, by="tests", clock=self.clock
        )

    def write(self, assessments: Sequence[Assessment]) -> None:
        placed = self.log.append("posts", [Record(one.key, encode(one.post)) for one in assessments])
        self.index.write(assessments, log_id=self.log.id, origins=placed, positions={0: len(assessments)})


def chosen() -> dict[str, tuple[Post, tuple[str, ...]]]:
    """Posts of the election with what is true about them: abuse of women, and what must not be taken for it."""
    election = generate(posts=20_000)
    truth = election.truth
    newest = {post.key: post for posts in election.posts.values() for post in posts if not post.deleted}
    return {
        key: (post, truth.codes.get(key) or (truth.protected[key],))
        for key, post in newest.items()
        if set(truth.codes.get(key, ())) & {"G", "A-INSULT"} or key in truth.protected
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(shipped_models() / "G-en", folder / "models" / "G-en")
    keys = Keys(folder / "keys")
    config = folder / "hustings.toml"
    config.write_text(CONFIG)
    demo = Path(__file__).parents[1] / "configs" / "demo"
    shutil.copy(demo / "roster.toml", folder / "roster.toml")
    with ExitStack() as closing:
        stores = Stores(config, closing)
        one, other = stores.person("reader-one", "reviewer"), stores.person("reader-two", "reviewer")
        lead = stores.person("the-lead", "lead")
        candidates = chosen()
        pipeline = build.open_pipeline(stores.config, story_memory=())
        assessed = [a for a in pipeline.assess([post for post, _ in candidates.values()], {}) if a.lang == "en"]
        abuse = [a for a in assessed if "G" in candidates[a.key][1]]
        others = [a for a in assessed if "G" not in candidates[a.key][1]]
        step = len(others) / (POSTS - len(abuse))
        kept = abuse + [others[int(place * step)] for place in range(POSTS - len(abuse))]
        stores.write(kept)
        for number, assessment in enumerate(kept):
            said = candidates[assessment.key][1]
            codes = said if "G" in said or said[0].startswith("X-") else (*said, "G-NONE")
            verdict: Verdict = "dismiss" if codes[0].startswith("X-") else "log"
            read(assessment.key, codes, verdict, one, stores)
            if number % 40 == 7:  # the second reader disagrees, and the lead decides
                read(assessment.key, ("G-NONE",) if "G" in codes else ("G",), "log", other, stores)
                read(assessment.key, codes, verdict, lead, stores)
            elif number % 40 != 9:  # and some are read only once
                read(assessment.key, codes, verdict, other, stores)
    return Desk(config, keys.private, {a.key: a.post for a in kept}, len(abuse))


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


class Worker:
    """A pipeline as the analyze loop holds it."""

    def __init__(self, config: Path) -> None:
        loaded = load_config(config)
        self.pipeline = LivePipeline(
            state=build.model_store(loaded).state,
            open_with=lambda former: build.open_pipeline(loaded, story_memory=(), former=former),
            events=open_events(loop="analyze", level="error"),
        ).open()

    def score(self, text: str) -> tuple[float, str]:
        post = Post(source="s", native_id="1", text=text, lang="en", published_at=READ_AT, collected_at=READ_AT)
        (assessment,) = self.pipeline.assess([post], {})
        return assessment.scores["G"], assessment.models["G-en"]


@pytest.fixture(scope="module")
def worker(desk: Desk) -> Worker:
    return Worker(desk.config)


def test_from_the_desk_to_a_model_that_serves_and_back(desk: Desk, worker: Worker, hustings: CommandLine) -> None:
    text = "Women like Mara Tellan are too emotional to lead, go home and raise your kids"
    before, first = worker.score(text)

    # reviews → corpus → model → gates → card; nothing is promoted
    trained = hustings("model", "train", "G-en", "--from-desk", "--config", desk.config, "--key", desk.key, "--json")
    assert trained.status == 0, trained.err
    made = json.loads(trained.out)
    corpus = made["corpus"]
    assert (corpus["name"], corpus["version"], corpus["made_from"]) == ("desk-G-en", "1", "desk")
    assert (corpus["rows"], corpus["positives"]) == (POSTS - 8, desk.positives - 2)
    assert corpus["excluded"] == {"read by one person": 8}
    assert corpus["in_clusters"] > 0
    metrics = {(metric["name"], metric["on"]): metric for metric in made["metrics"]}
    on = "5-fold cross-validation, desk-G-en@1"
    assert metrics["pr_auc", on]["value"] > 0.9
    assert ("recall_lost_leet", on) in metrics
    assert ("pr_auc_gain", f"{on}, against G-en@{first}") in metrics
    assert ("pr_auc", "newest fifth of desk-G-en@1, learnt from what was before") in metrics
    assert any(name.startswith(f"{on}, gender=") for _, name in metrics)
    gates = made["gates"]["checks"]
    assert {check["gate"] for check in gates} >= {"signature", "quality", "calibration", "swaps", "groups", "functions"}
    assert next(check["passed"] for check in gates if check["gate"] == "signature")
    card = Path(made["card"])
    assert card.is_file()
    assert worker.score(text) == (before, first)
    version = made["model"].partition("@")[2]
    assert made["next"][-1].startswith(f"hustings model promote G-en --version {version} --config {desk.config}")

    # no sentence of a reviewed post stands in the card
    pages = card.read_text("utf-8") + card.with_suffix(".md").read_text("utf-8")
    assert not [post.text for post in desk.posts.values() if post.text in pages]

    # promotion: refused without a reason where gates failed, seen by the running worker, taken back
    refused = hustings("model", "promote", "G-en", "--version", version, "--config", desk.config)
    assert refused.status == 2
    assert "gate check(s) failed" in refused.err
    promoted = hustings(
        "model", "promote", "G-en", "--version", version, "--config", desk.config, "--reason", REASON, "--by", "Ines"
    )
    assert promoted.status == 0, promoted.err
    after, second = worker.score(text)
    assert (second, after != before) == (version, True)  # higher or lower: it is calibrated on the desk's own share
    listed = json.loads(hustings("model", "list", "--config", desk.config, "--json").out)
    assert {(one["version"], one["active"]) for one in listed} == {(first, False), (version, True)}
    assert hustings("model", "rollback", "G-en", "--config", desk.config, "--reason", "a trial").status == 0
    assert worker.score(text) == (before, first)

    # what was done stands in the audit chain
    with ExitStack() as closing:
        engine = Stores(desk.config, closing).engine
        rows = {row.action: row for row in audit.latest(engine) if row.action.startswith("model-")}
        assert set(rows) == {"model-promote", "model-rollback"}
        assert json.loads(rows["model-promote"].detail)["reason"] == REASON
        audit.verify(engine)


def test_the_same_reviews_are_the_same_corpus(desk: Desk, hustings: CommandLine) -> None:
    first = json.loads(hustings("corpus", "build", "G-en", "--config", desk.config, "--json").out)
    again = json.loads(hustings("corpus", "build", "G-en", "--config", desk.config, "--json").out)
    assert (again["version"], again["sha256"], again["new"]) == (first["version"], first["sha256"], False)


def test_the_audit_chain_says_that_a_corpus_was_built_of_what_people_wrote(desk: Desk, hustings: CommandLine) -> None:
    built = json.loads(hustings("corpus", "build", "G-en", "--config", desk.config, "--json").out)
    with ExitStack() as closing:
        row = audit.of_action(Stores(desk.config, closing).engine, "corpus-build")[-1]
    assert (row.actor, row.subject) == ("operator", "desk-G-en")
    assert json.loads(row.detail) == {"code": "G", "language": "en", "rows": built["rows"]}


def test_a_random_split_that_near_copies_cross_is_refused(desk: Desk, hustings: CommandLine) -> None:
    answer = hustings("model", "train", "G-en", "--from-desk", "--config", desk.config, "--split", "random")
    assert answer.status == 2
    assert "near-copies but stand on both sides of the split" in answer.err


def test_a_head_about_which_nothing_was_decided_is_not_made(desk: Desk, hustings: CommandLine) -> None:
    answer = hustings("model", "train", "A-THREAT-en", "--from-desk", "--config", desk.config)
    assert answer.status == 2
    assert "nothing to learn from" in answer.err
