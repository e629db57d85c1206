"""Run by `test_codes_training` with a Python that has the torch extra: of a tiny packed base some pieces are kept, and
it is taught codes beside a task; what is served of it is read back and taught on.

    python -P -m tests.train_tiny_reader FOLDER

It prints facts as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import DividedSession
from classifiers.encoder.session import Session
from classifiers.encoder.worth import TOPICS, Topic, Worth
from classifiers.manifest import Dataset
from classifiers.training.corpora import Corpus
from classifiers.training.early import learn_early
from classifiers.training.encoder.careless import Said, Spoilt
from classifiers.training.encoder.export import export, quantise, tokenizer_bytes
from classifiers.training.encoder.fit import Epoch, FitSettings, Progress, fine_tune, remove_checkpoints
from classifiers.training.encoder.graph import divided, fused, hidden_size, whole
from classifiers.training.encoder.grow import grow_outputs
from classifiers.training.encoder.lesson import NO_CODE, Lesson, lesson_of
from classifiers.training.encoder.network import Network, logits, open_base, split
from classifiers.training.encoder.packed_e5 import unpack_e5
from classifiers.training.encoder.served import check_read_back, open_served
from classifiers.training.encoder.soup import average_of
from classifiers.training.encoder.tasks import Labelled
from classifiers.training.encoder.teachers import ask_teachers
from classifiers.training.encoder.torch_extra import need
from classifiers.training.encoder.vocabulary import keep_pieces
from hustings.errors import ConfigError, ModelError
from tests.tiny_encoder import EVEN_WORTH
from tests.tiny_packed_base import packed, tiny_numbers
from tests.train_tiny_encoder import Interrupted, write_base

SEED = 7
TEXTS = ("the vote is the", "is the vote")
CODED = {0: ("the vote is dim", "dim the vote", "vote dim is"), 1: ("the home is set", "set the home", "home is set")}
"""Sentences of two codes."""
UNCODED = (("vote set", 1), ("home dim", 0), ("vote home set", 1), ("dim is the home", 0))
"""Sentences of the one task, with their labels."""
FIRST = 6
FIT = FitSettings(epochs=12, batch=4, rate=5e-3, threads=1, bf16=False, averaged=0.9, last=True, smoothing=0.05)
SPOILT = Spoilt(careless=0.3, nameless=0.5, other_gender=0.5)


def opened(base: Path) -> Network:
    """One task and two codes."""
    return keep_pieces(open_base(base, 3, seed=SEED), TEXTS, first=FIRST)


def labelled() -> Labelled:
    rows = [(text, code) for code, texts in CODED.items() for text in texts] * 3
    said = [Said(tuple(text.split()), (), "en") for text, _ in [*rows, *UNCODED]]
    labels = np.array([[np.nan]] * len(rows) + [[label] for _, label in UNCODED], dtype=np.float32)
    codes = np.array([code for _, code in rows] + [NO_CODE] * len(UNCODED))
    return Labelled(said, labels, codes, np.zeros(len(said), dtype=bool), ())


def lesson(network: Network, *, share: float = 0.5, spoilt: Spoilt = SPOILT) -> Lesson:
    rows = labelled()
    return lesson_of(network, rows.said, rows.labels, [1.0], rows.codes, share=share, spoilt=spoilt, seed=SEED)


def train(base: Path, checkpoint: Path, *, stop_at: int = 0) -> tuple[Network, list[Epoch]]:
    """Stopped after so many steps, if any."""
    network = opened(base)

    def step(done: int, of: int, loss: float) -> None:
        if done == stop_at:
            raise Interrupted

    epochs = fine_tune(
        network,
        lesson(network),
        (),
        FIT,
        seed=SEED,
        of="",
        checkpoint=checkpoint,
        progress=Progress(step=step, epoch=lambda epoch: None),
    )
    return network, epochs


def pieces_kept(base: Path) -> dict[str, Any]:
    before, after = open_base(base, 3, seed=SEED), opened(base)
    text = "the vote is dome"
    vectors = [network.module.encoder.get_input_embeddings().weight.detach().numpy() for network in (before, after)]
    ids = [split(network, [text])[0] for network in (before, after)]
    pad = after.module.encoder.config.pad_token_id
    return {
        "kept": [after.tokenizer.id_to_token(number) for number in range(after.tokenizer.get_vocab_size())],
        "network_knows": [len(vectors[1]), after.module.encoder.config.vocab_size],
        "read_alike": [network.tokenizer.encode(text).tokens for network in (before, after)],
        "vectors_are_the_same": bool(np.array_equal(vectors[0][ids[0]], vectors[1][ids[1]])),
        "logits_differ_by": float(np.abs(logits(before, [ids[0]]) - logits(after, [ids[1]])).max()),
        "pad": after.tokenizer.id_to_token(pad),
        "of_another_script": after.tokenizer.decode(split(after, ["нет"])[0], skip_special_tokens=False),
    }


def refusal(folder: Path) -> str:
    write_base(folder, ["vote"])
    try:
        keep_pieces(open_base(folder, 3, seed=SEED), TEXTS, first=FIRST)
    except ConfigError as error:
        return str(error)
    return ""


def read_back(network: Network, outputs: list[int]) -> dict[str, Any]:
    """How far what is made of what is served is from the network that is served."""
    served, pieces = fused(quantise(export(network, outputs))), tokenizer_bytes(network)
    again = open_served(served, pieces, "tiny")
    texts = [text for texts in CODED.values() for text in texts]
    check_read_back(again, Session.open(served, pieces, where="tiny"), texts, "tiny")
    exact, found = logits(network, split(network, texts))[:, outputs], logits(again, split(again, texts))
    weights = dict(network.module.named_parameters())
    off = [
        float((one - weights[name]).abs().max() / weights[name].abs().max())
        for name, one in again.module.named_parameters()
        if not name.startswith("heads.")
    ]
    return {
        "weights": len(off),
        "weights_off_by": max(off),
        "logits_off_by": float(np.abs(exact - found).max() / np.abs(exact).max()),
        "told": [one.argmax(axis=1).tolist() for one in (exact, found)],
        "heads": again.module.encoder.config.num_attention_heads,
        "pad": again.tokenizer.id_to_token(again.module.encoder.config.pad_token_id),
    }


def divided_in_two(network: Network) -> dict[str, Any]:
    """What attention in one node, and the network in two parts, change; and what its first layers learn to guess."""
    small, pieces = quantise(export(network, [1, 2])), tokenizer_bytes(network)
    one = fused(small)
    weights = np.linspace(-1, 1, 2 * hidden_size(one)).reshape(-1, 2)
    parts = divided(one, weights, [0.5, -0.5])
    session = DividedSession.open(*parts, pieces, where="tiny")
    texts = [text for texts in CODED.values() for text in texts]
    plain, fast, again = (Session.open(raw, pieces, where="tiny").logits(texts) for raw in (small, one, whole(*parts)))
    begun = session.begin(texts[0])
    told = begun.hidden[0].mean(axis=0) @ weights + (0.5, -0.5)
    nobodys = Dataset(
        name="", file="talk", sha256="", licence="CC0-1.0", source="", rows=len(texts), positives=0, use="training"
    )
    corpus = Corpus(texts, [0] * len(texts), [""] * len(texts), nobodys)
    worth: dict[Topic, Worth] = {topic: Worth(EVEN_WORTH) for topic in TOPICS}
    learnt = [
        learn_early(one, pieces, ("A-INSULT", "ordinary"), worth, (), ["talk"], lambda name, use: corpus, seed=SEED)
        for _ in range(2)
    ]
    guessing = DividedSession.open(*learnt[0][:2], pieces, where="tiny")
    guesses = np.array([guessing.begin(text).early for text in texts])
    odds = fast[:, 0] - fast[:, 1]
    return {
        "fused_off_by": float(np.abs(plain - fast).max() / np.abs(plain).max()),
        "whole_off_by": float(np.abs(fast - again).max()),
        "divided_off_by": float(np.abs(fast - session.logits(texts)).max()),
        "early_off_by": float(np.abs(begun.early - told).max()),
        "nodes": [len(need("onnx").load_from_string(raw).graph.node) for raw in (small, one)],
        "guesses_like_the_whole": float(np.corrcoef(guesses[:, TOPICS.index("abuse")], odds)[0, 1]),
        "guesses_about_elections": float(guesses[:, TOPICS.index("elections")].max()),
        "the_same_again": learnt[0][:2] == learnt[1][:2],
        "beside": {topic: head.beside for topic, head in learnt[0][2].items()},
    }


def grown(network: Network) -> dict[str, Any]:
    """What becomes of the outputs of two codes when texts of the first are called something new."""
    network = open_served(fused(quantise(export(network, [1, 2]))), tokenizer_bytes(network), "tiny")
    texts = [text for texts in CODED.values() for text in texts]
    pieces = split(network, texts)
    before = logits(network, pieces)
    first = len(next(iter(CODED.values())))
    places = np.array([1] * first + [2] * (len(texts) - first))
    grow_outputs(network, ("A", "C"), ("A", "B", "C"), texts, places)
    after = logits(network, pieces)
    odds = np.exp(before[:first])
    shares = (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)
    try:
        grow_outputs(network, ("A", "B", "C"), ("A", "B", "C", "D"), texts, places)
    except ValueError as error:
        refused = str(error)
    return {
        "codes": after.shape[1],
        "old_ones_off_by": float(np.abs(after[:, [0, 2]] - before).max()),
        "new_one_off_by": float(np.abs(after[:, 1] - before @ shares).max()),
        "called_before": int(shares.argmax()),
        "without_texts": refused,
    }


def teachers(base: Path, checkpoint: Path) -> dict[str, Any]:
    """What three teachers say, one of them interrupted; and what becomes of a network that is told that each row is as
    likely to be anything."""
    rows, opens, steps = labelled(), [], []

    def fresh(number: int) -> Network:
        opens.append(number)
        return opened(base)

    def step(done: int, of: int, loss: float) -> None:
        steps.append((done, of))
        if len(steps) == 70:
            raise Interrupted

    def asked() -> NDArray[np.float32]:
        return ask_teachers(
            fresh,
            rows,
            [1.0],
            FIT._replace(teachers=3),
            seed=SEED,
            of="",
            checkpoint=checkpoint,
            progress=Progress(step=step, epoch=lambda epoch: None),
        )

    try:
        asked()
    except Interrupted:
        stopped_in = opens[-1]
    said = asked()
    again = asked()
    left = sorted(path.name.partition(".teacher")[1] for path in checkpoint.parent.glob(f"{checkpoint.name}*"))
    remove_checkpoints(checkpoint)
    texts = [one.text for one in rows.said]
    unsure = np.full_like(said, 0.5)
    pupil = opened(base)
    quiet = Progress(step=lambda done, of, loss: None, epoch=lambda epoch: None)
    told = lesson(pupil, share=1.0, spoilt=Spoilt())._replace(judged=unsure)
    fine_tune(
        pupil, told, (), FIT._replace(smoothing=0.0, epochs=60), seed=SEED, of="", checkpoint=checkpoint, progress=quiet
    )
    found = logits(pupil, split(pupil, texts))
    codes, tasks = found[:18, 1:], found[18:, 0]
    places = [code for code, texts in CODED.items() for _ in texts] * 3
    right = np.array([row[place] - row[1 - place] for row, place in zip(codes, places, strict=True)])
    task = tasks * np.array([1 if label else -1 for _, label in UNCODED])
    checkpoint.unlink()
    return {
        "stopped_in": stopped_in,
        "opened": opens,
        "steps_of_all": sorted({of for _, of in steps}),
        "the_same_again": bool(np.array_equal(said, again)),
        "shape": list(said.shape),
        "codes_sum_to": [float(said[:, 1:].sum(axis=1).min()), float(said[:, 1:].sum(axis=1).max())],
        "within": [float(said.min()), float(said.max())],
        "left": left,
        "left_after": [path.name for path in checkpoint.parent.glob(f"{checkpoint.name}*")],
        "unsure_about_codes": float((1 / (1 + np.exp(-right))).mean()),
        "unsure_about_the_task": float((1 / (1 + np.exp(-task))).mean()),
    }


def not_read_back(network: Network, other: Network) -> list[str]:
    """What is said of a network that is not rounded, and of another one than is served."""
    exact, pieces = export(network, [1, 2]), tokenizer_bytes(network)
    session = Session.open(quantise(exact), pieces, where="tiny")
    said = []
    for read in (
        lambda: open_served(exact, pieces, "tiny"),
        lambda: check_read_back(other, session, ["the vote is dim", "set the home"], "tiny"),
    ):
        try:
            read()
        except ModelError as error:
            said.append(str(error))
    return said


def soup(network: Network) -> dict[str, Any]:
    """A network that learns three times: its outputs' bias is moved by 1, by 2 and by 6."""
    began = network.module.heads.bias.detach().clone()
    found: list[bool] = []

    def taught(number: int) -> str:
        found.append(bool((network.module.heads.bias == began).all()))
        with need("torch").no_grad():
            network.module.heads.bias.add_((1.0, 2.0, 6.0)[number])
        return f"time {number}"

    told = average_of(3, network, taught)
    moved = (network.module.heads.bias.detach() - began).numpy()
    try:
        average_of(0, network, taught)
    except ValueError as error:
        refused = str(error)
    return {"told": told, "began_alike": found, "moved_by": moved.tolist(), "of_none": refused}


