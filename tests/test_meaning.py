"""Abuse told by what a post means: which posts are asked about, what is flagged, and what is shown beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from classifiers.encoder.codes import CodeReader, code_reader_finder, load_code_reader, pack_codes
from classifiers.encoder.silence import silences
from classifiers.gates.company import company_checks, join_command
from classifiers.given import withheld_score
from classifiers.linear.features import HASH_SEED, HashKey, word_features
from classifiers.linear.model import pack
from classifiers.manifest import read_manifest
from classifiers.meaning.model import load_meaning_head, load_meaning_heads, named
from classifiers.meaning.step import Meanings
from classifiers.pipeline import shipped_models
from classifiers.rating import open_rater
from classifiers.signing import ANYBODY
from classifiers.store import serving
from hustings.errors import ModelError
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Span, Withheld
from tests.tiny_encoder import EVEN_WORTH, write_meaning, write_reader

WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)
NO_NETWORK = "5" * 64


@pytest.fixture
def reader(tmp_path: Path) -> CodeReader:
    """`kill` makes a threat likely, `love` ordinary talk; words with `kill` are worth asking about."""
    return reader_of(tmp_path, ("A-THREAT", "ordinary", "G"))


def reader_of(folder: Path, codes: tuple[str, str, str]) -> CodeReader:
    by_bucket = EVEN_WORTH.by_bucket.copy()
    by_bucket[word_features(["kill"], HashKey.from_seed(HASH_SEED)).words] = 7
    worth = pack(EVEN_WORTH._replace(by_bucket=by_bucket))[0]
    written = write_reader(folder / "encoder-mul", codes=pack_codes(codes), abuse=worth)
    return load_code_reader(written, signers=ANYBODY)


def step(
    folder: Path, reader: CodeReader | None, least_worth: float = 1e-6, least_protected: float | None = 0.8
) -> Meanings:
    network = reader.network if reader else NO_NETWORK
    model = write_meaning(folder / "A-en@3", network, least_worth=least_worth, least_protected=least_protected)
    head = load_meaning_head(model, open_encoder=lambda asked: reader, signers=ANYBODY)
    return Meanings([head])


def assessment(text: str, *flags: Flag, lang: str = "en") -> Assessment:
    post = Post(source="t", native_id="1", text=text, published_at=WHEN, collected_at=WHEN)
    return Assessment(post=post, tokens=analyse(text).tokens, lang=lang, first_collected_at=WHEN, flags=flags)


def told(step: Meanings, text: str, *flags: Flag, lang: str = "en") -> Assessment:
    return step.classify([assessment(text, *flags, lang=lang)])[0]


def test_a_post_that_means_abuse_is_flagged_with_the_likeliest_code_and_its_words(
    tmp_path: Path, reader: CodeReader
) -> None:
    found = told(step(tmp_path, reader), "Somebody will kill kill her")
    (flag,) = found.flags
    assert (flag.code, flag.threshold, flag.classifier) == ("A-THREAT", 0.5, "A-en@3")
    shares = reader.shares("somebody will kill kill him")
    assert flag.score == pytest.approx(float(shares[[0, 2]].sum()), abs=1e-3)
    assert [found.post.text[span.start : span.end] for span in flag.spans] == ["Somebody will kill kill her"]
    assert flag.example, "one of our own posts is like every flag of a code that we have posts of"
    assert found.scores == {"A-THREAT": flag.score}
    assert found.models == {"A-en": "3"}


THREATS = (
    ("es", "Voy a matarte a ti y a tu familia"),
    ("pt", "Vou te matar, você e sua família"),
    ("de", "Ich zünde dein Haus an"),
    ("en", "He should be hanged from a lamp post"),
)


def test_of_a_threat_the_sentence_is_shown_and_not_its_pronouns() -> None:
    shipped = serving(shipped_models())
    folders = [shipped["encoder-mul"], *(shipped[f"A-{lang}"] for lang, _ in THREATS)]
    finder = code_reader_finder(folders, signers=ANYBODY)
    heads = load_meaning_heads(folders, open_encoder=finder, signers=ANYBODY)
    found = Meanings(heads).classify([assessment(f"{threat}!", lang=lang) for lang, threat in THREATS])
    shown = [[one.post.text[span.start : span.end] for flag in one.flags for span in flag.spans] for one in found]
    assert shown == [[threat] for _, threat in THREATS]


def test_of_a_threat_among_other_sentences_its_own_is_shown(tmp_path: Path, reader: CodeReader) -> None:
    chatter = "All of us love a good morning in town. " * 5
    found = told(step(tmp_path, reader), f"{chatter}Somebody, will kill kill her! {chatter}")
    (flag,) = found.flags
    assert [found.post.text[span.start : span.end] for span in flag.spans] == ["Somebody, will kill kill her"]


def test_of_other_abuse_the_words_are_shown_that_made_it_worth_asking(tmp_path: Path) -> None:
    meanings = step(tmp_path, reader_of(tmp_path, ("G", "ordinary", "A-THREAT")))
    (flag,) = told(meanings, "Somebody will kill kill her").flags
    assert (flag.code, flag.spans) == ("G", (Span(start=14, end=23),))


def test_a_post_below_the_threshold_has_a_score_and_no_flag(tmp_path: Path, reader: CodeReader) -> None:
    found = told(step(tmp_path, reader), "kill love love")
    assert found.flags == ()
    assert 0 < max(found.scores.values()) < 0.5


@pytest.mark.parametrize(("text", "lang"), [("good morning", "en"), ("kill kill", "de"), ("", "en")])
def test_a_post_that_is_not_worth_asking_about_or_in_another_language_is_left_as_it_is(
    tmp_path: Path, reader: CodeReader, text: str, lang: str
) -> None:
    given = assessment(text, lang=lang)
    assert step(tmp_path, reader).classify([given]) == [given]


def test_a_code_that_a_post_has_already_keeps_its_flag_and_score(tmp_path: Path, reader: CodeReader) -> None:
    former = Flag(code="A-THREAT", score=0.7, threshold=0.6, classifier="another@1")
    assert told(step(tmp_path, reader), "kill kill kill", former).flags == (former,)
    other = Flag(code="G", score=0.7, threshold=0.6, classifier="another@1")
    assert [flag.code for flag in told(step(tmp_path / "2", reader), "kill kill kill", other).flags] == [
        "G",
        "A-THREAT",
    ]


def test_what_others_flag_is_withheld_where_it_means_protected_speech(tmp_path: Path) -> None:
    """Asked about although no word of it is worth a question; what is no abuse keeps its flag."""
    meanings = step(tmp_path, reader_of(tmp_path, ("A-THREAT", "X-COUNTER", "G")))
    abuse = Flag(code="G", score=0.7, threshold=0.6, classifier="another@1")
    narrative = replace(abuse, code="N-PROC")
    given = replace(assessment("love love love", abuse, narrative), scores={"G": 0.7, "N-PROC": 0.7})
    (found,) = meanings.classify([given])
    assert found.flags == (narrative,)
    assert found.scores == {"G": pytest.approx(withheld_score(0.6)), "N-PROC": 0.7}
    assert found.models == {"A-en": "3"}
    assert found.withheld == (Withheld(flag=abuse, by="A-en@3"),)
    assert withheld_score(0.6) < 0.6


@pytest.mark.parametrize(
    ("text", "second", "least"),
    [
        ("kill kill kill", "X-COUNTER", 0.8),  # it means a threat
        ("love love love", "ordinary", 0.8),  # ordinary talk is not protected speech: corpora know abuse that we do not
        ("love love love", "X-COUNTER", None),  # a model of before
    ],
)
def test_what_others_flag_stays_where_it_does_not(tmp_path: Path, text: str, second: str, least: float | None) -> None:
    meanings = step(tmp_path, reader_of(tmp_path, ("A-THREAT", second, "G")), least_protected=least)
    flag = Flag(code="A-THREAT", score=0.7, threshold=0.6, classifier="another@1")
    assert told(meanings, text, flag).flags == (flag,)


def test_without_its_encoder_it_says_nothing_and_says_so(tmp_path: Path) -> None:
    silent = step(tmp_path, None)
    given = assessment("kill kill kill")
    assert silent.classify([given]) == [given]
    flagged = assessment("love love love", Flag(code="G", score=0.7, threshold=0.6, classifier="another@1"))
    assert silent.classify([flagged]) == [flagged]
    assert silent.networks == ((NO_NETWORK, "A-en@3 without the network of encoder-mul"),)


def test_of_a_long_post_the_window_is_read_that_is_worth_most(tmp_path: Path, reader: CodeReader) -> None:
    chatter = " ".join(["women"] * 60)
    (flag,) = told(step(tmp_path, reader), f"{chatter} kill kill kill kill kill kill kill {chatter}").flags
    assert flag.code == "A-THREAT"


def test_the_same_post_is_read_once_however_often_it_is_asked_about(tmp_path: Path, reader: CodeReader) -> None:
    first = reader.shares("kill love")
    assert reader.shares("kill love") is first
    assert reader.shares("love") is not first


def test_one_number_for_each_text_is_the_score_of_its_likeliest_abuse(tmp_path: Path, reader: CodeReader) -> None:
    folder = write_meaning(tmp_path / "A-en", reader.network, least_worth=1e-6)
    scores = open_rater(folder, signers=ANYBODY)(["kill kill", "good morning"])
    assert scores.tolist() == [pytest.approx(float(reader.shares("kill kill")[[0, 2]].sum()), abs=1e-3), 0.0]


def test_neither_a_full_stop_nor_an_exclamation_mark_at_the_end_tells_anything(
    tmp_path: Path, reader: CodeReader
) -> None:
    meanings = step(tmp_path, reader)
    plain, *others = (
        told(meanings, f"Somebody will kill kill her{mark}") for mark in ("", ".", "!", " !!!", "।", "...")
    )
    assert [other.scores for other in others] == [plain.scores] * len(others)
    assert told(meanings, "Somebody will kill kill her?").scores != plain.scores


def test_only_models_of_abuse_are_loaded_as_such(tmp_path: Path, reader: CodeReader) -> None:
    folders = [write_reader(tmp_path / "other"), write_meaning(tmp_path / "A-en", reader.network)]
    found = load_meaning_heads(folders, open_encoder=lambda network: reader, signers=ANYBODY)
    assert [head.label for head in found] == ["A-en@1"]


def test_a_word_behind_a_sign_is_read_as_what_it_stands_for(tmp_path: Path, reader: CodeReader) -> None:
    meanings = step(tmp_path, reader)
    hidden, plain = (told(meanings, text) for text in ("kill k*ll k*ll", "kill kill kill"))
    assert hidden.scores == plain.scores != told(meanings, "kill k ll k ll").scores


def test_words_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = write_meaning(tmp_path / "A-en", NO_NETWORK, words=b"\xff")
    with pytest.raises(ModelError, match=r"words\.txt"):
        load_meaning_head(folder, open_encoder=lambda network: None, signers=ANYBODY)


@pytest.mark.parametrize("codes", [b"{", pack_codes(["G"])])
def test_codes_that_are_none_are_refused(tmp_path: Path, codes: bytes) -> None:
    folder = write_meaning(tmp_path / "A-en", NO_NETWORK, codes=codes)
    with pytest.raises(ModelError, match=r"codes\.json"):
        load_meaning_head(folder, open_encoder=lambda network: None, signers=ANYBODY)


# ── which network serves ──


def test_it_is_told_before_another_network_serves_who_cannot_ask_it(tmp_path: Path, reader: CodeReader) -> None:
    model = write_meaning(tmp_path / "A-en@1", reader.network)
    other = write_reader(tmp_path / "encoder-mul@2", codes=pack_codes(("G", "A-THREAT", "X-COUNTER")))
    asked, serves = reader.network[:8], load_code_reader(other, signers=ANYBODY).network[:8]
    assert silences({"A-en": model, "encoder-mul": tmp_path / "encoder-mul"}) == []
    (deaf,) = silences({"A-en": model, "encoder-mul": other}, "encoder-mul")
    assert str(deaf) == (
        f"A-en@1 cannot ask what posts mean: it asks the network {asked} of encoder-mul, and {serves} serves"
    )
    assert join_command(deaf) == "make it anew beside that one: hustings model train A-en --model-version N"
    (missing,) = silences({"A-en": model})
    assert (missing.serves, join_command(missing)) == (None, "put a version of encoder-mul into service first")
    manifest = read_manifest(other, signers=ANYBODY)
    (check,) = company_checks(manifest, other, {"A-en": model, "encoder-mul": tmp_path / "encoder-mul"})
    assert (check.passed, check.subject) == (False, "A-en@1 beside encoder-mul")
    assert silences({"A-en": model, "encoder-mul": other}, "G-en") == []


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ((0.9, 0.04, 0.04), "A-THREAT"),
        ((0.8, 0.1, 0.05), "G"),
        ((0.5, 0.3, 0.1), "G"),
        ((0.5, 0.1, 0.3), "A-INSULT"),
        ((0.2, 0.4, 0.1), "G"),
    ],
)
def test_a_threat_is_named_only_where_it_has_so_much_of_the_say(shares: tuple[float, float, float], code: str) -> None:
    assert named(np.array(shares, dtype=np.float32), ("A-THREAT", "G", "A-INSULT"), 1.0, 0.87) == code


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ((0.3, 0.65, 0.02, 0.01), "G-THR"),
        ((0.65, 0.3, 0.02, 0.01), "A-THREAT"),
        ((0.3, 0.3, 0.35, 0.01), "G"),
    ],
)
def test_two_kinds_of_threat_have_their_say_together_and_the_likelier_is_named(
    shares: tuple[float, ...], code: str
) -> None:
    assert named(np.array(shares, dtype=np.float32), ("A-THREAT", "G-THR", "G", "A-INSULT"), 1.0, 0.87) == code


@pytest.mark.parametrize(
    ("score", "least", "code"), [(1.0, 0.87, "A-THREAT"), (1.0, 0.95, "G"), (0.95, 0.87, "A-THREAT"), (0.9, 0.87, "G")]
)
def test_how_likely_a_threat_must_be_is_the_models_own(score: float, least: float, code: str) -> None:
    shares = np.array((0.9, 0.04, 0.04), dtype=np.float32)
    assert named(shares, ("A-THREAT", "G", "A-INSULT"), score, least) == code
