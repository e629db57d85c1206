"""Versions of corpora of our own: labelled texts that were imported, or that the desk's reviews decided.

`<corpora>/<name>@<version>/` holds `rows.jsonl` and `paper.json`, which says where the rows came from, what was left
out and why, and the SHA-256 of the rows. A version never changes; the same rows are not stored twice, unless another
licence, source, language or definition of the label is given for them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from classifiers.manifest import Dataset
from classifiers.training.corpora import Corpus
from classifiers.training.duplicates import clusters
from classifiers.training.licences import LicenceClass
from hustings.errors import ConfigError
from hustings.language_tags import language_tag

__all__ = [
    "Paper",
    "Row",
    "StoredCorpus",
    "Survey",
    "Unreadable",
    "check_corpus_name",
    "find_corpus",
    "read_rows",
    "store_corpus",
    "survey_corpora",
    "to_training",
]

ROWS = "rows.jsonl"
PAPER = "paper.json"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z"
CorpusName = Annotated[str, Meta(pattern=NAME)]


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One labelled text. Rows of one `family` stay on one side of every split; `groups` (such as the gender of who is
    spoken of) are only measured by, never learnt from."""

    id: str
    text: str
    label: Annotated[int, Meta(ge=0, le=1)]
    family: str = ""
    at: datetime | None = None
    groups: dict[str, str] = {}


