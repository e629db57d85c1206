"""One client of Kafka, produce and then consume: the same work for kafka-python and for confluent-kafka.

    python -m bench.cluster.peer_client kafka-python|confluent SERVER TOPIC MESSAGES COUNT

MESSAGES holds one value a line; they are sent COUNT times over, acknowledged by all copies, idempotent. Prints rates
and processor microseconds a message as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WITHIN_S = 120.0


def kafka_python(server: str, topic: str, values: list[bytes]) -> tuple[Callable[[], None], Callable[[], int]]:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    def produce() -> None:
        producer = KafkaProducer(
            bootstrap_servers=server, acks="all", enable_idempotence=True, batch_size=131_072, metrics_enabled=False
        )
        for value in values:
            producer.send(topic, value)
        producer.flush(WITHIN_S)
        producer.close()

    def consume() -> int:
        consumer = KafkaConsumer(
            bootstrap_servers=server, auto_offset_reset="earliest", enable_auto_commit=False, metrics_enabled=False
        )
        consumer.assign([TopicPartition(topic, 0)])
        count, deadline = 0, time.monotonic() + WITHIN_S
        while count < len(values) and time.monotonic() < deadline:
            count += sum(map(len, consumer.poll(1_000, max_records=5_000).values()))
        consumer.close()
        return count

    return produce, consume


def confluent(server: str, topic: str, values: list[bytes]) -> tuple[Callable[[], None], Callable[[], int]]:
    from confluent_kafka import Consumer, Producer, TopicPartition

    def produce() -> None:
        producer = Producer(
            {
                "bootstrap.servers": server,
                "acks": "all",
                "enable.idempotence": True,
                "batch.size": 131_072,
                "queue.buffering.max.messages": len(values) + 1,
            }
        )
        for value in values:
            producer.produce(topic, value)
        producer.flush(WITHIN_S)

    def consume() -> int:
        consumer = Consumer(
            {
                "bootstrap.servers": server,
                "group.id": "peer",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(topic, 0, 0)])
        count, deadline = 0, time.monotonic() + WITHIN_S
        while count < len(values) and time.monotonic() < deadline:
            count += sum(1 for message in consumer.consume(5_000, 1.0) if message.error() is None)
        consumer.close()
        return count

    return produce, consume


CLIENTS: dict[str, Any] = {"kafka-python": kafka_python, "confluent": confluent}


def main(client: str, server: str, topic: str, messages: Path, count: int) -> None:
    values = messages.read_bytes().splitlines() * count
    produce, consume = CLIENTS[client](server, topic, values)
    found: dict[str, float] = {}
    for name, work in (("produce", produce), ("consume", consume)):
        began, cpu = time.perf_counter(), time.process_time()
        done = work()
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        if done is not None and done != len(values):
            raise SystemExit(f"{client}: consumed {done:,} of {len(values):,}")
        found |= {f"{name}_per_s": len(values) / seconds, f"{name}_us": used / len(values) * 1e6}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]))
