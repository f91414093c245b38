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


@dataclass(frozen=True)
class Placement:
    """How steps are placed and tried again.

    Attributes:
        gpus: for the two training steps.
        retries: attempts after the first; a laptop has nothing transient to wait for.
    """

    gpus: GpuPool = GpuPool()
    retries: int = 2

    def step(self, task: Any, resources: StepResources) -> Any:
        """A step whose outputs depend on its inputs only: cached, and tried again when its node fails."""
        return _requested(task, resources).set_caching_options(True).set_retry(num_retries=self.retries)

    def effect(self, task: Any, resources: StepResources) -> Any:
        """A step that looks at or changes the world outside its outputs: run each time, never answered from a cache."""
        return _requested(task, resources).set_caching_options(False)

    def training(self, task: Any) -> Any:
        """A step that trains: cached, on the GPU nodes when there are any."""
        from kfp import kubernetes

        self.step(task, TRAINING)
        if self.gpus.count:
            task.set_accelerator_type(self.gpus.resource).set_accelerator_limit(self.gpus.count)
            for label, value in self.gpus.node_selector.items():
                kubernetes.add_node_selector(task, label_key=label, label_value=value)
            if self.gpus.tolerated_taint:
                kubernetes.add_toleration(task, key=self.gpus.tolerated_taint, operator="Exists", effect="NoSchedule")
        return task


def _requested(task: Any, resources: StepResources) -> Any:
    """The memory request is also the limit, so that a step is never evicted for what it did not ask for."""
    return task.set_cpu_request(resources.cpu).set_memory_request(resources.memory).set_memory_limit(resources.memory)
