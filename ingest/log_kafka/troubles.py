"""The client's errors in our words: what is only down for now, and what an operator has to mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as kafka

from hustings.errors import ConfigError, HustingsError, StoreError, Unavailable
from ingest.log_kafka.settings import KafkaSettings

__all__ = ["told", "translated"]

TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError)
REFUSED = (
    kafka.AuthorizationError,
    kafka.SaslAuthenticationFailedError,
    kafka.UnsupportedSaslMechanismError,
    kafka.SecurityDisabledError,
)
TOO_OLD = (kafka.UnsupportedVersionError, kafka.UnrecognizedBrokerVersion)
CONTRADICTIONS = (
    kafka.LogTruncationError,
    kafka.CorruptRecordError,
    kafka.InvalidTimestampError,
    kafka.InvalidRecordError,
    kafka.InvalidTopicError,
)


@contextmanager
def translated(settings: KafkaSettings, doing: str) -> Iterator[None]:
    """Raise the client's errors as ours; `doing` says what was tried."""
    try:
        yield
    except kafka.KafkaError as problem:
        raise told(problem, settings, doing) from problem


def told(problem: BaseException, settings: KafkaSettings, doing: str) -> HustingsError:
    """What the client's error means for us. All that is not known to need an operator is `Unavailable`: the same work
    done again later changes nothing, because of the ids."""
    at = f"Kafka at {', '.join(settings.servers)}: {doing}"
    if isinstance(problem, TOO_LARGE):
        return StoreError(
            f"{at}: the broker refuses a batch of that size; its max.message.bytes must be at least"
            f" {settings.batch_bytes}, which follows from kafka.max_record_bytes = {settings.max_record_bytes}"
        )
    if isinstance(problem, REFUSED):
        return ConfigError(
            f"{at}: refused ({_words(problem)}); kafka.user = {settings.user!r} has not this right, or the login fails"
        )
    if isinstance(problem, kafka.KafkaConfigurationError):
        return ConfigError(f"{at}: {_words(problem)}")
    if isinstance(problem, TOO_OLD):
        return StoreError(f"{at}: the brokers are too old ({_words(problem)}); Kafka 2.8 or newer is needed")
    if isinstance(problem, CONTRADICTIONS):
        return StoreError(f"{at}: {_words(problem)}")
    if isinstance(problem, kafka.KafkaTimeoutError):
        login = " A refused login looks the same: see kafka.user and kafka.password_file." if settings.user else ""
        return Unavailable(f"{at}: no answer in time ({_words(problem)}); is kafka.servers right?{login}")
    return Unavailable(f"{at}: {_words(problem)}")


def _words(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    return text if len(text) <= 300 else text[:300] + "…"
