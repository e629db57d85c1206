"""From the files to a suite: every function in every language, at least twelve different posts each.

All that is wrong with the files is told at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from classifiers.checks.disguises import DISGUISES
from classifiers.checks.suite import (
    Case,
    Function,
    Functions,
    Phrasing,
    Suite,
    read_functions,
    read_phrasing,
)
from classifiers.checks.templates import fill
from hustings.errors import ConfigError

__all__ = ["FEWEST_CASES", "PAIRS", "expand", "load_suite"]

FEWEST_CASES = 12
"""Different posts of a function in a language."""
PAIRS = 60
"""Pairs of a function that swaps: one pair is then 1.7 points of difference, below the gate's two."""


@cache
def load_suite(name: str) -> Suite:
    """The shipped suite of that name, made once. Raises `ConfigError`."""
    return expand(name, read_functions(name), read_phrasing(name))


def expand(name: str, functions: Functions, phrasings: Mapping[str, Phrasing]) -> Suite:
    """All cases, by language, in the order of the functions. The same files give the same cases. Raises `ConfigError`
    with every problem."""
    _raise(name, _problems(functions, phrasings))
    problems: list[str] = []
    cases: list[Case] = []
    for language, phrasing in phrasings.items():
        made: dict[str, list[Case]] = {}
        for function in functions.function:
            if function.speaks(language):
                try:
                    made[function.id] = _cases(function, phrasing, made)
                except ConfigError as error:
                    problems.append(f"{language}: {function.id}: {error}")
        cases += [case for own in made.values() for case in own]
    _raise(name, problems)
    return Suite(
        name=name,
        title=functions.title,
        harm=functions.harm,
        functions=functions.function,
        languages=tuple(phrasings),
        cases=tuple(cases),
    )


def _raise(name: str, problems: Sequence[str]) -> None:
    if problems:
        raise ConfigError("\n".join(f"checks: {name}: {problem}" for problem in problems))


def _cases(function: Function, phrasing: Phrasing, made: Mapping[str, Sequence[Case]]) -> list[Case]:
    if function.disguise:
        cases = _disguised(function, phrasing, made)
    elif function.swap:
        cases = _swapped(function, phrasing)
    else:
        cases = _written(function, phrasing)
    found = len({case.text for case in cases})
    if found < FEWEST_CASES:
        raise ConfigError(f"only {found} different posts; write more templates or words, {FEWEST_CASES} are needed")
    return cases


def _written(function: Function, phrasing: Phrasing) -> list[Case]:
    templates = phrasing.templates.get(function.id, ())
    cases: dict[str, Case] = {}
    nth = 0
    while len(cases) < FEWEST_CASES and nth < FEWEST_CASES:  # as many rounds; a template without slots counts once
        for place, template in enumerate(templates):
            text = fill(template, phrasing.words, seed=_seed(function, phrasing, place), nth=nth)
            cases.setdefault(text, _case(function, phrasing, text, place, nth * len(templates) + place))
        nth += 1
    return list(cases.values())


def _swapped(function: Function, phrasing: Phrasing) -> list[Case]:
    templates = phrasing.templates.get(function.id, ())
    swap = phrasing.swap[function.swap]
    cases: list[Case] = []
    seen: set[str] = set()
    for number in range(PAIRS if templates else 0):
        nth, place = divmod(number, len(templates))
        pair = []
        for side, label in enumerate(swap.sides):
            words = phrasing.words | {slot: both[side] for slot, both in swap.words.items()}
            text = fill(templates[place], words, seed=_seed(function, phrasing, place), nth=nth, side=side)
            pair.append(_case(function, phrasing, text, place, number, side=label))
        if pair[0].text == pair[1].text:
            raise ConfigError(f"{templates[place]!r} is the same on both sides of {function.swap!r}")
        if pair[0].text not in seen:
            cases += pair
        seen.add(pair[0].text)
    return cases


def _disguised(function: Function, phrasing: Phrasing, made: Mapping[str, Sequence[Case]]) -> list[Case]:
    """Posts of the functions `of` by turns, those that the disguise changes."""
    change = DISGUISES[function.disguise]
    pools = [made[base] for base in function.of if base in made]
    cases: list[Case] = []
    for nth in range(max((len(pool) for pool in pools), default=0)):
        for pool in pools:
            if nth < len(pool) and len(cases) < FEWEST_CASES + len(pools):
                text = change(pool[nth].text, phrasing)
                if text != pool[nth].text:
                    cases.append(
                        _case(function, phrasing, text, pool[nth].template, len(cases), expected=pool[nth].expected)
                    )
    return cases


def _case(
    function: Function,
    phrasing: Phrasing,
    text: str,
    template: int,
    number: int,
    *,
    side: str = "",
    expected: tuple[str, ...] | None = None,
) -> Case:
    return Case(
        id=f"{phrasing.language}/{function.id}/{number:02}",
        function=function.id,
        language=phrasing.language,
        text=text,
        expected=function.expected if expected is None else expected,
        template=template,
        side=side,
    )


def _seed(function: Function, phrasing: Phrasing, place: int) -> str:
    return f"{phrasing.language}/{function.pair or function.id}/{place}"


def _problems(functions: Functions, phrasings: Mapping[str, Phrasing]) -> list[str]:
    """What names something that is not there."""
    known = {function.id: function for function in functions.function}
    problems = [] if len(known) == len(functions.function) else ["two functions have one id"]
    for function in functions.function:
        where = f"function {function.id!r}"
        if function.disguise and function.disguise not in DISGUISES:
            problems.append(f"{where}: disguise {function.disguise!r}; known are {', '.join(DISGUISES)}")
        if bool(function.disguise) != bool(function.of):
            problems.append(f"{where}: `disguise` and `of` go together")
        problems += [
            f"{where}: there is no function {other!r}"
            for other in (*function.of, *filter(None, [function.pair]))
            if other not in known
        ]
    for language, phrasing in phrasings.items():
        for extra in sorted(phrasing.templates.keys() - known.keys()):
            problems.append(f"{language}: templates for {extra!r}, which functions.toml has not")
        for function in functions.function:
            if function.swap and function.speaks(language) and function.swap not in phrasing.swap:
                problems.append(f"{language}: no [swap.{function.swap}], which {function.id!r} needs")
        for axis, swap in phrasing.swap.items():
            problems += [
                f"{language}: swap.{axis}: {slot!r} has {len(one)} words on one side and {len(other)} on the other"
                for slot, (one, other) in swap.words.items()
                if len(one) != len(other)
            ]
    return problems
