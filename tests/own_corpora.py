"""Invented posts in simple Portuguese, with labels, for tests of what is learnt from a corpus of one's own."""

from __future__ import annotations

import json
import random
from pathlib import Path

from classifiers.training.corpus_store import Row, StoredCorpus, store_corpus

RUDE = ("palhaco", "mentiroso", "covarde", "parasita", "serpente", "bandido")
KIND = ("vizinho", "padeiro", "cantor", "primo", "pintor", "jardineiro")
THREATS = ("queimar", "afogar", "enforcar")
DEEDS = ("visitar", "chamar", "saudar")
PLACES = [
    "ponte",
    "mercado",
    "igreja",
    "escola",
    "jardim",
    "porto",
    "cidade",
    "estrada",
    "janela",
    "montanha",
    "cozinha",
    "biblioteca",
    "padaria",
    "farmacia",
    "aldeia",
    "ribeira",
    "floresta",
    "capela",
    "fazenda",
    "oficina",
]
TIMES = ["hoje", "amanha", "ontem", "cedo", "tarde", "agora", "sempre", "nunca", "domingo", "segunda"]
LINKS = ["depois", "da", "para", "com", "sem", "sobre", "entre", "perto", "da", "longe", "da", "junto", "com"]
WORDS = ("esse", "vamos", "o", *RUDE, *KIND, *THREATS, *DEEDS, *PLACES, *TIMES, *dict.fromkeys(LINKS))


def post(draw: random.Random, *, is_rude: bool, is_threat: bool) -> str:
    """One sentence, whose other words say nothing."""
    who = draw.choice(RUDE if is_rude else KIND)
    deed = draw.choice(THREATS if is_threat else DEEDS)
    where = " ".join(f"{draw.choice(LINKS)} {draw.choice(PLACES)}" for _ in range(4))
    return f"vamos {deed} esse {who} {draw.choice(TIMES)} {where}"


def rows(count: int = 660, *, threats: bool = False, seed: int = 3) -> list[Row]:
    """Every third row is rude, or with `threats` a threat."""
    draw = random.Random(seed)
    found: dict[str, Row] = {}
    while len(found) < count:
        label = len(found) % 3 == 0
        other = draw.random() < 0.3
        text = post(draw, is_rude=other if threats else label, is_threat=label if threats else other)
        found.setdefault(text, Row(id=f"row-{len(found)}", text=text, label=int(label)))
    return list(found.values())


def write_rows(path: Path, found: list[Row]) -> Path:
    path.write_text("".join(json.dumps({"body": row.text, "abusive": row.label}) + "\n" for row in found))
    return path


def stored(corpora: Path, found: list[Row], *, name: str = "my-pt", language: str = "pt") -> StoredCorpus:
    return store_corpus(
        corpora,
        found,
        name=name,
        made_at="2026-10-01T00:00:00Z",
        made_from="file",
        source="made for tests",
        licence="CC-BY-4.0",
        licence_class="A",
        language=language,
        label="abusive is 1",
        excluded={},
    )
