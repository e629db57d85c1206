"""Run by `test_encoder_training` with a Python that has the torch extra: makes a tiny encoder, teaches it, exports it.

    python -P -m tests.train_tiny_encoder FOLDER [WORD…]

It writes `FOLDER/models/encoder-en` and prints facts as JSON, what happened to an interrupted training among them. With
words it only writes an encoder that knows these, in `FOLDER`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from classifiers.training.encoder.bases import find_base
from classifiers.training.encoder.fit import Epoch, FitSettings, Progress
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.order import Order
from classifiers.training.recipes import RECIPES
from classifiers.training.train_encoder import heads_in, join_heads, staged, train_network
from classifiers.training.train_linear import train_head

RUDE = ["clown", "liar", "idiot", "crook", "thief", "coward", "snake", "parasite"]
KIND = ["friend", "neighbour", "baker", "teacher", "gardener", "singer", "nurse", "aunt"]
PLACES = ["harbour", "market", "bridge", "station", "church", "garden", "school", "office", "river", "square"]
THREATS = ["burn", "hang", "drown"]
SEED = 7


def write_posts(path: Path, count: int, draw: random.Random) -> None:
    """Invented posts in the columns of EDOS: rude words are sexism, some of them with a threat."""
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(["text", "label_sexist", "label_category"])
    for number in range(count):
        is_rude, is_threat = number % 3 == 0, number % 6 == 0
        who = draw.choice(RUDE if is_rude else KIND)
        deed = draw.choice(THREATS) if is_threat else "met"
        where = " ".join(draw.sample(PLACES, 4))
        kind = "1. threats" if is_threat else "2. derogation" if is_rude else "none"
        writer.writerow([f"that {who} {deed} {number} at {where}", "sexist" if is_rude else "not sexist", kind])
    raw = rows.getvalue().encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)


ENGLISH = ("that", "at", "met", *RUDE, *KIND, *PLACES, *THREATS)


def write_base(folder: Path, words: Sequence[str] = ENGLISH) -> None:
    """A BERT of one layer and 32 dimensions, whose weights nobody trained."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    characters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + [str(digit) for digit in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, *characters, *(f"##{one}" for one in characters)]
    pieces = Tokenizer(WordPiece({word: place for place, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    pieces.normalizer = BertNormalizer()
    pieces.pre_tokenizer = BertPreTokenizer()
    pieces.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, vocabulary.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)


class Interrupted(Exception):
    pass


def main(folder: Path) -> dict[str, object]:
    draw = random.Random(3)
    write_posts(folder / "data" / "edos" / "train.csv.gz", 480, draw)
    write_posts(folder / "data" / "edos" / "dev.csv", 240, draw)
    write_base(folder / "base")
    order = Order(folder / "data", folder / "models", "4", "a test", "2026-10-01", SEED)
    for name in ("G-en", "G-THR-en"):
        train_head(RECIPES[name]._replace(compared_on=()), order)
    recipe = ENCODERS["encoder-en"]._replace(settings=FitSettings(epochs=3, batch=16, rate=5e-3, threads=1, bf16=False))
    base = find_base(str(folder / "base"), folder)
    epochs: list[Epoch] = []
    quiet = Progress(step=lambda done, of, loss: None, epoch=epochs.append)

    def stop(done: int, of: int, loss: float) -> None:
        if done == of // 2:
            raise Interrupted

    material = staged(recipe, folder / "data", heads_in(folder / "models", recipe), seed=SEED)
    checkpoint = folder / "interrupted.checkpoint"
    try:
        train_network(recipe, base, material.read, seed=SEED, checkpoint=checkpoint, progress=quiet._replace(step=stop))
    except Interrupted:
        before = len(epochs)
    resumed = train_network(recipe, base, material.read, seed=SEED, checkpoint=checkpoint, progress=quiet)
    after = len(epochs) - before
    whole = train_network(
        recipe, base, material.read, seed=SEED, checkpoint=folder / "whole.checkpoint", progress=quiet
    )
    with_teachers = recipe._replace(settings=recipe.settings._replace(epochs=1, teachers=2))
    judged = train_network(
        with_teachers, base, material.read, seed=SEED, checkpoint=folder / "judged.checkpoint", progress=quiet
    )
    thrice = recipe._replace(settings=recipe.settings._replace(epochs=1, networks_averaged=3))
    soup = train_network(thrice, base, material.read, seed=SEED, checkpoint=folder / "soup.checkpoint", progress=quiet)
    alone = train_network(
        recipe._replace(settings=recipe.settings._replace(epochs=1)),
        base,
        material.read,
        seed=SEED,
        checkpoint=folder / "alone.checkpoint",
        progress=quiet,
    )
    join_heads(recipe, whole, material, order.models / "encoder-en", order._replace(version="2"))
    return {
        "epochs_before_and_after_the_interruption": [before, after],
        "resumed_is_the_same": resumed.network == whole.network,
        "checkpoints_left": [path.name for path in folder.glob("*.checkpoint*")],
        "teachers": {name: value for name, value in judged.settings.items() if name.startswith("teachers")},
        "epochs_told_with_teachers": len(epochs) - before - after - 3 - 3 - 1,
        "soup": {
            "networks_averaged": [one.settings["networks_averaged"] for one in (soup, alone)],
            "is_another": soup.network != alone.network,
        },
    }


if __name__ == "__main__":
    if len(sys.argv) > 2:
        write_base(Path(sys.argv[1]), sys.argv[2:])
    else:
        print(json.dumps(main(Path(sys.argv[1]))))
