"""Joins the packages: makes what a configuration names, and hands each component what it needs.

The stores are opened in `runtime.stores`, the workers put together in `runtime.workers`. Whoever calls a function that
opens something closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from heapq import nlargest
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from hustings.clock import Clock
from hustings.codebook import Codebook, load_codebook
from hustings.errors import ConfigError
from hustings.query import Query, Vocabulary
from hustings.query.tree import And, Between, Has
from hustings.registry import resolve
from hustings.roster import Phase, Roster
from runtime.component_settings import checked, resolved
from runtime.config import Config, load_config, missing_in_charter
from runtime.config_problems import Problems
from runtime.loops import LOOPS
from runtime.roster_file import load_roster
from runtime.secret_files import secret_in
from runtime.source_tables import source_tables
from runtime.stores import open_engine, open_index, open_log, open_memory
from runtime.worker_names import workers_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from alerts.partners import Partner
    from alerts.rules import RuleSet
    from classifiers.claims.claim import Claim
    from classifiers.encoder.embed import Embedder
    from classifiers.pipeline import Pipeline
    from classifiers.signing import Signers
    from classifiers.store import ModelStore
    from desk.dispatch import Dispatcher
    from desk.web.services import DeskServices
    from hustings.contracts import AlertBook, Channel, Classifier, Egress, Index, Log, Memory
    from hustings.types import Assessment
    from ingest.polling import Collector
    from ingest.pseudonyms import Pseudonyms
    from runtime.coverage import Silence
    from runtime.events import Events
    from runtime.loops.progress import Archive
    from runtime.status import Status

__all__ = [
    "CODE_VERSION",
    "NO_LIMIT",
    "alert_book",
    "archives",
    "channels",
    "codebook",
    "collector",
    "deployment_status",
    "describe_models",
    "desk_services",
    "dispatcher",
    "egress",
    "model_signers",
    "model_store",
    "next_epoch",
    "open_engine",
    "open_index",
    "open_log",
    "open_memory",
    "open_pipeline",
    "pages",
    "partners",
    "pseudonyms",
    "require_charter",
    "roster",
    "rule_set",
    "settle_after",
    "silence_finder",
    "source_tables",
    "story_memory",
    "vocabulary",
    "vocabulary_of",
]

CODE_VERSION = f"hustings {version('hustings')}"
"""Stands in dead letters and evidence: which code saw this."""
PAGE = 500
NO_LIMIT = 10**9


# ── vocabulary ───────────────────────────────────────────────────────────────────────────────────────────────────


def codebook() -> Codebook:
    """The codebook that is shipped."""
    return load_codebook(resources.files("configs").joinpath("codebook.toml").read_bytes())


def roster(config: Config | None) -> Roster | None:
    """The roster that the configuration names; None without a configuration, empty when it names none."""
    if config is None:
        return None
    if config.roster is None:
        return Roster()
    return load_roster(config.resolve(config.roster))


def vocabulary(config_path: Path | None) -> Vocabulary:
    """What queries may name: codes, and with a configuration people and phases too."""
    return vocabulary_of(None if config_path is None else load_config(config_path))


def vocabulary_of(config: Config | None) -> Vocabulary:
    """The same for a configuration already loaded."""
    phases = config.phases if config is not None else ()
    return Vocabulary(
        codebook=codebook(),
        roster=roster(config),
        phases=tuple(Phase(code=phase.code, start=phase.start, end=phase.end) for phase in phases),
    )


# ── the way out ──────────────────────────────────────────────────────────────────────────────────────────────────


def egress(config: Config) -> Egress:
    """The guarded way to the network."""
    from ingest.egress import EgressSettings, GuardedEgress

    return GuardedEgress(checked(EgressSettings, config.egress, where=f"{config.path}: egress"))


# ── partners and rules ───────────────────────────────────────────────────────────────────────────────────────────


def partners(config: Config) -> tuple[Partner, ...]:
    """Who may receive alerts, each with its channels' settings checked too."""
    from alerts.partners import Partner

    problems = Problems()
    found: list[Partner] = []
    for number, table in enumerate(config.partners, start=1):
        where = f"{config.path}: partner {table.get('id', number)}"
        with problems.under(where):
            found.append(_with_key(checked(Partner, resolved(config, table), where=where)))
    problems.raise_any()
    return tuple(found)


