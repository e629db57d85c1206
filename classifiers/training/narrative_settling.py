"""What is settled for narratives on seeds that neither columns nor encoder learnt from: how much the encoder has to
say, calibrations, thresholds, and about which posts it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked
from classifiers.encoder.readable import Readable
from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration
from classifiers.narratives.columns import CODES, COLUMNS, Network, pack_columns, unpack_columns
from classifiers.narratives.concepts import concept_languages
from classifiers.narratives.evidence import features_in
from classifiers.narratives.reader import FLAGGED_HARM, Reader, Reading, parent_of
from classifiers.narratives.seeds import ORDINARY, PROTECTED
from classifiers.narratives.subject import load_subjects
from classifiers.training.calibration import platt, probabilities
from classifiers.training.narrative_asking import LEAST_ASKED, LEAST_READ_ON, Asks, settle_asks
from classifiers.training.narrative_columns import Corpus, corpus, for_language, learnt, left_out, lexicon_of
from classifiers.training.protected_rows import lowest_score
from classifiers.training.seed_rows import held_out
from classifiers.training.settled_beside import encoder_of

__all__ = [
    "LEAST_SCORE",
    "MOST_ORDINARY",
    "MOST_PROTECTED",
    "MOST_PROTECTED_OF",
    "Scored",
    "asks_of",
    "calibration_else",
    "is_read",
    "labels_of",
    "rows_of",
    "scored",
    "served",
    "settled_share",
    "threshold_of",
    "thresholds_of_codes",
]

MOST_PROTECTED = 0.06
"""Share of protected seeds, most of them written to look like a narrative, that columns may flag as one."""
MOST_PROTECTED_OF: Mapping[str, float] = {"pt": 0.05}
"""The same of a language's own seeds where its share allows more than a tenth of ElectionCheck's protected posts to be
flagged (settled after seeing that suite)."""
MOST_ORDINARY = 0.04
"""Share of ordinary seeds, half of them about the election, that columns may flag."""
LEAST_SCORE = 0.8
"""Beside the encoder no threshold lies lower: of a stream far fewer posts are harm than of the seeds (settled on the
synthetic election, where a grandmother who never told for whom she voted was flagged below it)."""
LEAST_RIGHT = 0.5
"""Share of a code's flags on the seeds, most of which look like it and are none, that must be right in all languages
together; else more is asked of that code …"""
FEWEST_RIGHT = 12
"""… and where no threshold leaves it so many right flags, it abstains."""
_NEVER = 2.0
_NOTHING_READ = -25.0  # the log-odds of a sentence that speaks of nothing that any code is about
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of what is said, how much may be the encoder's."""
_TALK_COUNTS = 3
"""What an ordinary seed counts for in the calibration of seeds that speak of nothing that columns know: most posts of a
stream are such."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class _Judged(NamedTuple):
    """Every row of the corpus, read by columns that did not learn from its fold."""

    margins: F64
    codes: NDArray[np.str_]


class Scored(NamedTuple):
    """One language's rows by their places: how likely each is harm by its calibration, and those that were read."""

    calibration: Calibration
    scores: F64
    read: NDArray[np.bool_]


def _reader(network: Network, language: str) -> Reader:
    """Columns as they are shipped, whole numbers and all."""
    files = pack_columns(for_language(network, language), {})
    lexicon = lexicon_of(language)
    features = features_in(len(lexicon.concepts.names))
    columns = unpack_columns(files[CODES], files[COLUMNS], language, features=features)
    return Reader(lexicon, load_subjects(lexicon.concepts), columns)


class _Both(NamedTuple):
    """What columns that did not learn from a row say of it, None where it speaks of nothing; and of a row that the
    encoder did not learn either: what was read for it, what it says, what the row is worth asking about, and what the
    first layers guess of what is read."""

    reader: Reader
    by_columns: Reading | None
    read: Reading | None = None
    by_meaning: F32 | None = None
    worth: float = 0.0
    early: float = 0.0


class Asking(NamedTuple):
    """About which posts the encoder is asked, by worth, and which of them it reads to the end, by its first layers."""

    by_worth: Asks
    by_early: Asks


