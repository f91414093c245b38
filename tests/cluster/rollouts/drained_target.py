"""A target as the chart writes it, with its disruption budgets, whose pods run on the nodes' stand-in."""

import json

from tests.cluster.chart import CHART, values_of
from tests.cluster.command import Command
from tests.cluster.rollouts.scene import STABLE_COLLECTION, Scene
from tests.waiting import until

NAME = "drained"
SELECTOR = f"endcap.dev/target={NAME}"
REPLICAS = 2
TEMPLATES = (
    "route-httproute",
    "serving-inferenceservice",
    "serving-poddisruptionbudget",
    "serving-serviceaccount",
    "serving-servingruntime",
)
VALUES = (
    f"fullnameOverride={NAME}",
    "rollouts.operator.enabled=true",
    "route.enabled=true",
    f"serving.replicas.min={REPLICAS},serving.replicas.max=8",
    "serving.autoscaling.class=hpa",
    "serving.topologySpread.enabled=true",
    f"serving.bundle.collection={STABLE_COLLECTION}",
    "serving.termination.preStopSeconds=2,serving.termination.graceSeconds=15",
    "serving.resilience.unreadySeconds=1,serving.resilience.drainSeconds=1",
)
"""Shorter times than the chart's: preStop 5 s, and 10 s to drain."""


def make_drained_target(scene: Scene, helm: Command, kubectl: Command) -> None:
    """Return when its pods are ready and the budget lets one go; the scene forgets it after the test."""
    parts = [f"--show-only=templates/{each}.yaml" for each in TEMPLATES]
    settings = [each for value in VALUES for each in ("--set", value)]
    rendered = helm(
        *("template", NAME, CHART, "--namespace", scene.namespace, "--values", values_of("minimal")),
        *(*settings, "--set-string", "serving.bundle.version=1", *parts),
    )
    kubectl("apply", "--server-side", "--namespace", scene.namespace, "-f", "-", stdin=rendered)
    scene.targets.append(NAME)
    until(lambda: disruptions_allowed(kubectl, scene.namespace) == 1, "ready pods under a budget", 60)


def disruptions_allowed(kubectl: Command, namespace: str) -> int:
    """How many of the target's pods may be evicted now."""
    budget = json.loads(kubectl("get", "poddisruptionbudget", NAME, "--namespace", namespace, "-o", "json"))
    return int(budget.get("status", {}).get("disruptionsAllowed", 0))
