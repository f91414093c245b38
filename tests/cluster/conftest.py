"""A real API server for all tests in this folder; each of them gets the marker `cluster`.

Which one: that of KUBECONFIG; else one of the tests' own on loopback, from KUBEBUILDER_ASSETS or built once with Go and kept in
ENDCAP_TEST_CACHE (default ~/.cache/endcap); else the tests are skipped and say why. It has no nodes: pods are accepted and never run.

Fixtures (scope): `cluster` (session): `.kubeconfig`, `.api_client()` (one a thread), `.stop_api_server()`, `.start_api_server()`, which
keep port and etcd and skip the test on a cluster of KUBECONFIG. `namespace` (function): name of a fresh one with restricted pod security,
deleted at the end; `make_namespace` (session): `make_namespace("prefix")` for a module's own. `operator_crds` (session): the operators'
definitions are there, permissive ones where their own are not to be had; `real_schemas`: their own, else skip. `helm`, `kubectl`
(session): `helm("install", "endcap", CHART, "-n", namespace)` returns standard output or raises `CommandFailed`; `.run(...)` for what may
fail; `stdin=` for input. `objects` (function): any object of the API, read and written as
`tests`, with the operators' definitions there. `kserve` (function): a `KServeStandIn` at work in `namespace`, with webhooks where the API
server is the tests' own; `kserve.hold("name")`, `.release("name")`, `.fail("name")`, `.lose("name")` say what becomes of its pods; by
itself they are ready at once.
`reader` (function): `reader.do(block)` does what a block of a page of the docs says, against this cluster.

`tests.cluster.cluster.until(holds, what, within_s)` polls with a deadline. Nothing here sleeps for a fixed time.
"""

import datetime
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import operator_crds as crds
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.control_plane.control_plane import ControlPlane
from tests.cluster.control_plane.programs import NoPrograms, Programs, find_programs
from tests.cluster.kserve.settings import KServeSettings
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.namespaces import Namespaces
from tests.cluster.reader import Reader
from tests.cluster.rest import Objects
from tests.cluster.rollouts.operator_process import clean_environment

