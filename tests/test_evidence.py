"""Evidence: sealed before anything else, and every flipped byte is named."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import StoreError, Unavailable
from ingest.evidence import Capture, EvidenceFolder

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def capture(raw: bytes, *keys: str, **headers: str) -> Capture:
    return Capture(raw=raw, collector="herald", keys=keys, at=NOW, headers=headers)


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence", code_version="hustings 1")


def pack_of(folder: EvidenceFolder, evidence: str) -> Path:
    return folder._path(evidence.partition("/")[0])


def test_what_was_sealed_is_read_back_with_what_is_known_about_it(folder: EvidenceFolder) -> None:
    first, second = folder.seal([capture(b'{"a":1}', "x:1", etag='"v"'), capture(b"\x00\n\xff", "x:2")])
    record, raw = folder.read(second)
    assert raw == b"\x00\n\xff"
    record, raw = folder.read(first)
    assert raw == b'{"a":1}'
    assert (record.collector, record.keys, record.at, record.headers) == ("herald", ("x:1",), NOW, {"etag": '"v"'})
    assert record.code_version == "hustings 1"
    assert list(folder.verify()) == []


def test_packs_are_read_only_and_named_by_their_content(folder: EvidenceFolder) -> None:
    (evidence,) = folder.seal([capture(b"raw", "x:1")])
    path = pack_of(folder, evidence)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_sealing_again_changes_nothing(folder: EvidenceFolder) -> None:
    assert folder.seal([capture(b"raw", "x:1")]) == folder.seal([capture(b"raw", "x:1")])


def test_a_page_that_many_posts_came_from_is_kept_once(folder: EvidenceFolder) -> None:
    page = b"<rss>" * 10_000
    seals = folder.seal([capture(page, f"x:{n}") for n in range(100)])
    assert len(set(seals)) == 1
    assert pack_of(folder, seals[0]).stat().st_size < len(page) + 2_000
    assert folder.read(seals[0])[0].keys == tuple(f"x:{n}" for n in range(100))


def test_nothing_is_written_for_nothing(folder: EvidenceFolder) -> None:
    assert folder.seal([]) == []
    assert list(folder.verify()) == []


@settings(max_examples=60)
@given(st.data())
def test_every_flipped_byte_is_found_and_the_posts_are_named(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = EvidenceFolder(tmp_path_factory.mktemp("evidence"), code_version="hustings 1")
    folder.seal([capture(b"another pack", "x:0")])
    raws = [b"first\n{raw}", b"second raw"]
    seals = folder.seal([capture(raw, f"x:{n}") for n, raw in enumerate(raws, start=1)])
    path = pack_of(folder, seals[0])
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    inside = [f"x:{n}" for n, raw in enumerate(raws, start=1) if 0 <= place - content.find(raw) < len(raw)]
    content[place] ^= data.draw(st.integers(1, 255))
    os.chmod(path, 0o600)
    path.write_bytes(bytes(content))
    os.chmod(path, 0o400)
    (flaw,) = folder.verify()
    assert flaw.path == str(path)
    if inside:
        assert (flaw.problem, list(flaw.keys)) == ("the raw bytes of a capture were changed", inside)
    for seal in seals:  # what is damaged is never given out as intact
        try:
            assert folder.read(seal)[1] in raws
        except StoreError:
            continue


def test_a_pack_that_may_be_written_to_is_a_flaw(folder: EvidenceFolder) -> None:
    (evidence,) = folder.seal([capture(b"raw", "x:1")])
    os.chmod(pack_of(folder, evidence), 0o600)
    assert ["may be written to" in flaw.problem for flaw in folder.verify()] == [True]


def test_missing_evidence_is_said(folder: EvidenceFolder) -> None:
    (evidence,) = folder.seal([capture(b"raw", "x:1")])
    with pytest.raises(StoreError, match="no such evidence"):
        folder.read("ab" * 32 + "/" + "cd" * 32)
    with pytest.raises(StoreError, match="no intact capture"):
        folder.read(evidence.partition("/")[0] + "/" + "cd" * 32)


def test_a_pack_that_was_taken_away_is_named_with_the_posts_that_name_it(folder: EvidenceFolder) -> None:
    (kept,) = folder.seal([capture(b"kept", "x:0")])
    first, second = folder.seal([capture(b"raw", "x:1"), capture(b"more", "x:2")])
    named = [(kept, "x:0"), (first, "x:1"), (second, "x:2"), (first, "x:1")]
    assert list(folder.missing(named)) == []
    pack_of(folder, first).unlink()
    (flaw,) = folder.missing(named)
    assert (flaw.path, flaw.problem, flaw.keys) == (str(pack_of(folder, first)), "is missing", ("x:1", "x:2"))
    assert list(folder.verify()) == [], "the folder alone cannot show it"


def test_what_is_not_erased_stays_as_it_was_sealed(folder: EvidenceFolder) -> None:
    gone, kept = folder.seal([capture(b"hers", "x:1"), capture(b"his", "x:2", etag="v")])
    (held,), unread = folder.holding({"x:1"})
    assert (held.alone, held.shared, held.keys, unread) == (1, 0, ("x:1",), [])
    record = folder.read(kept)
    erasure = folder.erase(held.pack, {"x:1"}, shared=False, at=NOW)
    assert folder.erasures() == [erasure]
    assert folder.read(kept) == record
    with pytest.raises(StoreError, match=r"this capture was erased at 2027-03-01T12:00:00"):
        folder.read(gone)
    assert list(folder.verify()) == []
    assert list(folder.missing([(gone, "x:1"), (kept, "x:2")])) == []
    assert folder.holding({"x:1"}) == ([], [])
    assert b"hers" not in b"".join(path.read_bytes() for path in folder._folder.rglob("*.e*"))


def test_erasing_one_after_the_other_leaves_nothing_but_the_times(folder: EvidenceFolder) -> None:
    seals = folder.seal([capture(f"raw {n}".encode(), f"x:{n}") for n in range(3)])
    for number in (1, 0, 2):
        (held,), _ = folder.holding({f"x:{number}"})
        assert folder.erase(held.pack, {f"x:{number}"}, shared=False, at=NOW) is not None
    assert len(folder.erasures()) == 3
    assert list(folder.verify()) == []
    assert list(folder.missing([(seal, "x:1") for seal in seals])) == []
    for seal in seals:
        with pytest.raises(StoreError, match="was erased"):
            folder.read(seal)


def test_an_erasure_that_a_crash_cut_short_is_said_and_ends_when_it_is_done_again(folder: EvidenceFolder) -> None:
    _, kept = folder.seal([capture(b"hers", "x:1"), capture(b"his", "x:2")])
    pack = pack_of(folder, kept)
    content = pack.read_bytes()
    folder.erase(pack.stem, {"x:1"}, shared=False, at=NOW)
    pack.write_bytes(content)
    pack.chmod(0o400)
    (flaw,) = folder.verify()
    assert (flaw.path, "still there; erase them again" in flaw.problem) == (str(pack), True)
    (held,), _ = folder.holding({"x:1"})
    folder.erase(held.pack, {"x:1"}, shared=False, at=NOW)
    assert not pack.exists()
    assert list(folder.verify()) == []
    assert folder.read(kept)[1] == b"his"


def test_what_was_left_of_a_pack_may_not_be_taken_away(folder: EvidenceFolder) -> None:
    gone, _ = folder.seal([capture(b"hers", "x:1"), capture(b"his", "x:2")])
    erasure = folder.erase(gone.partition("/")[0], {"x:1"}, shared=False, at=NOW)
    assert erasure is not None
    folder._path(erasure.rest).unlink()
    (flaw,) = folder.verify()
    assert flaw.problem == f"is missing; it held what was not erased of {erasure.pack}"


def test_a_pack_that_was_changed_is_not_sealed_anew_by_erasing(folder: EvidenceFolder) -> None:
    (seal,) = folder.seal([capture(b"hers", "x:1")])
    path = pack_of(folder, seal)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"hers", b"HERS"))
    held, (flaw,) = folder.holding({"x:1"})
    assert (held, flaw.path, "not as it was sealed" in flaw.problem) == ([], str(path), True)
    with pytest.raises(StoreError, match="not as it was sealed"):
        folder.erase(path.stem, {"x:1"}, shared=False, at=NOW)


def test_a_pack_that_cannot_be_read_is_a_flaw_among_others(folder: EvidenceFolder) -> None:
    (evidence,) = folder.seal([capture(b"raw", "x:1")])
    pack_of(folder, evidence).rename(folder._folder / "kept")
    pack_of(folder, evidence).mkdir()
    assert ["cannot be read" in flaw.problem for flaw in folder.verify()] == [True]


def test_a_disk_that_fails_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be sealed"):
        EvidenceFolder(tmp_path / "evidence", code_version="1").seal([capture(b"raw", "x:1")])
