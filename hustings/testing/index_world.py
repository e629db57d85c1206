"""What the checks of an index share: how it is opened, posts and hits to write, and what a search finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from hustings.contracts import Index
from hustings.query import Query
from hustings.query.tree import Node
from hustings.text import analyse
from hustings.types import Assessment, Flag, Hit, Post, Target

__all__ = ["LOG", "START", "IndexCheck", "IndexFactory", "hit", "keys_found", "opened", "post", "query_of", "text_of"]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
LOG = "the log"

IndexFactory = Callable[[], Index]
"""Opens the index of one test, making it at the first call."""
IndexCheck = Callable[[IndexFactory], None]


@contextmanager
def opened(make: IndexFactory) -> Iterator[Index]:
    index = make()
    try:
        yield index
    finally:
        index.close()


def post(
    name: str,
    text: str,
    *,
    title: str = "",
    revision: int = 0,
    deleted: bool = False,
    collector: str = "",
    author: str = "",
    target: str = "",
    link: str = "",
    reach: int = 0,
    flags: Sequence[str] = (),
    scores: dict[str, float] | None = None,
    published: datetime = START,
    collected: datetime = START,
) -> Assessment:
    posted = Post(
        source="src",
        native_id=name,
        text=text,
        title=title,
        revision=revision,
        deleted=deleted,
        collector=collector,
        author=author,
        links=(link,) if link else (),
        reach=reach,
        published_at=published,
        collected_at=collected,
    )
    return Assessment(
        post=posted,
        targets=(Target(id=target, role="aimed_at"),) if target else (),
        flags=tuple(Flag(code=code, score=0.9, threshold=0.5) for code in flags),
        scores=scores or {},
        tokens=analyse(text).tokens,
        title_tokens=analyse(title).tokens,
        first_collected_at=collected,
    )


def hit(
    name: str,
    *,
    rule: str = "rule",
    logic: str = "logic",
    group: tuple[tuple[str, str], ...] = (),
    revision: int = 0,
    withdrawn: bool = False,
    score: float | None = None,
    t: datetime = START,
    g: datetime = START,
) -> Hit:
    return Hit(
        rule=rule,
        logic=logic,
        group=group,
        key=f"src:{name}",
        revision=revision,
        withdrawn=withdrawn,
        score=score,
        t=t,
        g=g,
        revised_at=g,
    )


def query_of(node: Node) -> Query:
    return Query(text="", node=node)


def text_of(index: Index, name: str) -> str:
    return index.get([f"src:{name}"])[f"src:{name}"].post.text


def keys_found(index: Index, node: Node, *, limit: int = 50) -> list[str]:
    """The keys of all pages of results."""
    index.refresh()
    keys: list[str] = []
    after: str | None = None
    while True:
        page = index.search(query_of(node), limit=limit, after=after)
        keys += [assessment.key for assessment in page.assessments]
        after = page.next
        if after is None:
            return keys
