"""The rollout operator: `python -m endcap_rollout_operator`."""

import os
import sys

import kopf
from prometheus_client import CollectorRegistry, start_http_server

from endcap.cli.output import report_failure
from endcap.core.clock import system_clock
from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging, get_logger
from endcap.core.settings import Settings, load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.release.rollout.api_server import open_api_server
from endcap_rollout_operator.bundle_index import BundleIndex
from endcap_rollout_operator.control_loop import ControlLoop
from endcap_rollout_operator.guardrails.guardrails import open_guardrails
from endcap_rollout_operator.handlers import register
from endcap_rollout_operator.metrics import OperatorMetrics
from endcap_rollout_operator.reconciler import Reconciler
from endcap_rollout_operator.registry import Registry
from endcap_rollout_operator.stable_bundle import open_stable_bundle

MLFLOW_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""MLflow's client would try for minutes; the next look tries again anyway."""


def main() -> None:
    """Run until SIGTERM."""
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_standard_logging("rollout-operator", {})
        run(settings)
    except EndcapError as error:
        report_failure(error)
        sys.exit(error.exit_code)


def run(settings: Settings) -> None:
    """Serve health and metrics, and walk rollouts."""
    for name, value in MLFLOW_PATIENCE.items():
        os.environ.setdefault(name, value)
    metrics_registry = CollectorRegistry()
    metrics = OperatorMetrics(metrics_registry)
    api_server = open_api_server(settings)
    start_http_server(settings.rollouts.metrics_port, addr=settings.rollouts.host, registry=metrics_registry)

    def open_reconciler() -> Reconciler:
        return Reconciler(
            open_api_server(settings),
            index=BundleIndex(settings.milvus),
            registry=Registry(settings),
            guardrails=open_guardrails(settings, system_clock),
            metrics=metrics,
            clock=system_clock,
        )

    def open_control_loop() -> ControlLoop:
        stable_bundle = open_stable_bundle(settings)
        tick_s = settings.rollouts.tick_seconds
        return ControlLoop(api_server, open_reconciler, metrics, tick_s=tick_s, clock=system_clock, stable_bundle=stable_bundle)

    registry = kopf.OperatorRegistry()
    register(registry, open_control_loop)
    get_logger("rollout-operator").info("starts", namespace=api_server.namespace, prometheus=settings.rollouts.prometheus_url)
    health = f"http://{settings.rollouts.host}:{settings.rollouts.health_port}/healthz"
    kopf.run(registry=registry, standalone=True, namespaces=[api_server.namespace], liveness_endpoint=health)


if __name__ == "__main__":
    main()
