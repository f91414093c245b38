"""Instances of any protocol against the contract, with messages for the person who wrote the request; what of them no log may show."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from endcap.contracts.request import Consent, Context, Filters, Instance, PredictRequest, Preferences
from endcap.core.errors import InvalidInput
from endcap_transformer.server.canonical_json import canonical_json, require_distinct_keys

_FIELDS = {
    "": tuple(PredictRequest.model_fields),
    "instances": tuple(Instance.model_fields),
    "filters": tuple(Filters.model_fields),
    "context": tuple(Context.model_fields),
    "preferences": tuple(Preferences.model_fields),
    "consent": tuple(Consent.model_fields),
}

NAME_MAX = 128
"""Longer names of unknown fields are cut in messages."""

_KINDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "datetime_type": "must be a UTC time, for example 2026-11-27T08:00:00Z",
    "datetime_parsing": "must be a UTC time, for example 2026-11-27T08:00:00Z",
    "datetime_from_date_parsing": "must be a UTC time, for example 2026-11-27T08:00:00Z",
    "missing": "is required",
}


def validated(body: object, text: bytes | None = None) -> list[Instance]:
    """The instances of a parsed request body.

    Args:
        body: as a JSON document.
        text: what it was parsed from; None where nothing can have been lost.

    Raises:
        InvalidInput: names the first field that is wrong, what it was and what it may be.
    """
    canonical = canonical_json(body)
    if text is not None:
        require_distinct_keys(text, canonical)
    try:
        return PredictRequest.model_validate_json(canonical, strict=True).instances
    except ValidationError as error:
        raise _for_a_person(error.errors(include_url=False)[0]) from None


def _for_a_person(first: ErrorDetails) -> InvalidInput:
    field = _path(first["loc"])
    if first["type"] == "extra_forbidden":
        return InvalidInput(f"unknown field; allowed are {', '.join(_allowed(first['loc']))}", field=field)
    if first["type"] == "missing":
        return InvalidInput(_KINDS["missing"], field=field)
    value = first["input"]
    message = _message(first)
    if value is None:
        return InvalidInput(f"{message}; got null", field=field)
    return InvalidInput(message, field=field, value=value if first["type"] not in ("too_long", "value_error") else None)


def _message(first: ErrorDetails) -> str:  # noqa: PLR0911 - one line a kind
    context: dict[str, Any] = first.get("ctx", {})
    match first["type"]:
        case "enum" | "literal_error":
            return f"must be one of {str(context['expected']).replace(' or ', ', ')}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "too_long":
            return f"must have at most {context['max_length']} entries; got {context['actual_length']}"
        case "too_short":
            return f"must have at least {context['min_length']} entries"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return "must be a name of small letters, digits and _"
        case "string_too_short":
            return "must not be empty"
        case "value_error":
            return str(context["error"])
        case kind:
            return _KINDS.get(kind, first["msg"])


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        name = str(part)[:NAME_MAX]
        path += f"[{part}]" if isinstance(part, int) else f".{name}" if path else name
    return path or "body"


def _allowed(location: tuple[int | str, ...]) -> tuple[str, ...]:
    above = [str(part) for part in location[:-1] if isinstance(part, str)]
    return _FIELDS.get(above[-1] if above else "", ())


def private_values(instances: Sequence[Instance]) -> Iterator[str]:
    """What a request says about a person: who, what they look at and have in the cart, what they like."""
    for instance in instances:
        yield from filter(None, (instance.user_id, instance.session_id, instance.context.page))
        yield from instance.item_ids
        yield from instance.exclude
        yield from instance.preferences.categories
        yield from instance.preferences.brands
