"""Partners: who may be told what, and how."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alerts.markings import Severity, Tlp, parse_tlp, severity_at_least, tlp_within
from alerts.secrets import Secret
from hustings.errors import ConfigError
from hustings.language_tags import setting_tag
from hustings.query.fields import keyword_values
from hustings.query.languages import primary
from hustings.types import Alert, Assessment

__all__ = ["ChannelEntry", "Partner", "Redaction", "Scope", "reason_to_withhold", "route", "scope_of"]

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
Language = Annotated[str, AfterValidator(setting_tag), AfterValidator(primary)]


def _tlp(label: Any) -> Any:
    try:
        return parse_tlp(label) if isinstance(label, str) else label
    except ConfigError as error:
        raise ValueError(str(error)) from error


class Redaction(BaseModel):
    """What of a post a partner gets to read. Private handles never, and URLs only defanged, whatever stands here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    excerpt: Literal["none", "short", "full"] = Field(
        default="short", description="of each post of evidence: nothing, its first 140 characters, or all of it"
    )
    slurs: Literal["masked", "shown"] = Field(default="masked", description="shown only where the partner asked for it")


class ChannelEntry(BaseModel):
    """One way to reach a partner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Slug = Field(description="unique within the partner; part of the id of every delivery, so never renamed")
    kind: str = Field(description="webhook, file, or a kind that a package registered under hustings.channels")
    settings: dict[str, Any] = Field(default={}, description="of that kind")


class Partner(BaseModel):
    """An organisation that is warned. Empty `topics`, `targets` or `languages` mean no restriction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Slug = Field(description="part of the id of every delivery, so never renamed")
    name: str = Field(description="as the desk shows it", min_length=1, max_length=200)
    topics: tuple[str, ...] = Field(default=(), description="topics of rules that concern this partner")
    targets: tuple[str, ...] = Field(
        default=(), description="roster ids: only alerts about at least one of these people"
    )
    languages: tuple[Language, ...] = Field(
        default=(),
        description="only alerts with posts in one of these languages, or in one that is unknown; regions are not told "
        "apart",
    )
    min_severity: Severity = Field(default="low", description="nothing below this")
    tlp: Annotated[Tlp, BeforeValidator(_tlp)] = Field(
        default="GREEN", description="the highest TLP 2.0 marking that this partner is cleared to"
    )
    channels: tuple[ChannelEntry, ...] = Field(default=(), description="every alert goes over each of them")
    redaction: Redaction = Field(default=Redaction(), description="what of the posts is shown")
    pseudonym_key: Secret = Field(
        description="makes the pseudonyms in this partner's messages; differs between partners, so that two of them "
        "cannot tell that they were told of the same account"
    )
    support_contact: str = Field(
        default="", max_length=200, description="whom a threatened person can turn to; printed on alerts of threats"
    )

    @model_validator(mode="after")
    def _channel_names_differ(self) -> Self:
        names = [channel.name for channel in self.channels]
        if len(set(names)) != len(names):
            raise ValueError(f"two channels of the partner {self.id!r} have the same name; found {names}")
        return self


class Scope(NamedTuple):
    """The people and languages that an alert is about, as far as its group and its evidence tell. No `languages` where
    one of its posts does not tell."""

    targets: frozenset[str]
    languages: frozenset[str]


_TARGET_FIELDS = frozenset({"target", "aimed_at", "addressed"})


def scope_of(alert: Alert, assessments: Iterable[Assessment]) -> Scope:
    """The scope of an alert: what its group names, else what the posts of its evidence name."""
    found = tuple(assessments)
    targets = frozenset(value for field, value in alert.group if field in _TARGET_FIELDS)
    told = [keyword_values(assessment, "lang") for assessment in found]
    languages = frozenset(value for field, value in alert.group if field == "lang")
    return Scope(
        targets=targets or frozenset(target.id for assessment in found for target in assessment.targets),
        languages=languages or (frozenset(chain(*told)) if all(told) else frozenset()),
    )


def reason_to_withhold(partner: Partner, alert: Alert, scope: Scope) -> str | None:
    """Why this partner is not told of this alert, in words for the desk; None when it may be told.

    What restricts (marking, people) is closed when in doubt; what only selects (language, severity) is open."""
    if alert.shadow:
        return "the rule is in shadow: it delivers nothing"
    if not tlp_within(alert.tlp, partner.tlp):
        return f"marked {alert.tlp}, the partner is cleared to {partner.tlp}"
    if partner.topics and not set(partner.topics) & set(alert.topics):
        return f"topics {', '.join(alert.topics) or 'none'}, the partner asked for {', '.join(partner.topics)}"
    if partner.targets and not scope.targets & set(partner.targets):
        return "it is not about one of the partner's people"
    if not severity_at_least(alert.severity, partner.min_severity):
        return f"severity {alert.severity}, the partner asked for {partner.min_severity} and above"
    if partner.languages and scope.languages and not scope.languages & set(partner.languages):
        return f"languages {', '.join(sorted(scope.languages))}, the partner reads {', '.join(partner.languages)}"
    return None


def route(partner: str, channel: str) -> str:
    """The name of one way to one partner, as outbox rows carry it; neither part holds a slash."""
    return f"{partner}/{channel}"
