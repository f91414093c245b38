"""One submitted event judged: a line of the event log, or the reason why not."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.contracts.event import EventFields
from endcap.contracts.event_type import ABOUT_CONSENT, EventType
from endcap.contracts.moment import utc_text
from endcap.contracts.probe import PROBE
from endcap.contracts.submitted_event import SubmittedEvent
from endcap.core.person_ids import AS_GIVEN, PersonIds
from endcap.core.settings import ConsentSettings, Settings
from endcap.events.acceptance.custom_types import CustomTypes, load_custom_types
from endcap.events.acceptance.json_text import BrokenJson, read_json
from endcap.events.acceptance.moments import RefusedMoment, corrected_moment
from endcap.events.acceptance.scopes import Scope

_RESTATED = {"occurred_at", "sent_at", "user_id", "session_id", "order_id", "consent", "consent_analytics", "properties"}
"""Fields whose stored value is not the submitted one as it stands."""

_OF_SCHEMA = ("event_type", "schema_version", "custom_type")
_REASON_MAX = 400
_TRUTH = {True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends.

    Attributes:
        key_id: name of the key.
        scope: of the key.
        types: what the key may send.
        changes_items: whether it may change the catalogue.
    """

    key_id: str
    scope: Scope
    types: frozenset[EventType]
    changes_items: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that is taken.

    Attributes:
        event_id: its id.
        head: the line's beginning, which differs between two deliveries of one event: its times, and a fresh session.
        content: the rest of the line, the same for the same event; ended.
        has_placeholder: whether its user id stands for none.
    """

    event_id: UUID
    event_type: EventType
    head: str
    content: str
    has_placeholder: bool

    @property
    def line(self) -> str:
        """A line of the event log."""
        return self.head + self.content


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not taken.

    Attributes:
        kind: what is wrong, by kind.
        field: at fault, as the sender named it; None for the whole event.
        reason: for the sender; no value of the event is in it.
        event_id: where it has one.
        event_type: where it is a known one.
        is_forbidden: whether another key could send it.
    """

    kind: DeadLetterKind
    field: str | None
    reason: str
    event_id: UUID | None = None
    event_type: EventType | None = None
    is_forbidden: bool = False


