"""The chart rendered without a cluster, applied during rollouts as docs/gitops.md says: what a rollout has written stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from endcap.release.rollout.api_server import FIELD_MANAGER, ApiServer
from endcap_rollout_operator.kserve.replicas import REPLICAS_MANAGER
from tests.cluster.argo_cd import ArgoCd, owned_fields
from tests.cluster.chart import CHART, RELEASE, documents, is_hook
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rollout_writes import Live, Operator
from tests.docs.page import ROOT, Block, blocks
from tests.waiting import until

PAGE = "gitops.md"
FIRST, NEW = 20261124110000, 20261125110000
WITHOUT_DEFINITION = {
    "$patch": "delete",
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rollouts.endcap.dev"},
}
"""A patch: the definition of Rollouts is the whole cluster's, and other tests' too."""
VARIANT = {"name": "calm", "bundle": {"version": FIRST, "collection": f"endcap_{FIRST}"}}


@pytest.fixture(autouse=True)
def _definitions(operator_crds: None) -> None:
    """Every kind that the chart writes is known."""


@pytest.fixture
def server(cluster: Cluster, namespace: str) -> Iterator[ApiServer]:
    with cluster.api_client() as api_client:
        yield ApiServer(api_client, namespace)


@pytest.fixture
def live(server: ApiServer) -> Live:
    return Live(server)


@pytest.fixture
def operator(server: ApiServer) -> Operator:
    return Operator(server, NEW)


def _file(name: str, which: int = 0) -> Any:
    found = [each for each in blocks(PAGE) if each.kind == "file" and each.name == name]
    return yaml.safe_load(found[which].text)


@dataclass
class Git:
    """What the Application's source holds."""

    helm: Command
    folder: Path
    namespace: str
    application: dict[str, Any]

    def rendered(self, **changes: Any) -> list[dict[str, Any]]:
        """As Argo CD renders it: no cluster, and no hook of `helm test`."""
        source = self.application["spec"]["source"]["helm"]
        values = self.folder / "values.yaml"
        values.write_text(yaml.safe_dump(source["valuesObject"] | {"crds": {"enabled": False}} | changes))
        files = [argument for each in source["valueFiles"] for argument in ("--values", CHART / each)]
        arguments = (source["releaseName"], CHART, "--namespace", self.namespace, *files, "--values", values)
        return [each for each in documents(self.helm("template", *arguments)) if not is_hook(each)]


@pytest.fixture
def git(helm: Command, namespace: str, tmp_path: Path) -> Git:
    return Git(helm, tmp_path, namespace, _file("application.yaml"))


@pytest.fixture
def argo_cd(kubectl: Command, namespace: str, git: Git) -> ArgoCd:
    return ArgoCd(kubectl, namespace, git.application)


def test_the_first_sync_installs(argo_cd: ArgoCd, git: Git, live: Live, kserve: KServeStandIn) -> None:
    argo_cd.sync(git.rendered())
    assert live.bundle() == (str(FIRST), str(FIRST))
    assert live.weights() == [100]

    def is_ready() -> bool:
        conditions = live.service().get("status", {}).get("conditions", [])
        return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)

    until(is_ready, "the InferenceService is ready", 60)


def test_a_sync_during_a_rollout_keeps_its_weights_and_brings_the_rest(argo_cd: ArgoCd, git: Git, live: Live, operator: Operator) -> None:
    argo_cd.sync(git.rendered())
    operator.start_candidate()
    operator.give(10)
    argo_cd.sync(git.rendered(commonLabels={"team": "search"}))
    assert live.weights() == [90, 10]
    assert live.bundle() == (str(FIRST), str(FIRST))
    assert {each["metadata"]["labels"]["team"] for each in (live.service(), live.route())} == {"search"}
    operator.give(50)
    argo_cd.sync(git.rendered())
    assert live.weights() == [50, 50]


def test_a_sync_during_a_rollout_keeps_the_pods_that_the_target_is_held_at_and_its_number_comes_back_from_git(
    argo_cd: ArgoCd, git: Git, live: Live, operator: Operator
) -> None:
    argo_cd.sync(git.rendered())
    own = live.service()["spec"]["predictor"]["minReplicas"]
    operator.hold(own + 1)
    argo_cd.sync(git.rendered(commonLabels={"team": "search"}))
    assert live.service()["metadata"]["labels"]["team"] == "search"
    assert live.service()["spec"]["predictor"]["minReplicas"] == own + 1
    operator.release(own)
    serving = git.application["spec"]["source"]["helm"]["valuesObject"]["serving"] | {"replicas": {"min": own + 2, "max": 9}}
    argo_cd.sync(git.rendered(serving=serving))
    assert live.service()["spec"]["predictor"]["minReplicas"] == own + 2


def test_syncs_after_a_promotion_keep_its_bundle(argo_cd: ArgoCd, git: Git, live: Live, operator: Operator) -> None:
    argo_cd.sync(git.rendered())
    operator.give(100)
    operator.promote()
    for most in (20, 30):
        serving = git.application["spec"]["source"]["helm"]["valuesObject"]["serving"] | {"replicas": {"max": most}}
        argo_cd.sync(git.rendered(serving=serving))
        assert live.bundle() == (str(NEW), str(NEW))
        assert live.weights() == [100]
        assert live.service()["spec"]["predictor"]["maxReplicas"] == most


def test_a_rule_that_git_adds_during_a_rollout_comes_after_its_end(argo_cd: ArgoCd, git: Git, live: Live, operator: Operator) -> None:
    argo_cd.sync(git.rendered())
    operator.give(10)
    with_variant = git.rendered(experiments={"variants": [VARIANT]})
    argo_cd.sync(with_variant)
    assert (live.rules(), live.weights()) == (["traffic"], [90, 10])
    operator.give(0)
    argo_cd.sync(with_variant)
    assert (live.rules(), live.weights()) == (["variant-calm", "traffic"], [100])


