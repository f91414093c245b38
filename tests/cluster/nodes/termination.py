"""How a pod's containers end once the pod is deleted.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination says: the containers' preStop hooks run side by side, each
container gets SIGTERM when its own has ended; what is left after the grace period, which has run since the deletion, is killed. A hook that
takes the whole grace period leaves the container 2 s.
"""

import asyncio

from tests.cluster.nodes.node_api import Document
from tests.cluster.nodes.pod_server import PodServer

LEAST_GRACE_S = 2.0
KILLED = 137


def pre_stop_s(container: Document) -> float:
    """Seconds of the preStop hook.

    Raises:
        ValueError: it does something else than sleep.
    """
    hook = container.get("lifecycle", {}).get("preStop", {})
    if not hook:
        return 0.0
    if "sleep" not in hook:
        raise ValueError(f"preStop of container {container['name']} is {sorted(hook)}: only sleep is known to the kubelet's stand-in")
    return float(hook["sleep"]["seconds"])


async def terminate(pod: Document, serving: Document, server: PodServer) -> dict[str, int]:
    """Exit code of each container, when all have ended.

    Args:
        pod: as it was deleted, with `deletionGracePeriodSeconds`.
        serving: the container whose server it is; the others end at once at SIGTERM.
    """
    grace_s = float(pod["metadata"]["deletionGracePeriodSeconds"])
    containers = pod["spec"]["containers"]
    ends = [_end(each, server, is_serving=each["name"] == serving["name"], grace_s=grace_s) for each in containers]
    codes = await asyncio.gather(*ends)
    return {each["name"]: code for each, code in zip(containers, codes, strict=True)}


async def _end(container: Document, server: PodServer, *, is_serving: bool, grace_s: float) -> int:
    hook_s = min(pre_stop_s(container), grace_s)
    await asyncio.sleep(hook_s)
    if not is_serving:
        server.lose_neighbour()
        return 0
    try:
        async with asyncio.timeout(max(grace_s - hook_s, LEAST_GRACE_S)):
            await server.terminate()
    except TimeoutError:
        server.kill()
        return KILLED
    return 0
