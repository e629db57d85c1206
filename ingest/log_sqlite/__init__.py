"""The log on one machine: SQLite files, WAL, synchronous=FULL.

    <folder>/log.db                 the log's id, its topics, the positions of every reader
    <folder>/posts-00000001.db      one segment of one topic: a table per partition, the offset is the row id
    <folder>/posts-00000002.db      …the newest takes the appends; the older ones never change again

A segment is closed by the mere existence of its successor, which is made under the write lock of the one before: so
there is no moment at which a crash leaves two open segments or none. Retention drops whole files.
"""

from ingest.log_sqlite.log import SqliteLog

__all__ = ["SqliteLog"]
