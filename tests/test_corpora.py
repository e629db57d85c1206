"""Corpora of our own: what is imported, what is left out, and that versions stay."""

from __future__ import annotations

import gzip
import json
import re
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classifiers.gates.measured import LOST, LOST_RECALL, robustness_checks
from classifiers.linear.features import HASH_SEED
from classifiers.linear.model import load_head
from classifiers.linear.score import Scorer
from classifiers.signing import ANYBODY
from classifiers.training.corpora import CORPORA
from classifiers.training.corpus_import import Columns, import_rows
from classifiers.training.corpus_store import Row, StoredCorpus, find_corpus, read_rows, store_corpus, survey_corpora
from classifiers.training.licences import class_of
from classifiers.training.train_reviewed import ReviewedOrder, train_reviewed
from hustings.errors import ConfigError
from hustings.language_tags import teaches
from runtime.build import codebook
from runtime.model_making import code_and_language
from tests.command_line import CommandLine, command_line

CODEBOOK = codebook()
COLUMNS = Columns(text="body", label="abusive", positive="yes")


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


# ── licences ──


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC0-1.0", "A"),
        ("CC-BY-4.0", "A"),
        ("MIT", "A"),
        ("Apache-2.0", "A"),
        ("CC-BY-SA-4.0", "B"),
        ("GPL-3.0", "C"),
        ("AGPL-3.0-only", "C"),
        ("CC-BY-NC-4.0", "D"),
        ("CC-BY-NC-SA-4.0", "D"),
        ("free for general research use", "E"),
        ("desk's own", "own"),
        ("ask the authors", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_a_licence_lets_one_do(licence: str, expected: str) -> None:
    assert class_of(licence) == expected


def test_every_corpus_that_is_trained_on_lets_weights_be_shipped() -> None:
    assert {class_of(source.licence) for source in CORPORA.values()} == {"A"}


# ── import ──

LINES = [
    {"body": "the clown should resign at once", "abusive": "yes", "when": "2026-10-01T10:00:00+02:00", "who": "woman"},
    {"body": "the ferry runs every hour on Sunday", "abusive": "no", "when": "", "who": ""},
    {"body": "   ", "abusive": "yes"},
    {"body": "!!! ???", "abusive": "no"},
    {"body": "the ferry runs every hour on Sunday", "abusive": "no"},
    {"body": "the ferry runs every hour on Sunday", "abusive": "yes"},
    {"body": "the bakery opens at seven", "abusive": "No"},
    {"body": "nobody judged this one", "abusive": ""},
    {"body": "unsure about this one", "abusive": "maybe"},
    {"body": "at an odd time", "abusive": "no", "when": "yesterday"},
    {"body": "x" * 20_001, "abusive": "no"},
]
EXCLUDED = {
    "no words": 2,
    "same text with both labels": 3,
    "no label": 1,
    "label 'maybe'": 1,
    "time that is none": 1,
    "longer than 20,000 characters": 1,
}


def as_csv(path: Path) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, ["body", "abusive", "when", "who"], restval="")
        rows.writeheader()
        rows.writerows(LINES)
    return path


def as_json_lines(path: Path) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in LINES).encode()))
    return path


@pytest.mark.parametrize("write", [as_csv, as_json_lines])
def test_rows_that_cannot_be_used_are_counted_by_reason(tmp_path: Path, write: object) -> None:
    path = as_csv(tmp_path / "rows.csv") if write is as_csv else as_json_lines(tmp_path / "rows.jsonl.gz")
    found = import_rows(path, COLUMNS._replace(negative="no", at="when", groups=("who",)))
    assert [(row.text, row.label) for row in found.rows] == [
        ("the clown should resign at once", 1),
        ("the bakery opens at seven", 0),
    ]
    assert found.rows[0].at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert found.rows[0].groups == {"who": "woman"}
    assert found.excluded == EXCLUDED


