"""Jobs and Helm's hooks end as their containers end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.job_runner import JobRunner
from tests.cluster.nodes.container_environment import expanded
from tests.cluster.nodes.pod_volumes import relocated
from tests.waiting import until

SECURE = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
ENDED_S = 60.0


@pytest.fixture(scope="module")
def jobs_namespace(make_namespace: Callable[[str], str]) -> str:
    return make_namespace("jobs")


def _job(name: str, script: str, *, backoff_limit: int = 0, pod: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    own = {"name": "work", "image": "work:1", "command": ["python", "-c"], "args": [script], "securityContext": SECURE, **container}
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"restartPolicy": "Never", "securityContext": security, "containers": [own], **(pod or {})}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": backoff_limit, "template": {"spec": spec}},
    }


def _create(kubectl: Command, namespace: str, *wanted: dict[str, Any]) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all(wanted))


def _ended(kubectl: Command, namespace: str, job: str) -> dict[str, Any]:
    """The Job's status, once it is complete or failed."""

    def found() -> dict[str, Any] | None:
        status: dict[str, Any] = json.loads(kubectl("get", "job", job, "-n", namespace, "-o", "json"))["status"]
        ended = {each["type"] for each in status.get("conditions", ()) if each["status"] == "True"} & {"Complete", "Failed"}
        return status if ended else None

    return dict(until(found, f"end of Job {job}", ENDED_S))


def _pods(kubectl: Command, namespace: str, job: str) -> list[dict[str, Any]]:
    listed = kubectl("get", "pods", "-n", namespace, "-l", f"batch.kubernetes.io/job-name={job}", "-o", "json")
    return list(json.loads(listed)["items"])


