"""Start the pipeline on a Kubeflow Pipelines server."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from endcap.errors import InvalidInput
from pipelines.compiling import compile_pipeline
from pipelines.server import Server, is_multi_user, open_api
from pipelines.training import PIPELINE_NAME
from pipelines.values import ChartValues

_CONFLICT = 409


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


@dataclass(frozen=True)
class _Version:
    """A pipeline's version on the server."""

    pipeline_id: str
    version_id: str
    name: str


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
            namespace = _namespace(client, server)
            pipeline_id = _pipeline(client, namespace)
            version = _Version(pipeline_id, _version(client, pipeline_id, name, package), name)
            return _started(client, version, namespace, server=server, order=order, now=now)


def run_installed(server: Server, order: Order, pipeline: str, now: datetime) -> Submission:
    """Start a run of the newest version of a pipeline on the server, such as the one that the chart registered; nothing is uploaded.

    Raises:
        DependencyUnavailable: the server does not answer.
        InvalidInput: there is no such pipeline or it has no version, or the server refused a request.
    """
    with open_api(server) as client:
        namespace = _namespace(client, server)
        return _started(client, _newest(client, pipeline, namespace), namespace, server=server, order=order, now=now)


def _started(client: Any, version: _Version, namespace: str | None, *, server: Server, order: Order, now: datetime) -> Submission:
    import kfp_server_api as api

    account = {"service_account": order.service_account} if order.service_account else {}
    body = api.V2beta1Run(
        display_name=f"{PIPELINE_NAME} {now:%Y-%m-%d %H:%M:%S}",
        experiment_id=_experiment(client, order.experiment, namespace),
        pipeline_version_reference=api.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
        ),
        runtime_config=api.V2beta1RuntimeConfig(parameters=dict(order.arguments)),
        **account,
    )
    run_id = str(api.RunServiceApi(client).run_service_create_run(body).run_id)
    return Submission(run_id, version.pipeline_id, version.name, f"{server.host.rstrip('/')}/#/runs/details/{run_id}")


def _newest(client: Any, name: str, namespace: str | None) -> _Version:
    import kfp_server_api as api

    pipelines = api.PipelineServiceApi(client)
    found = pipelines.pipeline_service_list_pipelines(filter=_named(name), **_in(namespace)).pipelines or []
    for pipeline in found[:1]:
        newest = pipelines.pipeline_service_list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at desc", page_size=1)
        for version in newest.pipeline_versions or []:
            return _Version(str(pipeline.pipeline_id), str(version.pipeline_version_id), str(version.display_name))
    raise InvalidInput("the server has no version of this pipeline", field="--installed", value=name, fix="see the dashboard's Pipelines")


def _namespace(client: Any, server: Server) -> str | None:
    """The namespace to ask in, which a single-user server does not have."""
    if not is_multi_user(client, server):
        return None
    if server.namespace is None:
        raise InvalidInput("this server has many users; say whose namespace", field="--namespace", fix="name your profile's namespace")
    return server.namespace


def _pipeline(client: Any, namespace: str | None) -> str:
    import kfp_server_api as api

    pipelines = api.PipelineServiceApi(client)

    def known() -> str | None:
        found = pipelines.pipeline_service_list_pipelines(filter=_named(PIPELINE_NAME), **_in(namespace)).pipelines
        return str(found[0].pipeline_id) if found else None

    def make() -> str:
        body = api.V2beta1Pipeline(name=PIPELINE_NAME, display_name=PIPELINE_NAME, **_in(namespace))
        return str(pipelines.pipeline_service_create_pipeline(body).pipeline_id)

    return _known_or_made(known, make)


def _version(client: Any, pipeline_id: str, name: str, package: Path) -> str:
    import kfp_server_api as api

    pipelines, uploads = api.PipelineServiceApi(client), api.PipelineUploadServiceApi(client)

    def known() -> str | None:
        found = pipelines.pipeline_service_list_pipeline_versions(pipeline_id, filter=_named(name)).pipeline_versions
        return str(found[0].pipeline_version_id) if found else None

    def upload() -> str:
        return str(uploads.upload_pipeline_version(str(package), name=name, pipelineid=pipeline_id).pipeline_version_id)

    return _known_or_made(known, upload)


def _experiment(client: Any, name: str, namespace: str | None) -> str:
    import kfp_server_api as api

    experiments = api.ExperimentServiceApi(client)

    def known() -> str | None:
        found = experiments.experiment_service_list_experiments(filter=_named(name), **_in(namespace)).experiments
        return str(found[0].experiment_id) if found else None

    def make() -> str:
        return str(
            experiments.experiment_service_create_experiment(api.V2beta1Experiment(display_name=name, **_in(namespace))).experiment_id
        )

    return _known_or_made(known, make)


def _known_or_made(known: Any, make: Any) -> str:
    """What is there, or made now; when another one made it in between, that one."""
    from kfp_server_api import ApiException

    found = known()
    if found is not None:
        return str(found)
    try:
        return str(make())
    except ApiException as error:
        found = known() if error.status == _CONFLICT else None
        if found is None:
            raise
        return str(found)


def _named(name: str) -> str:
    """The API's filter for things of one display name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]})


def _in(namespace: str | None) -> dict[str, str]:
    return {} if namespace is None else {"namespace": namespace}
