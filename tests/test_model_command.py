import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs
from typer.testing import CliRunner

from classifiers.encoder.model import load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.linear.model import load_heads
from classifiers.linear.step import LinearHeads
from classifiers.manifest import read_manifest, write_manifest
from classifiers.narratives.seeds import load_seeds
from classifiers.pipeline import analysed, shipped_models
from classifiers.signing import ANYBODY, load_signers
from classifiers.store import ModelStore
from classifiers.training.corpus_store import Row, store_corpus
from classifiers.training.stages import each_fold
from hustings.errors import ConfigError, ModelError
from hustings.types import Post
from runtime.build import model_signers
from runtime.commands.model import app
from runtime.config import load_config
from runtime.init import Answers, write_election
from runtime.model_making import corpora_of
from tests.command_line import CommandLine, command_line
from tests.few_seeds import package_with_few_seeds
from tests.model_folders import Keys, make_head, manifest_of

NOW = datetime(2026, 10, 1, tzinfo=UTC)
ROWS = [
    {"text": "she is a stupid bitch who belongs in the kitchen", "label": "yes", "who": "a"},
    {"text": "the ferry was late again this morning", "label": "no", "who": "b"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder of models with a version of G-en that serves, and one that waits."""
    models = tmp_path / "models"
    make_head(models / "G-en", "clown", version="1")
    make_head(models / "G-en@2", "muppet", version="2")
    return models


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_score_prints_one_bare_number_a_line_in_order(rows: Path) -> None:
    high, low = (json.loads(line) for line in run("score", "G-en", "--data", rows, "--json").splitlines())
    assert 1 >= high > 0.9 > 0.3 > low >= 0


def test_a_linear_head_scores_as_in_the_pipeline_beside_its_encoder(tmp_path: Path) -> None:
    said = [
        "women like her should not be let near a ballot box",
        "she got the seat on her back, everyone knows it",
        "the ferry was late again this morning",
        "shut up you ugly cow",
    ]
    folders = ModelStore(shipped_models()).serving()
    heads = load_heads([folders[name] for name in ("G-en", "G-THR-en")], signers=ANYBODY)
    posts = [Post(source="s", native_id=text, text=text, published_at=NOW, collected_at=NOW) for text in said]
    linear = LinearHeads(heads).classify([structs.replace(one, lang="en") for one in analysed(posts, {})])
    encoders = load_encoders([folders["encoder-en"]], signers=ANYBODY)
    read = Encoders(encoders, heads, EncoderSettings()).classify(linear)
    assert any(one.scores != other.scores for one, other in zip(linear, read, strict=True))
    path = tmp_path / "said.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in said))
    for code in ("G", "G-THR"):
        for more, wanted in (((), read), (("--alone",), linear)):
            found = [json.loads(line) for line in run("score", f"{code}-en", "--data", path, "--json", *more).split()]
            assert found == [one.scores[code] for one in wanted]


def test_a_linear_head_is_evaluated_as_it_serves_or_alone(rows: Path, two: Path) -> None:
    arguments = ("--data", rows, "--label", "label", "--positive", "yes")
    served, alone = (json.loads(run("evaluate", "G-en", *arguments, "--json", *more))[0] for more in ((), ("--alone",)))
    folders = ModelStore(shipped_models()).serving()
    encoder = load_encoders([folders["encoder-en"]], signers=ANYBODY)[0]
    assert served["by"] == f"{alone['by']}+{encoder.label}"
    assert served["threshold"] == encoder.heads[0].threshold.value
    assert alone["threshold"] == read_manifest(folders["G-en"]).threshold.value
    assert json.loads(run("evaluate", "G-en", *arguments, "--models", two, "--json"))[0]["by"] == "G-en@1"


def test_narratives_can_be_asked_too(rows: Path) -> None:
    assert len(run("score", "N-en", "--data", rows, "--json").splitlines()) == 2


def test_list_gives_name_language_threshold_data_and_metrics() -> None:
    found = {model["name"]: model for model in json.loads(run("list", "--json"))}
    assert found["G-en"]["head"] == "G-en"
    assert found["G-en"]["language"] == "en"
    assert found["G-en"]["threshold"]["value"] > 0
    assert found["G-en"]["data"][0]["licence"] == "CC0-1.0"
    assert {"macro_f1", "pr_auc", "ece"} <= {metric["name"] for metric in found["G-en"]["metrics"]}
    assert "G-en" in run("list")


def test_list_tells_the_threshold_of_a_head_and_that_of_its_encoder() -> None:
    found = {model["name"]: model for model in json.loads(run("list", "--json"))}
    encoder = load_encoders([shipped_models() / "encoder-en"], signers=ANYBODY)[0]
    assert found["G-en"]["with_encoder"] == {"model": encoder.label, "threshold": encoder.heads[0].threshold.value}
    assert "with_encoder" not in found["G-hi"]
    assert encoder.label in run("list")


def test_evaluate_measures_the_whole_and_each_group(rows: Path) -> None:
    arguments = ("--data", rows, "--label", "label", "--positive", "yes", "--group", "who")
    found = json.loads(run("evaluate", "G-en", *arguments, "--json"))
    assert {metric["on"] for metric in found} == {"rows.jsonl", "who=a", "who=b"}
    assert next(m["value"] for m in found if m["name"] == "macro_f1" and m["on"] == "rows.jsonl") == 1.0
    assert "macro_f1" in run("evaluate", "G-en", *arguments)


# ── a model of narratives, from a few of our seeds ──

TRAIN_TWICE = """
import sys
from pathlib import Path
from classifiers.training.order import Order
from classifiers.training.train import train
from runtime.cli import main
aside, *command = sys.argv[1:]
train("N-es", Order(Path(), Path(aside), "1", "a test", "2026-10-01"), tell=lambda stage: print(stage, file=sys.stderr))
main(command)
"""
"""As a function that tells its stages, and as a command, which in one process is quick the second time."""


class Trained(NamedTuple):
    """What the command said, what the function told, and where the model is."""

    said: dict[str, Any]
    stages: list[str]
    models: Path
    keys: Keys


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("narratives")
    keys, models = Keys(folder / "keys"), folder / "models"
    paths = [str(package_with_few_seeds(folder / "package")), *filter(None, [os.environ.get("PYTHONPATH")])]
    order = ("model", "train", "N-es", "--out", models, "--at", "2026-10-01", "--key", keys.private, "--json")
    ran = subprocess.run(
        [sys.executable, "-P", "-c", TRAIN_TWICE, folder / "aside", *order],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=True,
        capture_output=True,
        text=True,
    )
    (said,) = json.loads(ran.stdout)
    return Trained(said, ran.stderr.splitlines(), models, keys)


def test_train_makes_narratives_from_our_own_seeds_alone(trained: Trained, rows: Path) -> None:
    """Signed when a key is given; what it took is noted beside the model."""
    run("score", "N-es", "--data", rows, "--models", trained.models)
    manifest = read_manifest(trained.models / "N-es", signers=trained.keys.signers)
    assert {data.licence for data in manifest.data} == {"CC0-1.0"}
    assert 0 < manifest.data[0].rows < len(load_seeds("es").examples) / 5
    (listed,) = json.loads(run("list", "--models", trained.models, "--json"))
    assert (listed["training_s"], listed["active"], listed["gates"]) == (trained.said["seconds"], True, "not run")


def test_training_tells_its_stages(trained: Trained) -> None:
    assert trained.stages == [
        "seeds of all languages, each left out by folds",
        "no encoder learnt from these seeds: columns alone",
        "threshold",
        "all seeds",
        "likeness",
        "measures",
    ]
    heard: list[str] = []
    assert [list(each_fold(2, "abuse", heard.append)), heard] == [
        [0, 1],
        ["abuse, fold 1 of 2", "abuse, fold 2 of 2"],
    ]


# ── options that would say nothing ──

IGNORED = {
    "with a corpus": (
        ("G-en", "--corpus", "mine", "--config", "x.toml", "--seed", "5", "--at", "2020-01-01", "--model-version", "9",
         "--out", "nowhere", "--data", "nodir"),
        ["--seed", "--at", "--model-version", "--out", "--data"],
    ),
    "with the desk": (("G-en", "--from-desk", "--config", "x.toml", "--seed", "5"), ["--seed"]),
    "of a shipped model": (
        ("CW-en", "--precision", "0.9", "--split", "random", "--config", "x.toml"),
        ["--precision", "--split", "--config"],
    ),
    "with its default": (("CW-en", "--split", "grouped"), ["--split"]),
    "of an encoder, for a shipped model": (
        ("CW-en", "--base", "x", "--network", "y", "--teachers", "3"),
        ["--base", "--network", "--teachers"],
    ),
    "of another encoder": (("--kind", "encoder", "--precision", "0.9", "--epochs", "2"), ["--precision", "--epochs"]),
    "of a shipped encoder": (
        ("e", "--kind", "encoder", "--beside", "G-en", "--corpus", "mine", "--config", "x.toml", "--at", "2026-10-01"),
        ["--at"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IGNORED)
def test_an_option_that_would_be_ignored_is_refused(case: str) -> None:
    arguments, refused = IGNORED[case]
    with pytest.raises(ConfigError) as told:
        run("train", *arguments)
    assert [line.partition(" does not go with ")[0] for line in str(told.value).splitlines()] == refused


WRONG_ORDERS = {
    "no recipe": (("CW-en", "A-INSULT"), "no recipe for a model 'A-INSULT'; did you mean A-INSULT-de?"),
    "one teacher": (
        ("encoder-en", "--kind", "encoder", "--teachers", "1"),
        "--teachers 1: a single one would be asked about every row",
    ),
    "several networks of what is trained": (
        ("encoder-en", "--kind", "encoder", "--soup", "2", "--network", "x"),
        "--network is trained already, so --soup says nothing",
    ),
    "several networks of what is not trained": (
        ("embed-en", "--kind", "encoder", "--soup", "2"),
        "embed-en: comes as it is, so --soup says nothing",
    ),
    "teachers of what is trained": (
        ("encoder-en", "--kind", "encoder", "--teachers", "2", "--network", "x"),
        "--network is trained already, so --teachers says nothing",
    ),
    "teachers of what is not trained": (
        ("embed-en", "--kind", "encoder", "--teachers", "2"),
        "embed-en: comes as it is, so --teachers says nothing",
    ),
    "an encoder": (("encoder-en",), "encoder-en is made with --kind encoder"),
    "no day": (("CW-en", "--at", "yesterday"), "--at 'yesterday' is no day; write it as 2026-10-01"),
    "no version": (("CW-en", "--model-version", "../2"), "--model-version '../2' is none"),
    "no key": (("CW-en", "--key", "nowhere.key"), "nowhere.key: cannot be read (No such file or directory)"),
    "a base and a network": (("--kind", "encoder", "--base", "x", "--network", "y"), "give one of them"),
}


@pytest.mark.parametrize("case", WRONG_ORDERS)
def test_what_cannot_be_made_is_told_before_anything_is_trained(tmp_path: Path, case: str) -> None:
    arguments, told = WRONG_ORDERS[case]
    with pytest.raises(ConfigError, match=re.escape(told)):
        run("train", *arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_corpus_in_another_language_teaches_no_head(tmp_path: Path) -> None:
    config = tmp_path / "hustings.toml"
    config.write_text('[deployment]\nname = "Velmara"\n[charter]\nlanguages = ["en", "fr"]\n')
    rows = [Row(id=str(n), text=f"une phrase {'x' * n}", label=n % 2) for n in range(4)]
    store_corpus(
        corpora_of(load_config(config)),
        rows,
        name="mots",
        made_at="2026-11-01T00:00:00Z",
        made_from="file",
        source="annotated by us",
        licence="CC-BY-4.0",
        licence_class="A",
        language="fr",
        label="abusive is yes",
        excluded={},
    )
    with pytest.raises(ConfigError, match="corpus mots@1 is in 'fr', A-INSULT-en is for 'en'"):
        run("train", "A-INSULT-en", "--corpus", "mots", "--config", config)


def test_what_is_wrong_is_told(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="G-en"):
        run("score", "G-xx", "--data", rows)
    for command in ("list", "table"):
        with pytest.raises(ConfigError, match="no such folder of models"):
            run(command, "--models", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no model serves there"):
        run("gates", "--all", "--models", tmp_path / "empty")
    with pytest.raises(ConfigError, match="line 1: no key 'body'"):
        run("score", "G-en", "--data", rows, "--text", "body")
    with pytest.raises(ConfigError, match="nowhere"):
        run("score", "G-en", "--data", tmp_path / "nowhere.jsonl")


# ── which model is meant ──


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("G-en@",), "no version behind the @"),
        (("G-en@1", "--version", "2"), "G-en@1 and --version 2 name two versions"),
        (("G-en@7",), "no version '7'; there are 1 (active), 2"),
    ],
)
def test_a_version_is_named_once(two: Path, rows: Path, arguments: tuple[str, ...], told: str) -> None:
    for command in (("score",), ("evaluate", "--label", "label", "--positive", "yes"), ("card",), ("gates",)):
        given = ("--data", rows) if command[0] in ("score", "evaluate") else ()
        with pytest.raises((ConfigError, ModelError), match=re.escape(told)):
            run(command[0], *arguments, *command[1:], *given, "--models", two)


def test_a_version_is_named_behind_the_name_wherever_a_model_is(two: Path, rows: Path, tmp_path: Path) -> None:
    """Version 1 knows one word, version 2 another."""
    path = tmp_path / "clown.jsonl"
    path.write_text(json.dumps({"text": "that clown again", "label": "yes"}) + "\n" + json.dumps(ROWS[1]) + "\n")
    first, second = (run("score", f"G-en@{n}", "--data", path, "--models", two).split()[0] for n in (1, 2))
    assert float(first) > 0.9 > 0.5 > float(second)
    assert run("score", "G-en", "--version", "2", "--data", path, "--models", two).split()[0] == second
    arguments = ("--data", path, "--label", "label", "--positive", "yes", "--models", two, "--json")
    assert {one["version"] for one in json.loads(run("evaluate", "G-en@2", *arguments))} == {"2"}
    assert list(json.loads(run("card", "G-en@2", "--models", two, "--out", tmp_path / "cards", "--json"))) == ["G-en@2"]


# ── which posts are read ──

LINE = '{"text": "that clown again", "label": "yes"}'
UNUSABLE = {
    "null for a text": ('{"text": null}', "line 2: 'text' is null, wanted a string"),
    "a number for a text": ('{"text": 5}', "line 2: 'text' is the number 5, wanted a string"),
    "a list for a text": ('{"text": ["a"]}', "line 2: 'text' is a list, wanted a string"),
    "no number for a text": ('{"text": NaN}', "line 2: no JSON that can be read: NaN is no JSON number"),
    "half of a character": ('{"text": "\\ud83d"}', "line 2: 'text' holds half of a character"),
    "a blank line": (f"\n{LINE}", "line 2: is blank; each line holds one JSON object"),
    "no JSON": ('{"text": "a"', "line 2: no JSON: Expecting ',' delimiter at column 13"),
    "no object": ('["a"]', "line 2: is a list, wanted a JSON object"),
    "another key": ('{"body": "a"}', "line 2: no key 'text'; there are 'body'"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_is_no_text_is_told_with_its_line_and_not_scored(two: Path, tmp_path: Path, case: str) -> None:
    line, told = UNUSABLE[case]
    path = tmp_path / "posts.jsonl"
    path.write_text(f"{LINE}\n{line}\n")
    with pytest.raises(ConfigError, match=rf"posts\.jsonl: {re.escape(told)}"):
        run("score", "G-en", "--data", path, "--models", two)


def as_written(text: str) -> list[bytes]:
    """The same lines as different programs write them."""
    raw = text.encode()
    marked = b"\xef\xbb\xbf" + raw
    return [raw, marked, gzip.compress(raw), gzip.compress(marked), raw.replace(b"\n", b"\r\n"), raw + b"\n\n"]


@pytest.mark.parametrize("place", range(6))
def test_files_are_read_as_corpora_are(two: Path, tmp_path: Path, place: int) -> None:
    """With a mark of their byte order, packed, with either line end, with blank lines behind; from a pipe too."""
    path = tmp_path / "posts.jsonl.gz"
    raw = as_written(f"{LINE}\n{LINE}\n")[place]
    path.write_bytes(raw)
    one, other = run("score", "G-en", "--data", path, "--models", two).split()
    assert float(one) == float(other) > 0.9
    piped = CliRunner().invoke(app, ["score", "G-en", "--data", "-", "--models", str(two)], input=raw)
    assert piped.stdout.split() == [one, other]


def test_no_posts_have_no_scores(two: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    assert run("score", "G-en", "--data", tmp_path / "none.jsonl", "--models", two) == ""


def test_many_posts_are_scored_as_few_are(two: Path, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps({"text": f"{'clown' if n % 3 else 'baker'} {n}"}) + "\n" for n in range(700)))
    scores = [float(line) for line in run("score", "G-en", "--data", path, "--models", two, "--json").split()]
    assert len(scores) == 700
    assert {place for place, score in enumerate(scores) if score < 0.5} == set(range(0, 700, 3))


# ── where nothing can be measured ──

SENSELESS: dict[str, tuple[list[object], str]] = {
    "an empty file": ([], "is empty; there is nothing to measure on"),
    "another value of the label": (
        [*["no"] * 3, *["yes"] * 2],
        "no 'label' is '1' (--positive); found are 'no' (3), 'yes' (2)",
    ),
    "positives alone": ([1, "1", " 1 "], "every 'label' is '1' (3 posts)"),
    "many values": (
        [*range(2, 12)],
        "found are '2' (1), '3' (1), '4' (1), '5' (1), '6' (1), '7' (1), '8' (1), '9' (1) and 2 more",
    ),
    "a label that is none": ([1, None], "line 2: 'label' is null, wanted a string, a number, true or false"),
    "a list for a label": ([1, ["1"]], "line 2: 'label' is a list, wanted a string, a number, true or false"),
    "an empty label": ([1, "  "], "line 2: 'label' is empty: nobody labelled this post"),
    "not a number for a label": ([1, float("nan")], "line 2: no JSON that can be read: NaN is no JSON number"),
    "a word for no label": ([1, " N/A "], "line 2: 'label' is 'N/A': nobody labelled this post"),
    "the word nan": ([1, 0, "NaN"], "line 3: 'label' is 'NaN': nobody labelled this post; if it is a label, name it"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_quality_is_not_told_where_it_would_be_nonsense(two: Path, tmp_path: Path, case: str) -> None:
    labels, told = SENSELESS[case]
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps({"text": "that clown", "label": label}) + "\n" for label in labels))
    where = ("--data", path, "--label", "label", "--positive", "1", "--models", two)
    for command in (("evaluate", "G-en"), ("compare", "G-en@1", "G-en@2")):
        with pytest.raises(ConfigError, match=re.escape(told)):
            run(*command, *where)


def test_a_word_for_no_label_is_one_where_it_is_named(two: Path, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    said = [("clown", "yes"), ("clown", "None"), ("baker", "none")]
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in said))
    arguments = ("--data", path, "--label", "label", "--positive", "yes", "--negative", "none", "--models", two)
    found = {one["name"]: one for one in json.loads(run("evaluate", "G-en", *arguments, "--json"))}
    assert (found["false_positive_rate"]["value"], found["recall"]["positives"], found["recall"]["n"]) == (0.5, 1, 3)
    assert json.loads(run("compare", "G-en@1", "G-en@2", *arguments, "--json"))["n"] == 3
    path.write_text(path.read_text() + '{"text": "clown", "label": "unsure"}\n')
    with pytest.raises(ConfigError, match=re.escape("line 4: 'label' is 'unsure', neither 'yes' (--positive) nor")):
        run("evaluate", "G-en", *arguments)


def test_labels_are_compared_without_the_blanks_round_them(two: Path, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    said = [("clown", " yes"), ("clown", "yes\t"), ("baker", "no ")]
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in said))
    arguments = ("--data", path, "--label", "label", "--positive", "yes ", "--models", two, "--json")
    found = {one["name"]: one for one in json.loads(run("evaluate", "G-en", *arguments))}
    assert (found["recall"]["value"], found["recall"]["positives"], found["recall"]["n"]) == (1.0, 2, 3)


def test_each_measure_tells_of_which_model_it_is(two: Path, rows: Path) -> None:
    arguments = ("--data", rows, "--label", "label", "--positive", "yes", "--group", "who", "--models", two, "--json")
    found = json.loads(run("evaluate", "G-en@2", *arguments))
    assert {(one["model"], one["version"], one["threshold"]) for one in found} == {("G-en", "2", 0.5)}
    assert {one["on"]: (one["n"], one["positives"]) for one in found} == {
        "rows.jsonl": (2, 1),
        "who=a": (1, 1),
        "who=b": (1, 0),
    }


def test_a_group_that_is_half_of_a_character_is_measured(two: Path, tmp_path: Path, hustings: CommandLine) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({**row, "who": "\ud800"}) + "\n" for row in ROWS))
    arguments = ("--data", path, "--label", "label", "--positive", "yes", "--group", "who", "--models", two)
    answer = hustings("model", "evaluate", "G-en", *arguments, "--json")
    assert answer.status == 0
    assert {one["on"] for one in json.loads(answer.out)} == {"rows.jsonl", "who=\ud800"}
    assert "who=\\ud800" in hustings("model", "evaluate", "G-en", *arguments).out


def test_of_a_group_with_one_label_only_what_makes_sense_is_measured(two: Path, rows: Path) -> None:
    arguments = ("--data", rows, "--label", "label", "--positive", "yes", "--group", "who", "--models", two, "--json")
    found = json.loads(run("evaluate", "G-en", *arguments))
    by_group = {on: {one["name"] for one in found if one["on"] == on} for on in ("who=a", "who=b")}
    assert by_group == {"who=a": {"recall", "ece", "brier"}, "who=b": {"false_positive_rate", "ece", "brier"}}


# ── one spoilt folder ──


def test_of_several_thresholds_the_list_shows_the_one_that_decides(tmp_path: Path) -> None:
    folder = tmp_path / "N-en"
    folder.mkdir()
    settings = {"sense_threshold": 0.8, "sense_encoder": "encoder-mul"}
    write_manifest(folder, manifest_of("N-en", kind="narratives", settings=settings))
    shown = CliRunner().invoke(app, ["list", "--models", str(tmp_path)], env={"COLUMNS": "160"})
    assert [said for said in ("0.8", "with meaning") if f" {said} " in shown.stdout] == ["0.8", "with meaning"]
    assert " 0.5 " not in shown.stdout


def test_one_spoilt_folder_does_not_stop_the_others(two: Path, rows: Path) -> None:
    """It is named, and the exit status says that something was wrong."""
    make_head(two / "CW-en", "clown", name="CW-en")
    make_head(two / "CW-fr", "clown", name="CW-fr")
    for spoilt in ("G-en@2", "CW-fr"):
        (two / spoilt / "manifest.json").write_bytes(b'{"format": 1')
    listed = CliRunner().invoke(app, ["list", "--models", str(two), "--json"])
    assert listed.exit_code == 1
    by_folder = {Path(one["folder"]).name: one for one in json.loads(listed.stdout)}
    assert {name for name, one in by_folder.items() if "refused" in one} == {"G-en@2", "CW-fr"}
    assert {name for name, one in by_folder.items() if one["active"]} == {"G-en", "CW-en", "CW-fr"}
    assert "G-en: refused: " in listed.stderr
    assert "CW-fr: refused: " in listed.stderr
    shown = CliRunner().invoke(app, ["list", "--models", str(two)], env={"COLUMNS": "120"})
    assert [word for word in ("serves", "waits", "refused") if word in shown.stdout] == ["serves", "refused"]
    assert len(run("score", "G-en", "--data", rows, "--models", two).splitlines()) == 2
    with pytest.raises(ModelError, match="CW-fr"):
        run("score", "CW-fr", "--data", rows, "--models", two)
    heads = CliRunner().invoke(app, ["table", "--models", str(two), "--json"])
    assert (heads.exit_code, [one["head"] for one in json.loads(heads.stdout)["heads"]]) == (1, ["CW-en", "G-en"])
    drawn = CliRunner().invoke(app, ["card", "--all", "--models", str(two), "--out", str(two.parent / "c"), "--json"])
    assert (drawn.exit_code, sorted(json.loads(drawn.stdout))) == (1, ["CW-en@1", "G-en@1"])


def test_a_model_that_cannot_be_opened_is_refused_by_the_gates_and_the_others_are_judged(two: Path) -> None:
    make_head(two / "CW-fr", "clown", name="CW-fr")
    (two / "CW-fr" / "manifest.json").write_bytes(b"{")
    weights = next(make_head(two / "CW-en", "clown", name="CW-en").glob("weights*"))
    weights.write_bytes(weights.read_bytes()[:-1])
    judged = CliRunner().invoke(app, ["gates", "--all", "--models", str(two), "--json"])
    assert (judged.exit_code, [one["model"] for one in json.loads(judged.stdout)]) == (1, ["G-en"])
    refused = [line.partition(": refused: ")[0] for line in judged.stderr.splitlines() if ": refused: " in line]
    assert refused == ["CW-fr", "CW-en"]


def test_what_cures_a_spoilt_model_can_be_promoted_and_rolled_back(two: Path, tmp_path: Path) -> None:
    """Another model that is spoilt is named too, and does not stand in the way."""
    keys = Keys(tmp_path / "keys")
    make_head(two / "G-en", "clown", keys=keys)
    for version in ("2", "3"):
        make_head(two / f"G-en@{version}", "muppet", version=version, keys=keys)
    make_head(two / "CW-fr", "clown", name="CW-fr", keys=keys)
    config = tmp_path / "hustings.toml"
    config.write_text('models = "models"\nmodel_signers = ["keys/ours.pub"]\n[deployment]\nname = "Velmara"\n')
    why = ("--config", str(config), "--reason", "what served cannot be read any more", "--json")
    run("promote", "G-en@2", *why)
    (two / "CW-fr" / "manifest.json").write_bytes(b"{")
    (two / "G-en@2" / "manifest.json").write_bytes(b"{")
    cured = CliRunner().invoke(app, ["promote", "G-en@3", *why], catch_exceptions=False)
    assert json.loads(cured.stdout)["now"] == "3"
    assert "CW-fr: refused: " in cured.stderr
    assert "G-en: refused: " in cured.stderr
    with pytest.raises(ConfigError, match="version 2 was not promoted last; 3 was"):
        run("rollback", "G-en@2", *why)
    with pytest.raises(ConfigError, match="G-en: name the version that shall serve, G-en@VERSION; there are 1, 3"):
        run("promote", "G-en", *why)
    with pytest.raises(ModelError, match="no folder holds the manifest"):
        run("rollback", "G-en@3", *why)
    assert ModelStore(two).find("G-en").manifest.version == "3"


def test_promotion_names_the_command_that_runs_the_gates(tmp_path: Path) -> None:
    """On this version, in this deployment."""
    keys = Keys(tmp_path / "keys")
    make_head(tmp_path / "models" / "G-en@2", "clown", version="2", keys=keys)
    config = tmp_path / "hustings.toml"
    config.write_text('models = "models"\nmodel_signers = ["keys/ours.pub"]\n[deployment]\nname = "Velmara"\n')
    with pytest.raises(ConfigError, match=re.escape(f"run `hustings model gates G-en@2 --config {config}`")):
        run("promote", "G-en@2", "--config", config)


@pytest.mark.parametrize("paper", ["made.json", "gates.json"])
@pytest.mark.parametrize("raw", [b"fast", b'{"model": "\xff"}'])
def test_a_paper_of_another_hand_refuses_its_model_alone(two: Path, paper: str, raw: bytes) -> None:
    (two / "G-en@2" / paper).write_bytes(raw)
    listed = CliRunner().invoke(app, ["list", "--models", str(two), "--json"])
    assert listed.exit_code == 1
    assert [one.get("refused", "") == "" for one in json.loads(listed.stdout)] == [True, False]


def test_the_list_for_people(
    two: Path, hustings: CommandLine, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name stands on one line, a heading breaks between words, and what is refused is in the list."""
    make_head(two / "A-INSULT-pt@12", "clown", name="A-INSULT-pt", version="12")
    (two / "G-en@2" / "manifest.json").write_bytes(b"{")
    monkeypatch.chdir(two.parent)
    golden("model_list.txt", hustings("model", "list", "--models", two.name).masked())


def test_numbers_go_where_the_output_goes_while_a_terminal_shows_how_far_it_is(two: Path, rows: Path) -> None:
    main, other = os.openpty()
    command = [sys.executable, "-P", "-c", "from runtime.cli import main; main()", "model", "score", "G-en"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    ran = subprocess.run(
        [*command, "--data", rows, "--models", two], stdout=subprocess.PIPE, stderr=other, check=True, env=environment
    )
    os.close(other)
    shown = os.read(main, 100_000).decode()
    os.close(main)
    assert len(ran.stdout.split()) == 2
    assert "G-en@1: scores" in shown


def test_cards_of_shipped_models_are_not_written_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(run("card", "CW-fr", "--json")).popitem()[1].startswith("cards/CW-fr@")
    assert [path.name for path in tmp_path.iterdir()] == ["cards"]


def test_compare_gives_the_difference_with_its_interval(tmp_path: Path) -> None:
    models = tmp_path / "models"
    make_head(models / "G-en", "clown", version="1")
    make_head(models / "G-en@2", "clown", "muppet", version="2")
    texts = [f"that {'clown' if n % 4 == 0 else 'muppet' if n % 4 == 1 else 'baker'} number {n}" for n in range(80)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": int(n % 4 < 2)}) + "\n" for n, text in enumerate(texts)))
    arguments = ("--data", path, "--label", "label", "--positive", "1", "--models", models)
    found = json.loads(run("compare", "G-en@1", "G-en@2", *arguments, "--json"))
    recall = next(one for one in found["measures"] if one["name"] == "recall")
    assert (found["models"], found["n"]) == (["G-en@1", "G-en@2"], 80)
    assert (recall["values"], recall["difference"]) == ([0.5, 1.0], 0.5)
    assert 0.3 < recall["low"] < 0.5 < recall["high"] < 0.7
    alike = json.loads(run("compare", "G-en", "G-en@1", *arguments, "--json"))
    assert {one["difference"] for one in alike["measures"]} == {0.0}
    assert "difference" in run("compare", "G-en@1", "G-en@2", *arguments)


def copied(tmp_path: Path) -> tuple[Path, list[str | Path]]:
    """Forty posts of which thirty are one post passed on, and the options that measure on them."""
    rows = [{"text": "what a clown", "label": 1, "story": "one", "who": "a"}] * 30
    rows += [{"text": f"clown {n}" if n % 2 else f"baker {n}", "label": n % 3 == 0, "who": "b"} for n in range(10)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"story": None, **row, "label": int(row["label"])}) + "\n" for row in rows))
    return path, ["--data", path, "--label", "label", "--positive", "1", "--json"]


def test_copies_of_one_post_are_one_observation_where_their_family_is_named(two: Path, tmp_path: Path) -> None:
    _, arguments = copied(tmp_path)

    def width(*more: str) -> float:
        told = json.loads(run("evaluate", "G-en", *arguments, "--models", two, *more))
        (found,) = (one for one in told if one["name"] == "recall" and one["on"] == "rows.jsonl")
        return float(found["high"] - found["low"])

    assert width("--family", "story") > 2 * width()
    assert width("--family", "story", "--group", "who") == width("--family", "story")


def test_compare_draws_a_family_together_too(two: Path, tmp_path: Path) -> None:
    _, arguments = copied(tmp_path)

    def width(*more: str) -> float:
        told = json.loads(run("compare", "G-en@1", "G-en@2", *arguments, "--models", two, *more))
        (found,) = (one for one in told["measures"] if one["name"] == "recall")
        return float(found["high"] - found["low"])

    assert width("--family", "story") > 2 * width()


def test_a_family_that_no_row_has_is_told_and_so_is_one_beside_codes(two: Path, tmp_path: Path) -> None:
    path, arguments = copied(tmp_path)
    with pytest.raises(ConfigError, match=re.escape("line 1: no key 'thread'; there are 'story', 'text'")):
        run("evaluate", "G-en", *arguments, "--models", two, "--family", "thread")
    with pytest.raises(ConfigError, match="takes none of --positive, --negative, --group and --family"):
        run("evaluate", "N-en", "--data", path, "--label", "label", "--by-code", "--family", "story")


def test_evaluate_gives_every_measure(rows: Path) -> None:
    found = json.loads(run("evaluate", "G-en", "--data", rows, "--label", "label", "--positive", "yes", "--json"))
    assert {"macro_f1", "f1", "pr_auc", "recall_at_precision_90", "ece", "brier"} <= {one["name"] for one in found}
    assert all({"low", "high", "n"} <= one.keys() for one in found)


def test_keys_are_made_once_and_sign_what_is_whole(tmp_path: Path) -> None:
    key = tmp_path / "ours.key"
    made = json.loads(run("keygen", key, "--json"))
    assert (key.stat().st_mode & 0o777, Path(made["public"]).name) == (0o600, "ours.pub")
    with pytest.raises(ConfigError, match="exists already"):
        run("keygen", key)
    folder = make_head(tmp_path / "models" / "G-en", "clown")
    signed = json.loads(run("sign", folder, "--key", key, "--json"))
    assert signed["key"] == made["key"]
    read_manifest(folder, signers=load_signers([tmp_path / "ours.pub"]))
    (folder / "weights.i16.zlib").write_bytes(b"other")
    with pytest.raises(ModelError, match="truncated or replaced"):
        run("sign", folder, "--key", key)


def test_the_line_that_keygen_prints_works_in_a_configuration_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("keygen", 'keys/"our".key')
    assert "above the first [table]" in said
    write_election(Path("elsewhere"), Answers(name="New"))
    config = Path("elsewhere", "hustings.toml")
    config.write_text(f"{said.splitlines()[-1]}\n{config.read_text()}")
    assert model_signers(load_config(config)).known[-1].name == '"our".pub'


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_key_without_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="names no file; the private key goes into one"):
        run("keygen", name)
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_signed_from_inside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keygen", tmp_path / "ours.key")
    monkeypatch.chdir(make_head(tmp_path / "models" / "G-en", "clown"))
    assert "G-en@1 signed with" in run("sign", ".", "--key", tmp_path / "ours.key")


