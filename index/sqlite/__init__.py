"""The index on one machine: two SQLite files with FTS5 in one folder.

    <folder>/assessments.db     posts with everything that analyze said about them; written by `analyze`
    <folder>/hits.db            hits of rules; written by `watch`

Two files, because SQLite has one writer per file and the two loops must not wait for each other. Each holds the
positions of its own topic and the id of the log that filled it, in the transaction of every write.
"""

from index.sqlite.index import SqliteIndex

__all__ = ["SqliteIndex"]
