"""The one error hierarchy of endcap: every message names the field, the value and the fix."""

from typing import Any, ClassVar


class EndcapError(Exception):
    """Base of every error a user may see.

    `exit_code` is what the command line ends with, `http_status` what the predict endpoint answers with.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None, value: Any = None, fix: str | None = None) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.fix = fix
        super().__init__(self.describe())

    def describe(self) -> str:
        parts = [f"{self.field}: {self.message}" if self.field else self.message]
        if self.value is not None:
            parts.append(f"got {_shortened(self.value)}")
        if self.fix:
            parts.append(self.fix)
        return "; ".join(parts)


class InvalidInput(EndcapError):
    """A request, an option or a setting is not what the contract asks for."""

    exit_code = 2
    http_status = 400


class DataRejected(EndcapError):
    """A dataset cannot be used: empty, unreadable, or with more bad rows than allowed."""

    exit_code = 3
    http_status = 400


class BundleInvalid(EndcapError):
    """A model bundle is incomplete, corrupt, or does not fit this version of endcap."""

    exit_code = 4


class DependencyUnavailable(EndcapError):
    """A part that endcap needs (Milvus, the model server, the feature store) does not answer."""

    exit_code = 5
    http_status = 503


class CallRefused(DependencyUnavailable):
    """A part refused one call for what stands in it; the part itself is well, and answers others."""


class BundleRefused(EndcapError):
    """The promotion gate refused a bundle."""

    exit_code = 6


class ClusterUnfit(EndcapError):
    """A cluster lacks something that the values of a release need."""

    exit_code = 7


class SchemaIncompatible(EndcapError):
    """A schema does not read what was written by an earlier one of its topic."""

    exit_code = 8


def _shortened(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({_extent(value, text)})"


def _extent(value: Any, text: str) -> str:
    """How much there is of a value, counted as the one who gave it counts."""
    match value:
        case str():
            return f"{len(value)} characters"
        case bytes():
            return f"{len(value)} bytes"
        case list() | tuple() | dict() | set() | frozenset():
            return f"{len(value)} entries"
        case _:
            return f"{len(text)} characters"
