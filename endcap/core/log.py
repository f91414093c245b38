"""The one logger: structured lines on standard error, times in UTC, nothing about persons."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

PERSONAL_FIELDS = frozenset(
    {
        *("user_id", "session_id", "user", "session", "customer", "household", "email", "phone", "first_name", "last_name"),
        *("ip", "client", "client_ip", "remote_addr", "x_forwarded_for", "cookie", "authorization", "headers"),
        *("query", "q", "page", "url", "referer", "item_ids", "cart", "exclude", "history", "preferences"),
        *("body", "payload", "instance", "instances", "row", "features"),
    }
)
"""Names of fields that are left out of every line, at any depth."""

KEPT_FIELDS = frozenset({"request_id", "trace_id", "timestamp", "level", "part"})
"""Never changed: what lines are found by."""

HIDDEN = "[hidden]"

_PLAIN = re.compile(r"[\w.:-]+", re.ASCII)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`|; got .*|\[input_value=.*", re.DOTALL)

PrivateValues = Callable[[], Iterable[str]]
"""What a request said about a person; asked only when a line is written."""


@dataclass(frozen=True, slots=True)
class RequestLabels:
    """The request that lines are about.

    Attributes:
        request_id: the request's.
        trace_id: of its trace, or empty.
        private: its values that no line may show; None while they are not known, as during parsing, and everything quoted is hidden.
    """

    request_id: str
    trace_id: str = ""
    private: PrivateValues | None = None


_REQUEST: ContextVar[RequestLabels | None] = ContextVar("endcap_log_request", default=None)


def label_lines(request_id: str, trace_id: str = "", private: PrivateValues | None = None) -> None:
    """Lines of this task from now on are about a request; of the tasks it starts too, but not of threads.

    It is not taken back: a request has a task of its own, and the line about its failure is written after it was left.
    """
    _REQUEST.set(RequestLabels(request_id, trace_id, private))


def about_request(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:  # noqa: ARG001
    """structlog processor: adds `request_id` and `trace_id`."""
    labels = _REQUEST.get()
    if labels is not None:
        line["request_id"] = labels.request_id
        if labels.trace_id:
            line["trace_id"] = labels.trace_id
    return line


def without_personal(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:  # noqa: ARG001
    """structlog processor: leaves personal fields out and hides the request's own values wherever they stand."""
    hide = _hiding(_REQUEST.get())
    return {
        name: value if name in KEPT_FIELDS else _clean(value, hide) for name, value in line.items() if name.lower() not in PERSONAL_FIELDS
    }


def _hiding(labels: RequestLabels | None) -> Callable[[str], str]:
    """What hides the personal parts of a text."""
    if labels is None:
        return _without_addresses
    if labels.private is None:
        return lambda text: _QUOTED.sub(HIDDEN, _without_addresses(text))
    spellings = {each for value in labels.private() for each in _spellings(value)}

    def hidden(text: str) -> str:
        folded = text.casefold()
        found = sorted((each for each in spellings if each.casefold() in folded), key=lambda each: (-len(each), each))
        if found:
            text = re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, found))})(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
        return _without_addresses(text)

    return hidden


def _spellings(value: str) -> tuple[str, ...]:
    """A value as it is, and as error messages and JSON write it."""
    return (value,) if _PLAIN.fullmatch(value) else (value, repr(value)[1:-1], json.dumps(value)[1:-1])


def _without_addresses(text: str) -> str:
    return _EMAIL.sub(HIDDEN, text)


def _clean(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if hide(str(value)) == str(value) else HIDDEN
        case Mapping():
            return {hide(str(name)): _clean(each, hide) for name, each in value.items() if str(name).lower() not in PERSONAL_FIELDS}
        case list() | tuple() | set() | frozenset():
            return [_clean(each, hide) for each in value]
        case _:
            return hide(str(value))


LogFormat = Literal["console", "json"]


def configure_logging(level: str = "INFO", log_format: LogFormat = "console") -> None:
    """Set up logging for one process; called once, by the process's entry point.

    Args:
        level: a name the standard library knows, for example "INFO".
        log_format: "json" for machines (one object a line), "console" for people.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            about_request,
            without_personal,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(part: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines carry the part of endcap that wrote them."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(part=part))
