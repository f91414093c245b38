"""The file of keys: who may send what, from where, how much. It holds hashes, never a key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.contracts.event_type import EventType
from endcap.contracts.moment import UtcMoment
from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import read_yaml
from endcap.events.acceptance.acceptance import Sender
from endcap.events.acceptance.scopes import CHANGES_ITEMS, TYPES_OF_SCOPE, Scope

SETTING = "ENDCAP_COLLECTOR__KEYS_FILE"


class KeyEntry(BaseModel):
    """One key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="What dead letters and metrics call it.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the key, in hexadecimal digits.")
    scope: Scope = Field(description="browser, server, backfill, transformer or catalogue.")
    types: list[EventType] | None = Field(None, description="Of the scope's types those that it may send, and no items; all when left out.")
    origins: list[str] = Field(
        default_factory=list, description="Of a browser's key: pages that may send with it; those of the setting when empty."
    )
    events_per_second: float | None = Field(None, gt=0, description="Instead of the setting's.")
    burst: int | None = Field(None, ge=1, description="Instead of the setting's.")
    expires_at: UtcMoment | None = Field(None, description="UTC; no longer taken from then on.")

    @property
    def sender(self) -> Sender:
        """Who sends with it."""
        allowed = TYPES_OF_SCOPE[self.scope]
        types = allowed if self.types is None else allowed & frozenset(self.types)
        return Sender(self.name, self.scope, types, changes_items=self.types is None and self.scope in CHANGES_ITEMS)


class KeyFile(BaseModel):
    """All keys. A key is changed without a gap: add the new one, wait until senders have it, take the old one out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: list[KeyEntry] = Field(description="The keys.")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that hold now, by the hash of each."""

    by_hash: Mapping[str, KeyEntry]

    def find(self, key: str) -> KeyEntry | None:
        """The entry of a key; a look by hash takes as long for a near miss as for any other."""
        return self.by_hash.get(hash_of(key))

    @property
    def origins(self) -> frozenset[str]:
        """Origins that any key names."""
        return frozenset(origin for entry in self.by_hash.values() for origin in entry.origins)


def hash_of(key: str) -> str:
    """As the file has it. Keys are long and random, so one round of a fast hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def read_key_file(path: Path) -> KeyRing:
    """Read the file, YAML or JSON.

    Raises:
        InvalidInput: it cannot be read, or does not fit.
    """
    try:
        document = KeyFile.model_validate(read_yaml(path.read_text(encoding="utf-8"), str(path)).value)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field=SETTING, value=str(path), fix="name a readable file") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(f"{place}: {first['msg']}", field=SETTING, value=str(path), fix="correct the entry") from error
    names = [entry.name for entry in document.keys]
    hashes = {entry.sha256: entry for entry in document.keys}
    if len(hashes) < len(names) or len(set(names)) < len(names):
        raise InvalidInput("a name or a key stands twice", field=SETTING, value=str(path), fix="give each key its own name")
    return KeyRing(hashes)