def _with_key(partner: Partner) -> Partner:
    """The partner with its pseudonym key as the start finds it, which its names then keep. One that cannot be read is
    left for `hustings check` to tell: it costs this partner its messages, and nobody else."""
    try:
        kept = partner.pseudonym_key.kept()
    except ConfigError:
        return partner
    return partner.model_copy(update={"pseudonym_key": kept})


def rule_set(config: Config, words: Vocabulary) -> RuleSet:
    """The checked rules of the configuration, those that have ended too; raises `RuleError` or `ConfigError`."""
    from alerts.rules import load_rules

    texts = {}
    folder = config.path.parent
    for path in config.rule_files():
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        try:
            texts[str(name)] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
    retention = timedelta(days=config.log.keep_days) if not config.is_replay else None
    return load_rules(texts, vocabulary=words, retention=retention)


# ── collect ──────────────────────────────────────────────────────────────────────────────────────────────────────


def require_charter(config: Config) -> None:
    """Charter first: raises `ConfigError` that says what is missing."""
    missing = missing_in_charter(config.charter)
    if missing:
        raise ConfigError(
            f"{config.path}: charter: missing or empty: {', '.join(missing)}; nothing is collected without a mandate"
        )


def collector(config: Config, *, log: Log, memory: Memory, clock: Clock, events: Events) -> Collector:
    """The polling loop over every configured source, opened."""
    from hustings.contracts import SourceContext
    from ingest.evidence import EvidenceFolder
    from ingest.polling import Collector, ConfiguredSource

    context = SourceContext(egress=egress(config), memory=memory, clock=clock)
    sources = [
        ConfiguredSource(table.component(table.name, table.settings, context), table.clock)
        for table in source_tables(config)
    ]
    made = Collector(
        sources,
        log=log,
        memory=memory,
        evidence=EvidenceFolder(config.data / "evidence", code_version=CODE_VERSION),
        pseudonyms=pseudonyms(config, log),
        roster=roster(config) or Roster(),
        clock=clock,
        code_version=CODE_VERSION,
        notify=events.warning,
    )
    made.open()
    return made


def pseudonyms(config: Config, log: Log) -> Pseudonyms:
    """Names for unlisted accounts under this election's key, which is made before the first post. Raises `ConfigError`
    when it is gone later: under a new one everybody would be somebody else."""
    from ingest.pseudonyms import Pseudonyms, load_or_create_key

    path = config.data / "keys" / "pseudonyms.key"
    if not path.exists() and any(log.ends("posts").values()):
        raise ConfigError(
            f"{path}: no such file, but the log holds posts whose authors were named with it; copy the folder from a"
            " backup or from the data folder that this deployment was moved from"
        )
    return Pseudonyms(load_or_create_key(path))


def archives(memory: Memory, replays: Sequence[str]) -> dict[str, Archive]:
    """How far each of these archives was handed over to the log."""
    from runtime.loops.progress import Archive
    from runtime.status import source_health

    known = source_health(memory)
    return {
        name: Archive(known[name].done, known[name].last_post_at) if name in known else Archive(False, None)
        for name in replays
    }


# ── analyze ──────────────────────────────────────────────────────────────────────────────────────────────────────


def settle_after(rules: RuleSet) -> timedelta:
    """How long after its last post every episode of a replay has settled."""
    return max((rule.span + rule.lateness for rule in rules.rules), default=timedelta(0)) + timedelta(seconds=1)


