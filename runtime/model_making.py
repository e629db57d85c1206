"""From labelled rows to a version that waits: corpus, training, signature, gates, card. What serves is not touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from hustings.clock import Clock, rfc3339
from hustings.codebook import Codebook
from hustings.errors import ConfigError, ModelError
from hustings.language_tags import language_tag, teaches
from runtime import build
from runtime.config import Config

if TYPE_CHECKING:
    from classifiers.gates.floors import Floors
    from classifiers.gates.record import GateRecord
    from classifiers.signing import Signers
    from classifiers.store import ModelStore, Stored
    from classifiers.training.corpus_store import StoredCorpus

__all__ = [
    "CARDS",
    "PRECISION",
    "Judged",
    "Made",
    "Making",
    "build_from_desk",
    "code_and_language",
    "corpora_of",
    "floors_about",
    "floors_in",
    "floors_of",
    "judge_and_draw",
    "make",
]

CARDS = "cards"
PRECISION = 0.75
"""What a threshold is chosen for where the head has no recipe: three flags of four are right, on such rows."""

Tell = Callable[[str], None]


class Made(NamedTuple):
    """A version that waits for its promotion, and everything that was said about it."""

    stored: Stored
    corpus: StoredCorpus
    record: GateRecord
    card: Path
    seconds: float


class Judged(NamedTuple):
    """What is said of a version, whatever it was made from."""

    stored: Stored
    record: GateRecord
    card: Path
    seconds: float


class Making(NamedTuple):
    """How a version is made. `key` None leaves it unsigned, which the gates then say."""

    store: ModelStore
    signers: Signers
    by: str
    precision: float | None = None
    split: Literal["grouped", "random"] = "grouped"
    key: Path | None = None


def corpora_of(config: Config) -> Path:
    """Where a deployment keeps its corpora: posts are in them, so they lie with the data."""
    return config.data / "corpora"


def code_and_language(name: str, codebook: Codebook) -> tuple[str, str]:
    """`G-THR-en-IN` is code G-THR in language en-IN. Raises `ConfigError` for a name that is no code and language, and
    for a code that only people may give."""
    parts = name.split("-")
    for place in range(len(parts) - 1, 0, -1):
        code, language = "-".join(parts[:place]), "-".join(parts[place:])
        if (known := codebook.codes.get(code)) is not None and language[:1].islower():
            if known.human_only:
                raise ConfigError(f"{name}: {code} ({known.title}) is for people; no model may give it")
            try:
                tag = language_tag(language)
            except ConfigError as error:
                raise ConfigError(f"{name!r}: {error}") from None
            if tag != language:
                raise ConfigError(f"{name!r}: did you mean {code}-{tag}?")
            return code, language
    near = _meant(name, codebook)
    hint = f"; did you mean {near}?" if near else ""
    raise ConfigError(f"{name!r}: a head is called by its code and language, such as G-THR-en{hint}")


def _meant(name: str, codebook: Codebook) -> str | None:
    """The head that looks most like `name`, whose language may be missing."""
    rest, _, last = name.rpartition("-")
    try:
        code, language = rest, language_tag(last) if rest else ""
    except ConfigError:
        code, language = name, "en"
    if not rest or name.upper() in codebook.codes:  # a code without a language, though its end may look like one
        code, language = name, "en"
    near = codebook.nearest(code)
    known = codebook.codes.get(near) if near else None
    return f"{near}-{language}" if known is not None and not known.human_only else None


def build_from_desk(config: Config, name: str, *, code: str, language: str, clock: Clock) -> StoredCorpus:
    """The settled reviews of the desk as a version of the corpus `name`, and a row of the audit chain before it is
    written: the words of posts are in it. Raises `ConfigError` when there is nothing to learn from, with what was left
    out."""
    from contextlib import ExitStack

    from classifiers.training.corpus_store import store_corpus
    from desk import audit
    from desk.database.connect import writing
    from hustings.roster import Roster
    from runtime.desk_corpus import desk_rows

    config.require_data()
    with ExitStack() as closing:
        engine = build.open_engine(config)
        closing.callback(engine.dispose)
        index = build.open_index(config)
        closing.callback(index.close)
        found = desk_rows(
            engine,
            index,
            code=code,
            language=language,
            roster=build.roster(config) or Roster(),
            codebook=build.codebook(),
            clock=clock,
        )
        detail: audit.Detail = {"code": code, "language": language, "rows": len(found.rows)}
        with writing(engine) as connection:
            audit.append(
                connection, at=clock.now(), actor="operator", action="corpus-build", subject=name, detail=detail
            )
    return store_corpus(
        corpora_of(config),
        found.rows,
        name=name,
        made_at=rfc3339(clock.now()),
        made_from="desk",
        source=f"reviews of {config.deployment.name}",
        licence="desk's own",
        licence_class="own",
        language=language,
        label=f"{code}: two reviewers agree, or a lead decided",
        excluded=found.excluded,
    )


def make(name: str, corpus: StoredCorpus, making: Making, *, clock: Clock, tell: Tell) -> Made:
    """Train the head `name` from the corpus, sign it, run every gate, write its card. Raises `ConfigError` for a name
    that is no head, a corpus in another language, too few rows, or a split that near-copies cross."""
    from classifiers.linear.model import load_head
    from classifiers.training.order import SEED
    from classifiers.training.recipes import RECIPES
    from classifiers.training.train_reviewed import ReviewedOrder, train_reviewed

    codes = build.codebook()
    code, language = code_and_language(name, codes)
    if not teaches(corpus.paper.language, language):
        raise ConfigError(
            f"corpus {corpus.paper.tag} is in {corpus.paper.language!r}, {name} is for {language!r}: such rows would "
            f"teach it nothing; name a corpus in {language!r} or a head for {corpus.paper.language!r}"
        )
    store = making.store
    serving = store.readable()
    for bad in store.survey(name).unreadable:
        if bad.serves:  # learning from nothing, where there is something to start from, is not what was asked for
            raise ModelError(bad.problem)
    prior = load_head(serving[name], signers=making.signers) if name in serving else None
    recipe = RECIPES.get(name)
    began = time.perf_counter()
    with store.reserve(name) as (folder, version):
        order = ReviewedOrder(
            name=name,
            code=code,
            language=language,
            label=prior.manifest.label if prior else f"{codes.codes[code].title}: {codes.codes[code].definition}",
            version=version,
            precision=making.precision or (recipe.precision if recipe else PRECISION),
            chosen_by=making.by,
            chosen_at=clock.now().date().isoformat(),
            seed=SEED,
            prior=prior,
            split=making.split,
        )
        train_reviewed(order, corpus, folder, tell=tell)
    judged = judge_and_draw(folder, making, serving, seconds=time.perf_counter() - began, clock=clock, tell=tell)
    return Made(judged.stored, corpus, judged.record, judged.card, judged.seconds)


def judge_and_draw(
    folder: Path, making: Making, serving: Mapping[str, Path], *, seconds: float, clock: Clock, tell: Tell
) -> Judged:
    """Note what making the version in `folder` took, sign it, run every gate beside what serves, write its card."""
    from classifiers.card.write import write_card
    from classifiers.gates.judge import judge
    from classifiers.gates.record import write_record
    from classifiers.manifest import manifest_bytes
    from classifiers.papers import write_made
    from classifiers.signing import SIGNATURE, sign

    codes, store = build.codebook(), making.store
    write_made(folder, round(seconds, 2))
    if making.key is not None:
        (folder / SIGNATURE).write_bytes(sign(manifest_bytes(folder), making.key))
    name, _, number = folder.name.partition("@")
    stored = store.find(name, number)
    record = judge(
        stored.manifest,
        folder,
        serving=serving,
        floors=floors_in(store),
        codebook=codes,
        signers=making.signers,
        at=rfc3339(clock.now()),
        tell=tell,
    )
    write_record(folder, record)
    tell("card")
    out = store.own / CARDS / stored.manifest.tag
    card = write_card(stored.manifest, folder, out, codebook=codes, serving=serving, floors=floors_in(store))
    return Judged(stored, record, card, round(seconds, 2))


def floors_in(store: ModelStore) -> Floors:
    """What models of the store must be worth, and what is borne of them. Where the shipped models lie below, a version
    under the name of one is held against what is known of that one, until the deployment records its own."""
    from classifiers.gates.floors import read_floors
    from classifiers.store import ModelStore

    own = read_floors(floors_of(store))
    return own if store.base is None else own.over(read_floors(floors_of(ModelStore(store.base))))


def floors_about(stored: Stored, store: ModelStore) -> Floors:
    """What was written down about this very version: of one that is shipped, with the shipped models."""
    from classifiers.pipeline import shipped_models
    from classifiers.store import ModelStore

    shipped = shipped_models()
    return floors_in(ModelStore(shipped) if stored.folder.parent == shipped else store)


def floors_of(store: ModelStore) -> Path:
    """The shipped models' floors lie beside the gates, everybody else's in their folder of models."""
    from importlib.resources import files

    from classifiers.gates.floors import FLOORS
    from classifiers.pipeline import shipped_models

    if store.own == shipped_models():
        return Path(str(files("classifiers").joinpath("gates", FLOORS)))
    return store.own / FLOORS
