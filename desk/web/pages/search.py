"""Search: the query language over the index, newest first, with counts by field and over time."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec import Struct
from starlette.responses import Response

from desk.web import searches
from desk.web.chart import Chart, draw
from desk.web.posts import brief
from desk.web.visit import NotFound, Visit
from hustings.contracts import Page
from hustings.errors import QueryError, StoreError
from hustings.query import Query
from hustings.query.fields import FIELDS
from hustings.query.parser import SEARCH, parse
from hustings.query.tree import And, Between, Has, Node

__all__ = ["found", "send", "show"]

POSTS = 25
"""Posts of one page."""
COUNTED = ("lang", "source", "flag", "target", "medium", "stream")
"""Fields whose counts stand beside the posts."""
MOST_VALUES = 8
_WORD = re.compile(r"[^\s:()]*")
_STEPS = ((timedelta(days=3), timedelta(hours=1)), (timedelta(days=20), timedelta(hours=6)))


class Mistake(Struct, frozen=True, kw_only=True):
    """Where a query is wrong: the text cut at the column, so that a page can underline the place."""

    before: str
    at: str
    after: str
    column: int
    message: str


class Count(Struct, frozen=True, kw_only=True):
    """How often one value of a field was found: the value as a query writes it, and as people read it. `query` narrows
    the search to it."""

    value: str
    shown: str
    posts: int
    query: str


def show(visit: Visit) -> Response:
    """An empty search box with the person's latest searches."""
    return _page(visit, text="")


def send(visit: Visit) -> Response:
    """Keep the query under an opaque id and go there; one that does not parse comes back with the place marked."""
    text = " ".join(visit.form.one("query").split())
    try:
        parse(text, vocabulary=visit.services.vocabulary, limits=SEARCH)
    except QueryError as error:
        return _page(visit, text=text, mistake=_mistake(text, error), status=400)
    key = searches.store(visit.services.memory, text=text, by=visit.person.pseudonym, now=visit.services.clock.now())
    return visit.go(f"/search/{key}")


def found(visit: Visit) -> Response:
    """The posts of a kept search. Roles that see only aggregates get the numbers without the posts."""
    services = visit.services
    stored = searches.find(services.memory, visit.path("id"))
    if stored is None:
        raise NotFound("this search is not kept any more; searches are forgotten after 30 days")
    try:
        query = parse(stored.text, vocabulary=services.vocabulary, limits=SEARCH)
    except QueryError as error:  # the roster or the codebook has changed since
        return _page(visit, text=stored.text, mistake=_mistake(stored.text, error), status=400)
    reads_posts = visit.may("post")
    page = _posts(visit, query) if reads_posts else None
    return visit.answer(
        "search.html",
        text=stored.text,
        mistake=None,
        fields=FIELDS,
        recent=searches.recent(services.memory, by=visit.person.pseudonym),
        posts=[brief(assessment) for assessment in page.assessments] if page else [],
        next_page=page.next if page else None,
        is_later_page=bool(visit.query("after")),
        reads_posts=reads_posts,
        total=services.index.count(query),
        counts=_counts(visit, query, stored.text),
        chart=_over_time(visit, query),
        search_id=visit.path("id"),
    )


def _posts(visit: Visit, query: Query) -> Page:
    after = visit.query("after")
    if not after:
        return visit.services.index.search(query, limit=POSTS)
    try:
        return visit.services.index.search(query, limit=POSTS, after=after)
    except StoreError as error:  # the address was changed by hand
        raise NotFound("this page of the search does not exist") from error


def _page(visit: Visit, *, text: str, mistake: Mistake | None = None, status: int = 200) -> Response:
    return visit.answer(
        "search.html",
        status=status,
        text=text,
        mistake=mistake,
        fields=FIELDS,
        recent=searches.recent(visit.services.memory, by=visit.person.pseudonym),
        search_id="",
    )


def _mistake(text: str, error: QueryError) -> Mistake:
    at = error.column - 1
    end = at + max(1, len(_WORD.match(text, at)[0]))  # type: ignore[index] # the pattern matches everywhere
    return Mistake(before=text[:at], at=text[at:end], after=text[end:], column=error.column, message=error.message)


def _counts(visit: Visit, query: Query, text: str) -> dict[str, list[Count]]:
    """The most frequent values by field; a field with more values than the index counts at once is left out."""
    names = {person.id: person.name for person in visit.services.roster.people}
    tables: dict[str, list[Count]] = {}
    for field in COUNTED:
        try:
            counted = visit.services.index.counts(query, field)
        except StoreError:  # more values than may be counted: a table of eight would say little
            continue
        rows = [
            Count(
                value=value,
                shown=names.get(value, value) if field == "target" else value,
                posts=posts,
                query=_narrowed(text, field, value),
            )
            for value, posts in list(counted.items())[:MOST_VALUES]
        ]
        if rows:
            tables[field] = rows
    return tables


def _narrowed(text: str, field: str, value: str) -> str:
    """The query that finds only posts with this value; empty when it would be too long or cannot be written."""
    if '"' in value:
        return ""
    narrower = f'{field}:"{value}"' if text.strip() == "*" else f'({text}) {field}:"{value}"'
    return narrower if len(narrower) <= SEARCH.characters else ""


def _over_time(visit: Visit, query: Query) -> Chart | None:
    """The found posts over time, in steps that fit the stretch; None without any post."""
    index = visit.services.index
    by_day = index.histogram(query, step=timedelta(days=1))
    if not by_day:
        return None
    first, last = min(by_day), max(by_day) + timedelta(days=1)
    step = next((step for most, step in _STEPS if last - first <= most), timedelta(days=1))
    first = max(first, last - 400 * step)
    during = Between(field="published", start=first, end=last)
    posts = by_day if step == timedelta(days=1) else index.histogram(_both(query, during), step=step)
    flagged = index.histogram(_both(query, during, flagged=True), step=step)
    return draw(posts, flagged, start=first, steps=int((last - first) / step), step=step)


def _both(query: Query, during: Between, *, flagged: bool = False) -> Query:
    nodes: tuple[Node, ...] = (query.node, during)
    return Query(text=query.text, node=And(nodes=(*nodes, Has(field="flag")) if flagged else nodes))
