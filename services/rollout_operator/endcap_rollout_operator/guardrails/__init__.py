"""What stops a rollout: measurements of a candidate's traffic, held against limits. docs/guardrails.md describes each."""

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap_rollout_operator.guardrails.guardrails import Guardrails
from endcap_rollout_operator.guardrails.prometheus import Prometheus

__all__ = ["Guardrails", "open_guardrails"]


def open_guardrails(settings: Settings, clock: Clock) -> Guardrails:
    """Guardrails on the Prometheus that the settings name; the first query is made when something is measured."""
    rollouts = settings.rollouts
    return Guardrails(Prometheus.at(rollouts.prometheus_url, rollouts.prometheus_timeout_seconds), clock, rollouts.prometheus_matchers)