def test_a_sync_that_finds_nothing_to_do_writes_nothing(argo_cd: ArgoCd, git: Git, live: Live, operator: Operator) -> None:
    argo_cd.sync(git.rendered())
    operator.give(10)
    argo_cd.sync(git.rendered())
    before = [each["metadata"]["generation"] for each in (live.service(), live.route())]
    argo_cd.sync(git.rendered())
    assert [each["metadata"]["generation"] for each in (live.service(), live.route())] == before


@pytest.mark.parametrize("left_out", ["ignoreDifferences", "RespectIgnoreDifferences=true"])
def test_without_its_settings_a_sync_would_undo_the_rollout(
    kubectl: Command, git: Git, live: Live, operator: Operator, left_out: str
) -> None:
    """The fault that the documented settings are for."""
    git.application["spec"].pop(left_out, None)
    options = git.application["spec"]["syncPolicy"]["syncOptions"]
    git.application["spec"]["syncPolicy"]["syncOptions"] = [each for each in options if each != left_out]
    argo_cd = ArgoCd(kubectl, git.namespace, git.application)
    argo_cd.sync(git.rendered())
    operator.give(10)
    argo_cd.sync(git.rendered())
    assert live.weights() == [100]


def _pointers(fields: set[tuple[str, ...]]) -> set[str]:
    return {"/" + "/".join(name.replace("~", "~0").replace("/", "~1") for name in path) for path in fields}


def test_flux_leaves_alone_all_that_the_operator_writes(argo_cd: ArgoCd, git: Git, live: Live, operator: Operator) -> None:
    argo_cd.sync(git.rendered())
    operator.give(10)
    route = _pointers(owned_fields(live.route(), {FIELD_MANAGER}))
    operator.hold(3)
    operator.promote()
    service = _pointers(owned_fields(live.service(), {FIELD_MANAGER, REPLICAS_MANAGER}))
    ignored = {each["target"]["kind"]: set(each["paths"]) for each in _file("helmrelease.yaml")["spec"]["driftDetection"]["ignore"]}
    assert "/spec/predictor/model/storageUri" in service
    assert service <= ignored["InferenceService"]
    assert route == ignored["HTTPRoute"]


@pytest.fixture
def overlay(tmp_path: Path, namespace: str) -> Iterator[Path]:
    """A reader's folder, in which the page's files and commands work, for the test's namespace."""
    folder = tmp_path / "reader"
    (folder / "shop").mkdir(parents=True)
    (folder / "manifests").symlink_to(ROOT / "manifests")
    _write_overlay(folder, namespace, 0)
    yield folder


def _write_overlay(folder: Path, namespace: str, which: int, more: str = "") -> None:
    written: dict[str, Any] = _file("shop/kustomization.yaml", which)
    assert written["namespace"] == "shop"
    patches = [*written["patches"], {"patch": json.dumps(WITHOUT_DEFINITION)}]
    if more:
        patches.append({"target": {"kind": "InferenceService", "name": RELEASE}, "patch": more})
    text = yaml.safe_dump(written | {"namespace": namespace, "patches": patches})
    (folder / "shop" / "kustomization.yaml").write_text(text)


def _apply(kubectl: Command, folder: Path) -> tuple[int, str]:
    """The page's command, with the reader's folder in the place of its own."""
    command: Block = next(each for each in blocks(PAGE) if each.name == "apply")
    program, *arguments = command.text.removeprefix("$ ").split()
    assert program == "kubectl"
    done = kubectl.run(*[str(folder / each) if each == "shop" else each for each in arguments])
    return done.returncode, done.stderr


def _more_pods(most: int) -> str:
    return json.dumps([{"op": "replace", "path": "/spec/predictor/maxReplicas", "value": most}])


def test_kubectl_installs_an_overlay_and_overwrites_no_rollout(
    kubectl: Command, overlay: Path, namespace: str, live: Live, operator: Operator
) -> None:
    assert _apply(kubectl, overlay) == (0, "")
    assert (live.bundle()[0], live.weights()) == (str(FIRST), [100])
    operator.give(10)
    _write_overlay(overlay, namespace, 0, _more_pods(31))
    status, message = _apply(kubectl, overlay)
    assert status != 0
    assert f'conflict with "{FIELD_MANAGER}"' in message
    assert ".spec.rules" in message
    assert live.weights() == [90, 10]
    assert live.service()["spec"]["predictor"]["maxReplicas"] == 31  # the InferenceService is as before its first promotion

    operator.promote()
    _write_overlay(overlay, namespace, 0, _more_pods(32))
    status, message = _apply(kubectl, overlay)
    assert status != 0
    assert "storageUri" in message
    assert live.bundle() == (str(NEW), str(NEW))
    assert live.service()["spec"]["predictor"]["maxReplicas"] == 31


def test_an_overlay_that_leaves_the_bundle_to_the_operator_applies_after_a_promotion(
    kubectl: Command, overlay: Path, namespace: str, live: Live, operator: Operator
) -> None:
    assert _apply(kubectl, overlay)[0] == 0
    operator.give(100)
    operator.promote()
    for most in (32, 33):
        _write_overlay(overlay, namespace, 1, _more_pods(most))
        assert _apply(kubectl, overlay) == (0, "")
        assert live.bundle() == (str(NEW), str(NEW))
        assert live.service()["spec"]["predictor"]["maxReplicas"] == most
        assert live.weights() == [100]
