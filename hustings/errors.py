"""The tree of exceptions: what a caller of any package may have to catch.

HustingsError
├── ConfigError      the operator wrote something that cannot be: names file, key, value, and what is known
├── QueryError       a query does not parse: names the column, what was found, what is known
├── RuleError        a rule file does not check: carries every problem found
├── BadInput         one message cannot be used: becomes a dead letter with `reason`
├── StoreError       a log, index or desk database contradicts its promise (another log's id, a broken chain)
├── WriteRefused     a store cannot hold some of what it was given; the rest is durable
├── Unavailable      a dependency is down for now: pause, back off, never a dead letter
│   └── Reassigned   partitions of the log went to or came from other workers: begin again from what is committed
├── ModelError       a model folder is wrong, truncated or does not fit its manifest
└── EgressDenied     an outgoing connection was refused by the guard, and will be again
    └── AddressRefused  the name leads to an address that is refused: what names say changes, and can be forged
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = [
    "AddressRefused",
    "BadInput",
    "ConfigError",
    "DeadReason",
    "EgressDenied",
    "HustingsError",
    "ModelError",
    "QueryError",
    "Reassigned",
    "RuleError",
    "StoreError",
    "Unavailable",
    "WriteRefused",
]

DeadReason = Literal[
    "not_json",  # the bytes are not one JSON value (NaN, trailing text, bad UTF-8)
    "not_an_object",  # JSON, but not an object
    "too_large",  # more bytes than `wire.MAX_BYTES`, or than the log takes
    "too_deep",  # nested beyond `wire.MAX_DEPTH`
    "duplicate_key",  # one object names a key twice
    "unknown_key",  # a key that the value has not
    "missing_key",  # a required key is absent
    "wrong_type",  # a key holds another type than its own
    "out_of_range",  # a number or time beyond its limits
    "lone_surrogate",  # text that no encoding can carry
    "newer_schema",  # at the edge only: a schema version from the future
    "too_many_fields",  # more items in a list or table than its limit
    "undecodable",  # a row of another format (CSV, feed) that cannot be read
    "stage_failed",  # a step raised on this post alone
    "refused",  # a store cannot hold it
    "oversize_text",  # text beyond the analyser's cap where truncation is not allowed
]


class HustingsError(Exception):
    """The root: everything that Hustings raises on purpose."""


class ConfigError(HustingsError):
    """The operator's configuration, roster or model pointer is not usable."""


class QueryError(HustingsError):
    """A query does not parse or names what does not exist. `column` counts characters from 1; `code` is the one under
    which a rule report lists it: unknown field, value not in the vocabulary, not in the language, too long or deep."""

    def __init__(self, message: str, *, column: int, code: Literal["E09", "E11", "E12", "E13"] = "E12") -> None:
        super().__init__(f"column {column}: {message}")
        self.message = message
        self.column = column
        self.code = code


class RuleError(HustingsError):
    """A rule file has problems; `problems` are ready-made lines, one each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BadInput(HustingsError):
    """One message cannot be used. The loop that isolates it writes a dead letter with this reason."""

    def __init__(self, reason: DeadReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: DeadReason = reason
        self.detail = detail


class StoreError(HustingsError):
    """A store contradicts what it promised; going on would lose or double something."""


class WriteRefused(HustingsError):
    """A store will never take some of what it was given; all the rest is durable. `reasons` are the store's words, by
    place in what was given."""

    def __init__(self, store: str, reasons: Mapping[int, str]) -> None:
        count = len(reasons)
        super().__init__(f"{store}: refuses {count} of what it was given: {next(iter(reasons.values()), '')}")
        self.reasons = dict(reasons)


class Unavailable(HustingsError):
    """A dependency does not answer now. Retry later; the message is fine. `retry_after_s` only when the other side
    asked for it."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Reassigned(Unavailable):
    """Other workers came or went, and the partitions of a reader changed; nothing was committed. Drop what is not
    committed and begin again with `partitions`, `committed` and `seek`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_s=0.0)


class ModelError(HustingsError):
    """A model folder cannot be trusted or does not fit this version."""


class EgressDenied(HustingsError):
    """The guard refused an outgoing connection; the text names host, address and the rule."""


class AddressRefused(EgressDenied):
    """A name leads to an address that the guard refuses. What a name says may change, or be forged."""
