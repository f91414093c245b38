"""Each ServiceAccount of the chart can do what its part needs, and nothing else."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.access import Account, Right, account, all_rights
from tests.cluster.chart import CHART, RELEASE, documents, parts_in, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command

SERVING, KNATIVE, GATEWAY, ENDCAP, KFP = (
    "serving.kserve.io",
    "serving.knative.dev",
    "gateway.networking.k8s.io",
    "endcap.dev",
    "pipelines.kubeflow.org",
)


def _rights(group: str, resource: str, verbs: str, name: str = "") -> set[Right]:
    return {Right(group, resource, verb, name) for verb in verbs.split()}


SPARK_VERBS = "get list watch create update patch delete deletecollection"
NEEDS: dict[str, set[Right]] = {  # by the component that the account is labelled with
    "serving": set(),
    "collector": set(),
    "stream": set(),
    "redis": set(),
    # reads and writes its own resource, moves the target and its route, looks at what KServe made of it, tells people
    "rollout-operator": (
        _rights(ENDCAP, "rollouts", "get list watch patch")
        | _rights(ENDCAP, "rollouts/status", "patch")
        | _rights(SERVING, "inferenceservices", "get list create patch delete")
        | _rights(GATEWAY, "httproutes", "get patch")
        | _rights("apps", "deployments", "get")
        | _rights(KNATIVE, "services", "get")
        | _rights("", "pods", "list")
        | _rights("", "events", "create")
        | _rights("", "configmaps", "get patch", "endcap-served")
    ),
    # the deploy step makes a Rollout and watches it; Argo and KFP beside each step report and find their storage
    "pipeline": (
        _rights(ENDCAP, "rollouts", "get list create")
        | _rights("argoproj.io", "workflowtaskresults", "create patch")
        | _rights("", "configmaps", "get", "kfp-launcher")
        | _rights("", "secrets", "get", "mlpipeline-minio-artifact")
    ),
    # what the API of Kubeflow Pipelines has reviewed for whoever finds the pipeline and makes, replaces and removes its recurring run
    "schedule": (
        _rights(KFP, "pipelines", "get list")
        | _rights(KFP, "pipelines/versions", "get list")
        | _rights(KFP, "experiments", "get list create")
        | _rights(KFP, "jobs", "get list create delete")
    ),
    # what the Spark operator's own chart gives a driver
    "spark": {
        right for resource in ("pods", "services", "configmaps", "persistentvolumeclaims") for right in _rights("", resource, SPARK_VERBS)
    },
}


@pytest.fixture(scope="module")
def installed(
    helm: Command, kubectl: Command, make_namespace: Callable[[str], str], operator_crds: None, without_rollout_definition: None
) -> Iterator[str]:
    """The namespace of the production profile."""
    namespace = make_namespace("permissions")
    helm("install", RELEASE, CHART, "--namespace", namespace, "--values", values_of("production"), *parts_in(namespace))
    yield namespace
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")  # there is no Kubeflow Pipelines
    kubectl("delete", "customresourcedefinition", "rollouts.endcap.dev", "--timeout=60s")


@pytest.fixture(scope="module")
def elsewhere(make_namespace: Callable[[str], str]) -> str:
    return make_namespace("elsewhere")


@pytest.fixture(scope="module")
def rights(cluster: Cluster, installed: str) -> set[Right]:
    """Everything that anybody could be allowed, also on kinds that the cluster does not have; nothing by an object's name."""
    with cluster.api_client() as api_client:
        return all_rights(api_client) | {right for needed in NEEDS.values() for right in needed if not right.name}


@pytest.fixture(scope="module")
def everybodys(cluster: Cluster, elsewhere: str, rights: set[Right]) -> dict[str, set[Right]]:
    """What an account without any binding may, by namespace."""
    with account(cluster, elsewhere, "default") as nobody:
        return {elsewhere: nobody.granted(rights, elsewhere), "": nobody.granted(rights, "")}


@pytest.fixture(scope="module")
def accounts(helm: Command, installed: str) -> dict[str, str]:
    """Name of each component's ServiceAccount."""
    manifest = documents(helm("get", "manifest", RELEASE, "--namespace", installed))
    found = [each["metadata"] for each in manifest if each["kind"] == "ServiceAccount"]
    return {each["labels"]["app.kubernetes.io/component"]: each["name"] for each in found}


def test_each_account_has_its_needs_written_down(helm: Command, installed: str, accounts: dict[str, str]) -> None:
    manifest = documents(helm("get", "manifest", RELEASE, "--namespace", installed))
    assert set(accounts) == set(NEEDS)
    assert len([each for each in manifest if each["kind"] == "ServiceAccount"]) == len(accounts)
    assert not [each for each in manifest if each["kind"].startswith("ClusterRole")]


@pytest.fixture
def asking(cluster: Cluster, installed: str, accounts: dict[str, str], component: str) -> Iterator[Account]:
    with account(cluster, installed, accounts[component]) as found:
        yield found


@pytest.mark.parametrize("component", NEEDS)
def test_an_account_may_do_what_it_needs_and_nothing_else(
    asking: Account, installed: str, rights: set[Right], everybodys: dict[str, set[Right]], component: str
) -> None:
    assert asking.granted(rights | NEEDS[component], installed) == NEEDS[component] | everybodys[""]


@pytest.mark.parametrize("component", NEEDS)
def test_an_account_may_nothing_elsewhere(
    asking: Account, elsewhere: str, rights: set[Right], everybodys: dict[str, set[Right]], component: str
) -> None:
    assert asking.granted(rights, elsewhere) == everybodys[elsewhere]


@pytest.mark.parametrize("component", NEEDS)
def test_an_account_may_nothing_in_the_whole_cluster(
    asking: Account, rights: set[Right], everybodys: dict[str, set[Right]], component: str
) -> None:
    assert asking.granted(rights, "") == everybodys[""]


def test_nobody_may_anything_but_ask_about_itself(everybodys: dict[str, set[Right]]) -> None:
    assert {right.resource for given in everybodys.values() for right in given} == {
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
    }
