"""The model of abuse of one language, settled beside the encoder that reads codes: which posts it is asked about, how
likely its answer is right, and from which probability on a post is flagged. Nothing else is learnt here."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked
from classifiers.encoder.codes import CODES, CodeReader, pack_codes
from classifiers.encoder.readable import Readable
from classifiers.linear.score import DECIMALS, F64
from classifiers.manifest import (
    Calibration,
    Manifest,
    Metric,
    ModelFile,
    Threshold,
    analyser_hash,
    read_manifest,
    write_model,
)
from classifiers.meaning.model import THREATS, likely_threats, named
from classifiers.meaning.reading import read_for_abuse
from classifiers.narratives.seeds import ORDINARY, PROTECTED, seed_languages
from classifiers.pipeline import shipped_models
from classifiers.rating import rate
from classifiers.roster_names import said_in
from classifiers.spelling import WORDS_FILE, Spelling, pack_words
from classifiers.store import serving
from classifiers.training.by_code import Share, share_of
from classifiers.training.calibration import platt, probabilities
from classifiers.training.code_rows import CodeRows, code_rows
from classifiers.training.common_words import common_words
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.narrative_asking import asking, least_worth
from classifiers.training.often_said import often_said
from classifiers.training.order import Order
from classifiers.training.protected_rows import lowest_score, wrongly_flagged
from classifiers.training.settled_beside import encoder_that_learnt
from classifiers.training.stages import Tell, to_nobody
from classifiers.training.thresholds import threshold_for
from hustings.errors import ConfigError
from hustings.text import analyse_all

__all__ = ["GIVEN", "LEAST_SCORE", "MOST_ORDINARY", "MOST_PROTECTED", "abuse_languages", "train_meaning"]

GIVEN = ("A-INSULT", "A-OTHERGROUND", "A-THREAT", "G", "G-THR")
"""The codes that it gives."""
MOST_PROTECTED = 0.04
"""Share of protected posts, most of them written to look like abuse, that may be flagged."""
MOST_ORDINARY = 0.015
"""Share of ordinary posts that may be flagged; half of them are of few words, and many have words of abuse."""
LEAST_ASKED = 0.97
"""Share of what would be flagged if the encoder read everything about which it must still be asked …"""
LEAST_READ_ON = 0.98
"""… and of that, the share that must be read to the end. With both as they are, .738 of held-out abuse is found, with
.98 asked about .743; but then a third more of the synthetic election's posts is begun and read."""
WORTH_SAYS = 0.6
"""How much what a post is worth asking about adds to the log-odds of abuse by its meaning: a head over words errs
elsewhere than the encoder. Of 0 to 1.5, .4 found most on held-out rows beside encoder-mul@10, .737 of abuse at the same
shares of protected and ordinary rows, .6 found .734, 0 .730, and 1.2, which was best beside weaker ones, .722; with .4
people who sang in a market were taken for a threat (the synthetic election)."""
RIGHT_THREATS = 0.915
"""Of the held-out posts that are flagged as threats, how many should be threats: rules warn within half an hour of a
single one. How likely a threat a post must be follows from it."""
RIGHT_KEPT = 0.985
"""Of the held-out abuse that linear heads flag, how much must stay flagged; how likely protected speech a post must be,
so that their flags are withheld, follows from it."""
LEAST_SCORE = 0.8
"""No threshold lies lower: of a stream far fewer posts are abuse than of these rows (settled on the synthetic election,
where men who cook beside the radio, and people who cheer, were flagged below it)."""
_MEASURES = ("macro_f1", "f1", "precision", "recall", "false_positive_rate", "pr_auc", "recall_at_precision_90")
_LABEL = (
    "Insults, threats, gendered abuse and hate of minorities, told by what the encoder that reads codes says that a "
    "post means. It adds what the linear heads of the language do not say."
)
_LIMITS = (
    "It says that a post reads like abuse of our own examples, never what its author is. A woman and a man are read "
    "alike, so that it cannot tell abuse that lies in nothing but the gender of who is meant. All posts were written "
    "for Hustings, none was signed off by a native speaker; what is held out is by the same writers as what was "
    "learnt, so that these numbers are kind; calibration and threshold were settled on the same posts. Sees only posts "
    "that a head over their words and the first layers of the encoder find worth reading. What a linear head flags is "
    "withheld where its meaning is protected speech."
)

