"""The one logger: structured lines on standard error, times in UTC, nothing about persons."""

import logging
import sys
from typing import Literal, cast

import structlog

from endcap.core.log_privacy import about_request, without_personal

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