@pytest.mark.parametrize("first", ["", "\n", "not JSON\n"])
def test_columns_are_asked_for_in_the_first_object_wherever_it_stands(tmp_path: Path, first: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(first + '{"body": "one two", "abusive": "yes"}\n')
    with pytest.raises(ConfigError, match="no column 'famtypo'; there are 'body', 'abusive'"):
        import_rows(path, COLUMNS._replace(text="body", label="abusive", family="famtypo"))


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_has_none_in_utc_is_none(tmp_path: Path, at: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"body,abusive,when\none two,yes,{at}\nthree four,no,0001-01-01\n")
    found = import_rows(path, COLUMNS._replace(at="when"))
    assert [(row.text, row.at) for row in found.rows] == [("three four", datetime(1, 1, 1, tzinfo=UTC))]
    assert found.excluded == {"time that is none": 1}


@pytest.mark.parametrize("option", ["text", "label", "positive"])
def test_what_a_corpus_cannot_do_without_is_named(tmp_path: Path, hustings: CommandLine, option: str) -> None:
    path = as_csv(tmp_path / "rows.csv")
    order = ("corpus", "import", path, "--name", "own", *SAY, *where(tmp_path))
    answer = hustings(*order, f"--{option}", "")
    assert (answer.status, answer.out) == (2, "")
    assert f"--{option} is ''; only --family, --at, --group and --negative may be empty" in answer.err
    assert hustings(*order, "--family", "", "--at", "", "--group", "", "--negative", "").status == 0


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no column 'label'; there are 'body', 'abusive', 'when', 'who'"):
        import_rows(as_csv(tmp_path / "rows.csv"), COLUMNS._replace(label="label"))


def test_a_text_with_a_comma_and_without_quotes_gets_no_wrong_label(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive\nyou clown, go home,yes\nthe ferry runs hourly,no\n")
    found = import_rows(path, COLUMNS)
    assert [(row.text, row.label) for row in found.rows] == [("the ferry runs hourly", 0)]
    assert found.excluded == {"more columns than the header": 1}


def test_capitals_and_blanks_make_no_other_label(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive\none two,Yes\nthree four, YES \nfive six,No\nseven eight,unsure\nfive six,no\n")
    found = import_rows(path, COLUMNS._replace(positive="yes ", negative="no"))
    assert [(row.text, row.label) for row in found.rows] == [("one two", 1), ("three four", 1), ("five six", 0)]
    assert found.excluded == {"label 'unsure'": 1, "same text twice": 1}
    assert found.labels == {"Yes": 1, "YES": 1, "No": 1, "no": 1, "unsure": 1}


@pytest.mark.parametrize("word", ["NaN", "n/a", "NA", "null", "None", " nan "])
def test_a_word_for_no_label_is_none_unless_it_is_named(tmp_path: Path, word: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"body,abusive\none two,yes\nthree four,{word}\nfive six,no\n")
    found = import_rows(path, COLUMNS)
    assert [(row.text, row.label) for row in found.rows] == [("one two", 1), ("five six", 0)]
    assert (found.excluded, found.labels[word.strip()]) == ({"no label": 1}, 1)
    named = import_rows(path, COLUMNS._replace(negative=word.upper()))
    assert [(row.text, row.label) for row in named.rows] == [("one two", 1), ("three four", 0)]
    assert [row.text for row in import_rows(path, COLUMNS._replace(positive=word)).rows if row.label] == ["three four"]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_json(tmp_path: Path, word: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"body": "one two", "abusive": {word}}}\n{{"body": "three four", "abusive": 1}}\n')
    found = import_rows(path, COLUMNS._replace(positive="1"))
    assert [row.text for row in found.rows] == ["three four"]
    assert (found.excluded, found.labels) == ({"not JSON": 1}, {"1": 1})


def test_a_column_that_stands_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive,body\none two,yes,three\n")
    with pytest.raises(ConfigError, match="2 columns are called 'body'"):
        import_rows(path, COLUMNS)


def test_lines_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"body": "one two", "abusive": true}\nnot json\n[1]\n{"body": null, "abusive": 1}\n')
    found = import_rows(path, COLUMNS._replace(positive="true"))
    assert (len(found.rows), found.rows[0].label) == (1, 1)
    assert found.excluded == {"not JSON": 1, "not an object": 1, "no text or label": 1}


UNUSABLE = {
    '{"body": 5, "abusive": "yes"}': "text that is no string",
    '{"body": ["a"], "abusive": "yes"}': "text that is no string",
    '{"body": "half \\ud83d of it", "abusive": "yes"}': "half of a character",
    '{"body": "one two", "abusive": ["yes"]}': "label that is a list or an object",
}


@pytest.mark.parametrize("line", UNUSABLE)
def test_what_is_no_text_is_counted(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line + "\n")
    assert import_rows(path, COLUMNS)[:2] == ([], {UNUSABLE[line]: 1})


def test_a_text_may_hold_what_only_some_programs_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"body": "one two\u2028three\x85four", "abusive": "yes"}\r\n', encoding="utf-8", newline="")
    assert [row.text for row in import_rows(path, COLUMNS).rows] == ["one two\u2028three\x85four"]


