"""Several analyze and watch workers over one deployment, each in a thread of its own, and 10,000 posts for them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from classifiers.pipeline import Pipeline
from classifiers.shared_stories import SharedStories
from classifiers.stories import Stories
from desk.story_ledger import DeskStoryLedger
from hustings.contracts import Classifier, Log
from hustings.errors import Unavailable
from hustings.types import Alert, Post
from runtime import build
from runtime.loops.analyze import Analyzer
from runtime.loops.arrivals import Passing, Sorted
from runtime.loops.progress import Archive, Progress
from runtime.loops.reading import AsTheyCome, ByTime
from runtime.loops.story_order import NamedLater, StoryOrder
from runtime.loops.watch import Watcher
from runtime.worker_names import shares
from tests.loops_world import START, LoopsWorld, Poisonous

__all__ = ["RULES", "Fleet", "Worker", "facts", "generated_posts"]

IDLE_S = 0.01
"""What a worker without work waits, as a loop does: threads that look all the time keep each other from working."""
RULES = """
[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3b01"
name = "busy-author"
version = 1
kind = "count"
where = "sunday"
group_by = ["author"]
window = "1h"
lateness = "3d"
when = { gte = 3 }
episode = { resolve_after = "2h", escalate = [6] }
review = "none"
route = { severity = "high", tlp = "GREEN", topics = ["voting-information"] }

[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3b02"
name = "one-story"
version = 1
kind = "distinct"
of = "author"
where = "flag:N-PROC-DATE"
group_by = ["story"]
window = "2h"
lateness = "3d"
when = { gte = 4 }
episode = { resolve_after = "4h" }
review = "none"
route = { severity = "high", tlp = "GREEN", topics = ["voting-information"] }

[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3b03"
name = "everybody"
version = 1
kind = "count"
where = "sunday"
window = "10m"
lateness = "3d"
when = { gte = 22 }
episode = { resolve_after = "30m" }
review = "none"
route = { severity = "low", tlp = "GREEN", topics = ["voting-information"] }
"""
RUMOUR = (
    "they say that the vote was moved to sunday because of the storm and nobody told the old people of the harbour "
    "so take your papers with you and ask at the town hall before the ferry leaves for the islands in the north"
)


def generated_posts(count: int, *, seed: int = 1) -> list[Post]:
    """In the order of collection; when they were published is in no order at all. Near-copies of a hundred stories,
    posts of no interest, edits that take back, deletions, and the same post from another collector."""
    rng = random.Random(seed)
    posts: list[Post] = []
    for number in range(count):
        collected = START + timedelta(seconds=number)
        again = rng.random()
        if posts and again < 0.02:
            posts.append(_changed(rng.choice(posts), collector="other", collected_at=collected))
        elif posts and again < 0.06:
            edited = rng.choice(posts[-2000:])
            text = rng.choice([_story_text(rng), "nothing of the kind was ever said"])
            posts.append(_changed(edited, text=text, revision=number, collected_at=collected))
        elif posts and again < 0.07:
            gone = rng.choice(posts[-2000:])
            posts.append(_changed(gone, text="", deleted=True, revision=number, collected_at=collected))
        else:
            text = _story_text(rng) if rng.random() < 0.5 else f"a fine day for a walk, the {number}th one"
            posts.append(
                Post(
                    source="net",
                    native_id=str(number),
                    text=text,
                    author=f"author-{rng.randrange(250)}",
                    published_at=collected - timedelta(seconds=rng.randrange(2 * 86_400)),
                    collected_at=collected,
                    collector="c",
                )
            )
    return posts


def _changed(post: Post, **changes: Any) -> Post:
    fields = {name: getattr(post, name) for name in post.__struct_fields__}
    return Post(**(fields | changes))


def _story_text(rng: random.Random) -> str:
    """One of a hundred stories: the same words but for a few, of which two are the story's own."""
    family, member = rng.randrange(100), rng.randrange(6)
    words = [
        f"{word}{family}" if place % 3 == 0 and word != "sunday" else word for place, word in enumerate(RUMOUR.split())
    ]
    words[5 + member] = f"x{member}"
    return " ".join(words)


class Worker:
    """One worker in its thread; `pause` and `go_on` stop it between two steps."""

    def __init__(self, made: Analyzer | Watcher, problems: list[BaseException]) -> None:
        self.made = made
        self._problems = problems
        self._over = threading.Event()
        self._may_go = threading.Event()
        self._may_go.set()
        self.steps = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def pause(self) -> None:
        self._may_go.clear()

    def go_on(self) -> None:
        self._may_go.set()

    def halt(self) -> None:
        """End the thread between two steps."""
        self._over.set()
        self._may_go.set()
        self._thread.join()

    def end(self) -> None:
        """End, and give the reader back."""
        self.halt()
        self.made.close()

    def tell_the_last(self) -> None:
        """Once more by hand, when its thread has ended: what it says now is said of everything."""
        assert isinstance(self.made, Analyzer)
        while True:
            try:
                self.made.step()
                self.made.send_marks()
                return
            except Unavailable:
                time.sleep(IDLE_S)

    def _work(self) -> None:
        while not self._over.is_set():
            self._may_go.wait()
            try:
                if not self.made.step():
                    time.sleep(IDLE_S)
            except Unavailable:
                time.sleep(IDLE_S)
            except BaseException as problem:
                self._problems.append(problem)
                return
            self.steps += 1


class Fleet:
    """Workers over `world`; `replay` takes posts and hits in the order of their time. `open_log` gives each worker a
    log of its own that shares out the partitions; without, each of `workers` has a fixed share."""

    def __init__(
        self,
        world: LoopsWorld,
        closing: ExitStack,
        *,
        workers: int,
        replay: bool,
        open_log: Callable[[str], Log] | None = None,
    ) -> None:
        self.world = world
        self._closing = closing
        self._replay = replay
        self._open_log = open_log
        self._workers = workers
        self.problems: list[BaseException] = []
        if replay:
            world.archives = {"c": Archive(done=False, last=None)}
        self.analyzers = [self.start_analyzer(number) for number in range(workers)]
        self.watchers = [self.start_watcher(number) for number in range(workers)]

    def start_analyzer(self, number: int) -> Worker:
        world, name = self.world, f"analyze-{number + 1}"
        log = self._log(name)
        reader = log.reader("posts", "analyze", partitions=self._share(log.partitions("posts"), number))
        is_alone = log.partitions("posts") == 1
        stories: Classifier = Stories() if is_alone else SharedStories.following(DeskStoryLedger(world.engine))
        reading: Any = AsTheyCome(reader)
        if self._replay and not is_alone:
            order = StoryOrder(
                worker=name,
                log_id=log.id,
                posts_partitions=log.partitions("posts"),
                memory=build.open_memory(world.engine),
                stories=stories,
            )
            reading = ByTime(reader, log=log, archives=lambda: world.archives, order=order)
            stories = NamedLater()
        pipeline = Pipeline([Poisonous(), stories])
        progress = Progress(settle_after=build.settle_after(world.rules))
        made = world.analyzer(
            log=log, reader=reader, reading=reading, assess=pipeline.assess, progress=progress, batch=200
        )
        return Worker(made, self.problems)

    def start_watcher(self, number: int) -> Worker:
        log = self._log(f"watch-{number + 1}")
        reader = log.reader("hits", "watch", partitions=self._share(log.partitions("hits"), number))
        posts = log.partitions("posts")
        arrivals = (lambda: Sorted(posts)) if self._replay else Passing
        return Worker(self.world.watcher(log=log, reader=reader, arrivals=arrivals), self.problems)

    def feed(self, posts: Sequence[Post], *, chunk: int = 500) -> None:
        """Append, and say of the archive that it is so far."""
        for begin in range(0, len(posts), chunk):
            part = posts[begin : begin + chunk]
            self.world.append(*part)
            if self._replay:
                self.world.archives["c"] = Archive(done=False, last=max(p.collected_at for p in part))

    def finish(self, *, within_s: float = 240.0) -> None:
        """Until everything is analysed and every alert has settled."""
        world = self.world
        if self._replay:
            world.archives["c"] = Archive(done=True, last=world.archives["c"].last)
        self.wait_until(lambda: world.index.positions("posts") == self._ends("posts"), within_s=within_s)
        world.clock.set(START + timedelta(days=30))
        for worker in self.analyzers:
            worker.halt()
        for worker in self.analyzers:
            worker.tell_the_last()
        for worker in self.analyzers:
            worker.end()
        self.wait_until(lambda: world.index.positions("hits") == self._ends("hits"), within_s=within_s)
        for worker in self.watchers:
            worker.end()
        assert self.problems == []

    def wait_until(self, claim: Callable[[], bool], *, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while not claim():
            assert self.problems == [], self.problems
            assert time.monotonic() < deadline, f"not within {within_s} s"
            time.sleep(0.02)

    def _ends(self, topic: Any) -> dict[int, int]:
        return {partition: end for partition, end in self.world.log.ends(topic).items() if end}

    def _log(self, worker: str) -> Log:
        if self._open_log is None:
            return self.world.log
        log = self._open_log(worker)
        self._closing.callback(log.close)
        return log

    def _share(self, partitions: int, number: int) -> list[int] | None:
        return None if self._open_log is not None else shares(partitions, self._workers)[number]


def facts(alert: Alert) -> tuple[object, ...]:
    """What an episode is, whatever the order in which its posts arrived."""
    return (alert.rule, alert.group, alert.state, alert.opened_at, alert.last_crossing_at, alert.value, alert.evidence)
