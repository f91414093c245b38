"""How a target's traffic is split between two bundles; one implementation a deployment mode of KServe."""

from typing import Any, Protocol

from endcap.contracts.rollout import RolloutBundle, Served
from endcap.core.errors import InvalidInput
from endcap.release.rollout.api_server import INFERENCE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import candidate_name, is_owned_by
from endcap_rollout_operator.kserve.inference_service import absent, mode_of
from endcap_rollout_operator.kserve.knative import KnativeTraffic
from endcap_rollout_operator.kserve.standard import StandardTraffic
from endcap_rollout_operator.state.observed_state import Absent, Target


class Traffic(Protocol):
    """The target at one look. What it changes, it changes only if nobody else did since that look; else `Conflict`.

    Each change may be made again when it is done already.
    """

    def target(self) -> Target | Absent: ...

    def ensure_candidate(self, bundle: RolloutBundle) -> None:
        """Start the candidate without traffic."""

    def raise_candidate(self, replicas: int) -> None:
        """Give the candidate at least so many pods; Knative scales by itself."""

    def hold_replicas(self, replicas: int) -> None:
        """Keep at least so many pods of the target; Knative scales by itself."""

    def release_replicas(self, replicas: int | None) -> None:
        """Give the target its own `minReplicas` back, if the operator wrote the present ones."""

    def orphan_candidate(self) -> None:
        """Let the candidate live on when the Rollout is gone."""

    def set_weight(self, weight: int) -> None:
        """Give the candidate this share, per cent."""

    def promote_stable(self, bundle: RolloutBundle) -> None:
        """Make the bundle the target's own."""

    def restore_stable(self, stable: Served) -> None:
        """Make the bundle that was served before the target's own again."""

    def delete_candidate(self) -> None:
        """Take away what only the rollout needed; it has no traffic any more."""


class NoTarget:
    """A target that is not there, or cannot be worked on: nothing to change but what the rollout itself left behind.

    Args:
        absent: why there is none.
    """

    def __init__(self, api_server: ApiServer, rollout: Rollout, absent: Absent) -> None:
        self._api_server = api_server
        self._rollout = rollout
        self._absent = absent

    def target(self) -> Absent:
        return self._absent

    def ensure_candidate(self, _bundle: RolloutBundle) -> None:
        raise self._impossible()

    def raise_candidate(self, _replicas: int) -> None:
        raise self._impossible()

    def hold_replicas(self, _replicas: int) -> None:
        raise self._impossible()

    def release_replicas(self, _replicas: int | None) -> None:
        raise self._impossible()

    def orphan_candidate(self) -> None:
        raise self._impossible()

    def set_weight(self, _weight: int) -> None:
        raise self._impossible()

    def promote_stable(self, _bundle: RolloutBundle) -> None:
        raise self._impossible()

    def restore_stable(self, _stable: Served) -> None:
        raise self._impossible()

    def delete_candidate(self) -> None:
        name = candidate_name(self._rollout.spec.target)
        document = self._api_server.get(INFERENCE_SERVICES, name)
        if document is not None and is_owned_by(document, self._rollout):
            self._api_server.delete(INFERENCE_SERVICES, name, document["metadata"]["uid"])

    def _impossible(self) -> InvalidInput:
        return InvalidInput(self._absent.message, field="spec.target", value=self._rollout.spec.target)


def look_at(api_server: ApiServer, rollout: Rollout) -> Traffic:
    """The target of a rollout as it is now."""
    name = rollout.spec.target
    document: dict[str, Any] | None = api_server.get(INFERENCE_SERVICES, name)
    problem = absent(document, name)
    if document is None or problem is not None:
        return NoTarget(api_server, rollout, problem or Absent("TargetMissing", f"there is no InferenceService {name}", is_gone=True))
    mode = rollout.status.mode or mode_of(document)
    if mode is None:
        message = f"InferenceService {name} has no annotation serving.kserve.io/deploymentMode, and KServe has not chosen one"
        return NoTarget(api_server, rollout, Absent("DeploymentModeUnknown", message, is_gone=False))
    return (StandardTraffic if mode == "Standard" else KnativeTraffic)(api_server, rollout, document)
