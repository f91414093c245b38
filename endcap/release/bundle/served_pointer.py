"""Which bundle of a store is served, as one small file: whoever changes it writes the file, whoever follows reads it at each look."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.files import replace_text

POINTER_NAME = "served.json"
"""The file's name where a ConfigMap holds it."""

_FIELD = "ENDCAP_ROLLOUTS__SERVED_FILE"


class ServedPointer(BaseModel):
    """`served.json`: on a cluster the rollout operator writes it, or the chart where there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int | None = Field(ge=1, description="The stable version; null before the first one is served.")

    def text(self) -> str:
        """The file's content."""
        return self.model_dump_json()


def parse_pointer(text: str, name: str) -> ServedPointer:
    """What a file says.

    Args:
        text: of the file.
        name: of the file, for errors.

    Raises:
        BundleInvalid: it does not fit the contract.
    """
    try:
        return ServedPointer.model_validate_json(text)
    except (ValidationError, json.JSONDecodeError) as error:
        raise BundleInvalid(
            "it does not say which bundle is served", field=name, value=text, fix='write {"version": VERSION}, or let the operator do so'
        ) from error


def read_pointer(file: Path) -> ServedPointer:
    """What is served now.

    Raises:
        DependencyUnavailable: nobody has said yet what is served, or the disk does not give it.
        BundleInvalid: the file does not fit the contract.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        fix = f"wait for the rollout operator, which writes it, or write it yourself: {file}"
        raise DependencyUnavailable(f"nobody has said which bundle is served: {error.strerror}", field=_FIELD, fix=fix) from error
    return parse_pointer(text, str(file))


def write_pointer(file: Path, pointer: ServedPointer) -> None:
    """Say what is served; who reads finds the earlier content or this one."""
    replace_text(file, pointer.text())
