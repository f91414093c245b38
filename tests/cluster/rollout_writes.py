"""What a rollout writes, one write at a time by the operator's own code, and what is then in the cluster."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from endcap.contracts.rollout import RolloutBundle, RolloutSpec, RolloutStatus, Step
from endcap.release.rollout.api_server import HTTP_ROUTES, INFERENCE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.traffic import look_at
from tests.cluster.chart import RELEASE


@dataclass
class Live:
    """What a rollout changes, as it is in the cluster."""

    server: ApiServer

    def service(self) -> dict[str, Any]:
        found = self.server.get(INFERENCE_SERVICES, RELEASE)
        assert found is not None
        return found

    def bundle(self) -> tuple[str, str]:
        """Version by the storage address, and by the annotations."""
        found = self.service()
        notes = found["metadata"]["annotations"]
        assert notes["endcap.dev/collection"] == f"endcap_{notes['endcap.dev/bundle']}"
        return found["spec"]["predictor"]["model"]["storageUri"].rpartition("/")[2], notes["endcap.dev/bundle"]

    def route(self) -> dict[str, Any]:
        found = self.server.get(HTTP_ROUTES, RELEASE)
        assert found is not None
        return found

    def weights(self) -> list[int]:
        """Of the rule `traffic`: stable, candidate."""
        rule = next(each for each in self.route()["spec"]["rules"] if each["name"] == "traffic")
        return [each["weight"] for each in rule["backendRefs"]]

    def rules(self) -> list[str]:
        return [each["name"] for each in self.route()["spec"]["rules"]]


class Operator:
    """The rollout operator's own writes, one at a time."""

    def __init__(self, server: ApiServer, version: int) -> None:
        self._server = server
        self._bundle = RolloutBundle(version=version, storage_uri=f"pvc://endcap-bundles/{version}", collection=f"endcap_{version}")

    def give(self, weight: int) -> None:
        """Give the candidate this share."""
        self._traffic().set_weight(weight)

    def start_candidate(self) -> None:
        self._traffic().ensure_candidate(self._bundle)

    def hold(self, replicas: int) -> None:
        """The target keeps so many pods."""
        self._traffic().hold_replicas(replicas)

    def release(self, replicas: int) -> None:
        """The target has its own number of pods again."""
        self._traffic().release_replicas(replicas)

    def promote(self) -> None:
        """The target takes the bundle over, and the traffic comes back to it."""
        self._traffic().promote_stable(self._bundle)
        self.give(0)

    def _traffic(self) -> Any:
        spec = RolloutSpec(target=RELEASE, bundle=self._bundle, steps=[Step(set_weight=100)])
        moment = datetime(2026, 11, 25, 11, tzinfo=UTC)
        names = {"namespace": self._server.namespace, "name": "new", "uid": "00000000-0000-0000-0000-000000000001", "resource_version": "1"}
        state = {"generation": 1, "created_at": moment, "is_deleting": False, "has_finalizer": True, "requested_action": None}
        return look_at(self._server, Rollout(**names, **state, spec=spec, status=RolloutStatus()))
