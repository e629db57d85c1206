"""spaCy reads a post: a blank multilingual pipeline with the analyser as its tokenizer and three components of ours.

    hustings_people      a name of several words becomes one word, where the roster's links say that it stands
    hustings_sentences   sentences end at signs and line feeds, not behind "Dr."
    hustings_cues        the matcher rules of the post's language

spaCy takes over a second to import, so that this happens when the first post needs it. Its store of strings would
grow with every new word: posts are read inside a memory zone, which forgets them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from classifiers.targets.cut import QUOTE, Word, cut
from classifiers.targets.matching import PERSON, Matching
from classifiers.targets.reading import Cue, CueKind, Mention, Reading
from classifiers.targets.rules import ANY_LANGUAGE, load_abbreviations, load_rules, rule_languages
from hustings.types import Assessment, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

__all__ = ["LONGEST_READ", "Reader"]

LONGEST_READ = 20_000
"""Characters that are read of title and text together; what comes later tells of nobody."""

_SENTENCE_ENDS = frozenset(".!?؟。！？।॥۔…\n")
_CLAUSE_ENDS = frozenset(",;:()–—|、")
_GIVEN = "hustings_given"
_WORDS = "hustings_words"
_NEGATION = "hustings_negation_follows"


class Reader:
    """Reads posts by the rules of their languages. `open` imports spaCy; after it nothing is loaded any more."""

    def __init__(self, nlp: Language) -> None:
        self._nlp = nlp

    @classmethod
    def open(cls) -> Reader:
        """With the rules of all languages that have some. Raises `ConfigError` for a file of rules with a fault."""
        return cls(_pipeline())

    def zone(self) -> AbstractContextManager[object]:
        """What is read inside is forgotten by spaCy at the end of it."""
        return self._nlp.memory_zone()

    def read(self, assessment: Assessment, reasons: Sequence[Span]) -> Reading:
        """The reading of one post. `reasons` are the spans for which it was flagged."""
        whole = _Whole.of(assessment)
        doc = self._nlp.make_doc(whole.text)
        doc.user_data[_GIVEN] = _Given(
            assessment.lang, [(whole.place(span), person.id) for person in assessment.targets for span in person.spans]
        )
        doc = self._nlp(doc)
        return _reading(doc, whole, assessment, reasons)


class _Whole(NamedTuple):
    """Title and text as one text; the text begins at `shift`."""

    text: str
    shift: int

    @classmethod
    def of(cls, assessment: Assessment) -> _Whole:
        title = assessment.post.title
        text = f"{title}\n{assessment.post.text}" if title else assessment.post.text
        return cls(text[:LONGEST_READ], len(title) + 1 if title else 0)

    def place(self, span: Span) -> tuple[int, int]:
        shift = self.shift if span.part == "text" else 0
        return span.start + shift, span.end + shift


class _Given(NamedTuple):
    """What the components of the pipeline are told beside the words."""

    language: str
    people: Sequence[tuple[tuple[int, int], str]]


class _Words(NamedTuple):
    """The words of a document and the number of each one's sentence."""

    words: tuple[str, ...]
    sentences: tuple[int, ...]


class _Tokenizer:
    """The analyser in the place of spaCy's tokenizer: what spaCy calls the norm of a word is its folded form."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        from spacy.tokens import Doc

        words = cut(text)
        doc = Doc(self._vocab, *_spaced(words))
        folded = {word.start: word.folded for word in words}
        for token in doc:
            token.norm_ = folded[token.idx]
        return doc


def _spaced(words: Sequence[Word]) -> tuple[list[str], list[bool]]:
    """Words, and whether a blank follows: a blank alone is no word of its own."""
    texts: list[str] = []
    spaces: list[bool] = []
    for word in words:
        if word.text == " " and spaces and not spaces[-1]:
            spaces[-1] = True
        else:
            texts.append(word.text)
            spaces.append(False)
    return texts, spaces


class _People:
    """The spans of the roster's links as words that name somebody."""

    def __call__(self, doc: Doc) -> Doc:
        from spacy.util import filter_spans

        given: _Given = doc.user_data[_GIVEN]
        found = (doc.char_span(*place, label=person, alignment_mode="expand") for place, person in given.people)
        people = filter_spans(span for span in found if span is not None)
        with doc.retokenize() as retokenizer:
            for span in people:
                retokenizer.merge(span, attrs={"ENT_TYPE": PERSON, "ENT_KB_ID": span.label})
        return doc


class _Sentences:
    """Marks where sentences begin, and notes the words as they now stand: every later look at them costs less so."""

    def __init__(self, abbreviations: frozenset[str]) -> None:
        self._abbreviations = abbreviations

    def __call__(self, doc: Doc) -> Doc:
        ended = False
        before = ""
        words: list[str] = []
        sentences: list[int] = []
        starts: list[int] = []
        for token in doc:
            word = token.norm_
            ends = word in _SENTENCE_ENDS and not (word == "." and before in self._abbreviations)
            begins = ended and not ends and word not in (QUOTE, ")", "")
            starts.append(1 if begins or not words else -1)
            sentences.append(sentences[-1] + begins if sentences else 0)
            words.append(word)
            ended = ends or (ended and not begins)
            before = word
        # All at once: spaCy walks the whole document for each token that it is told of by itself.
        begins_or_not = np.array(starts, dtype=np.int64).astype(np.uint64)
        doc.from_array(["SENT_START"], begins_or_not)  # type: ignore[arg-type]  # one attribute may have one dimension
        doc.user_data[_WORDS] = _Words(tuple(words), tuple(sentences))
        return doc


