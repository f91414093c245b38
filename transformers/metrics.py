"""What a transformer counts, exposed on /metrics."""

from prometheus_client import CollectorRegistry, Counter, Histogram

STAGE_BUCKETS_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 1.0)


class ServingMetrics:
    """The counters of one process.

    Args:
        registry: where they are registered; a registry takes them once.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.stage_seconds = Histogram(
            "endcap_stage_seconds", "Time by stage of a request.", ["stage"], buckets=STAGE_BUCKETS_S, registry=registry
        )
        self.requests = Counter("endcap_lists", "Lists answered.", ["surface"], registry=registry)
        self.fallbacks = Counter("endcap_fallbacks", "Stages that failed or were late.", ["stage"], registry=registry)
        self.refused = Counter("endcap_refused", "Requests refused as invalid.", ["protocol"], registry=registry)
