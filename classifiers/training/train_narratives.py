"""The model of election narratives of one language: columns learnt from seeds over concepts, how much the encoder has
to say beside them, and what was settled for likeness."""

from __future__ import annotations

from importlib.metadata import version

from classifiers.manifest import Dataset, Manifest, ModelFile, Threshold, analyser_hash, write_model
from classifiers.narratives.columns import pack_columns
from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.reader import FLAGGED_HARM
from classifiers.narratives.seeds import example_languages, load_examples, load_seeds
from classifiers.narratives.subject import load_subjects
from classifiers.spelling import WORDS_FILE, pack_words
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.narrative_asking import asking
from classifiers.training.narrative_columns import FOLDS, corpus, for_language, learnt, vocabulary
from classifiers.training.narrative_settling import (
    LEAST_SCORE,
    MOST_ORDINARY,
    MOST_PROTECTED,
    MOST_PROTECTED_OF,
    asks_of,
    calibration_else,
    is_read,
    labels_of,
    rows_of,
    scored,
    served,
    settled_share,
    threshold_of,
    thresholds_of_codes,
)
from classifiers.training.order import Order
from classifiers.training.protected_rows import wrongly_flagged
from classifiers.training.settled_beside import encoder_of
from classifiers.training.stages import Tell, to_nobody
from classifiers.training.train_likeness import Settled, settle_likeness

__all__ = ["narrative_languages", "train_narratives"]

_MEASURES = (
    "macro_f1",
    "f1",
    "precision",
    "recall",
    "false_positive_rate",
    "pr_auc",
    "recall_at_precision_90",
)
_LABEL = (
    "Election narratives (wrong date, place, way or cancellation of the vote; who may vote, false consequences, "
    "futility; fraud, results, captured bodies, a candidate's status or crimes; calls to cheat or to violence), "
    "threats and insults: columns trained on sentences of our own, over what words mean for an election."
)
_LIMITS = (
    "It says that a post resembles a narrative, never that it is false. Knows the words of its list and the "
    "combinations that our sentences show; told in a roundabout way a narrative is mostly missed. Minimal pairs of "
    "claim and report, satire or opinion are told apart less well than claim and ordinary talk. All sentences were "
    "written for Hustings, none was signed off by a native speaker; some follow those of another language, so that "
    "left-out numbers are kind. Shares on them are no shares of a stream, in which ordinary talk is far more frequent."
)


def narrative_languages() -> list[str]:
    """Languages in which narratives are told."""
    return concept_languages()


