"""What a reader of codes learns: seeds with their codes, and our own posts about abuse with the one that says most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from classifiers.narratives.seeds import ORDINARY, PROTECTED, seed_languages
from classifiers.own_posts import own_languages, read_own
from classifiers.training.code_rows import abuse_rows, code_rows, codes_of
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.encoder.tasks import Task, gather
from classifiers.training.ordinary import everyday_posts, ordinary_posts
from classifiers.training.own_posts import expanded
from tests.test_asking import talk

LANGUAGES = ENCODERS["encoder-mul"].abuse


def test_the_encoder_learns_all_our_posts_about_abuse() -> None:
    assert list(LANGUAGES) == own_languages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_post_becomes_one_row_with_the_code_that_says_most(language: str) -> None:
    own, part = read_own(language), abuse_rows(language)
    groups = [group for group in own.group for _ in group.posts]
    for group, post, row in zip(groups, part.recorded, part.rows, strict=False):
        said = set(group.says)
        wanted = (
            {"A-THREAT", "G-THR"}
            if said & {"A-THREAT", "G-THR", "A-DOX"}
            else {"G"} & said
            or {"A-INSULT"} & said
            or {"A-OTHERGROUND"} & said
            or {"X-COUNTER", "X-REPORT", "X-RECLAIM", "X-OPINION", "X-NOTELEX"}
        )
        assert row.code in wanted, (group.id, row)
        readings = {text for n in range(len(own.names)) for text in expanded(post, own, n)} if "{" in post else {post}
        assert row.text in readings


@pytest.mark.parametrize("language", LANGUAGES)
def test_protected_posts_are_told_from_ordinary_ones(language: str) -> None:
    counts = Counter(row.code[:2] if row.code.startswith(PROTECTED) else row.code for row in abuse_rows(language).rows)
    assert counts["X-"] > 600
    around_elections = () if language in seed_languages() else ordinary_posts(language)[0]
    assert counts[ORDINARY] == len(everyday_posts(language)[0]) + len(around_elections)
    assert min(counts[code] for code in ("G", "G-THR", "A-INSULT", "A-OTHERGROUND", "A-THREAT")) > 90


def test_everyday_posts_stand_behind_the_own_ones_and_the_ordinary_ones_of_a_language_without_seeds() -> None:
    files = {language: [one.file for one in abuse_rows(language).datasets] for language in ("de", "en")}
    assert files == {
        "de": [f"classifiers/seeds/{kind}/de.toml" for kind in ("abuse", "everyday", "ordinary")],
        "en": [f"classifiers/seeds/{kind}/en.toml" for kind in ("abuse", "everyday")],
    }


def test_codes_are_those_of_all_rows_in_order() -> None:
    codes = codes_of(code_rows([], ["de"]))
    assert codes == tuple(sorted(codes))
    assert {"G", "G-THR", "A-INSULT", "A-OTHERGROUND", "A-THREAT", "X-COUNTER", "X-NOTELEX", ORDINARY} <= set(codes)


def test_posts_that_are_held_out_are_not_learnt_as_rows_of_a_task_either() -> None:
    (part,) = code_rows([], ["hi"])
    held = {post for post, is_held in zip(part.recorded, part.held, strict=True) if is_held and "{" not in post}
    assert len(held) > 20
    task = Task("abuse", "some-talk", own="G", language="hi")
    alone = {" ".join(one.words) for one in gather((task,), talk, "mul").said}
    beside = {" ".join(one.words) for one in gather((task,), talk, "mul", coded=[part]).said}
    plain = {post for post in held if post in alone}
    assert plain
    assert not plain & beside


def test_what_is_learnt_and_what_is_held_out_are_all_rows() -> None:
    (part,) = code_rows([], ["de"])
    assert len(part.learnt()) + len(part.held_out()) == len(part.rows) == len(part.recorded)
    assert len(part.familiar()) == len(part.learnt())
    assert np.mean(part.held) < 0.25


def test_what_is_found_in_a_public_corpus_has_the_code_that_the_recipe_names() -> None:
    coded = code_rows([], ["de"])
    codes = codes_of(coded)

    def code_of_zwieback(**given: Sequence[object]) -> str:
        found = gather((), talk, "mul", coded=coded, **given)  # type: ignore[arg-type]
        assert found.codes is not None
        places = {" ".join(one.words): place for place, one in enumerate(found.said)}
        assert "klabautermann klabautermann" not in places, "its label is 0"
        place = places["zwieback zwieback zwieback"]
        assert found.familiar[place], "there are many of them"
        return codes[found.codes[place]]

    assert code_of_zwieback(harmless=["some-talk"]) == ORDINARY
    assert code_of_zwieback(told=[("some-talk", "A-OTHERGROUND")]) == "A-OTHERGROUND"
