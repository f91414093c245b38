"""Scheduled training: a Job that makes the recurring run through the API, or a CronJob that submits runs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from endcap_pipelines.commands import app
from tests.charts.chart import CHART, ROOT, Document, Refused, documents, environment, of_kind, one, program, render

Chart = Callable[..., list[Document]]
HOST = "http://ml-pipeline.kubeflow.svc:8888"
KFP_GROUP = "pipelines.kubeflow.org"


def scheduled(**schedule: Any) -> dict[str, Any]:
    return {"pipelines": {"enabled": True, "host": HOST, "schedule": {"enabled": True, "cron": "15 2 * * 1", **schedule}}}


def job_of(objects: list[Document]) -> Document:
    """The Job of the release; hooks are others."""
    (job,) = [each for each in of_kind(objects, "Job") if "annotations" not in each["metadata"]]
    return job


def container_of(workload: Document) -> Document:
    spec = workload["spec"].get("jobTemplate", workload)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return dict(container)


def call_of(workload: Document) -> list[str]:
    container = container_of(workload)
    return [*container["command"], *container["args"]]


def cron_job(objects: list[Document]) -> Document:
    return one(objects, "CronJob", "endcap-schedule")


def test_the_first_installation_makes_the_recurring_run(chart: Chart) -> None:
    objects = chart(scheduled())
    version = one(objects, "PipelineVersion")["spec"]
    call = call_of(job_of(objects))
    assert call[:4] == ["endcap", "pipeline", "schedule", version["pipelineName"]]
    wanted = {"--cron=15 2 * * 1", f"--version={version['displayName']}", f"--host={HOST}", "--experiment=endcap"}
    assert wanted <= set(call)
    assert "--service-account=endcap-pipeline" in call
    assert of_kind(objects, "ScheduledWorkflow") == []  # one without the API's ids never starts a run


def test_a_release_does_not_wait_for_kubeflow_pipelines(chart: Chart) -> None:
    job = job_of(chart(scheduled()))
    assert "annotations" not in job["metadata"]
    assert job["spec"]["backoffLimit"] >= 10
    assert "ttlSecondsAfterFinished" not in job["spec"]  # a tool that compares objects would make it again and again


@pytest.mark.parametrize(
    "other",
    [{"cron": "16 2 * * 1"}, {"parameters": {"test_weeks": 8}}, {"enabled": False}],
)
def test_another_schedule_is_another_job(chart: Chart, other: dict[str, Any]) -> None:
    name = job_of(chart(scheduled()))["metadata"]["name"]
    assert job_of(chart(scheduled()))["metadata"]["name"] == name != job_of(chart(scheduled(**other)))["metadata"]["name"]


def test_another_pipeline_is_scheduled_anew(chart: Chart) -> None:
    values = scheduled()
    name = job_of(chart(values))["metadata"]["name"]
    values["pipelines"]["dataDir"] = "/var/lib/endcap/elsewhere"
    assert job_of(chart(values))["metadata"]["name"] != name


def test_names_of_jobs_fit_the_longest_name_of_a_release(chart: Chart) -> None:
    objects = chart({**scheduled(), "fullnameOverride": "e" * 38})
    assert all(len(each["metadata"]["name"]) <= 63 for each in of_kind(objects, "Job"))


def test_a_schedule_that_is_switched_off_is_removed(chart: Chart) -> None:
    objects = chart(scheduled(enabled=False))
    assert call_of(job_of(objects))[:4] == ["endcap", "pipeline", "unschedule", "endcap-training"]
    assert [each["resources"] for each in one(objects, "Role", "endcap-schedule")["rules"]] == [["jobs"]]


@pytest.mark.parametrize(
    "values", [{"pipelines": {"enabled": True}}, {"pipelines": {"enabled": True, "host": HOST}, "hooks": {"enabled": False}}]
)
def test_without_a_server_or_with_hooks_off_nothing_is_removed(chart: Chart, values: dict[str, Any]) -> None:
    objects = chart(values)
    assert of_kind(objects, "Job") == []
    assert not [each for each in objects if each["metadata"]["name"] == "endcap-schedule"]


def test_an_uninstall_removes_the_recurring_run_first(chart: Chart) -> None:
    hook = one(chart(scheduled()), "Job", "endcap-schedule-removal")
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert "hook-failed" in hook["metadata"]["annotations"]["helm.sh/hook-delete-policy"]  # or `--no-hooks` would leave it
    assert "--timeout=60" in call_of(hook)
    assert hook["spec"]["activeDeadlineSeconds"] < 300
    assert not any("removal" in each["metadata"]["name"] for each in chart({**scheduled(), "hooks": {"enabled": False}}))


def test_a_cron_job_submits_what_is_installed(chart: Chart) -> None:
    objects = chart(scheduled(by="cronJob", timezone="Europe/Berlin", parameters={"test_weeks": 8}))
    job = cron_job(objects)
    assert (job["spec"]["schedule"], job["spec"]["timeZone"], job["spec"]["concurrencyPolicy"]) == ("15 2 * * 1", "Europe/Berlin", "Forbid")
    call = call_of(job)
    assert call[:3] == ["endcap", "pipeline", "submit"]
    assert {"--installed=endcap-training", "--wait", "--experiment=endcap", "--parameter=test_weeks=8"} <= set(call)
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0  # a second pod would start a second run
    assert call_of(job_of(objects))[2] == "unschedule"  # of what was there by `recurringRun`


def test_overlays_have_the_cron_job_and_no_other(tmp_path: Path) -> None:
    overlay = ROOT / "manifests" / "overlays" / "production"
    objects = [each for path in overlay.glob("pipeline-schedule-*.yaml") for each in documents(path.read_text())]
    assert {each["kind"] for each in objects} == {"CronJob", "NetworkPolicy", "Role", "RoleBinding", "ServiceAccount"}
    assert environment(container_of(cron_job(objects)))["KF_PIPELINES_NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    everything = render(tmp_path, "production", {"hooks": {"enabled": False}, "pipelines": {"schedule": {"by": "cronJob"}}})
    assert of_kind(everything, "Job") == []


@pytest.mark.parametrize("by", ["recurringRun", "cronJob"])
def test_options_are_ones_that_the_command_knows(chart: Chart, by: str) -> None:
    objects = chart(scheduled(by=by, parameters={"ranker": {"epochs": 2}, "precision": "int8"}))
    workloads = [*of_kind(objects, "Job"), *[each for each in of_kind(objects, "CronJob") if each["metadata"]["name"] == "endcap-schedule"]]
    assert len(workloads) == 2
    for each in workloads:
        _, _, command, *arguments = call_of(each)
        known = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "400", "NO_COLOR": "1", "TERM": "dumb"}).stdout
        options = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
        assert options <= set(re.findall(r"--[a-z-]+", known)), command


def test_parameters_reach_the_command_as_json(chart: Chart) -> None:
    call = call_of(job_of(chart(scheduled(parameters={"ranker": {"epochs": 2}, "precision": "int8", "min_gain": 0.01}))))
    given = {each.removeprefix("--parameter=") for each in call if each.startswith("--parameter=")}
    assert given == {'ranker={"epochs":2}', 'precision="int8"', "min_gain=0.01"}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"test_weaks": 8}, r"pipelines\.schedule\.parameters\.test_weaks: the pipeline has no such parameter"),
        ({"test_weeks": "8"}, r"pipelines\.schedule\.parameters\.test_weeks: must be a NUMBER_INTEGER"),
        ({"ranker": 2}, r"must be a STRUCT"),
        ({"precision": True}, r"must be a STRING"),
    ],
)
def test_parameters_that_every_run_would_be_refused_for_are_refused(chart: Chart, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        chart(scheduled(parameters=parameters))


def test_a_schedule_needs_an_address(chart: Chart) -> None:
    with pytest.raises(Refused, match=r"pipelines\.host: a schedule needs the address"):
        chart({"pipelines": {"enabled": True, "schedule": {"enabled": True}}})


@pytest.mark.parametrize("by", ["recurringRun", "cronJob"])
def test_the_pod_says_who_it_is_to_a_server_of_many_users(chart: Chart, by: str) -> None:
    values = scheduled(by=by)
    values["pipelines"]["namespace"] = "team"
    objects = chart(values)
    workload = cron_job(objects) if by == "cronJob" else job_of(objects)
    pod = workload["spec"].get("jobTemplate", workload)["spec"]["template"]["spec"]
    source = next(each["projected"]["sources"] for each in pod["volumes"] if each["name"] == "token")
    mount = next(each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "token")
    assert source[0]["serviceAccountToken"]["audience"] == KFP_GROUP
    settings = environment(pod["containers"][0])
    assert settings["KF_PIPELINES_SA_TOKEN_PATH"] == f"{mount['mountPath']}/{source[0]['serviceAccountToken']['path']}"
    assert settings["KF_PIPELINES_NAMESPACE"] == "team"
    role, binding = one(objects, "Role", "endcap-schedule"), one(objects, "RoleBinding", "endcap-schedule")
    assert {role["metadata"]["namespace"], binding["metadata"]["namespace"]} == {"team"}
    assert binding["subjects"][0]["name"] == pod["serviceAccountName"]
    assert all(rule["apiGroups"] == [KFP_GROUP] for rule in role["rules"])
    verbs = {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}
    assert ("runs" in verbs) == (by == "cronJob")
    assert ("create" in verbs["jobs"]) == (by == "recurringRun")


def test_it_reaches_the_api_and_nothing_else(chart: Chart) -> None:
    egress = one(chart(scheduled()), "NetworkPolicy", "endcap-schedule")["spec"]["egress"]
    assert [port["port"] for rule in egress for port in rule["ports"]] == [8888]


def test_values_of_the_schedule_are_those_that_the_command_reads(tmp_path: Path) -> None:
    from endcap_pipelines.values import read_values

    assert program("helm")
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(scheduled(by="cronJob", parameters={"seed": 7})))
    schedule = read_values([CHART / "values.yaml", values]).pipelines.schedule
    assert (schedule.by, schedule.parameters, schedule.cron) == ("cronJob", {"seed": 7}, "15 2 * * 1")
