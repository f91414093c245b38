"""What steps ask of a cluster: CPU and memory by step, and GPUs for training where there are any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepResources:
    """Requests and limits of one step, in Kubernetes quantities."""

    cpu: str
    memory: str


LIGHT = StepResources(cpu="500m", memory="2Gi")
DATA = StepResources(cpu="2", memory="6Gi")
TRAINING = StepResources(cpu="4", memory="12Gi")


@dataclass(frozen=True)
class GpuPool:
    """Where training steps find GPUs.

    Attributes:
        count: GPUs a training step; 0 trains on CPUs.
        resource: the name under which nodes offer them.
        node_selector: labels of the nodes.
        tolerated_taint: key of the taint that keeps other work off them; empty for none.
    """

    count: int = 0
    resource: str = "nvidia.com/gpu"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerated_taint: str = "nvidia.com/gpu"


def request(task: Any, resources: StepResources) -> None:
    """Ask for CPU and memory; the memory request is also the limit, so that a step is never evicted for what it did not ask for."""
    task.set_cpu_request(resources.cpu).set_memory_request(resources.memory).set_memory_limit(resources.memory)


def request_gpus(task: Any, pool: GpuPool) -> None:
    """Send a training step to the GPU nodes of a pool."""
    from kfp import kubernetes

    if not pool.count:
        return
    task.set_accelerator_type(pool.resource).set_accelerator_limit(pool.count)
    for label, value in pool.node_selector.items():
        kubernetes.add_node_selector(task, label_key=label, label_value=value)
    if pool.tolerated_taint:
        kubernetes.add_toleration(task, key=pool.tolerated_taint, operator="Exists", effect="NoSchedule")
