"""The demo's scripted person: releases what waits. It is shown as such; no real desk releases by script."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe

from sqlalchemy import Engine

from desk import people, releases, waiting
from desk.dispatch import Dispatcher, cover_hash, cover_of
from desk.people import Person
from desk.refusals import Conflict, Refused
from hustings.clock import Clock
from hustings.codebook import Codebook

__all__ = ["NOTE", "ScriptedPerson"]

NOTE = "Released by the demo's script, not by a person."


class ScriptedPerson:
    """Signs in as lead `demo-script` with a password nobody knows, and a second time where two people are needed."""

    def __init__(self, engine: Engine, *, dispatcher: Dispatcher, codebook: Codebook, clock: Clock) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._codebook = codebook
        self._clock = clock
        self.people = [self._create(f"demo-script-{n}") for n in (1, 2)]

    def _create(self, login: str) -> Person:
        return people.create(
            self._engine, login=login, password=token_urlsafe(24), role="lead", by="demo", clock=self._clock
        )

    def release_waiting(self) -> int:
        """Release every alert that waits now; returns how many."""
        done = 0
        for waits in waiting.page(self._engine, limit=1000).alerts:
            for person in self.people:
                released = self._attempt(waits, person)
                if released:
                    done += 1
                    break
        return done

    def _attempt(self, waits: waiting.Waiting, person: Person) -> bool:
        answer: Callable[[], releases.Released]
        alert = waits.alert
        if "retract" in waits.kinds:
            answer = lambda: releases.retract(  # noqa: E731 - two ways to answer, chosen once
                self._engine,
                alert_id=alert.id,
                person=person,
                note=NOTE,
                dispatcher=self._dispatcher,
                clock=self._clock,
            )
        else:
            answer = lambda: releases.release(  # noqa: E731 - the same
                self._engine,
                alert_id=alert.id,
                revision=alert.revision,
                seen=cover_hash(cover_of(alert, self._dispatcher.evidence(alert))),
                person=person,
                codes=(),
                note=NOTE,
                dispatcher=self._dispatcher,
                codebook=self._codebook,
                clock=self._clock,
            )
        try:
            return answer().state == "done"
        except (Conflict, Refused):
            # The alert changed since it was listed, or nothing of it waits any more: the next round sees.
            return False
