"""KServe's and uvicorn's loggers write through endcap's, one structured line a record, and no line a request."""

import logging

from endcap.log import get_logger

_LEVELS = {"kserve": logging.WARNING, "kserve.trace": logging.ERROR, "uvicorn": logging.WARNING, "uvicorn.access": logging.CRITICAL}


class StructuredHandler(logging.Handler):
    """Hands records of the standard library's logging to endcap's logger."""

    def __init__(self) -> None:
        super().__init__()
        self._log = get_logger("transformer")

    def emit(self, record: logging.LogRecord) -> None:
        error = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}" if record.exc_info and record.exc_info[1] else None
        fields = {"logger": record.name} | ({"error": error} if error else {})
        self._log.log(record.levelno, record.getMessage().splitlines()[0] if record.getMessage() else "", **fields)


def bridge_logs() -> None:
    """Route the loggers; call before KServe's server is made, which configures logging only where none is."""
    handler = StructuredHandler()
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name in ("kserve", "uvicorn") else []
        logger.propagate = name in ("kserve.trace",)
        logger.setLevel(level)
