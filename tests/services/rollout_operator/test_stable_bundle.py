"""Which bundle is the stable one: of the target's, of a rollout's under way, and what stays while a target is gone."""

from typing import Any

import pytest

from endcap.contracts.rollout import BUNDLE_ANNOTATION, Phase, RolloutSpec, RolloutStatus, Served
from endcap.core.errors import InvalidInput
from endcap.core.settings import RolloutSettings, Settings
from endcap.release.bundle.served_pointer import POINTER_NAME, parse_pointer
from endcap.release.rollout.api_server import Kind
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.stable_bundle import StableBundle, open_stable_bundle
from tests.services.rollout_operator.state.made_cluster import OLD, made_rollout, made_spec

Document = dict[str, Any]


class OneTarget:
    """What is asked of an API server: one InferenceService and one ConfigMap."""

    def __init__(self, document: Document | None, held: dict[str, str] | None) -> None:
        self.document, self.held, self.writes = document, held, 0

    def get(self, kind: Kind, name: str) -> Document | None:
        assert (kind.plural, name) == ("inferenceservices", "endcap")
        return self.document

    def config_map(self, name: str) -> dict[str, str] | None:
        return self.held if name == "endcap-served" else None

    def merge_config_map(self, name: str, data: dict[str, str]) -> None:
        assert name == "endcap-served" and self.held is not None
        self.held = {**self.held, **data}
        self.writes += 1

    @property
    def version(self) -> int | None:
        assert self.held is not None
        return parse_pointer(self.held[POINTER_NAME], POINTER_NAME).version


def target(version: int | None, uri: str | None = "pvc://bundles/4") -> Document:
    annotations = {BUNDLE_ANNOTATION: str(version)} if version is not None else {}
    model = {"storageUri": uri} if uri is not None else {}
    return {"metadata": {"name": "endcap", "annotations": annotations}, "spec": {"predictor": {"model": model}}}


def rollout(phase: Phase, stable: Served | None = OLD, of: str = "endcap") -> Rollout:
    spec = RolloutSpec.model_validate(made_spec().model_dump() | {"target": of})
    return made_rollout(spec, status=RolloutStatus(phase=phase, stable=stable))


def said(server: OneTarget, *rollouts: Rollout) -> int | None:
    StableBundle(server, "endcap", "endcap-served").say(rollouts)  # type: ignore[arg-type]
    return server.version


def test_the_targets_bundle_is_written_once_and_again_when_it_changes_or_is_taken_away() -> None:
    server = OneTarget(target(3), {})
    assert said(server) == 3
    assert (said(server), server.writes) == (3, 1)
    server.document = target(5)
    assert (said(server), server.writes) == (5, 2)
    server.held = {}
    assert (said(server), server.writes) == (5, 3)


@pytest.mark.parametrize("phase", [Phase.INITIALIZING, Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING, Phase.ROLLING_BACK])
def test_while_a_rollout_is_under_way_the_stable_one_is_what_it_began_with(phase: Phase) -> None:
    assert said(OneTarget(target(9), {}), rollout(phase)) == OLD.version


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.SUCCEEDED, Phase.FAILED])
def test_a_rollout_that_has_not_begun_or_has_ended_changes_nothing(phase: Phase) -> None:
    assert said(OneTarget(target(9), {}), rollout(phase, stable=None if phase == Phase.WAITING else OLD)) == 9


def test_another_targets_rollout_changes_nothing() -> None:
    assert said(OneTarget(target(9), {}), rollout(Phase.PROGRESSING, of="shelf")) == 9


@pytest.mark.parametrize("document", [None, target(3, uri=None)])
def test_before_the_first_bundle_nothing_is_served_and_afterwards_the_last_one_stays(document: Document | None) -> None:
    server = OneTarget(document, {})
    assert said(server) is None
    server.document = target(3)
    assert said(server) == 3
    server.document = document
    assert said(server) == 3


def test_without_the_annotation_the_address_says_the_version_and_else_it_is_asked_for() -> None:
    assert said(OneTarget(target(None, "s3://shop/bundles/20261124110000/"), {})) == 20261124110000
    with pytest.raises(InvalidInput, match=r"InferenceService endcap: it does not say which version it serves.*endcap\.dev/bundle"):
        said(OneTarget(target(None, "s3://shop/bundles/newest"), {}))


def test_a_config_map_that_is_not_there_and_a_target_that_is_not_named_are_said() -> None:
    with pytest.raises(InvalidInput, match=r"ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP: there is no such ConfigMap.*endcap-served"):
        said(OneTarget(target(3), None))
    assert open_stable_bundle(Settings()) is None
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__TARGET"):
        open_stable_bundle(Settings(rollouts=RolloutSettings(served_config_map="endcap-served")))
