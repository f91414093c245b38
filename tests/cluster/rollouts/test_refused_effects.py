"""What is refused, what fails to load and what cannot be made stands in the Rollout, not in the operator's log alone."""

from endcap.contracts.rollout import Pause, Phase
from tests.cluster.rollouts.scene import Scene
from tests.cluster.rollouts.workload import refusing, workloads
from tests.waiting import until

LONG = Pause(duration="10m")


def test_a_change_that_a_policy_refuses_is_said_until_it_succeeds(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    with refusing(scene, target, "routes are frozen until Monday"):
        rollout = scene.start(target, version, weights=(20, 100), pause=LONG)
        message = f"patch httproutes/{target} is refused by ValidatingAdmissionPolicy refuse-{target}: routes are frozen until Monday"
        status = until(lambda: message in (found := scene.status(rollout)).message and found, "the refusal in the message")
        assert [each.effect for each in status.refusals] == ["SetWeight"]
        assert (status.phase, scene.weights(target)) == (Phase.PROGRESSING, {f"{target}-predictor": 100})
        assert scene.events(rollout).count("Refused") == 1
    status = scene.until_at_step(rollout, 0)
    assert "refused" not in status.message and status.refusals == []
    scene.ask(rollout, "abort")


def test_a_deleted_rollout_whose_route_is_frozen_goes_and_leaves_the_candidate_its_traffic(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(20, 100), pause=LONG, deadline=5)
    scene.until_at_step(rollout, 0)
    with refusing(scene, target, "routes are frozen until Monday"):
        scene.remove(rollout)
        assert scene.weights(target)[f"{target}-candidate-predictor"] == 20
    candidate = scene.service(f"{target}-candidate")
    assert candidate is not None and not candidate["metadata"].get("ownerReferences")
    scene.forget_candidate(target)


def test_a_model_that_failed_to_load_twice_is_rolled_back_with_its_reason(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.kserve.fail(f"{target}-candidate")
    rollout = scene.start(target, version, deadline=600)
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "CandidateLoadFailed")
    assert "ModelLoadFailed" in status.message and "exit code 1" in status.message
    assert status.current_step_index is None and scene.weights(target) == {f"{target}-predictor": 100}


def test_pods_that_cannot_be_made_are_said(scene: Scene) -> None:
    account = "leaves-soon"
    with scene.service_account(account):
        target, version = scene.make_target(serviceAccountName=account), scene.version()
        with workloads(scene, target) as (stable,):
            until(stable.is_ready, "the target is ready")
    rollout = scene.start(target, version, deadline=600)
    until(lambda: "no pods can be made" in scene.status(rollout).message, "the reason in the message")
    assert f'serviceaccount "{account}" not found' in scene.status(rollout).message
    scene.ask(rollout, "abort")
