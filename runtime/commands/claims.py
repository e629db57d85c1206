"""`hustings claims`: known fact-checks, and which of them a text is about."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.config_path import HERE, VARIABLE, ConfigHere, of_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classifiers.claims.claim import Claim
    from classifiers.claims.importing import Imported
    from classifiers.claims.matcher import ClaimMatch, ClaimMatcher
    from classifiers.claims.shelf import ClaimShelf
    from hustings.types import Assessment
    from runtime.config import Config

__all__ = ["app"]

app = typer.Typer(
    name="claims",
    help="Known fact-checks: import them, list them, find which one a text is about.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON, an object a line")]

CLAIM_FILES = "claims: ClaimReview (.json), .csv, .tsv or .jsonl; plain, or gzip (.gz)"
MOST_SHOWN = 50
MOST_READ = 20_000
"""Claims beyond which only words are compared: reading 20,000 for their meaning takes a minute or two."""


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help=CLAIM_FILES)],
    config: ConfigHere = HERE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="add nothing: say what the import would take and refuse")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take claims over; one with a known id takes the place of the former, but not of another publisher's. Running
    workers use them within seconds.

    Exit status 1 when some record could not be used.

    Examples: hustings claims import checks.json --config my.toml · hustings claims import archive.csv --dry-run
    """
    import json

    from classifiers.claims.importing import read_claims, without_taken
    from runtime.commands.terminal import complain, printable, say

    read = [read_claims(path) for path in files]
    held = None
    with _shelf(config) as shelf:
        if dry_run:
            usable = without_taken(read, shelf.claims())
        else:
            usable, held = shelf.add(read)
    found = list(zip(files, usable, strict=True))
    for path, imported in found:
        for refused in imported.refused[:20]:
            complain(printable(f"{path}: {refused.where}: {refused.why}"))
        if len(imported.refused) > 20:
            complain(f"{path}: and {len(imported.refused) - 20:,} more")
    counts = {str(path): _counted(one, before) for (path, one), before in zip(found, read, strict=True)}
    if as_json:
        say(json.dumps({"files": counts, "held": held}))
    else:
        for name, of_file in counts.items():
            say(
                f"{name}: {of_file['claims']:,} claims, {of_file['refused']:,} refused; {of_file['without_verdict']:,} "
                f"without a verdict, {of_file['without_publisher']:,} without a publisher"
            )
        say("nothing was added (--dry-run)" if held is None else f"{held:,} claims are held now")
    if any(one.refused for _, one in found):
        raise typer.Exit(1)


def _counted(taken: Imported, read: Imported) -> dict[str, int]:
    """What was taken and refused, and what those lack in the file, even if it is held from before."""
    ids = {claim.id for claim in taken.claims}
    in_file = [claim for claim in read.claims if claim.id in ids]
    return {
        "claims": len(taken.claims),
        "refused": len(taken.refused),
        "without_verdict": sum(not claim.rating for claim in in_file),
        "without_publisher": sum(not claim.publisher for claim in in_file),
    }


@app.command("list")
def list_(
    config: ConfigHere = HERE,
    limit: Annotated[int | None, typer.Option(min=1, help="most claims shown; without it 50, with --json all")] = None,
    as_json: AsJson = False,
) -> None:
    """The claims that are held, with their publishers' words.

    Example: hustings claims list --config my.toml --json | wc -l
    """
    import msgspec

    from runtime.commands.terminal import complain, say, table

    with _shelf(config) as shelf:
        claims = shelf.claims()
    if as_json:
        for claim in claims[:limit]:
            say(msgspec.json.encode(claim).decode())
        return
    most = limit or MOST_SHOWN
    table(
        f"{len(claims):,} claims",
        ["id", "claimed", "publisher", "the publisher's verdict", "published"],
        [[one.id, one.text[:100], one.publisher, one.rating, one.published] for one in claims[:most]],
    )
    if len(claims) > most:
        complain(f"{most:,} of {len(claims):,} shown; raise --limit for more")


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(help="ids of claims")],
    config: ConfigHere = HERE,
) -> None:
    """Take claims away, for example those that a publisher withdrew. None goes if one of them is not held.

    Example: hustings claims remove c-1041 --config my.toml
    """
    from hustings.errors import ConfigError
    from runtime.commands.terminal import say

    with _shelf(config) as shelf:
        held = {claim.id for claim in shelf.claims()}
        unknown = [one for one in ids if one not in held]
        if unknown:
            raise ConfigError(f"no claim {', '.join(map(repr, unknown))}; `hustings claims list` shows their ids")
        say(f"{shelf.remove(ids):,} claims are held now")


