"""A small invented codebook, roster and calendar: what queries of tests may name."""

from __future__ import annotations

from datetime import UTC, datetime

from hustings.codebook import Code, Codebook
from hustings.query import Vocabulary
from hustings.roster import Person, Phase, Roster

__all__ = ["query_vocabulary"]

CODES = (
    *("G", "G-THR", "G-THR-KILL", "G-THR-SEX", "G-DEROG", "A-THREAT", "A-INSULT", "N-PROC", "N-PROC-DATE", "X-SATIRE"),
    *("P-REG", "P-CAMP", "P-SILENCE", "P-VOTE"),
)


def query_vocabulary() -> Vocabulary:
    """Three people of two parties; a campaign of September with a day of silence before the vote."""
    codes = {code: Code(code=code, title=code, definition=code) for code in CODES}
    codes["T-FALSE"] = Code(code="T-FALSE", title="false", definition="false", human_only=True)
    people = (
        Person(id="c1", name="Alda Brent", attributes={"party": "Unity List", "gender": "woman"}),
        Person(id="c2", name="Tomas Reyle", attributes={"party": "Unity List", "gender": "man"}),
        Person(id="c3", name="Ines Marrow", attributes={"party": "Greens"}),
    )
    phases = (
        Phase(code="P-SILENCE", start=_day(10, 10), end=_day(10, 11)),
        Phase(code="P-CAMP", start=_day(9, 1), end=_day(10, 11)),
        Phase(code="P-VOTE", start=_day(10, 11), end=_day(10, 12)),
    )
    aliases = {"gendered-abuse": ("G",), "threat": ("G-THR", "A-THREAT")}
    return Vocabulary(
        codebook=Codebook(version="test", codes=codes, aliases=aliases),
        roster=Roster(version="test", people=people),
        phases=phases,
    )


def _day(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)
