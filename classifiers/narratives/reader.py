"""One language's columns, asked about a post: is it harm, which code, and which words say so?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.heads import log_odds
from classifiers.encoder.readable import Readable
from classifiers.encoder.windows import MOST_READ
from classifiers.narratives.columns import Columns
from classifiers.narratives.evidence import evidence_of, places_of
from classifiers.narratives.lexicon import Lexicon, Terms
from classifiers.narratives.seeds import PROTECTED
from classifiers.narratives.subject import Subjects

__all__ = ["FLAGGED_HARM", "Reader", "Reading", "parent_of"]

FLAGGED_HARM = ("N-", "A-THREAT", "A-INSULT")
"""Codes of harm that begin so may be given by columns; others, such as `G`, only compete."""
_SURE = 0.5
"""Share of its list that a code must have to be given itself; else the coarser code is: wrong procedure, not which."""
_LEAST = 1e-3
"""Shares nearer to 0 or 1 than this tell nothing more."""

F32 = NDArray[np.float32]


class Reading(NamedTuple):
    """`margin` is the log-odds of harm, and `code` the likeliest one that the post speaks of, or the coarser one that
    it belongs to. `protected` is the likeliest protected code and `protected_share` how likely it is. The tokens from
    `begin` to `end` were read, and are `terms`; `shares` are those of all columns; `column` is the code's own, or its
    likeliest child's; `threshold` is the probability that this column asks for beside the model's own."""

    margin: float
    code: str
    protected: str
    protected_share: float
    begin: int
    end: int
    terms: Terms
    shares: F32
    column: int
    threshold: float


class Reader:
    """Columns with the words and subjects that they were trained beside."""

    def __init__(self, lexicon: Lexicon, subjects: Subjects, columns: Columns) -> None:
        self.lexicon = lexicon
        self.columns = columns
        self._many = len(lexicon.concepts.names)
        self._core = subjects.core
        codes = columns.codes
        self._harm = [k for k, code in enumerate(codes) if code.startswith(FLAGGED_HARM)]
        self._protected = [k for k, code in enumerate(codes) if code.startswith(PROTECTED)]
        self._asks = [(k, subjects.groups[codes[k]]) for k in self._harm if codes[k] in subjects.groups]
        self._all_harm = np.zeros(len(codes), dtype=np.float32)
        self._all_harm[self._harm] = 1.0
        self._lists: dict[str, list[int]] = {}
        for k in self._harm:
            self._lists.setdefault(parent_of(codes[k]), []).append(k)

    def read(self, tokens: Sequence[str], post: Readable) -> Reading | None:
        """None for a post that speaks of nothing that any code is about."""
        read = self.lexicon.spelling.rejoin(tokens[:MOST_READ])
        if not self.lexicon.speaks(read):
            return None
        terms = self.lexicon.terms(read)
        core = self._core
        spoken_of = [place for place, one in zip(terms.places, terms.concepts, strict=True) if one in core]
        if not spoken_of:
            return None
        places = [
            (begin, end)
            for begin, end in post.windows(tokens[:MOST_READ])
            if any(begin <= place < end for place in spoken_of)
        ]
        parts = [terms.within(*place) for place in places]
        if len(parts) == 1:
            return self._reading(parts[0], *places[0], self._shares(parts[0]))
        found = [self._shares(part) for part in parts]
        likely = [float(shares @ self._possible(part)) for shares, part in zip(found, parts, strict=True)]
        best = likely.index(max(likely))
        return self._reading(parts[best], *places[best], found[best])

    def read_else(
        self, tokens: Sequence[str], post: Readable, most_telling: Callable[[Sequence[Sequence[str]]], int]
    ) -> Reading:
        """What columns make of a post that speaks of nothing that they know: of the part that is `most_telling` among
        those that it is given."""
        places = post.windows(tokens)
        begin, end = places[most_telling([tokens[begin:end] for begin, end in places])]
        terms = self.lexicon.terms(tokens[begin:end])
        return self._reading(terms, begin, end, self._shares(terms))

    def weighed(self, reading: Reading, by_meaning: F32, share: float) -> Reading:
        """The reading with another opinion about the same columns, to which `share` of the say goes. What a code must
        speak of binds columns alone: they know words, meaning is told in others too."""
        own, other = np.float32(1.0 - share), np.float32(share)
        harmful = reading.shares * self._possible(reading.terms) * own + by_meaning * self._all_harm * other
        shares = reading.shares * own + by_meaning * other
        return self._reading(reading.terms, reading.begin, reading.end, shares, harmful)

    def _shares(self, terms: Terms) -> F32:
        return self.columns.shares(evidence_of(self._many, terms))

    def _possible(self, terms: Terms) -> F32:
        """1 for the codes of harm that the post speaks of, 0 for all other columns."""
        concepts = set(terms.concepts)
        missed = [k for k, asks in self._asks if any(group.isdisjoint(concepts) for group in asks)]
        if not missed:
            return self._all_harm
        possible = self._all_harm.copy()
        possible[missed] = 0.0
        return possible

    def _reading(self, terms: Terms, begin: int, end: int, shares: F32, weighed: F32 | None = None) -> Reading:
        """`weighed`: how likely each code of harm is, where that is not the share of what the post speaks of."""
        harmful = (shares * self._possible(terms) if weighed is None else weighed).tolist()
        lists = dict.fromkeys(self._lists, 0.0)
        for parent, own in self._lists.items():
            for k in own:
                lists[parent] += harmful[k]
        coarse = max(lists, key=lists.__getitem__)
        best = max(self._lists[coarse], key=harmful.__getitem__)
        likely = shares.tolist()
        protected = max(self._protected, key=likely.__getitem__)
        return Reading(
            margin=log_odds(math.fsum(harmful), _LEAST),
            code=self.columns.codes[best] if harmful[best] >= _SURE * lists[coarse] else coarse,
            protected=self.columns.codes[protected],
            protected_share=likely[protected],
            begin=begin,
            end=end,
            terms=terms,
            shares=shares,
            column=best,
            threshold=self.columns.thresholds[best],
        )

    def words(self, reading: Reading) -> NDArray[np.float64]:
        """What each of the tokens that were read adds to the code, against what competes with harm."""
        against = np.ones(len(self.columns.codes), dtype=np.float32)
        against[self._harm] = 0.0
        evidence = evidence_of(self._many, reading.terms)
        gains = self.columns.spoke_for(evidence, reading.column, against / against.sum())
        places = places_of(self._many, reading.terms)
        by_token = [0.0] * (reading.end - reading.begin)
        for number, gain in zip(evidence.numbers.tolist(), gains.tolist(), strict=True):
            stands = places[number]
            share = gain / len(stands)
            for place in stands:
                by_token[place] += share
        return np.array(by_token)


def parent_of(code: str) -> str:
    """The coarser code that a code belongs to: `N-PROC` for `N-PROC-DATE`; itself when it is the list's own."""
    return code.rpartition("-")[0] if code.count("-") > 1 else code