def main(folder: Path) -> dict[str, Any]:
    base = folder / "base"
    unpack_e5(packed(tiny_numbers()), base, "tiny")
    network, epochs = train(base, folder / "whole.checkpoint")
    steps = -(-(18 + 2) // FIT.batch)
    stopped = folder / "stopped.checkpoint"
    try:
        train(base, stopped, stop_at=3 * steps + 2)
    except Interrupted:
        resumed, _ = train(base, stopped)
    once_more, told_epochs = train(base, stopped)
    # the base has no pooler: transformers draws one, which is never asked
    one, other = network.module.state_dict(), resumed.module.state_dict()
    texts = [(text, code) for code, texts in CODED.items() for text in texts]
    told = logits(network, split(network, [text for text, _ in texts]))[:, 1:].argmax(axis=1)
    return {
        **pieces_kept(base),
        "read_back": read_back(network, [1, 2]),
        "grown": grown(network),
        "divided": divided_in_two(network),
        "soup": soup(opened(base)),
        "teachers": teachers(base, folder / "taught.checkpoint"),
        "not_read_back": not_read_back(network, keep_pieces(open_base(base, 2, seed=SEED), TEXTS, first=FIRST)),
        "wordpiece": refusal(folder / "wordpiece"),
        "losses": [epoch.loss for epoch in epochs],
        "codes_told": told.tolist(),
        "codes": [code for _, code in texts],
        "resumed_otherwise": [name for name in one if "pooler" not in name and not (one[name] == other[name]).all()],
        "epochs_of_a_training_that_is_over": len(told_epochs),
        "over_is_the_same": all(
            bool((one == once_more.module.state_dict()[name]).all()) for name, one in other.items()
        ),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
