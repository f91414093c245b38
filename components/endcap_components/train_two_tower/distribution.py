"""The strategy by which a fit runs on several devices or machines, by setting."""

import json
import os
from dataclasses import dataclass
from typing import Any

from endcap.core.errors import InvalidInput
from endcap.core.settings import Distribution
from endcap.training.workers import Worker


@dataclass(frozen=True)
class Strategy:
    """One of TensorFlow's strategies, and this process among its workers.

    Attributes:
        tf: a `tf.distribute.Strategy`; TensorFlow's default one computes on one device.
        worker: this process.
    """

    tf: Any
    worker: Worker

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what comes out."""
        return self.worker.index == 0

    def barrier(self) -> None:
        """Wait until every worker is here: one that leaves while others compute looks to them like one that was lost."""
        if self.worker.count > 1:
            import tensorflow as tf

            def present() -> Any:
                return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(1.0))

            self.tf.experimental_local_results(tf.function(lambda: self.tf.run(present))())


def open_strategy(distribution: Distribution) -> Strategy:
    """The strategy that a setting asks for. Call before anything computes with TensorFlow: this is a barrier for workers.

    "auto" takes every worker of TF_CONFIG, else every GPU of this process when there are several, else the one device there is.

    Raises:
        InvalidInput: several workers are asked for, and TF_CONFIG does not name them.
    """
    import tensorflow as tf

    workers = _workers()
    if distribution == "auto":
        distribution = "multi_worker" if len(workers) > 1 else "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "none"
    if distribution == "none":
        return Strategy(tf.distribute.get_strategy(), Worker())
    if distribution == "mirrored":
        mirrored = tf.distribute.MirroredStrategy(_devices())
        return Strategy(mirrored, Worker(replicas=mirrored.num_replicas_in_sync))
    if not workers:
        raise InvalidInput(
            "names no workers", field="TF_CONFIG", fix="set it in every worker, or take another ENDCAP_TRAINING__DISTRIBUTION"
        )
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    replicas = strategy.num_replicas_in_sync // len(workers)
    return Strategy(strategy, Worker(_index(workers), len(workers), replicas))


def _devices() -> list[str]:
    import tensorflow as tf

    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _workers() -> list[tuple[str, int]]:
    """Kind and number of every worker, the chief first; empty without TF_CONFIG."""
    cluster = _tf_config().get("cluster", {})
    return [(kind, number) for kind in ("chief", "worker") for number in range(len(cluster.get(kind, [])))]


def _index(workers: list[tuple[str, int]]) -> int:
    task = _tf_config().get("task", {})
    own = (task.get("type"), int(task.get("index", -1)))
    if own not in workers:
        raise InvalidInput("names a task that is no worker of its cluster", field="TF_CONFIG", value=task)
    return workers.index(own)


def _tf_config() -> dict[str, Any]:
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        config = json.loads(text)
    except ValueError as error:
        raise InvalidInput("must be JSON", field="TF_CONFIG", value=text) from error
    if not isinstance(config, dict):
        raise InvalidInput("must be a map", field="TF_CONFIG", value=text)
    return config
