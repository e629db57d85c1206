"""What one worker, one broker, one node carried: figures of one run of `make bench CLUSTER=1`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec

__all__ = ["Measured", "PerPost", "Worker", "read_measured", "write_measured"]

FILE = "measured.json"


class Worker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process of a loop: what went through it in a second, and its processor time for each."""

    per_s: float
    processor_us: float


class PerPost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes that one post leaves in one copy of each store."""

    log: float
    index: float
    desk: float


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All servers had one copy of everything, on the same cores as the workers, and `models` served, by name.

    `post_bytes` is the mean size of the measured posts as JSON; `hits_each` how many hits a post made. `analyze` is one
    worker over Kafka, Elasticsearch and PostgreSQL, in posts; `analyze_on_files` one with all stores in the data
    folder; `watch` one worker in a storm of alerts, in hits. `*_us` are the servers' processor microseconds a post.
    """

    at: str
    commit: str
    machine: str
    models: tuple[str, ...]
    posts: int
    post_bytes: float
    hits_each: float
    analyze: Worker
    analyze_on_files: Worker
    watch: Worker
    broker_us: float
    node_us: float
    database_us: float
    disk_on_files: PerPost
    disk_on_servers: PerPost
    evidence: float


def read_measured() -> Measured:
    """The figures that this Hustings comes with."""
    return msgspec.json.decode(resources.files(__package__).joinpath(FILE).read_bytes(), type=Measured)


def write_measured(measured: Measured) -> Path:
    """For the bench, in a checkout; returns the file."""
    path = Path(__file__).with_name(FILE)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=1) + b"\n")
    return path
