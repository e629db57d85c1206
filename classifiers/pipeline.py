"""The order in which a post becomes an assessment. Cheap steps see every post, dear ones what a cheap one points at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from classifiers.claims.claim import Claim
from classifiers.claims.matcher import load_reranker
from classifiers.claims.settings import ClaimSettings
from classifiers.claims.step import KnownClaims
from classifiers.encoder.codes import CodeReader, load_code_readers
from classifiers.encoder.embedders import Embedders
from classifiers.encoder.model import load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.language import LanguageStep
from classifiers.linear.model import load_heads
from classifiers.linear.step import LinearHeads
from classifiers.meaning.model import load_meaning_heads
from classifiers.meaning.step import Meanings
from classifiers.narratives.reader import FLAGGED_HARM, parent_of
from classifiers.narratives.step import Narratives
from classifiers.narratives.teller import load_tellers
from classifiers.own_examples import OwnExamples
from classifiers.rating import list_models, made_for_another_analyser
from classifiers.roster_links import RosterLinks
from classifiers.roster_names import RosterNames
from classifiers.side_by_side import classified
from classifiers.signing import Signers, shipped_signers
from classifiers.store import serving
from classifiers.stories import Stories
from classifiers.targets.settings import TargetSettings
from classifiers.targets.step import Targets
from hustings.codebook import CHECK_WORTHY, Codebook
from hustings.contracts import Classifier
from hustings.errors import ModelError
from hustings.roster import Roster
from hustings.text import analyse_all
from hustings.types import Assessment, Post

__all__ = ["STEPS", "Ingredients", "Pipeline", "analysed", "open_pipeline", "shipped_models"]


class Ingredients(NamedTuple):
    """What steps are made of. `models` holds the folder of each model in service by its name; each loader passes
    `signers` on to `read_manifest` and takes the models of its own kind."""

    models: Mapping[str, Path]
    signers: Signers
    roster: Roster
    names: RosterNames
    codebook: Codebook
    languages: tuple[str, ...]
    story_memory: Iterable[Assessment]
    former: tuple[Classifier, ...] = ()
    """The steps of a pipeline that this one takes over from: what they remember goes on."""
    encoder: EncoderSettings = EncoderSettings()
    claims: Sequence[Claim] = ()
    stories: Classifier | None = None
    targets: TargetSettings = TargetSettings()
    examples: OwnExamples | None = None
    """What is shown beside flags for abuse, read once for all steps; None gives each its own."""
    embedders: Embedders = Embedders()
    """What claims are found with by meaning; none at all if encoders are switched off."""
    claim_settings: ClaimSettings = ClaimSettings()
    code_readers: tuple[CodeReader, ...] = ()
    """What narratives and models of abuse ask; none if encoders are switched off."""

    def remembering(self) -> Classifier:
        """The stories that are given; else those of the former pipeline, or new ones with the memory that is given."""
        if self.stories is not None:
            return self.stories
        for step in self.former:
            if isinstance(step, Stories):
                return step
        return Stories.remembering(self.story_memory)

    def known_claims(self) -> KnownClaims:
        """The claims beside the re-ranker in service and the heads that tell what is worth checking. The former
        pipeline lends its index of the same claims."""
        standing = (step for step in self.former if isinstance(step, KnownClaims))
        if not self.claims:
            return KnownClaims((), None)
        reranker = load_reranker(self.models.values(), signers=self.signers)
        ranking = (one for one in list_models(self.models.values(), signers=self.signers) if one.code == CHECK_WORTHY)
        return KnownClaims(
            self.claims,
            reranker,
            worth_checking={one.language: one.threshold.value for one in ranking},
            former=next(standing, None),
            settings=self.claim_settings,
            open_embedder=self.embedders.of,
        )

    def who_is_attacked(self) -> Targets:
        """The rules and models that tell; the former pipeline lends what it had loaded of them."""
        standing = (step for step in self.former if isinstance(step, Targets))
        return Targets.open(self.roster, self.targets, former=next(standing, None))

    def linear_heads(self) -> LinearHeads:
        heads = load_heads(self.models.values(), signers=self.signers)
        return LinearHeads(heads, self.languages, self.names, self.examples)

    def opened_readers(self) -> dict[str, CodeReader]:
        """The readers of codes by their networks."""
        return {reader.network: reader for reader in self.code_readers}

    def narratives(self) -> Narratives:
        """The tellers in service, beside the encoder that says what a post means, unless encoders are switched off.
        Raises `ModelError` for a code that no model may give."""
        tellers = load_tellers(self.models.values(), signers=self.signers, open_encoder=self.opened_readers().get)
        for teller in tellers:
            for code in teller.reader.columns.codes:
                if code.startswith(FLAGGED_HARM):  # the other columns only compete
                    _check_code(self.codebook, teller.manifest.name, code)
                    _check_code(self.codebook, teller.manifest.name, parent_of(code))
        return Narratives(tellers, self.names)

    def meanings(self) -> Meanings:
        """The models of abuse in service, beside the same encoder. Raises `ModelError` for a code that no model may
        give."""
        opened = self.opened_readers()
        heads = load_meaning_heads(self.models.values(), open_encoder=opened.get, signers=self.signers)
        for head in heads:
            for code in head.codes:
                _check_code(self.codebook, head.manifest.name, code)
        return Meanings(heads, self.names, self.examples)

    def encoders(self) -> Encoders:
        """The encoders beside the linear heads that they were calibrated with; none of them if they are switched off.
        Raises `ModelError` for a code that no model may give."""
        if not self.encoder.on:
            return Encoders((), (), self.encoder)
        folders = self.models.values()
        encoders = load_encoders(folders, signers=self.signers)
        for encoder in encoders:
            for head in encoder.heads:
                _check_code(self.codebook, encoder.manifest.name, head.code)
        heads = load_heads(folders, signers=self.signers) if encoders else []
        return Encoders(encoders, heads, self.encoder, self.names, self.examples)


STEPS: tuple[Callable[[Ingredients], Classifier], ...] = (
    lambda given: LanguageStep.opened(given.languages, given.names),
    lambda given: RosterLinks(given.roster, given.names),
    lambda given: given.linear_heads(),
    lambda given: given.encoders(),
    lambda given: given.meanings(),
    lambda given: given.narratives(),
    lambda given: given.who_is_attacked(),
    lambda given: given.known_claims(),
    lambda given: given.remembering(),
)
"""The steps after the analyser, in order. Stories come last because they look at flags; targets need flags too."""


READING = (Encoders, Meanings, Narratives)
"""Steps that let an encoder read. They look at each post by itself, and most of their time is spent outside Python."""


class Pipeline:
    """Posts in, assessments out, same length and order. The result does not depend on how posts are batched.

    `stale` names models that were made for another analyser, or beside another version of a head, and are silent for
    it: whoever opens a pipeline tells it to people.
    """

    def __init__(self, steps: Sequence[Classifier], *, stale: Sequence[str] = (), threads: int = 1) -> None:
        """Steps that let an encoder read give parts of a batch to so many `threads`."""
        self.steps = tuple(steps)
        self.stale = tuple(stale)
        self._threads = threads

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]:
        """Each post with all that the machine says about it. `first_collected` holds the ingest time g of keys that
        were collected before. Whatever a post makes a step raise goes through: the caller isolates that post, and may
        then give the others again."""
        assessments = analysed(posts, first_collected)
        for step in self.steps:
            threads = self._threads if isinstance(step, READING) else 1
            assessments = classified(step, assessments, threads=threads)
        return assessments


def analysed(posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]:
    """Assessments that hold nothing yet but the tokens."""
    texts = analyse_all([post.text for post in posts])
    titled = [place for place, post in enumerate(posts) if post.title]
    titles = dict(zip(titled, analyse_all([posts[place].title for place in titled]), strict=True))
    assessments = []
    for place, (post, text) in enumerate(zip(posts, texts, strict=True)):
        title = titles.get(place)
        assessments.append(
            Assessment(
                post=post,
                tokens=text.tokens,
                title_tokens=title.tokens if title else (),
                removed=text.removed + (title.removed if title else 0),
                first_collected_at=first_collected.get(post.key, post.collected_at),
            )
        )
    return assessments


def open_pipeline(
    *,
    models: Mapping[str, Path] | None,
    roster: Roster,
    codebook: Codebook,
    languages: tuple[str, ...],
    story_memory: Iterable[Assessment] = (),
    signers: Signers | None = None,
    former: Pipeline | None = None,
    encoder: EncoderSettings | None = None,
    claims: Sequence[Claim] = (),
    stories: Classifier | None = None,
    targets: TargetSettings | None = None,
    claim_settings: ClaimSettings | None = None,
) -> Pipeline:
    """The pipeline of a deployment. `models` holds the folder of each model in service (`store.serving`), None means
    the shipped ones; `signers` None means those whose keys are shipped; `languages` are its languages, with regions
    that have heads of their own ("en-IN"); `story_memory` the stored assessments of the last days, oldest first;
    `former` is the pipeline whose memory of stories goes on instead; `encoder` says which posts an encoder reads;
    `claims` are the known fact-checks, `claim_settings` how far posts are compared with them; `stories` takes the place
    of the step that names stories, where several workers share them; `targets` names spaCy models that help to tell who
    is attacked. Raises `ModelError` when a model cannot be trusted or gives a code that the codebook has not or that
    only people may give.
    """
    serve = serving(shipped_models()) if models is None else models
    trusted, reading = signers or shipped_signers(), encoder or EncoderSettings()
    given = Ingredients(
        serve,
        trusted,
        roster,
        RosterNames(roster),
        codebook,
        languages,
        story_memory,
        former.steps if former is not None else (),
        reading,
        claims,
        stories,
        targets or TargetSettings(),
        OwnExamples(),
        Embedders(serve.values() if reading.on else (), signers=trusted),
        claim_settings or ClaimSettings(),
        tuple(load_code_readers(serve.values(), signers=trusted) if reading.on else ()),
    )
    manifests = list_models(given.models.values(), signers=given.signers)
    for manifest in manifests:
        if manifest.kind not in ("claims", "embedder"):  # these say what a text is about, and give no code
            _check_code(codebook, manifest.name, manifest.code)
    steps = [make(given) for make in STEPS]
    silent = [name for step in steps if isinstance(step, Encoders) for name in step.silent]
    if reading.on:
        opened = given.opened_readers()
        asked = (one for step in steps if isinstance(step, Narratives | Meanings) for one in step.networks)
        silent += [told for network, told in asked if network not in opened]
    return Pipeline(steps, stale=[*made_for_another_analyser(manifests), *silent], threads=reading.threads)


def _check_code(codebook: Codebook, model: str, code: str) -> None:
    known = codebook.codes.get(code)
    if known is None or known.human_only:
        raise ModelError(f"{model}: gives {code!r}, which no model may give: unknown or for people")


def shipped_models() -> Path:
    """The folder of models that come with Hustings."""
    return Path(str(files("classifiers").joinpath("models")))
