"""The control plane of the tests does what the other tests take for granted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kubernetes import client
from kubernetes.client.rest import ApiException

from tests.cluster.cluster import Cluster
from tests.cluster.command import Command, CommandFailed
from tests.cluster.control_plane.programs import NoPrograms, cache_folder, find_programs
from tests.cluster.namespaces import Namespaces
from tests.waiting import until


def test_without_go_and_assets_it_says_what_would_help(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "KUBEBUILDER_ASSETS": str(tmp_path)}
    with pytest.raises(NoPrograms, match=r"KUBEBUILDER_ASSETS=.* has no etcd, kube-apiserver, kube-controller-manager, and there is no Go"):
        find_programs(environment, print)


def test_given_assets_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        (tmp_path / name).touch(mode=0o755)
    assert find_programs({"KUBEBUILDER_ASSETS": str(tmp_path)}, print).folder == tmp_path


def test_the_cache_lies_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_folder({"ENDCAP_TEST_CACHE": str(tmp_path)}).parent == tmp_path / "control-plane"


def test_without_a_cluster_the_tests_are_skipped_with_the_reason(tmp_path: Path) -> None:
    removed = ("KUBECONFIG", "KUBEBUILDER_ASSETS")
    environment = {key: value for key, value in os.environ.items() if key not in removed}
    environment |= {"ENDCAP_TEST_CACHE": str(tmp_path), "PATH": str(tmp_path)}
    own = f"{__file__}::test_helm_accepts_the_version"
    command = [sys.executable, "-m", "pytest", "-m", "cluster", "-rs", "-p", "no:cacheprovider", own]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    assert "there is no Go to build one" in done.stdout


def test_helm_accepts_the_version(helm: Command, namespace: str) -> None:
    assert helm("list", "--namespace", namespace, "--short") == ""


def test_a_pod_without_a_security_context_is_refused(kubectl: Command, namespace: str) -> None:
    with pytest.raises(CommandFailed, match="violates PodSecurity"):
        kubectl("run", "web", "--image=web", "-n", namespace)


def test_rights_are_by_role(cluster: Cluster, kubectl: Command, namespace: str) -> None:
    account = f"--as=system:serviceaccount:{namespace}:default"
    assert kubectl.run("auth", "can-i", "get", "pods", account, "-n", namespace).stdout.strip() == "no"
    kubectl("create", "rolebinding", "view", "--clusterrole=view", f"--serviceaccount={namespace}:default", "-n", namespace)
    until(lambda: kubectl.run("auth", "can-i", "get", "pods", account, "-n", namespace).returncode == 0, "view of pods")
    assert kubectl.run("auth", "can-i", "delete", "pods", account, "-n", namespace).stdout.strip() == "no"


def test_a_deleted_namespace_goes_with_what_is_in_it(cluster: Cluster) -> None:
    with cluster.api_client() as api_client:
        namespaces = Namespaces(api_client)
        name = namespaces.make()
        client.CoreV1Api(api_client).create_namespaced_config_map(name, {"metadata": {"name": "kept"}, "data": {"a": "1"}})
        namespaces.delete(name)
        namespaces.wait_until_gone()
        with pytest.raises(ApiException) as refused:
            client.CoreV1Api(api_client).read_namespaced_config_map("kept", name)
    assert refused.value.status == 404


def test_objects_outlive_the_api_server(cluster: Cluster, kubectl: Command, namespace: str) -> None:
    kubectl("create", "configmap", "kept", "--from-literal=a=1", "-n", namespace)
    cluster.stop_api_server()
    try:
        with pytest.raises(CommandFailed, match="refused"):
            kubectl("get", "configmap", "kept", "-n", namespace)
    finally:
        cluster.start_api_server()
    assert kubectl("get", "configmap", "kept", "-n", namespace, "-o", "jsonpath={.data.a}") == "1"


def test_the_operators_definitions_are_served(kubectl: Command, operator_crds: None) -> None:
    served = kubectl("api-resources", "--api-group=serving.kserve.io", "-o", "name").split()
    assert "inferenceservices.serving.kserve.io" in served