@lru_cache(maxsize=len(concept_languages()))
def _both(language: str, seed: int) -> list[_Both]:
    """For each row of the language."""
    own, encoder, readers = corpus(seed), encoder_of(language), _readers(language, seed)
    places = own.of(language).tolist()
    spelling = lexicon_of(language).spelling
    folds = [readers[own.fold[place]] for place in places]
    posts = [Readable(own.rows[place].text, language=language, spelling=spelling) for place in places]
    found = [
        _Both(reader, reader.read(own.tokens[place], one))
        for reader, place, one in zip(folds, places, posts, strict=True)
    ]
    if encoder is None:
        return found
    codes = learnt(seed).codes
    asked = Asked(encoder.network, "elections", codes, lambda network: encoder, language=language, spelling=spelling)
    for number in np.flatnonzero(held_out(language)).tolist():
        reader, tokens = found[number].reader, own.tokens[places[number]]
        reading = found[number].by_columns
        if reading is None:
            reading = reader.read_else(tokens, posts[number], asked.most_telling)
        text, worth = posts[number].text(reading.begin, reading.end), asked.worth([tokens])
        if worth is not None:  # there is an encoder
            early = asked.early(text, worth[0]) or 0.0
            found[number] = found[number]._replace(
                read=reading, by_meaning=asked.shares(text), worth=worth[0], early=early
            )
    return found


def rows_of(language: str, seed: int, sensed: bool) -> NDArray[np.int64]:
    """The places of the rows on which something may be settled: those that neither columns nor encoder learnt from."""
    places = corpus(seed).of(language)
    return places[held_out(language)] if sensed and encoder_of(language) is not None else places


@lru_cache(maxsize=len(_SHARES) + 1)
def _judged(seed: int, share: float | None) -> _Judged:
    """With this share for meaning, in the languages that the encoder reads; None for columns alone."""
    own = corpus(seed)
    margins = np.full(len(own.rows), _NOTHING_READ)
    codes = np.full(len(own.rows), "", dtype="<U60")
    for language in concept_languages():
        for place, both in zip(own.of(language).tolist(), _both(language, seed), strict=True):
            reading = both.by_columns
            if share is not None and both.read is not None and both.by_meaning is not None:
                reading = both.reader.weighed(both.read, both.by_meaning, share)
            if reading is not None:
                margins[place], codes[place] = reading.margin, reading.code
    return _Judged(margins, codes)


@lru_cache(maxsize=len(concept_languages()))
def _readers(language: str, seed: int) -> list[Reader]:
    return [_reader(network, language) for network in left_out(seed)]


@lru_cache(maxsize=1)
def settled_share(seed: int) -> float | None:
    """How much meaning has to say: the share by which most harm gets its code at the thresholds that it leads to, in
    all languages together; None where no language has an encoder."""
    if not any(encoder_of(language) is not None for language in concept_languages()):
        return None
    return max(_SHARES, key=lambda share: (_told_right(seed, share), -share))


def _told_right(seed: int, share: float) -> float:
    own, judged = corpus(seed), _judged(seed, share)
    right = []
    for language in concept_languages():
        places = rows_of(language, seed, True)
        labels, _ = labels_of(own, places)
        flagged = scored(language, seed, share).scores >= threshold_of(language, seed, share)
        same = np.array(
            [
                parent_of(one) == parent_of(two)
                for one, two in zip(judged.codes[places].tolist(), own.codes[places].tolist(), strict=True)
            ]
        )
        right += (flagged & same)[labels == 1].tolist()
    return float(np.mean(right))


