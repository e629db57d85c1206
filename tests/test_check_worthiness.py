"""Check-worthiness: what the heads learn from, that they rank and never flag, and what is looked up for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from classifiers.claims.claim import Claim
from classifiers.claims.matcher import load_reranker
from classifiers.claims.step import KnownClaims
from classifiers.linear.features import HASH_SEED
from classifiers.linear.model import Head, load_head
from classifiers.linear.step import LinearHeads
from classifiers.manifest import read_manifest
from classifiers.pipeline import analysed, open_pipeline, shipped_models
from classifiers.signing import ANYBODY
from classifiers.store import serving
from classifiers.training.check_worthy_posts import check_worthy_posts, languages
from classifiers.training.corpora import Corpus
from hustings.codebook import CHECK_WORTHY
from hustings.roster import Roster
from hustings.types import Assessment, Post
from runtime import build
from tests.command_line import CommandLine, command_line

hustings = pytest.fixture(command_line)
NOW = datetime(2027, 3, 14, 9, tzinfo=UTC)
CLAIM = "The commission says that voting in Calder County was extended until Wednesday because of the flood."


@pytest.fixture(scope="module")
def english() -> Corpus:
    return check_worthy_posts("en")


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head(shipped_models() / "CW-en", signers=ANYBODY)


def scored(head: Head, *texts: str) -> list[Assessment]:
    posts = [
        Post(source="example", native_id=str(place), text=text, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    return LinearHeads([head]).classify([msgspec.structs.replace(one, lang="en") for one in analysed(posts, {})])


def test_every_language_of_the_seeds_has_a_head() -> None:
    assert languages() == ["ar", "en", "es", "fr", "hi", "pt"]
    assert {f"CW-{language}" for language in languages()} <= set(serving(shipped_models()))


def test_claims_reports_and_notices_are_worth_it_and_opinion_threats_and_ordinary_talk_are_not(english: Corpus) -> None:
    labels = dict(zip(english.texts, english.labels, strict=True))
    assert labels["Reminder: the vote has been moved to Monday, so don't bother going on Sunday."] == 1
    assert labels["Rain again in Halverley. That's nine days straight, my tomatoes have given up on life."] == 0
    assert 0.4 < sum(english.labels) / len(english.labels) < 0.7
    assert len(labels) == len(english.texts)


def test_posts_about_one_claim_are_one_family(english: Corpus) -> None:
    families = [family for family in english.families if family]
    assert len(families) > 2 * len(set(families))


def test_a_claim_ranks_above_an_opinion_and_ordinary_talk(head: Head) -> None:
    claim, *others = scored(
        head, CLAIM, "I just think he would make a poor mayor, sorry.", "Third coffee and it's not even ten."
    )
    assert all(claim.scores[CHECK_WORTHY] > other.scores[CHECK_WORTHY] + 0.2 for other in others)


def test_it_is_a_score_and_never_a_flag(head: Head) -> None:
    (claim,) = scored(head, CLAIM)
    assert claim.scores[CHECK_WORTHY] >= head.manifest.threshold.value
    assert claim.flags == ()
    assert claim.models["CW-en"] == head.manifest.version


def test_a_post_worth_checking_is_looked_up_among_known_claims_without_a_flag(head: Head) -> None:
    reranker = load_reranker(serving(shipped_models()).values())
    claims = [Claim(id="longer", text=CLAIM)]
    posts = scored(head, CLAIM)
    with_head = KnownClaims(claims, reranker, worth_checking={"en": head.manifest.threshold.value})
    assert [one.claims for one in with_head.classify(posts)] == [("longer",)]
    assert [one.claims for one in KnownClaims(claims, reranker).classify(posts)] == [()]
    spanish = [msgspec.structs.replace(one, lang="es") for one in posts]
    assert [one.claims for one in with_head.classify(spanish)] == [()]


def test_the_pipeline_looks_up_what_its_heads_call_worth_checking() -> None:
    pipeline = open_pipeline(
        models=None,
        roster=Roster(),
        codebook=build.codebook(),
        languages=("en",),
        claims=[Claim(id="longer", text=CLAIM), Claim(id="other", text="The lake froze in May.")],
    )
    posts = [
        Post(source="example", native_id=str(place), text=text, lang="en", published_at=NOW, collected_at=NOW)
        for place, text in enumerate((CLAIM, "Third coffee and it's not even ten, pray for me."))
    ]
    claim, chat = pipeline.assess(posts, {})
    assert claim.claims == ("longer",)
    assert chat.claims == ()
    assert CHECK_WORTHY in chat.scores


def test_a_head_is_made_from_the_seeds_alone(tmp_path: Path, hustings: CommandLine) -> None:
    (made,) = json.loads(hustings("model", "train", "CW-hi", "--out", tmp_path, "--seed", 7, "--json").out)
    assert made["model"] == "CW-hi@1"
    manifest = read_manifest(tmp_path / "CW-hi", signers=ANYBODY)
    assert (manifest.seed, manifest.settings["training_seed"]) == (HASH_SEED, 7)
    assert [(one.licence, one.use) for one in manifest.data] == [("CC0-1.0", "training")]
    area = next(metric for metric in manifest.metrics if metric.name == "pr_auc")
    assert area.low > manifest.data[0].positives / manifest.data[0].rows + 0.1


def test_the_command_ranks_posts(tmp_path: Path, hustings: CommandLine) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in (CLAIM, "lovely weather, isn't it?")))
    claim, chat = map(float, hustings("model", "score", "CW-en", "--data", path, "--json").out.split())
    assert 1 >= claim > chat >= 0
