"""A worker as a process of its own, for tests that kill or stop it: reads `posts` in a group and says what it does.

python kafka_worker.py SERVERS PREFIX PARTITIONS WORKER SESSION_S PAUSE_S
"""

from __future__ import annotations

import json
import sys
import time

from hustings.clock import SystemClock
from hustings.errors import Reassigned, Unavailable
from ingest.log_kafka import KafkaLog, KafkaSettings


def say(what: str, **details: object) -> None:
    print(json.dumps({"what": what, "at": time.time(), **details}), flush=True)


def main(servers: str, prefix: str, partitions: str, worker: str, session_s: str, pause_s: str) -> None:
    settings = KafkaSettings(
        servers=tuple(servers.split(",")), prefix=prefix, replication=1, min_insync=1, session_s=float(session_s)
    )
    log = KafkaLog(settings, clock=SystemClock(), posts_partitions=int(partitions), worker=worker).open()
    reader = log.reader("posts", "analyze")
    while True:
        try:
            entries = reader.poll(limit=20, timeout_s=0.2)
            if not entries:
                continue
            say("read", entries=[(entry.partition, entry.offset) for entry in entries])
            time.sleep(float(pause_s))
            positions = {entry.partition: entry.offset + 1 for entry in entries}
            reader.commit(positions)
            say("committed", positions=positions)
        except Reassigned as change:
            say("reassigned", partitions=reader.partitions(), detail=str(change))
        except Unavailable as trouble:
            say("unavailable", detail=str(trouble))
            time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