@pytest.mark.parametrize("name", ["ROWS.CSV", "Rows.Csv.GZ", "rows.csv"])
def test_a_table_is_one_whatever_the_capitals_of_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("body,abusive\none two,yes\n")
    assert [row.text for row in import_rows(path, COLUMNS).rows] == ["one two"]


@pytest.mark.parametrize("name", ["plain.txt", "rows.csv.bak", "rows"])
def test_a_table_of_another_name_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("body,abusive\none two,yes\n")
    with pytest.raises(ConfigError, match=r"no line is a JSON object; a table must be called \.csv or \.tsv"):
        import_rows(path, COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_told_with_what_makes_utf_8_of_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("\ufeffbody,abusive\nun café,yes\n".encode(encoding))
    with pytest.raises(ConfigError, match=r"rows\.csv: is UTF-16; .* iconv -f UTF-16 -t UTF-8$"):
        import_rows(path, COLUMNS)


BROKEN = {
    "half of a gzip": gzip.compress(b"x" * 999, mtime=0)[:20],
    "not UTF-8": b'{"body": "caf\xe9"}',
    "no gzip": b"\x1f\x8bno",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, case: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(BROKEN[case])
    with pytest.raises(ConfigError, match=r"rows\.jsonl: (cannot be read|byte 13 is no UTF-8)"):
        import_rows(path, COLUMNS)


# ── the store ──


def many(count: int) -> list[Row]:
    """Every third one is about a clown; the rest of each sentence is its own."""
    import random

    draw = random.Random(4)

    def word() -> str:
        return "".join(draw.choice("bdfglmnprst") + draw.choice("aeiou") for _ in range(4))

    return [
        Row(
            id=str(number),
            text=f"{'clown' if number % 3 == 0 else 'baker'} {' '.join(word() for _ in range(7))}",
            label=int(number % 3 == 0),
        )
        for number in range(count)
    ]


def stored(
    corpora: Path, rows: list[Row], *, excluded: dict[str, int] | None = None, licence: str = "CC-BY-4.0"
) -> StoredCorpus:
    return store_corpus(
        corpora,
        rows,
        name="local",
        made_at="2026-11-01T00:00:00Z",
        made_from="file",
        source="annotated by us",
        licence=licence,
        licence_class=class_of(licence),
        language="en",
        label="abusive is yes",
        excluded=excluded or {},
    )


def row(number: int, label: int, text: str = "") -> Row:
    return Row(id=str(number), text=text or many(number + 1)[number].text, label=label)


ROWS = [row(0, 1), row(1, 0), row(2, 0, "the bridge is closed until the end of October"), row(3, 1)]


def test_the_same_rows_are_stored_once_and_others_are_the_next_version(tmp_path: Path) -> None:
    first, again = stored(tmp_path, ROWS), stored(tmp_path, ROWS)
    assert (first.paper.tag, first.is_new, again.paper.tag, again.is_new) == ("local@1", True, "local@1", False)
    second = stored(tmp_path, [*ROWS, row(9, 1)])
    assert second.paper.tag == "local@2"
    assert find_corpus(tmp_path, "local").paper.tag == "local@2"
    assert find_corpus(tmp_path, "local@1").paper.rows == 4
    assert [one.paper.tag for one in survey_corpora(tmp_path).versions] == ["local@1", "local@2"]
    assert read_rows(first) == ROWS


def test_a_licence_that_is_put_right_is_not_ignored(tmp_path: Path) -> None:
    """The rows lie there already, under a licence that somebody took for another one."""
    stored(tmp_path, ROWS, licence="CC0-1.0")
    right = stored(tmp_path, ROWS, licence="CC-BY-NC-4.0")
    assert (right.paper.tag, right.paper.licence_class, right.is_new) == ("local@2", "D", True)
    assert find_corpus(tmp_path, "local").paper.licence == "CC-BY-NC-4.0"


def test_a_version_that_was_not_finished_is_left_alone(tmp_path: Path) -> None:
    """As after a crash between the rows and the paper."""
    (tmp_path / "local@3").mkdir()
    assert stored(tmp_path, ROWS).paper.tag == "local@4"
    assert [one.paper.tag for one in survey_corpora(tmp_path).versions] == ["local@4"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda folder: (folder / "paper.json").write_text('{"format": 1, "na'),
            "paper.json: Input data was truncated",
        ),
        (lambda folder: (folder / "paper.json").write_bytes(b"\xff\xfe"), "paper.json: "),
        (lambda folder: (folder / "paper.json").write_text("{}"), "missing required field `name`"),
        (lambda folder: (folder / "paper.json").unlink() or (folder / "paper.json").mkdir(), "Is a directory"),
        (lambda folder: folder.rename(folder.with_name("local@3")), "paper.json is that of local@2"),
    ],
)
def test_a_version_that_cannot_be_read_hides_no_other_and_is_never_passed_over(
    tmp_path: Path, hustings: CommandLine, spoil: Callable[[Path], object], told: str
) -> None:
    stored(tmp_path, ROWS)
    spoil(stored(tmp_path, [*ROWS, row(9, 1)]).folder)
    assert find_corpus(tmp_path, "local@1").paper.rows == 4
    with pytest.raises(ConfigError, match=f"{re.escape(told)}.*; mend it or take it away. There are local@1"):
        find_corpus(tmp_path, "local")
    answer = hustings("corpus", "list", "--data", tmp_path, "--corpora", tmp_path, "--json")
    assert answer.status == 1
    assert told in answer.err
    states = {line["corpus"]: line["state"] for line in json.loads(answer.out)}
    assert states.pop("local@1").startswith("made from a file")
    assert "refused" in states.values()


