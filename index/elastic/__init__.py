"""The index past one machine: Elasticsearch 8 or 9, by elasticsearch-py. The only place that imports it.

settings.py   what an operator writes
names.py      what the indices are called, and which of them are live; mapping.py: what they are told of our documents
indices.py    made and checked by an operator; sets.py: others put in their place; migrate.py: a new mapping
index.py      the contract: write.py, standing.py (what a reading does), state.py (positions and books), hits.py,
              search.py, compile_query.py, prune.py
nodes.py      how the nodes are talked to; bulk.py, lookup.py, patience.py, troubles.py: errors in our words
privileges.py which loop may do what, and an API key for each

The client is loaded when an index is opened, not before.
"""

from index.elastic.index import ElasticIndex
from index.elastic.indices import create, problems
from index.elastic.migrate import migrate
from index.elastic.privileges import create_keys, role_of
from index.elastic.sets import drop, live_set, settings_of, switch
from index.elastic.settings import ElasticSettings

__all__ = [
    "ElasticIndex",
    "ElasticSettings",
    "create",
    "create_keys",
    "drop",
    "live_set",
    "migrate",
    "problems",
    "role_of",
    "settings_of",
    "switch",
]
