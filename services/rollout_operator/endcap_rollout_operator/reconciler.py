"""One look at one rollout after the other: read, measure, decide, write the status, run the effects; again while that changed anything."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from endcap.contracts.rollout import Phase, Refusal, RolloutStatus
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.core.log import get_logger
from endcap.release.rollout.admission import Refused
from endcap.release.rollout.api_server import INFERENCE_SERVICES, ROLLOUTS, ApiServer, Conflict
from endcap.release.rollout.resource import Rollout, parse_rollout, status_document, steps_taken
from endcap_rollout_operator.bundle_index import BundleIndex
from endcap_rollout_operator.effect_runner import EffectRunner
from endcap_rollout_operator.event_recorder import EventRecorder
from endcap_rollout_operator.guardrails.guardrails import Guardrails
from endcap_rollout_operator.kserve.inference_service import served_by
from endcap_rollout_operator.kserve.traffic import Traffic, look_at
from endcap_rollout_operator.metrics import OperatorMetrics
from endcap_rollout_operator.registry import Registry
from endcap_rollout_operator.state.decision import decide
from endcap_rollout_operator.state.effects import Effect
from endcap_rollout_operator.state.observed_state import Absent, Index, ObservedState, Target
from endcap_rollout_operator.state.refusals import refusal, renewed, still_wanted, with_refusals, without_refusals
from endcap_rollout_operator.state.rolling_back import returned_collection
from endcap_rollout_operator.state.transition import is_measuring_due, with_measurements

Act = Callable[[], None]
LOOKS_MAX = 8
"""Of one rollout in one tick; what is left over comes with the next one."""
_NEEDS_INDEX = frozenset({Phase.INITIALIZING, Phase.PROMOTING, Phase.ROLLING_BACK})
_MEASURED = frozenset({Phase.PROGRESSING, Phase.PAUSED})


class Reconciler:
    """Everything it knows it reads anew; two of them would only repeat each other's work."""

    def __init__(
        self,
        api_server: ApiServer,
        *,
        index: BundleIndex,
        registry: Registry,
        guardrails: Guardrails,
        metrics: OperatorMetrics,
        clock: Clock,
    ) -> None:
        self._api_server = api_server
        self._index = index
        self._registry = registry
        self._guardrails = guardrails
        self._metrics = metrics
        self._clock = clock
        self._events = EventRecorder(api_server, clock)
        self._runner = EffectRunner(api_server, index, registry, self._events)
        self._log = get_logger("rollouts")

    def reconcile(self, queue: Sequence[Rollout]) -> None:
        """Look at the rollouts of one target.

        Args:
            queue: in the order they take their turns.
        """
        for rollout in queue:
            ahead = next((each.name for each in queue[: queue.index(rollout)] if not each.has_ended), None)
            if rollout.has_ended and not rollout.has_finalizer and rollout.requested_action is None:
                self._try("event", rollout, partial(self._events.record_phase, rollout))
            else:
                self._try("look", rollout, partial(self._advance, rollout, ahead))

    def _advance(self, rollout: Rollout, ahead: str | None) -> None:
        current: Rollout | None = rollout
        for _ in range(LOOKS_MAX):
            if current is None or not self._look_again(current, ahead):
                return
            current = self._read(rollout.name)

    def _look_again(self, rollout: Rollout, ahead: str | None) -> bool:
        """One look; whether another one may find more to do, for one at what somebody changed meanwhile it may."""
        try:
            return self._look(rollout, ahead)
        except Conflict as conflict:
            self._log.info("read again", rollout=rollout.name, reason=str(conflict))
            return True

    def _look(self, rollout: Rollout, ahead: str | None) -> bool:
        self._metrics.looks.inc()
        now, status = self._clock(), without_refusals(rollout.status)
        try:
            traffic = look_at(self._api_server, rollout)
            observed = self._observe(rollout, traffic, ahead)
        except Refused as refused:
            self._failed("look", rollout, refused)
            self._write_refusals(rollout, status, renewed(status.refusals, [refusal("Look", refused.statement, now)]))
            return False
        if status.phase in _MEASURED and is_measuring_due(rollout.spec, status, now):
            status = _measured(self._guardrails, rollout, now)
        decision = decide(replace(rollout, status=status), observed, now)
        known = still_wanted(status.refusals, decision.effects)
        written = self._write(rollout, with_refusals(decision.status, known))
        is_well, refusals = self._run_effects(decision.effects, written, traffic)
        written = self._write_refusals(written, decision.status, renewed(known, refusals))
        self._events.record_phase(written)
        if written.status.phase == Phase.SUCCEEDED and rollout.status.phase == Phase.PROMOTING:
            self._try("prune", written, self._prune)
        return is_well and (bool(decision.effects) or written.status != rollout.status)

    def _write_refusals(self, rollout: Rollout, own: RolloutStatus, refusals: Sequence[Refusal]) -> Rollout:
        """The rollout with what was refused in its message, beside its own; an Event for what is new."""
        written = self._write(rollout, with_refusals(own, refusals))
        for each in refusals:
            if each not in rollout.status.refusals:
                self._events.record(written, "Refused", each.message)
        return written

    def _write(self, rollout: Rollout, status: RolloutStatus) -> Rollout:
        if status == rollout.status:
            return rollout
        document = self._api_server.merge_status(ROLLOUTS, rollout.name, status_document(status), rollout.resource_version)
        written = parse_rollout(document)
        self._metrics.moved(rollout, written)
        if (status.phase, status.reason) != (rollout.status.phase, rollout.status.reason):
            self._log.info("rollout", rollout=rollout.name, phase=str(status.phase), reason=status.reason, message=status.message)
        return written

    def _run_effects(self, effects: Sequence[Effect], rollout: Rollout, traffic: Traffic) -> tuple[bool, list[Refusal]]:
        """Whether all of them went well, and what the API server refused; one that fails keeps none of the others."""
        went_well, refusals = True, []
        for each in effects:
            try:
                self._runner.run(each, rollout, traffic)
            except Conflict as conflict:
                self._log.info("read again", what=type(each).__name__, rollout=rollout.name, reason=str(conflict))
            except EndcapError as error:
                went_well = False
                self._failed(type(each).__name__, rollout, error)
                if isinstance(error, Refused):
                    refusals.append(refusal(each, error.statement, self._clock()))
        return went_well, refusals

    def _observe(self, rollout: Rollout, traffic: Traffic, ahead: str | None) -> ObservedState:
        status, target = rollout.status, traffic.target()
        needs_index = status.phase in _NEEDS_INDEX and status.completed_at is None
        needs_champion = status.phase == Phase.PROMOTING and status.completed_at is not None and self._registry.is_there
        champion, champion_unknown = self._found_champion(rollout) if needs_champion else (None, "")
        return ObservedState(
            target,
            ahead=ahead,
            index=self._found_index(rollout, target) if needs_index and not isinstance(target, Absent) else None,
            champion=champion,
            champion_unknown=champion_unknown,
            has_registry=self._registry.is_there,
            refusal=self._guardrails.refusal(rollout.spec),
        )

    def _found_index(self, rollout: Rollout, target: Target) -> Index | None:
        try:
            return self._index.look(rollout.spec.bundle.collection, returned_collection(rollout.status, target))
        except DependencyUnavailable as error:
            self._failed("index", rollout, error)
            return None

    def _found_champion(self, rollout: Rollout) -> tuple[int | None, str]:
        """The champion, and why it is not known."""
        try:
            return self._registry.champion(), ""
        except DependencyUnavailable as error:
            self._failed("champion", rollout, error)
            return None, error.message

    def _read(self, name: str) -> Rollout | None:
        document = self._api_server.get(ROLLOUTS, name)
        return parse_rollout(document) if document is not None else None

    def _prune(self) -> None:
        """Drop old collections, but none that anything in the namespace serves or is about to."""
        documents = self._api_server.list(INFERENCE_SERVICES)
        kept = {served_by(each).collection for each in documents if each["spec"].get("predictor", {}).get("model", {}).get("storageUri")}
        rollouts = [parse_rollout(each) for each in self._api_server.list(ROLLOUTS)]
        kept |= {each.spec.bundle.collection for each in rollouts if not each.has_ended}
        kept |= {each.status.stable.collection for each in rollouts if not each.has_ended and each.status.stable is not None}
        dropped = self._index.prune({name for name in kept if name is not None})
        if dropped:
            self._log.info("collections dropped", collections=dropped)

    def _try(self, what: str, rollout: Rollout, act: Act) -> bool:
        try:
            act()
        except Conflict as conflict:
            self._log.info("read again", what=what, rollout=rollout.name, reason=str(conflict))
        except EndcapError as error:
            self._failed(what, rollout, error)
            return False
        return True

    def _failed(self, what: str, rollout: Rollout, error: EndcapError) -> None:
        self._metrics.failures.labels(what).inc()
        self._log.warning("tried again at the next look", what=what, rollout=rollout.name, reason=str(error))


def _measured(guardrails: Guardrails, rollout: Rollout, now: datetime) -> RolloutStatus:
    """The status with the guardrails' newest measurements and the candidate's requests at this step."""
    spec, status = rollout.spec, rollout.status
    since, candidate = status.step_started_at or now, spec.bundle.version
    stable = status.stable.version if status.stable is not None else None
    analysis = guardrails.measure(spec.analysis, candidate, stable, since, status.analysis, steps=len(steps_taken(spec)))
    return with_measurements(status, analysis, guardrails.requests_since(candidate, since), now)