def test_near_copies_are_counted_when_a_corpus_is_stored(tmp_path: Path) -> None:
    copy = row(4, 0, "The bridge is closed until the end of October!!")
    assert (stored(tmp_path, [*ROWS, copy]).paper.in_clusters, stored(tmp_path, ROWS).paper.in_clusters) == (2, 0)


def test_rows_that_were_changed_are_not_learnt_from(tmp_path: Path) -> None:
    one = stored(tmp_path, ROWS)
    (one.folder / "rows.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match="a version never changes"):
        read_rows(one)


def test_rows_of_one_label_are_told_with_what_was_left_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2 rows, 2 of them positive: nothing to learn from; left out: 3 no label"):
        stored(tmp_path, [row(0, 1), row(1, 1)], excluded={"no label": 3})


def test_a_corpus_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    stored(tmp_path, ROWS)
    with pytest.raises(ConfigError, match="no corpus 'other'; there are local@1"):
        find_corpus(tmp_path, "other")


# ── names of heads ──


@pytest.mark.parametrize(
    ("name", "expected"),
    [("G-en", ("G", "en")), ("G-THR-en", ("G-THR", "en")), ("N-PROC-DATE-en-IN", ("N-PROC-DATE", "en-IN"))],
)
def test_a_head_is_called_by_its_code_and_language(name: str, expected: tuple[str, str]) -> None:
    assert code_and_language(name, CODEBOOK) == expected


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sexism", "called by its code and language"),
        ("G", r"such as G-THR-en; did you mean G-en\?"),
        ("G-", "such as G-THR-en"),
        ("A-INSULT", r"did you mean A-INSULT-en\?"),
        ("a-insult", r"did you mean A-INSULT-en\?"),
        ("A-INSLT-pt", r"did you mean A-INSULT-pt\?"),
        ("G-english", r"'english' is no language tag; did you mean 'en'\?"),
        ("G-en/../../x", "'en/../../x' is no language tag"),
        ("G-pt-br", r"did you mean G-pt-BR\?"),
        ("T-FALSE-en", "people"),
    ],
)
def test_other_names_are_refused(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        code_and_language(name, CODEBOOK)


# ── names of corpora and languages ──


@pytest.mark.parametrize("name", ["../../x", "a b@c/d", "local@1", "", ".hidden", "élection", "x" * 81, "a\n"])
def test_a_corpus_is_called_by_letters_digits_and_three_signs(tmp_path: Path, hustings: CommandLine, name: str) -> None:
    """Anything else would be a folder elsewhere, or one that nobody finds again."""
    answer = hustings("corpus", "import", as_csv(tmp_path / "rows.csv"), "--name", name, *SAY, *where(tmp_path))
    assert answer.status == 2
    assert "is no name for a corpus" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("english", "did you mean 'en'?"),
        ("en_US", "did you mean 'en-US'?"),
        ("xx", "write BCP 47"),
        ("und", "write BCP 47"),
        ("", "write BCP 47"),
        ("en/..", "write BCP 47"),
    ],
)
def test_what_names_no_language_is_no_language_of_a_corpus(
    tmp_path: Path, hustings: CommandLine, language: str, told: str
) -> None:
    path = as_csv(tmp_path / "rows.csv")
    answer = hustings("corpus", "import", path, "--name", "local", *SAY, *where(tmp_path, language))
    assert answer.status == 2
    assert told in answer.err


