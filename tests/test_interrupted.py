"""A dependency that fails in the middle of a step: the next step takes the batch up again, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from classifiers.pipeline import Pipeline
from desk.memory import DeskMemory
from hustings.errors import Reassigned, Unavailable
from runtime.loops.frame import Pulse, run_loop
from runtime.stop import Stop
from tests.loops_world import CALM, QUIET, SUNDAY, LoopsWorld, Poisonous


class FailsOnce:
    """A store whose method `name` is down the first `times` times."""

    def __init__(
        self, store: Any, name: str, *, times: int = 1, after: bool = False, error: type[Unavailable] = Unavailable
    ) -> None:
        self._store, self._name, self._left, self._after, self._error = store, name, times, after, error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name != self._name:
            return found

        def call(*given: Any, **named: Any) -> Any:
            if self._left > 0:
                self._left -= 1
                if self._after:
                    found(*given, **named)
                raise self._error(f"{name} is down")
            return found(*given, **named)

        return call


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as closing:
        yield LoopsWorld(tmp_path, desk_url, closing)


@pytest.fixture
def undisturbed(tmp_path_factory: pytest.TempPathFactory, _blank_desk: Path) -> dict[str, object]:
    with ExitStack() as closing:
        folder = tmp_path_factory.mktemp("undisturbed")
        url = f"sqlite:///{folder / 'desk.db'}"
        (folder / "desk.db").write_bytes(_blank_desk.read_bytes())
        calm = LoopsWorld(folder, url, closing)
        calm.append(*SUNDAY, *CALM)
        calm.run_to_the_end()
        return calm.everything()


def drive(step: Any) -> None:
    """Step as the loop does: wait and try again when something is down."""
    for _ in range(50):
        try:
            if not step():
                return
        except Unavailable:
            continue
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("method", ["get", "write"])
def test_analyze_takes_up_the_batch_that_the_index_failed_on(
    world: LoopsWorld, undisturbed: dict[str, object], method: str, after: bool
) -> None:
    world.append(*SUNDAY, *CALM)
    analyzer = world.analyzer(index=FailsOnce(world.index, method, times=2, after=after), batch=3)
    drive(analyzer.step)
    analyzer.send_marks()
    watcher = world.watcher()
    drive(watcher.step)
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_analyze_takes_up_the_batch_whose_hits_the_log_failed_on(
    world: LoopsWorld, undisturbed: dict[str, object], after: bool
) -> None:
    world.append(*SUNDAY, *CALM)
    analyzer = world.analyzer(log=FailsOnce(world.log, "append", times=1, after=after), batch=3)
    drive(analyzer.step)
    analyzer.send_marks()
    drive(world.watcher().step)
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_step_whose_own_store_is_away_makes_no_post_a_dead_letter(
    world: LoopsWorld, undisturbed: dict[str, object], after: bool
) -> None:
    world.append(*SUNDAY, *CALM)
    step = FailsOnce(Poisonous(), "classify", times=2, after=after)  # as the ledger of stories does
    analyzer = world.analyzer(assess=Pipeline([step]).assess, batch=3)
    drive(analyzer.step)
    analyzer.send_marks()
    drive(world.watcher().step)
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_watch_takes_up_the_hits_that_the_desk_failed_on(
    world: LoopsWorld, undisturbed: dict[str, object], after: bool
) -> None:
    world.append(*SUNDAY, *CALM)
    analyzer = world.analyzer()
    drive(analyzer.step)
    analyzer.send_marks()
    made = world.watcher()
    made._book = FailsOnce(made._book, "record", times=2, after=after)  # the book is made inside the world
    drive(made.step)
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("method", ["poll", "commit"])
def test_partitions_that_move_in_the_middle_change_nothing(
    world: LoopsWorld, undisturbed: dict[str, object], method: str, after: bool
) -> None:
    """What was read and not committed is dropped, and both workers begin again at what is durable."""
    world.append(*SUNDAY, *CALM)
    reader = FailsOnce(world.log.reader("posts", "analyze"), method, times=2, after=after, error=Reassigned)
    analyzer = world.analyzer(reader=reader, batch=3)
    drive(analyzer.step)
    analyzer.send_marks()
    reader = FailsOnce(world.log.reader("hits", "watch"), method, times=2, after=after, error=Reassigned)
    drive(world.watcher(reader=reader).step)
    assert world.everything() == undisturbed


def test_a_loop_goes_on_at_once_when_partitions_move(world: LoopsWorld) -> None:
    stop, tries = Stop(), []

    def step() -> int:
        tries.append(time.monotonic())
        if len(tries) < 20:
            raise Reassigned("others came")
        stop.ask()
        return 0

    pulse = Pulse("analyze", memory=DeskMemory(world.engine), clock=world.clock)
    run_loop(step, pulse=pulse, stop=stop, events=QUIET, parent=None)
    assert tries[-1] - tries[0] < 2.0, "it did not wait as for something that is down"
