"""Where the people and parties of a roster are named: spellings as tokens, found by one automaton.

The automaton runs over the analyser's tokens, joined by blanks, so a hit is always whole tokens; Han has one token per
character and needs no word boundary.

What such a name is must not decide whether a post is flagged: `without` puts `NAME` in its place for whoever scores.
Nor must it matter to whom a post is addressed: `said` leaves that out too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import lru_cache, partial
from itertools import chain
from typing import Any, NamedTuple

import ahocorasick

from classifiers.inflections import inflected
from hustings.roster import Person, Roster
from hustings.text import analyse
from hustings.text.repair import repair

__all__ = [
    "CONTEXT_TOKENS",
    "NAME",
    "NOBODY",
    "Found",
    "Read",
    "RosterNames",
    "bare",
    "marked",
    "parts_of",
    "said_in",
    "words_between",
]

CONTEXT_TOKENS = 12
"""An ambiguous alias needs one of the person's context words at most so many tokens away."""
NAME = "\ue000" * 10
"""Stands for a name. The analyser never makes such a token; it is as long as a usual name of two words is to a head."""

_SHARED = "rt"
"""Before the handle of who wrote a post that is passed on as it is."""
_MOST_REMEMBERED = 2048
"""Posts of which it is remembered where the names are, and what is left without them: one step of the pipeline after
the other asks about each post of a batch …"""
_LONGEST_REMEMBERED = 128
"""… but not of those with more tokens: the memory stays small."""


class _Name(NamedTuple):
    """Who a spelling may mean; nobody where it is a party's. Where it is `ambiguous` it needs context; a handle is how
    one talks to somebody. It is `surely` a name unless it is a common word too: two people may share it."""

    people: tuple[str, ...]
    ambiguous: frozenset[str]
    is_handle: bool
    surely: bool


class Found(NamedTuple):
    """A spelling at the tokens first … last."""

    first: int
    last: int
    name: _Name


class Read(NamedTuple):
    """Tokens as they are scored, and for each of them the place of the last token that it stands for."""

    tokens: tuple[str, ...]
    origins: Sequence[int]


class RosterNames:
    """The names of a roster's people, and of the parties that are their attribute `party`. A party that is written in
    small letters (`independent`) is a word for having none, not a name."""

    def __init__(self, roster: Roster) -> None:
        names = _names(roster)
        self._context = {p.id: tuple(" ".join(analyse(word).tokens) for word in p.context) for p in roster.people}
        self._automaton = _automaton(names) if names else None
        self._found_before = lru_cache(maxsize=_MOST_REMEMBERED)(partial(_looked_for, self._automaton))
        self._read_before = lru_cache(maxsize=2 * _MOST_REMEMBERED)(self._read)  # with handles and without

    def people(self, tokens: tuple[str, ...]) -> list[tuple[str, Found]]:
        """(person, where) for each spelling that means exactly one person here."""
        found = [one for one in self._found(tokens) if one.name.people]
        return _resolved(_longest(found), tokens, self._context) if found else []

    def without(self, *parts: tuple[str, ...]) -> Read:
        """The tokens of a title and a text with `NAME` in place of each name, or of names side by side. A handle or
        hashtag that holds a name goes with it; other words of the hashtag are tokens of their own, and stay."""
        return self._seen(parts, are_said=False)

    def said(self, *parts: tuple[str, ...]) -> Read:
        """The same, and of handles that are nobody's of the roster too: those before and behind the words of a part,
        which say whom it answers or calls, are left out, and an `RT` before them; any other is somebody's `NAME`."""
        return self._seen(parts, are_said=True)

    def _seen(self, parts: tuple[tuple[str, ...], ...], *, are_said: bool) -> Read:
        some = tuple(filter(None, parts))
        is_short = sum(map(len, some)) <= _LONGEST_REMEMBERED
        return (self._read_before if is_short else self._read)(some, are_said)

    def _read(self, parts: tuple[tuple[str, ...], ...], are_said: bool) -> Read:
        names, gone, before = set[int](), set[int](), 0
        for tokens in parts:
            hidden, unsaid = self._hidden(tokens), set[int]()
            if are_said:
                handles = marked(tokens, "@") - hidden
                unsaid = _around(tokens, handles)
                hidden = hidden | handles - unsaid
            names |= {before + place for place in hidden}
            gone |= {before + place for place in unsaid}
            before += len(tokens)
        whole = parts[0] if len(parts) == 1 else tuple(chain.from_iterable(parts))
        if not names and not gone:
            return Read(whole, range(len(whole)))
        said = [place for place in range(len(whole)) if place not in gone]
        kept = [place for place in said if place not in names or place + 1 not in names]
        return Read(tuple([NAME if place in names else whole[place] for place in kept]), tuple(kept))

    def _hidden(self, tokens: tuple[str, ...]) -> set[int]:
        found = self._found(tokens)
        if not found:
            return set()
        meant = _resolved(_longest([one for one in found if one.name.people]), tokens, self._context)
        named = [one for one in found if one.name.surely] + [one for _, one in meant]
        hidden = {place for one in named for place in range(one.first, one.last + 1)}
        if not hidden:
            return hidden
        for place, token in enumerate(tokens):
            if token[0] in "#@" and len(token) > 1:
                parts = parts_of(tokens, place)
                if place in hidden and token[0] == "@":
                    hidden.update(parts)
                elif not hidden.isdisjoint(parts):
                    hidden.add(place)
        return hidden

    def _found(self, tokens: tuple[str, ...]) -> tuple[Found, ...]:
        if self._automaton is None:
            return ()
        if len(tokens) > _LONGEST_REMEMBERED:
            return _looked_for(self._automaton, tokens)
        return self._found_before(tokens)


