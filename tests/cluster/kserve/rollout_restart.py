"""Rule: what others write into the pod template's annotations is taken away again.

Observed: "`kubectl rollout restart` of its Deployment is undone at the next reconcile." So the restart begins and is rolled back.

Kinder than the real one: other fields that somebody else adds to the Deployment stay, where KServe's patch would take them away, too.
"""

from typing import Any

from tests.cluster.rest import Objects


def undo_restart(objects: Objects, deployment: dict[str, Any], wanted: dict[str, str]) -> None:
    """Remove annotations of the pod template that KServe does not want.

    Args:
        deployment: as the API server has it.
        wanted: all that KServe wants there.
    """
    present = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    foreign = {key: None for key in present if key not in wanted}
    if foreign:
        objects.patch(deployment, {"spec": {"template": {"metadata": {"annotations": foreign}}}})
