"""What a decision wants done. Each effect may be carried out again: done twice, it changes nothing more."""

from dataclasses import dataclass

from endcap.contracts.rollout import RolloutBundle, Served


@dataclass(frozen=True)
class AddFinalizer:
    pass


@dataclass(frozen=True)
class RemoveFinalizer:
    pass


@dataclass(frozen=True)
class RemoveAction:
    """Take the action annotation off, if it still has this value."""

    action: str


@dataclass(frozen=True)
class LoadCollection:
    collection: str


@dataclass(frozen=True)
class EnsureCandidate:
    """Start the candidate without traffic."""

    bundle: RolloutBundle


@dataclass(frozen=True)
class RaiseCandidate:
    """Give the candidate at least so many pods."""

    replicas: int


@dataclass(frozen=True)
class HoldReplicas:
    """Keep at least so many pods of the target."""

    replicas: int


@dataclass(frozen=True)
class ReleaseReplicas:
    """Give the target its own `minReplicas` back, if the operator wrote the present ones; None: it had none."""

    replicas: int | None


@dataclass(frozen=True)
class OrphanCandidate:
    """Let the candidate live on when the Rollout is gone: it has the traffic."""


@dataclass(frozen=True)
class SetWeight:
    """Give the candidate this share of the traffic, per cent."""

    weight: int


@dataclass(frozen=True)
class PromoteStable:
    """Make the candidate's bundle the target's own."""

    bundle: RolloutBundle


@dataclass(frozen=True)
class RestoreStable:
    """Make what the target served before its own again."""

    stable: Served


@dataclass(frozen=True)
class DeleteCandidate:
    pass


@dataclass(frozen=True)
class MoveAlias:
    collection: str


@dataclass(frozen=True)
class MakeChampion:
    version: int


@dataclass(frozen=True)
class RecordEvent:
    """An Event that no change of phase stands for."""

    reason: str
    message: str


Effect = (
    AddFinalizer
    | RemoveFinalizer
    | RemoveAction
    | LoadCollection
    | EnsureCandidate
    | RaiseCandidate
    | HoldReplicas
    | ReleaseReplicas
    | OrphanCandidate
    | SetWeight
    | PromoteStable
    | RestoreStable
    | DeleteCandidate
    | MoveAlias
    | MakeChampion
    | RecordEvent
)
