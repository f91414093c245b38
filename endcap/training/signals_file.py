"""The shop's own signals: how much each type of event teaches, as YAML or as a parameter of the pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from endcap.contracts.signals import Signals
from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import YamlDocument, read_yaml


def read_signals(file: Path | None) -> Signals:
    """The signals of a file; what it does not name has its default, and without a file everything.

    Raises:
        InvalidInput: it cannot be read, or holds an unknown name or value, with the line.
    """
    if file is None:
        return Signals()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read: {error}", field=str(file), fix="name a YAML file of signals") from error
    document = read_yaml(text, file.name)
    return _checked({} if document.value is None else document.value, document, file.name)


def signals_of(given: Mapping[str, Any]) -> Signals:
    """The signals of a parameter; `{}` for the defaults.

    Raises:
        InvalidInput: a name or value is unknown.
    """
    return _checked(given, YamlDocument(given), "signals")


def _checked(value: Any, document: YamlDocument, name: str) -> Signals:
    try:
        return Signals.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        line = document.line(first["loc"])
        place = ".".join([name, *map(str, first["loc"])]) + (f", line {line}" if line else "")
        known = ", ".join(Signals.model_fields)
        raise InvalidInput(
            first["msg"].removeprefix("Value error, "), field=place, value=first.get("input"), fix=f"it may hold {known}"
        ) from error
