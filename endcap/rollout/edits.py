"""A person's edits of what the operator works on: noticed, said, and left alone until somebody resumes or aborts."""

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.rollout.transition import changed, restart_step
from endcap.rollout.world import Target


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
        weight = "cannot be told" if target.weight is None else f"is {target.weight} %"
        return f"the candidate's weight {weight}, not {status.current_weight} %"
    candidate = target.candidate
    if candidate is not None and candidate.is_owned and status.candidate_fingerprint not in {None, candidate.fingerprint}:
        return "the candidate's predictor was changed"
    return None


def confirmed(spec: RolloutSpec, status: RolloutStatus, target: Target) -> RolloutStatus:
    """The status with what the operator wanted and now finds done."""
    if target.served.storage_uri == wanted_bundle(spec, status):
        status = changed(status, written=target.served)
    if target.weight == status.current_weight:
        status = changed(status, written_weight=target.weight)
    candidate = target.candidate
    if candidate is not None and candidate.is_owned and status.candidate_fingerprint is None:
        status = changed(status, candidate_fingerprint=candidate.fingerprint)
    return status


def adopted(status: RolloutStatus, target: Target) -> RolloutStatus:
    """The status with a person's edits as the new starting point; the step is measured again from its start."""
    fields: dict[str, object] = {"written": target.served}
    if status.mode == "Standard" and status.promoting_at is None:
        fields["stable"] = target.served
    if target.weight is not None:
        fields |= {"written_weight": target.weight, "current_weight": target.weight}
    if target.candidate is not None:
        fields["candidate_fingerprint"] = target.candidate.fingerprint
    return restart_step(changed(status, **fields))


def is_superseded(spec: RolloutSpec, status: RolloutStatus, target: Target) -> bool:
    """Whether a person gave the target another bundle where the candidate stood: there is nothing left to roll out."""
    if status.mode == "Knative" or status.promoting_at is not None:
        return target.served.storage_uri != spec.bundle.storage_uri
    return False
