"""The recurring run of an installed pipeline: one a name, made, replaced and removed through the API of Kubeflow Pipelines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from endcap.core.errors import InvalidInput
from endcap_pipelines.server import Server, open_api
from endcap_pipelines.server_objects import PAGE, PipelineVersion, experiment_id, inside, installed_version, named, namespace_of

_MAX_CONCURRENCY = "1"
_ENABLED = "ENABLED"
_CRON_FIELDS = (5, 6)


@dataclass(frozen=True)
class Schedule:
    """What is to run, and when.

    Attributes:
        pipeline: display name of the pipeline, and of its recurring run.
        cron: five fields as cron has them, or six that begin with the second, in the time zone of Kubeflow Pipelines' controller.
        experiment: runs go under it; made when it is new.
        version: display name of the pipeline's version; None for the newest.
        parameters: of each run; those left out are the pipeline's defaults.
        service_account: of the steps' pods; empty for the server's default.
    """

    pipeline: str
    cron: str
    experiment: str
    version: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    service_account: str = ""


@dataclass(frozen=True)
class Scheduled:
    """The recurring run as it stands on the server; `removed` are the ids of older ones of its name."""

    recurring_run_id: str
    version: str
    cron: str
    is_new: bool
    removed: tuple[str, ...]


def set_recurring_run(server: Server, schedule: Schedule) -> Scheduled:
    """Leave exactly one recurring run of the pipeline's name, and it as the schedule says.

    The API cannot change a recurring run: another one is made first, and older ones are deleted then, so that a call that breaks off leaves
    a schedule, and the next call finishes the change.

    Raises:
        DependencyUnavailable: the server does not answer.
        NotInstalled: the server has no such pipeline or version.
        InvalidInput: the cron expression is none, or the server refused a request.
    """
    cron = cron_with_seconds(schedule.cron)
    with open_api(server) as client:
        namespace = namespace_of(client, server)
        version = installed_version(client, schedule.pipeline, namespace, schedule.version, "PIPELINE")
        body = _body(schedule, cron, version, experiment_id(client, schedule.experiment, namespace))
        found = list(_found(client, schedule.pipeline, namespace))
        kept = next((str(each.recurring_run_id) for each in found if _is(each, body)), None)
        current = kept or _made(client, body)
        removed = _deleted(client, [each for each in found if each.recurring_run_id != current])
    return Scheduled(current, version.name, cron, kept is None, removed)


def remove_recurring_run(server: Server, pipeline: str) -> tuple[str, ...]:
    """Delete every recurring run of the pipeline's name; their ids.

    Raises:
        DependencyUnavailable: the server does not answer.
        InvalidInput: the server refused a request.
    """
    with open_api(server) as client:
        return _deleted(client, list(_found(client, pipeline, namespace_of(client, server))))


def cron_with_seconds(cron: str) -> str:
    """The expression with the second in front, as Kubeflow Pipelines reads it; of five fields it would take the minute for the second.

    Raises:
        InvalidInput: it has another number of fields.
    """
    fields = cron.split()
    if len(fields) not in _CRON_FIELDS:
        raise InvalidInput(
            "must have five fields, or six that begin with the second", field="--cron", value=cron, fix="for example 0 3 * * *"
        )
    return " ".join(fields if len(fields) == max(_CRON_FIELDS) else ["0", *fields])


def _body(schedule: Schedule, cron: str, version: PipelineVersion, experiment: str) -> Any:
    import kfp_server_api as api

    account = {"service_account": schedule.service_account} if schedule.service_account else {}
    return api.V2beta1RecurringRun(
        display_name=schedule.pipeline,
        description="Scheduled training",
        experiment_id=experiment,
        pipeline_version_reference=api.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
        ),
        runtime_config=api.V2beta1RuntimeConfig(parameters=dict(schedule.parameters)),
        trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=cron)),
        max_concurrency=_MAX_CONCURRENCY,
        no_catchup=True,
        mode="ENABLE",
        **account,
    )


def _is(found: Any, body: Any) -> bool:
    """Whether a recurring run of the server is what the body asks for."""
    reference, cron = found.pipeline_version_reference, found.trigger.cron_schedule if found.trigger else None
    return (
        reference is not None
        and cron is not None
        and (reference.pipeline_id, reference.pipeline_version_id)
        == (body.pipeline_version_reference.pipeline_id, body.pipeline_version_reference.pipeline_version_id)
        and cron.cron == body.trigger.cron_schedule.cron
        and found.experiment_id == body.experiment_id
        and ((found.runtime_config and found.runtime_config.parameters) or {}) == body.runtime_config.parameters
        and body.service_account in {None, found.service_account}
        and (str(found.max_concurrency), bool(found.no_catchup), found.status) == (_MAX_CONCURRENCY, True, _ENABLED)
    )


def _found(client: Any, name: str, namespace: str | None) -> Iterator[Any]:
    import kfp_server_api as api

    recurring, token = api.RecurringRunServiceApi(client), ""
    while True:
        page = recurring.recurring_run_service_list_recurring_runs(
            filter=named(name), page_size=PAGE, **inside(namespace), **({"page_token": token} if token else {})
        )
        yield from page.recurring_runs or []
        token = page.next_page_token or ""
        if not token:
            return


def _made(client: Any, body: Any) -> str:
    import kfp_server_api as api

    return str(api.RecurringRunServiceApi(client).recurring_run_service_create_recurring_run(body).recurring_run_id)


def _deleted(client: Any, found: list[Any]) -> tuple[str, ...]:
    """Ids of what was deleted; one that is gone meanwhile is none."""
    import kfp_server_api as api

    gone = 404
    deleted = []
    for each in found:
        try:
            api.RecurringRunServiceApi(client).recurring_run_service_delete_recurring_run(each.recurring_run_id)
        except api.ApiException as error:
            if error.status != gone:
                raise
        else:
            deleted.append(str(each.recurring_run_id))
    return tuple(deleted)
