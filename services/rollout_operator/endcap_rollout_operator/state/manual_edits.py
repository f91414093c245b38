"""Manual edits of what the operator works on: noticed, reported, and left alone until somebody resumes or aborts."""

from endcap.contracts.rollout import Capacity, Phase, RolloutSpec, RolloutStatus
from endcap_rollout_operator.state.observed_state import Candidate, Target
from endcap_rollout_operator.state.transition import changed, restart_step


def wanted_bundle(spec: RolloutSpec, status: RolloutStatus) -> str | None:
    """Storage address that the target's spec is to name now; None before anything is known of it."""
    if status.stable is None:
        return None
    if status.phase == Phase.ROLLING_BACK:
        return status.stable.storage_uri
    carries_candidate = status.mode == "Knative" or status.promoting_at is not None
    return spec.bundle.storage_uri if carries_candidate else status.stable.storage_uri


def noticed_edit(spec: RolloutSpec, status: RolloutStatus, target: Target) -> str | None:
    """What a person changed, for people; None when all is as the operator made it, or was about to make it."""
    written = status.written.storage_uri if status.written is not None else None
    if target.served.storage_uri not in {written, wanted_bundle(spec, status)}:
        return f"storageUri of {spec.target} is {target.served.storage_uri}, not {written}"
    if target.weight not in {status.written_weight, status.current_weight}:
        weight = "cannot be read" if target.weight is None else f"is {target.weight} %"
        return f"the candidate's weight {weight}, not {status.current_weight} %"
    return _candidate_edit(status, target.candidate)


def _candidate_edit(status: RolloutStatus, candidate: Candidate | None) -> str | None:
    if candidate is None or not candidate.is_owned or status.candidate_fingerprint is None:
        return None
    if status.candidate_fingerprint != candidate.fingerprint:
        return "the candidate's predictor was changed"
    if has_other_replicas(status, candidate):
        return f"minReplicas of the candidate is {candidate.pods.min_replicas if candidate.pods else None}, not {status.candidate_replicas}"
    return None


def has_other_replicas(status: RolloutStatus, candidate: Candidate) -> bool:
    """Whether a person gave the candidate another `minReplicas` than it had and than the operator wants."""
    wanted = status.capacity.pods if status.capacity is not None else None
    return candidate.pods is not None and candidate.pods.declared not in {status.candidate_replicas, wanted}


def confirmed(spec: RolloutSpec, status: RolloutStatus, target: Target) -> RolloutStatus:
    """The status with what the operator wanted and now finds done."""
    if target.served.storage_uri == wanted_bundle(spec, status):
        status = changed(status, written=target.served)
    if target.weight == status.current_weight:
        status = changed(status, written_weight=target.weight)
    candidate = target.candidate
    if candidate is None or not candidate.is_owned:
        return status
    if is_known_by_now(status, candidate):
        wanted = status.capacity.pods if status.capacity is not None else None
        is_raised = candidate.pods is not None and candidate.pods.declared == wanted
        return changed(status, candidate_replicas=wanted) if is_raised else status
    return changed(
        status, candidate_fingerprint=candidate.fingerprint, candidate_replicas=candidate.pods.declared if candidate.pods else None
    )


def is_known_by_now(status: RolloutStatus, candidate: Candidate) -> bool:
    """Whether the candidate's predictor was noted before; one of an operator that did not note `minReplicas` is noted anew."""
    return status.candidate_fingerprint is not None and (candidate.pods is None or status.candidate_replicas is not None)


def adopted(status: RolloutStatus, target: Target) -> RolloutStatus:
    """The status with a person's edits as the new starting point; the step is measured again from its start."""
    fields: dict[str, object] = {"written": target.served}
    if status.mode == "Standard" and status.promoting_at is None:
        fields["stable"] = target.served
    if target.weight is not None:
        fields |= {"written_weight": target.weight, "current_weight": target.weight}
    candidate = target.candidate
    if candidate is not None:
        fields |= {"candidate_fingerprint": candidate.fingerprint, "capacity": _adopted_capacity(status, candidate)}
        if candidate.pods is not None:
            fields["candidate_replicas"] = candidate.pods.declared
    return restart_step(changed(status, **fields))


def _adopted_capacity(status: RolloutStatus, candidate: Candidate) -> Capacity | None:
    """A person's `minReplicas` is what the candidate needs at this weight; at another weight it is reckoned anew."""
    if status.capacity is None or candidate.pods is None or not has_other_replicas(status, candidate):
        return None
    return status.capacity.model_copy(update={"pods": candidate.pods.declared})


def is_superseded(spec: RolloutSpec, status: RolloutStatus, target: Target) -> bool:
    """Whether a person gave the target another bundle where the candidate stood: there is nothing left to roll out."""
    if status.mode == "Knative" or status.promoting_at is not None:
        return target.served.storage_uri != spec.bundle.storage_uri
    return False
