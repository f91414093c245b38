"""A submission against a strict server: what is uploaded and started, for whom, and what each refusal says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap_pipelines.server import Server, _said
from endcap_pipelines.submitting import Order, Submission, run_installed, submit_pipeline
from endcap_pipelines.training import PIPELINE_NAME
from endcap_pipelines.values import ChartValues
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines
from tests.pipelines.kfp_server.tls import certified

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
ARGUMENTS = {"data_dir": "/data/endcap", "fingerprint": "f", "quotas": {"popular_quota": 10}}
ORDER = Order(ARGUMENTS, "endcap")


@pytest.fixture
def single() -> Iterator[tuple[str, Pipelines]]:
    """A server of one user; whatever it refuses as unpublished fails the test."""
    yield from strict(Pipelines())


@pytest.fixture
def multi() -> Iterator[tuple[str, Pipelines]]:
    """A server of many users behind a gateway that knows two of them."""
    yield from strict(Pipelines(people={"ann's": ["ann"], "ben's": ["ben"]}))


def strict(pipelines: Pipelines) -> Iterator[tuple[str, Pipelines]]:
    with serving(pipelines) as address:
        yield address, pipelines
    assert pipelines.violations == []


def submitted(server: Server, values: ChartValues | None = None, now: datetime = NOW) -> Submission:
    return submit_pipeline(server, ORDER, values or ChartValues(), now)


def test_a_new_pipeline_is_uploaded_and_run_with_its_arguments(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    submission = submitted(Server(host))
    assert submission == Submission("run-0", "pipeline-0", submission.version, f"{host}/#/runs/details/run-0")
    assert pipelines.pipelines == {"pipeline-0": (PIPELINE_NAME, "")}
    assert pipelines.experiments == {"experiment-0": ("endcap", "")}
    ((version, _, package),) = pipelines.versions.values()
    assert (version, package.name) == (submission.version, PIPELINE_NAME)
    (run,) = pipelines.runs.values()
    assert run["runtime_config"]["parameters"] == ARGUMENTS
    assert run["display_name"] == "endcap-training 2026-11-27 08:00:00"
    assert "service_account" not in run


def test_the_same_pipeline_is_uploaded_once(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    first, second = submitted(Server(host)), submitted(Server(host))
    assert (first.version, first.pipeline_id) == (second.version, second.pipeline_id)
    assert first.run_id != second.run_id
    assert len(pipelines.named("upload_pipeline_version")) == len(pipelines.named("pipeline_service_create_pipeline")) == 1
    assert len(pipelines.experiments) == 1


def test_another_pipeline_is_a_new_version(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    first = submitted(Server(host))
    second = submitted(Server(host), ChartValues.model_validate({"pipelines": {"gpus": {"count": 1}}}))
    assert first.version != second.version
    assert len(pipelines.versions) == 2
    assert pipelines.runs["run-1"]["pipeline_version_reference"]["pipeline_version_id"] == "version-1"


@pytest.mark.parametrize(
    "operation", ["pipeline_service_create_pipeline", "upload_pipeline_version", "experiment_service_create_experiment"]
)
def test_what_somebody_else_made_in_between_is_taken(single: tuple[str, Pipelines], operation: str) -> None:
    host, pipelines = single
    pipelines.lost_answers.add(operation)
    assert submitted(Server(host)).run_id == "run-0"
    assert [len(each) for each in (pipelines.pipelines, pipelines.versions, pipelines.experiments)] == [1, 1, 1]


def test_a_conflict_over_nothing_is_told(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    pipelines.refused["upload_pipeline_version"] = 409
    with pytest.raises(InvalidInput, match=r"one of that name already: 409"):
        submitted(Server(host))


def test_what_is_installed_is_run_as_it_is(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    submitted(Server(host))
    newest = submitted(Server(host), ChartValues.model_validate({"pipelines": {"dataDir": "/elsewhere"}}))
    submission = run_installed(Server(host), ORDER, PIPELINE_NAME, NOW)
    assert (submission.run_id, submission.version) == ("run-2", newest.version)
    assert len(pipelines.named("upload_pipeline_version")) == 2


def test_a_pipeline_that_is_not_installed_is_named(multi: tuple[str, Pipelines]) -> None:
    host, _ = multi
    submitted(Server(host, "ann", "ann's"))
    with pytest.raises(InvalidInput, match=r"--installed: the server has no version.*endcap-training"):
        run_installed(Server(host, "ben", "ben's"), ORDER, PIPELINE_NAME, NOW)


def test_steps_run_as_the_service_account_that_is_asked_for(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    submit_pipeline(Server(host), Order(ARGUMENTS, "endcap", "endcap-pipeline"), ChartValues(), NOW)
    assert pipelines.runs["run-0"]["service_account"] == "endcap-pipeline"


def test_a_single_user_server_is_asked_without_a_namespace(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    submitted(Server(host, namespace="ann"))
    assert not any("namespace" in {**request.query, **(request.body or {})} for request in pipelines.requests)


def test_on_a_multi_user_server_everything_is_the_user_s_own(multi: tuple[str, Pipelines]) -> None:
    host, pipelines = multi
    submitted(Server(host, "ann", "ann's"))
    submitted(Server(host, "ben", "ben's"))
    assert sorted(pipelines.pipelines.values()) == [(PIPELINE_NAME, "ann"), (PIPELINE_NAME, "ben")]
    assert sorted(pipelines.experiments.values()) == [("endcap", "ann"), ("endcap", "ben")]
    assert {run["experiment_id"] for run in pipelines.runs.values()} == {"experiment-0", "experiment-1"}
    assert {request.token for request in pipelines.requests} == {"ann's", "ben's"}


def test_a_multi_user_server_needs_a_namespace(multi: tuple[str, Pipelines]) -> None:
    with pytest.raises(InvalidInput, match=r"--namespace: this server has many users"):
        submitted(Server(multi[0], token="ann's"))


@pytest.mark.parametrize("token", [None, "nobody's"])
def test_without_a_known_token_the_server_asks_who_it_is(multi: tuple[str, Pipelines], token: str | None) -> None:
    with pytest.raises(InvalidInput, match=r"asks who you are: 401 .*--token"):
        submitted(Server(multi[0], "ann", token))


def test_another_s_namespace_is_refused(multi: tuple[str, Pipelines]) -> None:
    host, pipelines = multi
    with pytest.raises(InvalidInput, match=r"you may not do this: 403 .*namespace ann.*--namespace"):
        submitted(Server(host, "ann", "ben's"))
    assert not pipelines.pipelines


def test_a_login_page_is_not_taken_for_the_api(multi: tuple[str, Pipelines]) -> None:
    host, pipelines = multi
    pipelines.login_page = True
    with pytest.raises(InvalidInput, match="a page answers, not the API"):
        submitted(Server(host, "ann"))


def test_a_token_file_is_read_again_when_it_is_renewed(multi: tuple[str, Pipelines], tmp_path: Path) -> None:
    host, pipelines = multi
    token_file = tmp_path / "token"
    token_file.write_text("ann's\n")
    server = Server(host, "ann", token_file=token_file)
    submitted(server)
    pipelines.people = {"ann's new": ["ann"]}
    token_file.write_text("ann's new\n")
    assert submitted(server).run_id == "run-1"


def test_a_token_is_renewed_between_two_requests_of_one_client(multi: tuple[str, Pipelines], tmp_path: Path) -> None:
    from kfp_server_api import HealthzServiceApi

    from endcap_pipelines.server import open_api

    host, pipelines = multi
    token_file = tmp_path / "token"
    token_file.write_text("ann's")
    with open_api(Server(host, "ann", token_file=token_file)) as client:
        HealthzServiceApi(client).healthz_service_get_healthz()
        token_file.write_text("ben's")
        HealthzServiceApi(client).healthz_service_get_healthz()
    assert [request.token for request in pipelines.requests] == ["ann's", "ben's"]


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"--token-file: there is no such file.*missing"):
        submitted(Server("http://127.0.0.1:9", token_file=tmp_path / "missing"))


def test_a_failure_of_the_server_is_not_the_caller_s(single: tuple[str, Pipelines]) -> None:
    host, pipelines = single
    pipelines.refused["run_service_create_run"] = 500
    with pytest.raises(DependencyUnavailable, match=r"the server failed: 500 .*not today"):
        submitted(Server(host))


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(DependencyUnavailable, match=r"--host.*127\.0\.0\.1:9"):
        submitted(Server("http://127.0.0.1:9"))


def test_a_server_s_own_authority_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    certificate, tls = certified(tmp_path)
    with serving(Pipelines(), tls) as host:
        assert submitted(Server(host, ca_cert=certificate)).url.startswith("https://")
        with pytest.raises(DependencyUnavailable, match="--ca-cert"):
            submitted(Server(host))


@pytest.mark.parametrize("body", [None, "<html>", "[]", "{}"])
def test_an_answer_that_is_no_document_adds_no_words(body: str | None) -> None:
    assert _said(SimpleNamespace(body=body)) == ""
    assert _said(SimpleNamespace(body='{"message": "no right"}')) == " (no right)"
