"""`hustings corpus`: labelled texts that models learn from, in versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import VARIABLE, ConfigNamed, of_environment

if TYPE_CHECKING:
    from classifiers.training.corpus_import import Imported
    from classifiers.training.corpus_store import StoredCorpus

__all__ = ["app", "corpora_folder"]

app = typer.Typer(
    name="corpus",
    help="Corpora: list them, import labelled texts, build one from the desk's reviews.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="a configuration: the corpora of its data folder")]
ConfigOfStore = Annotated[
    Path | None,
    typer.Option("--config", help=f"a configuration: the corpora of its data folder; or the environment's {VARIABLE}"),
]
Corpora = Annotated[Path | None, typer.Option("--corpora", help="folder of corpora, instead of --config")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people")]


def corpora_folder(corpora: Path | None, config: Path | None) -> Path:
    """The store of corpora that the options name."""
    from hustings.errors import ConfigError
    from runtime.config import load_config
    from runtime.model_making import corpora_of

    config = config if config is not None or corpora is not None else of_environment()
    if (corpora is None) == (config is None):
        raise ConfigError(f"name the store of corpora: --config FILE or --corpora DIR, one of them, or set {VARIABLE}")
    return corpora if corpora is not None else corpora_of(load_config(config))  # type: ignore[arg-type]  # one is given


@app.command("list")
def list_(
    data: Annotated[Path, typer.Option("--data", help="folder of the staged data sets")] = Path("../shared/data"),
    config: ConfigFile = None,
    corpora: Corpora = None,
    as_json: AsJson = False,
) -> None:
    """Every corpus that can be trained on: the data sets that are known, staged or not, and the versions of one's own.

    The licence's class says what may be done with weights that were learnt from it. Exit status 1 when a data set that
    is staged, or a version of one's own, cannot be read; the others are listed.

    Example: hustings corpus list --config my.toml
    """
    import json

    from classifiers.training.corpora import CORPORA, read_corpus
    from classifiers.training.corpus_store import Survey, survey_corpora
    from classifiers.training.licences import CLASSES, class_of
    from hustings.errors import ConfigError
    from runtime.commands.progress import stages
    from runtime.commands.terminal import complain, printable, say, table

    survey = Survey([], [])
    if corpora is not None and not corpora.is_dir():
        raise ConfigError(f"{corpora}: no such folder of corpora")
    if config is not None or corpora is not None:
        survey = survey_corpora(corpora_folder(corpora, config))
    lines: list[dict[str, object]] = []
    refused: list[tuple[str, str]] = []
    with stages(len(CORPORA), shown=not as_json) as progress:
        for name, source in CORPORA.items():
            progress.at(name)
            try:
                dataset = read_corpus(name, data).dataset
                rows, positives, state = dataset.rows, dataset.positives, "staged"
            except ConfigError as error:
                if not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                    refused.append((name, str(error)))
                    continue
                rows, positives, state = 0, 0, "not staged"
            finally:
                progress.done()
            lines.append(
                {
                    "corpus": name,
                    "state": state,
                    "rows": rows,
                    "positives": positives,
                    "licence": source.licence,
                    "class": class_of(source.licence),
                    "source": source.url,
                    "excluded": {},
                }
            )
    lines += [_line(stored) for stored in survey.versions]
    refused += [(bad.folder.name, f"{bad.folder}: {bad.problem}") for bad in survey.unreadable]
    if as_json:
        spoilt = [{"corpus": name, "state": "refused", "problem": problem} for name, problem in refused]
        say(json.dumps([*lines, *spoilt], ensure_ascii=False))
    else:
        shown = ("corpus", "state", "rows", "positives", "licence", "class", "source")
        table(
            "Corpora",
            ["corpus", "state", "rows", "positive", "licence", "class", "source"],
            [[line[key] for key in shown] for line in lines]
            + [[name, "refused", *["-"] * (len(shown) - 2)] for name, _ in refused],
        )
        for name, meaning in CLASSES.items():
            if any(line["class"] == name for line in lines):
                say(f"{name}: {meaning}")
    for name, problem in refused:
        complain(printable(f"{name}: refused: {problem}"))
    if refused:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (commas or semicolons), TSV or JSON lines, plain or gzip")],
    name: Annotated[str, typer.Option("--name", help="what the corpus is called: letters, digits, - _ .")],
    text: Annotated[str, typer.Option("--text", help="column of the text")],
    label: Annotated[str, typer.Option("--label", help="column of the label")],
    positive: Annotated[str, typer.Option("--positive", help="the label that models shall find")],
    licence: Annotated[str, typer.Option("--licence", help="SPDX name, such as CC-BY-4.0")],
    source: Annotated[str, typer.Option("--source", help="where it came from, for people")],
    language: Annotated[str, typer.Option("--language", help="language of the texts (BCP 47), such as en or pt-BR")],
    negative: Annotated[
        str,
        typer.Option(
            "--negative", help="the other label; without it, every other value but words for none, such as n/a"
        ),
    ] = "",
    family: Annotated[str, typer.Option("--family", help="column: rows of one value stay on one side of splits")] = "",
    at: Annotated[str, typer.Option("--at", help="column of the time (ISO 8601)")] = "",
    group: Annotated[list[str] | None, typer.Option("--group", help="column to measure by; may be repeated")] = None,
    config: ConfigOfStore = None,
    corpora: Corpora = None,
    as_json: AsJson = False,
) -> None:
    """Import labelled texts as the next version of a corpus. Rows that cannot be used are counted by reason, and every
    label that the file holds is told.

    Capitals of labels do not matter. A text that stands there with both labels is left out.

    Example: hustings corpus import posts.csv --name local --text body --label abusive --positive yes
    --licence CC-BY-4.0 --source "annotated by us" --language en --config my.toml
    """
    from classifiers.training.corpus_import import Columns, import_rows
    from classifiers.training.corpus_store import check_corpus_name, store_corpus
    from classifiers.training.licences import class_of
    from hustings.clock import SystemClock, rfc3339
    from hustings.errors import ConfigError
    from hustings.language_tags import language_tag
    from runtime.commands.model.posts import values_told
    from runtime.commands.progress import stages

    check_corpus_name(name)
    language = language_tag(language)
    if positive.strip() and positive.strip().casefold() == negative.strip().casefold():
        raise ConfigError(f"--positive and --negative are both {positive!r}")
    folder = corpora_folder(corpora, config)
    with stages(2, shown=not as_json) as progress:
        progress.at(name, "read")
        columns = Columns(text, label, positive, negative, family, at, tuple(group or ()))
        found = import_rows(file, columns)
        if not any(row.label for row in found.rows) and found.labels:
            raise ConfigError(
                f"{file}: no row that can be used has the {label!r} {positive!r} (--positive); found are "
                f"{values_told(found.labels)}; left out: {_left_out(found.excluded)}"
            )
        progress.done()
        progress.at(name, "near-copies")
        stored = store_corpus(
            folder,
            found.rows,
            name=name,
            made_at=rfc3339(SystemClock().now()),
            made_from="file",
            source=source,
            licence=licence,
            licence_class=class_of(licence),
            language=language,
            label=f"{label} is {positive}",
            excluded=found.excluded,
        )
        progress.done()
    _tell(stored, as_json, found)


@app.command("build")
def build(
    head: Annotated[str, typer.Argument(help="the head that shall learn from it, such as G-en")],
    config: ConfigNamed,
    name: Annotated[str | None, typer.Option("--name", help="what the corpus is called; default: desk-HEAD")] = None,
    as_json: AsJson = False,
) -> None:
    """Build a corpus from the desk: posts on which two reviewers agree, or a lead decided a disagreement.

    Example: hustings corpus build G-en --config my.toml
    """
    from classifiers.training.corpus_store import check_corpus_name
    from hustings.clock import SystemClock
    from runtime.build import codebook, model_store
    from runtime.commands.progress import stages
    from runtime.config import load_config
    from runtime.model_making import build_from_desk
    from runtime.teachable import teachable

    check_corpus_name(name or f"desk-{head}")
    loaded = load_config(config)
    code, language = teachable(head, model_store(loaded), codebook())
    with stages(1, shown=not as_json) as progress:
        progress.at(name or head, "reviews")
        stored = build_from_desk(loaded, name or f"desk-{head}", code=code, language=language, clock=SystemClock())
        progress.done()
    _tell(stored, as_json)


def _line(stored: StoredCorpus) -> dict[str, object]:
    paper = stored.paper
    return {
        "corpus": paper.tag,
        "state": f"made from {'the desk' if paper.made_from == 'desk' else 'a file'}, {paper.made_at[:10]}",
        "rows": paper.rows,
        "positives": paper.positives,
        "licence": paper.licence,
        "class": paper.licence_class,
        "source": paper.source,
        "excluded": paper.excluded,
    }


def _left_out(excluded: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in excluded.items()) or "nothing"


def _tell(stored: StoredCorpus, as_json: bool, found: Imported | None = None) -> None:
    """`found` is what a file held: where its rows lie there already, the paper counts what another file left out."""
    import json

    import msgspec

    from runtime.commands.model.posts import values_told
    from runtime.commands.terminal import say

    paper = stored.paper
    excluded = paper.excluded if found is None else found.excluded
    if as_json:
        told = {**msgspec.to_builtins(paper), "excluded": excluded, "folder": str(stored.folder), "new": stored.is_new}
        say(json.dumps(told | ({"labels": found.labels} if found is not None else {})))
        return
    if not stored.is_new:
        say(f"{paper.tag}: these very rows are there already, since {paper.made_at[:10]}")
    say(
        f"{paper.tag}: {paper.rows:,} rows, {paper.positives:,} of them positive; {paper.in_clusters:,} are "
        f"near-copies of another, {paper.clusters:,} different ones"
    )
    say(f"licence {paper.licence}, class {paper.licence_class}; SHA-256 {paper.sha256}")
    if found is not None:
        say(f"labels in the file: {values_told(found.labels)}; {paper.label}")
    for reason, count in sorted(excluded.items(), key=lambda pair: -pair[1]):
        say(f"left out: {count:,} ({reason})")
