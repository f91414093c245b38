"""Start the pipeline on a Kubeflow Pipelines server."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.core.polling import poll
from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.server import Server, open_api
from endcap_pipelines.server_objects import PipelineVersion, experiment_id, installed_version, namespace_of, pipeline_id, uploaded_version
from endcap_pipelines.training import PIPELINE_NAME
from endcap_pipelines.values import ChartValues


@dataclass(frozen=True)
class Submission:
    """A run on a server; `version` is the pipeline's."""

    run_id: str
    pipeline_id: str
    version: str
    url: str


@dataclass(frozen=True)
class Order:
    """What a run is to be.

    Attributes:
        arguments: of the pipeline; those left out are its defaults.
        experiment: the run goes under it; made when it is new.
        service_account: of the steps' pods; empty for the server's default.
    """

    arguments: Mapping[str, Any]
    experiment: str
    service_account: str = ""


def submit_pipeline(server: Server, order: Order, values: ChartValues, now: datetime) -> Submission:
    """Upload the pipeline unless just this one is there, and start a run.

    A version is named after the content of its YAML, so the same pipeline is uploaded once however often it is run.

    Args:
        server: whose API.
        order: the run.
        values: what steps ask of the cluster.
        now: names the run.

    Raises:
        DependencyUnavailable: the server does not answer.
        InvalidInput: the server refused a request, or the values do not fit the pipeline.
    """
    with tempfile.TemporaryDirectory() as folder:
        package = compile_pipeline(Path(folder) / "endcap-training.yaml", values)
        name = f"{package_version('endcap')}-{hashlib.sha256(package.read_bytes()).hexdigest()[:12]}"
        with open_api(server) as client:
            namespace = namespace_of(client, server)
            version = uploaded_version(client, pipeline_id(client, PIPELINE_NAME, namespace), name, package)
            return _started(client, version, namespace, server=server, order=order, now=now)


def run_installed(server: Server, order: Order, pipeline: str, now: datetime) -> Submission:
    """Start a run of the newest version of a pipeline on the server, such as the one that the chart registered; nothing is uploaded.

    Raises:
        DependencyUnavailable: the server does not answer.
        NotInstalled: there is no such pipeline or it has no version.
        InvalidInput: the server refused a request.
    """
    with open_api(server) as client:
        namespace = namespace_of(client, server)
        return _started(client, installed_version(client, pipeline, namespace), namespace, server=server, order=order, now=now)


def check_server(server: Server, installed: str | None) -> None:
    """Ask for nothing but what a submission needs, so that it may be asked again: the API, and a pipeline that is to be there already.

    Raises:
        DependencyUnavailable: the server does not answer.
        NotInstalled: it does not have the pipeline.
        InvalidInput: it refused a request.
    """
    with open_api(server) as client:
        namespace = namespace_of(client, server)
        if installed is not None:
            installed_version(client, installed, namespace)


def _started(client: Any, version: PipelineVersion, namespace: str | None, *, server: Server, order: Order, now: datetime) -> Submission:
    import kfp_server_api as api

    account = {"service_account": order.service_account} if order.service_account else {}
    body = api.V2beta1Run(
        display_name=f"{PIPELINE_NAME} {now:%Y-%m-%d %H:%M:%S}",
        experiment_id=experiment_id(client, order.experiment, namespace),
        pipeline_version_reference=api.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
        ),
        runtime_config=api.V2beta1RuntimeConfig(parameters=dict(order.arguments)),
        **account,
    )
    run_id = str(api.RunServiceApi(client).run_service_create_run(body).run_id)
    return Submission(run_id, version.pipeline_id, version.name, f"{server.host.rstrip('/')}/#/runs/details/{run_id}")


POLL_S = 5.0
UNANSWERED_MAX = 12
"""Looks in a row that may go unanswered: a server that is upgraded is back within a minute."""
ENDED = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})


def wait_for_run(
    server: Server,
    run_id: str,
    timeout_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Block until a run ends.

    Raises:
        EndcapError: it failed, was cancelled or did not end in time.
        DependencyUnavailable: the server stopped answering.
        InvalidInput: the server refused a request.
    """
    unanswered = 0

    def ended_run() -> Any:
        nonlocal unanswered
        try:
            run = _look(server, run_id)
        except DependencyUnavailable:
            unanswered += 1
            if unanswered > UNANSWERED_MAX:
                raise
            return None
        unanswered = 0
        return run if str(run.state) in ENDED else None

    run = poll(ended_run, every_s=POLL_S, within_s=timeout_s, clock=clock, sleep=sleep)
    if run is None:
        raise EndcapError(f"run {run_id} did not end within {timeout_s:g} s", fix="see it in the dashboard")
    if run.state != "SUCCEEDED":
        raise EndcapError(f"run {run_id} ended as {run.state}{_failed_steps(run)}", fix="see its steps in the dashboard")


def _look(server: Server, run_id: str) -> Any:
    import kfp_server_api as api

    with open_api(server) as client:
        return api.RunServiceApi(client).run_service_get_run(run_id)


def _failed_steps(run: Any) -> str:
    tasks = (run.run_details.task_details if run.run_details else None) or []
    failed = sorted({str(task.display_name) for task in tasks if task.state == "FAILED" and task.display_name != "root"})
    return f" at {', '.join(failed)}" if failed else ""
