"""Which encoders there are, and what each learns. Class A data only."""

from __future__ import annotations

from typing import NamedTuple

from classifiers.training.code_rows import CodeRows, code_rows
from classifiers.training.encoder.fit import FitSettings
from classifiers.training.encoder.tasks import Task

__all__ = ["ENCODERS", "EncoderRecipe"]


class EncoderRecipe(NamedTuple):
    """An encoder: the base that it begins with, its tasks (the first one decides which epoch is best, where it is
    not the last), and words for the people who read its flags. `narratives` are the languages whose seed sentences
    it learns too, and `abuse` those whose own posts about abuse, with an output for each code; what is `harmless`
    in these corpora is learnt as ordinary talk, and what is found in those `told` as the code beside each; of a
    base with many `pieces`, so many of the commonest are kept (`vocabulary`), 0 for all; `continued` is how it
    learns on when seeds are added to those that it knows, None where it cannot. The threats' `asked_from` was
    settled by hand: from .07 on two more of twenty right flags on dev are found, but in the synthetic election the
    encoder also takes "will be at the harbour on Thursday evening" for a threat, to which the linear head gives
    .08; a false threat wakes people up."""

    name: str
    language: str
    base: str
    tasks: tuple[Task, ...]
    label: str
    limits: str
    settings: FitSettings = FitSettings()
    narratives: tuple[str, ...] = ()
    abuse: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    pieces: int = 0
    continued: FitSettings | None = None

    @property
    def speech(self) -> str:
        """The language without a region, as our own posts are called by: "en" for "en-IN"."""
        return self.language.partition("-")[0]

    @property
    def reads_codes(self) -> bool:
        """Whether it gives no flags and tells others what a post means."""
        return bool(self.narratives or self.abuse)

    def coded(self) -> list[CodeRows]:
        """What it learns codes from; nothing where it learns none."""
        return code_rows(self.narratives, self.abuse)

    @property
    def served(self) -> tuple[Task, ...]:
        """The tasks that speak beside a linear head."""
        return tuple(task for task in self.tasks if task.head)


_CODES = FitSettings(
    epochs=10,
    batch=96,
    rate=2.5e-4,
    averaged=0.995,
    last=True,
    smoothing=0.05,
    share=0.2,
    careless=0.35,
    nameless=0.5,
    other_gender=0.5,
)

ENCODERS: dict[str, EncoderRecipe] = {
    recipe.name: recipe
    for recipe in (
        EncoderRecipe(
            name="encoder-en",
            language="en",
            base="bge-small-en-v1.5",
            tasks=(
                Task("sexism", "edos-sexist", "edos-sexist-dev", "G-en", precision=0.75, own="G"),
                Task(
                    "threat",
                    "edos-threat",
                    "edos-threat-dev",
                    "G-THR-en",
                    precision=0.5,
                    asked_from=0.1,
                    own="G-THR",
                ),
                Task("derogation", "edos-derogation", weight=0.3),
                Task("animosity", "edos-animosity", weight=0.3),
                Task("prejudice", "edos-prejudice", weight=0.3),
            ),
            label="Reads again the English posts in which the linear heads see sexism or threats against women, or are "
            "not sure that there is none (EDOS task A, EDOS category 1).",
            limits="Learnt from Gab and Reddit, where every fourth row was sexist. Reads no more than 40 words of a "
            "post, those round the place where the linear head sees most. Some 550 examples of threats. Does not see "
            "what the linear heads give a very low score.",
            settings=FitSettings(epochs=3, rate=8e-5),
        ),
        EncoderRecipe(
            name="encoder-mul",
            language="mul",
            base="multilingual-e5-small",
            pieces=50_000,
            narratives=("ar", "en", "es", "fr", "hi", "pt"),
            abuse=("ar", "de", "en", "es", "fr", "hi", "pt"),
            harmless=(
                "davidson-harmless",
                "germeval-harmless",
                "hatemoji-harmless",
                "mlma-harmless-ar",
                "mlma-harmless-en",
                "mlma-harmless-fr",
                "uli-harmless-en",
                "uli-harmless-hi",
                "uli-harmless-ta",
            ),
            told=(("hatemoji-other-ground", "A-OTHERGROUND"),),
            tasks=(
                Task("sexism", "edos-sexist", "edos-sexist-dev", own="G", ordinary=True, language="en"),
                Task("threat", "edos-threat", "edos-threat-dev", own="G-THR", ordinary=True, language="en"),
                Task("abuse-en-IN", "uli-en", "uli-en", ordinary=True, language="en"),
                Task("abuse-hi", "uli-hi", "uli-hi", own="G", ordinary=True, language="hi"),
                Task("abuse-ta", "uli-ta", "uli-ta", language="ta"),
                Task("offence-de", "germeval-offence", "germeval-offence", own="A-INSULT", language="de"),
                Task("derogation", "edos-derogation", weight=0.3),
                Task("animosity", "edos-animosity", weight=0.3),
                Task("prejudice", "edos-prejudice", weight=0.3),
                Task("misogyny", "guest-misogyny", weight=0.3),
                Task("hate-of-women", "hatemoji", weight=0.3),
                Task("abuse-ar", "mlma-gender-ar", weight=0.3),
            ),
            label="Tells the models of election narratives and of abuse what posts mean, in seven languages. Gives no "
            "flags itself.",
            limits="Learnt from Gab, Reddit and Twitter, and from sentences of our own that no native speaker has "
            "signed off. One network for all: where it errs in one language it may err in others alike.",
            settings=_CODES,
            continued=_CODES._replace(epochs=5, rate=1.2e-4, share=0.25),
        ),
    )
}
"""The encoders that can be made, by name."""
