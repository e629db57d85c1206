"""The codebook that is shipped, and what is said of one that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import pytest

from hustings.codebook import Codebook, load_codebook, matches
from hustings.errors import ConfigError

Golden = Callable[[str, str], None]

SHIPPED = (files("configs") / "codebook.toml").read_bytes()
LISTS = ("N", "X", "C", "T", "P", "K", "G", "A", "H", "CW", "RB", "D")


@pytest.fixture(scope="module")
def book() -> Codebook:
    return load_codebook(SHIPPED)


def test_the_shipped_codebook_has_every_list(book: Codebook) -> None:
    heads = [code.code for code in book.codes.values() if not code.parent]
    assert tuple(heads) == LISTS
    assert book.version == "1"


def test_every_code_says_what_it_means(book: Codebook) -> None:
    for code in book.codes.values():
        assert code.title
        assert code.definition.endswith((".", "…"))
        assert code.introduced == "1"


def test_what_only_people_may_say_is_marked_as_such(book: Codebook) -> None:
    human = {code.code for code in book.codes.values() if code.human_only}
    assert {"T-FALSE", "T-TRUE", "H-TOP", "D0", "D4", "RB-INTENT"} <= human
    assert all(code[0] in "TDHR" for code in human)
    assert not {"H-MID", "H-LOW", "H-NONE"} & human


def test_protected_speech_is_marked_as_such(book: Codebook) -> None:
    assert {code.code for code in book.codes.values() if code.protected} == {"X", *book.children("X")}


@pytest.mark.parametrize("head", [head for head in LISTS if head not in {"N", "K", "RB"}])
def test_each_list_lets_people_record_that_nothing_of_it_applies(book: Codebook, head: str) -> None:
    assert any(book.codes[code].negative for code in book.children(head))


def test_a_code_refines_the_one_before_its_last_hyphen(book: Codebook) -> None:
    assert book.codes["G-THR-KILL"].parent == "G-THR"
    assert book.codes["G-THR"].parent == "G"
    assert book.codes["D3"].parent == "D"
    assert book.children("G-PRIV") == ("G-PRIV-DOX", "G-PRIV-NCII", "G-PRIV-STALK")


@pytest.mark.parametrize(
    ("code", "wanted", "answer"),
    [
        ("G-THR-KILL", "G-THR-KILL", True),
        ("G-THR-KILL", "G-THR", True),
        ("G-THR-KILL", "G", True),
        ("G-THR", "G-THR-KILL", False),
        ("G-THREE", "G-THR", False),
        ("A-THREAT", "A-THR", False),
    ],
)
def test_a_label_answers_to_its_own_code_and_to_those_above(code: str, wanted: str, answer: bool) -> None:
    assert matches(code, wanted) is answer


def test_a_code_is_read_by_its_title_and_an_unknown_one_as_itself(book: Codebook) -> None:
    assert book.title("N-PROC-DATE") == "Wrong date"
    assert book.title("N-OF-A-LATER-VERSION") == "N-OF-A-LATER-VERSION"


def test_aliases_stand_for_codes(book: Codebook) -> None:
    assert book.expand("gendered-abuse") == ("G",)
    assert book.expand("threat") == ("G-THR", "A-THREAT")
    assert book.expand("G-THR") == ("G-THR",)
    assert book.expand("G-NOSUCH") is None
    assert not book.is_known("threat")


def test_the_nearest_name_is_offered(book: Codebook) -> None:
    assert book.nearest("G-TRH") == "G-THR"
    assert book.nearest("gendered_abuse") == "gendered-abuse"
    assert book.nearest("xyzzy" * 100_000) is None


# ── a second version, and codes of a deployment ──────────────────────────────────────────────────────────────────

SMALL = b"""
version = "2"
[aliases]
threat = ["G-THR"]
[[list]]
code = "G"
title = "Gendered abuse"
definition = "d."
codes = [
  { code = "G-THR", title = "t", definition = "d." },
  { code = "G-MENACE", title = "t", definition = "d.", introduced = "1", deprecated = "2", replaced_by = "G-THR" },
]
[[list]]
code = "T"
title = "Truth"
definition = "d."
human_only = true
codes = [{ code = "T-FALSE", title = "t", definition = "d." }]
"""


def test_an_old_label_is_readable_and_mapped_under_a_new_version() -> None:
    book = load_codebook(SMALL)
    assert book.is_known("G-MENACE")
    assert book.current("G-MENACE") == "G-THR"
    assert book.current("G-THR") == "G-THR"


def test_every_code_of_the_shipped_version_is_current(book: Codebook) -> None:
    assert all(book.current(code) == code for code in book.codes)


def test_a_local_code_refines_a_core_code_and_inherits_who_may_give_it() -> None:
    local = b"""
[aliases]
local-rumour = ["T-FALSE-DAM"]
[[code]]
code = "T-FALSE-DAM"
title = "The dam rumour"
definition = "d."
"""
    book = load_codebook(SMALL, local=local)
    assert book.codes["T-FALSE-DAM"].human_only
    assert book.expand("local-rumour") == ("T-FALSE-DAM",)


def test_a_local_code_without_core_parent_is_refused() -> None:
    local = b"""
[[code]]
code = "Z-DAM"
title = "t"
definition = "d."
[[code]]
code = "G-THR"
title = "mine"
definition = "d."
"""
    with pytest.raises(ConfigError) as refused:
        load_codebook(SMALL, local=local)
    assert "Z-DAM refines no code of the core codebook" in str(refused.value)
    assert "the code G-THR stands twice" in str(refused.value)


WRONG = b"""
verison = "1"
[aliases]
Threat = ["G-THR"]
empty = []
abuse = ["G-TRH"]
[[list]]
code = "G"
titel = "Gendered abuse"
definition = "d."
codes = [
  { code = "G-THR", title = "t", definition = "d.", human_only = "yes" },
  { code = "G-THR", title = "t", definition = "d." },
  { code = "g-lower", title = "t", definition = "d." },
  { code = "G-A-B", title = "t", definition = "d." },
  { code = "G-OLD", title = "t", definition = "", replaced_by = "G-NEW" },
  { code = "G-ONE", title = "t", definition = "d.", deprecated = "2", replaced_by = "G-TWO" },
  { code = "G-TWO", title = "t", definition = "d.", deprecated = "2", replaced_by = "G-ONE" },
  "G-STRING",
]
"""


def test_all_problems_of_a_codebook_stand_in_one_report(golden: Golden) -> None:
    with pytest.raises(ConfigError) as refused:
        load_codebook(WRONG)
    golden("codebook_problems.txt", str(refused.value) + "\n")


@pytest.mark.parametrize(
    "raw", [b"", b"version = 1", b"\xff", b"version = ", b'version = "1"\nlist = 3', b"list = [1]"]
)
def test_a_file_that_is_no_codebook_is_refused_with_words(raw: bytes) -> None:
    with pytest.raises(ConfigError):
        load_codebook(raw)
