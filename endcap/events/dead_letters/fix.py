"""A fix: how dead letters of one sort become events that are taken, as data."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.contracts.dead_letter import DeadLetter, DeadLetterKind
from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import read_yaml


class Which(BaseModel):
    """The letters that a fix is for; all conditions hold at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: DeadLetterKind | None = Field(None, description="Letters of this kind.")
    field: str | None = Field(None, description="Letters with this field at fault.")
    reason: str | None = Field(None, description="Letters whose reason has this text in it.")
    key_id: str | None = Field(None, description="Letters of this sender's key.")

    def holds(self, letter: DeadLetter) -> bool:
        """Whether a letter is one of them."""
        alike = all(
            wanted in (None, found)
            for wanted, found in ((self.kind, letter.kind), (self.field, letter.field), (self.key_id, letter.key_id))
        )
        return alike and (self.reason is None or self.reason in letter.reason)


class Fix(BaseModel):
    """What is changed in each event, in this order: fields are renamed, removed, set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    which: Which = Field(Which(), description="The letters it is for; all when left out.")
    rename: dict[str, str] = Field(default_factory=dict, description="New name by old name.")
    remove: list[str] = Field(default_factory=list, description="Fields that go.")
    set: dict[str, Any] = Field(default_factory=dict, description="Values by field, whatever stood there.")
    backfill: bool = Field(False, description="Whether events are taken however late they came; their own times are believed.")

    def applied(self, text: str) -> str:
        """An event's text after the fix; a text that is no JSON object stays as it is."""
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if not isinstance(event, dict) or not (self.rename or self.remove or self.set):
            return text
        renamed = {self.rename.get(name, name): value for name, value in event.items()}
        kept = {name: value for name, value in renamed.items() if name not in self.remove}
        return json.dumps({**kept, **self.set})


def read_fix(path: Path | None) -> Fix:
    """Read a fix, YAML or JSON; None changes nothing, for letters whose cause was elsewhere.

    Raises:
        InvalidInput: the file cannot be read, or is no fix.
    """
    if path is None:
        return Fix()
    try:
        return Fix.model_validate(read_yaml(path.read_text(encoding="utf-8"), str(path)).value)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", field="FIX", value=str(path), fix="name a readable file") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(
            f"{place}: {first['msg']}", field="FIX", value=str(path), fix="give which, rename, remove, set and backfill"
        ) from error
