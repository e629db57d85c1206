"""What the gates read: the flags of one version alone, and each wording once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from classifiers.encoder.model import load_encoders
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders
from classifiers.gates.reading import OnlyFlagsOf
from classifiers.linear.model import load_heads
from classifiers.linear.step import LinearHeads
from classifiers.pipeline import Pipeline
from classifiers.signing import ANYBODY
from hustings.contracts import Classifier
from hustings.types import Assessment, Flag, Post
from tests.model_folders import make_head
from tests.tiny_encoder import head, write_encoder

NOW = datetime(2026, 10, 1, tzinfo=UTC)


class Declared:
    """The language is what the source says."""

    name, version = "language", "1"

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [replace(one, lang=one.post.lang) for one in assessments]


class Flags:
    """Flags every post, and remembers which it was asked about."""

    name = "flags"

    def __init__(self, version: str, code: str, *, classifier: str = "") -> None:
        self.version = version
        self.asked: list[str] = []
        self._flag = Flag(code=code, score=1.0, classifier=classifier or version)

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        self.asked += [one.post.text for one in assessments]
        return [replace(one, flags=(*one.flags, self._flag)) for one in assessments]


def posts(*texts: str, lang: str = "en") -> list[Post]:
    return [
        Post(source="s", native_id=str(place), text=text, lang=lang, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]


def test_flags_of_others_are_left_out_and_steps_behind_are_not_asked() -> None:
    before, behind = Flags("A-en@1", "A"), Flags("C-en@1", "N")
    own = Flags("B-en@1+G-en@12", "G", classifier="G-en@12")
    pipeline = Pipeline([Declared(), before, own, behind])
    (found,) = OnlyFlagsOf("G-en@12", pipeline).assess(posts("a word"), {})
    assert [flag.code for flag in found.flags] == ["G"]
    assert (before.asked, own.asked, behind.asked) == (["a word"], ["a word"], [])
    assert OnlyFlagsOf("G-en@1", pipeline).assess(posts("a word"), {})[0].flags == ()  # another version


def test_what_the_analyser_makes_the_same_words_of_is_read_once_in_each_language() -> None:
    own = Flags("G-en@1", "G")
    assessing = OnlyFlagsOf("G-en@1", Pipeline([Declared(), own]))
    texts = ("you bitch", "you b1tch", "other words", "you bitch", "YOU b\u200bitch")
    found = [*assessing.assess(posts(*texts[:3]), {}), *assessing.assess(posts(*texts[3:]), {})]
    assert [(one.post.text, len(one.flags)) for one in found] == [(text, 1) for text in texts]
    assert own.asked == ["you bitch", "other words"]
    assessing.assess(posts("you bitch", lang="de"), {})
    assert own.asked[2:] == ["you bitch"]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Classifier]:
    """A linear head that is not sure of `women`, and the tiny encoder beside it."""
    folder = tmp_path_factory.mktemp("models")
    heads = load_heads([make_head(folder / "G-en", "bitch", "women")], signers=ANYBODY)
    encoders = load_encoders([write_encoder(folder / "encoder-en", (head("G", "G-en", 0),))], signers=ANYBODY)
    return [Declared(), LinearHeads(heads), Encoders(encoders, heads, EncoderSettings())]


def test_beside_an_encoder_every_post_gets_the_flags_that_it_has_by_itself(steps: list[Classifier]) -> None:
    """It reads marks too: posts of the same words with other marks are two."""
    texts = ("you bitch", "you b1tch", "women", "women!", "WOMEN !", "women love", "nothing", "you bitch...", "women")
    assessing = OnlyFlagsOf(("encoder-en@1", "G-en@1"), Pipeline(steps))
    together = assessing.assess(posts(*texts), {})
    alone = [Pipeline(steps).assess([post], {})[0] for post in posts(*texts)]
    assert [one.scores for one in together] == [one.scores for one in alone]
    codes = [[(flag.code, flag.classifier) for flag in one.flags] for one in alone]
    assert [[(flag.code, flag.classifier) for flag in one.flags] for one in together] == codes
    assert len({tuple(one) for one in codes}) > 1
