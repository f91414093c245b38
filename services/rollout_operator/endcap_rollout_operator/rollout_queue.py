"""Who is next: one rollout of a target at a time, the oldest first."""

from collections.abc import Iterable

from endcap.contracts.rollout import Phase
from endcap.release.rollout.resource import Rollout


def queues(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    """The queue of each target, in the order of their turns; one that has begun is before all that have not."""
    by_target: dict[str, list[Rollout]] = {}
    for rollout in sorted(rollouts, key=_turn):
        by_target.setdefault(rollout.spec.target, []).append(rollout)
    return by_target


def _turn(rollout: Rollout) -> tuple[bool, float, str]:
    has_begun = rollout.status.phase not in (None, Phase.WAITING)
    return not has_begun, rollout.created_at.timestamp(), rollout.name