def test_no_private_key_is_written_under_the_name_of_a_public_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"k2\.pub: ends as public keys do"):
        run("keygen", tmp_path / "k2.pub")
    assert list(tmp_path.iterdir()) == []


def test_beside_an_old_public_key_no_private_one_is_left(tmp_path: Path) -> None:
    (tmp_path / "ours.pub").write_text("an old one")
    with pytest.raises(ConfigError, match=r"ours\.pub: exists already"):
        run("keygen", tmp_path / "ours.key")
    assert [path.name for path in tmp_path.iterdir()] == ["ours.pub"]


def test_what_is_no_key_is_told(tmp_path: Path) -> None:
    folder = make_head(tmp_path / "models" / "G-en", "clown")
    (tmp_path / "no.key").write_text("secret")
    with pytest.raises(ConfigError, match="no private key in PEM form"):
        run("sign", folder, "--key", tmp_path / "no.key")
    with pytest.raises(ConfigError, match=r"model_signers: .*cannot be read"):
        load_signers([tmp_path / "nowhere.pub"])
    with pytest.raises(ConfigError, match="no public key in PEM form"):
        load_signers([tmp_path / "no.key"])


def test_models_made_at_a_time_are_the_same_as_one_after_the_other(tmp_path: Path) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    made = json.loads(run("train", "CW-fr", "CW-pt", "--out", both, "--at", "2026-10-01", "--jobs", "2", "--json"))
    assert {one["model"] for one in made} == {"CW-fr@1", "CW-pt@1"}
    run("train", "CW-pt", "--out", alone, "--at", "2026-10-01")
    for file in ("manifest.json", "weights.i16.zlib"):
        assert (both / "CW-pt" / file).read_bytes() == (alone / "CW-pt" / file).read_bytes()


def test_what_is_wrong_with_one_of_several_models_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give --data DIR"):
        run("train", "CW-fr", "G-ta", "--out", tmp_path, "--data", tmp_path / "nowhere", "--jobs", "2")
