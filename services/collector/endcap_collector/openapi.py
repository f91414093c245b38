"""The collector as an OpenAPI 3.1 document, derived from the contracts that events are judged by.

`python -m endcap_collector.openapi > docs/openapi-collector.json` renews the document in the repository.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from endcap.catalogue.changes.catalogue_change import SubmittedItem, SubmittedItemUpdate
from endcap.contracts.submitted_event import SubmittedEvent
from endcap_collector.access import KEY_HEADER, KEY_PARAMETER
from endcap_collector.answers import EventsAnswer, ItemsAnswer, Readiness, Refusal
from endcap_collector.event_texts import JSON_MEDIA, LINES_MEDIA, TEXT_MEDIA

SCHEMAS = "#/components/schemas/"

Document = dict[str, Any]

_DESCRIBED: tuple[tuple[type[BaseModel], JsonSchemaMode], ...] = (
    (SubmittedEvent, "validation"),
    (SubmittedItemUpdate, "validation"),
    (SubmittedItem, "validation"),
    (EventsAnswer, "serialization"),
    (ItemsAnswer, "serialization"),
    (Refusal, "serialization"),
    (Readiness, "serialization"),
)
_EVENTS = {
    "oneOf": [
        {"$ref": SCHEMAS + "SubmittedEvent"},
        {"type": "array", "items": {"$ref": SCHEMAS + "SubmittedEvent"}, "minItems": 1, "maxItems": 1_000},
    ]
}
_ITEM = {"anyOf": [{"$ref": SCHEMAS + "SubmittedItemUpdate"}, {"$ref": SCHEMAS + "SubmittedItem"}]}
_ITEMS = {"oneOf": [_ITEM, {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": 1_000}]}
_NOT_NOW = "The disk refused or has no room, or too many requests are in work; nothing is stored for sure."
_RETRY_AFTER = {
    "description": "Seconds to wait before the next attempt.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}


def openapi_document() -> Document:
    """The document as JSON values."""
    _, schemas = models_json_schema(_DESCRIBED, ref_template=SCHEMAS + "{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "endcap collector",
            "version": version("endcap"),
            "description": "Events and changes of items in. What is answered as accepted or duplicate is on disk.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"header": []}, {"address": []}],
        "paths": {
            "/v1/events": {"post": _send_events()},
            "/v1/items": {"put": _put_items()},
            "/v1/pixel": {"get": _open_pixel()},
            "/readyz": {"get": _ready()},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key."},
                "header": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "A key."},
                "address": {"type": "apiKey", "in": "query", "name": KEY_PARAMETER, "description": "A browser key, for sendBeacon."},
            },
        },
    }


def openapi_json() -> str:
    """The document as text, the same for the same contracts."""
    return json.dumps(openapi_document(), indent=1, ensure_ascii=False) + "\n"


def _send_events() -> Document:
    lines = {"schema": {"type": "string", "description": "An event a line, each a SubmittedEvent."}}
    content = {JSON_MEDIA: {"schema": _EVENTS}, **dict.fromkeys(LINES_MEDIA, lines), TEXT_MEDIA: lines}
    retry = {"headers": {"retry-after": _RETRY_AFTER}}
    none_taken = {"oneOf": [{"$ref": SCHEMAS + "EventsAnswer"}, {"$ref": SCHEMAS + "Refusal"}]}
    return {
        "operationId": "sendEvents",
        "summary": "Send one event or several",
        "description": "Each event is judged alone. The body may be packed with gzip.",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _response("At least one event is stored, now or before.", {"$ref": SCHEMAS + "EventsAnswer"}),
            "400": _response("No event is stored: each was refused, or the body cannot be taken apart.", none_taken),
            "401": _refusal("No key, or one that does not hold."),
            "403": _response("The key may not send this, or not from there.", none_taken),
            "408": _refusal("The body did not come in time."),
            "413": _refusal("Too many bytes or events."),
            "415": _refusal("A media type, character set or packing that is not taken."),
            "429": _refusal("More events than the key may send.") | retry,
            "503": _refusal(_NOT_NOW) | retry,
        },
    }


def _put_items() -> Document:
    lines = {"schema": {"type": "string", "description": "An item a line, each a SubmittedItemUpdate or a SubmittedItem."}}
    retry = {"headers": {"retry-after": _RETRY_AFTER}}
    none_taken = {"oneOf": [{"$ref": SCHEMAS + "ItemsAnswer"}, {"$ref": SCHEMAS + "Refusal"}]}
    return {
        "operationId": "putItems",
        "summary": "Say what items are now",
        "description": "Price, stock and other values of items, or whole items. Each is judged alone. The body may be packed with gzip.",
        "security": [{"bearer": []}, {"header": []}],
        "requestBody": {"required": True, "content": {JSON_MEDIA: {"schema": _ITEMS}, **dict.fromkeys(LINES_MEDIA, lines)}},
        "responses": {
            "200": _response("At least one item is stored.", {"$ref": SCHEMAS + "ItemsAnswer"}),
            "400": _response("No item is stored: each was refused, or the body cannot be taken apart.", none_taken),
            "401": _refusal("No key, or one that does not hold."),
            "403": _refusal("The key may not change items, or not from there."),
            "408": _refusal("The body did not come in time."),
            "413": _refusal("Too many bytes or items."),
            "415": _refusal("A media type, character set or packing that is not taken."),
            "429": _refusal("More items than the key may send.") | retry,
            "503": _refusal(_NOT_NOW) | retry,
        },
    }


def _open_pixel() -> Document:
    token = {"name": "t", "in": "query", "required": True, "description": "Who opened which mail, sealed.", "schema": {"type": "string"}}
    return {
        "operationId": "openPixel",
        "summary": "Count a mail as opened",
        "security": [],
        "parameters": [token],
        "responses": {
            "200": {"description": "A transparent pixel.", "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}}},
            "403": _refusal("The token was not made here."),
            "410": _refusal("The token's time is over."),
            "503": _refusal("The disk refused."),
        },
    }


def _ready() -> Document:
    readiness = {"$ref": SCHEMAS + "Readiness"}
    return {
        "operationId": "ready",
        "summary": "Whether requests may be sent",
        "security": [],
        "responses": {
            "200": _response("They may.", readiness),
            "503": _response("The disk refused, or has no room.", readiness),
        },
    }


def _refusal(description: str) -> Document:
    return _response(description, {"$ref": SCHEMAS + "Refusal"})


def _response(description: str, schema: Document) -> Document:
    return {"description": description, "content": {JSON_MEDIA: {"schema": schema}}}


if __name__ == "__main__":
    sys.stdout.write(openapi_json())
