"""What an operator wrote, checked as a whole: configuration, charter, roster, rules, sources, partners, models.

Nothing is started and nothing is written. A part that hangs on a broken table is not checked, and the report says so:
what it would find wrong may come from there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hustings.clock import Clock, SystemClock
from hustings.contracts import CheckedChannel
from hustings.errors import ConfigError, EgressDenied, HustingsError
from runtime import build, stores
from runtime.component_settings import named_files
from runtime.config import Config, load_sound_part, missing_in_charter
from runtime.secret_files import secret_in
from runtime.servers import Found, has_servers
from runtime.silenced import silenced
from runtime.worker_names import SHARED, partitions_of, workers_of

if TYPE_CHECKING:
    from alerts.partners import Partner
    from alerts.rules import RuleSet
    from hustings.query import Vocabulary

__all__ = ["Report", "check_everything", "find_problems"]


SHORTEST_KEY = 22
"""Characters of a pseudonym key below which nothing random enough can be in it: 16 bytes in base64."""


def _ask_nobody(_config: Config) -> Sequence[Found]:
    return ()


class Report(NamedTuple):
    """Ready lines: what is wrong, what should be known, and what was found."""

    problems: list[str]
    warnings: list[str]
    facts: list[str]


def check_everything(path: Path) -> None:
    """Raises `ConfigError` with every problem; returns when there is none."""
    report = find_problems(path, clock=SystemClock())
    if report.problems:
        raise ConfigError("\n".join(report.problems))


def find_problems(path: Path, *, clock: Clock, ask: Callable[[Config], Sequence[Found]] = _ask_nobody) -> Report:
    """Everything about the configuration in `path`; a file that cannot even be read gives that one problem. `ask` is
    what servers say (`runtime.servers.ask_servers`)."""
    try:
        config, broken, problems = load_sound_part(path)
    except ConfigError as error:
        return Report(str(error).splitlines(), [], [])
    check = _Check(config, broken, clock, ask)
    check.report.problems.extend(problems)
    check.run()
    return check.report


class _Check:
    """The parts in order. What later parts need is kept when it was sound."""

    def __init__(
        self, config: Config, broken: frozenset[str], clock: Clock, ask: Callable[[Config], Sequence[Found]]
    ) -> None:
        self.config = config
        self._ask = ask
        self.report = Report([], [], [])
        self._broken = broken
        self._clock = clock
        self._words: Vocabulary | None = None
        self._rules: RuleSet | None = None

    def run(self) -> None:
        self._part("charter", {"charter"}, self._charter)
        self._part("data", {"deployment"}, self._data)
        self._part("files", {"partner", "source", "desk", "egress", "kafka", "elasticsearch"}, self._files)
        self._part("workers", {"log", "analyze", "watch", "kafka"}, self._workers)
        self._part("kafka", {"kafka", "files"}, self._kafka)
        self._part("elasticsearch", {"elasticsearch", "files"}, self._elasticsearch)
        if has_servers(self.config):
            self._part("servers", {"kafka", "elasticsearch", "desk", "log", "files"}, self._servers)
        self._part("calendar", {"phase"}, self._calendar)
        self._part("roster", {"roster"}, self._roster)
        self._part("rules", {"rules", "roster", "phase", "calendar", "deployment"}, self._rule_set)
        self._part("sources", {"source", "deployment"}, self._sources)
        self._part("egress", {"egress"}, self._egress)
        self._part("partners", {"partner"}, self._channels)
        self._part("models", {"models", "roster", "charter"}, self._models)

    def _part(self, name: str, needs: set[str], work: Callable[[], str]) -> None:
        in_the_way = sorted(needs & self._broken)
        if in_the_way:
            self._warn(f"{name}: not checked until {' and '.join(in_the_way)} can be read")
            return
        try:
            fact = work()
        except HustingsError as error:
            self.report.problems.extend(str(error).splitlines())
            self._broken |= {name}
        except OSError as error:
            self.report.problems.append(f"{self.config.path}: {name}: {error.filename}: {error.strerror}")
            self._broken |= {name}
        else:
            if fact:
                self.report.facts.append(f"{name}: {fact}")

    def _problem(self, text: str) -> None:
        self.report.problems.append(f"{self.config.path}: {text}")

    def _warn(self, text: str) -> None:
        self.report.warnings.append(f"{self.config.path}: {text}")

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _charter(self) -> str:
        charter = self.config.charter
        missing = missing_in_charter(charter)
        if missing:
            self._problem(
                f"charter: missing or empty: {', '.join(missing)}; nothing is collected until the charter is complete"
            )
        if charter is None or charter.period is None:
            return ""
        first, last = charter.period
        if last < first:
            self._problem(f"charter.period: the last day {last} lies before the first day {first}")
        elif last < self._clock.now().date() and self.config.deployment.clock == "live":
            self._warn(f"charter.period: ended on {last}; is there still a mandate?")
        return "" if missing else f"complete, {first} to {last}"

    def _data(self) -> str:
        data = self.config.data
        nearest = next(folder for folder in (data, *data.parents) if folder.exists())
        if not nearest.is_dir():
            self._problem(f"deployment.data: {data} cannot be made: {nearest} is not a folder")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            self._problem(f"deployment.data: {nearest} is not writable for this user")
        elif nearest == data and (mode := stat.S_IMODE(data.stat().st_mode)) & 0o077:
            self._warn(
                f"deployment.data: {data} has mode {mode:04o}: other users of this machine may read posts, reviews and"
                " who reviews; run chmod 700 on it"
            )
        return ""

    def _files(self) -> str:
        """Files of secrets and tokens must be there, files of posts may come later."""
        config = self.config
        given = {
            "source": config.sources,
            "partner": config.partners,
            "egress": config.egress,
            "kafka": config.kafka or {},
            "elasticsearch": config.elasticsearch or {},
        }
        found_all = True
        for where, key, path in named_files(given):
            found = config.resolve(Path(path))
            is_secret = key == "file" or key.endswith("_file")
            if is_secret and not os.access(found, os.R_OK):
                self._problem(f"{where}.{key}: {found}: {'cannot be read' if found.exists() else 'no such file'}")
                found_all = found_all and where not in ("kafka", "elasticsearch")
            elif is_secret and where.startswith("partner"):
                self._secret(found, where=f"{where}.{key}")
            elif where.startswith("source") and not is_secret and not found.exists():
                self._warn(f"{where}.{key}: {found}: no such file yet; the source waits for it")
        for key in ("tips_token_file", "database_password_file"):
            secret = getattr(config.desk, key)
            if secret is not None and not config.resolve(secret).is_file():
                self._problem(f"desk.{key}: {config.resolve(secret)}: no such file")
                found_all = found_all and key != "database_password_file"
        if not found_all:
            self._broken |= {"files"}
        return ""

    def _secret(self, path: Path, *, where: str) -> None:
        try:
            secret_in(path, where=where)
        except ConfigError as error:
            self._problem(str(error))

    def _workers(self) -> str:
        """On the log of one machine shares are fixed, so a worker too many would never read anything; on Kafka it
        stands by."""
        for loop, topic in SHARED.items():
            workers, partitions = len(workers_of(self.config, loop)), partitions_of(self.config, loop)
            if workers > partitions:
                text = f"{loop}.workers: {workers} workers share {_counted(partitions, 'partition')} of {topic}"
                if self.config.kafka is None:
                    self._problem(f"{text}: raise log.{topic}_partitions before the log is made, or take fewer")
                else:
                    self._warn(f"{text}: {workers - partitions} only stand by")
        return ""

    def _kafka(self) -> str:
        return "" if stores.kafka_settings(self.config) is None else "settings fit together"

    def _elasticsearch(self) -> str:
        return "" if stores.elastic_settings(self.config) is None else "settings fit together"

    def _servers(self) -> str:
        for found in self._ask(self.config):
            self.report.problems.extend(f"{self.config.path}: {found.server}: {line}" for line in found.problems)
            if found.fact:
                self.report.facts.append(f"{found.server}: {found.fact}")
        return ""

    def _calendar(self) -> str:
        phases = build.codebook().children("P")
        for code in dict.fromkeys(phase.code for phase in self.config.phases):
            if code not in phases:
                self._problem(f"phase: {code!r} is no phase of the codebook; known are {', '.join(phases)}")
                self._broken |= {"calendar"}
        return _counted(len(self.config.phases), "phase")

    def _roster(self) -> str:
        self._words = words = build.vocabulary_of(self.config)
        people = len(words.roster.people) if words.roster else 0
        if not people:
            self._warn("roster: lists nobody; no rule about people can find anything")
        return "1 person" if people == 1 else f"{people} people"

    def _rule_set(self) -> str:
        assert self._words is not None  # noqa: S101 - the roster is sound
        self._rules = rules = build.rule_set(self.config, self._words)
        self._tell_of_warnings(rules.warnings)
        for rule in rules.expired(self._clock.now()) if not self.config.is_replay else ():
            self._warn(f"rules: {rule.name!r} expired on {rule.expires} and fires no more; retire it or move the day")
        if not rules.rules:
            self._warn("rules: none; nothing is queued for review and nobody is alerted")
        return _counted(len(rules.rules), "rule")

    def _tell_of_warnings(self, warnings: Sequence[str]) -> None:
        """That a rule has no required word is usual for rules on flags: it is told once for all of them."""
        every_post = [line for line in warnings if " W05 " in line]
        self.report.warnings.extend(line for line in warnings if line not in every_post)
        if every_post:
            self._warn(f"rules: {len(every_post)} name no word without which they cannot match; they see every post")

    def _sources(self) -> str:
        tables = build.source_tables(self.config)
        if not tables:
            self._warn("source: none; nothing is collected")
        return _counted(len(tables), "source")

    def _egress(self) -> str:
        """The settings of the way out, and the addresses of sources to which it is closed."""
        guard = build.egress(self.config)
        for table in () if {"source", "sources", "deployment"} & self._broken else build.source_tables(self.config):
            for key, value in table.settings:
                if isinstance(value, str) and value.startswith(("http://", "https://")):
                    try:
                        guard.require_open(value)
                    except EgressDenied as error:
                        self._warn(f"source {table.name}: {key}: nothing will be collected from there: {error}")
        return ""

    def _channels(self) -> str:
        partners = build.partners(self.config)
        if not partners:
            self._warn("partner: none; alerts are shown at the desk and nobody else is told")
        identities = [partner.id for partner in partners]
        for identity in sorted({i for i in identities if identities.count(i) > 1}):
            self._problem(f"partner {identity}: id: two partners have it")
        for partner in partners:
            self._partner(partner)
        self._pseudonym_keys(partners)
        guarded = {} if "egress" in self._broken else self.config.egress
        for way, channel in build.channels(self.config.model_copy(update={"egress": guarded})).items():
            if isinstance(channel, CheckedChannel) and "egress" not in self._broken:
                self._channel(way, channel)
        return _counted(len(partners), "partner")

    def _channel(self, way: str, channel: CheckedChannel) -> None:
        partner, _, name = way.partition("/")
        problems = channel.problems()
        for problem in problems:
            self._problem(f"partner {partner}: channel {name}: {problem}")
        if not problems:
            self.report.facts.extend(f"partner {partner}: channel {name}: {fact}" for fact in channel.facts())

    def _pseudonym_keys(self, partners: Sequence[Partner]) -> None:
        """Pseudonyms are worth what their keys are."""
        owner: dict[str, str] = {}
        for partner in partners:
            try:
                key = partner.pseudonym_key.reveal()
            except ConfigError:
                continue  # told with the files
            if len(key) < SHORTEST_KEY:
                self._warn(
                    f"partner {partner.id}: pseudonym_key: has {_counted(len(key), 'character')}; who guesses it knows"
                    " whom its pseudonyms mean. Take 32 random bytes"
                )
            if owner.setdefault(key, partner.id) != partner.id:
                self._warn(
                    f"partner {partner.id}: pseudonym_key: is the one of {owner[key]}, so that the two can tell that"
                    " they were told of the same account"
                )

    def _partner(self, partner: Partner) -> None:
        if self._words is not None and self._words.roster is not None:
            for target in sorted(set(partner.targets) - self._words.roster.ids()):
                self._problem(f"partner {partner.id}: targets: no such person {target!r} in the roster")
        if self._rules is not None and partner.topics:
            known = {topic for rule in self._rules.rules for topic in rule.route.topics}
            for topic in [topic for topic in partner.topics if topic not in known]:
                self._warn(f"partner {partner.id}: topics: no rule has the topic {topic!r}")
        if not partner.channels:
            self._warn(f"partner {partner.id}: channels: none; it is never told anything")

    def _models(self) -> str:
        from classifiers.rating import list_models

        steps = build.describe_models(self.config)
        store = build.model_store(self.config)
        manifests = list_models(store.serving().values(), signers=build.model_signers(self.config))
        if not manifests:
            self._problem(f"models: {store.own} holds no model; leave the key out for the shipped ones")
        if self.config.encoder.on:
            for line in silenced(store, store.serving(), where=f"--config {self.config.path}"):
                self._warn(f"models: {line}")
        covered = {manifest.language.partition("-")[0] for manifest in manifests}
        for language in self.config.languages:
            if manifests and language.partition("-")[0] not in covered:
                self._warn(f"charter.languages: no model knows {language!r}; only rules on words can find such posts")
        return (
            f"{_counted(len(manifests), 'model')} ({', '.join(manifest.name for manifest in manifests)}); steps {steps}"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
