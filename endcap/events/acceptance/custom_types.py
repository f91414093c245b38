"""Event types of the shop's own: a JSON schema each for what a custom event's `properties` may be."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import read_yaml

PROPERTIES_MAX_BYTES = 16 * 1024
"""Longest text of an event's `properties`."""

_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class CustomType(BaseModel):
    """One type in the file of custom types."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: str = Field(min_length=1, description="What an event of the type says.")
    browser: bool = Field(False, description="Whether browser keys may send it; their values are anybody's.")
    json_schema: dict[str, Any] = Field(alias="schema", description="JSON Schema 2020-12 of its `properties`, an object.")


class CustomTypesFile(BaseModel):
    """The file that `ENDCAP_EVENTS__CUSTOM_TYPES_FILE` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: dict[str, CustomType] = Field(description="By name: small letters, digits and underscores.")


@dataclass(frozen=True)
class CustomTypes:
    """The types that are configured; none by default.

    Attributes:
        schemas: of each type's `properties`, by its name.
        of_browsers: names of the types that browser keys may send.
    """

    schemas: Mapping[str, Validator] = field(default_factory=dict)
    of_browsers: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        return name in self.schemas

    def text_of(self, name: str, properties: Mapping[str, Any]) -> str:
        """The properties as they are stored.

        Args:
            name: one of `schemas`.
            properties: JSON values.

        Raises:
            ValueError: a sentence that says where they do not fit; it names no value.
        """
        found = next(self.schemas[name].iter_errors(properties), None)
        if found is not None:
            place = ".".join(str(part) for part in found.absolute_schema_path if isinstance(part, str))
            raise ValueError(f"does not fit the schema of {name} at {place[:120]}")
        text = json.dumps(properties, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ValueError("has half a character; send whole ones") from None
        if size > PROPERTIES_MAX_BYTES:
            raise ValueError(f"has {size:,} bytes; at most {PROPERTIES_MAX_BYTES:,} are taken")
        return text


def load_custom_types(path: Path | None) -> CustomTypes:
    """Read the file of custom types, in YAML or JSON.

    Args:
        path: None for no types.

    Raises:
        InvalidInput: the file cannot be read, or holds something else.
    """
    if path is None:
        return CustomTypes()
    setting = "ENDCAP_EVENTS__CUSTOM_TYPES_FILE"
    try:
        document = CustomTypesFile.model_validate(read_yaml(path.read_text(encoding="utf-8"), str(path)).value)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field=setting, value=str(path), fix="name a readable file") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            field=setting,
            value=str(path),
            fix="give types, each with meaning and schema",
        ) from error
    return CustomTypes(
        {name: _validator(name, custom, path) for name, custom in document.types.items()},
        frozenset(name for name, custom in document.types.items() if custom.browser),
    )


def _validator(name: str, custom: CustomType, path: Path) -> Validator:
    where = f"{path}: types.{name}"
    if not _TYPE_NAME.fullmatch(name):
        raise InvalidInput("no name of a type", field=where, value=name, fix="small letters, digits and underscores, at most 64")
    try:
        Draft202012Validator.check_schema(custom.json_schema)
    except SchemaError as error:
        raise InvalidInput(f"no JSON Schema ({error.message})", field=f"{where}.schema", fix="correct the schema") from error
    return Draft202012Validator(custom.json_schema)
