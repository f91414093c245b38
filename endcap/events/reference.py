"""The tables of docs/events.md, written from the contracts."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from endcap.contracts.dead_letter import MEANINGS
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.submitted_event import SERVED_FIELDS, SubmittedEvent
from endcap.core.settings import CollectorSettings, Settings
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.examples import EXAMPLES

_ID, _MOMENT = "5d2c4b8e-6a0e-4d0c-9b53-0c6a7c1a2017", "2026-11-27T08:00:00Z"


def type_table() -> str:
    """A line a type: what it says, what it needs, who may send it."""
    rows = [
        (f"`{kind}`", rule.meaning, ", ".join(f"`{name}`" for name in (*rule.needs, *rule.asks)) or _instead(kind), _senders(kind))
        for kind, rule in TYPE_RULES.items()
    ]
    return markdown_table(("type", "meaning", "needs", "keys"), rows)


def field_table() -> str:
    """A line a field: its JSON type, which types need it, what it means."""
    rows = [
        (f"`{name}`", _json_type(name), _needed_by(name, field), field.description or "")
        for name, field in SubmittedEvent.model_fields.items()
    ]
    return markdown_table(("field", "JSON type", "needed by", "meaning"), rows)


def example_table() -> str:
    """An example a type."""
    rows = [
        (f"`{kind}`", f"`{json.dumps({'event_id': _ID, 'event_type': kind.value, 'occurred_at': _MOMENT, **example})}`")
        for kind, example in EXAMPLES.items()
    ]
    return markdown_table(("type", "event"), rows)


def dead_letter_table() -> str:
    """A line a kind of dead letter."""
    return markdown_table(("kind", "meaning"), [(f"`{kind}`", meaning) for kind, meaning in MEANINGS.items()])


def settings_table(section: type[BaseModel] = CollectorSettings) -> str:
    """A line a setting of one section of the settings."""
    (part,) = (name.upper() for name, field in Settings.model_fields.items() if field.annotation is section)
    rows = [(f"`ENDCAP_{part}__{name.upper()}`", _default(field), field.description or "") for name, field in section.model_fields.items()]
    return markdown_table(("setting", "default", "meaning"), rows)


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _instead(kind: EventType) -> str:
    return "`item_id` or `order_id`" if kind in (EventType.RETURN, EventType.CANCELLATION) else ""


def _senders(kind: EventType) -> str:
    scopes = [scope.value for scope in Scope if kind in TYPES_OF_SCOPE[scope]]
    return ", ".join(scopes) if kind is not EventType.CUSTOM else f"{', '.join(scopes)} (browser where the type says so)"


def _needed_by(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "all"
    if name in SERVED_FIELDS:
        return "only in `impression`"
    return ", ".join(f"`{kind}`" for kind, rule in TYPE_RULES.items() if name in (*rule.needs, *rule.asks))


def _json_type(name: str) -> str:
    schema: dict[str, Any] = SubmittedEvent.model_json_schema()["properties"][name]
    kinds = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    kind = kinds[0]
    name_of: str = {"uuid": "UUID", "date-time": "UTC moment"}.get(kind.get("format", ""), kind.get("type", "text"))
    return name_of.replace("string", "text")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "" if value is None or value == [] else f"`{value}`"
