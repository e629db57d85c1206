"""The suite `targets`: who is attacked, asked one thing at a time, with names swapped.

Unlike the other suites it does not test models: each post carries a flag of abuse, on the words of the insult, and
what is asked is which role the people in it get. Every template is filled with every person, a woman or a man, beside
two others.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from itertools import groupby
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, structs

from classifiers.checks.runner import EXAMPLES, FLOOR, Failure, LanguageScore, Report, Score
from classifiers.roster_links import RosterLinks
from classifiers.targets.step import Targets
from hustings.errors import ConfigError
from hustings.roster import Person, Roster
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post, Role, Span

__all__ = ["TARGETS", "TargetCase", "TargetSuite", "load_target_suite", "run_targets"]

TARGETS = "targets"
_BESIDE = (1, 3)
"""How far in the list of people the second one stands from the first."""
_HOLE = re.compile(r"\{([^{}]*)\}")
_WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)


class _Function(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told. `code` is that of the flag; `listed` posts name nobody, and the source lists `a` as mentioned."""

    id: str
    tests: str
    a: Role
    b: Role | None = None
    code: str = "A-INSULT"
    listed: bool = False


class _Functions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    function: tuple[_Function, ...]


class _Phrasing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{a}` and `{b}` are names, `{@a}` and `{@b}` handles, `{she|he}` is chosen by who `a` is; `insults` and `many`
    fill the slots of those names."""

    language: str
    insults: tuple[str, ...]
    many: tuple[str, ...] = ()
    women: tuple[str, ...]
    men: tuple[str, ...]
    templates: dict[str, tuple[str, ...]]


class TargetCase(Struct, frozen=True, kw_only=True):
    """One post, the roles that its people must get, and the words for which it is flagged."""

    id: str
    function: str
    language: str
    text: str
    code: str
    roles: dict[str, Role]
    insults: tuple[tuple[int, int], ...] = ()
    mentions: tuple[str, ...] = ()


class TargetSuite(Struct, frozen=True, kw_only=True):
    """The suite ready to be run."""

    title: str
    tests: dict[str, str]
    languages: tuple[str, ...]
    people: tuple[Person, ...]
    cases: tuple[TargetCase, ...]
    name: Literal["targets"] = "targets"

    @property
    def digest(self) -> str:
        """Names these cases: the first 12 hexadecimal digits of a SHA-256 over all of them."""
        return hashlib.sha256(msgspec.json.encode(self.cases)).hexdigest()[:12]

    def only(self, languages: Collection[str]) -> TargetSuite:
        """The suite in some of its languages."""
        return structs.replace(
            self,
            languages=tuple(language for language in self.languages if language in languages),
            cases=tuple(case for case in self.cases if case.language in languages),
        )


def load_target_suite() -> TargetSuite:
    """All cases, by language, in the order of the functions. Raises `ConfigError`."""
    folder = files("classifiers").joinpath("checks", TARGETS)
    functions = _read(folder.joinpath("functions.toml").read_text("utf-8"), "functions.toml", _Functions)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name != "functions.toml")
    phrasings = [_read(folder.joinpath(name).read_text("utf-8"), name, _Phrasing) for name in names]
    people: list[Person] = []
    cases: list[TargetCase] = []
    for phrasing in phrasings:
        own = _people(phrasing)
        people += own
        for function in functions.function:
            if not phrasing.templates.get(function.id):
                raise ConfigError(f"checks: {TARGETS}: {phrasing.language}: no templates for {function.id!r}")
            cases += _cases(function, phrasing, own)
    return TargetSuite(
        title=functions.title,
        tests={function.id: function.tests for function in functions.function},
        languages=tuple(phrasing.language for phrasing in phrasings),
        people=tuple(people),
        cases=tuple(cases),
    )


def run_targets(suite: TargetSuite, targets: Targets | None = None) -> Report:
    """Link the people of every case, flag its insult, and see which roles `targets` gives."""
    given: dict[str, dict[str, Role]] = {}
    step = targets or Targets()
    for language in suite.languages:
        roster = Roster(people=tuple(person for person in suite.people if person.id.startswith(language)))
        cases = [case for case in suite.cases if case.language == language]
        step = step.for_roster(roster)
        found = step.classify(RosterLinks(roster).classify([_flagged(case) for case in cases]))
        for case, one in zip(cases, found, strict=True):
            given[case.id] = {target.id: target.role for target in one.targets}
    scores = [
        _score(suite, list(group), given) for _, group in groupby(suite.cases, lambda c: (c.language, c.function))
    ]
    return Report(
        suite=suite.name,
        title=suite.title,
        digest=suite.digest,
        cases=len(suite.cases),
        models={step.name: step.version},
        scores=tuple(sorted(scores, key=lambda score: (score.accuracy, score.function, score.language))),
        swaps=(),
        languages=tuple(_language_score(language, scores) for language in suite.languages),
    )


_T = TypeVar("_T", _Functions, _Phrasing)


def _read(text: str, name: str, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"checks: {TARGETS}: {name}: {error}") from error


def _people(phrasing: _Phrasing) -> list[Person]:
    genders = [("woman", name) for name in phrasing.women] + [("man", name) for name in phrasing.men]
    return [
        Person(
            id=f"{phrasing.language}{number}",
            name=name,
            handles=(f"chatter:{phrasing.language}_person_{number}",),
            attributes={"gender": gender},
        )
        for number, (gender, name) in enumerate(genders)
    ]


def _cases(function: _Function, phrasing: _Phrasing, people: Sequence[Person]) -> Iterator[TargetCase]:
    number = 0
    seen: set[str] = set()
    for template in phrasing.templates[function.id]:
        for nth, a in enumerate(people):
            for step in _BESIDE:
                b = people[(nth + step) % len(people)]
                text, insults = _filled(template, phrasing, a, b, nth=nth + step)
                named = {a.id: function.a} | ({b.id: function.b} if function.b else {})
                if (key := f"{text} {a.id}") in seen:
                    continue
                seen.add(key)
                yield TargetCase(
                    id=f"{phrasing.language}/{function.id}/{number:02}",
                    function=function.id,
                    language=phrasing.language,
                    text=text,
                    code=function.code,
                    roles=named,
                    insults=insults,
                    mentions=(a.id,) if function.listed else (),
                )
                number += 1


def _filled(
    template: str, phrasing: _Phrasing, a: Person, b: Person, *, nth: int
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The template with its holes filled, and where the insults stand."""
    text = ""
    insults = []
    done = 0
    for hole in _HOLE.finditer(_with_words(template, phrasing, nth)):
        whole = hole.string
        text += whole[done : hole.start()]
        done = hole.end()
        inside = hole[1]
        is_insult = inside.startswith("!")
        word = _word(inside.removeprefix("!"), a, b)
        if is_insult:
            insults.append((len(text), len(text) + len(word)))
        text += word
    return text + _with_words(template, phrasing, nth)[done:], tuple(insults)


def _with_words(template: str, phrasing: _Phrasing, nth: int) -> str:
    """Insults in their holes, marked by "!"; one that has two forms stays a choice between them."""
    insult = phrasing.insults[nth % len(phrasing.insults)].strip("{}")
    many = phrasing.many[nth % len(phrasing.many)] if phrasing.many else ""
    return template.replace("{insult}", f"{{!{insult}}}").replace("{many}", f"{{!{many}}}")


def _word(inside: str, a: Person, b: Person) -> str:
    people: Mapping[str, str] = {"a": a.name, "b": b.name, "@a": _handle(a), "@b": _handle(b)}
    if inside in people:
        return people[inside]
    sides = inside.split("|")
    return sides[0] if len(sides) == 1 or a.attributes["gender"] == "woman" else sides[1]


def _handle(person: Person) -> str:
    return "@" + person.handles[0].split(":", 1)[1]


def _flagged(case: TargetCase) -> Assessment:
    post = Post(
        source=f"checks-{TARGETS}",
        native_id=case.id,
        text=case.text,
        lang=case.language,
        mentions=case.mentions,
        published_at=_WHEN,
        collected_at=_WHEN,
    )
    spans = tuple(Span(start=start, end=end) for start, end in case.insults)
    flag = Flag(code=case.code, score=1.0, spans=spans)
    return Assessment(post=post, lang=case.language, tokens=analyse(case.text).tokens, flags=(flag,))


def _score(suite: TargetSuite, group: Sequence[TargetCase], given: Mapping[str, Mapping[str, Role]]) -> Score:
    wrong = [case for case in group if given[case.id] != case.roles]
    aimed = [case for case in group if "aimed_at" in given[case.id].values()]
    return Score(
        function=group[0].function,
        language=group[0].language,
        tests=suite.tests[group[0].function],
        expected=tuple(f"{name} {role}" for name, role in zip("ab", group[0].roles.values(), strict=False)),
        n=len(group),
        accuracy=round(1 - len(wrong) / len(group), 4),
        flagged=round(len(aimed) / len(group), 4),
        failures=tuple(
            Failure(
                text=case.text,
                expected=tuple(f"{person} {role}" for person, role in case.roles.items()),
                flags=tuple(f"{person} {role}" for person, role in given[case.id].items()),
            )
            for case in wrong[:EXAMPLES]
        ),
    )


def _language_score(language: str, scores: Sequence[Score]) -> LanguageScore:
    own = [score for score in scores if score.language == language]
    attacked = [score for score in own if any(one.endswith("aimed_at") for one in score.expected)]
    spared = [score for score in own if score not in attacked]
    posts = sum(score.n for score in spared)
    return LanguageScore(
        language=language,
        functions=len(own),
        below_floor=sum(score.accuracy < FLOOR for score in own),
        harm=_mean([score.accuracy for score in attacked]),
        innocent=_mean([score.accuracy for score in spared]),
        protected_n=posts,
        protected_flagged=round(sum(score.flagged * score.n for score in spared) / max(posts, 1), 4),
    )


def _mean(accuracies: Sequence[float]) -> float | None:
    return round(sum(accuracies) / len(accuracies), 4) if accuracies else None
