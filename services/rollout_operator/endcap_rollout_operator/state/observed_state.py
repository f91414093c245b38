"""What the operator finds at one look: the target and its candidate, the index, and which rollout is ahead in the queue."""

from dataclasses import dataclass
from typing import Literal

from endcap.contracts.rollout import Served

Mode = Literal["Standard", "Knative"]
CollectionState = Literal["loaded", "unloaded", "missing"]


@dataclass(frozen=True)
class Pods:
    """The pods of one InferenceService in Standard mode, as its spec bounds them and its Deployment counts them.

    Attributes:
        available: those that take traffic.
        min_replicas: of its predictor; None when it has none, which KServe reads as 1.
        max_replicas: None without a bound.
        is_held: the operator wrote `minReplicas`, and nobody else since.
    """

    available: int
    min_replicas: int | None = None
    max_replicas: int | None = None
    is_held: bool = False

    @property
    def declared(self) -> int:
        """Its `minReplicas` as KServe reads it."""
        return self.min_replicas if self.min_replicas is not None else 1

    @property
    def least(self) -> int:
        """What it needs to serve at all, also where it may scale to none."""
        return max(self.declared, 1)

    def bounded(self, wanted: int) -> int:
        """As many as KServe accepts for `minReplicas`."""
        return min(wanted, self.max_replicas) if self.max_replicas is not None else wanted


@dataclass(frozen=True)
class LoadFailure:
    """KServe says that a model was not loaded, and why.

    Attributes:
        restarts: how often its model container was started again, in the pod where that happened most often.
    """

    message: str
    restarts: int = 0


@dataclass(frozen=True)
class Candidate:
    """The candidate as KServe runs it: an InferenceService of its own, or in Knative mode the target's newest revision.

    Attributes:
        is_ready: it can take traffic: in Standard mode at least one of its pods, in Knative mode its revision.
        is_owned: this rollout made it.
        fingerprint: of its predictor, without bundle, weight and minReplicas.
        message: what is wrong with it, or what it waits for.
        pods: None in Knative mode, which scales revisions by itself.
        load_failure: None while nothing is known to have failed.
    """

    is_ready: bool
    is_owned: bool
    fingerprint: str
    message: str = ""
    pods: Pods | None = None
    load_failure: LoadFailure | None = None


@dataclass(frozen=True)
class Target:
    """The target and the split of its traffic.

    Attributes:
        served: the bundle its spec names.
        is_settled: enough pods are available, and every pod (or the only revision with traffic) serves what the spec names.
        weight: the candidate's share as written, per cent; None when it cannot be read.
        is_weight_in_force: traffic is known to follow `weight`.
        pods: None in Knative mode.
    """

    mode: Mode
    served: Served
    is_settled: bool
    weight: int | None
    is_weight_in_force: bool
    candidate: Candidate | None
    message: str = ""
    pods: Pods | None = None


@dataclass(frozen=True)
class Absent:
    """There is no target to work on.

    Attributes:
        reason: one word for status.
        is_gone: the InferenceService itself does not exist.
    """

    reason: str
    message: str
    is_gone: bool


@dataclass(frozen=True)
class Index:
    """Milvus, as far as a rollout needs it.

    Attributes:
        collection: the candidate's.
        alias: the collection the alias points at.
        stable: the collection that a rollback returns to; None when no bundle names one.
    """

    collection: CollectionState
    alias: str | None
    stable: CollectionState | None = None


@dataclass(frozen=True)
class ObservedState:
    """Attributes:
    ahead: name of the rollout of the same target that has to end first.
    index: None when it does not answer, or was not read.
    champion: bundle version of MLflow's champion; None when there is none, it was not read, or it does not answer.
    champion_unknown: why MLflow does not say who its champion is; empty when it says so or was not read.
    has_registry: whether there is an MLflow to keep in step.
    refusal: why the rollout cannot be guarded as its spec is; empty when it can.
    """

    target: Target | Absent
    ahead: str | None = None
    index: Index | None = None
    champion: int | None = None
    champion_unknown: str = ""
    has_registry: bool = False
    refusal: str = ""
