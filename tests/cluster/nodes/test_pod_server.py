"""The server in a pod starts, drains and is killed as the transformer is; a client sees the difference."""

import asyncio
from typing import Any

import pytest

from tests.cluster.nodes.http_exchange import ExchangeFailed, get
from tests.cluster.nodes.pod_server import READY_PATH, Draining, PodServer, draining_of
from tests.cluster.nodes.probing import follow_readiness
from tests.cluster.nodes.termination import KILLED, pre_stop_s, terminate
from tests.waiting import until_async

WITHIN_S = 5.0
AT_ONCE = Draining()


async def _started(draining: Draining = AT_ONCE, start_s: float = 0.0) -> tuple[PodServer, int]:
    server = PodServer("shelf", draining, start_s=start_s, answer_s=0.0)
    await server.start()
    assert server.port is not None
    return server, server.port


async def _failure(port: int, path: str = "/") -> str:
    with pytest.raises(ExchangeFailed) as failed:
        await get(port, path, WITHIN_S)
    return failed.value.kind


async def _until_in_flight(server: PodServer) -> None:
    await until_async(lambda: server.in_flight > 0, "server.in_flight > 0", WITHIN_S)


async def test_it_answers_503_until_it_has_started() -> None:
    server, port = await _started(start_s=0.2)
    assert (await get(port, READY_PATH, WITHIN_S)).status == (await get(port, "/", WITHIN_S)).status == 503
    await until_async(lambda: server.is_ready, "server.is_ready", WITHIN_S)
    assert (await get(port, READY_PATH, WITHIN_S)).status == 200
    assert (await get(port, "/", WITHIN_S)).body == "shelf"


async def test_after_sigterm_it_is_not_ready_and_answers_until_the_listener_closes() -> None:
    server, port = await _started(Draining(unready_s=0.3))
    ending = asyncio.ensure_future(server.terminate())
    await asyncio.sleep(0)
    assert (await get(port, READY_PATH, WITHIN_S)).status == 503
    assert (await get(port, "/", WITHIN_S)).status == 200
    await ending
    assert await _failure(port) == "refused"


async def test_a_request_in_flight_is_answered_while_it_drains() -> None:
    server, port = await _started(Draining(drain_s=2.0))
    slow = asyncio.ensure_future(get(port, "/slow/0.3", WITHIN_S))
    await _until_in_flight(server)
    await server.terminate()
    assert (await slow).status == 200


async def test_a_request_that_outlasts_the_drain_is_cut_off() -> None:
    server, port = await _started(Draining(drain_s=0.1))
    slow = asyncio.ensure_future(_failure(port, "/slow/30"))
    await _until_in_flight(server)
    await server.terminate()
    assert await slow == "cut off"


async def test_a_pod_that_outlasts_its_grace_period_is_killed() -> None:
    server, port = await _started(Draining(unready_s=30.0))
    slow = asyncio.ensure_future(_failure(port, "/slow/30"))
    await _until_in_flight(server)
    container = _container(lifecycle={"preStop": {"sleep": {"seconds": 60}}})
    pod = {"metadata": {"deletionGracePeriodSeconds": 1}, "spec": {"containers": [container]}}
    assert await terminate(pod, container, server) == {"transformer-container": KILLED}
    assert await slow == "cut off"
    assert server.port is None


async def test_requests_are_answered_while_pre_stop_sleeps() -> None:
    server, port = await _started()
    container = _container(lifecycle={"preStop": {"sleep": {"seconds": 1}}})
    pod = {"metadata": {"deletionGracePeriodSeconds": 30}, "spec": {"containers": [container]}}
    ending = asyncio.ensure_future(terminate(pod, container, server))
    await asyncio.sleep(0)
    assert (await get(port, READY_PATH, WITHIN_S)).status == 200
    await ending
    assert await _failure(port) == "refused"


async def test_readiness_follows_the_probes() -> None:
    server, _ = await _started(start_s=0.1)
    seen: asyncio.Queue[bool] = asyncio.Queue()
    probe = {"httpGet": {"path": READY_PATH, "port": 8080}, "periodSeconds": 0.05, "failureThreshold": 2}
    probing = asyncio.ensure_future(follow_readiness(_container(startupProbe=probe, readinessProbe=probe), server, seen.put))
    async with asyncio.timeout(WITHIN_S):
        assert await seen.get() is True
        server.kill()
        assert await seen.get() is False
    probing.cancel()


def test_what_the_stand_in_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="only sleep is known"):
        pre_stop_s(_container(lifecycle={"preStop": {"exec": {"command": ["sleep", "5"]}}}))


def test_draining_is_by_the_transformers_own_variables() -> None:
    variables = [{"name": "ENDCAP_RESILIENCE__UNREADY_SECONDS", "value": "1"}, {"name": "ENDCAP_RESILIENCE__DRAIN_SECONDS", "value": "10"}]
    assert draining_of(_container(env=variables)) == Draining(unready_s=1.0, drain_s=10.0)
    assert draining_of(_container()) == Draining()


def _container(**fields: Any) -> dict[str, Any]:
    return {"name": "transformer-container", "image": "transformer:1", **fields}


async def test_a_container_that_ends_before_the_serving_one_shows_in_the_answers() -> None:
    server, port = await _started(Draining(unready_s=0.5))
    serving, model = _container(), {"name": "kserve-container", "image": "model:1"}
    pod = {"metadata": {"deletionGracePeriodSeconds": 30}, "spec": {"containers": [serving, model]}}
    assert (await get(port, "/", WITHIN_S)).body == "shelf"
    ending = asyncio.ensure_future(terminate(pod, serving, server))
    await asyncio.sleep(0.05)
    assert (await get(port, "/", WITHIN_S)).body == "shelf degraded"
    await ending