def _looked_for(automaton: Any, tokens: tuple[str, ...]) -> tuple[Found, ...]:
    joined = " " + " ".join(tokens) + " "
    found = []
    counted = first = 0  # before `counted` begin `first` tokens; a hit may begin before the last one
    for end, (length, count, name) in automaton.iter(joined):
        start = end - length + 1
        if joined[start - 1] == " ":
            if start > counted:
                first += joined.count(" ", counted, start)
            else:
                first -= joined.count(" ", start, counted)
            counted = start
            found.append(Found(first - 1, first + count - 2, name))
    return tuple(found)


def _around(tokens: tuple[str, ...], handles: Set[int]) -> set[int]:
    """Those of the handles that stand before or behind all words, perhaps among hashtags, and what says that somebody
    is quoted whole."""
    if not handles:
        return set()
    begin, end = words_between(tokens, handles | marked(tokens, "#"))
    outside = {place for place in handles if not begin <= place < end}
    return outside | {0} if tokens[0] == _SHARED and 1 in outside else outside


def words_between(tokens: Sequence[str], marks: Set[int]) -> tuple[int, int]:
    """From where to where the tokens are words, with `marks` among them: those before and behind are left out, and an
    `RT` before them."""
    begin, end = int(1 in marks and tokens[0] == _SHARED), len(tokens)
    while begin in marks:
        begin += 1
    while end > begin and end - 1 in marks:
        end -= 1
    return begin, end


def marked(tokens: Sequence[str], mark: str) -> set[int]:
    """Where handles (`@`) or hashtags (`#`) stand, with the parts of each."""
    found: set[int] = set()
    for place, token in enumerate(tokens):
        if token[:1] == mark and len(token) > 1:
            found.update((place, *parts_of(tokens, place)))
    return found


def parts_of(tokens: Sequence[str], place: int) -> range:
    """The tokens into which the analyser cut the handle or hashtag at `place`; they follow it, perhaps repaired."""
    rest = tokens[place].translate(_BETWEEN)
    end = place + 1
    while rest and end < len(tokens) and (length := _beginning(rest, tokens[end])):
        rest = rest[length:]
        end += 1
    return range(place + 1, end)


