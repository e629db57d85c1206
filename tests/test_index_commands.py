"""The index is derived: made anew from the log it is the same, what is missing in it is found, and other models say
what they would have flagged otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import cast

import msgspec
import pytest

from alerts.rules import load_rules
from classifiers.pipeline import Pipeline
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Index, Record
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Assessment, Flag
from index.sqlite import SqliteIndex
from runtime import build
from runtime.config import Config, load_config
from runtime.differences import Differences
from runtime.index_sets import make_set, open_set
from runtime.only_one import only_one
from runtime.refill import Period, refill_hits, refill_posts
from runtime.rule_changes import EditedRules
from runtime.verify_index import verify_index
from tests.command_line import CommandLine, command_line
from tests.loops_world import ALL, CALM, QUIET, RULES, SUNDAY, LoopsWorld, Poisonous, Refusing, at, post

EDITED = RULES.replace("gte = 3", "gte = 4")

hustings = pytest.fixture(command_line)


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as opened:
        world = LoopsWorld(tmp_path, desk_url, opened, posts=2, hits=2)
        world.append(*SUNDAY, *CALM, post(1, "an edit", minutes=30, revision=5))
        world.log.append("posts", [Record("broken", b"{"), Record("e:9", wire.encode(post(9, "poison")))])
        world.run_to_the_end()
        yield world


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Index]:
    with closing(SqliteIndex(tmp_path / "fresh").open()) as index:
        yield index


def stored(index: Index) -> list[Assessment]:
    return index.search(ALL, limit=500).assessments


def test_an_index_made_anew_from_the_log_is_the_same(world: LoopsWorld, fresh: Index) -> None:
    filled = refill_posts(world.log, fresh, Pipeline([Poisonous()]).assess, period=Period())
    refill_hits(world.log, fresh)
    assert stored(fresh) == stored(world.index)
    assert (fresh.books(), fresh.positions("posts")) == (world.index.books(), world.index.positions("posts"))
    keys = [one.key for one in stored(fresh)]
    assert fresh.former_hits(keys) == world.index.former_hits(keys)
    assert filled.dead == world.index.books()["dead_letters"]


def test_a_hit_that_the_index_never_takes_stops_no_rebuild(world: LoopsWorld, fresh: Index) -> None:
    refused = {hit.id for hit in world.hits() if hit.key == SUNDAY[0].key}
    written = refill_hits(world.log, cast("Index", Refusing(fresh, SUNDAY[0].key)))
    assert written == len(world.hits()) - len(refused) < len(world.hits())
    assert fresh.positions("hits") == world.index.positions("hits")
    assert SUNDAY[2].key in {hit.key for hit in fresh.former_hits([post.key for post in SUNDAY])}


def test_a_sound_index_is_found_sound(world: LoopsWorld) -> None:
    found = verify_index(world.log, world.index)
    assert (found.sound, found.problems, found.unread) == (True, [], 0)
    assert found.posts == len(SUNDAY) + len(CALM) + 1


def test_a_post_that_is_missing_in_the_index_is_named(world: LoopsWorld, fresh: Index) -> None:
    kept = [one for one in stored(world.index) if one.key != CALM[0].key]
    fresh.write(kept, log_id=world.log.id, positions=world.index.positions("posts"))
    found = verify_index(world.log, fresh)
    assert (found.sound, found.missing_posts, found.examples[0]) == (False, 1, CALM[0].key)
    assert "do not balance" in found.problems[0]


def test_hits_that_are_missing_in_the_index_are_counted(world: LoopsWorld, fresh: Index) -> None:
    refill_posts(world.log, fresh, Pipeline([Poisonous()]).assess, period=Period())
    fresh.write_hits([], log_id=world.log.id, positions=world.index.positions("hits"))
    found = verify_index(world.log, fresh)
    keys = [one.key for one in stored(world.index)]
    assert (found.missing_posts, found.missing_hits) == (0, len(world.index.former_hits(keys)))
    assert found.missing_hits > 0


class Flagging:
    """Other models: whatever holds a word is fraud."""

    name, version = "other", "2"

    def __init__(self, word: str) -> None:
        self._word = word

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [
            msgspec.structs.replace(
                one,
                flags=(Flag(code="N-DELEG-FRAUD", score=0.9),) if self._word in one.tokens else (),
                models={self.name: self.version},
            )
            for one in assessments
        ]


def test_a_period_is_rescored_beside_the_live_index_and_the_differences_are_told(
    world: LoopsWorld, fresh: Index
) -> None:
    differences = Differences(world.index)
    period = Period(start=CALM[0].collected_at)
    word = world.index.get([CALM[0].key])[CALM[0].key].tokens[0]
    filled = refill_posts(world.log, fresh, Pipeline([Flagging(word)]).assess, period=period, each=differences.add)
    report = differences.report()
    assert 0 < filled.written == report.compared + report.only_in_replay
    (code,) = [one for one in report.codes if one.code == "N-DELEG-FRAUD"]
    assert code.gained >= 1
    assert CALM[0].key in code.gained_examples
    assert report.replay_models == {"other": "2"}
    assert fresh.positions("posts") == {}, "a period is not the whole log: it must not pass for a live index"
    assert all(one.post.collected_at >= period.start for one in stored(fresh))
    assert stored(world.index), "the live index is as it was"


# ── the commands, on a deployment in a folder ────────────────────────────────────────────────────────────────────


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hustings.toml"
    path.write_text('[deployment]\nname = "Test"\nclock = "replay"\n')
    (tmp_path / "var").mkdir()
    loaded = load_config(path)
    with closing(build.open_log(loaded, SystemClock())) as log:
        log.append("posts", [Record(one.key, wire.encode(one)) for one in (*SUNDAY, *CALM)])
    return path


def test_a_rebuild_fills_an_empty_index_and_verify_finds_nothing_missing(config: Path, hustings: CommandLine) -> None:
    assert hustings("index", "create", config).status == 0
    assert hustings("index", "check", config).out == "the index is as it must be\n"
    rebuilt = json.loads(hustings("index", "rebuild", config, "--json").out)
    assert rebuilt["posts"] == {"read": 8, "written": 8, "dead": 0}
    verified = hustings("index", "verify", config, "--json")
    assert (verified.status, json.loads(verified.out)["sound"]) == (0, True)
    assert sorted(path.name for path in (config.parent / "var").iterdir() if "index" in path.name) == ["index"]


def was_rematched(config: Config, rules: str) -> bool:
    """Whether a start of `watch` with these rules would write hits of the posts of before."""
    ruleset = load_rules({"r.toml": rules}, vocabulary=query_vocabulary(), now=at(0), required=False)
    with ExitStack() as opened:
        log = opened.enter_context(closing(build.open_log(config, SystemClock())))
        index = opened.enter_context(closing(build.open_index(config)))
        engine = build.open_engine(config)
        opened.callback(engine.dispose)
        memory = build.open_memory(engine)
        edited = EditedRules(ruleset, index=index, log=log, memory=memory, events=QUIET)
        return edited.rematch(lambda hits: index.write_hits(hits, log_id=log.id))


def was_rematched_when_edited(config: Config) -> bool:
    found = [was_rematched(config, rules) for rules in (RULES, EDITED, EDITED)]
    return found == [False, True, False]


def test_an_index_made_anew_gives_rules_that_were_edited_their_past_again(config: Path, hustings: CommandLine) -> None:
    loaded = load_config(config)
    assert was_rematched_when_edited(loaded)
    assert hustings("index", "rebuild", config).status == 0
    assert [was_rematched(loaded, EDITED) for _ in range(2)] == [True, False]


def test_after_a_move_rules_that_were_edited_get_their_past_in_the_new_index(
    config: Path, hustings: CommandLine
) -> None:
    assert was_rematched_when_edited(load_config(config))
    target = config.with_name("target.toml")
    target.write_text(config.read_text().replace("[deployment]\n", '[deployment]\ndata = "elsewhere"\n'))
    for store in ("log", "index", "desk"):
        done = hustings("move", store, config, target)
        assert done.status == 0, done.err
    assert [was_rematched(load_config(target), EDITED) for _ in range(2)] == [True, False]
    assert not was_rematched(load_config(config), EDITED)


def test_a_replay_beside_a_live_index_can_be_looked_at_and_dropped(config: Path, hustings: CommandLine) -> None:
    hustings("index", "rebuild", config)
    end = at(0).isoformat()
    done = hustings("replay", config, "--into", "june", "--to", end, "--json")
    assert json.loads(done.out)["whole"] is False
    with closing(open_set(load_config(config), "june")) as index:
        assert all(one.post.collected_at < at(0) for one in stored(index))
    assert hustings("replay", config, "--into", "june").err.endswith("`hustings index drop june` deletes it\n")
    assert hustings("index", "drop", "june", config).out == "deleted 'june'\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--into", "a", "--from", "yesterday"], "--from: 'yesterday' is no time"),
        (["--into", "a", "--from", "2027-03-14T00:00:00"], "needs a time zone"),
        (["--into", "a", "--from", "2027-03-14T00:00:00Z", "--to", "2027-03-13T00:00:00Z"], "is not after"),
        (["--into", "a", "--to", "2027-03-13T00:00:00Z", "--switch"], "--switch needs the whole log"),
        (["--into", "../x"], "cannot be the name of an index set"),
    ],
)
def test_a_replay_that_makes_no_sense_says_why(
    config: Path, hustings: CommandLine, arguments: list[str], says: str
) -> None:
    done = hustings("replay", config, *arguments)
    assert done.status == 2
    assert says in done.err


def test_an_index_in_the_data_folder_is_not_replaced_while_the_loops_run(config: Path, hustings: CommandLine) -> None:
    make_set(load_config(config), "new")
    with only_one(config.parent / "var"):
        done = hustings("index", "rebuild", config, "--into", "other")
    assert (done.status, "another `hustings run` is at work" in done.err) == (2, True)
