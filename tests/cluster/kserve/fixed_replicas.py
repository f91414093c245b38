"""Rule: without an autoscaler KServe itself sets the Deployment's replicas.

Observed: "Autoscaler class `none`/`external`: the Deployment gets replicas = minReplicas."
So a `kubectl scale` is undone there. Without `minReplicas` the Deployment keeps what it has.

Kinder than the real one: the Deployment is made with 1 and scaled in the same look, where KServe makes it with the number.
"""

from typing import Any

from tests.cluster.rest import Objects

MANAGER = "kserve-replicas"
"""Another field manager than the one that applies: a later change of the class leaves the number as it is."""
WITHOUT_AUTOSCALER = ("none", "external")


def fixed_replicas(service: dict[str, Any], autoscaler_class: str) -> int | None:
    """How many replicas KServe wants, None where somebody else says so."""
    if autoscaler_class not in WITHOUT_AUTOSCALER:
        return None
    least: int | None = service["spec"]["predictor"].get("minReplicas")
    return least


def set_replicas(objects: Objects, deployment: dict[str, Any], wanted: int | None) -> None:
    """Bring the Deployment to the number, if there is one.

    Args:
        objects: with the field manager of this rule.
        deployment: as it was read last.
    """
    if wanted is not None and deployment["spec"]["replicas"] != wanted:
        objects.scale(deployment, wanted)