def open_pipeline(
    config: Config | None,
    *,
    story_memory: Iterable[Assessment],
    former: Pipeline | None = None,
    claims: Sequence[Claim] = (),
    stories: Classifier | None = None,
) -> Pipeline:
    """The classifiers, with the models that serve in this deployment; `former` is the pipeline that this one takes over
    from, and `stories` the step that names stories, where several workers do."""
    from classifiers.pipeline import open_pipeline as opened

    return opened(
        models=model_store(config).serving() if config else None,
        signers=model_signers(config) if config else None,
        roster=roster(config) or Roster(),
        codebook=codebook(),
        languages=config.languages if config else (),
        story_memory=story_memory,
        former=former,
        encoder=config.encoder if config else None,
        claims=claims,
        stories=stories,
        targets=config.targets.beside(config.path.parent) if config else None,
        claim_settings=config.claims if config else None,
    )


def story_memory(index: Index) -> Iterator[Assessment]:
    """The stored posts that belong to a story, as they were collected, oldest first: what the memory of near-duplicates
    is rebuilt from. Read when the first one is asked for, and twice: an index gives posts by publication, so keys and
    order are found first, and the posts are then held page by page."""
    from classifiers.stories import MEMORY_AGE, MEMORY_SIZE

    told = Has("story")
    index.refresh()
    newest = next(pages(index, Query(text="story:*", node=told), limit=1), None)
    if newest is None:
        return
    # Not the clock: in a replay posts lie anywhere in time. What was published last was not ingested later than what
    # was ingested last, so nothing that is remembered was collected before this.
    recent = And(nodes=(told, Between("collected", newest.ingested_at - MEMORY_AGE, None)))
    found = pages(index, Query(text="story:*", node=recent), limit=NO_LIMIT)
    remembered = nlargest(MEMORY_SIZE, ((one.post.collected_at, one.key) for one in found))
    for end in range(len(remembered), 0, -PAGE):
        keys = [key for _, key in reversed(remembered[max(end - PAGE, 0) : end])]
        stored = index.get(keys)
        yield from (stored[key] for key in keys if key in stored)


def pages(index: Index, query: Query, *, limit: int) -> Iterator[Assessment]:
    """At most `limit` matching posts, newest first, page by page."""
    after: str | None = None
    while limit > 0:
        page = index.search(query, limit=min(limit, PAGE), after=after)
        yield from page.assessments
        limit -= len(page.assessments)
        after = page.next
        if after is None:
            return


def model_store(config: Config) -> ModelStore:
    """The models of a deployment: those of the folder that the configuration names; without one, the shipped models and
    what was promoted over them in the data folder."""
    from classifiers.pipeline import shipped_models
    from classifiers.store import ModelStore

    if config.models is not None:
        return ModelStore(config.resolve(config.models))
    return ModelStore(config.data / "models", base=shipped_models())


def model_signers(config: Config) -> Signers:
    """Whose models may serve; raises `ConfigError` for a file that is no public key."""
    from classifiers.signing import load_signers

    return load_signers([config.resolve(path) for path in config.model_signers])


def describe_models(config: Config) -> str:
    """Opens every model and names them; raises `ModelError` for one that cannot be trusted."""
    pipeline = open_pipeline(config, story_memory=())
    return ", ".join(f"{step.name} {step.version}" for step in pipeline.steps)


# ── watch, deliver, desk ─────────────────────────────────────────────────────────────────────────────────────────


def next_epoch(memory: Memory) -> int:
    """A number that rises with each start of the watch loop: the fence against a worker that slept."""
    return memory.add("active", "watch_epoch")


