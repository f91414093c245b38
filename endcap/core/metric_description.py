"""What a page of documentation says of a metric."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """One metric as /metrics and its documentation show it.

    Attributes:
        name: with the `_total` of a counter and the `_info` of an info metric.
        kind: counter, gauge, histogram or info.
        labels: names of its labels.
        meaning: its help text.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
