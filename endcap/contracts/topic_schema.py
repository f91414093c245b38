"""The JSON Schema of a topic's values, made from their contract."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What schema registries and their clients read."""

_DEFINITIONS = "definitions"

JsonSchema = Mapping[str, Any]


class _WithoutFieldTitles(GenerateJsonSchema):
    """A field's title would be its name once more."""

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:  # noqa: ARG002
        return False


def topic_schema(contract: type[BaseModel]) -> JsonSchema:
    """What a value looks like to its readers: a field with a default may be left out.

    What hangs on several fields, such as which of them an event's type needs, is not in it: the contract alone says so.
    """
    schema = contract.model_json_schema(ref_template=f"#/{_DEFINITIONS}/{{model}}", schema_generator=_WithoutFieldTitles)
    definitions = schema.pop("$defs", None)
    return {"$schema": DIALECT, **schema, **({_DEFINITIONS: definitions} if definitions else {})}


def schema_text(schema: JsonSchema) -> str:
    """A schema as a registry gets it: one line, the same for equal schemas."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def schema_file_text(schema: JsonSchema) -> str:
    """A schema as it stands in a file: a line a value, the same for equal schemas."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
