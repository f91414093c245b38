"""What of a new schema does not read what an older one allowed."""

from dataclasses import dataclass

VALUE = "(the value)"
"""Path of the value itself, which has no field above it."""


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that readers by the new schema refuse although writers by the old one may have written it.

    Attributes:
        field: path from the value: `experiments[].layer`; `attributes.*` stands for every field that has no name in the schema.
        what: what breaks.
        fix: how the change would not break.
    """

    field: str
    what: str
    fix: str


def below(path: str, name: str) -> str:
    """Path of a field of the object at `path`."""
    return name if path == VALUE else f"{path}.{name}"


def element(path: str) -> str:
    """Path of the elements of the array at `path`."""
    return f"{path}[]"
