"""Installed spaCy models: a dependency parse says whom a harsh word is about, where the model sees it.

A model is named in the configuration for its language, and loaded when the pipeline is opened, so that one that is
missing or unfit is told at once. It is code and weights from outside, unlike the models that Hustings signs: whoever
installs it trusts it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.targets.places import Places
from classifiers.targets.reading import Reading
from classifiers.targets.verdict import reasons
from hustings.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Token

__all__ = ["Parsers"]

# The labels of spaCy's English scheme and of Universal Dependencies, which its other models use.
_SUBJECT = frozenset({"nsubj", "nsubjpass", "nsubj:pass"})
_OBJECT = frozenset({"dobj", "obj", "iobj", "obl:arg"})
_SAME = frozenset({"appos", "compound", "flat", "flat:name", "nmod:appos", "npadvmod"})
_UP = frozenset(
    {"amod", "conj", "acomp", "attr", "oprd", "xcomp", "appos", "compound", "flat:name", "advmod", "npadvmod"}
)
_PRONOUNS = frozenset({"PRON", "DET", ""})
_CLAUSES = frozenset({"relcl", "acl", "acl:relcl", "advcl", "ccomp"})
_MOST_STEPS = 8
"""From a word up to the verb whose subject it shares."""


class Parsers:
    """The parser of each language that has one, and the name or folder that each was loaded from."""

    def __init__(self, models: Mapping[str, Language], names: Mapping[str, str] | None = None) -> None:
        self._models = dict(models)
        self._names = dict(names or {})

    @classmethod
    def open(cls, names: Mapping[str, str]) -> Parsers:
        """Load the models. Raises `ModelError` for one that is not installed, cannot be read, is of another language
        or does not parse."""
        return cls({language: _loaded(language, name) for language, name in sorted(names.items())}, names)

    def are(self, names: Mapping[str, str]) -> bool:
        """Whether these are the models that are wanted."""
        return dict(names) == self._names

    @property
    def label(self) -> str:
        """Names and versions of the models; "" without any."""
        return "+".join(f"{nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}" for nlp in self._models.values())

    def parsed(self, reading: Reading, language: str, *, is_threat: bool) -> Reading:
        """The reading with the word that each reason is about, where the parse says: a name, or a noun that names
        nobody. Where it is a pronoun, where a name hangs on it ("the children of Ana"), or where it is not in the
        sentence, the rules decide alone."""
        nlp = self._models.get(language)
        wanted = reasons(Places(reading), is_threat=is_threat) if nlp else ()
        if nlp is None or not wanted:
            return reading
        starts = [start for start, _ in reading.ranges]
        names = {mention.at for mention in reading.mentions}
        subjects: list[tuple[int, int]] = []
        with nlp.memory_zone():
            doc = nlp(reading.text)
            for reason in wanted:
                span = doc.char_span(*reading.ranges[reason], alignment_mode="expand")
                about = _about(span.root) if span is not None else None
                if about is None or about.pos_ in _PRONOUNS:
                    continue
                at = bisect_right(starts, about.idx) - 1
                if at in names or not any(bisect_right(starts, word.idx) - 1 in names for word in _belongings(about)):
                    subjects.append((reason, at))
        return reading._replace(subjects=tuple(subjects))


def _belongings(word: Token) -> Iterator[Token]:
    """The words that hang on this one, without those of clauses about it ("the man who met Ana")."""
    for child in word.children:
        if child.dep_ not in _CLAUSES:
            yield child
            yield from _belongings(child)


def _about(word: Token) -> Token | None:
    """The word that this one speaks of: its object if it is a verb that has one, the name beside it, else the subject
    of the clause that it belongs to."""
    if word.pos_ == "VERB":
        for child in word.children:
            if child.dep_ in _OBJECT:
                return child
    for child in word.children:
        if child.dep_ in _SAME and child.pos_ == "PROPN":
            return child
    at = word
    for _ in range(_MOST_STEPS):
        for child in at.children:
            if child.dep_ in _SUBJECT:
                return child
        if at.head == at or at.dep_ not in _UP:
            return None
        if at.dep_ in _SAME and at.head.pos_ == "PROPN":
            return at.head
        at = at.head
    return None


def _loaded(language: str, name: str) -> Language:
    import spacy

    where = f"targets.spacy_model.{language}"
    if not (Path(name) / "meta.json").is_file() and not spacy.util.is_package(name):
        raise ModelError(
            f"{where}: {name!r} is neither an installed spaCy package nor the folder of a model; install it into the"
            " environment of Hustings, or leave the key out: rules need no model"
        )
    try:
        nlp = spacy.load(name, exclude=["ner", "lemmatizer"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{where}: {name!r} cannot be loaded: {error}") from error
    if nlp.lang != language:
        raise ModelError(f"{where}: {name!r} is a model of {nlp.lang!r}")
    if "parser" not in nlp.pipe_names:
        raise ModelError(f"{where}: {name!r} has no dependency parser; it has {', '.join(nlp.pipe_names) or 'nothing'}")
    return nlp
