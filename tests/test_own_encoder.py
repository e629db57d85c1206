"""What an encoder of one's own would be made from: rows that nothing has learnt, heads that go together. No torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from classifiers.linear.model import Head, load_head
from classifiers.linear.score import Scorer
from classifiers.manifest import manifest_bytes, read_manifest, write_manifest
from classifiers.signing import ANYBODY, SIGNATURE, sign
from classifiers.store import ModelStore
from classifiers.training.corpus_store import Row, StoredCorpus, read_rows, to_training
from classifiers.training.duplicates import check_split, clusters
from classifiers.training.encoder.bases import find_base
from classifiers.training.held_out import FEWEST_HELD_OUT, hold_out, without
from classifiers.training.own_encoder import FIT, OwnPlan, Pair, check_same_rows, plan_encoder
from classifiers.training.train_encoder import TrainedNetwork
from classifiers.training.train_reviewed import ReviewedOrder, train_reviewed
from hustings.errors import ConfigError
from hustings.text import analyse
from runtime.model_making import Making
from runtime.own_encoder import OwnEncoderOrder, order_to_join, plan
from tests.command_line import command_line
from tests.model_folders import Keys, make_head
from tests.own_corpora import rows, stored
from tests.tiny_encoder import head, write_encoder

SEED = 11


def nowhere(label: str) -> Head:
    raise AssertionError(f"nothing began with {label}")


def taught(folder: Path, corpus: StoredCorpus, *, version: str = "1", prior: Head | None = None) -> Head:
    """A linear head that learnt all rows of the corpus."""
    order = ReviewedOrder(
        name="A-INSULT-pt",
        code="A-INSULT",
        language="pt",
        label="Insults.",
        version=version,
        precision=0.8,
        chosen_by="a test",
        chosen_at="2026-11-01",
        seed=3,
        prior=prior,
    )
    train_reviewed(order, corpus, folder / f"A-INSULT-pt@{version}")
    return load_head(folder / f"A-INSULT-pt@{version}", signers=ANYBODY)


def untaught(folder: Path, name: str, *, language: str = "") -> Head:
    return load_head(make_head(folder / name, "palhaco", name=name, language=language or name.rpartition("-")[2]),
                     signers=ANYBODY)  # fmt: skip


def planned(
    tmp_path: Path, *pairs: tuple[Head, StoredCorpus], find: Callable[[str], Head] = nowhere, seed: int = SEED
) -> OwnPlan:
    return plan_encoder(
        "encoder-pt",
        [Pair(head, corpus, 0.75) for head, corpus in pairs],
        base="base",
        fit=FIT,
        seed=seed,
        corpora=tmp_path / "corpora",
        find=find,
    )


# ── which rows are held out ──


def test_a_fifth_is_held_out_and_no_near_copy_straddles_even_between_corpora(tmp_path: Path) -> None:
    insults = rows()
    threats = rows(threats=True, seed=4)
    twins = [Row(id=f"twin-{place}", text=f"{row.text}!", label=place % 2) for place, row in enumerate(insults[:60])]
    corpora = [
        to_training(one, read_rows(one))
        for one in (stored(tmp_path, insults), stored(tmp_path, [*threats, *twins], name="threats"))
    ]
    held = hold_out(corpora, seed=SEED)
    assert [len(one) for one in held] == [660, 720]
    assert 0.15 < np.concatenate(held).mean() < 0.25
    texts = [text for corpus in corpora for text in corpus.texts]
    check_split(np.concatenate(held).astype(np.intp), clusters(texts))
    for corpus, own in zip(corpora, held, strict=True):
        labels = np.array(corpus.labels)[own]
        assert min(labels.sum(), (1 - labels).sum()) >= FEWEST_HELD_OUT
    again = hold_out(corpora, seed=SEED)
    assert all((one == other).all() for one, other in zip(held, again, strict=True))


def test_too_few_rows_to_choose_on_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    corpus = stored(tmp_path, rows(240))
    with pytest.raises(ConfigError, match=r"my-pt@1: 240 rows, 80 of them positive.*about 150 in the corpus"):
        hold_out([to_training(corpus, read_rows(corpus))], seed=SEED)


# ── the linear head without them ──


def test_a_head_that_learnt_the_corpus_is_made_again_without_the_held_out_rows(tmp_path: Path) -> None:
    """A word that stands in held-out rows alone counts for the head that serves, and for nothing in the other."""
    found = rows()
    marked = [Row(id=row.id, text=f"{row.text} zangaoblu", label=1) for row in found[:40]]
    corpus = stored(tmp_path / "corpora", [*marked, *found[40:]])
    head = taught(tmp_path, corpus)
    unseen = without(head, [row.text for row in marked], corpora=tmp_path / "corpora", find=nowhere)
    plain, with_word = "o vizinho vai para a ponte", "o vizinho vai para a ponte zangaoblu"
    posts = [analyse(text).tokens for text in (plain, with_word)]
    before, after = Scorer([head]).scores(posts)[0], Scorer([unseen]).scores(posts)[0]
    assert before[1] > before[0] + 0.02
    assert after[1] <= after[0] + 0.005
    assert unseen.manifest is head.manifest  # it stands for the head that serves


def test_what_a_head_began_with_is_made_again_too(tmp_path: Path) -> None:
    corpus = stored(tmp_path / "corpora", rows())
    first = taught(tmp_path, corpus)
    longer = stored(tmp_path / "corpora", [*rows(), *rows(90, seed=8)])
    second = taught(tmp_path, longer, version="2", prior=first)
    heads = {head.label: head for head in (first, second)}
    texts = [row.text for row in rows()[:60]]
    unseen = without(second, texts, corpora=tmp_path / "corpora", find=heads.__getitem__)
    only_last = without(second._replace(manifest=second.manifest), texts, corpora=tmp_path / "corpora",
                        find=lambda label: untaught(tmp_path / "other", "A-INSULT-pt"))  # fmt: skip
    assert (unseen.weights.by_bucket != second.weights.by_bucket).any()
    assert (unseen.weights.by_bucket != only_last.weights.by_bucket).any()


def test_a_head_that_never_saw_the_rows_is_left_as_it_is(tmp_path: Path) -> None:
    head = taught(tmp_path, stored(tmp_path / "corpora", rows()))
    assert without(head, ["duas aves cantam no telhado vermelho"], corpora=tmp_path / "corpora", find=nowhere) is head
    shipped = untaught(tmp_path, "G-pt")
    assert without(shipped, [rows()[0].text], corpora=tmp_path / "corpora", find=nowhere) is shipped


def test_a_head_whose_corpus_is_gone_cannot_be_made_again(tmp_path: Path) -> None:
    head = taught(tmp_path, stored(tmp_path / "corpora", rows()))
    with pytest.raises(ConfigError, match=r"A-INSULT-pt@1 learnt from my-pt@1/rows.jsonl.*no corpus 'my-pt@1'"):
        without(head, [rows()[0].text], corpora=tmp_path / "gone", find=nowhere)


# ── the plan ──


def test_the_plan_names_what_is_learnt_and_what_is_measured(tmp_path: Path) -> None:
    insults = stored(tmp_path / "corpora", rows())
    threats = stored(tmp_path / "corpora", rows(threats=True, seed=4), name="threats")
    found = planned(
        tmp_path, (untaught(tmp_path, "A-INSULT-pt"), insults), (untaught(tmp_path, "A-THREAT-pt"), threats)
    )
    assert [task.told for task in found.recipe.tasks] == ["A-INSULT-pt (my-pt@1) × 1", "A-THREAT-pt (threats@1) × 1"]
    assert found.recipe.language == "pt"
    for task in found.recipe.served:
        learnt, held_out = (
            found.material.read(task.corpus, "training"),
            found.material.read(task.measured_on, "measuring"),
        )
        assert not set(learnt.texts) & set(held_out.texts)
        assert len(learnt.texts) + len(held_out.texts) == 660
        assert (learnt.dataset.use, held_out.dataset.use) == ("training", "measuring")
        assert (learnt.dataset.rows, held_out.dataset.rows) == (len(learnt.texts), len(held_out.texts))
        assert held_out.dataset.file.endswith("rows.jsonl (held-out fifth)")
        assert learnt.dataset.licence == "CC-BY-4.0"
    assert "my-pt@1" in found.recipe.limits


@pytest.mark.parametrize(("name", "own"), [("A-INSULT-de", "A-INSULT"), ("A-INSULT-sw", ""), ("N-NONE-en", "")])
def test_our_own_posts_are_learnt_where_the_language_has_some_that_say_it(tmp_path: Path, name: str, own: str) -> None:
    language = name.rpartition("-")[2]
    corpus = stored(tmp_path / "corpora", rows(), language=language)
    assert planned(tmp_path, (untaught(tmp_path, name), corpus)).recipe.tasks[0].own == own


def test_heads_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    corpus = stored(tmp_path / "corpora", rows())
    english = stored(tmp_path / "corpora", rows(), name="english", language="en")
    insult, threat = untaught(tmp_path, "A-INSULT-pt"), untaught(tmp_path, "A-THREAT-en")
    with pytest.raises(ConfigError, match=r"corpus english@1 is in 'en', but A-INSULT-pt reads 'pt'"):
        planned(tmp_path, (insult, english))
    with pytest.raises(ConfigError, match=r"reads one language; found A-INSULT-pt \(pt\), A-THREAT-en \(en\)"):
        planned(tmp_path, (insult, corpus), (threat, english))
    with pytest.raises(ConfigError, match="two outputs for the head A-INSULT-pt"):
        planned(tmp_path, (insult, corpus), (insult, corpus))
    with pytest.raises(ConfigError, match="is the head that the encoder speaks beside"):
        planned(tmp_path, (untaught(tmp_path, "encoder-pt"), corpus))


def test_a_corpus_without_positives_is_refused(tmp_path: Path) -> None:
    corpus = stored(tmp_path / "corpora", rows())
    empty = corpus._replace(paper=replace(corpus.paper, positives=0))
    with pytest.raises(ConfigError, match="corpus my-pt@1 has no positive rows"):
        planned(tmp_path, (untaught(tmp_path, "A-INSULT-pt"), empty))


def test_a_network_is_joined_anew_only_on_rows_that_it_has_not_learnt(tmp_path: Path) -> None:
    pair = untaught(tmp_path, "A-INSULT-pt"), stored(tmp_path / "corpora", rows())
    plan = planned(tmp_path, pair)
    settings: dict[str, Any] = {"tasks": "A-INSULT-pt (my-pt@1) × 1", **plan.settings}
    trained = TrainedNetwork(b"", b"", (), settings, (), {})
    check_same_rows(plan, trained, tmp_path)
    with pytest.raises(ConfigError, match="other rows would be held out"):
        check_same_rows(planned(tmp_path, pair, seed=SEED + 1), trained, tmp_path)
    longer = stored(tmp_path / "corpora", rows(690))
    with pytest.raises(
        ConfigError, match=r"trained for A-INSULT-pt \(my-pt@1\) × 1; asked for is A-INSULT-pt \(my-pt@2\)"
    ):
        check_same_rows(planned(tmp_path, (pair[0], longer)), trained, tmp_path)


# ── in a deployment ──


def making(folder: Path, keys: Keys) -> Making:
    return Making(store=ModelStore(folder / "models"), signers=keys.signers, by="a test", key=keys.private)


def ordered(name: str, corpus: StoredCorpus, *beside: str) -> OwnEncoderOrder:
    return OwnEncoderOrder(name, beside, (corpus,) * len(beside), "base", SEED)


@pytest.fixture
def deployment(tmp_path: Path) -> tuple[Making, StoredCorpus]:
    keys = Keys(tmp_path / "keys")
    for name in ("A-INSULT-pt", "A-THREAT-pt"):
        make_head(tmp_path / "models" / name, "palhaco", keys=keys, name=name)
    folder = write_encoder(tmp_path / "models" / "encoder-old", (head("A-THREAT", "A-THREAT-pt", 0),))
    (folder / SIGNATURE).write_bytes(sign(manifest_bytes(folder), keys.private))
    return making(tmp_path, keys), stored(tmp_path / "corpora", rows())


def test_the_precision_of_the_flags_is_asked_for_or_three_of_four(
    deployment: tuple[Making, StoredCorpus], tmp_path: Path
) -> None:
    made, corpus = deployment
    order = ordered("encoder-pt", corpus, "A-INSULT-pt")
    wanted = [plan(order, one, corpora=tmp_path / "corpora") for one in (made, made._replace(precision=0.9))]
    assert [one.recipe.tasks[0].precision for one in wanted] == [0.75, 0.9]
    faster = plan(order._replace(epochs=5, rate=2e-5), made, corpora=tmp_path / "corpora")
    assert (faster.recipe.settings.epochs, faster.recipe.settings.rate) == (5, 2e-5)


WRONG = {
    "a head that does not serve": (
        ("encoder-pt", "A-DOX-pt"),
        "A-DOX-pt: no such head serves; linear heads that do: A-",
    ),
    "a head that is not linear": (("encoder-pt", "encoder-old"), "kind is 'encoder'; an encoder speaks beside linear"),
    "a head that has an encoder": (("encoder-pt", "A-THREAT-pt"), "encoder-old speaks beside A-THREAT-pt already"),
    "a name that is taken": (("A-THREAT-pt", "A-INSULT-pt"), "'A-THREAT-pt' is the name of a model of kind 'linear'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_serve_is_refused_before_anything_is_learnt(
    deployment: tuple[Making, StoredCorpus], tmp_path: Path, case: str
) -> None:
    (name, beside), told = WRONG[case]
    made, corpus = deployment
    with pytest.raises(ConfigError, match=re.escape(told)):
        plan(ordered(name, corpus, beside), made, corpora=tmp_path / "corpora")


def test_an_encoder_may_take_the_place_of_its_own_older_version(
    deployment: tuple[Making, StoredCorpus], tmp_path: Path
) -> None:
    made, corpus = deployment
    assert plan(ordered("encoder-old", corpus, "A-THREAT-pt"), made, corpora=tmp_path / "corpora").recipe.served


def test_what_is_joined_anew_is_read_from_the_manifest(deployment: tuple[Making, StoredCorpus], tmp_path: Path) -> None:
    made, _ = deployment
    store, corpora = made.store.own, tmp_path / "corpora"
    assert order_to_join("encoder-old", store / "encoder-old", made, beside=(), corpora=corpora) is None
    told = {"tasks": "A-INSULT-pt (my-pt@1) × 1, A-THREAT-pt (my-pt@1) × 1", "held_out_sha256": "0" * 64}
    folder = store / "encoder-old"
    write_manifest(folder, replace(read_manifest(folder, signers=ANYBODY), settings=told, seed=7))
    (folder / SIGNATURE).write_bytes(sign(manifest_bytes(folder), tmp_path / "keys" / "ours.key"))
    order = order_to_join("encoder-old", folder, made, beside=("A-THREAT-pt@2",), corpora=corpora)
    assert order is not None
    assert (order.beside, order.seed) == (("A-INSULT-pt", "A-THREAT-pt@2"), 7)
    assert [corpus.paper.tag for corpus in order.taught_by] == ["my-pt@1", "my-pt@1"]
    with pytest.raises(ConfigError, match="--beside G-pt@2: encoder-old speaks beside A-INSULT-pt, A-THREAT-pt"):
        order_to_join("encoder-old", folder, made, beside=("G-pt@2",), corpora=corpora)


CONFIG = """
models = "models"
model_signers = ["keys/ours.pub"]
[deployment]
name = "Velmara"
[charter]
languages = ["pt"]
"""

COMMANDS = {
    "--beside A-INSULT-pt --corpus my-pt": "--beside needs --config FILE",
    "--beside A-INSULT-pt --config my.toml": "--beside needs rows: --corpus NAME for each head, or --from-desk",
    "--beside A-INSULT-pt --corpus my-pt --from-desk --config my.toml": "--beside needs rows",
    "--beside A-INSULT-pt --beside A-THREAT-pt --corpus my-pt --config my.toml": "names 2 heads (A-INSULT-pt, A-THREAT",
    "--beside A-INSULT-pt --from-desk --network models --config my.toml": "hustings model join encoder-pt",
    "--corpus my-pt --config my.toml": "beside a linear head: --beside HEAD",
    "--beside A-INSULT-pt --corpus nowhere --config my.toml": "no corpus 'nowhere'; there are none",
}


@pytest.mark.parametrize("given", COMMANDS)
def test_a_command_that_says_too_little_is_told_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    Keys(tmp_path / "keys")
    (tmp_path / "models").mkdir()
    (tmp_path / "my.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    answer = command_line(capsys, monkeypatch)("model", "train", "encoder-pt", "--kind", "encoder", *given.split())
    assert answer.status == 2
    assert COMMANDS[given] in " ".join(answer.err.split())


def test_a_base_that_is_no_folder_of_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        find_base(str(tmp_path / "nowhere"), tmp_path)
    with pytest.raises(ConfigError, match=r"no model\.safetensors in this folder"):
        find_base(str(tmp_path), tmp_path)
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(2_000_000_000)  # a hole: nothing is written
    with pytest.raises(ConfigError, match="2,000,000,000 bytes, at most 1,900,000,000 can be exported"):
        find_base(str(tmp_path), tmp_path)


@pytest.mark.skipif(find_spec("torch") is not None, reason="the torch extra is installed")
def test_without_the_torch_extra_the_command_names_it(
    deployment: tuple[Making, StoredCorpus], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    config = tmp_path / "my.toml"
    config.write_text(CONFIG)
    stored(tmp_path / "var" / "corpora", rows())
    answer = command_line(capsys, monkeypatch)(
        "model", "train", "encoder-pt", "--kind", "encoder", "--beside", "A-INSULT-pt", "--corpus", "my-pt",
        "--config", config,
    )  # fmt: skip
    assert answer.status == 2
    assert "uv sync --frozen --inexact --extra torch" in answer.err
