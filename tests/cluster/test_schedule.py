"""Scheduled training on a real API server, with the real Job controller, Helm and client: it starts with the first installation."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.chart import CHART, RELEASE, parts_in, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.job_runner import JobRunner
from tests.cluster.kfp_server import KubernetesNative
from tests.cluster.leftovers import Inventory
from tests.pipelines.kfp_server.server import serving
from tests.waiting import until

STARTED_S = 60.0
"""For Jobs, each of which starts a Python with the API's client."""


@pytest.fixture(autouse=True)
def _operators(operator_crds: None, without_rollout_definition: None) -> None:
    """Every kind that the chart writes is known, and none of the chart's own is there."""


@pytest.fixture
def kfp(cluster: Cluster, namespace: str) -> Iterator[KubernetesNative]:
    with cluster.api_client() as api_client:
        yield KubernetesNative(api_client=api_client, namespace=namespace)


@pytest.fixture
def host(kfp: KubernetesNative) -> Iterator[str]:
    with serving(kfp) as address:
        yield address
    assert kfp.violations == []


@pytest.fixture
def jobs(cluster: Cluster, namespace: str) -> Iterator[JobRunner]:
    with JobRunner(cluster, namespace, runs=lambda job: job.startswith(f"{RELEASE}-schedule-")) as runner:
        yield runner


class Release:
    """The production profile in a namespace, against the server."""

    def __init__(self, helm: Command, kubectl: Command, namespace: str, host: str) -> None:
        self._helm, self._kubectl = helm, kubectl
        self._place = ("--namespace", namespace)
        self._values = ("--values", values_of("production"), "--set", f"pipelines.host={host}", *parts_in(namespace))

    def install(self, *more: str) -> None:
        self._helm("install", RELEASE, CHART, *self._place, *self._values, *more)

    def upgrade(self, *more: str) -> None:
        self._helm("upgrade", RELEASE, CHART, *self._place, *self._values, *more)

    def rollback(self, revision: int) -> None:
        self._helm("rollback", RELEASE, str(revision), *self._place)

    def uninstall(self) -> None:
        self._helm("uninstall", RELEASE, *self._place)

    def wait_for_job(self, jobs: JobRunner) -> None:
        """The release has one Job for its schedule, and that has done its work."""

        def is_done() -> bool:
            listed = json.loads(self._kubectl("get", "jobs", *self._place, "-l", "app.kubernetes.io/component=schedule", "-o", "json"))
            statuses = [each.get("status", {}) for each in listed["items"]]
            return [each.get("succeeded", 0) for each in statuses] == [1]

        try:
            until(is_done, "the schedule's Job", STARTED_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{dict(jobs.logs)}") from error


@pytest.fixture
def release(helm: Command, kubectl: Command, namespace: str, host: str) -> Release:
    return Release(helm, kubectl, namespace, host)


def crons(kfp: KubernetesNative) -> list[Any]:
    return [each["trigger"]["cron_schedule"]["cron"] for each in kfp.recurring.values()]


def test_a_schedule_comes_changes_and_goes_with_its_release(
    release: Release, kfp: KubernetesNative, jobs: JobRunner, cluster: Cluster, namespace: str
) -> None:
    release.install()
    release.wait_for_job(jobs)
    assert crons(kfp) == ["0 0 3 * * *"]
    (recurring_run,) = kfp.recurring
    run = kfp.runs[kfp.fire(recurring_run)["run_id"]]
    assert kfp.experiments[run["experiment_id"]] == ("endcap", namespace)

    release.upgrade("--set", "pipelines.schedule.cron=15 4 * * 1")
    release.wait_for_job(jobs)
    assert crons(kfp) == ["0 15 4 * * 1"]

    kept = list(kfp.recurring)
    release.upgrade("--set", "pipelines.schedule.cron=15 4 * * 1")
    release.wait_for_job(jobs)
    assert list(kfp.recurring) == kept

    release.uninstall()
    assert kfp.recurring == {}
    inventory = Inventory(cluster.api_client())
    until(lambda: not [each for each in inventory.of_namespace(namespace) if "schedule" in each], "nothing left of the schedule")
    assert kfp.reviews == {
        ("pipelines", "list"),
        ("experiments", "list"),
        ("experiments", "create"),
        ("jobs", "list"),
        ("jobs", "create"),
        ("jobs", "delete"),
    }


def test_a_new_pipeline_is_what_the_schedule_starts_then(release: Release, kfp: KubernetesNative, jobs: JobRunner) -> None:
    release.install()
    release.wait_for_job(jobs)
    release.upgrade("--set", "pipelines.dataDir=/var/lib/endcap/elsewhere")
    release.wait_for_job(jobs)
    (recurring_run,) = kfp.recurring
    run = kfp.runs[kfp.fire(recurring_run)["run_id"]]
    package = kfp.versions[run["pipeline_version_reference"]["pipeline_version_id"]][2]
    assert package.spec.root.input_definitions.parameters["data_dir"].default_value.string_value == "/var/lib/endcap/elsewhere"
    release.uninstall()


def test_a_schedule_that_is_switched_off_or_rolled_back_is_gone(release: Release, kfp: KubernetesNative, jobs: JobRunner) -> None:
    release.install("--set", "pipelines.schedule.enabled=false")
    release.wait_for_job(jobs)
    assert kfp.recurring == {}
    release.upgrade()
    release.wait_for_job(jobs)
    assert crons(kfp) == ["0 0 3 * * *"]
    release.rollback(1)  # an upgrade that switches it off renders the same Job
    release.wait_for_job(jobs)
    assert kfp.recurring == {}
    release.uninstall()


def test_a_cron_job_starts_what_is_installed(
    release: Release, kfp: KubernetesNative, jobs: JobRunner, kubectl: Command, namespace: str
) -> None:
    release.install("--set", "pipelines.schedule.by=cronJob", "--set", "pipelines.schedule.parameters.test_weeks=8")
    job = f"{RELEASE}-schedule-now"
    kubectl("create", "job", job, f"--from=cronjob/{RELEASE}-schedule", "--namespace", namespace)
    until(lambda: kfp.runs, "the run of the CronJob", STARTED_S)
    (run,) = kfp.runs.values()
    assert run["runtime_config"]["parameters"] == {"test_weeks": 8}
    assert run["pipeline_version_reference"]["pipeline_version_id"] in kfp.versions
    done = ("wait", f"job/{job}", "--for=condition=Complete", "--timeout=60s", "--namespace", namespace)
    kubectl(*done)
    assert ("runs", "create") in kfp.reviews
    assert kfp.recurring == {}
    release.uninstall()


def test_pipelines_are_not_switched_off_before_their_schedule(helm: Command, release: Release, namespace: str) -> None:
    release.install()
    off = (
        "--values",
        str(values_of("production")),
        "--set",
        "pipelines.enabled=false,pipelines.schedule.enabled=false",
        *parts_in(namespace),
    )
    refused = helm.run("upgrade", RELEASE, CHART, "--namespace", namespace, *off)
    assert "switch pipelines.schedule.enabled off in an upgrade before this one" in refused.stderr
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")
