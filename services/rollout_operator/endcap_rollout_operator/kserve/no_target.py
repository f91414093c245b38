"""A target that is not there, or cannot be worked on: nothing to change but what the rollout itself left behind."""

from endcap.contracts.rollout import RolloutBundle, Served
from endcap.core.errors import InvalidInput
from endcap.release.rollout.api_server import INFERENCE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import candidate_name, is_owned_by
from endcap_rollout_operator.state.observed_state import Absent


class NoTarget:
    """Args:
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
