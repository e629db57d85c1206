"""How a client of kafka-python is made: only where somebody listens."""

from __future__ import annotations

import socket
from typing import Any

from hustings.errors import Unavailable
from ingest.log_kafka.settings import KafkaSettings

__all__ = ["made"]


def made(client: type[Any], settings: KafkaSettings, **options: Any) -> Any:
    """A client that has found the cluster. Raises `Unavailable` when nobody listens at any address.

    A client whose construction fails leaves its thread and its sockets behind, and an outage means many tries: so the
    addresses are tried first."""
    refusals: list[str] = []
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=settings.answer_s).close()
        except OSError as problem:
            refusals.append(f"{server} ({problem.strerror or problem})")
            continue
        return client(**settings.client_options(), **options)
    raise Unavailable(f"Kafka: nobody listens at {', '.join(refusals)}; is kafka.servers right?")