_LANGUAGES = tuple(language for recipe in ENCODERS.values() for language in recipe.abuse)


class _Read(NamedTuple):
    """Rows that no encoder learnt: their codes, the shares [rows, codes] that it gives to those of `GIVEN`, how likely
    they are protected speech by it, the log-odds of abuse, what they are worth asking about, what the first layers
    guess, and whether a linear head flags them."""

    codes: NDArray[np.str_]
    shares: NDArray[np.float32]
    protected: F64
    margins: F64
    worth: F64
    early: F64
    is_flagged: NDArray[np.bool_]


class _Scored(NamedTuple):
    """The same rows, which of them are abuse, which the encoder reads to the end, and how likely each is abuse by the
    calibration of its language if it is read."""

    read: _Read
    labels: NDArray[np.int64]
    is_read: NDArray[np.bool_]
    calibration: Calibration
    scores: F64

    @property
    def served(self) -> F64:
        """0 for those that it does not read."""
        return np.where(self.is_read, self.scores, 0.0)


def abuse_languages() -> tuple[str, ...]:
    """Languages of which the shipped encoder learns posts about abuse."""
    return _LANGUAGES


def train_meaning(language: str, order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Settle it on our own posts and seeds that the encoder did not learn, and write `order.models/A-<language>`.
    Raises `ConfigError` where no shipped encoder learnt these posts."""
    encoder = _asked(language)
    tell("held-out rows, read by the encoder")
    found = _scored(language)
    read, labels, is_read, calibration, scores = found
    tell("threshold")
    value = _threshold(language)
    least_threat = _least_threat()
    served = found.served
    flagged = served >= value
    if not flagged.any():
        raise ConfigError(f"A-{language}: nothing is flagged from a score of {value} on; there are {len(scores)} rows")
    tell("measures")
    on = f"{language}: own posts and seeds, held out from the encoder"
    of_those_read = f"{on}, those that it reads"
    metrics = [
        *measure(labels, served, value, on=on, seed=order.seed, names=_MEASURES),
        _right_codes(found, flagged, on, least_threat),
        *asking(labels, scores >= value, is_read, on=on),
        *_withheld(read, labels, on),
        *wrongly_flagged(language, read.codes, served, value, seed=order.seed),
        *measure(labels[is_read], scores[is_read], value, on=of_those_read, seed=order.seed, names=("ece", "brier")),
        ece_by_chance(scores[is_read], on=of_those_read, seed=order.seed),
        *measure(labels, scores, value, on=f"{on}, read all", seed=order.seed, names=_MEASURES),
    ]
    files = {CODES: pack_codes(GIVEN), WORDS_FILE: pack_words(_vocabulary(language))}
    manifest = Manifest(
        kind="meaning",
        name=f"A-{language}",
        code="A",
        language=language,
        version=order.version,
        label=_LABEL,
        limits=_LIMITS,
        data=tuple(dataset for part in _parts(language) for dataset in part.datasets),
        settings={
            "encoder": encoder.manifest.name,
            "network": encoder.network,
            "least_worth": _least_worth(),
            "least_asked": LEAST_ASKED,
            "least_early": _least_early(),
            "least_read_on": LEAST_READ_ON,
            "worth_says": WORTH_SAYS,
            "most_protected": MOST_PROTECTED,
            "most_ordinary": MOST_ORDINARY,
            "least_score": LEAST_SCORE,
            "right_threats": RIGHT_THREATS,
            "least_threat": least_threat,
            "right_kept": RIGHT_KEPT,
            "least_protected": _least_protected(),
        },
        calibration=calibration,
        threshold=Threshold(
            value=value,
            reason=f"lowest score at which at most {MOST_PROTECTED:.0%} of protected and {MOST_ORDINARY:.1%} of "
            "ordinary rows are flagged, half way between what this language's ask for, where a few decide, and what "
            f"those of all languages do, and no lower than {LEAST_SCORE}",
            chosen_by=order.chosen_by,
            chosen_at=order.chosen_at,
            chosen_on=on,
            precision=round(float(labels[flagged].mean()), 4),
            recall=round(float(flagged[labels == 1].mean()), 4),
        ),
        metrics=tuple(metrics),
        files=tuple(ModelFile.of(name, raw) for name, raw in files.items()),
        analyser=analyser_hash(language),
        code_version=version("hustings"),
        libraries={name: version(name) for name in ("numpy", "onnxruntime")},
        seed=order.seed,
        curves=(curves(labels, served, on=on),),
    )
    write_model(order.models / manifest.name, manifest, files)
    return manifest


@lru_cache(maxsize=len(_LANGUAGES))
def _scored(language: str) -> _Scored:
    """As it serves: calibrated on the rows that the encoder reads to the end."""
    read = _read(language)
    return _calibrated(language, (read.worth >= _least_worth()) & (read.early >= _least_early()))


@lru_cache(maxsize=len(_LANGUAGES))
def _read_all(language: str) -> _Scored:
    """As if the encoder read everything: what it is asked about is settled on that."""
    return _calibrated(language, np.ones(len(_read(language).codes), dtype=bool))


def _calibrated(language: str, is_read: NDArray[np.bool_]) -> _Scored:
    found = _read(language)
    labels = np.isin(found.codes, GIVEN).astype(np.int64)
    calibration = platt(found.margins[is_read], labels[is_read])
    return _Scored(found, labels, is_read, calibration, probabilities(found.margins, calibration).round(DECIMALS))


@cache
def _vocabulary(language: str) -> tuple[str, ...]:
    """The words of the posts and seeds of the language that are not held out."""
    parts = _parts(language)
    analyses = analyse_all([row.text for part in parts for row in part.learnt()])
    names = frozenset[str]().union(*(part.names for part in parts))
    return tuple(sorted(often_said((one.tokens for one in analyses), language, names, common_words())))


def _told() -> list[str]:
    """The languages that have such a model now."""
    return [language for language in _LANGUAGES if _encoder(language) is not None]


@cache
def _threshold(language: str) -> float:
    return _half_way(_scored(language), [_scored(one) for one in _told()])


def _half_way(alone: _Scored, together: list[_Scored]) -> float:
    """Between what the language's own rows ask for and what those of all languages do."""
    codes = np.concatenate([one.read.codes for one in together])
    scores = np.concatenate([one.served for one in together])
    bounds = [
        lowest_score(some, of_them, MOST_PROTECTED, MOST_ORDINARY)
        for some, of_them in ((alone.read.codes, alone.served), (codes, scores))
    ]
    return round(max(sum(bounds) / 2, LEAST_SCORE), DECIMALS)


@cache
def _least_worth() -> float:
    """One value for all languages, as there is one head: of what is flagged in a language a few rows would decide."""
    worth, _, flagged = _flagged_if_all_were_read()
    return least_worth(worth, flagged, LEAST_ASKED)


@cache
def _least_early() -> float:
    """The same of what the first layers guess of those about which it is asked."""
    worth, early, flagged = _flagged_if_all_were_read()
    return least_worth(early, flagged & (worth >= _least_worth()), LEAST_READ_ON)


@cache
def _flagged_if_all_were_read() -> tuple[F64, F64, NDArray[np.bool_]]:
    """Of the rows of all languages: what they are worth, what the first layers guess, and which would be flagged."""
    told = [_read_all(one) for one in _told()]
    flagged = np.concatenate([one.scores >= _half_way(one, told) for one in told])
    return np.concatenate([one.read.worth for one in told]), np.concatenate([one.read.early for one in told]), flagged


@cache
def _least_threat() -> float:
    """One value for all languages, since few rows of one are flagged as threats."""
    likely, right = [], []
    for one in _told():
        found, flagged = _scored(one), _scored(one).served >= _threshold(one)
        likely.append(likely_threats(found.read.shares[flagged], GIVEN, found.scores[flagged]))
        right.append(np.isin(found.read.codes[flagged], THREATS))
    labels, scores = np.concatenate(right).astype(np.int64), np.concatenate(likely).round(DECIMALS)
    return threshold_for(labels, scores, precision=RIGHT_THREATS, by="", at="", on="").value


@cache
def _least_protected() -> float:
    """One value for all languages, since only some have linear heads. Those learnt these rows; which of their flags are
    right ones does not depend on it."""
    told = [_read(one) for one in _told()]
    likely = np.concatenate([one.protected[one.is_flagged & np.isin(one.codes, GIVEN)] for one in told])
    return round(float(np.quantile(likely, RIGHT_KEPT)), DECIMALS) if len(likely) else 1.0


def _parts(language: str) -> list[CodeRows]:
    return code_rows([language] if language in seed_languages() else [], [language])


def _asked(language: str) -> CodeReader:
    encoder = _encoder(language)
    if encoder is None:
        raise ConfigError(
            f"A-{language}: the shipped encoder has not learnt {_parts(language)[-1].datasets[0].file} and the "
            f"seeds of {language!r} as they stand; train it on first: `hustings model train encoder-mul --kind encoder "
            "--base classifiers/models/encoder-mul`"
        )
    return encoder


def _encoder(language: str) -> CodeReader | None:
    return encoder_that_learnt(dataset for part in _parts(language) for dataset in part.datasets)


@lru_cache(maxsize=len(_LANGUAGES))
def _read(language: str) -> _Read:
    """The held-out posts about abuse, and the seeds of the language; not those of narratives, which may be threats."""
    encoder = _asked(language)
    spelling = Spelling(_vocabulary(language))
    asked = Asked(encoder.network, "abuse", GIVEN, lambda network: encoder, language=language, spelling=spelling)
    rows = [row for part in _parts(language) for row in part.held_out()]
    rows = [row for row in rows if row.code in (*GIVEN, ORDINARY) or row.code.startswith(PROTECTED)]
    tokens = [said_in(row.text) for row in rows]
    posts = [Readable(row.text, language=language, spelling=spelling) for row in rows]
    read = (read_for_abuse(asked, words, post, WORTH_SAYS) for words, post in zip(tokens, posts, strict=True))
    found = [one for one in read if one is not None]  # all of them: there is an encoder
    return _Read(
        codes=np.array([row.code for row in rows]),
        shares=np.array([one.shares for one in found]),
        protected=np.array([one.protected for one in found]),
        margins=np.array([one.margin for one in found]),
        worth=np.array(asked.worth(tokens)),
        early=np.array([one.early for one in found]),
        is_flagged=_flagged_beside(language, [row.text for row in rows]),
    )


def _flagged_beside(language: str, texts: list[str]) -> NDArray[np.bool_]:
    """Whether a shipped linear head of the language flags each of them as abuse."""
    flagged = np.zeros(len(texts), dtype=bool)
    for folder in serving(shipped_models()).values():
        head = read_manifest(folder)
        if head.kind == "linear" and head.language == language and head.code in GIVEN:
            flagged |= rate(folder, texts) >= head.threshold.value
    return flagged


def _withheld(read: _Read, labels: NDArray[np.int64], on: str) -> list[Metric]:
    """How often what linear heads flag rightly, and wrongly, is withheld as protected speech; nothing where they flag
    nothing."""
    metrics = []
    for kind, chosen in (("right", labels == 1), ("wrong", labels == 0)):
        protected = read.protected[read.is_flagged & chosen]
        share = share_of(int((protected >= _least_protected()).sum()), len(protected))
        if share is not None:
            where = f"{on}, {kind} flags of linear heads"
            metrics.append(
                Metric(name="withheld", on=where, value=share.value, low=share.low, high=share.high, n=len(protected))
            )
    return metrics


def _right_codes(found: _Scored, flagged: NDArray[np.bool_], on: str, least_threat: float) -> Metric:
    """How often a right flag has the row's own code."""
    right = flagged & (found.labels == 1)
    pairs = zip(found.read.shares[right], found.scores[right], strict=True)
    given = np.array([named(shares, GIVEN, score, least_threat) for shares, score in pairs])
    share = share_of(int((found.read.codes[right] == given).sum()), int(right.sum()))
    value = share or Share(0.0, 0.0, 0.0)
    return Metric(name="right_code", on=on, value=value.value, low=value.low, high=value.high, n=int(right.sum()))
