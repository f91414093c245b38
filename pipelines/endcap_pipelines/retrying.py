"""Ask a Kubeflow Pipelines server again until it answers and has what is asked for, or the time is up."""

import time
from collections.abc import Callable
from typing import TypeVar

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap_pipelines.server_objects import NotInstalled

RETRY_S = 5.0

T = TypeVar("T")


def until_answered(
    request: Callable[[], T],
    timeout_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What the request returns. It must be one that may be sent twice.

    Args:
        request: raises `DependencyUnavailable` while the server does not answer, `NotInstalled` while a pipeline is not there yet.
        timeout_s: time in which it is sent again, in seconds; 0 sends it once.
        clock: seconds that only grow.
        sleep: waits so many seconds.

    Raises:
        DependencyUnavailable: the server still does not answer.
        NotInstalled: it still does not have the pipeline.
    """
    return poll(
        request,
        every_s=RETRY_S,
        within_s=timeout_s,
        is_there=lambda _: True,
        again_on=(DependencyUnavailable, NotInstalled),
        clock=clock,
        sleep=sleep,
    )