def channels(config: Config) -> dict[str, Channel]:
    """Every way to every partner, by route."""
    from alerts.channels import CHANNELS
    from alerts.partners import route

    way_out = egress(config)
    problems = Problems()
    made: dict[str, Channel] = {}
    for partner in partners(config):
        for entry in partner.channels:
            where = f"{config.path}: partner {partner.id}: channel {entry.name}"
            with problems.under(where):
                component = resolve(entry.kind, CHANNELS, group="hustings.channels")
                settings: BaseModel = checked(component.Settings, entry.settings, where=where)
                made[route(partner.id, entry.name)] = component(entry.name, settings, egress=way_out)
    problems.raise_any()
    return made


def dispatcher(config: Config, *, index: Index, rules: RuleSet) -> Dispatcher:
    """Renders what each partner is told."""
    from desk.dispatch import Dispatcher

    return Dispatcher(partners(config), index=index, roster=roster(config) or Roster(), rules=rules.rules)


def alert_book(config: Config, engine: Engine, *, rules: RuleSet, index: Index, clock: Clock) -> AlertBook:
    """Where `watch` writes what it found."""
    from alerts.evaluator import MEMORY
    from desk.book import DeskBook

    memories = {rule.id: rule.span + rule.lateness + MEMORY for rule in rules.rules}
    return DeskBook(engine, dispatcher(config, index=index, rules=rules), clock, memories=memories)


def desk_services(
    config: Config, *, engine: Engine, log: Log, index: Index, memory: Memory, clock: Clock, events: Events
) -> DeskServices:
    """What the desk's pages use."""
    from classifiers.claims.shelf import ClaimShelf
    from desk.web.services import DeskServices
    from runtime.retold import retold_finder

    words = vocabulary_of(config)
    token_file, token_key = config.desk.tips_token_file, f"{config.path}: desk.tips_token_file"
    return DeskServices(
        engine=engine,
        index=index,
        log=log,
        memory=memory,
        roster=words.roster or Roster(),
        codebook=words.codebook,
        partners=partners(config),
        rules={rule.id: rule for rule in rule_set(config, words).rules},
        clock=clock,
        vocabulary=words,
        base_url=config.base_url,
        tips_token=secret_in(config.resolve(token_file), where=token_key) if token_file else "",
        name=config.deployment.name,
        events=events,
        is_replay=config.is_replay,
        silences=silence_finder(config, memory),
        known_claims=ClaimShelf(memory).find,
        retold=retold_finder(index, _embedder_finder(config), events),
    )


def _embedder_finder(config: Config) -> Callable[[str], Embedder | None]:
    """Opens the model that reads a language for meaning, among those that serve now; None where there is none. Raises
    `ModelError` when it cannot be trusted."""
    from classifiers.encoder.embed import load_embedder

    return lambda language: load_embedder(
        model_store(config).serving().values(), language, signers=model_signers(config)
    )


def silence_finder(config: Config, memory: Memory) -> Callable[[], list[Silence]]:
    """Finds the regions whose sources all fell silent, anew at each call; which source is of which region is read
    once."""
    from runtime.coverage import silences
    from runtime.status import source_health

    regions = {table.name: table.region for table in source_tables(config)}
    is_live = not config.is_replay
    return lambda: silences(source_health(memory), regions, is_live=is_live)


def deployment_status(config: Config) -> Status:
    """The whole picture of a deployment, from its stores."""
    from desk import outbox, queue, waiting
    from hustings.clock import SystemClock
    from runtime.status import status_of

    clock = SystemClock()
    with ExitStack() as closing:
        engine = open_engine(config)
        closing.callback(engine.dispose)
        log = open_log(config, clock)
        closing.callback(log.close)
        index = open_index(config)
        closing.callback(index.close)
        memory = open_memory(engine)
        return status_of(
            deployment=config.deployment.name,
            log=log,
            index=index,
            memory=memory,
            workers={loop: workers_of(config, loop) for loop in LOOPS},
            silences=silence_finder(config, memory)(),
            alerts_waiting=waiting.count(engine),
            outbox=outbox.counts(engine),
            queue_waiting=queue.depth(engine, clock=clock).waiting,
            clock=clock,
        )
