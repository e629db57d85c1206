"""The log past one machine: Apache Kafka, by kafka-python. The only place that imports it (docs/kafka.md).

settings.py   what an operator writes
topics.py     the three topics: made and checked by an operator's command, never by a loop
producer.py   appending: acknowledged by every in-sync copy, within a bound of bytes on the way
offsets.py    where a topic begins and ends
reader.py     one named reader; membership.py: what it owns while workers come and go
clients.py    how a client is made; troubles.py: its errors in our words
"""

from ingest.log_kafka.log import KafkaLog
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.topics import check_topics, create_topics, delete_topics

__all__ = ["KafkaLog", "KafkaSettings", "check_topics", "create_topics", "delete_topics"]