FOLDER = Path(__file__).parent
ROLLOUTS = "rollouts.endcap.dev"
PROGRAMS = pytest.StashKey[Programs | NoPrograms]()
PERMISSIVE = pytest.StashKey[frozenset[str]]()
UNCHECKED = (
    "field names were not checked: the operators' own definitions are neither in the cluster nor in shared/data/crds beside the tree "
    "(or in the folder that ENDCAP_TEST_CRDS names), so that permissive ones stood in"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.cluster)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test: minutes that belong to no test's time-out."""
    if session.config.option.collectonly or os.environ.get("KUBECONFIG"):
        return
    if not any(item.path.is_relative_to(FOLDER) and "cluster" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    try:
        session.config.stash[PROGRAMS] = find_programs(os.environ, reporter.write_line)
    except NoPrograms as reason:
        session.config.stash[PROGRAMS] = reason


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    given = os.environ.get("KUBECONFIG")
    if given:
        yield Cluster(Path(given))
        return
    programs = request.config.stash[PROGRAMS]
    if isinstance(programs, NoPrograms):
        pytest.skip(str(programs))
    control_plane = ControlPlane(programs, tmp_path_factory.mktemp("control-plane") / "data", datetime.datetime.now(datetime.UTC))
    try:
        control_plane.start()
        yield Cluster(control_plane.kubeconfig, control_plane)
    finally:
        control_plane.stop()


@pytest.fixture(scope="session")
def make_namespace(cluster: Cluster) -> Iterator[Callable[[str], str]]:
    made: list[str] = []
    with cluster.api_client() as api_client:
        namespaces = Namespaces(api_client)

        def make(prefix: str = "endcap") -> str:
            made.append(namespaces.make(prefix))
            return made[-1]

        yield make
        for name in made:
            namespaces.delete(name)
        if cluster.own is None:
            namespaces.wait_until_gone()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.api_client() as api_client:
        namespaces = Namespaces(api_client)
        name = namespaces.make()
        yield name
        namespaces.delete(name)
        if cluster.own is None:
            namespaces.wait_until_gone()


@pytest.fixture(scope="session")
def operator_crds(request: pytest.FixtureRequest, cluster: Cluster, kubectl: Command) -> Iterator[None]:
    with cluster.api_client() as api_client:
        missing = crds.find_missing(api_client, Path(os.environ.get("ENDCAP_TEST_CRDS", crds.FOLDER)))
        if cluster.own is None and missing.permissive:
            pytest.skip(f"definitions of operators: neither in the cluster nor beside the tree: {', '.join(sorted(missing.permissive))}")
        request.config.stash[PERMISSIVE] = missing.permissive
        crds.add(api_client, kubectl, missing.definitions)
    yield
    if cluster.own is None:
        crds.remove(kubectl, list(missing.definitions))


@pytest.fixture
def objects(cluster: Cluster, operator_crds: None) -> Iterator[Objects]:
    with cluster.api_client() as api_client:
        yield Objects(api_client, "tests")


@pytest.fixture
def real_schemas(request: pytest.FixtureRequest, operator_crds: None) -> None:
    """The operators' own definitions are there, which know their fields; else skip."""
    if request.config.stash[PERMISSIVE]:
        pytest.skip(UNCHECKED)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what a run without the operators' definitions did not look at."""
    if permissive := config.stash.get(PERMISSIVE, frozenset()):
        terminalreporter.write_line(f"{len(permissive)} resources of operators: {UNCHECKED}")


@pytest.fixture(scope="module")
def without_rollout_definition(cluster: Cluster, kubectl: Command) -> None:
    """Rollouts are unknown, as on a cluster on which endcap was never installed."""
    if not kubectl("get", "customresourcedefinition", ROLLOUTS, "--ignore-not-found", "-o", "name"):
        return
    if cluster.own is None:
        pytest.skip(f"the cluster of KUBECONFIG has {ROLLOUTS}: a release that brings it would take it over")
    for line in kubectl("get", ROLLOUTS, "-A", "-o", "custom-columns=:metadata.namespace,:metadata.name", "--no-headers").splitlines():
        namespace, name = line.split()
        freed = kubectl.run("patch", ROLLOUTS, name, "-n", namespace, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
        assert freed.returncode == 0 or "NotFound" in freed.stderr, freed.stderr  # one may go with its namespace meanwhile
    kubectl("delete", "customresourcedefinition", ROLLOUTS, "--timeout=90s")


@pytest.fixture(scope="session")
def helm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Command:
    home = tmp_path_factory.mktemp("helm")
    homes = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    return Command("helm", {"KUBECONFIG": str(cluster.kubeconfig), "HELM_PLUGINS": str(home / "plugins"), **homes})


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Command:
    home = tmp_path_factory.mktemp("kubectl")
    return Command("kubectl", {"KUBECONFIG": str(cluster.kubeconfig), "KUBECACHEDIR": str(home)})


@pytest.fixture
def kserve(cluster: Cluster, operator_crds: None, namespace: str) -> Iterator[KServeStandIn]:
    with cluster.api_client() as api_client:
        settings = KServeSettings(enable_gateway_api=True)
        stand_in = KServeStandIn(api_client, namespace, webhooks=cluster.own is not None, settings=settings)
        stand_in.start()
        try:
            yield stand_in
        finally:
            stand_in.stop()


@pytest.fixture
def reader(cluster: Cluster, helm: Command, kubectl: Command, operator_crds: None, tmp_path: Path) -> Reader:
    if cluster.own is None:
        pytest.skip("pages make namespaces of fixed names: not on a cluster of KUBECONFIG")
    folder = tmp_path / "reader"
    folder.mkdir()
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return Reader(folder, clean_environment() | {"PATH": places, "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(tmp_path)})
