"""Lines of other libraries, warnings and uncaught errors written through endcap's logger, one structured line each."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from endcap.core.log import get_logger

QUIET_SECONDS = 60.0
"""A library's message is written once in this time: most that come at all come with every request."""
REMEMBERED = 256


class Seldom(logging.Filter):
    """Lets a message through that was not seen for a while; with other values filled in it is the same message.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, key = self._clock(), (record.name, str(record.msg))
        if now - self._last.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        if len(self._last) >= REMEMBERED:
            self._last.clear()
        self._last[key] = now
        return True


class StructuredHandler(logging.Handler):
    """Hands records of the standard library's logging to endcap's logger: the message's first line, and an error by kind and words.

    Args:
        part: the part of endcap whose process this is.
        clock: monotonic seconds.
    """

    def __init__(self, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._log = get_logger(part)
        self.addFilter(Seldom(clock))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            error = record.exc_info[1] if record.exc_info else None
            fields = {"logger": record.name} | ({"error": described(error)} if error else {})
            self._log.log(record.levelno, first_line(message), **fields)
        except Exception:  # a record that cannot be formatted must not end what logged it
            self._log.warning("a line could not be written", logger=record.name)


def bridge_standard_logging(part: str, levels: Mapping[str, int]) -> None:
    """Route the standard library's logging, warnings and errors that nobody caught.

    Args:
        part: the part of endcap whose process this is.
        levels: lowest level by logger name; warnings and worse of all others.
    """
    root = logging.getLogger()
    root.handlers = [StructuredHandler(part)]
    root.setLevel(logging.WARNING)
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(level)
    logging.captureWarnings(capture=True)
    log = get_logger(part)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught error", error=described(error), at=place(trace))

    def uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None and not isinstance(caught.exc_value, SystemExit):
            log.error(
                "thread ended",
                thread=caught.thread.name if caught.thread else "",
                error=described(caught.exc_value),
                at=place(caught.exc_traceback),
            )

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    sys.unraisablehook = lambda caught: log.warning("error in a finaliser", error=described(caught.exc_value))


def described(error: BaseException | None) -> str:
    """An error's kind and the first line of its words."""
    return f"{type(error).__name__}: {first_line(str(error))}" if error is not None else ""


def place(trace: TracebackType | None) -> str:
    """Where an error was raised: file and line of the innermost frame."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", trace.tb_frame.f_code.co_filename)
    return f"{module}:{trace.tb_lineno}"


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
