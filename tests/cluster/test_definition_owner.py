"""One definition of Rollout for all releases of a cluster: the first brings it, the others use it, and an uninstall leaves it."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.chart import CHART, RELEASE, documents, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.rest import Objects
from tests.docs.page import blocks

ENDCAP = "endcap.dev/v1alpha1"
DEFINITION = "rollouts.endcap.dev"
BUNDLE = {"version": 20261201090000, "collection": "endcap_20261201090000", "storageUri": "pvc://endcap-bundles/20261201090000"}


@pytest.fixture(autouse=True)
def _no_definition(operator_crds: None, without_rollout_definition: None, kubectl: Command) -> Iterator[None]:
    yield
    kubectl("delete", "customresourcedefinition", DEFINITION, "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


@pytest.fixture
def two(helm: Command, make_namespace: Callable[[str], str]) -> tuple[str, str]:
    """Namespaces of two releases of the same name, installed one after the other."""
    namespaces = make_namespace("first"), make_namespace("second")
    for namespace in namespaces:
        helm("install", RELEASE, CHART, "--namespace", namespace, "--values", values_of("gpu"))
    return namespaces


def _brings_it(helm: Command, namespace: str) -> bool:
    return "CustomResourceDefinition" in {each["kind"] for each in documents(helm("get", "manifest", RELEASE, "--namespace", namespace))}


def _rollout(objects: Objects, namespace: str) -> str:
    spec = {"target": RELEASE, "bundle": BUNDLE, "steps": [{"setWeight": 50}]}
    made = objects.create({"apiVersion": ENDCAP, "kind": "Rollout", "metadata": {"name": "live", "namespace": namespace}, "spec": spec})
    return str(made["metadata"]["uid"])


def test_rollouts_of_a_release_outlive_the_release_that_brought_the_definition(
    helm: Command, objects: Objects, two: tuple[str, str]
) -> None:
    first, second = two
    assert (_brings_it(helm, first), _brings_it(helm, second)) == (True, False)
    uid = _rollout(objects, second)
    helm("uninstall", RELEASE, "--namespace", first, "--no-hooks")
    helm("upgrade", RELEASE, CHART, "--namespace", second, "--values", values_of("gpu"), "--set", "commonLabels.team=search")
    assert not _brings_it(helm, second)
    helm("uninstall", RELEASE, "--namespace", second, "--no-hooks")
    assert objects.get(ENDCAP, "Rollout", second, "live")["metadata"]["uid"] == uid


def test_the_definition_is_handed_to_another_release_as_the_page_says(
    helm: Command, kubectl: Command, objects: Objects, two: tuple[str, str]
) -> None:
    first, second = two
    uid = _rollout(objects, second)
    helm("uninstall", RELEASE, "--namespace", first, "--no-hooks")
    (shown,) = (block for block in blocks("operations.md") if block.kind == "shown" and "meta.helm.sh" in block.text)
    words = (
        shown.text.replace("\\\n", " ").removeprefix("$ kubectl ").replace("release-namespace=shop", f"release-namespace={second}").split()
    )
    kubectl(*words)
    helm("upgrade", RELEASE, CHART, "--namespace", second, "--values", values_of("gpu"))
    assert _brings_it(helm, second)
    helm("uninstall", RELEASE, "--namespace", second, "--no-hooks")
    assert objects.get(ENDCAP, "Rollout", second, "live")["metadata"]["uid"] == uid


def test_a_definition_from_elsewhere_is_used_and_left_alone(helm: Command, kubectl: Command, namespace: str) -> None:
    kubectl("apply", "--server-side", "--filename", CHART / "files" / f"{DEFINITION}.yaml")
    helm("install", RELEASE, CHART, "--namespace", namespace, "--values", values_of("gpu"), "--set", "crds.keep=false")
    assert not _brings_it(helm, namespace)
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")
    assert DEFINITION in kubectl("get", "customresourcedefinitions", "--output", "name")
