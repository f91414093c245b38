"""Ids of schemas that a registry gave once, on disk: with them values are framed while the registry is away, also after a restart."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from endcap.core.files import replace_text
from endcap.core.log import get_logger
from endcap.events.schemas.frame import SCHEMA_ID_MAX


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = 1
    registries: dict[str, dict[str, int]] = {}


class KnownIds:
    """A file of ids by registry, subject and schema. Several processes may share it: of two that write at once the last one stays, and what
    is lost is asked for again.

    Args:
        file: the folders above it are made.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def id_of(self, registry: str, subject: str, schema: str) -> int | None:
        """The id that the registry gave; None where it gave none, or the file cannot be read."""
        found = self._read().get(registry, {}).get(_key(subject, schema))
        return found if found is None or 0 <= found <= SCHEMA_ID_MAX else None

    def remember(self, registry: str, subject: str, schema: str, schema_id: int | None) -> None:
        """Keep an id; None forgets it.

        Raises:
            OSError: the disk refused; the file is as it was.
        """
        registries = {name: dict(ids) for name, ids in self._read().items()}
        ids = registries.setdefault(registry, {})
        if ids.get(_key(subject, schema)) == schema_id:
            return
        if schema_id is None:
            del ids[_key(subject, schema)]
        else:
            ids[_key(subject, schema)] = schema_id
        replace_text(self._file, json.dumps({"version": 1, "registries": registries}, indent=1, sort_keys=True) + "\n")

    def _read(self) -> Mapping[str, Mapping[str, int]]:
        try:
            return _File.model_validate_json(self._file.read_bytes()).registries
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            get_logger("schemas").warning("known ids cannot be read", file=str(self._file), reason=type(error).__name__)
            return {}


def _key(subject: str, schema: str) -> str:
    """Names the schema by its content: another release's id is not this one's."""
    return f"{subject} {sha256(schema.encode()).hexdigest()}"
