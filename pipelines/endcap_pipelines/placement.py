"""Where and how steps run: the four kinds of steps, as processes of this machine and as pods of a cluster."""

from dataclasses import dataclass, field
from typing import Any

from endcap_pipelines.values import ChartValues


@dataclass(frozen=True)
class StepResources:
    """Requests and limits of one step, in Kubernetes quantities."""

    cpu: str
    memory: str


LIGHT = StepResources(cpu="500m", memory="2Gi")
DATA = StepResources(cpu="2", memory="6Gi")
TRAINING = StepResources(cpu="4", memory="12Gi")


PROFILE = {"ENDCAP_PROFILE": "cluster"}
"""What every pod gets before the values' own environment."""
POD_LABELS = {"app.kubernetes.io/name": "endcap", "app.kubernetes.io/component": "pipeline"}
REACHES_LABEL, REACHES_STORES = "endcap.dev/reaches", "stores"
"""On pods that talk to Milvus, MLflow, Feast's stores or Kubernetes, or read a volume: they get the secrets and the volumes."""


@dataclass(frozen=True)
class Placement:
    """Steps on this machine: their kind decides about cache and attempts, nothing about pods.

    Attributes:
        retries: attempts after the first; a laptop has nothing transient to wait for.
    """

    retries: int = 0

    def step(self, task: Any, resources: StepResources) -> Any:
        """A step whose outputs depend on its inputs only: cached, and tried again when its node fails."""
        return self._placed(task, resources).set_caching_options(True).set_retry(num_retries=self.retries)

    def store_step(self, task: Any, resources: StepResources) -> Any:
        """As `step`, and what an input names lies in a store or on a volume."""
        return self._reaching_stores(self.step(task, resources))

    def effect(self, task: Any, resources: StepResources) -> Any:
        """A step that looks at or changes the world outside its outputs: run each time, never answered from a cache."""
        return self._reaching_stores(self._placed(task, resources)).set_caching_options(False)

    def training(self, task: Any) -> Any:
        """A step that trains: cached, on the GPU nodes when there are any."""
        return self._on_gpus(self.step(task, TRAINING))

    def _placed(self, task: Any, _resources: StepResources) -> Any:
        return task

    def _reaching_stores(self, task: Any) -> Any:
        return task

    def _on_gpus(self, task: Any) -> Any:
        return task


@dataclass(frozen=True)
class ClusterPlacement(Placement):
    """Steps as pods, as the chart's values say."""

    retries: int = 2
    values: ChartValues = field(default_factory=ChartValues)

    def _placed(self, task: Any, resources: StepResources) -> Any:
        """The memory request is also the limit, so that a step is never evicted for what it did not ask for."""
        from kfp import kubernetes

        asked = self.values.pipelines.resources.get(task.name) or resources
        task.set_cpu_request(asked.cpu).set_memory_request(asked.memory).set_memory_limit(asked.memory)
        task.set_container_image(self.values.image)
        for name, value in {**PROFILE, **self.values.pipelines.env}.items():
            task.set_env_variable(name, value)
        for label, value in POD_LABELS.items():
            kubernetes.add_pod_label(task, label, value)
        kubernetes.set_image_pull_policy(task, self.values.images.pull_policy)
        if self.values.images.pull_secrets:
            kubernetes.set_image_pull_secrets(task, self.values.images.pull_secrets)
        if self.values.pipelines.security_context:
            user = self.values.pod_security.run_as_user
            kubernetes.set_security_context(task, run_as_user=user, run_as_group=user, run_as_non_root=True)
        return task

    def _reaching_stores(self, task: Any) -> Any:
        from kfp import kubernetes

        kubernetes.add_pod_label(task, REACHES_LABEL, REACHES_STORES)
        for volume in self.values.pipelines.volumes:
            kubernetes.mount_pvc(task, volume.claim_name, volume.mount_path)
        for each in self.values.pipelines.secret_env:
            kubernetes.use_secret_as_env(task, each.secret_name, {each.key: each.env})
        return task

    def _on_gpus(self, task: Any) -> Any:
        from kfp import kubernetes

        gpus = self.values.pipelines.gpus
        if gpus.count:
            task.set_accelerator_type(gpus.resource).set_accelerator_limit(gpus.count)
            for label, value in gpus.node_selector.items():
                kubernetes.add_node_selector(task, label_key=label, label_value=value)
            for each in gpus.tolerations:
                kubernetes.add_toleration(task, each.key or None, each.operator, each.value or None, each.effect or None)
        return task
