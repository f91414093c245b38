"""A cluster of one target in memory, on which decisions are carried out; the operator can be made to die between any two of its acts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from endcap.contracts.rollout import (
    Action,
    Analysis,
    Guardrail,
    Measurement,
    Pause,
    RolloutBundle,
    RolloutSpec,
    RolloutStatus,
    Served,
    Step,
)
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.decision import decide
from endcap_rollout_operator.state.observed_state import Absent, Candidate, Index, LoadFailure, Mode, ObservedState, Pods, Target
from endcap_rollout_operator.state.transition import is_measuring_due, with_measurements

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD = Served(version=1, storage_uri="pvc://bundles/1", collection="endcap_1")
NEW = RolloutBundle(version=2, storage_uri="pvc://bundles/2", collection="endcap_2")
TICK = timedelta(seconds=5)
GUARDRAIL = Guardrail(name="errors", query="errors", limit=0.01)


def made_spec(*weights: int, pause: Pause | None = None, guardrails: list[Guardrail] | None = None, deadline: int = 300) -> RolloutSpec:
    steps = [Step(set_weight=weight, pause=pause or Pause(duration="20s", min_requests=100)) for weight in weights or (5, 50, 100)]
    analysis = Analysis(interval="10s", window="1m", guardrails=[GUARDRAIL] if guardrails is None else guardrails)
    return RolloutSpec(target="endcap", bundle=NEW, steps=steps, analysis=analysis, progress_deadline_seconds=deadline)


def made_rollout(spec: RolloutSpec | None = None, **fields: Any) -> Rollout:
    given: dict[str, Any] = {
        "namespace": "shop",
        "name": "endcap-2",
        "uid": "u2",
        "resource_version": "1",
        "generation": 1,
        "created_at": START,
        "is_deleting": False,
        "has_finalizer": False,
        "requested_action": None,
        "spec": spec or made_spec(),
        "status": RolloutStatus(),
    }
    return Rollout(**(given | fields))


class Died(Exception):
    """The operator is gone; the cluster and the resource stay as they are."""


@dataclass
class MadeCluster:
    """The resource, the target and the index.

    Attributes:
        verdict: what the guardrail says, by weight.
        stable_pods: available ones of the target.
        is_held: the operator wrote the target's `minReplicas` last.
        candidate_min: its `minReplicas`; it has as many available pods, up to `candidate_pods_max`.
        dies: called before each act of the operator.
    """

    rollout: Rollout
    mode: Mode = "Standard"
    now: datetime = START
    served: Served = OLD
    percent: int | None = None
    weight: int = 0
    has_candidate: bool = False
    fingerprint: str = "made"
    candidate_is_ready: bool = True
    load_failure: LoadFailure | None = None
    target_is_settled: bool = True
    stable_pods: int = 1
    stable_min: int | None = 1
    is_held: bool = False
    candidate_min: int | None = None
    candidate_pods_max: int = 100
    max_replicas: int | None = None
    candidate_is_owned: bool = True
    stable_collection: str = "loaded"
    weight_is_refused: bool = False
    collection: str = "loaded"
    alias: str | None = "endcap_1"
    champion: int | None = 1
    has_milvus: bool = True
    is_gone: bool = False
    ahead: str | None = None
    refusal: str = ""
    verdict: Callable[[int], str] = lambda weight: "pass"
    requests_per_second: int = 100
    dies: Callable[[], bool] = lambda: False
    events: list[str] = field(default_factory=list)
    done: list[fx.Effect] = field(default_factory=list)
    finalizer_removed: bool = False

    @property
    def status(self) -> RolloutStatus:
        return self.rollout.status

    def request(self, action: Action | str) -> None:
        self.rollout = replace(self.rollout, requested_action=str(action))

    def observed(self) -> ObservedState:
        if self.is_gone:
            return ObservedState(Absent("TargetMissing", "there is no InferenceService endcap", True), ahead=self.ahead)
        index = Index(self.collection, self.alias, self.stable_collection) if self.has_milvus else None  # type: ignore[arg-type]
        return ObservedState(self._target(), ahead=self.ahead, index=index, champion=self.champion, has_registry=True, refusal=self.refusal)

    def _target(self) -> Target:
        if self.mode == "Standard":
            weight, there = self.weight, self.has_candidate
        else:
            there = self.percent is not None
            weight = self.percent if self.percent is not None else (100 if self.served.version == 2 else 0)
        candidate = self._candidate() if there else None
        pods = Pods(self.stable_pods, self.stable_min, self.max_replicas, self.is_held) if self.mode == "Standard" else None
        return Target(self.mode, self.served, self.target_is_settled, weight, True, candidate, "starts", pods)

    def _candidate(self) -> Candidate:
        pods = Pods(self.candidate_pods, self.candidate_min, self.max_replicas) if self.mode == "Standard" else None
        is_ready = self.candidate_is_ready if pods is None else pods.available > 0
        return Candidate(is_ready, self.candidate_is_owned, self.fingerprint, "starts", pods, self.load_failure)

    @property
    def candidate_pods(self) -> int:
        """Available ones."""
        wanted = self.candidate_min if self.candidate_min is not None else 1
        return min(wanted, self.candidate_pods_max) if self.candidate_is_ready and self.has_candidate else 0

    def tick(self) -> None:
        """One look of the operator, repeated while it changes anything."""
        for _ in range(6):
            before = self.rollout
            effects = self._look()
            if not effects and before.status == self.rollout.status:
                return

    def _look(self) -> tuple[fx.Effect, ...]:
        rollout = self.rollout
        if is_measuring_due(rollout.spec, rollout.status, self.now):
            rollout = replace(rollout, status=self._measured(rollout))
        decision = decide(rollout, self.observed(), self.now)
        self._may_die()
        self.rollout = replace(self.rollout, status=decision.status)
        for effect in decision.effects:
            self._may_die()
            self._carry_out(effect)
        return decision.effects

    def _measured(self, rollout: Rollout) -> RolloutStatus:
        status = rollout.status
        assert status.step_started_at is not None
        before = {each.name: each for each in status.analysis}
        verdict = self.verdict(status.current_weight)
        made = []
        for guardrail in rollout.spec.analysis.guardrails:
            failed = before[guardrail.name].failures + 1 if guardrail.name in before else 1
            made.append(
                Measurement(
                    name=guardrail.name,
                    at=self.now,
                    verdict=verdict,  # type: ignore[arg-type]
                    value=None if verdict == "missing" else 0.5 if verdict == "fail" else 0.0,
                    limit=guardrail.limit,
                    failures=failed if verdict == "fail" else 0,
                )
            )
        requests = int((self.now - status.step_started_at).total_seconds()) * self.requests_per_second
        return with_measurements(status, made, requests, self.now)

    def _may_die(self) -> None:
        if self.dies():
            raise Died

    def _carry_out(self, effect: fx.Effect) -> None:
        self.done.append(effect)
        match effect:
            case fx.AddFinalizer():
                self.rollout = replace(self.rollout, has_finalizer=True)
            case fx.RemoveFinalizer():
                self.rollout = replace(self.rollout, has_finalizer=False)
                self.finalizer_removed = True
            case fx.RemoveAction(action):
                if self.rollout.requested_action == action:
                    self.rollout = replace(self.rollout, requested_action=None)
            case fx.LoadCollection():
                self.collection = "loaded"
            case fx.MoveAlias(collection):
                self.alias = collection if self.has_milvus else self.alias
            case fx.MakeChampion(version):
                self.champion = version
            case fx.RecordEvent(reason):
                self.events.append(reason)
            case _:
                (self._standard if self.mode == "Standard" else self._knative)(effect)

    def _standard(self, effect: fx.Effect) -> None:
        match effect:
            case fx.EnsureCandidate() if not self.has_candidate:
                self.has_candidate, self.candidate_min = True, self.stable_min
            case fx.RaiseCandidate(replicas):
                self.candidate_min = replicas
            case fx.HoldReplicas(replicas):
                self.stable_min, self.is_held = replicas, True
            case fx.ReleaseReplicas(own) if self.is_held:
                self.stable_min, self.is_held = own, False
            case fx.OrphanCandidate():
                self.candidate_is_owned = False
            case fx.SetWeight(weight) if not self.weight_is_refused:
                self.weight = weight
            case fx.PromoteStable(bundle):
                self.served = served(bundle)
            case fx.RestoreStable(stable):
                self.served = stable
            case fx.DeleteCandidate():
                assert self.weight == 0 or self.is_gone, "requests would go to nowhere"
                self.has_candidate = False

    def _knative(self, effect: fx.Effect) -> None:
        match effect:
            case fx.EnsureCandidate(bundle):
                self.served, self.percent = served(bundle), 0
            case fx.SetWeight(weight):
                self.percent = weight
            case fx.PromoteStable():
                self.percent = None
            case fx.RestoreStable(stable):
                assert self.percent == 0, "the old bundle would start with the candidate's traffic"
                self.served = stable
            case fx.DeleteCandidate():
                self.percent = None

    def pass_time(self, ticks: int = 1) -> None:
        """So many ticks, with an operator that is started again when it died."""
        for _ in range(ticks):
            self.now += TICK
            try:
                self.tick()
            except Died:
                continue

    def run(self, until: Callable[["MadeCluster"], bool], ticks_max: int = 400) -> "MadeCluster":
        """Pass time until something holds.

        Raises:
            AssertionError: it did not within `ticks_max` ticks.
        """
        for _ in self._ticks(ticks_max):
            if until(self):
                return self
        raise AssertionError(f"still {self.status.phase} {self.status.reason}: {self.status.message}")

    def run_to_end(self, ticks_max: int = 400) -> "MadeCluster":
        return self.run(lambda made: made.rollout.has_ended and not made.rollout.has_finalizer, ticks_max)

    def _ticks(self, count: int) -> Iterator[int]:
        for number in range(count):
            self.pass_time()
            yield number


def served(bundle: RolloutBundle) -> Served:
    return Served(version=bundle.version, storage_uri=bundle.storage_uri, collection=bundle.collection)