class _Cues:
    """Finds the cues of the post's language; they become the spans `cues`, labelled with their kinds."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self._known = frozenset(rule_languages())
        self._matching: dict[str, Matching] = {}

    def __call__(self, doc: Doc) -> Doc:
        from spacy.tokens import Span as Cueing

        given: _Given = doc.user_data[_GIVEN]
        matching = self._of(given.language)
        found = [
            Cueing(doc, start, end, label=kind) for kind, start, end in matching.find(doc, doc.user_data[_WORDS].words)
        ]
        doc.spans["cues"] = found
        doc.user_data[_NEGATION] = matching.rules.negation_follows
        return doc

    def _of(self, language: str) -> Matching:
        """The rules of the language, or of any; made when a first post of it is read."""
        name = language.split("-")[0]
        name = name if name in self._known else ANY_LANGUAGE
        if name not in self._matching:
            self._matching[name] = Matching(self._vocab, load_rules(name))
        return self._matching[name]


def _pipeline() -> Language:
    """The blank pipeline with our components. Their factories are registered here, when they are first needed."""
    import spacy
    from spacy.language import Language as Registry

    factories: dict[str, Callable[[Language, str], object]] = {
        "hustings_people": _make_people,
        "hustings_sentences": _make_sentences,
        "hustings_cues": _make_cues,
    }
    nlp = spacy.blank("xx")
    nlp.tokenizer = _Tokenizer(nlp.vocab)
    for name, make in factories.items():
        if not Registry.has_factory(name):
            Registry.factory(name, func=make)
        nlp.add_pipe(name)
    return nlp


def _make_people(nlp: Language, name: str) -> _People:
    return _People()


def _make_sentences(nlp: Language, name: str) -> _Sentences:
    return _Sentences(load_abbreviations())


def _make_cues(nlp: Language, name: str) -> _Cues:
    return _Cues(nlp.vocab)


def _reading(doc: Doc, whole: _Whole, assessment: Assessment, reasons: Sequence[Span]) -> Reading:
    words, sentences = doc.user_data[_WORDS]
    cues = {Cue(_kind(span.label_), span.start, span.end) for span in doc.spans["cues"]}
    ranges: list[tuple[int, int]] = []
    people: dict[int, str] = {}
    for place, token in enumerate(doc):
        ranges.append((token.idx, token.idx + len(token)))
        if token.ent_type:
            people[place] = token.ent_kb_id_
    greeted, strangers = _greeted(whole.text, ranges, people)
    listed = [person.id for person in assessment.targets if not person.spans and person.role == "addressed"]
    return Reading(
        text=whole.text,
        words=words,
        ranges=tuple(ranges),
        sentences=sentences,
        clauses=_clauses(words, sentences, frozenset(cue.start for cue in cues if cue.kind == "but")),
        mentions=tuple(Mention(person, at) for at, person in people.items()),
        cues=tuple(sorted(cues, key=lambda cue: (cue.start, cue.end, cue.kind))),
        quotes=_quotes(words),
        reasons=_words_of(doc, [whole.place(span) for span in reasons]),
        negation_follows=doc.user_data[_NEGATION],
        greeted=tuple(dict.fromkeys((*greeted, *listed))),
        strangers=strangers and not listed,
    )


def _kind(label: str) -> CueKind:
    kind: CueKind = label  # type: ignore[assignment]  # labels are the kinds under which rules were added
    return kind


def _clauses(words: Sequence[str], sentences: Sequence[int], but: Collection[int]) -> tuple[int, ...]:
    """The number of each word's clause: one begins with a sentence, behind a comma or the like, and with a "but"."""
    numbers: list[int] = []
    for place in range(len(words)):
        begins = place > 0 and (
            place in but or sentences[place] != sentences[place - 1] or words[place - 1] in _CLAUSE_ENDS
        )
        numbers.append(numbers[-1] + begins if numbers else 0)
    return tuple(numbers)


def _quotes(words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of marks, in order; one that is left over opens nothing."""
    marks = [place for place, word in enumerate(words) if word == QUOTE]
    return tuple((one, other + 1) for one, other in zip(marks[::2], marks[1::2], strict=False))


def _greeted(text: str, ranges: Sequence[tuple[int, int]], people: Mapping[int, str]) -> tuple[list[str], bool]:
    """People of the roster among the mentions in front, and whether there are mentions but none of theirs."""
    greeted: list[str] = []
    mentions = 0
    for place, (start, _) in enumerate(ranges):
        if text[start] != "@":
            break
        mentions += 1
        if place in people:
            greeted.append(people[place])
    return greeted, bool(mentions and not greeted)


def _words_of(doc: Doc, places: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    found: set[int] = set()
    for start, end in places:
        span = doc.char_span(start, end, alignment_mode="expand") if start < len(doc.text) else None
        if span is not None:
            found.update(range(span.start, span.end))
    return tuple(sorted(found))
