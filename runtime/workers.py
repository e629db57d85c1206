"""The workers of analyze and watch, put together and started: by the loops, by tests, by benches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hustings.clock import Clock
from hustings.contracts import Classifier, Index, Log, Memory
from runtime import build
from runtime.config import Config
from runtime.events import Events
from runtime.live_models import LivePipeline
from runtime.loops.analyze import Analyzer
from runtime.loops.arrivals import Passing, Sorted
from runtime.loops.progress import Progress
from runtime.loops.reading import AsTheyCome, ByTime, Reading
from runtime.loops.story_order import NamedLater, StoryOrder
from runtime.loops.watch import Watcher

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["analyzer_of", "watcher_of"]

WAIT_FOR_HITS_S = 0.02
"""How long one poll of the watch loop waits."""


def analyzer_of(
    config: Config,
    *,
    log: Log,
    index: Index,
    engine: Engine,
    memory: Memory,
    clock: Clock,
    events: Events,
    worker: str = "analyze",
    partitions: Sequence[int] | None = None,
    kind: type[Analyzer] = Analyzer,
) -> Analyzer:
    """A started worker over these partitions of posts; None means what the log gives it. `kind` is `Analyzer` but for
    drills."""
    from alerts.matcher import Matcher, partition_key
    from classifiers.claims.shelf import ClaimShelf

    rules = build.rule_set(config, build.vocabulary_of(config))
    replays = [table.name for table in build.source_tables(config) if table.clock != "live"]
    models, shelf = build.model_store(config), ClaimShelf(memory)
    archives = (lambda: build.archives(memory, replays)) if replays else None
    reader = log.reader("posts", "analyze", partitions=partitions)
    stories = _shared_stories(config, engine=engine, index=index)
    reading: Reading = AsTheyCome(reader)
    if stories is not None and archives is not None and log.partitions("posts") > 1:
        order = StoryOrder(
            worker=worker, log_id=log.id, posts_partitions=log.partitions("posts"), memory=memory, stories=stories
        )
        reading, stories = ByTime(reader, log=log, archives=archives, order=order), NamedLater()
    pipeline = LivePipeline(
        state=lambda: (models.state(), shelf.version()),
        open_with=lambda former: build.open_pipeline(
            config,
            story_memory=() if former or stories else build.story_memory(index),
            former=former,
            claims=shelf.claims(),
            stories=stories,
        ),
        events=events,
    ).open()
    analyzer = kind(
        log=log,
        reader=reader,
        reading=reading,
        index=index,
        assess=pipeline.assess,
        matching=Matcher(rules),
        partition_key=partition_key,
        progress=Progress(settle_after=build.settle_after(rules)),
        archives=archives,
        clock=clock,
        events=events,
        batch=config.analyze.batch,
        wait_s=config.analyze.wait_ms / 1000,
        code_version=build.CODE_VERSION,
    )
    analyzer.start()
    events.info("rules_loaded", rules=len(rules.rules))
    if not config.is_replay and (expired := rules.expired(clock.now())):
        events.warning("rules_expired", rules=[rule.name for rule in expired])
    return analyzer


def _shared_stories(config: Config, *, engine: Engine, index: Index) -> Classifier | None:
    """What names stories where several workers have to agree; None where one reads all there is."""
    if config.kafka is None and config.log.posts_partitions == 1:
        return None
    from classifiers.shared_stories import SharedStories
    from desk.story_ledger import DeskStoryLedger

    return SharedStories.following(DeskStoryLedger(engine), build.story_memory(index))


def watcher_of(
    config: Config,
    *,
    log: Log,
    index: Index,
    engine: Engine,
    memory: Memory,
    clock: Clock,
    events: Events,
    partitions: Sequence[int] | None = None,
) -> Watcher:
    """A started worker over these partitions of hits, its windows rebuilt; None means what the log gives it."""
    from alerts.evaluator import Evaluator
    from alerts.matcher import partition_key
    from runtime.rule_changes import EditedRules

    rules = build.rule_set(config, build.vocabulary_of(config))
    watcher = Watcher(
        log=log,
        reader=log.reader("hits", "watch", partitions=partitions),
        index=index,
        book=build.alert_book(config, engine, rules=rules, index=index, clock=clock),
        evaluator=lambda partition: Evaluator(rules, partition=partition, posts_partitions=log.partitions("posts")),
        arrivals=lambda: Sorted(log.partitions("posts")) if config.is_replay else Passing(),
        rules=[(rule.id, rule.logic) for rule in rules.rules if rule.outcome == "alert"],
        edited=lambda: EditedRules(rules, index=index, log=log, memory=memory, events=events),
        partition_key=partition_key,
        epoch=lambda: build.next_epoch(memory),
        clock=clock,
        events=events,
        wait_s=WAIT_FOR_HITS_S,
        code_version=build.CODE_VERSION,
    )
    watcher.start()
    return watcher
