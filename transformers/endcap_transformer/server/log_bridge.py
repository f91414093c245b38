"""KServe's, uvicorn's and other libraries' lines through endcap's logger, and no line a request; what a request may not show in one."""

import logging
from collections.abc import Iterator, Sequence

from endcap.contracts.request import Instance
from endcap.core.standard_logging import bridge_standard_logging

_LEVELS = {
    "kserve": logging.WARNING,
    "kserve.trace": logging.ERROR,
    "uvicorn": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
    "opentelemetry": logging.ERROR,
}


def bridge_logs() -> None:
    """Route the loggers; call before KServe's server is made, which configures logging only where none is."""
    bridge_standard_logging("transformer", _LEVELS)
    logging.getLogger("kserve").addHandler(logging.NullHandler())


def private_values(instances: Sequence[Instance]) -> Iterator[str]:
    """What a request says about a person: who, what they look at and have in the cart, what they like."""
    for instance in instances:
        yield from filter(None, (instance.user_id, instance.session_id, instance.context.page))
        yield from instance.item_ids
        yield from instance.exclude
        yield from instance.preferences.categories
        yield from instance.preferences.brands
