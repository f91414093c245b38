"""Start the pipeline on a Kubeflow Pipelines server."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from endcap.errors import DependencyUnavailable, EndcapError, InvalidInput
from pipelines.compiling import compile_pipeline
from pipelines.resources import GpuPool
from pipelines.training import PIPELINE_NAME


@dataclass(frozen=True)
class Submission:
    """A run on a server."""

    run_id: str
    pipeline_id: str
    version: str
    url: str


@dataclass(frozen=True)
class Server:
    """A Kubeflow Pipelines API, and who asks."""

    host: str
    namespace: str | None = None
    token: str | None = None


def submit_pipeline(server: Server, arguments: Mapping[str, Any], experiment: str, gpus: GpuPool, now: datetime) -> Submission:
    """Upload the pipeline, as a new version when it is known there, and start a run.

    Raises:
        DependencyUnavailable: the server does not answer.
        InvalidInput: the server refused the request.
    """
    version = f"{now:%Y%m%d-%H%M%S}"
    with tempfile.TemporaryDirectory() as folder, _server_errors(server), contextlib.redirect_stdout(sys.stderr):
        package = str(compile_pipeline(Path(folder) / "endcap-training.yaml", gpus))
        client = _connect(server)
        pipeline_id, version_id = _upload(client, package, version)
        started = client.create_experiment(experiment, namespace=server.namespace)
        name = f"{PIPELINE_NAME} {version}"
        run = client.run_pipeline(started.experiment_id, name, params=dict(arguments), pipeline_id=pipeline_id, version_id=version_id)
    return Submission(run.run_id, pipeline_id, version, f"{server.host.rstrip('/')}/#/runs/details/{run.run_id}")


@contextlib.contextmanager
def _server_errors(server: Server) -> Iterator[None]:
    """Errors of the client in the words of this command."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        raise InvalidInput(f"the server refused it: {error.status} {error.reason}", field="--host", value=server.host) from error
    except (HTTPError, OSError) as error:
        told = f"no Kubeflow Pipelines API answers ({type(error).__name__})"
        raise DependencyUnavailable(told, field="--host", value=server.host, fix="check the address and token") from error


def _connect(server: Server) -> Any:
    import kfp

    return kfp.Client(host=server.host, namespace=server.namespace or "kubeflow", existing_token=server.token)


def wait_for_run(server: Server, run_id: str, timeout_s: float) -> None:
    """Block until a run ends.

    Raises:
        EndcapError: it failed or did not end in time.
    """
    with _server_errors(server), contextlib.redirect_stdout(sys.stderr):
        try:
            run = _connect(server).wait_for_run_completion(run_id, timeout=int(timeout_s))
        except TimeoutError as error:
            raise EndcapError(f"run {run_id} did not end within {timeout_s:g} s", fix="see it in the dashboard") from error
    if str(run.state).upper() != "SUCCEEDED":
        raise EndcapError(f"run {run_id} ended as {run.state}", fix="see its steps in the dashboard")


def _upload(client: Any, package: str, version: str) -> tuple[str, str]:
    """The pipeline's id and that of the version just uploaded; a run names both."""
    known = client.get_pipeline_id(PIPELINE_NAME)
    if known is None:
        created = str(client.upload_pipeline(package, pipeline_name=PIPELINE_NAME).pipeline_id)
        newest = client.list_pipeline_versions(created, sort_by="created_at desc", page_size=1).pipeline_versions
        return created, str(newest[0].pipeline_version_id)
    uploaded = client.upload_pipeline_version(package, pipeline_version_name=version, pipeline_id=known)
    return str(known), str(uploaded.pipeline_version_id)
