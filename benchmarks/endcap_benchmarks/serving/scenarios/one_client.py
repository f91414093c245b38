"""One client that waits for its answer before it asks again: the figure that other projects publish."""

from typing import Any

from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import summary

REQUESTS_A_SECOND_MAX = 400


def one_client(stage: Stage, seconds: float) -> dict[str, Any]:
    """The whole mix, every answer computed."""
    stretch = stage.closed_loop(seconds, clients=1, requests_max=round(seconds * REQUESTS_A_SECOND_MAX))
    return {"scenario": "one client", "items": stage.items, "protocol": "http", "clients": 1, **summary(stretch)}
