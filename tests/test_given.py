"""What one model says of a post, added to what others have said."""

from __future__ import annotations

from datetime import UTC, datetime

from classifiers.given import added, is_flagged
from classifiers.manifest import Manifest, read_manifest
from classifiers.pipeline import shipped_models
from hustings.types import Assessment, Flag, Post

WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)
FLAG = Flag(code="G", score=0.9, threshold=0.5, classifier="A-en@1")


def manifest() -> Manifest:
    return read_manifest(shipped_models() / "G-en")


def post(scores: dict[str, float], *flags: Flag) -> Assessment:
    said = Post(source="t", native_id="1", text="x", published_at=WHEN, collected_at=WHEN)
    return Assessment(post=said, first_collected_at=WHEN, scores=scores, flags=flags)


def test_a_flag_s_score_takes_the_place_of_a_lower_one_that_flagged_nothing() -> None:
    found = added(post({"G": 0.07}), manifest(), {"G": 0.9}, FLAG)
    assert (found.scores, found.flags) == ({"G": 0.9}, (FLAG,))
    assert found.models == {"G-en": manifest().version}


def test_a_code_that_is_flagged_already_keeps_flag_and_score() -> None:
    former = Flag(code="G", score=0.6, threshold=0.5, classifier="G-en@1")
    found = added(post({"G": 0.6}, former), manifest(), {"G": 0.9}, FLAG)
    assert (found.scores, found.flags) == ({"G": 0.6}, (former,))


def test_a_score_without_a_flag_is_added_where_there_is_none() -> None:
    found = added(post({"G": 0.07}), manifest(), {"G": 0.2, "A-THREAT": 0.3}, None)
    assert (found.scores, found.flags) == ({"G": 0.07, "A-THREAT": 0.3}, ())


def test_a_post_is_flagged_with_the_codes_of_its_flags() -> None:
    assert [is_flagged(post({}, FLAG), code) for code in ("G", "A")] == [True, False]