class Paper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a version of a corpus is. `excluded` counts what was looked at and left out, by reason; `in_clusters` rows
    are near-copies of another row."""

    format: Literal[1] = 1
    name: CorpusName
    version: str
    made_at: str
    made_from: Literal["file", "desk"]
    source: str
    licence: str
    licence_class: LicenceClass
    language: str
    label: str
    rows: int
    positives: int
    clusters: int
    in_clusters: int
    excluded: dict[str, int]
    sha256: str

    @property
    def tag(self) -> str:
        return f"{self.name}@{self.version}"


class StoredCorpus(NamedTuple):
    """A version in the store. `is_new` False when the very same rows lay there already."""

    paper: Paper
    folder: Path
    is_new: bool = False


class Unreadable(NamedTuple):
    """A folder with a paper that cannot be read, or that is the paper of another version."""

    folder: Path
    problem: str


class Survey(NamedTuple):
    """All that lies in a store: versions by name and age, and beside them what should be one."""

    versions: list[StoredCorpus]
    unreadable: list[Unreadable]


def check_corpus_name(name: str) -> None:
    """Raises `ConfigError` for what cannot be the name of a corpus: it becomes that of a folder."""
    if re.search(NAME, name) is None:
        raise ConfigError(
            f"{name!r} is no name for a corpus; it is of letters a to z, digits, '-', '_' and '.', begins with a "
            "letter or digit, and is at most 80 long"
        )


def store_corpus(
    corpora: Path,
    rows: Sequence[Row],
    *,
    name: str,
    made_at: str,
    made_from: Literal["file", "desk"],
    source: str,
    licence: str,
    licence_class: LicenceClass,
    language: str,
    label: str,
    excluded: dict[str, int],
) -> StoredCorpus:
    """Store the rows as the next version of `name`. Raises `ConfigError` when there are none, or all have one label,
    and for a name or language that is none."""
    check_corpus_name(name)
    language = language_tag(language)
    positives = sum(row.label for row in rows)
    if not 0 < positives < len(rows):
        left_out = ", ".join(f"{count} {reason}" for reason, count in excluded.items() if count) or "nothing"
        raise ConfigError(
            f"corpus {name!r}: {len(rows)} rows, {positives} of them positive: nothing to learn from; "
            f"left out: {left_out}"
        )
    raw = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    digest = hashlib.sha256(raw).hexdigest()
    said = (digest, source, licence, language, label)
    for one in survey_corpora(corpora).versions:
        paper = one.paper
        if paper.name == name and (paper.sha256, paper.source, paper.licence, paper.language, paper.label) == said:
            return one
    copies = clusters([row.text for row in rows], [row.family for row in rows])
    sizes: dict[int, int] = {}
    for number in copies.tolist():
        sizes[number] = sizes.get(number, 0) + 1
    taken = [folder.name.rpartition("@")[2] for folder in corpora.glob(f"{name}@*")]  # unfinished ones too
    version = str(1 + max((int(number) for number in taken if number.isdecimal()), default=0))
    paper = Paper(
        name=name,
        version=version,
        made_at=made_at,
        made_from=made_from,
        source=source,
        licence=licence,
        licence_class=licence_class,
        language=language,
        label=label,
        rows=len(rows),
        positives=positives,
        clusters=len(sizes),
        in_clusters=sum(size for size in sizes.values() if size > 1),
        excluded={reason: count for reason, count in excluded.items() if count},
        sha256=digest,
    )
    folder = corpora / paper.tag
    folder.mkdir(parents=True)
    (folder / ROWS).write_bytes(raw)
    (folder / PAPER).write_bytes(msgspec.json.format(msgspec.json.encode(paper), indent=1) + b"\n")
    return StoredCorpus(paper, folder, is_new=True)


def survey_corpora(corpora: Path) -> Survey:
    """Every version in the store; one that cannot be read says nothing about the others. A folder without a paper was
    never finished, and is left out."""
    survey = Survey([], [])
    for folder in sorted(corpora.iterdir()) if corpora.is_dir() else ():
        try:
            paper = msgspec.json.decode((folder / PAPER).read_bytes(), type=Paper)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            survey.unreadable.append(Unreadable(folder, f"{PAPER} cannot be read ({error.strerror})"))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            survey.unreadable.append(Unreadable(folder, f"{PAPER}: {error}"))
        else:
            if folder.name == paper.tag:
                survey.versions.append(StoredCorpus(paper, folder))
            else:
                survey.unreadable.append(Unreadable(folder, f"{PAPER} is that of {paper.tag}"))
    survey.versions.sort(key=lambda one: (one.paper.name, _age(one.paper.version)))
    return survey


def find_corpus(corpora: Path, wanted: str) -> StoredCorpus:
    """`name@version`, or the newest version of `name`. Raises `ConfigError` with those that are there, and for a
    version that cannot be read: an older one never takes its place unasked."""
    name, _, version = wanted.partition("@")
    survey = survey_corpora(corpora)
    found = [one for one in survey.versions if one.paper.name == name and version in ("", one.paper.version)]
    newest = _age(found[-1].paper.version) if found else (0, "")
    known = ", ".join(one.paper.tag for one in survey.versions) or "none"
    for bad in survey.unreadable:
        own, _, number = bad.folder.name.partition("@")
        if own == name and (number == version or (not version and _age(number) > newest)):
            raise ConfigError(f"{bad.folder}: {bad.problem}; mend it or take it away. There are {known}")
    if not found:
        raise ConfigError(f"{corpora}: no corpus {wanted!r}; there are {known}")
    return found[-1]


def _age(version: str) -> tuple[int, str]:
    """Sorts 10 behind 9."""
    return len(version), version


def read_rows(stored: StoredCorpus) -> list[Row]:
    """The rows. Raises `ConfigError` when they are not those of the paper."""
    path = stored.folder / ROWS
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    if (digest := hashlib.sha256(raw).hexdigest()) != stored.paper.sha256:
        raise ConfigError(f"{path}: SHA-256 is {digest}, the paper says {stored.paper.sha256}; a version never changes")
    return [msgspec.json.decode(line, type=Row) for line in raw.splitlines()]


def to_training(stored: StoredCorpus, rows: Iterable[Row]) -> Corpus:
    """The rows as training reads them."""
    kept = list(rows)
    paper = stored.paper
    dataset = Dataset(
        name=f"{paper.tag} ({'reviews of the desk' if paper.made_from == 'desk' else paper.source})",
        file=f"{paper.tag}/{ROWS}",
        sha256=paper.sha256,
        licence=paper.licence,
        source=paper.source,
        rows=len(kept),
        positives=sum(row.label for row in kept),
        use="training",
    )
    return Corpus([row.text for row in kept], [row.label for row in kept], [row.family for row in kept], dataset)
