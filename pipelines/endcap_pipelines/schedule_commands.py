"""`endcap pipeline schedule` and `unschedule`: the recurring run of a pipeline that is on a server."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from endcap.cli.output import JsonOption, print_json
from endcap.core.errors import DependencyUnavailable
from endcap_pipelines.options import (
    CaCertOption,
    ExperimentOption,
    HostOption,
    NamespaceOption,
    ParameterOption,
    ServiceAccountOption,
    TimeoutOption,
    TokenFileOption,
    TokenOption,
    ValuesOption,
    arguments_of,
    server_of,
)

PipelineArgument = Annotated[str, typer.Argument(help="Name of a pipeline on the server, such as the chart's.", show_default=False)]


def schedule(  # noqa: PLR0917 - an option a parameter, as typer reads them
    pipeline: PipelineArgument,
    cron: Annotated[
        str | None, typer.Option(help="When, as cron writes it, or with the second in front.", show_default="`pipelines.schedule.cron`")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version of the pipeline, by name.", show_default="the newest")] = None,
    host: HostOption = None,
    values: ValuesOption = None,
    parameter: ParameterOption = None,
    experiment: ExperimentOption = None,
    service_account: ServiceAccountOption = None,
    namespace: NamespaceOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    ca_cert: CaCertOption = None,
    timeout: TimeoutOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Make or replace the pipeline's recurring run, so that it is as asked for and the only one of its name.

    Example: endcap pipeline schedule endcap-training --host http://localhost:8888 --cron "0 3 * * *"
    """
    from endcap_pipelines.recurring_run import Schedule, set_recurring_run
    from endcap_pipelines.retrying import until_answered
    from endcap_pipelines.values import read_values

    given = read_values(values or []).pipelines
    server = server_of(given, host, namespace, token=token, token_file=token_file, ca_cert=ca_cert)
    wanted = Schedule(
        pipeline=pipeline,
        cron=cron or given.schedule.cron,
        experiment=experiment or given.experiment,
        version=version,
        parameters={**given.schedule.parameters, **arguments_of(parameter or [])},
        service_account=service_account or given.service_account_name,
    )
    done = until_answered(lambda: set_recurring_run(server, wanted), timeout)
    if as_json:
        print_json(asdict(done))
    else:
        what = "made" if done.is_new else "kept"
        removed = f", removed {len(done.removed)} older" if done.removed else ""
        message = f"{what} recurring run {done.recurring_run_id} of {pipeline} {done.version} at {done.cron}{removed}"
        Console().print(message, highlight=False, markup=False, soft_wrap=True)


def unschedule(  # noqa: PLR0917 - an option a parameter, as typer reads them
    pipeline: PipelineArgument,
    host: HostOption = None,
    values: ValuesOption = None,
    namespace: NamespaceOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    ca_cert: CaCertOption = None,
    timeout: TimeoutOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Remove the pipeline's recurring runs; runs that were started go on.

    Example: endcap pipeline unschedule endcap-training --host http://localhost:8888
    """
    from endcap_pipelines.recurring_run import remove_recurring_run
    from endcap_pipelines.retrying import until_answered
    from endcap_pipelines.values import read_values

    server = server_of(read_values(values or []).pipelines, host, namespace, token=token, token_file=token_file, ca_cert=ca_cert)
    try:
        removed = until_answered(lambda: remove_recurring_run(server, pipeline), timeout)
    except DependencyUnavailable as error:
        fix = "a release whose Kubeflow Pipelines is gone is removed with `helm uninstall --no-hooks`"
        raise DependencyUnavailable(error.message, field=error.field, value=error.value, fix=fix) from error
    if as_json:
        print_json({"removed": list(removed)})
    else:
        Console().print(f"removed {len(removed)} recurring runs of {pipeline}", highlight=False, markup=False, soft_wrap=True)
