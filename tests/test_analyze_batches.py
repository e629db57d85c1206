"""What analyze makes of a stream does not depend on where its batches end, repeated keys and failures included."""

from __future__ import annotations

import random
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from hustings.types import Post
from tests.loops_world import LoopsWorld, post

TEXTS = ("vote on sunday", "a fine day", "vote on sunday they say", "poison here", "sunday again")


def stream(seed: int) -> list[Post]:
    """Thirty posts of six keys: new ones, edits in time and too late, older revisions, the same again, failures."""
    pick = random.Random(seed)
    return [
        post(
            pick.randrange(6),
            pick.choice(TEXTS),
            minutes=pick.randrange(3),
            revision=pick.choice((0, 1, 2, 5, 30, 31)),
        )
        for _ in range(30)
    ]


def outcome(folder: Path, blank: Path, posts: list[Post], *, batch: int) -> dict[str, object]:
    folder.mkdir()
    with ExitStack() as closing:
        world = LoopsWorld(folder, f"sqlite:///{shutil.copy(blank, folder / 'desk.db')}", closing)
        world.append(*posts)
        analyzer, watcher = world.analyzer(batch=batch), world.watcher()
        while analyzer.step():
            while watcher.step():
                pass
        return world.everything()


@pytest.mark.parametrize("seed", range(2))
def test_one_batch_does_what_many_do_with_watch_keeping_up(tmp_path: Path, desk_url: str, seed: int) -> None:
    posts, blank = stream(seed), Path(desk_url.removeprefix("sqlite:///"))
    expected = outcome(tmp_path / "one", blank, posts, batch=1)
    for batch in (7, 100):
        found = outcome(tmp_path / str(batch), blank, posts, batch=batch)
        for part in ("assessments", "books", "hits"):
            assert found[part] == expected[part], part
