"""The step that flags abuse by what a post means, in languages that have a model for it. It adds what no head before it
has said: a code that a post has already keeps its flag, its score and its words. And where a head before it has flagged
what is protected speech by its meaning, the flag is withheld."""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.by_language import places_by_language
from classifiers.encoder.readable import Readable
from classifiers.given import added, is_flagged, withheld
from classifiers.linear.explain import spans_of, spans_of_all
from classifiers.meaning.model import THREATS, MeaningHead, Meant
from classifiers.own_examples import OwnExamples
from classifiers.roster_names import NOBODY, Read, RosterNames
from hustings.errors import ModelError
from hustings.types import Assessment, Flag, Span

__all__ = ["Meanings"]


class Meanings:
    """Adds the score of the likeliest code of posts about which the encoder is asked, and a flag where it reaches the
    threshold. Of a threat all that the encoder read is shown, of other abuse the words that made the post worth asking
    about; the example is one of ours. `networks` are those that the heads ask, and what to tell people where one is not
    in service."""

    name = "meaning"

    def __init__(
        self, heads: Sequence[MeaningHead], names: RosterNames = NOBODY, examples: OwnExamples | None = None
    ) -> None:
        """Raises `ModelError` for two heads of one language."""
        self._names = names
        self._examples = examples or OwnExamples()
        self.version = "+".join(head.label for head in heads) or "none"
        self._heads = {head.manifest.language: head for head in heads}
        if len(self._heads) < len(heads):
            raise ModelError(f"two models of abuse of one language: {', '.join(head.label for head in heads)}")
        self.networks = tuple((head.network, f"{head.label} without the network of {head.encoder}") for head in heads)

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        done = list(assessments)
        for language, mine in places_by_language(assessments, self._heads).items():
            head = self._heads[language]
            read = [self._names.said(done[place].title_tokens, done[place].tokens) for place in mine]
            worth = head.worth([one.tokens for one in read])
            for place, one, is_worth in zip(mine, read, worth, strict=True):
                post = done[place].post
                readable = Readable(post.title, post.text, language=language, spelling=head.spelling, names=self._names)
                doubtful = any(is_flagged(done[place], code) for code in head.codes)
                if doubtful and head.protects(one.tokens, readable):
                    done[place] = withheld(done[place], head.manifest, head.codes)
                meant = head.tell(one.tokens, readable, is_worth)
                if meant is not None:
                    done[place] = self._told(done[place], one, head, meant)
        return done

    def _told(self, assessment: Assessment, read: Read, head: MeaningHead, meant: Meant) -> Assessment:
        code, threshold, flag = meant.code, head.manifest.threshold.value, None
        if meant.score >= threshold and not is_flagged(assessment, code):
            tokens = read.tokens[meant.begin : meant.end]
            flag = Flag(
                code=code,
                score=meant.score,
                threshold=threshold,
                classifier=head.label,
                spans=_spans(assessment, read, head, meant),
                example=self._examples.sentence(tokens, code, assessment.lang),
            )
        return added(assessment, head.manifest, {code: meant.score}, flag)


def _spans(assessment: Assessment, read: Read, head: MeaningHead, meant: Meant) -> tuple[Span, ...]:
    """Words that make a threat worth asking about are pronouns above all (`te`, `dein`, `her`). Which words the encoder
    goes by cannot be told well either: of 71 threats of our own in seven languages, each word left out in turn, the
    log-odds fell by two for words that threaten in 23, for others in 8 (`dein` of `Ich zünde dein Haus an`), and for
    none in 40."""
    if meant.code in THREATS:
        return spans_of_all(read.origins, meant.begin, meant.end, assessment)
    return spans_of(read.origins, meant.begin, head.words(read.tokens[meant.begin : meant.end]), assessment)
