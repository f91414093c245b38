"""What stops a rollout: measurements of a candidate's traffic, held against limits. docs/guardrails.md describes each."""

from endcap.clock import Clock
from endcap.rollout.guardrails.guardrails import Guardrails
from endcap.rollout.guardrails.prometheus import Prometheus
from endcap.settings import Settings

__all__ = ["Guardrails", "open_guardrails"]


def open_guardrails(settings: Settings, clock: Clock) -> Guardrails:
    """Guardrails on the Prometheus that the settings name; it is first asked when something is measured."""
    rollouts = settings.rollouts
    return Guardrails(Prometheus.at(rollouts.prometheus_url, rollouts.prometheus_timeout_seconds), clock, rollouts.prometheus_matchers)
