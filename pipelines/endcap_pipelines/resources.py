"""What steps ask of a cluster: CPU and memory by kind of step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepResources:
    """Requests and limits of one step, in Kubernetes quantities."""

    cpu: str
    memory: str


LIGHT = StepResources(cpu="500m", memory="2Gi")
DATA = StepResources(cpu="2", memory="6Gi")
TRAINING = StepResources(cpu="4", memory="12Gi")