@pytest.mark.parametrize(
    ("given", "written"), [("EN", "en"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("iw", "he")]
)
def test_a_language_is_stored_as_it_is_usually_written(
    tmp_path: Path, hustings: CommandLine, given: str, written: str
) -> None:
    path = as_csv(tmp_path / "rows.csv")
    answer = hustings("corpus", "import", path, "--name", "my.own_corpus-1", *SAY, *where(tmp_path, given), "--json")
    assert json.loads(answer.out)["language"] == written


@pytest.mark.parametrize(
    ("corpus", "head", "expected"),
    [("en", "en", True), ("en-IN", "en", True), ("en", "en-IN", True), ("en-GB", "en-IN", False), ("fr", "en", False)],
)
def test_which_languages_of_a_corpus_fit_a_head(corpus: str, head: str, *, expected: bool) -> None:
    assert teaches(corpus, head) is expected


# ── training from a corpus ──


def order(**changes: object) -> ReviewedOrder:
    given = ReviewedOrder(
        name="A-INSULT-en",
        code="A-INSULT",
        language="en",
        label="Insults.",
        version="1",
        precision=0.8,
        chosen_by="a test",
        chosen_at="2026-11-01",
        seed=3,
    )
    return given._replace(**changes)  # type: ignore[arg-type]


def test_a_head_without_a_forerunner_learns_from_nothing_and_twice_the_same(tmp_path: Path) -> None:
    corpus = stored(tmp_path / "corpora", many(150))
    for place in ("one", "other"):
        manifest = train_reviewed(order(), corpus, tmp_path / place / "A-INSULT-en@1")
    assert manifest.settings["prior"] == "none"
    assert manifest.data[0].sha256 == corpus.paper.sha256
    names = {metric.name for metric in manifest.metrics}
    assert {"pr_auc", "macro_f1", "f1", "recall_at_precision_90", "ece", "ece_by_chance", "brier"} <= names
    for name in ("manifest.json", "weights.i16.zlib"):
        one, other = (tmp_path / place / "A-INSULT-en@1" / name for place in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_what_disguises_cost_is_measured_on_rows_that_were_held_out(tmp_path: Path) -> None:
    manifest = train_reviewed(order(), stored(tmp_path / "corpora", many(150)), tmp_path / "A-INSULT-en@1")
    lost = {metric.name.removeprefix(LOST): metric for metric in manifest.metrics if metric.name.startswith(LOST)}
    assert set(LOST_RECALL) <= set(lost)
    assert {metric.on for metric in lost.values()} == {"5-fold cross-validation, local@1"}
    assert {check.subject for check in robustness_checks(manifest)} == set(LOST_RECALL)


def test_the_seed_draws_folds_and_leaves_the_hash_key_so_that_heads_can_be_scored_together(tmp_path: Path) -> None:
    corpus = stored(tmp_path / "corpora", many(150))
    heads = []
    for name, seed in (("A-INSULT-en", 3), ("A-THREAT-en", 7)):
        manifest = train_reviewed(order(name=name, code=name[:-3], seed=seed), corpus, tmp_path / f"{name}@1")
        assert (manifest.seed, manifest.settings["training_seed"]) == (HASH_SEED, seed)
        heads.append(load_head(tmp_path / f"{name}@1", signers=ANYBODY))
    assert Scorer(heads).scores([("you", "clown")]).shape == (2, 1)


def test_a_random_split_is_taken_only_while_no_copies_cross_it(tmp_path: Path) -> None:
    apart = stored(tmp_path / "corpora", many(120))
    train_reviewed(order(split="random"), apart, tmp_path / "A-INSULT-en@1")
    twins = [Row(id=f"copy-{place}", text=f"{many(120)[place].text}!", label=int(place % 3 == 0)) for place in range(9)]
    crossed = stored(tmp_path / "corpora", [*many(120), *twins])
    with pytest.raises(ConfigError, match="near-copies but stand on both sides"):
        train_reviewed(order(split="random"), crossed, tmp_path / "other" / "A-INSULT-en@1")


def test_too_few_rows_are_no_corpus_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="training needs at least 60 rows and 15 of either label"):
        train_reviewed(order(), stored(tmp_path, ROWS), tmp_path / "A-INSULT-en@1")


def one_story(count: int, label: int) -> list[Row]:
    """The same sentence over and over, a number apart."""
    said = (
        "vote on Monday, not on Sunday, the date was changed by the council" if label else "the ferry runs every hour"
    )
    return [row(1000 * (label + 1) + n, label, f"{said} ({n})") for n in range(count)]


FEW_STORIES = {
    "one story": (one_story(48, 1), "its 48 positive rows are 1 story", "positive rows about something else, 4 or"),
    "three stories": (
        [*one_story(20, 1), row(1, 1), row(4, 1)],
        "its 22 positive rows are 3 stories",
        "positive rows about something else, 2 or",
    ),
}


@pytest.mark.parametrize("case", FEW_STORIES)
def test_positives_that_tell_too_few_stories_are_no_corpus_to_train_on(tmp_path: Path, case: str) -> None:
    positives, found, missing = FEW_STORIES[case]
    corpus = stored(tmp_path, [*positives, *(one for one in many(120) if not one.label)])
    with pytest.raises(ConfigError) as told:
        train_reviewed(order(), corpus, tmp_path / "A-INSULT-en@1")
    assert found in str(told.value)
    assert "training needs at least 5 different ones of either label" in str(told.value)
    assert missing in str(told.value)
    assert not (tmp_path / "A-INSULT-en@1").exists()


def test_negatives_that_tell_one_story_are_no_corpus_to_train_on(tmp_path: Path) -> None:
    corpus = stored(tmp_path, [*one_story(60, 0), *(one for one in many(120) if one.label)])
    with pytest.raises(ConfigError, match="its 60 negative rows are 1 story"):
        train_reviewed(order(), corpus, tmp_path / "A-INSULT-en@1")


def test_rows_of_one_family_are_one_story_however_they_are_worded(tmp_path: Path) -> None:
    rows = [Row(id=one.id, text=one.text, label=one.label, family="x" if one.label else "") for one in many(120)]
    with pytest.raises(ConfigError, match="its 40 positive rows are 1 story"):
        train_reviewed(order(), stored(tmp_path, rows), tmp_path / "A-INSULT-en@1")


def test_five_stories_of_either_label_are_enough(tmp_path: Path) -> None:
    """The largest of them is most of the positives: folds hold it out whole, and the rest is still learnt from."""
    few = [one for one in many(120) if one.label][:4]
    corpus = stored(tmp_path, [*one_story(40, 1), *few, *(one for one in many(120) if not one.label)])
    manifest = train_reviewed(order(), corpus, tmp_path / "A-INSULT-en@1")
    assert 0 <= manifest.threshold.value <= 1


# ── the commands ──


def test_import_and_list(tmp_path: Path, hustings: CommandLine) -> None:
    path = as_csv(tmp_path / "rows.csv")
    say = ("--name", "local", "--text", "body", "--label", "abusive", "--positive", "yes", "--negative", "no")
    where = ("--licence", "CC-BY-4.0", "--source", "us", "--language", "en", "--corpora", tmp_path / "corpora")
    answer = hustings("corpus", "import", path, *say, "--at", "when", *where, "--json")
    assert answer.status == 0, answer.err
    made = json.loads(answer.out)
    assert (made["rows"], made["positives"], made["licence_class"], made["new"]) == (2, 1, "A", True)
    assert made["excluded"] == EXCLUDED
    assert "local@1: these very rows" in hustings("corpus", "import", path, *say, "--at", "when", *where).out
    listed = json.loads(hustings("corpus", "list", "--data", tmp_path, "--corpora", tmp_path / "corpora", "--json").out)
    by_name = {line["corpus"]: line for line in listed}
    assert by_name["local@1"]["class"] == "A"
    assert (by_name["edos-sexist"]["state"], by_name["edos-sexist"]["class"]) == ("not staged", "A")


@pytest.mark.parametrize("place", ["nowhere", "rows.csv"])
def test_a_store_that_is_no_folder_is_refused(tmp_path: Path, hustings: CommandLine, place: str) -> None:
    as_csv(tmp_path / "rows.csv")
    answer = hustings("corpus", "list", "--data", tmp_path, "--corpora", tmp_path / place)
    assert (answer.status, answer.out) == (2, "")
    assert f"{tmp_path / place}: no such folder of corpora" in answer.err


DAMAGED = {
    "other columns": (b"words,said\none two,1\n", "has no column"),
    "half of a gzip": (BROKEN["half of a gzip"], "cannot be read"),
    "no text": (b"\xe9\xff", "byte 0 is no UTF-8"),
    "a short record": (b"text,l1,l2,l3\none two,1,0,0\nthree four,1\n", "line 3: has fewer cells than the header"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_data_set_that_is_damaged_is_refused_and_one_that_is_not_there_is_not_staged(
    tmp_path: Path, hustings: CommandLine, case: str
) -> None:
    raw, told = DAMAGED[case]
    (tmp_path / "uli").mkdir()
    (tmp_path / "uli" / "hi_train.csv.gz").write_bytes(raw)
    answer = hustings("corpus", "list", "--data", tmp_path, "--json")
    lines = {line["corpus"]: line for line in json.loads(answer.out)}
    assert (answer.status, set(lines)) == (1, set(CORPORA))
    refused = {name: line["problem"] for name, line in lines.items() if line["state"] == "refused"}
    assert set(refused) == {"uli-hi", "uli-harmless-hi"}
    assert all(told in problem for problem in refused.values())
    assert {line["state"] for name, line in lines.items() if name not in refused} == {"not staged"}
    assert f"uli-hi: refused: {refused['uli-hi']}" in answer.err


SAY = ("--text", "body", "--label", "abusive", "--positive", "yes")


def where(folder: Path, language: str = "en") -> tuple[object, ...]:
    """Where rows came from, and where they go."""
    return ("--licence", "MIT", "--source", "us", "--language", language, "--corpora", folder / "corpora")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--positive", "maybe"), "has the 'abusive' 'maybe' (--positive); found are 'no' (2), 'yes' (1)"),
        (("--positive", "yes", "--negative", "Yes"), "--positive and --negative are both 'yes'"),
    ],
)
def test_a_label_that_no_row_has_is_told_with_those_that_are_there(
    tmp_path: Path, hustings: CommandLine, options: tuple[str, ...], told: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive\none two,yes\nthree four,no\nfive six,no\n")
    answer = hustings("corpus", "import", path, "--name", "own", *SAY[:4], *options, *where(tmp_path))
    assert answer.status == 2
    assert told in answer.err


def test_a_full_disk_is_told_and_leaves_no_version(tmp_path: Path, hustings: CommandLine) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive\n" + "".join(f"{row.text},{'yes' if row.label else 'no'}\n" for row in many(60)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # as a disk that is full does, writing stops half-way
    try:
        answer = hustings("corpus", "import", path, "--name", "own", *SAY, *where(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (answer.status, answer.err) == (2, "hustings: a file could not be read or written: File too large\n")
    assert survey_corpora(tmp_path / "corpora") == ([], [])
    assert hustings("corpus", "import", path, "--name", "own", *SAY, *where(tmp_path)).status == 0


def test_every_label_of_a_file_is_told(tmp_path: Path, hustings: CommandLine) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,abusive\none two,yes\nthree four,unsure\nfive six,no\n")
    answer = hustings("corpus", "import", path, "--name", "own", *SAY, *where(tmp_path))
    assert "labels in the file: 'yes' (1), 'unsure' (1), 'no' (1); abusive is yes" in answer.out


def test_what_this_file_left_out_is_told_though_its_rows_lie_there_already(
    tmp_path: Path, hustings: CommandLine
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"body": "one two", "abusive": "yes"}\n{"body": "three four", "abusive": "no"}\n')
    order = ("corpus", "import", path, "--name", "own", *SAY, *where(tmp_path))
    assert json.loads(hustings(*order, "--json").out)["excluded"] == {}
    path.write_text(path.read_text() + "cut off\n" * 45)
    told = json.loads(hustings(*order, "--json").out)
    assert (told["version"], told["new"], told["excluded"]) == ("1", False, {"not JSON": 45})
    assert "left out: 45 (not JSON)" in hustings(*order).out
    assert survey_corpora(tmp_path / "corpora").versions[0].paper.excluded == {}


def test_a_store_must_be_named(tmp_path: Path, hustings: CommandLine) -> None:
    answer = hustings("corpus", "import", tmp_path / "x.csv", "--name", "x", "--text", "t", "--label", "l",
                      "--positive", "1", "--licence", "MIT", "--source", "us", "--language", "en")  # fmt: skip
    assert answer.status == 2
    assert "--config FILE or --corpora DIR, one of them, or set HUSTINGS_CONFIG" in answer.err
