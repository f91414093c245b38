"""Pipelines, versions and experiments of a Kubeflow Pipelines server, found by name or made."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.core.errors import InvalidInput
from endcap_pipelines.server import Server, is_multi_user

PAGE = 50
_CONFLICT = 409


class NotInstalled(InvalidInput):
    """The server does not have the pipeline, or not this version of it; right after an installation it may come."""


@dataclass(frozen=True)
class PipelineVersion:
    """A pipeline's version on the server; in Kubernetes-native mode the ids are the uids of the two objects."""

    pipeline_id: str
    version_id: str
    name: str


def namespace_of(client: Any, server: Server) -> str | None:
    """The namespace to ask in, which a single-user server does not have.

    Raises:
        InvalidInput: the server has many users and no namespace was given.
    """
    if not is_multi_user(client, server):
        return None
    if server.namespace is None:
        raise InvalidInput("this server has many users; say whose namespace", field="--namespace", fix="name your profile's namespace")
    return server.namespace


def installed_version(
    client: Any, pipeline: str, namespace: str | None, version: str | None = None, field: str = "--installed"
) -> PipelineVersion:
    """A version of a pipeline that is on the server.

    Args:
        client: of the API.
        pipeline: its display name.
        namespace: of a multi-user server.
        version: display name of the version; None for the newest.
        field: the option that named the pipeline, for the message.

    Raises:
        NotInstalled: there is no such pipeline or version.
    """
    import kfp_server_api as api

    pipelines = api.PipelineServiceApi(client)
    found = pipelines.pipeline_service_list_pipelines(filter=named(pipeline), **inside(namespace)).pipelines or []
    for each in found[:1]:
        for candidate in _versions(pipelines, each.pipeline_id):
            if version in {None, candidate.display_name}:
                return PipelineVersion(str(each.pipeline_id), str(candidate.pipeline_version_id), str(candidate.display_name))
    missing = "no version of this pipeline" if version is None else f"no version {version} of this pipeline"
    raise NotInstalled(f"the server has {missing}", field=field, value=pipeline, fix="see the dashboard's Pipelines")


def _versions(pipelines: Any, pipeline: str) -> Iterator[Any]:
    """All versions, the newest first."""
    token = ""
    while True:
        page = pipelines.pipeline_service_list_pipeline_versions(
            pipeline, sort_by="created_at desc", page_size=PAGE, **({"page_token": token} if token else {})
        )
        yield from page.pipeline_versions or []
        token = page.next_page_token or ""
        if not token:
            return


def pipeline_id(client: Any, name: str, namespace: str | None) -> str:
    """The pipeline of this name, made when it is new."""
    import kfp_server_api as api

    pipelines = api.PipelineServiceApi(client)

    def known() -> str | None:
        found = pipelines.pipeline_service_list_pipelines(filter=named(name), **inside(namespace)).pipelines
        return str(found[0].pipeline_id) if found else None

    def make() -> str:
        body = api.V2beta1Pipeline(name=name, display_name=name, **inside(namespace))
        return str(pipelines.pipeline_service_create_pipeline(body).pipeline_id)

    return _known_or_made(known, make)


def uploaded_version(client: Any, pipeline: str, name: str, package: Path) -> PipelineVersion:
    """The version of this name of a pipeline, by the pipeline's id; uploaded when it is new."""
    import kfp_server_api as api

    pipelines, uploads = api.PipelineServiceApi(client), api.PipelineUploadServiceApi(client)

    def known() -> str | None:
        found = pipelines.pipeline_service_list_pipeline_versions(pipeline, filter=named(name)).pipeline_versions
        return str(found[0].pipeline_version_id) if found else None

    def upload() -> str:
        return str(uploads.upload_pipeline_version(str(package), name=name, pipelineid=pipeline).pipeline_version_id)

    return PipelineVersion(pipeline, _known_or_made(known, upload), name)


def experiment_id(client: Any, name: str, namespace: str | None) -> str:
    """The experiment of this name, made when it is new."""
    import kfp_server_api as api

    experiments = api.ExperimentServiceApi(client)

    def known() -> str | None:
        found = experiments.experiment_service_list_experiments(filter=named(name), **inside(namespace)).experiments
        return str(found[0].experiment_id) if found else None

    def make() -> str:
        body = api.V2beta1Experiment(display_name=name, **inside(namespace))
        return str(experiments.experiment_service_create_experiment(body).experiment_id)

    return _known_or_made(known, make)


def named(name: str) -> str:
    """The API's filter for things of one display name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "string_value": name}]})


def inside(namespace: str | None) -> dict[str, str]:
    """The argument that says in which namespace; none on a single-user server, which refuses it."""
    return {} if namespace is None else {"namespace": namespace}


def _known_or_made(known: Callable[[], str | None], make: Callable[[], str]) -> str:
    """What is there, or made now; when another one made it in between, that one."""
    from kfp_server_api import ApiException

    found = known()
    if found is not None:
        return found
    try:
        return make()
    except ApiException as error:
        found = known() if error.status == _CONFLICT else None
        if found is None:
            raise
        return found