def train_narratives(language: str, order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Learn from the seeds of all languages, calibrate on those of this one, each judged by columns that did not learn
    from it; write `order.models/N-<language>`."""
    seed = order.seed
    tell("seeds of all languages, each left out by folds")
    own = corpus(seed)
    encoder = encoder_of(language)
    if encoder is None:
        tell("no encoder learnt from these seeds: columns alone")
    share = settled_share(seed) if encoder is not None else None
    places = rows_of(language, seed, share is not None)
    labels, counted = labels_of(own, places)
    judged = scored(language, seed, share)
    tell("threshold")
    most_protected = MOST_PROTECTED_OF.get(language, MOST_PROTECTED)
    value = threshold_of(language, seed, share)
    plain, of_columns = scored(language, seed, None), threshold_of(language, seed, None)
    on = f"{language}: seeds, left out by {FOLDS} folds"
    if share is None:
        scores, known = judged.scores, judged.read & counted
        of_those = f"{on}, those that speak of what a code is about"
    else:
        on += ", those that the encoder did not learn"
        asked = is_read(language, seed, share)
        scores, known = served(language, seed, share), asked & counted
        of_those = f"{on} and is asked about"
    all_labels, all_counted = labels_of(own, rows_of(language, seed, False))
    by_columns = plain.scores >= of_columns
    tell("all seeds")
    files = pack_columns(for_language(learnt(seed), language), thresholds_of_codes(seed))
    files[WORDS_FILE] = pack_words(vocabulary(language))
    settings: dict[str, int | float | str] = {}
    if encoder is not None and share is not None:
        asks, other = asks_of(language, seed, share), calibration_else(seed, share)
        settings = {
            "sense_encoder": encoder.manifest.name,
            "sense_network": encoder.network,
            "sense_share": share,
            "sense_slope": judged.calibration.slope,
            "sense_intercept": judged.calibration.intercept,
            "sense_slope_else": other.slope,
            "sense_intercept_else": other.intercept,
            "sense_threshold": value,
            "sense_least_score": LEAST_SCORE,
            "sense_weight": asks.by_worth.weight,
            "sense_least": asks.by_worth.least,
            "sense_least_else": asks.by_worth.least_else,
            "sense_early_weight": asks.by_early.weight,
            "sense_least_early": asks.by_early.least,
            "sense_least_early_else": asks.by_early.least_else,
        }
    tell("likeness")
    settled = _likeness(language, seed)
    tell("measures")
    metrics = [
        *measure(labels[counted], scores[counted], value, on=on, seed=seed, names=_MEASURES),
        *measure(labels[known], scores[known], value, on=of_those, seed=seed, names=("ece", "brier")),
        ece_by_chance(scores[known], on=of_those, seed=seed),
        *wrongly_flagged(language, own.codes[places], scores, value, seed=seed),
    ]
    if share is not None:
        whole = judged.scores[counted]
        metrics += asking(labels[counted], whole >= value, asked[counted], on=on)
        metrics += measure(labels[counted], whole, value, on=f"{on}, read all", seed=seed, names=_MEASURES)
    manifest = Manifest(
        kind="narratives",
        name=f"N-{language}",
        code="N",
        language=language,
        version=order.version,
        label=_LABEL,
        limits=_LIMITS,
        data=(*_data(language, settled), *_data_of_others(language)),
        settings={
            "most_protected": most_protected,
            "most_ordinary": MOST_ORDINARY,
            **settings,
            **(settled.settings if settled else {}),
        },
        calibration=plain.calibration,
        threshold=Threshold(
            value=of_columns,
            reason=f"lowest score at which at most {most_protected:.1%} of protected and {MOST_ORDINARY:.0%} of "
            "ordinary sentences are flagged, half way between what this language's ask for, where a few decide, and "
            "what those of all languages do",
            chosen_by=order.chosen_by,
            chosen_at=order.chosen_at,
            chosen_on=f"seeds of all languages, left out by {FOLDS} folds, each by its language's calibration; columns "
            "alone, see `sense_threshold` for those beside the encoder",
            precision=round(float(all_labels[by_columns & all_counted].mean()), 4),
            recall=round(float(by_columns[all_labels == 1].mean()), 4),
        ),
        metrics=(*metrics, *(settled.metrics if settled else ())),
        files=tuple(ModelFile.of(name, raw) for name, raw in files.items()),
        analyser=analyser_hash(language),
        code_version=version("hustings"),
        libraries={name: version(name) for name in ("numpy", "onnxruntime", "scikit-learn", "scipy")},
        seed=seed,
        curves=(curves(labels[counted], scores[counted], on=on), *(settled.curves if settled else ())),
    )
    write_model(order.models / manifest.name, manifest, files)
    return manifest


def _likeness(language: str, seed: int) -> Settled | None:
    return settle_likeness(load_examples(language), seed=seed) if language in example_languages() else None


def _data(language: str, settled: Settled | None) -> list[Dataset]:
    concepts = load_concepts(language)
    data = [
        _seed_sentences("Hustings seed sentences", language),
        _dataset("Words by what they mean", f"classifiers/narratives/words/{language}.toml", concepts.sha256),
        _dataset("What codes are about", "classifiers/narratives/about.toml", load_subjects(concepts).sha256),
    ]
    if settled is not None:
        examples = load_examples(language)
        file = f"classifiers/narratives/examples/{language}.toml"
        data.append(_dataset("Hustings plain examples", file, examples.sha256, settled.rows, settled.positives))
    return data


def _data_of_others(language: str) -> list[Dataset]:
    """What concepts were learnt from beside the language's own seeds."""
    others = (other for other in concept_languages() if other != language)
    return [_seed_sentences(f"Hustings seed sentences ({other})", other) for other in others]


def _seed_sentences(name: str, language: str) -> Dataset:
    seeds = load_seeds(language)
    harm = sum(one.code.startswith(FLAGGED_HARM) for one in (*seeds.examples, *seeds.held_out))
    rows = len(seeds.examples) + len(seeds.held_out) + len(seeds.ordinary)
    return _dataset(name, f"classifiers/seeds/{language}.toml", seeds.sha256, rows, harm)


def _dataset(name: str, file: str, sha256: str, rows: int = 0, positives: int = 0) -> Dataset:
    return Dataset(
        name=name,
        file=file,
        sha256=sha256,
        licence="CC0-1.0",
        source="written for Hustings",
        rows=rows,
        positives=positives,
        use="training",
    )
