"""The page of each profile under docs/install, as a reader does it: namespaces, secrets, values, install, wait."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.charts.named_secrets import STORAGE_KEYS, Named, completed, named_secrets
from tests.cluster.chart import PROFILES, RELEASE, documents
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.job_runner import JobRunner
from tests.cluster.kfp_server import KubernetesNative
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.reader import Reader
from tests.docs.page import Block, blocks
from tests.pipelines.kfp_server.server import serving

NAMESPACES = {
    "minimal": ("shop-minimal",),
    "production": ("shop-prod", "shop-prod-parts"),
    "gpu": ("shop-gpu",),
    "multi-region": ("shop-eu",),
}
"""That each page makes, the release's first."""
PIPELINES = "http://ml-pipeline.kubeflow.svc:8888"
ENDPOINT = "serving.kserve.io/s3-endpoint"


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def _cleared(kubectl: Command, without_rollout_definition: None, profile: str) -> Iterator[None]:
    yield
    kubectl("delete", "namespace", *NAMESPACES[profile], "--ignore-not-found", "--wait=false")
    kubectl("delete", "customresourcedefinition", "rollouts.endcap.dev", "--ignore-not-found", "--timeout=60s")


@pytest.mark.usefixtures("_cleared")
def test_a_profile_is_installed_as_its_page_says_and_finds_every_secret_it_names(
    reader: Reader, cluster: Cluster, helm: Command, kubectl: Command, profile: str
) -> None:
    namespace = NAMESPACES[profile][0]
    with _at_work(cluster, namespace):
        install, rest = _parted(blocks(f"install/{profile}.md"))
        for block in install:
            reader.do(block)
        manifest = documents(helm("get", "manifest", RELEASE, "--namespace", namespace))
        hooks = documents(helm("get", "hooks", RELEASE, "--namespace", namespace))
        there, named = _there(kubectl, NAMESPACES[profile]), named_secrets([*manifest, *hooks], namespace)
        assert there == completed(named, there)
        _assert_storage_is_addressed(kubectl, namespace, named)
        for block in rest:
            reader.do(block)
    if rest and profile == "production":
        assert not set(NAMESPACES[profile]) & set(kubectl("get", "namespaces", "--output", "jsonpath={.items[*].metadata.name}").split())


@contextmanager
def _at_work(cluster: Cluster, namespace: str) -> Iterator[None]:
    """KServe, Kubeflow Pipelines, and who runs the Jobs that make and remove its recurring run."""
    with cluster.api_client() as for_kserve, cluster.api_client() as for_pipelines, ExitStack() as stack:
        stand_in = KServeStandIn(for_kserve, namespace)
        stand_in.start()
        stack.callback(stand_in.stop)
        pipelines = stack.enter_context(serving(KubernetesNative(api_client=for_pipelines, namespace=namespace)))
        stack.enter_context(JobRunner(cluster, namespace, addresses={PIPELINES: pipelines}, runs=lambda job: "schedule" in job))
        yield


def _parted(page: list[Block]) -> tuple[list[Block], list[Block]]:
    """What leads to a release that is ready, and what comes after."""
    done = [block for block in page if block.kind in ("run", "file")]
    last = next(number for number, block in enumerate(done) if "kubectl wait" in block.text)
    return done[: last + 1], done[last + 1 :]


def _there(kubectl: Command, namespaces: tuple[str, ...]) -> Named:
    """The secrets that the page has made; Helm's own are its records of releases, others were made by the chart."""
    found: Named = {}
    for namespace in namespaces:
        for each in json.loads(kubectl("get", "secrets", "--namespace", namespace, "--output", "json"))["items"]:
            if each["type"] != "helm.sh/release.v1" and "app.kubernetes.io/managed-by" not in each["metadata"].get("labels", {}):
                assert all(base64.b64decode(value) for value in each["data"].values())
                found[namespace, each["metadata"]["name"]] = set(each["data"])
    return found


def _assert_storage_is_addressed(kubectl: Command, namespace: str, named: Named) -> None:
    """KServe's storage initializer reads from annotations of the secret where the storage is."""
    for place, keys in named.items():
        if keys >= STORAGE_KEYS:
            secret = json.loads(kubectl("get", "secret", place[1], "--namespace", namespace, "--output", "json"))
            assert secret["metadata"]["annotations"][ENDPOINT].startswith("s3.")