def labels_of(own: Corpus, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """1 for rows of the codes that columns may give; and which rows count, those of codes that only compete do not."""
    codes = own.codes[places]
    labels = np.array([int(str(code).startswith(FLAGGED_HARM)) for code in codes])
    counted = (labels == 1) | np.char.startswith(codes, PROTECTED) | (codes == ORDINARY)
    return labels, counted


@lru_cache(maxsize=(len(_SHARES) + 1) * len(concept_languages()))
def scored(language: str, seed: int, share: float | None) -> Scored:
    """Of the `rows_of` of the language."""
    own, places = corpus(seed), rows_of(language, seed, share is not None)
    margins = _judged(seed, share).margins[places]
    labels, counted = labels_of(own, places)
    speaks = _speaks(language, seed, places)
    calibration = platt(margins[speaks & counted], labels[speaks & counted])
    scores = np.where(speaks, probabilities(margins, calibration), 0.0)
    if share is None or encoder_of(language) is None:
        return Scored(calibration, scores.round(DECIMALS), speaks)
    scores = np.where(speaks, scores, probabilities(margins, calibration_else(seed, share)))
    return Scored(calibration, scores.round(DECIMALS), np.ones(len(places), dtype=bool))


def _speaks(language: str, seed: int, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the language's rows in these places speak of what columns know."""
    found = np.array([both.by_columns is not None for both in _both(language, seed)])
    return found[np.searchsorted(corpus(seed).of(language), places)]


@lru_cache(maxsize=len(_SHARES))
def calibration_else(seed: int, share: float) -> Calibration:
    """That of rows that speak of nothing that columns know, in all languages together: there are few."""
    own = corpus(seed)
    margins, labels = [], []
    for language in concept_languages():
        places = rows_of(language, seed, True)
        places = places[~_speaks(language, seed, places)]
        of_these, counted = labels_of(own, places)
        times = counted * np.where(own.codes[places] == ORDINARY, _TALK_COUNTS, 1)
        margins.append(np.repeat(_judged(seed, share).margins[places], times))
        labels.append(np.repeat(of_these, times))
    return platt(np.concatenate(margins), np.concatenate(labels))


def asks_of(language: str, seed: int, share: float) -> Asking:
    """About which posts the encoder is asked, and which it reads to the end."""
    flagged = scored(language, seed, share).scores >= threshold_of(language, seed, share)
    by_columns, worth, early = _told(language, seed)
    by_worth = settle_asks(by_columns, worth, flagged, LEAST_ASKED)
    asked = by_worth.about(by_columns, worth)
    return Asking(by_worth, settle_asks(by_columns[asked], early[asked], flagged[asked], LEAST_READ_ON))


def _told(language: str, seed: int) -> tuple[F64, F64, F64]:
    """Of the rows that the encoder did not learn: margins, NaN where one speaks of nothing, what each is worth, and
    what the first layers guess."""
    rows = [both for both in _both(language, seed) if both.by_meaning is not None]
    margins = [np.nan if both.by_columns is None else both.by_columns.margin for both in rows]
    return np.array(margins), np.array([both.worth for both in rows]), np.array([both.early for both in rows])


def is_read(language: str, seed: int, share: float) -> NDArray[np.bool_]:
    """Which of the `rows_of` the language that the encoder did not learn it is asked about and reads to the end."""
    asks = asks_of(language, seed, share)
    by_columns, worth, early = _told(language, seed)
    return asks.by_worth.about(by_columns, worth) & asks.by_early.about(by_columns, early)


def served(language: str, seed: int, share: float) -> F64:
    """How likely each of these rows is harm as a post is told in service: what the encoder does not read, by columns
    alone, whose scores are put beside the threshold of the others as `Teller.rate` does."""
    value, of_columns = threshold_of(language, seed, share), threshold_of(language, seed, None)
    alone = scored(language, seed, None).scores[held_out(language)]
    below = np.minimum(alone, value - 10.0**-DECIMALS)
    by_columns = np.where(alone >= of_columns, np.maximum(alone, value), below)
    found: F64 = np.where(is_read(language, seed, share), scored(language, seed, share).scores, by_columns)
    return found.round(DECIMALS)


def _all_rows(seed: int, share: float | None) -> tuple[NDArray[np.int64], F64]:
    """The `rows_of` of all languages, and how likely each is harm, by the calibration of its language."""
    languages = concept_languages()
    places = np.concatenate([rows_of(language, seed, share is not None) for language in languages])
    return places, np.concatenate([scored(language, seed, share).scores for language in languages])


def threshold_of(language: str, seed: int, share: float | None) -> float:
    """Half way between what the language's own rows ask for, where a few decide, and what those of all languages do; no
    lower than `LEAST_SCORE` with a share for meaning."""
    own = corpus(seed)
    places, scores = _all_rows(seed, share)
    most = MOST_PROTECTED_OF.get(language, MOST_PROTECTED)
    rows, alone = rows_of(language, seed, share is not None), scored(language, seed, share).scores
    bound = lowest_score(own.codes[rows], alone, most, MOST_ORDINARY)
    half_way = (bound + lowest_score(own.codes[places], scores, MOST_PROTECTED, MOST_ORDINARY)) / 2
    return round(half_way if share is None else max(half_way, LEAST_SCORE), DECIMALS)


def thresholds_of_codes(seed: int) -> dict[str, float]:
    """What each code asks for beside the model's threshold, from the rows of all languages by their calibrations."""
    own, share = corpus(seed), settled_share(seed)
    places, scores = _all_rows(seed, share)
    codes, said_codes = own.codes[places], _judged(seed, share).codes[places]
    found = {}
    for code in sorted({str(one) for one in own.codes if str(one).startswith(FLAGGED_HARM)}):
        given = np.flatnonzero(said_codes == code)
        right = np.array([parent_of(str(one)) == parent_of(code) for one in codes[given]], dtype=bool)
        order = np.argsort(-scores[given], kind="stable")
        hits = np.cumsum(right[order])
        good = np.flatnonzero((hits >= LEAST_RIGHT * np.arange(1, len(order) + 1)) & (hits >= FEWEST_RIGHT))
        found[code] = round(float(scores[given][order][good[-1]]), DECIMALS) if len(good) else _NEVER
    return found
