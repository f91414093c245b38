"""Released versions of the topics' schemas: files that are never changed once they are there, numbered from 1.

They are kept apart from the models so that a model that breaks what was written before is found out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.contracts.topic_schema import schema_file_text, schema_text
from endcap.core.errors import DataRejected, InvalidInput

VERSIONS = Path(__file__).with_name("versions")
"""A folder a topic, by its stem; in it `1.json`, `2.json` and so on."""

SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class ReleasedSchema:
    """One version of a topic's schema.

    Attributes:
        number: from 1; a registry may number otherwise.
        schema: JSON Schema.
    """

    number: int
    schema: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As a registry gets it."""
        return schema_text(self.schema)


def released_schemas(stem: str, folder: Path = VERSIONS) -> tuple[ReleasedSchema, ...]:
    """All versions of a topic's schema, the oldest first; none for a topic that was never released.

    Args:
        stem: of the topic.
        folder: of all topics.

    Raises:
        DataRejected: a file is not a JSON object, or a number is missing.
    """
    numbers = sorted(int(file.stem) for file in (folder / stem).glob(f"*{SUFFIX}") if file.stem.isdigit())
    if numbers != [*range(1, len(numbers) + 1)]:
        raise DataRejected("versions are missing", field=str(folder / stem), value=numbers, fix="restore the files: they are never removed")
    return tuple(ReleasedSchema(number, _read(folder / stem / f"{number}{SUFFIX}")) for number in numbers)


def newest_schema(stem: str, folder: Path = VERSIONS) -> ReleasedSchema:
    """The version that this release writes.

    Raises:
        InvalidInput: there is none.
        DataRejected: a file is not a JSON object, or a number is missing.
    """
    released = released_schemas(stem, folder)
    if not released:
        fix = "write it with `python -m endcap.events.schemas.next_version`"
        raise InvalidInput("the topic has no schema", field=str(folder / stem), fix=fix)
    return released[-1]


def write_version(stem: str, schema: Mapping[str, Any], folder: Path = VERSIONS) -> Path:
    """Add a version to a topic; those that are there stay as they are.

    Raises:
        DataRejected: a file is not a JSON object, or a number is missing.
    """
    target = folder / stem / f"{len(released_schemas(stem, folder)) + 1}{SUFFIX}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8") as file:
        file.write(schema_file_text(schema))
    return target


def _read(file: Path) -> Mapping[str, Any]:
    try:
        schema = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataRejected("the file is no JSON", field=str(file), fix="restore it: versions are never changed") from error
    if not isinstance(schema, dict):
        raise DataRejected("the file is no JSON object", field=str(file), fix="restore it: versions are never changed")
    return schema