def test_a_command_that_ends_well_completes_its_job(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    with JobRunner(cluster, jobs_namespace) as jobs:
        _create(kubectl, jobs_namespace, _job("greets", "print('good morning')"))
        assert _ended(kubectl, jobs_namespace, "greets")["succeeded"] == 1
    assert jobs.logs_of("greets") == "good morning\n"


def test_a_command_that_fails_is_tried_again_until_the_backoff_limit(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    script = "print('no luck'); raise SystemExit(3)"
    job = _job("fails", script, backoff_limit=1, terminationMessagePolicy="FallbackToLogsOnError")
    with JobRunner(cluster, jobs_namespace) as jobs:
        _create(kubectl, jobs_namespace, job)
        status = _ended(kubectl, jobs_namespace, "fails")
        pods = _pods(kubectl, jobs_namespace, "fails")
    assert status["failed"] == len(pods) == 2
    assert jobs.logs_of("fails") == "no luck\n" * 2
    ended = pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "no luck\n")


def test_under_restart_policy_on_failure_the_same_pod_runs_again(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    script = "import pathlib; file = pathlib.Path('/scratch/seen'); new = not file.exists(); file.touch(); raise SystemExit(new)"
    pod = {"restartPolicy": "OnFailure", "volumes": [{"name": "scratch", "emptyDir": {}}]}
    job = _job("restarts", script, backoff_limit=2, pod=pod, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    with JobRunner(cluster, jobs_namespace):
        _create(kubectl, jobs_namespace, job)
        assert _ended(kubectl, jobs_namespace, "restarts")["succeeded"] == 1
        (pod_made,) = _pods(kubectl, jobs_namespace, "restarts")
    assert pod_made["status"]["containerStatuses"][0]["restartCount"] == 1


def test_variables_and_volumes_are_the_pods_own(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    names = ("PLACE", "PASSWORD", "NAMESPACE", "GREETING", "OVERRIDDEN", "CONFIG")
    script = f"import os, json; print(json.dumps([os.environ[each] for each in {names!r}] + [open(os.environ['CONFIG']).read()]))"
    variables = [
        {"name": "PLACE", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "place"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "door", "key": "password"}}},
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "GREETING", "value": "$(PLACE) is open"},
        {"name": "OVERRIDDEN", "value": "by the pod"},
        {"name": "CONFIG", "value": "/etc/shop/place"},
        {"name": "UNSAID", "valueFrom": {"secretKeyRef": {"name": "door", "key": "bell", "optional": True}}},
    ]
    mounted = {"volumes": [{"name": "shop", "configMap": {"name": "shop"}}]}
    job = _job("reads", script, pod=mounted, env=variables, volumeMounts=[{"name": "shop", "mountPath": "/etc/shop"}])
    with JobRunner(cluster, jobs_namespace, {"OVERRIDDEN": "by the test"}) as jobs:
        _create(kubectl, jobs_namespace, job)
        (waiting,) = until(lambda: _waiting(kubectl, jobs_namespace, "reads"), "a pod that waits for its ConfigMap")
        assert "configmap shop is not there" in waiting["message"]
        kubectl("create", "configmap", "shop", "--from-literal=place=corner", "-n", jobs_namespace)
        kubectl("create", "secret", "generic", "door", "--from-literal=password=open", "-n", jobs_namespace)
        assert _ended(kubectl, jobs_namespace, "reads")["succeeded"] == 1
    place, password, namespace, greeting, overridden, path, content = json.loads(jobs.logs_of("reads"))
    assert (place, password, namespace) == ("corner", "open", jobs_namespace)
    assert (greeting, overridden, content) == ("corner is open", "by the test", "corner")
    assert path.endswith("/shop/place") and path != "/etc/shop/place"


def _waiting(kubectl: Command, namespace: str, job: str) -> list[dict[str, Any]]:
    statuses = [status for pod in _pods(kubectl, namespace, job) for status in pod["status"].get("containerStatuses", ())]
    return [each["state"]["waiting"] for each in statuses if "waiting" in each["state"]]


def test_a_command_has_the_rights_of_its_account_and_no_more(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    kubectl("create", "serviceaccount", "reader", "-n", jobs_namespace)
    kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps", "-n", jobs_namespace)
    kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={jobs_namespace}:reader", "-n", jobs_namespace)
    account = {"serviceAccountName": "reader"}
    allowed = ["get", "configmap", "kube-root-ca.crt", "-o", "name"]
    with JobRunner(cluster, jobs_namespace) as jobs:
        _create(
            kubectl,
            jobs_namespace,
            _job("may", "", pod=account, command=["kubectl"], args=allowed),
            _job("may-not", "", pod=account, command=["kubectl"], args=["get", "secrets"]),
        )
        assert _ended(kubectl, jobs_namespace, "may")["succeeded"] == 1
        assert _ended(kubectl, jobs_namespace, "may-not")["failed"] == 1
    assert jobs.logs_of("may") == "configmap/kube-root-ca.crt\n"
    assert f"system:serviceaccount:{jobs_namespace}:reader" in jobs.logs_of("may-not")


def test_only_the_jobs_that_it_is_to_run_are_run(cluster: Cluster, kubectl: Command, jobs_namespace: str) -> None:
    with JobRunner(cluster, jobs_namespace, runs=lambda job: job == "chosen") as jobs:
        _create(kubectl, jobs_namespace, _job("left-alone", "print(1)"), _job("chosen", "print(2)"))
        _ended(kubectl, jobs_namespace, "chosen")
        (left,) = _pods(kubectl, jobs_namespace, "left-alone")
    assert left["status"]["phase"] == "Pending"
    assert jobs.logs_of("left-alone") == ""


def test_a_job_that_is_deleted_ends_its_command(cluster: Cluster, kubectl: Command, jobs_namespace: str, tmp_path: Path) -> None:
    alive = "import os, time; open('/claim/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    claimed = {"volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": "kept"}}]}
    job = _job("long", alive, pod=claimed, volumeMounts=[{"name": "claim", "mountPath": "/claim"}])
    with JobRunner(cluster, jobs_namespace, claims={"kept": tmp_path}):
        _create(kubectl, jobs_namespace, job)
        process = Path("/proc", until(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text(), "the command's start"))
        kubectl("delete", "job", "long", "-n", jobs_namespace)
        until(lambda: not process.exists(), "the command's end")


def _hook(name: str, at: str, script: str) -> dict[str, Any]:
    job = _job(name, script)
    deleted = {"helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}
    return {**job, "metadata": {"name": name, "annotations": {"helm.sh/hook": at, **deleted}}}


def test_helm_waits_for_its_hooks_and_gets_to_know_how_they_ended(cluster: Cluster, helm: Command, namespace: str, tmp_path: Path) -> None:
    chart = tmp_path / "toy"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: toy, version: 0.1.0}")
    hooks = [
        _hook("after", "post-install,post-upgrade", "raise SystemExit({{ .Values.code }})"),
        _hook("before", "pre-delete", "print()"),
    ]
    for each in hooks:
        (chart / "templates" / f"{each['metadata']['name']}.yaml").write_text(yaml.safe_dump(each))
    with JobRunner(cluster, namespace) as jobs:
        helm("install", "toy", chart, "-n", namespace, "--set", "code=0", "--timeout", "60s")
        failed = helm.run("upgrade", "toy", chart, "-n", namespace, "--set", "code=4", "--timeout", "60s")
        helm("uninstall", "toy", "-n", namespace, "--timeout", "60s")
    assert failed.returncode != 0
    assert "Job Failed" in failed.stderr
    assert len(jobs.logs) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/a/b.yaml", "/here/a/b.yaml"),
        ("open('/etc/a')", "open('/here/a')"),
        ("--file=/etc/a/deep/x", "--file=/deep/x"),
        ("/etc/ab/c", "/etc/ab/c"),
        ("/mnt/etc/a", "/mnt/etc/a"),
        ("/etc/a-b", "/etc/a-b"),
    ],
)
def test_a_path_is_moved_with_the_mount_that_it_is_in(text: str, expected: str) -> None:
    assert relocated(text, {"/etc/a": Path("/here/a"), "/etc/a/deep": Path("/deep")}) == expected


def test_only_known_variables_are_filled_in() -> None:
    assert expanded("$(A)/$(B) $$(A) $A", {"A": "1"}) == "1/$(B) $(A) $A"