def _beginning(letters: str, part: str) -> int:
    """How many of the letters are the part, as it stands or repaired (`@j0hn` and `john`); 0 where they are not."""
    lengths = range(len(letters), len(part) - 1, -1)
    return next((length for length in lengths if part in (letters[:length], repair(letters[:length])[0])), 0)


_BETWEEN = str.maketrans("", "", "#@_.-")


def _names(roster: Roster) -> dict[tuple[str, ...], _Name]:
    """Every spelling of everybody. One that several people share is ambiguous for all of them."""
    owners: dict[tuple[str, ...], dict[str, bool]] = {}
    handles: set[tuple[str, ...]] = set()
    for person in roster.people:
        ambiguous = {analyse(alias).tokens for alias in person.ambiguous}
        for spelling in (person.name, *person.names, *person.aliases, *person.ambiguous):
            tokens = analyse(spelling).tokens
            for form in _forms(tokens):
                mine = owners.setdefault(form, {})
                mine[person.id] = mine.get(person.id, True) and tokens in ambiguous
        for handle in person.handles:
            form = analyse("@" + bare(handle)).tokens[:1]  # the whole mention, without its parts
            if not form:
                continue
            handles.add(form)
            owners.setdefault(form, {})[person.id] = False
    parties = {form for party in _parties(roster.people) for form in _forms(analyse(party).tokens)}
    return {
        form: _Name(
            people=tuple(sorted(mine)),
            ambiguous=frozenset(mine) if len(mine) > 1 else frozenset(p for p, unclear in mine.items() if unclear),
            is_handle=form in handles,
            surely=form in parties or not any(mine.values()),
        )
        for form in dict.fromkeys([*owners, *sorted(parties)])
        for mine in [owners.get(form, {})]
    }


def _forms(tokens: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The inflected spellings of a name, and its hashtag where it has several words."""
    forms = [*inflected(tokens)] if tokens else []
    return [*forms, ("#" + "".join(tokens),)] if len(tokens) > 1 else forms


def _parties(people: Iterable[Person]) -> list[str]:
    named = dict.fromkeys(person.attributes.get("party", "") for person in people)
    return [party for party in named if party and not party.islower()]


def bare(handle: str) -> str:
    """`name@host` of `platform:@name@host`."""
    return handle.split(":", 1)[-1].lstrip("@")


def _automaton(names: dict[tuple[str, ...], _Name]) -> Any:
    automaton = ahocorasick.Automaton()
    for tokens, name in names.items():
        pattern = " ".join(tokens) + " "
        automaton.add_word(pattern, (len(pattern), len(tokens), name))
    automaton.make_automaton()
    return automaton


def _longest(found: Sequence[Found]) -> list[Found]:
    """Without those inside a longer one: "Ana Ruiz" is not also "Ruiz"."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.first, -one.last)):
        if not kept or one.last > kept[-1].last:
            kept.append(one)
    return kept


def _resolved(
    found: Sequence[Found], tokens: tuple[str, ...], context: dict[str, tuple[str, ...]]
) -> list[tuple[str, Found]]:
    """An ambiguous spelling means the one person who is named clearly elsewhere or has context nearby, else nobody."""
    clear = {one.name.people[0] for one in found if not one.name.ambiguous}
    resolved = []
    for one in found:
        meant = list(one.name.people)
        if one.name.ambiguous:
            near = tokens[max(0, one.first - CONTEXT_TOKENS) : one.last + 1 + CONTEXT_TOKENS]
            window = " " + " ".join(near) + " "
            meant = [p for p in meant if p in clear or any(f" {word} " in window for word in context[p])]
        if len(meant) == 1:
            resolved.append((meant[0], one))
    return resolved


NOBODY = RosterNames(Roster())


def said_in(text: str) -> tuple[str, ...]:
    """The tokens of what is said in a text, where nobody is watched."""
    return NOBODY.said(analyse(text).tokens).tokens
