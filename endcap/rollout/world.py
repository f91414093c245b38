"""What the operator finds at one look: the target and its candidate, the index, and who else is in line."""

from dataclasses import dataclass
from typing import Literal

from endcap.contracts.rollout import Served

Mode = Literal["Standard", "Knative"]


@dataclass(frozen=True)
class Candidate:
    """The candidate as KServe runs it: an InferenceService of its own, or in Knative mode the target's newest revision.

    Attributes:
        is_ready: it can take traffic.
        is_owned: this rollout made it.
        fingerprint: of its predictor, without bundle and weight.
    """

    is_ready: bool
    is_owned: bool
    fingerprint: str
    message: str = ""


@dataclass(frozen=True)
class Target:
    """The target and the split of its traffic.

    Attributes:
        served: the bundle its spec names.
        is_settled: it is ready, and every pod (or the only revision with traffic) serves what the spec names.
        weight: the candidate's share as written, per cent; None when it cannot be told.
        is_weight_in_force: traffic is known to follow `weight`.
    """

    mode: Mode
    served: Served
    is_settled: bool
    weight: int | None
    is_weight_in_force: bool
    candidate: Candidate | None
    message: str = ""


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
    """

    collection: Literal["loaded", "unloaded", "missing"]
    alias: str | None


@dataclass(frozen=True)
class World:
    """Attributes:
    ahead: name of the rollout of the same target that has to end first.
    index: None when it does not answer, or was not asked.
    champion: bundle version of MLflow's champion; None when there is none, it was not asked, or it does not answer.
    has_registry: whether there is an MLflow to keep in step.
    """

    target: Target | Absent
    ahead: str | None = None
    index: Index | None = None
    champion: int | None = None
    has_registry: bool = False
