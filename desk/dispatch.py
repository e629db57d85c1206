"""From an alert that may leave to the messages for everybody whom it concerns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from alerts.messages import Decision, render
from alerts.partners import Partner, Scope, reason_to_withhold, route, scope_of
from alerts.redaction import Redactor
from alerts.rule import Rule
from alerts.shown import shown
from desk.posts import Posts
from hustings.contracts import Message
from hustings.errors import ConfigError
from hustings.roster import Roster
from hustings.types import Alert, Assessment, Notice, hash_id

__all__ = ["Cover", "Dispatcher", "cover_hash", "cover_of", "covers"]

MOST_EVIDENCE = 200
"""Posts of an alert that are read to learn whom it names and in which languages, and to choose those that are shown."""
NEWEST = 20
"""Of those, the newest ones where there are more; the others are the oldest."""


class Cover(Struct, frozen=True, kw_only=True):
    """What a person agreed to: this severity, this marking, these people named."""

    severity: str
    tlp: str
    targets: tuple[str, ...]


def cover_of(alert: Alert, assessments: Sequence[Assessment]) -> Cover:
    """What a release of the alert as it stands would cover."""
    return Cover(
        severity=alert.severity,
        tlp=alert.tlp,
        targets=tuple(sorted(scope_of(alert, assessments).targets)),
    )


def cover_hash(cover: Cover) -> str:
    """What a page carries, so that a release covers what was read there and nothing else."""
    return hash_id("cover", cover.severity, cover.tlp, *cover.targets)


def covers(former: Cover, present: Cover) -> bool:
    """Whether a release still holds: same severity, same marking, nobody named who was not named then."""
    return (former.severity, former.tlp) == (present.severity, present.tlp) and set(present.targets) <= set(
        former.targets
    )


class Dispatcher:
    """Knows the partners and renders for them. Makes messages, writes nothing."""

    def __init__(
        self, partners: Sequence[Partner], *, index: Posts, roster: Roster, rules: Iterable[Rule] = ()
    ) -> None:
        self._partners = tuple(partners)
        self._rules = {rule.id: rule for rule in rules}
        self._index = index
        self._roster = roster

    def evidence(self, alert: Alert) -> list[Assessment]:
        """The posts of the alert's evidence that are still known, in its order."""
        keys = alert.evidence
        if len(keys) > MOST_EVIDENCE:  # the newest ones too: rules may show them
            keys = keys[: MOST_EVIDENCE - NEWEST] + keys[-NEWEST:]
        found = self._index.get(keys) if keys else {}
        return [found[key] for key in keys if key in found]

    def withheld(self, alert: Alert, assessments: Sequence[Assessment]) -> dict[str, str | None]:
        """For each partner why it is not told of this alert; None: it is."""
        scope = scope_of(alert, assessments)
        return {partner.id: _reason_to_withhold(partner, alert, scope) for partner in self._partners}

    def messages(
        self,
        alert: Alert,
        notice_by_route: Mapping[str, Notice] | Notice,
        assessments: Sequence[Assessment],
        *,
        decision: Decision | None,
        now: datetime,
        only: Collection[str] | None = None,
    ) -> list[Message]:
        """One message for every channel of every partner that may be told, over the routes in `only` when given."""
        scope = scope_of(alert, assessments)
        chosen = shown(self._rules.get(alert.rule), alert.evidence, assessments)
        made = []
        for partner in self._partners:
            if _reason_to_withhold(partner, alert, scope) is not None:
                continue
            for channel in partner.channels:
                name = route(partner.id, channel.name)
                if only is not None and name not in only:
                    continue
                notice = notice_by_route if isinstance(notice_by_route, Notice) else notice_by_route.get(name)
                if notice is not None:
                    made.append(
                        render(
                            alert,
                            notice,
                            partner,
                            channel.name,
                            assessments,
                            roster=self._roster,
                            now=now,
                            decision=decision,
                            shown=chosen,
                        )
                    )
        return made

    def retractions(
        self, alert: Alert, notice: Notice, told: Mapping[str, str], *, decision: Decision, note: str, now: datetime
    ) -> list[Message]:
        """The correction for everybody who was told, whatever the partner's filters say by now: under the marking that
        the route was told with, and without any post. What is not among `routes` is left out."""
        made = []
        for partner in filter(_has_key, self._partners):
            for channel in partner.channels:
                marking = told.get(route(partner.id, channel.name))
                if marking is None:
                    continue
                made.append(
                    render(
                        msgspec.structs.replace(alert, tlp=marking),
                        notice,
                        partner,
                        channel.name,
                        (),
                        roster=self._roster,
                        now=now,
                        decision=decision,
                        note=note,
                    )
                )
        return made

    def resolve(self, reference: str, *, partner: str, alert: Alert) -> str | None:
        """The key of the post that a message to this partner showed as `reference`; None when the alert has none."""
        found = next((each for each in self._partners if each.id == partner), None)
        if found is None or not _has_key(found):
            return None
        redactor = Redactor(key=found.pseudonym_key.reveal(), roster=self._roster, mask_slurs=True)
        withdrawn = alert.reason.get("post")
        keys = (*alert.evidence, withdrawn) if isinstance(withdrawn, str) else alert.evidence
        return next((key for key in keys if redactor.key(key) == reference), None)

    def shown_as(self, keys: Collection[str]) -> dict[str, set[str]]:
        """By partner, what these posts are called in messages to it. Partners whose key cannot be read are left out."""
        shown: dict[str, set[str]] = {}
        for partner in filter(_has_key, self._partners):
            redactor = Redactor(key=partner.pseudonym_key.reveal(), roster=self._roster, mask_slurs=True)
            shown[partner.id] = {redactor.key(key) for key in keys}
        return shown

    def routes(self) -> set[str]:
        """Every configured route for which messages can be made now."""
        return {
            route(partner.id, channel.name)
            for partner in filter(_has_key, self._partners)
            for channel in partner.channels
        }


def _reason_to_withhold(partner: Partner, alert: Alert, scope: Scope) -> str | None:
    return reason_to_withhold(partner, alert, scope) or _key_problem(partner)


def _has_key(partner: Partner) -> bool:
    return _key_problem(partner) is None


def _key_problem(partner: Partner) -> str | None:
    """Why no pseudonyms can be made for this partner. Others are told all the same."""
    try:
        partner.pseudonym_key.reveal()
    except ConfigError as error:
        return f"no pseudonyms without its key: {error}"
    return None
