"""Why a rule file is refused, in words its author can act on."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from endcap.core.errors import InvalidInput
from endcap.engine.rules.file.yaml_document import Path, YamlDocument


def first_refusal(error: ValidationError, document: YamlDocument, name: str, model: type[BaseModel]) -> InvalidInput:
    """The first fault of a document as an error; how many more there are stands in the message.

    Args:
        error: what the contract said.
        document: what was read.
        name: what the file is called.
        model: the contract of the whole document.
    """
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda fault: (document.line(fault["loc"]) or 0, fault["type"] != "extra_forbidden"))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return InvalidInput(
        _message(fault) + more,
        field=_place(fault["loc"], document, name),
        value=fault["input"] if isinstance(fault["input"], str | int | float) else None,
        fix=_fix(fault, model),
    )


def _message(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "is missing"
    return fault["msg"].removeprefix("Value error, ")


def _place(loc: Path, document: YamlDocument, name: str) -> str:
    line = document.line(loc)
    where = f"{name}, line {line}" if line else name
    entry, rest = (_entry_name(loc, document.value), loc[2:]) if len(loc) > 1 and isinstance(loc[1], int) else ("", loc)
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest).lstrip(".")
    return ", ".join(part for part in (where, entry, field) if part)


def _entry_name(loc: Path, value: Any) -> str:
    kind = "rule" if loc[0] == "rules" else "picks"
    entry = value[loc[0]][loc[1]]
    named = entry.get("id") if isinstance(entry, dict) else None
    return f"{kind} {named[:64]}" if isinstance(named, str) else f"{kind} number {int(loc[1]) + 1}"


def _fix(fault: ErrorDetails, model: type[BaseModel]) -> str | None:
    parts = [part for part in fault["loc"] if isinstance(part, str)]
    parent = _model_at(parts[:-1], model) if parts else None
    if parent is None:
        return "see docs/rules.md"
    keys = {field.alias or name: field for name, field in parent.model_fields.items()}
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(parts[-1], keys, n=1)
        return f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(keys)}"
    if fault["type"] == "value_error" or parts[-1] not in keys:
        return "see docs/rules.md"
    return keys[parts[-1]].description


def _model_at(parts: list[str], model: type[BaseModel]) -> type[BaseModel] | None:
    for part in parts:
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return None
        model = inner
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model_in(argument)) is not None), None)
