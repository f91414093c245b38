"""A request to the API as the stand-in sees it, and what a refusal is."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.pipelines.kfp_server.published_api import Operation
from tests.pipelines.kfp_server.published_models import Refused, check_document

Listed = TypeVar("Listed")


class Status(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """A request that fits the published API."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    file: str | None
    token: str | None


def json_of(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"no JSON: {error}") from error


def filtered(request: Request) -> str:
    """The display name that a list is filtered by; nothing else is asked for here."""
    document = json_of(request.query.get("filter", ""))
    check_document(document, "V2beta1Filter", "filter")
    (predicate,) = document["predicates"]
    if (predicate["operation"], predicate["key"]) != ("EQUALS", "display_name"):
        raise Status(501, "other filters are not in this server")
    return str(predicate["string_value"])


def page_of(request: Request, found: list[Listed]) -> tuple[list[Listed] | None, str | None]:
    """One page of a list and the token of the next one; None where there is nothing, as the real API leaves it out."""
    start, size = int(request.query.get("page_token") or 0), int(request.query.get("page_size") or 20)
    more = str(start + size) if start + size < len(found) else None
    return found[start : start + size] or None, more
