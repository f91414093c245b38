"""A `Rollout` as the API server keeps it, its status as a patch, and the steps it really takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from endcap.contracts.rollout import ACTION_ANNOTATION, ENDED, FINALIZER, Action, Pause, RolloutSpec, RolloutStatus, Step
from endcap.core.errors import InvalidInput

FULL_WEIGHT = 100


@dataclass(frozen=True)
class Rollout:
    """One resource at one moment.

    Attributes:
        has_finalizer: whether its deletion waits for the operator.
        requested_action: the action annotation as it stands, which may be no action at all.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created_at: datetime
    is_deleting: bool
    has_finalizer: bool
    requested_action: str | None
    spec: RolloutSpec
    status: RolloutStatus

    @property
    def action(self) -> Action | None:
        """The requested action, when the operator knows it."""
        return Action(self.requested_action) if self.requested_action in set(Action) else None

    @property
    def has_ended(self) -> bool:
        return self.status.phase in ENDED


def parse_rollout(document: Mapping[str, Any]) -> Rollout:
    """Read what the API server sent.

    Raises:
        InvalidInput: the spec or the status does not fit the models.
    """
    metadata = document["metadata"]
    try:
        spec = RolloutSpec.model_validate(document["spec"])
        status = RolloutStatus.model_validate(document.get("status") or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            first["msg"], field=f"{metadata['name']}: {where}", value=first.get("input"), fix="correct the Rollout, or delete it"
        ) from error
    return Rollout(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 1),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]).astimezone(UTC),
        is_deleting=metadata.get("deletionTimestamp") is not None,
        has_finalizer=FINALIZER in metadata.get("finalizers", ()),
        requested_action=metadata.get("annotations", {}).get(ACTION_ANNOTATION),
        spec=spec,
        status=status,
    )


def status_document(status: RolloutStatus) -> dict[str, Any]:
    """The status as a merge patch replaces it: an empty field of an object is null and goes; an element of a list is whole as it is."""
    document = status.model_dump(mode="json", by_alias=True)
    compact = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: compact[name] if isinstance(value, list) else value for name, value in document.items()}


def steps_taken(spec: RolloutSpec) -> list[Step]:
    """The spec's steps; where they end lower, one with all traffic follows that lasts for one look at the guardrails."""
    if spec.steps[-1].set_weight == FULL_WEIGHT:
        return list(spec.steps)
    return [*spec.steps, Step(set_weight=FULL_WEIGHT, pause=Pause(duration=spec.analysis.interval))]


def step_index(spec: RolloutSpec, status: RolloutStatus) -> int:
    """The present step; the last one when steps were taken out of the spec meanwhile."""
    return min(status.current_step_index or 0, len(steps_taken(spec)) - 1)


def step_seconds(status: RolloutStatus, now: datetime) -> float:
    """How long the step has run, without the time it was paused."""
    if status.step_started_at is None:
        return 0.0
    until = status.paused_at or now
    return (until - status.step_started_at).total_seconds() - status.step_held_seconds
