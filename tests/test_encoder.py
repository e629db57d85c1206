"""What the encoder reads of a post, which posts it reads, and what becomes of scores and flags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from classifiers.encoder.model import load_encoder, load_encoders
from classifiers.encoder.place import place_to_read
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.encoder.settings import EncoderSettings
from classifiers.encoder.step import Encoders, read_text
from classifiers.linear.model import Head, load_heads
from classifiers.linear.step import LinearHeads
from classifiers.pipeline import analysed, shipped_models
from classifiers.signing import ANYBODY
from hustings.errors import ModelError
from hustings.types import Assessment, Post, Target
from tests.tiny_encoder import head, with_version, write_encoder

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FRIENDLY = "what a lovely morning to walk along the river with friends and drink coffee in the sun again and again"


@pytest.fixture(scope="module")
def linear() -> list[Head]:
    return load_heads([shipped_models() / name for name in ("G-en", "G-THR-en")], signers=ANYBODY)


def opened(folder: Path, linear: Sequence[Head], settings: EncoderSettings | None = None) -> Encoders:
    """The tiny encoder beside the shipped English heads."""
    heads = tuple(
        with_version(head(one.manifest.code, one.name, output), one.manifest.version)
        for output, one in enumerate(linear)
    )
    path = write_encoder(folder / "encoder-en", heads)
    return Encoders(load_encoders([path], signers=ANYBODY), linear, settings or EncoderSettings(keep=0.985))


def scored(linear: Sequence[Head], *texts: str, targets: tuple[Target, ...] = (), title: str = "") -> list[Assessment]:
    """English posts as they leave the linear heads."""
    posts = [
        Post(source="s", native_id=str(place), text=text, title=title, published_at=NOW, collected_at=NOW)
        for place, text in enumerate(texts)
    ]
    given = [msgspec.structs.replace(one, lang="en", targets=targets) for one in analysed(posts, {})]
    return LinearHeads(linear).classify(given)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("You b1tch, you b i t c h!", "you bitch, you bitch!"),
        ("@ana_lima #VoteNow is a joke", "vote now is a joke"),
        ("Read https://example.org/women?a=1 now", "read now"),
        ("Why??? \u201cNever\u201d\u2026 they don't", "why??? never\u201d\u2026 they don' t"),
        ("wo\u200bmen \U0001d41f\U0001d428\U0001d425\U0001d425\U0001d428\U0001d430", "women follow"),
        ("He said HIS piece, I saw him", "he said his piece, i saw him"),
        ("", ""),
    ],
)
def test_repaired_words_are_read_with_their_marks(text: str, read: str) -> None:
    assert read_words("", text).text() == read


def test_a_title_is_read_before_the_text() -> None:
    assert read_words("Women first", "she said.").text() == "women first she said."


def test_of_a_long_post_the_words_round_the_strongest_place_are_read(linear: list[Head]) -> None:
    (post,) = scored(linear, f"{FRIENDLY} {FRIENDLY} {FRIENDLY} you stupid bitch {FRIENDLY} {FRIENDLY}")
    read = read_text(post, linear[0])
    assert "stupid bitch" in read
    assert len(read.split()) == MOST_WORDS


def test_a_short_post_is_read_whole(linear: list[Head]) -> None:
    assert place_to_read(linear[0], ("women", "vote"), MOST_WORDS) == (0, 2)


def test_a_flag_that_the_encoder_shares_is_its_own_with_the_linear_heads_words(
    tmp_path: Path, linear: list[Head]
) -> None:
    before = scored(linear, "You stupid bitch, go home")
    (after,) = opened(tmp_path, linear).classify(before)
    (flag,) = after.flags
    assert (flag.code, flag.classifier, flag.spans) == ("G", "encoder-en@1", before[0].flags[0].spans)
    assert flag.score == after.scores["G"] > 0.95
    assert after.models["encoder-en"] == "1"
    assert after.models["G-en"] == linear[0].manifest.version


def test_a_flag_that_the_encoder_does_not_share_is_gone(tmp_path: Path, linear: list[Head]) -> None:
    before = scored(linear, "women women love")
    assert [flag.code for flag in before[0].flags] == ["G"]
    (after,) = opened(tmp_path, linear).classify(before)
    assert after.flags == ()
    assert after.scores["G"] < before[0].scores["G"]


def test_a_post_below_the_threshold_may_be_flagged_after_reading(tmp_path: Path, linear: list[Head]) -> None:
    before = scored(linear, "women kill women there")
    assert not any(flag.code == "G-THR" for flag in before[0].flags)
    (after,) = opened(tmp_path, linear).classify(before)
    threat = next(flag for flag in after.flags if flag.code == "G-THR")
    assert threat.classifier == "encoder-en@1"
    assert threat.spans


def test_a_post_that_no_head_points_at_is_not_read(tmp_path: Path, linear: list[Head]) -> None:
    before = scored(linear, "The polls open at seven")
    assert opened(tmp_path, linear).classify(before) == before


def test_a_post_that_names_a_listed_person_is_read_from_a_lower_score(tmp_path: Path, linear: list[Head]) -> None:
    step = opened(tmp_path, linear, EncoderSettings(keep=0.98, keep_listed=0.99))
    text = "Women vote today"
    assert 0.05 <= scored(linear, text)[0].scores["G"] < 0.2
    (unlisted,) = step.classify(scored(linear, text))
    (listed,) = step.classify(scored(linear, text, targets=(Target(id="ana"),)))
    assert "encoder-en" not in unlisted.models
    assert "encoder-en" in listed.models


def test_to_keep_everything_is_to_read_everything(tmp_path: Path, linear: list[Head]) -> None:
    step = opened(tmp_path, linear, EncoderSettings(keep=1.0))
    found = step.classify(scored(linear, "The polls open at seven", "I love you", "ok"))
    assert all("encoder-en" in one.models for one in found)


def test_a_post_in_another_language_is_not_read(tmp_path: Path, linear: list[Head]) -> None:
    (english,) = scored(linear, "You stupid bitch, go home")
    german = msgspec.structs.replace(english, lang="de", scores={}, models={}, flags=())
    assert opened(tmp_path, linear, EncoderSettings(keep=1.0)).classify([german]) == [german]


def test_neighbours_never_change_a_score(tmp_path: Path, linear: list[Head]) -> None:
    """The tiny network loses a hundred for every text that it is given at once; so would 8-bit ones, by a little."""
    step = opened(tmp_path, linear)
    posts = scored(linear, "women love to vote", "You stupid bitch, go home", "women women love", "bitch " * 90, "ok")
    assert step.classify(posts) == [step.classify([post])[0] for post in posts]


def test_an_encoder_beside_another_version_of_its_head_is_silent_and_named(tmp_path: Path, linear: list[Head]) -> None:
    path = write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0, beside_version="of-old"),))
    step = Encoders(load_encoders([path], signers=ANYBODY), linear, EncoderSettings(keep=1.0))
    before = scored(linear, "You stupid bitch, go home")
    assert step.classify(before) == before
    assert step.silent == ("encoder-en@1 beside G-en@of-old",)


def test_without_an_encoder_posts_go_through_as_they_are(linear: list[Head]) -> None:
    before = scored(linear, "You stupid bitch, go home")
    assert Encoders((), linear, EncoderSettings()).classify(before) == before


@pytest.mark.parametrize(
    ("part", "raw", "reason"),
    [
        ("network", b"no network at all", "onnxruntime cannot open the network"),
        ("tokenizer", b"{}", "not a tokenizer.json"),
        ("heads", b"[]", "needs heads"),
        ("heads", b'{"code": "G"}', "array"),
    ],
)
def test_a_folder_whose_files_are_not_what_they_should_be_is_refused(
    tmp_path: Path, part: str, raw: bytes, reason: str
) -> None:
    folder = write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0),), **{part: raw})
    with pytest.raises(ModelError, match=reason):
        load_encoder(folder, signers=ANYBODY)


def test_a_head_without_an_output_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 2),))
    with pytest.raises(ModelError, match="output 2, the network has 2"):
        load_encoder(folder, signers=ANYBODY)


def test_two_encoders_beside_one_head_are_refused(tmp_path: Path) -> None:
    folders = [write_encoder(tmp_path / name, (head("G", "G-en", 0),)) for name in ("encoder-a", "encoder-b")]
    with pytest.raises(ModelError, match="both speak beside 'G-en'"):
        load_encoders(folders, signers=ANYBODY)


def test_an_unsigned_encoder_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder-en", (head("G", "G-en", 0),))
    with pytest.raises(ModelError, match="not signed"):
        load_encoder(folder)
