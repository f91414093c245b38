"""Runs the effects of a decision."""

from typing import Any

from endcap.contracts.rollout import ACTION_ANNOTATION, FINALIZER
from endcap.release.rollout.api_server import ROLLOUTS, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.bundle_index import BundleIndex
from endcap_rollout_operator.event_recorder import EventRecorder
from endcap_rollout_operator.kserve.traffic import Traffic
from endcap_rollout_operator.registry import Registry
from endcap_rollout_operator.state import effects as fx


class EffectRunner:
    """Each effect by its own part; what it changes may have been changed already."""

    def __init__(self, api_server: ApiServer, index: BundleIndex, registry: Registry, events: EventRecorder) -> None:
        self._api_server = api_server
        self._index = index
        self._registry = registry
        self._events = events

    def run(self, effect: fx.Effect, rollout: Rollout, traffic: Traffic) -> None:
        """Raises:
        Conflict: somebody else changed what it is about; decide anew.
        DependencyUnavailable: the API server, Milvus or MLflow does not answer.
        Refused: the API server refuses it.
        InvalidInput: it cannot be done as things are.
        """
        match effect:
            case fx.EnsureCandidate(bundle):
                traffic.ensure_candidate(bundle)
            case fx.RaiseCandidate() | fx.HoldReplicas() | fx.ReleaseReplicas():
                _on_replicas(effect, traffic)
            case fx.OrphanCandidate():
                traffic.orphan_candidate()
            case fx.SetWeight(weight):
                traffic.set_weight(weight)
            case fx.PromoteStable(bundle):
                traffic.promote_stable(bundle)
            case fx.RestoreStable(stable):
                traffic.restore_stable(stable)
            case fx.DeleteCandidate():
                traffic.delete_candidate()
            case fx.LoadCollection(collection):
                self._index.load(collection)
            case fx.MoveAlias(collection):
                self._index.move_alias(collection)
            case fx.MakeChampion(version):
                self._registry.make_champion(version)
            case fx.RecordEvent(reason, message):
                self._events.record(rollout, reason, message)
            case _:
                self._on_resource(effect, rollout)

    def _on_resource(self, effect: fx.Effect, rollout: Rollout) -> None:
        """Finalizer and annotation: from the resource as it is now, for the status was written a moment ago."""
        document = self._api_server.get(ROLLOUTS, rollout.name)
        if document is None:
            return
        metadata = document["metadata"]
        patch: dict[str, Any]
        version, finalizers = metadata["resourceVersion"], metadata.get("finalizers", [])
        match effect:
            case fx.AddFinalizer() if FINALIZER not in finalizers and "deletionTimestamp" not in metadata:
                patch = {"finalizers": [*finalizers, FINALIZER]}
            case fx.RemoveFinalizer() if FINALIZER in finalizers:
                patch = {"finalizers": [each for each in finalizers if each != FINALIZER]}
            case fx.RemoveAction(action) if metadata.get("annotations", {}).get(ACTION_ANNOTATION) == action:
                patch = {"annotations": {ACTION_ANNOTATION: None}}
            case _:
                return
        self._api_server.merge(ROLLOUTS, rollout.name, {"metadata": patch}, version)


def _on_replicas(effect: fx.RaiseCandidate | fx.HoldReplicas | fx.ReleaseReplicas, traffic: Traffic) -> None:
    match effect:
        case fx.RaiseCandidate(replicas):
            traffic.raise_candidate(replicas)
        case fx.HoldReplicas(replicas):
            traffic.hold_replicas(replicas)
        case fx.ReleaseReplicas(own):
            traffic.release_replicas(own)
