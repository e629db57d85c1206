"""docs/query-language.md shows the table of fields as it is, and every query in it parses."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hustings.query import RULE, parse
from hustings.query.fields import FIELDS
from hustings.testing.query_vocabulary import query_vocabulary

DOCUMENT = Path(__file__).parent.parent / "docs" / "query-language.md"
TABLE = re.compile(r"(<!-- fields: begin [^\n]*-->\n).*(<!-- fields: end -->)", re.DOTALL)


def _table() -> str:
    rows = ["| field | kind | several values | what it is |", "|---|---|---|---|"]
    for field in FIELDS.values():
        rows.append(f"| `{field.name}` | {field.kind} | {'yes' if field.multi else ''} | {field.help} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_fields_is_the_one_in_the_code() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    current = TABLE.sub(lambda found: f"{found[1]}{_table()}{found[2]}", text)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        DOCUMENT.write_text(current, encoding="utf-8", newline="\n")
    else:
        assert text == current


def test_every_query_of_the_first_example_and_of_the_tables_parses() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    block = text.split("```")[1].strip().splitlines()
    queries = [re.split(r"\s{3,}", line)[0] for line in block]
    for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
        queries += [query for query in re.findall(r"`([^`]+)`", row) if "<" not in query and query not in FIELDS]
    assert len(queries) > 20
    for query in queries:
        parse(query, vocabulary=query_vocabulary(), limits=RULE)
