"""The yardstick of the index: `streaming_bulk` of ready documents with orjson, in a process of its own.

    python -m bench.cluster.raw_bulk SERVER INDEX DOCUMENTS

Prints documents, seconds and processor seconds as JSON, from when a quarter was acknowledged, as `passage` counts.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from bench.cluster.passage import LEFT_OUT

CHUNK = 500


def main(server: str, index: str, documents: Path) -> None:
    from elasticsearch import Elasticsearch, OrjsonSerializer
    from elasticsearch.helpers import streaming_bulk

    actions: list[dict[str, Any]] = [
        {"_op_type": "index", "_index": index, **orjson.loads(line)} for line in documents.read_bytes().splitlines()
    ]
    client = Elasticsearch([server], serializers={"application/json": OrjsonSerializer()}, request_timeout=60)
    gc.collect()
    gc.freeze()
    skipped = 0
    began = cpu = 0.0
    for number, _ in enumerate(streaming_bulk(client, actions, chunk_size=CHUNK), start=1):
        if not skipped and number >= len(actions) * LEFT_OUT and number % CHUNK == 0:
            # the answers of one request come at once, so here the next one has not been sent
            skipped, began, cpu = number, time.perf_counter(), time.process_time()
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    client.close()
    json.dump({"handled": len(actions) - skipped, "seconds": seconds, "processor_s": used}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
