"""A Prometheus that does not answer, or is none."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from endcap.contracts.rollout import DEFAULT_GUARDRAILS, Analysis
from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import RolloutSettings, Settings
from endcap_rollout_operator.guardrails.guardrails import Guardrails, open_guardrails
from endcap_rollout_operator.guardrails.prometheus import Prometheus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=5)
ANALYSIS = Analysis(guardrails=DEFAULT_GUARDRAILS)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Guardrails:
    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(answer))
    return Guardrails(Prometheus(client), lambda: NOW)


def test_guardrails_of_settings_say_that_nobody_answers() -> None:
    settings = Settings(rollouts=RolloutSettings(prometheus_url=f"http://127.0.0.1:{free_port()}/"))
    guardrails = open_guardrails(settings, lambda: NOW)
    measured = guardrails.measure(ANALYSIS, 2, 1, SINCE, [])
    assert [each.name for each in measured] == [each.name for each in DEFAULT_GUARDRAILS]
    assert {each.verdict for each in measured} == {"missing"}
    assert all("no answer from Prometheus" in each.message and "PROMETHEUS_URL" in each.message for each in measured)
    assert guardrails.requests_since(2, SINCE) is None


def test_it_is_not_waited_for_once_a_guardrail() -> None:
    queries = []

    def too_late(request: httpx.Request) -> httpx.Response:
        queries.append(request)
        if len(queries) > 1:
            raise httpx.ReadTimeout("too late", request=request)
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}})

    measured = answering(too_late).measure(ANALYSIS, 2, 1, SINCE, [])
    assert {each.verdict for each in measured} == {"missing"}
    assert len(queries) == 2


def test_one_that_hangs_is_waited_for_no_longer_than_the_settings_say() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        settings = Settings(rollouts=RolloutSettings(prometheus_url=url, prometheus_timeout_seconds=0.2))
        measured = open_guardrails(settings, lambda: NOW).measure(ANALYSIS, 2, 1, SINCE, [])
    assert {each.verdict for each in measured} == {"missing"}
    assert "timed out" in measured[0].message


def test_one_behind_a_path_is_asked_there() -> None:
    queries = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.path)
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}})

    client = httpx.Client(base_url="http://metrics/prometheus", transport=httpx.MockTransport(answer))
    assert Prometheus(client).now() == 1
    assert queries == ["/prometheus/api/v1/query"]


def test_failures_so_far_are_kept_while_it_is_away() -> None:
    away = answering(lambda request: httpx.Response(503, json={"status": "error", "error": "starting"}))
    failed = [each.model_copy(update={"verdict": "fail", "failures": 2, "value": 1.0}) for each in away.measure(ANALYSIS, 2, 1, SINCE, [])]
    assert {each.failures for each in away.measure(ANALYSIS, 2, 1, SINCE, failed)} == {2}


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>sign in</html>"),
        httpx.Response(200, json=["nothing"]),
        httpx.Response(302, headers={"location": "/login"}),
        httpx.Response(500, json={"status": "error", "error": "out of memory"}),
        httpx.Response(503, json={"status": "error", "errorType": "timeout", "error": "query timed out"}),
    ],
)
def test_what_is_no_answer_of_prometheus_is_said_so(response: httpx.Response) -> None:
    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(lambda request: response))
    with pytest.raises(DependencyUnavailable):
        Prometheus(client).number("up")


def test_all_queries_of_a_look_are_about_the_same_moment() -> None:
    moments = []

    def answer(request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if form["query"] == "time()":
            return httpx.Response(200, json={"status": "success", "data": {"resultType": "scalar", "result": [1, "1234.5"]}})
        moments.append(form["time"])
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": []}})

    answering(answer).measure(ANALYSIS, 2, 1, SINCE, [])
    assert set(moments) == {"1234.500"}


def test_requests_are_unknown_while_their_count_is_not_answered() -> None:
    def time_alone(request: httpx.Request) -> httpx.Response:
        if b"time%28%29" in request.content:
            return httpx.Response(200, json={"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}})
        return httpx.Response(503, json={"status": "error", "error": "too busy"})

    assert answering(time_alone).requests_since(2, SINCE) is None
