"""Labelled texts: one reader per data set, each row with its label, and where the file came from.

Only data whose licence lets weights be shipped stand here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from classifiers.manifest import Dataset
from classifiers.training.text_file import read_text
from hustings.errors import ConfigError

__all__ = ["CORPORA", "Corpus", "Source", "read_corpus"]

MOST_BYTES = 1_000_000_000
"""Of one corpus, unpacked: the largest that is named here has a hundredth of it."""

csv.field_size_limit(10_000_000)


class Corpus(NamedTuple):
    """Texts with labels 0 or 1. Rows of one `family` (a text and its altered twin) must stay on one side of a split;
    the empty string is no family. `means`: what label 1 says, where that is not plain from the file."""

    texts: list[str]
    labels: list[int]
    families: list[str]
    dataset: Dataset
    means: str = ""


class Source(NamedTuple):
    """Where a corpus stands and how a row is read. `label` gives None for a row that says nothing."""

    file: str
    name: str
    licence: str
    url: str
    text: str
    label: Callable[[dict[str, str]], int | None]
    family: Callable[[dict[str, str]], str] = lambda row: ""
    means: str = ""


def _is_sexist(row: dict[str, str]) -> int:
    return int(row["label_sexist"] == "sexist")


def _is_threat(row: dict[str, str]) -> int:
    return int(row["label_category"].startswith("1."))


def _category(number: int) -> Callable[[dict[str, str]], int]:
    """EDOS task B: 2 derogation, 3 animosity, 4 prejudiced discussions."""
    return lambda row: int(row["label_category"].startswith(f"{number}."))


def _uli(question: str) -> Callable[[dict[str, str]], int | None]:
    """`l1`: gendered abuse when not directed at a person of marginalised gender; `l2`: when directed at one."""
    return lambda row: {"0": 0, "1": 1}.get(row[question])


def _is_hate_of_others(row: dict[str, str]) -> int:
    """Hatemoji: hate, but not of women, nor of women of an origin, faith or orientation."""
    return int(row["label_gold"] == "1" and "wom" not in row["target"])


def _hatemoji_pair(row: dict[str, str]) -> str:
    """Hatemoji: what a post and the one that it was changed into have in common."""
    return row["matched_id"] and "-".join(sorted((row["entry_id"], row["matched_id"])))


def _is_harmless_in_uli(row: dict[str, str]) -> int:
    """Neither of `l1` and `l2`, nor explicit or aggressive (`l3`)."""
    return int(all(row[question] == "0" for question in ("l1", "l2", "l3")))


def _is_normal(row: dict[str, str]) -> int:
    """MLMA: of no hostile kind."""
    return int(row["sentiment"] == "normal")


_EDOS = ("EDOS (SemEval-2023 Task 10)", "CC0-1.0", "github.com/rewire-online/edos")
_ULI = ("Uli", "CC-BY-4.0", "github.com/tattle-made/uli_dataset")
_GERMEVAL = ("GermEval 2018", "CC-BY-4.0", "github.com/uds-lsv/GermEval-2018-Data")
_GUEST = ("Guest et al. 2021", "MIT", "github.com/ellamguest/online-misogyny-eacl2021")
_HATEMOJI = ("HatemojiBuild", "CC-BY-4.0", "github.com/HannahKirk/Hatemoji")
_HATEMOJI_BUILD = "hatemoji/build_train.csv"
_MLMA = ("MLMA", "MIT", "github.com/HKUST-KnowComp/MLMA_hate_speech")
_DAVIDSON = ("Davidson et al. 2017", "MIT", "github.com/t-davidson/hate-speech-and-offensive-language")

_HARMLESS = "neither hate nor offence"

CORPORA: dict[str, Source] = {
    "edos-sexist": Source("edos/train.csv.gz", *_EDOS, "text", _is_sexist),
    "edos-sexist-dev": Source("edos/dev.csv", *_EDOS, "text", _is_sexist),
    "edos-threat": Source("edos/train.csv.gz", *_EDOS, "text", _is_threat),
    "edos-threat-dev": Source("edos/dev.csv", *_EDOS, "text", _is_threat),
    "edos-derogation": Source("edos/train.csv.gz", *_EDOS, "text", _category(2)),
    "edos-animosity": Source("edos/train.csv.gz", *_EDOS, "text", _category(3)),
    "edos-prejudice": Source("edos/train.csv.gz", *_EDOS, "text", _category(4)),
    "uli-en": Source("uli/en_train.csv", *_ULI, "text", _uli("l1")),
    "uli-hi": Source("uli/hi_train.csv.gz", *_ULI, "text", _uli("l1")),
    "uli-ta": Source("uli/ta_train.csv.gz", *_ULI, "text", _uli("l1")),
    "germeval-offence": Source(
        "germeval2018/train.csv", *_GERMEVAL, "text", lambda row: int(row["coarse"] == "OFFENSE")
    ),
    "guest-misogyny": Source(
        "guest_misogyny/train.csv.gz",
        *_GUEST,
        "body",
        lambda row: int(row["level_1"] == "Misogynistic"),
        means="misogyny",
    ),
    "hatemoji": Source(
        _HATEMOJI_BUILD,
        *_HATEMOJI,
        "text",
        lambda row: int(row["label_gold"] == "1" and any(f"'{who}" in row["target"] for who in ("wom", "blawom"))),
        _hatemoji_pair,
        means="hate of women",
    ),
    "hatemoji-other-ground": Source(
        _HATEMOJI_BUILD, *_HATEMOJI, "text", _is_hate_of_others, _hatemoji_pair, means="hate of others than women"
    ),
    "hatemoji-harmless": Source(
        _HATEMOJI_BUILD, *_HATEMOJI, "text", lambda row: int(row["label_gold"] == "0"), _hatemoji_pair, means=_HARMLESS
    ),
    "mlma-gender-en": Source(
        "mlma/en_train.csv",
        *_MLMA,
        "tweet",
        lambda row: int(row["target"] == "gender"),
        means="abuse that targets gender",
    ),
    "mlma-gender-ar": Source("mlma/ar_train.csv", *_MLMA, "tweet", lambda row: int(row["target"] == "gender")),
    "davidson-hate": Source(
        "davidson/train.csv.gz",
        *_DAVIDSON,
        "tweet",
        lambda row: int(row["class"] == "0"),
        means="hate of any group, slurs alone are none",
    ),
    "davidson-harmless": Source(
        "davidson/train.csv.gz", *_DAVIDSON, "tweet", lambda row: int(row["class"] == "2"), means=_HARMLESS
    ),
    "germeval-harmless": Source(
        "germeval2018/train.csv", *_GERMEVAL, "text", lambda row: int(row["coarse"] == "OTHER"), means=_HARMLESS
    ),
    "mlma-harmless-ar": Source("mlma/ar_train.csv", *_MLMA, "tweet", _is_normal, means=_HARMLESS),
    "mlma-harmless-en": Source("mlma/en_train.csv", *_MLMA, "tweet", _is_normal, means=_HARMLESS),
    "mlma-harmless-fr": Source("mlma/fr_train.csv", *_MLMA, "tweet", _is_normal, means=_HARMLESS),
    "uli-harmless-en": Source("uli/en_train.csv", *_ULI, "text", _is_harmless_in_uli, means=_HARMLESS),
    "uli-harmless-hi": Source("uli/hi_train.csv.gz", *_ULI, "text", _is_harmless_in_uli, means=_HARMLESS),
    "uli-harmless-ta": Source("uli/ta_train.csv.gz", *_ULI, "text", _is_harmless_in_uli, means=_HARMLESS),
}
"""Every corpus that can be trained or measured on, by name."""


def read_corpus(name: str, data: Path, *, use: str = "training") -> Corpus:
    """The corpus `name` from the staged data under `data`. Raises `ConfigError` when it is not there, broken, or more
    than can be read."""
    source = CORPORA.get(name)
    if source is None:
        raise ConfigError(f"no corpus {name!r}; known are {', '.join(CORPORA)}")
    path = data / source.file
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"corpus {name!r}: {path} cannot be read ({error.strerror}); give --data DIR") from error
    texts: list[str] = []
    labels: list[int] = []
    families: list[str] = []
    reader = csv.DictReader(io.StringIO(read_text(path, most_bytes=MOST_BYTES), newline=""))
    for row in reader:
        if None in row.values():
            raise ConfigError(f"corpus {name!r}: {path} line {reader.line_num}: has fewer cells than the header")
        try:
            label = source.label(row)
            text, family = row[source.text], source.family(row)
        except KeyError as error:
            there = ", ".join(map(repr, reader.fieldnames or ()))
            raise ConfigError(f"corpus {name!r}: {path} has no column {error.args[0]!r}; there are {there}") from error
        if label is None:
            continue
        texts.append(text)
        labels.append(label)
        families.append(family)
    dataset = Dataset(
        name=source.name,
        file=source.file,
        sha256=hashlib.sha256(raw).hexdigest(),
        licence=source.licence,
        source=source.url,
        rows=len(texts),
        positives=sum(labels),
        use="measuring" if use == "measuring" else "training",
    )
    return Corpus(texts, labels, families, dataset, source.means)
