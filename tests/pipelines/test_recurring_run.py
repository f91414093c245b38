"""The recurring run against a strict server: one of its name, as it was asked for, and one that the server's controller can start."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap_pipelines.recurring_run import Schedule, Scheduled, _deleted, remove_recurring_run, set_recurring_run
from endcap_pipelines.retrying import RETRY_S, until_answered
from endcap_pipelines.server import Server
from endcap_pipelines.server_objects import NotInstalled
from endcap_pipelines.training import PIPELINE_NAME
from endcap_pipelines.values import ChartValues
from tests.pipelines.kfp_server.recurring_runs import NO_EXPERIMENT, NO_TEMPLATE
from tests.pipelines.kfp_server.request import Status
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines
from tests.pipelines.test_submitting import submitted
from tests.pipelines.test_waiting import Time

NIGHTLY = Schedule(PIPELINE_NAME, "0 3 * * *", "endcap", parameters={"test_weeks": 8})
SERVERS = {"single-user": (None, Server("")), "multi-user": ({"ann's": ["ann"], "ben's": ["ben"]}, Server("", "ann", "ann's"))}


@pytest.fixture(params=SERVERS)
def api(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Pipelines]]:
    """A server of each kind with the pipeline on it; whatever it refuses as unpublished fails the test."""
    people, asking = SERVERS[request.param]
    pipelines = Pipelines(people=people)
    with serving(pipelines) as host:
        server = replace(asking, host=host)
        submitted(server)
        yield server, pipelines
    assert pipelines.violations == []


def test_a_run_starts_when_the_time_has_come(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    done = set_recurring_run(server, NIGHTLY)
    assert (done.is_new, done.cron, done.removed) == (True, "0 0 3 * * *", ())
    run = pipelines.fire(done.recurring_run_id)
    started = pipelines.runs[run["run_id"]]
    assert started["pipeline_version_reference"] == {"pipeline_id": "pipeline-0", "pipeline_version_id": "version-0"}
    assert started["runtime_config"]["parameters"] == {"test_weeks": 8}
    assert pipelines.experiments[started["experiment_id"]][0] == "endcap"


def test_it_does_not_catch_up_and_runs_once_at_a_time(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    set_recurring_run(server, replace(NIGHTLY, service_account="endcap-pipeline"))
    (body,) = pipelines.recurring.values()
    assert (body["no_catchup"], body["max_concurrency"], body["mode"]) == (True, "1", "ENABLE")
    assert (body["display_name"], body["service_account"]) == (PIPELINE_NAME, "endcap-pipeline")


def test_a_second_call_changes_nothing(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    first = set_recurring_run(server, NIGHTLY)
    second = set_recurring_run(server, NIGHTLY)
    assert second == replace(first, is_new=False)
    assert pipelines.made == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(NIGHTLY, cron="15 4 * * 1"),
        replace(NIGHTLY, experiment="nightly"),
        replace(NIGHTLY, parameters={"test_weeks": 4}),
        replace(NIGHTLY, parameters={}),
        replace(NIGHTLY, service_account="default-editor"),
    ],
)
def test_another_schedule_replaces_the_one_before(api: tuple[Server, Pipelines], other: Schedule) -> None:
    server, pipelines = api
    first = set_recurring_run(server, NIGHTLY)
    second = set_recurring_run(server, other)
    assert second.removed == (first.recurring_run_id,)
    assert list(pipelines.recurring) == [second.recurring_run_id]


def test_a_new_version_of_the_pipeline_is_what_runs_then(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    set_recurring_run(server, NIGHTLY)
    newest = submitted(server, ChartValues.model_validate({"pipelines": {"dataDir": "/elsewhere"}}))
    assert set_recurring_run(server, NIGHTLY).version == newest.version
    (body,) = pipelines.recurring.values()
    assert body["pipeline_version_reference"]["pipeline_version_id"] == "version-1"


def test_a_version_that_is_named_is_taken_though_it_is_not_the_newest(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    for number in range(60):  # more than a page of them
        name, _, package = pipelines.versions["version-0"]
        pipelines.versions[f"version-{number + 1}"] = (f"{name}-{number}", "pipeline-0", package)
    name = pipelines.versions["version-0"][0]
    assert set_recurring_run(server, replace(NIGHTLY, version=name)).version == name
    assert next(iter(pipelines.recurring.values()))["pipeline_version_reference"]["pipeline_version_id"] == "version-0"


def test_one_that_was_switched_off_in_the_dashboard_is_replaced(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    first = set_recurring_run(server, NIGHTLY)
    pipelines.recurring[first.recurring_run_id]["mode"] = "DISABLE"
    assert set_recurring_run(server, NIGHTLY).removed == (first.recurring_run_id,)


def test_a_change_that_broke_off_is_finished_by_the_next_call(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    set_recurring_run(server, NIGHTLY)
    pipelines.refused["recurring_run_service_delete_recurring_run"] = 503
    with pytest.raises(DependencyUnavailable):
        set_recurring_run(server, replace(NIGHTLY, cron="0 4 * * *"))
    assert len(pipelines.recurring) == 2
    set_recurring_run(server, replace(NIGHTLY, cron="0 4 * * *"))
    assert [each["trigger"]["cron_schedule"]["cron"] for each in pipelines.recurring.values()] == ["0 0 4 * * *"]


def test_many_of_its_name_become_one(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    kept = set_recurring_run(server, NIGHTLY)
    body = pipelines.recurring[kept.recurring_run_id]
    pipelines.recurring |= {f"old-{number}": {**body, "max_concurrency": "2"} for number in range(70)}
    assert len(set_recurring_run(server, NIGHTLY).removed) == 70
    assert list(pipelines.recurring) == [kept.recurring_run_id]


def test_removing_takes_those_of_its_name_only(api: tuple[Server, Pipelines]) -> None:
    server, pipelines = api
    mine = set_recurring_run(server, NIGHTLY)
    pipelines.recurring["another"] = {**pipelines.recurring[mine.recurring_run_id], "display_name": "another"}
    assert remove_recurring_run(server, PIPELINE_NAME) == (mine.recurring_run_id,)
    assert list(pipelines.recurring) == ["another"]
    assert remove_recurring_run(server, PIPELINE_NAME) == ()


def test_a_neighbour_s_recurring_run_stays() -> None:
    pipelines = Pipelines(people={"ann's": ["ann"], "ben's": ["ben"]})
    with serving(pipelines) as host:
        anns, bens = Server(host, "ann", "ann's"), Server(host, "ben", "ben's")
        for server in (anns, bens):
            submitted(server)
            set_recurring_run(server, NIGHTLY)
        remove_recurring_run(anns, PIPELINE_NAME)
    assert [pipelines.experiments[each["experiment_id"]][1] for each in pipelines.recurring.values()] == ["ben"]


@pytest.mark.parametrize(
    ("parameters", "told"), [({"weeks": 8}, "no input weeks"), ({"test_weeks": "8"}, "must be"), ({"test_weeks": None}, "must be")]
)
def test_parameters_that_do_not_fit_the_pipeline_are_refused_at_once(parameters: dict[str, object], told: str) -> None:
    pipelines = Pipelines()
    with serving(pipelines) as host:
        submitted(Server(host))
        with pytest.raises(InvalidInput, match=told):
            set_recurring_run(Server(host), replace(NIGHTLY, parameters=parameters))
    assert pipelines.recurring == {}


@pytest.mark.parametrize("cron", ["0 3 * *", "", "0 0 3 * * * 2026"])
def test_an_expression_that_is_no_cron_is_refused(cron: str) -> None:
    with pytest.raises(InvalidInput, match=r"--cron: must have five fields"):
        set_recurring_run(Server("http://127.0.0.1:9"), replace(NIGHTLY, cron=cron))


def test_a_pipeline_that_is_about_to_be_registered_is_waited_for() -> None:
    pipelines, time = Pipelines(), Time()
    with serving(pipelines) as host:

        def install(seconds: float) -> None:
            time.sleep(seconds)
            if time.now > 3 * RETRY_S:
                submitted(Server(host))

        done = until_answered(lambda: set_recurring_run(Server(host), NIGHTLY), 60, clock=time.clock, sleep=install)
    assert isinstance(done, Scheduled)
    assert time.now == 4 * RETRY_S


def test_the_wait_for_a_pipeline_is_bounded() -> None:
    time = Time()
    with serving(Pipelines()) as host, pytest.raises(NotInstalled, match=f"PIPELINE: the server has no version.*{PIPELINE_NAME}"):
        until_answered(lambda: set_recurring_run(Server(host), NIGHTLY), 60, clock=time.clock, sleep=time.sleep)
    assert time.now == 60


def test_a_schedule_by_the_pipeline_s_name_alone_never_starts() -> None:
    """What a ScheduledWorkflow with `pipelineName` came to."""
    pipelines = Pipelines(recurring={"by-name": {"display_name": "nightly", "trigger": {"cron_schedule": {"cron": "0 0 3 * * *"}}}})
    with pytest.raises(Status, match=NO_TEMPLATE):
        pipelines.fire("by-name")


def test_a_schedule_without_an_experiment_never_starts_for_many_users() -> None:
    pipelines = Pipelines(people={"ann's": ["ann"]}, recurring={"by-id": {"pipeline_version_reference": {"pipeline_id": "pipeline-0"}}})
    with pytest.raises(Status, match=NO_EXPERIMENT):
        pipelines.fire("by-id")


def test_one_that_somebody_removes_at_the_same_moment_is_none_and_a_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import kfp_server_api as api

    def failing(status: int) -> Callable[..., None]:
        def delete(*_: object) -> None:
            raise api.ApiException(status=status, reason="as asked")

        return delete

    found = [SimpleNamespace(recurring_run_id="one")]
    name = "recurring_run_service_delete_recurring_run"
    monkeypatch.setattr(api.RecurringRunServiceApi, name, failing(404))
    assert _deleted(api.ApiClient(), found) == ()
    monkeypatch.setattr(api.RecurringRunServiceApi, name, failing(403))
    with pytest.raises(api.ApiException, match="as asked"):
        _deleted(api.ApiClient(), found)
