"""What the pipeline's wrappers of all steps share: the container image, and how metrics are left."""

import json
from collections.abc import Mapping
from pathlib import Path

from kfp.dsl import Metrics

BASE_IMAGE = "endcap/pipeline:0.1.0"
"""Has endcap and its components installed, so that steps install nothing; the values that a pipeline is compiled with name another one."""


def log_metrics(metrics: Metrics, values: Mapping[str, float]) -> None:
    """Log a step's metrics for the dashboard and write them as the artifact's file.

    The file makes the step cacheable: a step whose output artifact was never written is run each time.
    """
    for name, value in values.items():
        metrics.log_metric(name, value)
    path = Path(metrics.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(values)), encoding="utf-8")
