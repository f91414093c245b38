"""What a living release cannot change is refused before an upgrade has begun, and the message says what to do instead."""

import shlex
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.chart import CHART, RELEASE, values_of
from tests.cluster.command import Command, CommandFailed

SETTINGS = (
    "--values",
    values_of("production"),
    "--set",
    "crds.enabled=false,fullnameOverride=endcap,kafka.enabled=false,kafka.bootstrap=kafka.shared.svc:9092,evidence.enabled=false,parts.namespace=,collector.replicas.min=1",
)
KNATIVE = "serving.deploymentMode=Knative,serving.timeoutSeconds=30,route.enabled=false,certificate.enabled=false"


@pytest.fixture(scope="module")
def release(helm: Command, operator_crds: None, make_namespace: Callable[[str], str]) -> Iterator[str]:
    """Namespace of a release with claims, a Redis and the operator."""
    namespace = make_namespace("living")
    helm("install", RELEASE, CHART, "--namespace", namespace, *SETTINGS)
    yield namespace
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")


def _upgrade(helm: Command, namespace: str, change: str, *more: str) -> str:
    return helm("upgrade", RELEASE, CHART, "--namespace", namespace, *SETTINGS, "--set", change, *more)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (KNATIVE, r"serving\.deploymentMode: InferenceService endcap runs in Standard mode.*install a second release in Knative mode"),
        ("fullnameOverride=shop", r'fullnameOverride: release endcap serves as "endcap".* set fullnameOverride to "endcap"'),
        ("nameOverride=shop", r'nameOverride: Deployment endcap-rollout-operator selects its pods by the name "endcap"'),
        ("bundles.claim.accessMode=ReadOnlyMany", r"bundles\.claim\.accessMode: claim endcap-bundles has ReadWriteMany"),
        ("bundles.claim.size=10Gi", r"bundles\.claim\.size: claim endcap-bundles has \d+Gi.*give at least"),
        ("workspace.claim.size=900Mi", r"workspace\.claim\.size: claim endcap-workspace has"),
        ("redis.persistence.enabled=false", r"redis\.persistence\.enabled: StatefulSet endcap-redis cannot change its volumes"),
        ("redis.persistence.size=11Ti", r"redis\.persistence\.size: StatefulSet endcap-redis has volumes of"),
        ("collector.spool.size=40Gi", r"collector\.spool\.size: StatefulSet endcap-collector has volumes of 10Gi and cannot change that"),
        ("collector.spool.storageClassName=fast", r"collector\.spool\.storageClassName: StatefulSet endcap-collector"),
        ("stream.claim.size=1Gi", r"stream\.claim\.size: claim endcap-stream has 50Gi"),
        ("redis.persistence.storageClassName=fast", r"redis\.persistence\.storageClassName: StatefulSet endcap-redis"),
    ],
)
def test_an_upgrade_that_cannot_succeed_is_not_begun(helm: Command, kubectl: Command, release: str, change: str, message: str) -> None:
    history = helm("history", RELEASE, "--namespace", release, "--output", "json")
    with pytest.raises(CommandFailed, match=message):
        _upgrade(helm, release, change)
    assert helm("history", RELEASE, "--namespace", release, "--output", "json") == history
    services = kubectl("get", "inferenceservices", "--namespace", release, "--output", "name")
    assert services.split() == ["inferenceservice.serving.kserve.io/endcap"]


@pytest.mark.parametrize(
    "change", ["bundles.claim.size=2Ti", "redis.maxMemory=2gb", "commonLabels.team=search", "collector.spool.waitingMax=2Gi"]
)
def test_what_can_change_is_let_through(helm: Command, release: str, change: str) -> None:
    assert "kind: InferenceService" in _upgrade(helm, release, change, "--dry-run=server")


def test_another_release_of_the_namespace_is_no_hindrance(helm: Command, release: str) -> None:
    """A second release is how to move to the other mode."""
    values = ("--values", values_of("minimal"), "--set", "bundles.claim.create=false,bundles.claim.name=endcap-bundles")
    arguments = ("beside", CHART, "--namespace", release, *values, "--set", KNATIVE)
    helm("install", *arguments)
    assert "beside-endcap" in helm("upgrade", *arguments)
    helm("uninstall", "beside", "--namespace", release, "--no-hooks")


def test_the_commands_of_the_notes_work(helm: Command, kubectl: Command, release: str) -> None:
    notes = helm("get", "notes", RELEASE, "--namespace", release).partition("When the InferenceService does not get ready")[2]
    shown = [line.strip() for line in notes.splitlines() if line.strip().startswith("kubectl ")]
    assert len(shown) >= 6
    for line in shown:
        if "rollouts.endcap.dev" not in line:  # its definition is not installed here
            kubectl(*shlex.split(line)[1:])
