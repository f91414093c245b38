"""The operator says which bundle of its target is the stable one, for parts that read its tables."""

from endcap.contracts.rollout import Phase
from endcap.release.bundle.served_pointer import POINTER_NAME, parse_pointer
from endcap.release.rollout.api_server import HTTP_ROUTES, INFERENCE_SERVICES
from tests.cluster.rollouts.conftest import POINTED, SERVED
from tests.cluster.rollouts.scene import STABLE, STABLE_COLLECTION, Scene
from tests.cluster.rollouts.targets import http_route, inference_service
from tests.waiting import until


def _said(scene: Scene) -> int | None:
    held = scene.server.config_map(SERVED)
    assert held is not None
    return parse_pointer(held[POINTER_NAME], POINTER_NAME).version


def test_it_is_the_one_before_until_a_rollout_has_succeeded(scene: Scene) -> None:
    until(lambda: POINTER_NAME in (scene.server.config_map(SERVED) or {}), "the operator says that nothing is served")
    assert _said(scene) is None
    scene.server.create(INFERENCE_SERVICES, inference_service(POINTED, "Standard", STABLE, STABLE_COLLECTION))
    scene.server.create(HTTP_ROUTES, http_route(POINTED))
    scene.targets.append(POINTED)
    until(lambda: _said(scene) == STABLE, "the stable version")
    version = scene.version()
    scene.serve(version)
    rollout = scene.start(POINTED, version, weights=(50,))
    scene.until_at_step(rollout, 0)
    assert _said(scene) == STABLE
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
    until(lambda: _said(scene) == version, "the promoted version")