class Acceptance:
    """Judges events.

    Args:
        consent: what holds where an event does not say.
        custom_types: types of the shop's own.
        new_session: makes the session that stands in for one that may not be stored.
        ids: how ids of people, visits and orders are kept.
    """

    def __init__(
        self, consent: ConsentSettings, custom_types: CustomTypes, new_session: Callable[[], str], ids: PersonIds = AS_GIVEN
    ) -> None:
        self._consent = consent
        self._ids = ids
        self._custom_types = custom_types
        self._new_session = new_session

    @classmethod
    def of(cls, settings: Settings, ids: PersonIds) -> "Acceptance":
        """As the settings have it, the same for the collector and for letters that are judged again.

        Raises:
            InvalidInput: the file of custom types cannot be used.
        """
        return cls(settings.consent, load_custom_types(settings.events.custom_types_file), lambda: str(uuid4()), ids)

    def judge(self, text: str, sender: Sender, received_at: datetime) -> Accepted | Refused:
        """Judge one event.

        Args:
            text: a JSON object.
            sender: whose key it came with.
            received_at: by the server's clock, UTC.
        """
        try:
            value = read_json(text)
        except BrokenJson as error:
            return Refused(DeadLetterKind.PAYLOAD_BROKEN, None, str(error))
        if not isinstance(value, dict):
            return Refused(DeadLetterKind.PAYLOAD_BROKEN, None, "an event is a JSON object")
        try:
            event = SubmittedEvent.model_validate_json(text)
        except ValidationError as error:
            return _refused(error, value)
        verdict = self._judged(event, sender, received_at)
        return replace(verdict, has_placeholder=True) if isinstance(verdict, Accepted) and _lost_user(value, event) else verdict

    def _judged(self, event: SubmittedEvent, sender: Sender, received_at: datetime) -> Accepted | Refused:
        def refused(kind: DeadLetterKind, field: str, reason: str, *, is_forbidden: bool = False) -> Refused:
            return Refused(kind, field, reason, event.event_id, event.event_type, is_forbidden)

        if event.event_type not in sender.types:
            reason = f"a {sender.scope} key like this one may not send {event.event_type} events"
            return refused(DeadLetterKind.FIELD_REFUSED, "event_type", reason, is_forbidden=True)
        properties: str | None = None
        if event.custom_type is not None:
            if event.custom_type not in self._custom_types:
                return refused(DeadLetterKind.SCHEMA_UNKNOWN, "custom_type", "no such custom type; add it to the file of custom types")
            if sender.scope is Scope.BROWSER and event.custom_type not in self._custom_types.of_browsers:
                return refused(
                    DeadLetterKind.FIELD_REFUSED, "custom_type", "a browser key may not send this custom type", is_forbidden=True
                )
            try:
                properties = self._custom_types.text_of(event.custom_type, event.properties or {})
            except ValueError as error:
                return refused(DeadLetterKind.FIELD_REFUSED, "properties", str(error))
        occurred_at: datetime | RefusedMoment = event.occurred_at
        if sender.scope is not Scope.BACKFILL:
            occurred_at = corrected_moment(event.occurred_at, event.sent_at, received_at)
        if isinstance(occurred_at, RefusedMoment):
            kind = DeadLetterKind.TOO_LATE if occurred_at.is_late else DeadLetterKind.FIELD_REFUSED
            return refused(kind, occurred_at.field, occurred_at.reason)
        return self._accepted(event, properties, occurred_at, received_at)

    def _accepted(self, event: SubmittedEvent, properties: str | None, occurred_at: datetime, received_at: datetime) -> Accepted:
        allowed = self._consent.analytics if event.consent_analytics is None else event.consent_analytics
        personal = self._consent.personalisation if event.consent is None else event.consent
        times = f'"occurred_at":"{utc_text(occurred_at)}","received_at":"{utc_text(received_at)}"'
        if event.sent_at is not None:
            times += f',"sent_at":"{utc_text(event.sent_at)}"'
        own = f',"consent":{_TRUTH[personal]},"consent_analytics":{_TRUTH[allowed]}'
        if event.user_id is not None and (allowed or event.event_type in ABOUT_CONSENT):
            own += f',"user_id":{self._kept(event.user_id)}'
        if event.order_id is not None:
            own += f',"order_id":{self._kept(event.order_id)}'
        if properties is not None:
            own += f',"properties":{json.dumps(properties)}'
        if allowed:
            own += f',"session_id":{self._kept(event.session_id)}'
        else:
            times += f',"session_id":{json.dumps(self._new_session())}'
        # The id comes first in what pydantic writes.
        rest = event.model_dump_json(exclude_none=True, exclude=_RESTATED)
        return Accepted(event.event_id, event.event_type, f"{{{times},", f"{rest[1:-1]}{own}}}\n", has_placeholder=False)

    def _kept(self, given: str) -> str:
        return json.dumps(self._ids.kept(given))


def content_of(line: bytes) -> tuple[UUID, bytes] | None:
    """Id and content of a line that `Acceptance` made; None for one of another writer."""
    start = line.find(_CONTENT)
    if start < len(_CONTENT):
        return None
    return UUID(line[start + len(_CONTENT) : start + len(_CONTENT) + 36].decode()), line[start:]


_CONTENT = b'"event_id":"'


def _lost_user(value: dict[str, Any], event: SubmittedEvent) -> bool:
    return event.user_id is None and value.get("user_id") is not None


def _refused(error: ValidationError, value: dict[str, Any]) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    place = first.get("ctx", {}).get("field") or ".".join(str(part) for part in first["loc"][:3]) or None
    top = str(first["loc"][0]) if first["loc"] else place
    match first["type"]:
        case "extra_forbidden":
            reason = "endcap says when it came; leave it out" if top == "received_at" else "no field of the contract; leave it out"
        case "enum" if top == "event_type" and value.get("event_type") == PROBE:
            reason = "the collector alone makes probes, and no key may send one"
        case "enum" if top == "event_type":
            reason = "no type of the contract"
        case "missing":
            reason = "missing"
        case _:
            reason = first["msg"].removeprefix("Value error, ")
    kind = DeadLetterKind.SCHEMA_UNKNOWN if top in _OF_SCHEMA and first["type"] != "missing" else DeadLetterKind.FIELD_REFUSED
    return Refused(kind, place[:64] if place else None, reason[:_REASON_MAX], _id_of(value), _type_of(value))


def _id_of(value: dict[str, Any]) -> UUID | None:
    try:
        return UUID(value["event_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _type_of(value: dict[str, Any]) -> EventType | None:
    given = value.get("event_type")
    return EventType(given) if isinstance(given, str) and given in set(EventType) else None


def known_field(name: str | None) -> str | None:
    """The field's name where it is one of the contract's; others may be anything a sender wrote."""
    top = (name or "").partition(".")[0]
    return top if top in SubmittedEvent.model_fields or top in EventFields.model_fields or top == "received_at" else None