@app.command()
def match(
    queries: Annotated[Path, typer.Option("--queries", help="texts, a JSON object a line: `id`, `text`, `title`")],
    claims: Annotated[Path | None, typer.Option("--claims", help=CLAIM_FILES)] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help=f"a configuration: the claims held there; or the environment's {VARIABLE}"),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=100, help="most claims for one text")] = 10,
    words_only: Annotated[
        bool, typer.Option("--words-only", help="compare words alone, not what English texts mean")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The likeliest claims for each text, surest first. `match` says whether the first is sure enough to be shown.

    English texts and claims are compared by meaning too, if there are at most 20,000 claims: every claim is read once,
    at about 3 ms. With --config, the models that serve there are asked, by words alone where it switches meaning off.
    With --json, an object a line in the order of the texts: `id`, `claims` (ids), `scores`, `match`. No score is above
    the one before it; a first claim that is sure by its meaning has .95.

    Example: hustings claims match --claims checks.jsonl --queries posts.jsonl --json
    """
    import json

    from classifiers.claims.importing import read_claims
    from classifiers.claims.reader import LANGUAGE
    from hustings.errors import ConfigError
    from runtime.commands.terminal import complain, printable, say, table
    from runtime.config import load_config

    config = config if config is not None or claims is not None else of_environment()
    if (claims is None) == (config is None):
        raise ConfigError(f"name either --claims FILE or --config FILE, or set {VARIABLE}")
    asked = list(_queries(queries))
    loaded = load_config(config) if config is not None else None
    if claims is not None:
        imported = read_claims(claims)
        _tell_refused(claims, imported)
        known: Sequence[Claim] = imported.claims
    else:
        assert config is not None  # noqa: S101 - one of the two is given
        with _shelf(config) as shelf:
            known = shelf.claims()
    if not known:
        raise ConfigError(f"{claims or config}: holds no claims")
    matcher = _matcher(known, loaded, by_meaning=not words_only and len(known) <= MOST_READ)
    rows = []
    for query, assessment in zip(asked, _identified(asked, loaded), strict=True):
        tokens = (*assessment.title_tokens, *assessment.tokens)
        text = f"{query['title']} {query['text']}".strip() if assessment.lang == LANGUAGE else ""
        ranked = matcher.rank(tokens, most=most, text=text)
        if as_json:
            say(json.dumps(_answer(query["id"], ranked, matcher.threshold)))
        else:
            rows += _lines(query, ranked, known, matcher.threshold)
    if not as_json:
        table(
            f"{len(known):,} claims; shown beside a post from {matcher.threshold} on",
            ["text", "claim", "claimed", "sure", ""],
            rows,
        )
        if not rows:
            complain(printable(f"{queries}: nothing shares a word with any claim"))


def _answer(query: str, ranked: list[ClaimMatch], threshold: float) -> dict[str, Any]:
    return {
        "id": query,
        "claims": [one.id for one in ranked],
        "scores": [one.score for one in ranked],
        "match": bool(ranked) and ranked[0].score >= threshold,
    }


def _lines(
    query: dict[str, str], ranked: list[ClaimMatch], known: Sequence[Claim], threshold: float
) -> list[list[object]]:
    by_id = {claim.id: claim for claim in known}
    return [
        [query["id"], one.id, by_id[one.id].text[:90], one.score, "match" if one.score >= threshold else ""]
        for one in ranked[:3]
    ]


def _queries(path: Path) -> Iterator[dict[str, str]]:
    from runtime.commands.model.posts import rows

    for number, row in enumerate(rows(path, "text"), start=1):
        own = row.get("id")
        yield {key: str(row.get(key) or "") for key in ("title", "text")} | {"id": str(number if own is None else own)}


def _identified(queries: Sequence[dict[str, str]], config: Config | None) -> list[Assessment]:
    """The texts with their tokens and their languages, told as the pipeline tells those of posts."""
    from datetime import UTC, datetime

    from classifiers.claims.reader import LANGUAGE
    from classifiers.language import LanguageStep
    from classifiers.pipeline import analysed
    from classifiers.roster_names import NOBODY, RosterNames
    from hustings.types import Post
    from runtime import build

    never = datetime(1970, 1, 1, tzinfo=UTC)
    posts = [
        Post(
            source="query",
            native_id=str(number),
            title=query["title"],
            text=query["text"],
            published_at=never,
            collected_at=never,
        )
        for number, query in enumerate(queries)
    ]
    roster = build.roster(config)
    step = LanguageStep(config.languages if config else (LANGUAGE,), RosterNames(roster) if roster else NOBODY)
    return step.classify(analysed(posts, {}))


def _tell_refused(path: Path, imported: Imported) -> None:
    from runtime.commands.terminal import complain, printable

    for refused in imported.refused:
        complain(printable(f"{path}: {refused.where}: {refused.why}"))


def _matcher(known: Sequence[Claim], config: Config | None, *, by_meaning: bool) -> ClaimMatcher:
    """By the models of the deployment, or the shipped ones. With the vectors of the claims, if that is wanted and an
    embedder is there: reading them takes a while."""
    import os

    from classifiers.claims.matcher import ClaimMatcher, load_reranker
    from classifiers.claims.meaning import Meaning
    from classifiers.encoder.embed import load_embedder
    from classifiers.pipeline import shipped_models
    from classifiers.signing import shipped_signers
    from classifiers.store import ModelStore
    from hustings.errors import ModelError
    from runtime import build

    store = build.model_store(config) if config else ModelStore(shipped_models())
    signers = build.model_signers(config) if config else shipped_signers()
    folders = store.serving().values()
    reranker = load_reranker(folders, signers=signers)
    if reranker is None:
        raise ModelError(f"{store.own}: holds no re-ranker of claims")
    reads = by_meaning and (config is None or (config.claims.by_meaning and config.encoder.on))
    embedder = load_embedder(folders, "en", signers=signers) if reads else None
    meaning = Meaning.of(known, embedder, readers=len(os.sched_getaffinity(0))) if embedder else None
    return ClaimMatcher(known, reranker, meaning=meaning)


@contextmanager
def _shelf(config: Path) -> Iterator[ClaimShelf]:
    """The shelf of a configuration; its database is closed at the end."""
    from classifiers.claims.shelf import ClaimShelf
    from runtime import build
    from runtime.config import load_config

    engine = build.open_engine(load_config(config))
    try:
        yield ClaimShelf(build.open_memory(engine))
    finally:
        engine.dispose()
