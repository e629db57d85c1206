"""Versions side by side, promotion and rollback, and what a running worker makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine

from classifiers.gates.company import company_checks, silent_encoders
from classifiers.gates.record import Check, GateRecord, write_record
from classifiers.manifest import hash_of_manifest, manifest_bytes
from classifiers.pipeline import Pipeline, open_pipeline
from classifiers.signing import SIGNATURE, Signers, sign
from classifiers.store import ACTIVE, ModelStore
from desk import audit
from desk.database.connect import open_database
from hustings.clock import VirtualClock
from hustings.errors import ConfigError, ModelError
from hustings.roster import Roster
from hustings.types import Post
from runtime import promotion
from runtime.build import codebook
from runtime.events import open_events
from runtime.live_models import LivePipeline
from tests.model_folders import Keys, make_head
from tests.tiny_encoder import head, with_version, write_encoder

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AT = "2026-11-01T00:00:00Z"
CLOCK = VirtualClock(NOW)
REASON = "the old one misses the new insult"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


@pytest.fixture
def store(tmp_path: Path, keys: Keys) -> ModelStore:
    """G-en in service as it lies there, and two versions that wait."""
    own = tmp_path / "models"
    make_head(own / "G-en", "clown", keys=keys, version="1")
    make_head(own / "G-en@2", "muppet", keys=keys, version="2")
    make_head(own / "G-en@3", "donkey", keys=keys, version="3")
    return ModelStore(own)


def gated(store: ModelStore, version: str, *checks: Check) -> None:
    """The gates were run on that version, with these checks."""
    stored = store.find("G-en", version)
    record = GateRecord(
        model="G-en",
        version=version,
        manifest=hash_of_manifest(stored.folder),
        code_version="0",
        at=AT,
        suites={},
        seconds_a_thousand=0.01,
        checks=checks,
    )
    write_record(stored.folder, record)


def check(*, passed: bool, excused: str = "") -> Check:
    return Check(
        gate="functions",
        subject="abuse: slur",
        language="en",
        value=0.25,
        limit=0.5,
        at_least=True,
        passed=passed,
        excused=excused,
    )


def promote(
    store: ModelStore, version: str, keys: Keys, *, reason: str = "", engine: Engine | None = None
) -> promotion.Changed:
    return promotion.promote(
        store,
        store.find("G-en", version),
        signers=keys.signers,
        by="Ines",
        reason=reason,
        clock=CLOCK,
        engine=engine,
    )


def active(store: ModelStore) -> str:
    return store.find("G-en").manifest.version


# ── the store ──


def test_a_folder_without_a_version_in_its_name_serves_as_it_lies_there(store: ModelStore) -> None:
    assert {name: path.name for name, path in store.serving().items()} == {"G-en": "G-en"}
    assert [(one.manifest.version, one.is_active) for one in store.versions()] == [
        ("1", True),
        ("2", False),
        ("3", False),
    ]
    assert store.next_version("G-en") == "4"
    assert store.next_version("A-INSULT-en") == "1"


def test_two_trainings_at_once_make_two_versions(store: ModelStore) -> None:
    with store.reserve("G-en") as first, store.reserve("G-en") as second:
        assert [(one.folder.name, one.version) for one in (first, second)] == [("G-en@4", "4"), ("G-en@5", "5")]
    assert [one.manifest.version for one in store.versions("G-en")] == ["1", "2", "3"]


@pytest.mark.parametrize("why", [OSError("no space left"), KeyboardInterrupt()])
def test_of_a_version_that_was_not_finished_nothing_stays(store: ModelStore, why: BaseException) -> None:
    def fill(folder: Path) -> None:
        (folder / "manifest.json").write_text("half")
        raise why

    with pytest.raises(type(why)), store.reserve("G-en") as reserved:
        fill(reserved.folder)
    assert not (store.own / "G-en@4").exists()
    assert store.next_version("G-en") == "4"


def test_the_last_promotion_serves_and_rollbacks_go_back_step_by_step(store: ModelStore) -> None:
    for version in ("2", "3"):
        store.promote(store.find("G-en", version), at=AT, by="Ines")
    assert store.serving()["G-en"].name == "G-en@3"
    store.rollback("G-en", at=AT, by="Ines")
    assert active(store) == "2"
    store.promote(store.find("G-en", "3"), at=AT, by="Ines")
    store.rollback("G-en", at=AT, by="Ines")
    store.rollback("G-en", at=AT, by="Ines")
    assert active(store) == "1"
    assert [step.action for step in store.history("G-en")] == [
        "initial",
        "promote",
        "promote",
        "rollback",
        "promote",
        "rollback",
        "rollback",
    ]
    with pytest.raises(ConfigError, match="no promotion to take back"):
        store.rollback("G-en", at=AT, by="Ines")


def test_a_name_that_nothing_served_before_serves_nothing_after_a_rollback(tmp_path: Path, keys: Keys) -> None:
    make_head(tmp_path / "models" / "G-en@1", "clown", keys=keys)
    store = ModelStore(tmp_path / "models")
    assert store.serving() == {}
    store.promote(store.find("G-en", "1"), at=AT, by="Ines")
    assert list(store.serving()) == ["G-en"]
    store.rollback("G-en", at=AT, by="Ines")
    assert store.serving() == {}
    store.promote(store.find("G-en", "1"), at=AT, by="Ines")
    assert list(store.serving()) == ["G-en"]


def test_our_own_store_lies_over_the_shipped_models(tmp_path: Path, keys: Keys, store: ModelStore) -> None:
    layered = ModelStore(tmp_path / "own", base=store.own)
    assert layered.serving()["G-en"] == store.own / "G-en"
    make_head(tmp_path / "own" / "G-en@9", "goose", keys=keys, version="9")
    layered.promote(layered.find("G-en", "9"), at=AT, by="Ines")
    assert layered.serving()["G-en"] == tmp_path / "own" / "G-en@9"
    assert ModelStore(store.own).serving()["G-en"] == store.own / "G-en"
    layered.rollback("G-en", at=AT, by="Ines")
    assert layered.serving()["G-en"] == store.own / "G-en"


def test_after_a_rollback_to_what_is_shipped_an_upgrade_of_it_serves(
    tmp_path: Path, keys: Keys, store: ModelStore
) -> None:
    layered = ModelStore(tmp_path / "own", base=store.own)
    make_head(layered.own / "G-en@9", "goose", keys=keys, version="9")
    layered.promote(layered.find("G-en", "9"), at=AT, by="Ines")
    layered.rollback("G-en", at=AT, by="Ines")
    make_head(store.own / "G-en", "jester", keys=keys, version="4")  # the next Hustings
    assert (layered.serving()["G-en"], active(layered)) == (store.own / "G-en", "4")
    with pytest.raises(ConfigError, match="no promotion to take back"):
        layered.rollback("G-en", at=AT, by="Ines")
    former = layered.promote(layered.find("G-en", "9"), at=AT, by="Ines")
    assert former is not None
    assert former.version == "4"


def test_an_upgrade_beneath_a_promotion_serves_once_that_is_taken_back(
    tmp_path: Path, keys: Keys, store: ModelStore
) -> None:
    layered = ModelStore(tmp_path / "own", base=store.own)
    make_head(layered.own / "G-en@9", "goose", keys=keys, version="9")
    layered.promote(layered.find("G-en", "9"), at=AT, by="Ines")
    make_head(store.own / "G-en", "jester", keys=keys, version="4")
    assert active(layered) == "9"
    assert layered.without_last("G-en")["G-en"] == store.own / "G-en"
    _, before = layered.rollback("G-en", at=AT, by="Ines")
    assert before is not None
    assert (before.version, active(layered)) == ("4", "4")


def test_a_promoted_version_that_was_replaced_or_removed_is_not_served(store: ModelStore, keys: Keys) -> None:
    store.promote(store.find("G-en", "2"), at=AT, by="Ines")
    make_head(store.own / "G-en@2", "anything", keys=keys, version="2")
    with pytest.raises(ModelError, match="no folder holds the manifest"):
        store.serving()


def test_what_is_not_there_is_told_with_what_is(store: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"no version '7'; there are 1 \(active\), 2, 3"):
        store.find("G-en", "7")
    with pytest.raises(ModelError, match="no model 'G-xx'; there are G-en"):
        store.find("G-xx")
    with pytest.raises(ModelError, match="no such folder"):
        ModelStore(store.own / "nowhere").serving()


STEP = b'{"action": "rollback", "version": "1", "manifest": "%s", "at": "", "by": ""}' % (b"0" * 64)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'{"models": 3}', "Expected `object`, got `int`"),
        (b'{"models": {"\xff": []}}', "not UTF-8 at byte 14"),
        (b'{"models": {}, "models": {}}', "the key 'models' stands twice"),
        (b'{"models": {"G-en": [%s]}}' % STEP, "G-en: step 1 is a rollback, and no step is left to take back"),
    ],
)
def test_a_spoilt_list_of_promotions_is_an_error_that_names_the_file(store: ModelStore, raw: bytes, told: str) -> None:
    (store.own / ACTIVE).write_bytes(raw)
    for read in (store.serving, store.survey):
        with pytest.raises(ModelError, match=rf"active\.json: .*{re.escape(told)}"):
            read()


# ── one spoilt folder ──


def cut(folder: Path) -> None:
    """Half of the manifest, as after a copy that broke off."""
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:200])


def test_a_spoilt_version_that_waits_says_nothing_about_the_others(store: ModelStore) -> None:
    cut(store.own / "G-en@3")
    assert [one.manifest.tag for one in store.versions()] == ["G-en@1", "G-en@2"]
    (bad,) = store.survey().unreadable
    assert (bad.name, bad.folder.name, bad.serves) == ("G-en", "G-en@3", False)
    assert "manifest.json" in bad.problem
    assert active(store) == "1"
    assert store.next_version("G-en") == "4"
    with pytest.raises(ModelError, match=r"G-en@3/manifest\.json"):
        store.find("G-en", "3")


def test_the_cure_of_a_spoilt_version_that_serves_can_be_found_and_promoted(store: ModelStore, keys: Keys) -> None:
    store.promote(store.find("G-en", "2"), at=AT, by="Ines")
    make_head(store.own / "CW-en", "clown", keys=keys, name="CW-en")
    cut(store.own / "G-en@2")
    assert [(one.manifest.tag, one.is_active) for one in store.versions()] == [
        ("CW-en@1", True),
        ("G-en@1", False),
        ("G-en@3", False),
    ]
    assert {(bad.folder.name, bad.serves) for bad in store.survey("G-en").unreadable} == {
        ("G-en@2", False),
        (ACTIVE, True),
    }
    assert store.find("CW-en").manifest.version == "1"
    with pytest.raises(ModelError, match="no folder holds the manifest"):
        store.find("G-en")
    store.promote(store.find("G-en", "3"), at=AT, by="Ines")
    assert active(store) == "3"


def test_a_spoilt_model_that_serves_by_lying_there_is_named(store: ModelStore) -> None:
    cut(store.own / "G-en")
    assert [(bad.folder.name, bad.serves) for bad in store.survey().unreadable] == [("G-en", True)]
    with pytest.raises(ModelError, match=r"G-en/manifest\.json"):
        store.find("G-en")


# ── promotion ──


def test_a_version_that_passed_its_gates_is_promoted_and_the_audit_knows(
    store: ModelStore, keys: Keys, desk_url: str
) -> None:
    gated(store, "2", check(passed=True), check(passed=False, excused="known since the first release"))
    engine = open_database(desk_url)
    try:
        assert promote(store, "2", keys, engine=engine) == ("G-en", "2", "1", (), ())
        promotion.rollback(store, "G-en", by="Ines", reason="", clock=CLOCK, engine=engine)
        rows = [row for row in reversed(audit.latest(engine)) if row.action.startswith("model-")]
        assert [(row.action, row.subject) for row in rows] == [("model-promote", "G-en"), ("model-rollback", "G-en")]
        assert json.loads(rows[0].detail)["version"] == "2"
        assert audit.verify(engine) >= 2
    finally:
        engine.dispose()


def test_a_failed_gate_needs_a_reason_which_is_recorded(store: ModelStore, keys: Keys) -> None:
    gated(store, "2", check(passed=False))
    with pytest.raises(ConfigError, match="functions: abuse: slur"):
        promote(store, "2", keys)
    with pytest.raises(ConfigError, match="at least 12 letters"):
        promote(store, "2", keys, reason="because")
    assert active(store) == "1"
    assert promote(store, "2", keys, reason=REASON).failed == ("functions: abuse: slur (en) is 0.25",)
    step = store.history("G-en")[-1]
    assert (step.by, step.reason, step.failed) == ("Ines", REASON, ("functions: abuse: slur (en) is 0.25",))


def test_without_gates_or_with_those_of_another_manifest_a_reason_is_needed(store: ModelStore, keys: Keys) -> None:
    with pytest.raises(ConfigError, match="no gates were run on G-en@2"):
        promote(store, "2", keys)
    gated(store, "2", check(passed=True))
    (store.own / "G-en@2" / "gates.json").replace(store.own / "G-en@3" / "gates.json")
    with pytest.raises(ConfigError, match="no gates were run on G-en@3"):
        promote(store, "3", keys)


@pytest.mark.parametrize("reason", ["", REASON])
def test_no_reason_puts_an_unsigned_version_into_service(store: ModelStore, keys: Keys, reason: str) -> None:
    gated(store, "2", check(passed=True))
    (store.own / "G-en@2" / SIGNATURE).unlink()
    with pytest.raises(ModelError, match="not signed"):
        promote(store, "2", keys, reason=reason)
    with pytest.raises(ModelError, match="not trusted here"):
        promotion.promote(
            store, store.find("G-en", "3"), signers=Signers(()), by="", reason=REASON, clock=CLOCK, engine=None
        )


def test_what_serves_already_is_not_promoted_again(store: ModelStore, keys: Keys) -> None:
    promote(store, "2", keys, reason=REASON)
    with pytest.raises(ConfigError, match="G-en@2 serves already"):
        promote(store, "2", keys, reason=REASON)


# ── an encoder beside ──


@pytest.fixture
def heard(store: ModelStore, keys: Keys) -> ModelStore:
    """An encoder in service that was joined with G-en@1, and one that waits, joined with G-en@3."""
    for folder, version in (("encoder-en", "1"), ("encoder-en@3", "3")):
        path = write_encoder(store.own / folder, (with_version(head("G", "G-en", 0), version),))
        (path / SIGNATURE).write_bytes(sign(manifest_bytes(path), keys.private))
    for version in ("2", "3"):
        gated(store, version, check(passed=True))
    return store


def test_whoever_promotes_a_head_must_say_why_the_encoder_beside_it_may_fall_silent(
    heard: ModelStore, keys: Keys, desk_url: str
) -> None:
    told = (
        "encoder-en@1 falls silent for G: it was joined with G-en@1, not with G-en@2; join it anew (needs no torch): "
    )
    command = "hustings model join encoder-en --beside G-en@2"
    with pytest.raises(ConfigError, match=f"G-en@2: not promoted; {re.escape(told + command)}"):
        promote(heard, "2", keys)
    assert active(heard) == "1"
    engine = open_database(desk_url)
    try:
        assert promote(heard, "2", keys, reason=REASON, engine=engine).silenced == (told + command,)
        row = next(row for row in audit.latest(engine) if row.action == "model-promote")
        assert json.loads(row.detail)["silenced"] == [told + command]
    finally:
        engine.dispose()
    assert heard.history("G-en")[-1].failed == (told + command,)


def test_an_encoder_that_lies_there_and_fits_is_named_in_place_of_a_new_one(heard: ModelStore, keys: Keys) -> None:
    (line,) = promote(heard, "3", keys, reason=REASON).silenced
    assert line.endswith("not with G-en@3; then: hustings model promote encoder-en --version 3")


def test_a_rollback_that_silences_an_encoder_needs_a_reason_too(heard: ModelStore, keys: Keys) -> None:
    promote(heard, "3", keys, reason=REASON)
    heard.promote(heard.find("encoder-en", "3"), at=AT, by="Ines")
    with pytest.raises(ConfigError, match=r"G-en: not rolled back; encoder-en@3 falls silent .* --version 1\nsay why"):
        promotion.rollback(heard, "G-en", by="Ines", reason="", clock=CLOCK, engine=None)
    assert active(heard) == "3"
    changed = promotion.rollback(heard, "G-en", by="Ines", reason=REASON, clock=CLOCK, engine=None)
    assert (active(heard), len(changed.silenced)) == ("1", 1)
    assert promotion.rollback(heard, "encoder-en", by="Ines", reason="", clock=CLOCK, engine=None).silenced == ()


def test_gates_name_the_encoder_and_the_heads_with_which_a_version_cannot_be_scored(heard: ModelStore) -> None:
    make_head(heard.own / "A-INSULT-en", "goose", name="A-INSULT-en", seed=7)
    stored = heard.find("G-en", "2")
    refused, silent = company_checks(stored.manifest, stored.folder, heard.serving())
    assert (refused.passed, refused.detail) == (False, "heads scored together need one hash seed; found [5, 7]")
    assert (silent.passed, silent.subject) == (False, "encoder-en@1 beside G-en")
    assert silent.detail.endswith("join it anew: hustings model join encoder-en --beside G-en@2")
    record = GateRecord(
        model="G-en",
        version="2",
        manifest="",
        code_version="0",
        at=AT,
        suites={},
        seconds_a_thousand=0.0,
        checks=(refused, silent),
    )
    assert silent_encoders(record) == ["encoder-en"]
    serves = heard.find("G-en")
    assert [one.passed for one in company_checks(serves.manifest, serves.folder, {})] == [True, True]


# ── a running worker ──


class Worker:
    """A pipeline as the analyze loop holds it."""

    def __init__(self, store: ModelStore, signers: Signers) -> None:
        self.lines = StringIO()
        self._store, self._signers = store, signers
        self.pipeline = LivePipeline(
            state=store.state, open_with=self._open, events=open_events(loop="analyze", style="json", stream=self.lines)
        ).open()

    def _open(self, former: Pipeline | None) -> Pipeline:
        return open_pipeline(
            models=self._store.serving(),
            roster=Roster(),
            codebook=codebook(),
            languages=("en",),
            signers=self._signers,
            former=former,
        )

    def flags(self, text: str) -> list[str]:
        post = Post(source="s", native_id=text, text=text, lang="en", published_at=NOW, collected_at=NOW)
        return [flag.classifier for flag in self.pipeline.assess([post], {})[0].flags]

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines.getvalue().splitlines()]


TEXT = "that {} should never have been elected to the town council by anybody"


def test_a_promotion_and_a_rollback_are_seen_at_the_next_post(store: ModelStore, keys: Keys) -> None:
    worker = Worker(store, keys.signers)
    assert worker.flags(TEXT.format("clown")) == ["G-en@1"]
    assert worker.flags(TEXT.format("muppet")) == []
    promote(store, "2", keys, reason=REASON)
    assert worker.flags(TEXT.format("muppet")) == ["G-en@2"]
    store.rollback("G-en", at=AT, by="Ines")
    assert worker.flags(TEXT.format("muppet")) == []
    assert worker.flags(TEXT.format("clown")) == ["G-en@1"]
    assert worker.events() == ["models_changed", "models_changed"]


def spoil(folder: Path) -> None:
    (folder / SIGNATURE).unlink()


def truncate(folder: Path) -> None:
    path = next(folder.glob("weights*"))
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [spoil, truncate])
def test_a_promoted_version_that_cannot_be_opened_leaves_the_serving_one_in_place(
    store: ModelStore, keys: Keys, damage: Callable[[Path], None]
) -> None:
    worker = Worker(store, keys.signers)
    stored = store.find("G-en", "2")
    damage(stored.folder)
    store.promote(stored, at=AT, by="somebody who went around the command")
    for _ in range(3):
        assert worker.flags(TEXT.format("clown")) == ["G-en@1"]
    assert worker.events() == ["models_refused"]
    store.rollback("G-en", at=AT, by="Ines")
    assert worker.flags(TEXT.format("clown")) == ["G-en@1"]


def test_stories_are_remembered_across_a_promotion(store: ModelStore, keys: Keys) -> None:
    worker = Worker(store, keys.signers)
    posts = [
        Post(
            source="s",
            native_id=str(n),
            text=TEXT.format("clown muppet"),
            lang="en",
            published_at=NOW,
            collected_at=NOW,
        )
        for n in range(2)
    ]
    (before,) = worker.pipeline.assess(posts[:1], {})
    promote(store, "2", keys, reason=REASON)
    (after,) = worker.pipeline.assess(posts[1:], {})
    assert before.story == after.story != ""
