"""The whole way from posts to assessments, with the shipped models."""

import shutil
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from classifiers.pipeline import STEPS, Pipeline, open_pipeline, shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import serving
from hustings import wire
from hustings.codebook import Codebook, load_codebook
from hustings.errors import ModelError
from hustings.roster import Person, Roster
from hustings.types import Assessment, Post

NOW = datetime(2026, 10, 1, 8, tzinfo=UTC)
ROSTER = Roster(people=(Person(id="ana", name="Ana Velde", handles=("chatter:ana_velde",)),))
TEXTS = (
    "Reminder!! the vote was moved to Monday, do not bother going on Sunday",
    "Reminder! the vote was moved to Monday, don't bother going on Sunday, pass it on",
    "FALSE: the vote has NOT been moved to Monday, election day is Sunday as always",
    "@ana_velde you stupid bitch, women like you belong in the kitchen",
    "cállate zorra y vuelve a la cocina, la política no es para mujeres",
    "غيروا موعد الانتخابات صارت يوم 21 وليس 20 انشروها",
    "The ferry was late again this morning, welcome to our town",
    "Du bist so ein dummes Stück Scheiße, verpiss dich endlich",
    "",
    "😀",
)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load_codebook(files("configs").joinpath("codebook.toml").read_bytes())


def opened(codebook: Codebook, memory: list[Assessment] | None = None, models: Path | None = None) -> Pipeline:
    return open_pipeline(
        models=serving(models) if models else None,
        roster=ROSTER,
        codebook=codebook,
        languages=("en", "es", "ar", "de"),
        story_memory=memory or [],
        signers=ANYBODY if models else None,
    )


def posts(count: int = len(TEXTS)) -> list[Post]:
    return [
        Post(
            source="s",
            native_id=str(place),
            text=TEXTS[place % len(TEXTS)],
            published_at=NOW,
            collected_at=NOW + timedelta(seconds=place),
        )
        for place in range(count)
    ]


def encoded(assessments: list[Assessment]) -> list[bytes]:
    return [wire.encode(assessment) for assessment in assessments]


def test_a_post_gets_language_targets_flags_scores_story_and_tokens(codebook: Codebook) -> None:
    found = opened(codebook).assess(posts(), {})
    assert [one.lang for one in found] == ["en", "en", "en", "en", "es", "ar", "en", "de", "und", "und"]
    assert [[flag.code for flag in one.flags] for one in found] == [
        ["N-PROC-DATE"],
        ["N-PROC-DATE"],
        ["X-COUNTER"],
        ["G"],
        ["G"],
        ["N-PROC-DATE"],
        [],
        ["A-INSULT"],
        [],
        [],
    ]
    assert [(target.id, target.role) for target in found[3].targets] == [("ana", "aimed_at")]
    assert found[0].story == found[1].story
    assert found[2].story not in {"", found[0].story}
    assert found[6].story == ""
    assert found[0].tokens[:2] == ("reminder", "the")


def test_whom_a_post_answers_changes_nothing_that_is_said_of_it(codebook: Codebook) -> None:
    given = [post for post in posts() if post.text and "@" not in post.text]
    answers = [msgspec.structs.replace(post, text=f"@kestrel_77 @harbourlight {post.text}") for post in given]
    shared = [msgspec.structs.replace(post, text=f"RT @kestrel_77: {post.text}") for post in given]
    pipeline = opened(codebook)
    told = [
        [(one.lang, one.scores, [(flag.code, flag.score) for flag in one.flags]) for one in pipeline.assess(some, {})]
        for some in (given, answers, shared)
    ]
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_one_at_a_time_is_byte_for_byte_the_same_as_512_at_once(codebook: Codebook) -> None:
    given = posts(512)
    whole = encoded(opened(codebook).assess(given, {}))
    single = opened(codebook)
    assert [wire.encode(single.assess([post], {})[0]) for post in given] == whole


def test_a_restart_with_the_stored_assessments_goes_on_the_same(codebook: Codebook) -> None:
    given = posts(40)
    uninterrupted = opened(codebook).assess(given, {})
    before = opened(codebook).assess(given[:17], {})
    after = opened(codebook, memory=before).assess(given[10:], {})
    assert encoded([*before[:10], *after]) == encoded(uninterrupted)


def test_the_first_collection_is_the_ingest_time(codebook: Codebook) -> None:
    earlier = NOW - timedelta(days=1)
    known, new = opened(codebook).assess(posts(2), {"s:0": earlier})
    assert (known.ingested_at, new.ingested_at) == (earlier, NOW + timedelta(seconds=1))


def test_what_the_analyser_took_away_is_counted(codebook: Codebook) -> None:
    post = Post(source="s", native_id="1", text="v\u200bote", title="o\u200bn", published_at=NOW, collected_at=NOW)
    assert opened(codebook).assess([post], {})[0].removed == 2


def test_no_posts_give_no_assessments(codebook: Codebook) -> None:
    assert opened(codebook).assess([], {}) == []


def test_steps_stand_in_the_order_in_which_they_depend_on_each_other(codebook: Codebook) -> None:
    names = [step.name for step in opened(codebook).steps]
    assert len(names) == len(STEPS)
    assert names == [
        "language",
        "roster-links",
        "linear-heads",
        "encoder",
        "meaning",
        "narratives",
        "targets",
        "claims",
        "stories",
    ]


def test_a_model_that_gives_a_code_for_people_only_is_refused(codebook: Codebook, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped_models() / "G-hi", tmp_path / "G-hi"))
    tree = msgspec.json.decode((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(msgspec.json.encode({**tree, "code": "T-FALSE"}))
    with pytest.raises(ModelError, match="T-FALSE"):
        opened(codebook, models=tmp_path)


def test_a_model_made_for_another_analyser_is_named(codebook: Codebook, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped_models() / "G-hi", tmp_path / "G-hi"))
    tree = msgspec.json.decode((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(msgspec.json.encode({**tree, "analyser": "0" * 64}))
    assert opened(codebook, models=tmp_path).stale == ("G-hi",)
    assert opened(codebook).stale == ()


def test_a_folder_of_models_that_is_not_there_is_told(codebook: Codebook, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        opened(codebook, models=tmp_path / "nowhere")
